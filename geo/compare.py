"""What each policy would have done, on the same simulated shifts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import bootstrap

from data.records import Flag, StopPhase
from data.said import Escalated, Flagged
from geo.board import Board
from geo.bound import bound_of, soonest_arrival_s
from geo.demand import Zones
from geo.policies import POLICIES, Candidates, Pairs
from geo.shift.car import Doing
from geo.shift.response import response
from geo.shift.truth import GRID_S
from geo.shift.world import LOOK_S, simulate
from geo.standing import StandingStops
from geo.starts import starts_at
from geo.tally import tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.road_table import FloatArray
    from data.settings import Policy, Settings
    from geo.network import RoadNetwork
    from geo.policies import Choose
    from geo.shift.car import Car
    from geo.shift.plan import ShiftPlan
    from geo.shift.truth import StopTruth
    from geo.shift.world import ShiftRecord, World
    from geo.starts import Starts

CLAIRVOYANT = "clairvoyant"
FEWEST = 3  # shifts, for an interval
FLOOD_S, FLOOD_ALERTS = 600, 10  # ANSI/ISA-18.2: more in ten minutes are a flood
QUIET = {StopPhase.SECURED, StopPhase.CUSTODY, StopPhase.AWAITING_TOW}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """
    One policy on one shift, by what really happened: neither G nor any flag enters it.

    Parameters
    ----------
    exposure_min : float
        Minutes of stops with fewer officers there than wanted.
    exposure_quiet_min : float
        Of those, in phases after contact: secured, custody, awaiting tow.
    exposure_beyond_min : float
        Of those, minutes in which no free unit could have been there within T.
    within_share : float
        Share of stops at which somebody was there or could be within T, all the time.
    covered_share : float
        Mean share of demand within T of a free unit.
    asks_per_unit_hour : float
        Requests.
    asks_spread : float
        Standard deviation of the requests an hour over the units: fairness.
    alerts_per_hour : float
        Alarms raised and messages to the supervisor, of whom there is one; an alarm that clears is
        none.
    sounds_per_hour : float
        Those of them that were heard.
    flood_share : float
        Of ten minutes at a time, those with more than ten alerts: ISA-18.2's flood, at most 1 %.
    in_vain_share : float
        Of the requests: the unit came to no stop that still went on.
    least_min : float
        Exposure that any number of requests would have left at least, in hindsight (`geo.bound`).
    least_asked_min : float
        The same with as many requests as were made.
    reached_share : float
        What was saved, of what could have been saved with any number of requests.
    coming_min, asked_min, far_min : float
        Of the exposure: a car was driving there; one was being asked; no free unit was within the
        longest drive.
    """

    exposure_min: float
    exposure_quiet_min: float
    exposure_beyond_min: float
    within_share: float
    covered_share: float
    asks_per_unit_hour: float
    asks_spread: float
    alerts_per_hour: float
    sounds_per_hour: float
    flood_share: float
    in_vain_share: float
    least_min: float
    least_asked_min: float
    reached_share: float
    coming_min: float
    asked_min: float
    far_min: float


class _Look:
    """Measures a world every ten seconds: who could be where, by true positions."""

    def __init__(self, net: RoadNetwork, policy: Policy) -> None:
        self._within_s = policy.within_s
        self._zones = Zones(net, policy, ())
        self._longest_s = max(policy.drive_max_s, 2 * policy.within_s)
        self._stops = StandingStops(net, within_s=self._longest_s)
        self._responses: dict[str, tuple[FloatArray, FloatArray]] = {}

    def __call__(self, world: World, at_s: float) -> None:
        """Look at it."""
        going_on = {
            stop_id: stop
            for stop_id, stop in world.truth.stops.items()
            if stop.began_s <= at_s < stop.ended_s
        }
        cars = [car for car in world.cars if car.doing in {Doing.PATROL, Doing.HELP}]
        free = np.array([car.doing is Doing.PATROL for car in cars], np.bool_)
        starts = _starts(world, cars, at_s)
        if (at_s - world.plan.start_s) % 120 == 0:
            share = self._zones.share_within(starts.rows(np.flatnonzero(free)))
            world.truth.covered.append((at_s, share))
        for stop_id in set(self._stops.stop_ids) - going_on.keys():
            self._stops.clear(stop_id)
        for stop_id in [one for one in going_on if one not in self._stops.stop_ids]:
            self._put(world, going_on[stop_id], at_s)
        rows = np.array([car.row for car in cars], np.intp)
        coming = {car.helping for car in cars}
        asked = {car.pending.rpartition("/")[0] for car in cars if car.pending}
        drives_s = self._stops.drive_times_s(starts)
        for stop_id, drive_s in zip(self._stops.stop_ids, drives_s.T, strict=True):
            stop = going_on[stop_id]
            nearest_s = drive_s[free].min(initial=np.inf)
            stop.reach.append((at_s, bool(nearest_s <= self._within_s)))
            far = bool(nearest_s > self._longest_s)
            stop.waits.append(
                "coming" if stop_id in coming else "asked" if stop_id in asked else "far" * far
            )
            ready_s, factor = (one[rows] for one in self._responses[stop_id])
            soonest_s = soonest_arrival_s(at_s, at_s + LOOK_S, ready_s, drive_s, factor)
            stop.soonest_s = min(stop.soonest_s, soonest_s)

    def _put(self, world: World, stop: StopTruth, at_s: float) -> None:
        """Put a stop up that has begun, with what each officer would say."""
        car = next(car for car in world.cars if car.unit_id == stop.unit_id)
        place, _ = world.fleet.ground.place(*car.trip.at(at_s))
        self._stops.put(stop.stop_id, place)
        drawn = [response(world.seed, world.plan, stop.stop_id, one.row) for one in world.cars]
        delay_s = np.array([one.delay_s if one.comes else np.inf for one in drawn])
        factor = np.array([one.factor for one in drawn])
        self._responses[stop.stop_id] = stop.began_s + delay_s, factor


def _starts(world: World, cars: Sequence[Car], at_s: float) -> Starts:
    """Give the true places of cars, which may turn round."""
    places = [car.trip.at(at_s) for car in cars]
    edge = np.array([place[0] for place in places], np.int32)
    fraction = np.array([place[1] for place in places])
    turn_round = np.where(world.net.twin[edge] >= 0, 0, -1).astype(np.int32)
    return starts_at(world.net, edge, fraction, turn_round)


def measure(record: ShiftRecord) -> Measures:
    """
    Measure a shift that was looked at.

    Parameters
    ----------
    record : ShiftRecord
        Simulated by `watched`.

    Returns
    -------
    measures : Measures
        Its figures.
    """
    truth = record.truth
    quiet = beyond = 0
    always = 0
    waits = Counter[str]()
    for stop in truth.stops.values():
        reach_s = np.array([at_s for at_s, _ in stop.reach] or [np.inf])
        could = [ok for _, ok in stop.reach] or [False]
        alone = False
        for at_s in stop.instants_s().tolist():
            if stop.present(at_s) >= stop.needs:
                continue
            quiet += stop.phase(at_s) in QUIET
            look = min(int(np.searchsorted(reach_s, at_s)), len(could) - 1)
            near = could[look]
            waits[stop.waits[look] if stop.waits else ""] += 1
            beyond += not near
            alone |= not near
        always += not alone
    hours = truth.unit_hours
    units = int(record.history.facts["units"])
    counts = np.zeros(units)
    rows = {unit: i for i, unit in enumerate({one.unit_id: 0 for one in record.history.statuses})}
    for _, unit_id, _ in truth.asked:
        counts[rows[unit_id]] += 1
    counted = tally(record.said)
    bound, exposure_min = bound_of(record), truth.exposure_min()
    return Measures(
        exposure_min=exposure_min,
        exposure_quiet_min=quiet * GRID_S / 60,
        exposure_beyond_min=beyond * GRID_S / 60,
        within_share=always / max(len(truth.stops), 1),
        covered_share=float(np.mean([share for _, share in truth.covered])),
        asks_per_unit_hour=len(truth.asked) / hours,
        asks_spread=float(counts.std() / (hours / units)),
        alerts_per_hour=(counted.alone + counted.escalations) / (hours / units),
        sounds_per_hour=counted.sounds / (hours / units),
        flood_share=_flood_share(record),
        in_vain_share=(len(truth.asked) - len(truth.came)) / max(len(truth.asked), 1),
        least_min=bound.least_min(),
        least_asked_min=bound.least_min(len(truth.asked)),
        reached_share=bound.reached_share(exposure_min),
        coming_min=waits["coming"] * GRID_S / 60,
        asked_min=waits["asked"] * GRID_S / 60,
        far_min=waits["far"] * GRID_S / 60,
    )


def _flood_share(record: ShiftRecord) -> float:
    """Give the share of ten minutes at a time with more alerts than anybody can take in."""
    at_s = [
        one.at_s
        for one in record.said
        if isinstance(one, Escalated) or (isinstance(one, Flagged) and one.flag is Flag.ALONE)
    ]
    since_s = np.array(at_s) - record.plan.start_s
    periods = int(np.ceil(record.plan.hours * 3600 / FLOOD_S))
    period = np.minimum(since_s // FLOOD_S, periods - 1).astype(np.int64)
    counts = np.bincount(period, minlength=periods)
    return float(np.mean(counts > FLOOD_ALERTS))


def watched(
    net: RoadNetwork,
    plan: ShiftPlan,
    settings: Settings,
    policy: str,
    seed: int,
    *,
    judge: Policy | None = None,
) -> ShiftRecord:
    """
    Simulate a shift under a policy, and look at what really happens.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    plan : ShiftPlan
        The shift.
    settings : Settings
        Of the board.
    policy : str
        One of `geo.policies.POLICIES`, or `CLAIRVOYANT`.
    seed : int
        The same seed gives the same stops, calls and officers to every policy.
    judge : Policy or None
        Whose T the measures go by, so that two settings of T are measured alike; None for the
        settings'.

    Returns
    -------
    record : ShiftRecord
        To be measured.
    """
    ends_s: dict[str, float] = {}
    look = _Look(net, judge or settings.policy)

    def watch(world: World, at_s: float) -> None:
        ends_s.update({stop_id: stop.ended_s for stop_id, stop in world.truth.stops.items()})
        look(world, at_s)

    choose = _knowing(ends_s, plan) if policy == CLAIRVOYANT else POLICIES[policy]
    board = Board(net, settings, choose=choose)
    return simulate(net, plan, seed=seed, dispatcher=board, look=watch)


def run(
    net: RoadNetwork,
    plan: ShiftPlan,
    settings: Settings,
    policy: str,
    seed: int,
    *,
    judge: Policy | None = None,
) -> Measures:
    """
    Simulate a shift under a policy, and measure it.

    Parameters
    ----------
    net, plan, settings, policy, seed, judge
        As `watched` takes them.

    Returns
    -------
    measures : Measures
        What came of it.
    """
    return measure(watched(net, plan, settings, policy, seed, judge=judge))


def _knowing(ends_s: dict[str, float], plan: ShiftPlan) -> Choose:
    """Choose knowing when each stop ends; greedy, so no bound: that is `geo.bound`."""

    def clairvoyant(candidates: Candidates, policy: Policy) -> Pairs:
        ends = [ends_s.get(stop, np.inf) for stop in candidates.stop_ids]
        left_s = np.array(ends) - candidates.now_s
        left_s = np.where(np.isfinite(left_s), left_s, 60 * plan.phase_min[StopPhase.CONTACT])
        worth = np.maximum(left_s - candidates.tau_s, 0.0) / 60
        return POLICIES["ours"](replace(candidates, gain=worth, score=lambda: worth), policy)

    return clairvoyant


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """
    A measure of two policies on the same shifts.

    Parameters
    ----------
    mean, low, high : float
        Mean of the paired differences, and its 95 % interval (bootstrap, BCa).
    """

    mean: float
    low: float
    high: float


def difference(ours: Sequence[float], theirs: Sequence[float], *, seed: int = 0) -> Difference:
    """
    Compare paired figures.

    Parameters
    ----------
    ours, theirs : sequence of float
        Of the same shifts, in the same order.
    seed : int
        Of the resampling.

    Returns
    -------
    difference : Difference
        Ours less theirs; NaN for the interval where there are fewer than `FEWEST` shifts.
    """
    gaps: FloatArray = np.array(ours) - np.array(theirs)
    mean = float(gaps.mean())
    if len(gaps) < FEWEST:
        return Difference(mean=mean, low=np.nan, high=np.nan)
    if np.ptp(gaps) == 0:
        return Difference(mean=mean, low=mean, high=mean)
    found = bootstrap((gaps,), np.mean, rng=np.random.default_rng(seed), n_resamples=2000)
    low, high = found.confidence_interval
    return Difference(mean=mean, low=float(low), high=float(high))

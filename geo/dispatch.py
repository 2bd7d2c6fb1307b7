"""Who should roll by, and why (docs/model.md, section 4)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from data.answers import Advice, RunnerUp, StopAdvice, Suggestion
from data.records import Flag, UnitStatus
from data.settings import Settings
from geo.as_json import advice_json
from geo.backup import drive_limit_s
from geo.company import companies
from geo.coverage import chances_everywhere, edge_within_s, lost_shares
from geo.demand import demand_points
from geo.exposure import expose
from geo.reasons import Choice, reasons, why_none
from geo.roster import muster, open_stops, stop_place
from geo.weigh import Needs, cost_min, gain_min

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    import numpy.typing as npt

    from data.beats import Beat
    from data.records import Ask, Stop, Unit
    from data.road_table import BoolArray, FloatArray
    from data.settings import Policy
    from geo.exposure import Exposure
    from geo.network import RoadNetwork
    from geo.roster import OnDuty


def assign(score: FloatArray, alone: BoolArray, policy: Policy) -> list[tuple[int, int]]:
    """
    Choose who goes where, over all stops and units together.

    Parameters
    ----------
    score : ndarray of float64, shape (u, s)
        S of idle unit and stop, officer-minutes; -inf where the pair is not allowed.
    alone : ndarray of bool, shape (s,)
        Stops flagged alone, against which no reserve is kept.
    policy : Policy
        Least score, and the reserve.

    Returns
    -------
    pairs : list of (int, int)
        Rows of unit and stop, each at most once, with the greatest sum of scores. Where that would
        send the last of enough idle units to a stop that is not alone, one unit is held back, the
        others are paired for the greatest sum, and the one held back goes to an alone stop that
        is left over, or nowhere: whichever choice of unit gives the most.
    """
    worth = np.where((score >= policy.score_min) & (score > 0), score, 0.0)
    pairs = _match(worth)
    idle = len(worth)
    if idle < policy.reserve_from_units or len(pairs) < idle or alone[[s for _, s in pairs]].all():
        return pairs
    kept_back = []
    for u in range(idle):
        others = _match(np.where(np.arange(idle)[:, None] == u, 0.0, worth))
        open_alone = np.flatnonzero(alone & (worth[u] > 0))
        unserved = set(open_alone.tolist()) - {s for _, s in others}
        best = max(unserved, key=lambda s: worth[u, s], default=None)
        kept_back.append(others if best is None else [*others, (u, best)])
    return max(kept_back, key=lambda pairs: sum(worth[pair] for pair in pairs))


def _match(worth: FloatArray) -> list[tuple[int, int]]:
    """Pair rows and columns for the greatest sum; a pair worth nothing is none."""
    rows, columns = linear_sum_assignment(worth, maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return [(u, s) for u, s in pairs if worth[u, s] > 0]


def give_and_take(
    pairs: list[tuple[int, int]],
    score: FloatArray,
    asked_s: FloatArray,
    unit_ids: Sequence[str],
    policy: Policy,
) -> list[tuple[int, int]]:
    """
    Among units as good as each other, let the one go that was asked least recently.

    Parameters
    ----------
    pairs : list of (int, int)
        Rows of unit and stop, as `assign` chose.
    score : ndarray of float64, shape (u, s)
        S.
    asked_s : ndarray of float64, shape (u,)
        When each unit was last asked, seconds since the epoch; -inf for never.
    unit_ids : sequence of str, length u
        Break ties.
    policy : Policy
        Its `tie_share`.

    Returns
    -------
    pairs : list of (int, int)
        Units that sit idle take over where they are within the share and have waited longer.
    """
    free = set(range(len(unit_ids))) - {u for u, _ in pairs}
    shared = []
    for u, s in sorted(pairs, key=lambda pair: -score[pair]):
        level = max(policy.score_min, (1 - policy.tie_share) * score[u, s])
        equals = [u, *(v for v in sorted(free) if score[v, s] >= level)]
        taken = min(equals, key=lambda v: (asked_s[v], -score[v, s], unit_ids[v]))
        free = (free | {u}) - {taken}
        shared.append((taken, s))
    return shared


def _last_asked(duty: OnDuty) -> float:
    """Give the instant of the last ask, seconds since the epoch; -inf if never."""
    return duty.asks[-1].timestamp() if duty.asks else -math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """
    All stops and idle units of an instant, with what each pair is worth.

    Parameters
    ----------
    exposures : list of Exposure, length s
        By stop_id.
    roster, idle : list of OnDuty
        All units, and the u that could be asked, by unit_id.
    chance : ndarray of float32, shape (u, m)
        r F of every idle unit on every edge.
    lost : ndarray of float64, shape (u,)
        L.
    score, gain : ndarray of float64, shape (u, s)
        S, -inf where a pair is not allowed, and its first part; officer-minutes.
    within_s : ndarray of float64, shape (m,)
        T of every edge.
    asks_known : bool
        Earlier asks are on record.
    """

    exposures: list[Exposure]
    roster: list[OnDuty]
    idle: list[OnDuty]
    chance: npt.NDArray[np.float32]
    lost: FloatArray
    score: FloatArray
    gain: FloatArray
    within_s: FloatArray
    asks_known: bool


def advise(
    net: RoadNetwork,
    units: Sequence[Unit],
    stops: Sequence[Stop],
    *,
    now: datetime,
    settings: Settings | None = None,
    beats: Sequence[Beat] = (),
    asked: Iterable[Ask] | None = None,
) -> Advice:
    """
    Say of every open stop who is alone and who should roll by.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    units : sequence of Unit
        One row a unit: its newest at `now`.
    stops : sequence of Stop
        On record; ended and cleared ones are passed over.
    now : datetime
        The instant, timezone-aware.
    settings : Settings or None
        None for the defaults.
    beats : sequence of Beat
        With a T of their own.
    asked : iterable of Ask or None
        Earlier requests: they feed the hourly cap and the give and take. None where no record of
        them is at hand; then no reason speaks of them.

    Returns
    -------
    advice : Advice
        Stops by falling priority. The order of rows changes nothing.
    """
    settings = settings or Settings()
    policy = settings.policy
    board = weigh_up(net, units, stops, now=now, settings=settings, beats=beats, asked=asked)
    exposures, roster = board.exposures, board.roster
    alone = np.array([exposure.flag is Flag.ALONE for exposure in exposures], np.bool_)
    best = assign(board.score, alone, policy)
    asked_s = np.array([_last_asked(duty) for duty in board.idle])
    unit_ids = [duty.unit_id for duty in board.idle]
    pairs = give_and_take(best, board.score, asked_s, unit_ids, policy)
    sent = {s: u for u, s in pairs}
    busy = {u: exposures[s].stop.stop_id for u, s in pairs}
    answers = [
        _answer(board, s, sent.get(s), busy, now=now, settings=settings)
        for s in range(len(exposures))
    ]
    answers.sort(key=lambda one: (-one.priority, -_age_rank(one.age_s), one.stop_id))
    return Advice(
        at=now,
        stops=tuple(answers),
        units=tuple(duty.state for duty in roster),
        within_s=policy.within_s,
        simulated=settings.units.simulated,
    )


def _age_rank(age_s: float | None) -> float:
    """Rank a stop of unknown age as the oldest."""
    return math.inf if age_s is None else age_s


def weigh_up(
    net: RoadNetwork,
    units: Sequence[Unit],
    stops: Sequence[Stop],
    *,
    now: datetime,
    settings: Settings,
    beats: Sequence[Beat] = (),
    asked: Iterable[Ask] | None = None,
) -> Weighed:
    """
    Score every idle unit for every stop.

    Parameters
    ----------
    net, units, stops, now, settings, beats, asked
        As in `advise`.

    Returns
    -------
    weighed : Weighed
        What `advise` decides by.
    """
    policy = settings.policy
    going_on = open_stops(units, stops, now=now, policy=policy)
    roster = muster(net, units, going_on, now=now, policy=policy, asked=asked or ())
    by_id = {unit.unit_id: unit for unit in units}
    places = {stop.stop_id: stop_place(stop, by_id.get(stop.unit_id)) for stop in going_on}
    backup = companies(going_on, places, roster, policy)
    exposures = [
        expose(net, stop, roster, backup[stop.stop_id], now=now, settings=settings, beats=beats)
        for stop in going_on
    ]
    idle = [duty for duty in roster if duty.state.askable]
    within_s = edge_within_s(net, beats, policy.within_s)
    chance = chances_everywhere(
        net,
        [duty.position for duty in idle if duty.position],
        [duty.age.effective_s for duty in idle],
        within_s=within_s,
        policy=policy,
    )
    demand = demand_points(net.table.road_m)
    lost = lost_shares(chance[:, demand.edge], demand.share)
    needs = _needs(exposures, policy)
    tau_s, may_go = _pairs(exposures, idle, needs, policy)
    officers = np.array([duty.unit.officers for duty in idle], np.int64)
    coming = [
        [one.tau_s for one in exposure.assigned for _ in range(one.duty.unit.officers)]
        for exposure in exposures
    ]
    on_duty = sum(duty.unit.status is not UnitStatus.OUT_OF_SERVICE for duty in roster)
    gain = np.where(may_go, gain_min(tau_s, officers, coming, needs, policy), 0.0)
    cost = np.where(may_go, cost_min(tau_s, lost, on_duty, needs, policy), np.inf)
    return Weighed(
        exposures=exposures,
        roster=roster,
        idle=idle,
        chance=chance,
        lost=lost,
        score=gain - cost,
        gain=gain,
        within_s=within_s,
        asks_known=asked is not None,
    )


def _needs(exposures: Sequence[Exposure], policy: Policy) -> Needs:
    """Write what the stops want, as columns."""
    phases = [exposure.stop.phase for exposure in exposures]
    return Needs(
        within_s=np.array([exposure.within_s for exposure in exposures]),
        mean_min=np.array([policy.duration_min[phase] for phase in phases]),  # type: ignore[index]
        weight=np.array([policy.weight[phase] for phase in phases]),  # type: ignore[index]
        short=np.array([exposure.short for exposure in exposures], np.int64),
    )


def _pairs(
    exposures: Sequence[Exposure], idle: Sequence[OnDuty], needs: Needs, policy: Policy
) -> tuple[FloatArray, BoolArray]:
    """Give tau of every idle unit to every stop, and whether it may go there."""
    row_of = {duty.unit_id: row for row, duty in enumerate(idle)}
    tau_s = np.full((len(idle), len(exposures)), np.inf)
    counts = np.zeros(tau_s.shape, np.bool_)
    for column, exposure in enumerate(exposures):
        for one in exposure.approaches:
            if (row := row_of.get(one.duty.unit_id)) is not None:
                tau_s[row, column], counts[row, column] = one.tau_s, one.counts
    return tau_s, counts & (needs.short > 0) & (tau_s <= drive_limit_s(needs.within_s, policy))


def _answer(
    board: Weighed,
    column: int,
    row: int | None,
    busy: dict[int, str],
    *,
    now: datetime,
    settings: Settings,
) -> StopAdvice:
    """Write what is said of one stop."""
    exposure = board.exposures[column]
    choices = _choices(board, column, busy, now, settings.policy)
    suggestion = (
        None if row is None else _suggest(exposure, choices, board.idle[row], now, settings)
    )
    lon_deg, lat_deg = exposure.place or (None, None)
    return StopAdvice(
        stop_id=exposure.stop.stop_id,
        unit_id=exposure.stop.unit_id,
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        street=exposure.street,
        phase=exposure.stop.phase,
        age_s=exposure.age_s,
        officers_present=exposure.present,
        needs=exposure.stop.needs,
        within_s=exposure.within_s,
        backup_probability=exposure.probability,
        flag=exposure.flag,
        priority=exposure.priority,
        notes=exposure.notes,
        nearest=exposure.nearest(),
        suggestion=suggestion,
        why_none=None if suggestion else why_none(exposure, choices, board.roster, settings.policy),
    )


def _choices(
    board: Weighed, column: int, busy: dict[int, str], now: datetime, policy: Policy
) -> list[Choice]:
    """List the units that could be asked for a stop, best score first, ties by unit_id."""
    exposure = board.exposures[column]
    row_of = {duty.unit_id: row for row, duty in enumerate(board.idle)}
    choices = []
    for one in exposure.approaches:
        row = row_of.get(one.duty.unit_id)
        if row is None or not one.counts or one.duty.position is None:
            continue
        near = board.chance[:, one.duty.position.edge] >= policy.comes_when_asked / 2
        choices.append(
            Choice(
                approach=one,
                score=float(board.score[row, column]),
                gain=float(board.gain[row, column]),
                lost_share=float(board.lost[row]),
                stay_near=int(np.delete(near, row).sum()),
                beat_within_s=float(board.within_s[one.duty.position.edge]),
                sent_to=busy.get(row),
                asks_last_hour=one.duty.asks_last_hour(now) if board.asks_known else None,
            )
        )
    return sorted(choices, key=lambda choice: (-choice.score, choice.approach.duty.unit_id))


def _suggest(
    exposure: Exposure, choices: list[Choice], duty: OnDuty, now: datetime, settings: Settings
) -> Suggestion | None:
    """Write a suggestion; None only where no way could be drawn."""
    chosen = next(choice for choice in choices if choice.approach.duty is duty)
    free = (c for c in choices if c.sent_to is None and c.score >= settings.policy.score_min)
    next_best = next(free, None)
    route = exposure.route(duty)
    if route is None:
        return None
    return Suggestion(
        unit_id=duty.unit_id,
        drive_time_s=chosen.approach.drive_time_s,
        distance_m=route.distance_m,
        arrival_at=now + timedelta(seconds=chosen.approach.tau_s),
        score=chosen.score,
        coverage_loss=chosen.lost_share,
        reasons=reasons(exposure, chosen, next_best, route, settings),
        route=route,
        runner_up=_runner_up(next_best) if next_best else None,
    )


def _runner_up(choice: Choice) -> RunnerUp:
    """Write who would be asked next."""
    return RunnerUp(
        unit_id=choice.approach.duty.unit_id,
        score=choice.score,
        drive_time_s=choice.approach.drive_time_s,
    )


def suggest(
    net: RoadNetwork,
    units: Sequence[Unit],
    stops: Sequence[Stop],
    *,
    now: datetime,
    settings: Settings | None = None,
    beats: Sequence[Beat] = (),
) -> dict[str, Any]:
    """
    Give the answer that ``rollby suggest --json`` prints.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    units : sequence of Unit
        One row a unit: its newest at `now`.
    stops : sequence of Stop
        On record.
    now : datetime
        The instant, timezone-aware.
    settings : Settings or None
        None for the defaults.
    beats : sequence of Beat
        With a T of their own.

    Returns
    -------
    answer : dict of str to JSON values
        ``rollby.suggest/1``; docs/formats.md has its keys. `advise` gives the same as records.
    """
    settings = settings or Settings()
    advice = advise(net, units, stops, now=now, settings=settings, beats=beats)
    return advice_json(advice, roads=net.facts(), settings=settings)

"""
The simulated world: what happens, in order, and what a dispatcher makes of it.

Whatever is drawn is named (`geo.shift.draws`): the k-th stop, its phases, the k-th call and an
officer's answer about a stop are the same whoever watches.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from data.events import (
    Answer,
    AnswerKind,
    Fixes,
    History,
    OnScene,
    SeenBy,
    StatusChange,
    StopChange,
)
from data.records import Stop, StopPhase, UnitStatus
from data.said import Suggested, Withdrawn
from geo.router import search_back
from geo.shift.car import LEG_S, Car, Doing, Patrol
from geo.shift.draws import draws
from geo.shift.plan import NEXT_PHASE, ShiftPlan
from geo.shift.posted import drives_s, give_posts
from geo.shift.rates import RATE_BY_HOUR_OF_WEEK
from geo.shift.reports import ROUND_S, Reports
from geo.shift.response import response
from geo.shift.trip import Ground, driven, parked
from geo.shift.truth import StopTruth, Truth
from geo.snap import position_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.said import Said
    from geo.network import RoadNetwork
    from geo.shift.posted import Orders
    from geo.snap import Position

NEEDS = 2
STAYS_S = 30.0  # whoever came leaves so long after the stop's end
REACTS_S = 2.0  # after being told that it is needed no more
LOOK_S = 10.0  # whoever measures looks so often
URGENT = 1.25  # a call is driven to so much faster


class Dispatcher(Protocol):
    """Whoever is told what happens and may ask units: `geo.board.Board`."""

    def take_fixes(self, fixes: Fixes, rows: slice) -> None:
        """Take fixes."""

    def take_status(self, change: StatusChange) -> None:
        """Take what a unit shows."""

    def take_stop(self, change: StopChange) -> None:
        """Take what became of a stop."""

    def take_answer(self, answer: Answer) -> None:
        """Take an answer."""

    def advance(self, now_s: float) -> list[Said]:
        """Let time pass."""

    def wish_s(self) -> float:
        """Give the next instant at which it would decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftRecord:
    """
    A simulated shift.

    Parameters
    ----------
    history : History
        What was recorded of it.
    truth : Truth
        What really happened.
    said : tuple of Said
        What the dispatcher said.
    plan : ShiftPlan
        What it was made of.
    """

    history: History
    truth: Truth
    said: tuple[Said, ...]
    plan: ShiftPlan


def simulate(
    net: RoadNetwork,
    plan: ShiftPlan,
    *,
    seed: int,
    dispatcher: Dispatcher | None = None,
    look: Callable[[World, float], None] | None = None,
    orders: Orders | None = None,
) -> ShiftRecord:
    """
    Simulate a shift.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    plan : ShiftPlan
        What it is made of.
    seed : int
        The same seed gives the same shift.
    dispatcher : Dispatcher or None
        Who asks units to roll by; None for nobody.
    look : callable or None
        Called with the world and the instant every ten seconds, and when a stop has begun: to
        measure it.
    orders : Orders or None
        Where stops begin, and where free units stand; None: units patrol, and stop cars where they
        are.

    Returns
    -------
    record : ShiftRecord
        All of it.
    """
    return World(net, plan, seed, dispatcher, look, orders).run()


class World:
    """
    A shift as it runs; see `simulate`.

    Attributes
    ----------
    seed : int
        Of the shift.
    cars : list of Car
        By row.
    truth : Truth
        So far.
    """

    def __init__(
        self,
        net: RoadNetwork,
        plan: ShiftPlan,
        seed: int,
        dispatcher: Dispatcher | None,
        look: Callable[[World, float], None] | None,
        orders: Orders | None = None,
    ) -> None:
        self.net, self.plan, self.seed, self._orders = net, plan, seed, orders
        self._dispatcher, self._look = dispatcher, look
        self.start_s = float(round(plan.start.timestamp()))
        self.end_s = self.start_s + 3600 * plan.hours
        self.truth = Truth(unit_hours=plan.units * plan.hours)
        self._patrol = Patrol(net, plan.units)
        self.ground = Ground(net)
        self.cars = self._cars()
        if orders:
            give_posts(net, self.cars, orders.posts)
        for car in self.cars:
            if car.post:
                car.trip = parked(car.post.edge, car.post.fraction, self.start_s, self.start_s)
                car.to_post = True
        self._by_id = {car.unit_id: car for car in self.cars}
        self._reports = Reports(net, plan, seed, self.cars)
        self._heap: list[tuple[float, int, Callable[[float], None]]] = []
        self._count = 0
        self._said: list[Said] = []
        self._statuses: list[StatusChange] = []
        self._stops: list[StopChange] = []
        self._answers: dict[str, Answer] = {}
        self._on_scene: list[OnScene] = []
        self._records: dict[str, Stop] = {}

    # -- time ------------------------------------------------------------------------------------

    def run(self) -> ShiftRecord:
        """
        Let the shift happen.

        Returns
        -------
        record : ShiftRecord
            All of it.
        """
        for car in self.cars:
            self._show(car, UnitStatus.AVAILABLE, self.start_s)
        self._plan_stops()
        self._plan_calls()
        if self._look:
            self._plan(self.start_s, self._watch)
        window_s = self.start_s
        while window_s < self.end_s:
            next_s = window_s + self.plan.moving_s
            for car in self.cars:
                while car.doing is Doing.PATROL and car.trip.end_s < next_s:
                    self._extend(car)
            sent = 0
            while (at_s := self._next_s()) < next_s:
                due = int(np.searchsorted(self._reports.due_s, round(at_s - window_s, ROUND_S)))
                sent = self._send(window_s, sent, due)
                while self._heap and self._heap[0][0] <= at_s:
                    heapq.heappop(self._heap)[2](at_s)
                self._hear(at_s)
            self._send(window_s, sent, len(self.cars))
            window_s = next_s
        for truth in self.truth.stops.values():
            truth.ended_s = min(truth.ended_s, self.end_s)
        return ShiftRecord(
            history=History(
                fixes=self._reports.all(),
                statuses=tuple(self._statuses),
                stops=tuple(self._stops),
                answers=tuple(self._answers.values()),
                on_scene=tuple(sorted(self._on_scene, key=lambda one: one.arrived_at)),
                facts={"simulated": True, "seed": self.seed, "units": self.plan.units},
            ),
            truth=self.truth,
            said=tuple(self._said),
            plan=self.plan,
        )

    def _next_s(self) -> float:
        """Give the next instant at which something happens or the dispatcher decides."""
        wish_s = self._dispatcher.wish_s() if self._dispatcher else np.inf
        return min(self._heap[0][0] if self._heap else np.inf, wish_s)

    def _plan(self, at_s: float, do: Callable[[float], None]) -> None:
        """Have something happen later."""
        self._count += 1
        heapq.heappush(self._heap, (round(at_s, ROUND_S), self._count, do))

    def _send(self, window_s: float, first: int, last: int) -> int:
        """Let cars report whose turn has come."""
        if first < last:
            fixes = self._reports.send(window_s, first, last)
            if fixes is not None and self._dispatcher:
                self._dispatcher.take_fixes(fixes, slice(0, len(fixes)))
        return max(first, last)

    def _hear(self, at_s: float) -> None:
        """Do what the dispatcher asks for."""
        if self._dispatcher is None:
            return
        said = self._dispatcher.advance(at_s)
        self._said += said
        for one in said:
            if isinstance(one, Suggested):
                self._ask(one, at_s)
            elif isinstance(one, Withdrawn):
                self._withdraw(one, at_s)

    def _watch(self, at_s: float) -> None:
        """Let somebody measure, every ten seconds."""
        if self._look:
            self._look(self, at_s)
            self._plan(at_s + LOOK_S, self._watch)

    # -- cars ------------------------------------------------------------------------------------

    def _cars(self) -> list[Car]:
        """Put the cars in their beats: nodes spread evenly along the network's Hilbert curve."""
        plan, table = self.plan, self.net.table
        rng = draws(self.seed, "cars")
        upto = np.cumsum(table.road_m * self.net.main)
        steps = (np.arange(plan.units) + rng.random(plan.units)) / plan.units * upto[-1]
        edges = np.minimum(np.searchsorted(upto, steps), len(upto) - 1).tolist()
        two = rng.random(plan.units) < plan.two_officer_share
        second = rng.random(plan.units) < plan.second_agency_share
        skew_s = rng.normal(0, plan.skew_s, plan.units)
        patrol = self._patrol
        return [
            Car(
                unit_id=f"{2 if second[i] else 1}A{i + 1:02d}",
                agency="county" if second[i] else "city",
                row=i,
                officers=2 if two[i] else 1,
                home=tuple(patrol.node_m[table.head[edge]].tolist()),
                trip=parked(edge, 0.5, self.start_s, self.start_s),
                walk=draws(self.seed, "walk", i),
                skew_s=float(skew_s[i]),
            )
            for i, edge in enumerate(edges)
        ]

    def _extend(self, car: Car) -> None:
        """Go on with a patrol, or at a post, or back to it."""
        at_s = max(car.trip.end_s, self.start_s)
        if car.to_post:
            car.trip = parked(*car.trip.at(at_s), at_s, at_s + LEG_S)
        elif car.post and self._drive(car, car.post, at_s, 1.0) is not None:
            car.to_post = True
        else:
            car.trip = self._patrol.leg(car, at_s)

    def free(self) -> list[Car]:
        """
        List the cars on patrol.

        Returns
        -------
        cars : list of Car
            By row.
        """
        return [car for car in self.cars if car.doing is Doing.PATROL]

    def place(self, car: Car, at_s: float) -> tuple[int, float, float, float, float]:
        """
        Say where a car really is.

        Returns
        -------
        edge : int
            The directed edge.
        fraction, lon_deg, lat_deg, heading_deg : float
            On it.
        """
        edge, fraction = car.trip.at(at_s)
        lon, lat, heading = self.ground.places(np.array([edge]), np.array([fraction]))
        return edge, fraction, float(lon[0]), float(lat[0]), float(heading[0])

    def _show(self, car: Car, status: UnitStatus, at_s: float) -> None:
        """Change a unit's status."""
        car.status = status
        change = StatusChange(
            unit_id=car.unit_id,
            at=_instant(at_s),
            status=status,
            officers=car.officers,
            agency=car.agency,
        )
        self._statuses.append(change)
        if self._dispatcher:
            self._dispatcher.take_status(change)

    def _take_up(self, car: Car, doing: Doing, at_s: float) -> int:
        """Give a car something to do where it stands; its job's number."""
        edge, fraction = car.trip.at(at_s)
        car.doing, car.job, car.pending, car.to_post = doing, car.job + 1, "", False
        car.trip = parked(edge, fraction, at_s, at_s)
        return car.job

    def _release(self, car: Car, at_s: float) -> None:
        """Send a car back on patrol."""
        self._take_up(car, Doing.PATROL, at_s)
        car.helping = ""
        self._extend(car)
        self._show(car, UnitStatus.AVAILABLE, at_s)

    def _drive(self, car: Car, to: Position, at_s: float, factor: float) -> float | None:
        """Set out for a place; when it will be there, None where there is no way."""
        edge, fraction, lon, lat, _ = self.place(car, at_s)
        here = position_on(self.net, edge, fraction, lon, lat)
        times = search_back(self.net, to)
        way = times.way(here)
        if way is None:
            return None
        car.trip = driven(self.net, way, times.drive_time_s(here) * factor, at_s)
        return car.trip.end_s

    # -- stops -----------------------------------------------------------------------------------

    def _plan_stops(self) -> None:
        """Draw the instants of stops: a Poisson process whose rate goes by hour of week."""
        per_hour = self.plan.stops_per_unit_hour * self.plan.units
        for number, at_s in enumerate(self._arrivals("stops", per_hour, weekly=self.plan.weekly)):
            self._plan(at_s, partial(self._begin_stop, number))

    def _arrivals(self, purpose: str, per_hour: float, *, weekly: bool) -> list[float]:
        """Draw instants, hour by hour."""
        arrivals: list[float] = []
        for hour in range(int(np.ceil(self.plan.hours))):
            local = self.plan.start + timedelta(hours=hour)
            rate = RATE_BY_HOUR_OF_WEEK[24 * local.weekday() + local.hour] if weekly else 1.0
            rng = draws(self.seed, purpose, hour)
            begin_s = self.start_s + 3600 * hour
            count = rng.poisson(rate * per_hour)
            arrivals += sorted((begin_s + 3600 * rng.random(count)).tolist())
        return [at_s for at_s in arrivals if at_s < self.end_s]

    def _begin_stop(self, number: int, at_s: float) -> None:
        """Let the first free car, in an order of this stop's own, stop somebody where it is."""
        rng = draws(self.seed, "stop", number)
        order = rng.permutation(len(self.cars)).tolist()
        if self._orders:
            self._send_to_stop(number, self._orders.places.get(number), rng, at_s)
            return
        car = next((self.cars[row] for row in order if self.cars[row].doing is Doing.PATROL), None)
        if car is None:
            self.truth.stops_lost += 1
            return
        self._make_stop(number, rng, car, at_s)

    def _send_to_stop(
        self, number: int, place: Position | None, rng: np.random.Generator, at_s: float
    ) -> None:
        """Have the nearest free car by road drive to where a stop begins, and make it."""
        free = self.free() if place else []
        drive_s = drives_s(self, free, place, at_s) if place and free else np.array([np.inf])
        if place is None or not np.isfinite(drive_s.min()):
            self.truth.stops_lost += 1
            return
        car = free[int(np.argmin(drive_s))]
        self._take_up(car, Doing.STOP, at_s)
        self._show(car, UnitStatus.BUSY, at_s)
        there_s = self._drive(car, place, at_s, 1.0)
        self._later(car, there_s or at_s, partial(self._make_stop, number, rng))

    def _make_stop(self, number: int, rng: np.random.Generator, car: Car, at_s: float) -> None:
        """Stop somebody here."""
        phases, until_s = self._phases(rng, at_s)
        stop_id = f"S{number + 1:04d}"
        edge, fraction, lon, lat, heading = self.place(car, at_s)
        self.truth.places[number] = position_on(self.net, edge, fraction, lon, lat)
        self._take_up(car, Doing.STOP, at_s)
        started = _instant(at_s)
        stop = Stop(
            stop_id=stop_id,
            unit_id=car.unit_id,
            started_at=started,
            lon_deg=lon,
            lat_deg=lat,
            heading_deg=round(heading, 1) % 360,
            needs=NEEDS,
        )
        self.truth.stops[stop_id] = StopTruth(
            stop_id, car.unit_id, at_s, until_s, car.officers, NEEDS, phases
        )
        self._change(stop, at_s)
        self._show(car, UnitStatus.ON_STOP, at_s)
        for since_s, phase in phases[1:]:
            self._plan(since_s, partial(self._come_to, stop_id, phase))
        self._plan(until_s, partial(self._end_stop, stop_id, car))
        if self._look:
            self._look(self, at_s)

    def _phases(
        self, rng: np.random.Generator, at_s: float
    ) -> tuple[list[tuple[float, StopPhase]], float]:
        """Draw a stop's phases and its end."""
        phase, phases = StopPhase.CONTACT, []
        while True:
            phases.append((at_s, phase))
            at_s = round(at_s + 60 * rng.exponential(self.plan.phase_min[phase]), ROUND_S)
            goes_on = rng.random() < self.plan.goes_on.get(phase, 0.0)
            if not goes_on:
                return phases, at_s
            phase = NEXT_PHASE[phase]

    def _change(self, stop: Stop, at_s: float) -> None:
        """Record what became of a stop."""
        self._records[stop.stop_id] = stop
        change = StopChange(stop=stop, at=_instant(at_s))
        self._stops.append(change)
        if self._dispatcher:
            self._dispatcher.take_stop(change)

    def _come_to(self, stop_id: str, phase: StopPhase, at_s: float) -> None:
        """Bring a stop to its next phase."""
        self._change(replace(self._records[stop_id], phase=phase), at_s)

    def _end_stop(self, stop_id: str, car: Car, at_s: float) -> None:
        """End a stop; whoever came leaves soon after."""
        ended = replace(self._records[stop_id], ended_at=_instant(at_s), phase=StopPhase.CLEARED)
        self._change(ended, at_s)
        self._release(car, at_s)
        for other in self.cars:
            if other.helping == stop_id and other.status is UnitStatus.ON_SCENE:
                self._later(other, at_s + STAYS_S, self._release)

    # -- calls -----------------------------------------------------------------------------------

    def _plan_calls(self) -> None:
        """Draw the calls for service."""
        per_hour = self.plan.calls_per_unit_hour * self.plan.units
        for number, at_s in enumerate(self._arrivals("calls", per_hour, weekly=False)):
            self._plan(at_s, partial(self._call, number))

    def _call(self, number: int, at_s: float) -> None:
        """Send the nearest free car, as the crow flies, to a call."""
        rng = draws(self.seed, "call", number)
        upto = np.cumsum(self.net.table.road_m * self.net.main)
        edge = min(int(np.searchsorted(upto, rng.random() * upto[-1])), len(upto) - 1)
        lon, lat, _ = self.ground.places(np.array([edge]), np.array([0.5]))
        stays_s = 60 * rng.exponential(self.plan.call_min)
        free = self.free()
        if not free:
            self.truth.calls_lost += 1
            return
        places = [self.place(car, at_s) for car in free]
        scale = np.cos(np.radians(lat[0]))
        far = [np.hypot((p[2] - lon[0]) * scale, p[3] - lat[0]) for p in places]
        car = free[int(np.argmin(far))]
        self._take_up(car, Doing.CALL, at_s)
        self._show(car, UnitStatus.DISPATCHED, at_s)
        to = position_on(self.net, edge, 0.5, float(lon[0]), float(lat[0]))
        there_s = self._drive(car, to, at_s, self._real(rng) / URGENT)
        if there_s is None:
            there_s = at_s + 60
        self._later(car, there_s, self._be_on_scene)
        self._later(car, there_s + stays_s, self._release)

    def _be_on_scene(self, car: Car, at_s: float) -> None:
        """Arrive at a call."""
        self._show(car, UnitStatus.ON_SCENE, at_s)

    def _real(self, rng: np.random.Generator) -> float:
        """Draw how long a real drive takes, relative to the reckoned one."""
        return float(np.exp(rng.normal(0, self.plan.drive_spread)))

    def _later(self, car: Car, at_s: float, do: Callable[[Car, float], None]) -> None:
        """Have a car do something later, unless it is given another job meanwhile."""
        job = car.job

        def unless_changed(now_s: float) -> None:
            if car.job == job:
                do(car, now_s)

        self._plan(at_s, unless_changed)

    # -- suggestions -----------------------------------------------------------------------------

    def _ask(self, asked: Suggested, at_s: float) -> None:
        """Let an officer think about a suggestion."""
        car = self._by_id[asked.unit_id]
        self.truth.asked.append((asked.at_s, car.unit_id, asked.suggestion_id))
        car.pending = asked.suggestion_id
        self._answers[asked.suggestion_id] = Answer(
            suggestion_id=asked.suggestion_id,
            stop_id=asked.stop_id,
            unit_id=car.unit_id,
            asked_at=_instant(asked.at_s),
        )
        drawn = response(self.seed, self.plan, asked.stop_id, car.row)
        if drawn.comes:
            self._plan(at_s + drawn.delay_s, partial(self._accept, asked, car, drawn.factor))
        elif drawn.says:
            self._plan(at_s + drawn.delay_s, partial(self._refuse, asked, car))

    def _answer(self, asked: Suggested, kind: AnswerKind, at_s: float) -> None:
        """Give an answer."""
        answer = replace(
            self._answers[asked.suggestion_id], answer=kind, answered_at=_instant(at_s)
        )
        self._answers[asked.suggestion_id] = answer
        if self._dispatcher:
            self._dispatcher.take_answer(answer)

    def _refuse(self, asked: Suggested, car: Car, at_s: float) -> None:
        """Say no, if still asked."""
        if car.pending == asked.suggestion_id:
            car.pending = ""
            self._answer(asked, AnswerKind.CANT, at_s)

    def _accept(self, asked: Suggested, car: Car, factor: float, at_s: float) -> None:
        """Say yes, if still asked and free, and set out."""
        if car.pending != asked.suggestion_id or car.doing is not Doing.PATROL:
            return
        stop = self._records[asked.stop_id]
        owner = self._by_id[stop.unit_id]
        edge, fraction, lon, lat, _ = self.place(owner, at_s)
        self._take_up(car, Doing.HELP, at_s)
        car.helping = asked.stop_id
        there_s = self._drive(car, position_on(self.net, edge, fraction, lon, lat), at_s, factor)
        self._answer(asked, AnswerKind.EN_ROUTE, at_s)
        self._show(car, UnitStatus.EN_ROUTE, at_s)
        if there_s is not None:
            self._later(car, there_s, partial(self._arrive, asked))

    def _arrive(self, asked: Suggested, car: Car, at_s: float) -> None:
        """Be there, as backup."""
        truth = self.truth.stops[asked.stop_id]
        if at_s >= truth.ended_s:
            self._release(car, at_s)
            return
        self.truth.came[asked.suggestion_id] = at_s
        leaves_s = min(truth.ended_s + STAYS_S, at_s + 60 * self.plan.help_max_min)
        truth.helped.append((at_s, min(leaves_s, truth.ended_s), car.officers))
        self._on_scene.append(
            OnScene(
                stop_id=asked.stop_id,
                unit_id=car.unit_id,
                arrived_at=_instant(at_s),
                left_at=_instant(min(leaves_s, self.end_s)),
                seen_by=SeenBy.REPORT,
            )
        )
        self._show(car, UnitStatus.ON_SCENE, at_s)
        self._later(car, leaves_s, self._release)

    def _withdraw(self, gone: Withdrawn, at_s: float) -> None:
        """Be told that a suggestion stands no more."""
        car = self._by_id[gone.unit_id]
        if car.pending == gone.suggestion_id:
            car.pending = ""
        on_way = car.helping == gone.stop_id and car.status is UnitStatus.EN_ROUTE
        if car.doing is Doing.HELP and on_way:
            self._later(car, at_s + REACTS_S, self._release)


def _instant(at_s: float) -> datetime:
    """Write an instant as records have it."""
    return datetime.fromtimestamp(round(at_s, ROUND_S), UTC)

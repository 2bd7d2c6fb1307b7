"""The cars of a simulated shift: where they are, what they show, and what they do next."""

from __future__ import annotations

import heapq
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import numpy as np

from data.events import StatusChange
from data.records import UnitStatus
from geo.router import search_back
from geo.shift.car import LEG_S, Car, Doing, Patrol
from geo.shift.draws import draws
from geo.shift.posted import give_posts
from geo.shift.reports import ROUND_S
from geo.shift.trip import Ground, driven, edges_along, parked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from data.events import Answer, Fixes, StopChange
    from data.road_table import FloatArray
    from data.said import Said
    from geo.network import RoadNetwork
    from geo.shift.plan import ShiftPlan
    from geo.snap import Position


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


class Fleet:
    """
    The cars of a shift, and what is put down for later, in order.

    Parameters
    ----------
    net, plan, seed, dispatcher
        As `geo.shift.world.simulate` takes them.
    posts : sequence of Position
        Where free cars stand; the others patrol.

    Attributes
    ----------
    cars : list of Car
        By row.
    ground : Ground
        Beneath them.
    statuses : list of StatusChange
        What they have shown.
    """

    def __init__(
        self,
        net: RoadNetwork,
        plan: ShiftPlan,
        seed: int,
        dispatcher: Dispatcher | None,
        posts: Sequence[Position],
    ) -> None:
        self.net, self.plan, self.seed, self.dispatcher = net, plan, seed, dispatcher
        self._patrol, self.ground = Patrol(net, plan.units), Ground(net)
        self.cars = _cars(net, plan, seed, self._patrol.node_m)
        self.statuses: list[StatusChange] = []
        self._heap: list[tuple[float, int, Callable[[float], None]]] = []
        self._count = 0
        if posts:
            give_posts(net, self.cars, posts)
        for car in self.cars:
            if car.post:
                car.trip = parked(car.post.edge, car.post.fraction, plan.start_s, plan.start_s)
                car.to_post = True

    def later(self, at_s: float, do: Callable[[float], None]) -> None:
        """Have something happen later; at one instant, in the order in which it was put down."""
        self._count += 1
        heapq.heappush(self._heap, (round(at_s, ROUND_S), self._count, do))

    def car_later(self, car: Car, at_s: float, do: Callable[[Car, float], None]) -> None:
        """Have a car do something later, unless it is given another job meanwhile."""
        job = car.job

        def unless_changed(now_s: float) -> None:
            if car.job == job:
                do(car, now_s)

        self.later(at_s, unless_changed)

    def next_s(self) -> float:
        """
        Give the next instant at which something happens.

        Returns
        -------
        next_s : float
            Seconds since the epoch; inf for never.
        """
        return self._heap[0][0] if self._heap else np.inf

    def happen(self, at_s: float) -> None:
        """Let everything happen up to an instant."""
        while self.next_s() <= at_s:
            heapq.heappop(self._heap)[2](at_s)

    def free(self) -> list[Car]:
        """
        List the cars on patrol.

        Returns
        -------
        cars : list of Car
            By row.
        """
        return [car for car in self.cars if car.doing is Doing.PATROL]

    def patrol(self, until_s: float) -> None:
        """Have the free cars go on until an instant."""
        for car in self.free():
            while car.trip.end_s < until_s:
                self._extend(car)

    def _extend(self, car: Car) -> None:
        """Go on with a patrol, or at a post, or back to it."""
        at_s = car.trip.end_s
        if car.to_post:
            car.trip = parked(*car.trip.at(at_s), at_s, at_s + LEG_S)
        elif car.post and self.drive(car, car.post, at_s) is not None:
            car.to_post = True
        else:
            car.trip = self._patrol.leg(car, at_s)

    def show(self, car: Car, status: UnitStatus, at_s: float) -> None:
        """Change a unit's status."""
        car.status = status
        change = StatusChange(
            unit_id=car.unit_id,
            at=instant(at_s),
            status=status,
            officers=car.officers,
            agency=car.agency,
        )
        self.statuses.append(change)
        if self.dispatcher:
            self.dispatcher.take_status(change)

    def release(self, car: Car, at_s: float) -> None:
        """Send a car back on patrol."""
        car.take_up(Doing.PATROL, at_s)
        car.helping = ""
        self._extend(car)
        self.show(car, UnitStatus.AVAILABLE, at_s)

    def drive(self, car: Car, to: Position, at_s: float, factor: float = 1.0) -> float | None:
        """
        Set out for a place.

        Returns
        -------
        there_s : float or None
            When it will be there, `factor` times as late as reckoned; None where there is no way.
        """
        here, _ = self.ground.place(*car.trip.at(at_s))
        times = search_back(self.net, to)
        way = times.way(here)
        if way is None:
            return None
        car.trip = driven(self.net, way, times.drive_time_s(here) * factor, at_s)
        return car.trip.end_s

    def drives_s(self, cars: Sequence[Car], to: Position, at_s: float) -> FloatArray:
        """
        Give the drive times of cars to a place, from where they really are.

        Returns
        -------
        drive_time_s : ndarray of float64, shape (len(cars),)
            Inf where there is no way.
        """
        times = search_back(self.net, to)
        here = [self.ground.place(*car.trip.at(at_s))[0] for car in cars]
        return np.array([times.drive_time_s(place) for place in here], np.float64)


def _cars(net: RoadNetwork, plan: ShiftPlan, seed: int, node_m: FloatArray) -> list[Car]:
    """Put the cars in their beats: nodes spread evenly along the network's Hilbert curve."""
    rng = draws(seed, "cars")
    edges = edges_along(net, (np.arange(plan.units) + rng.random(plan.units)) / plan.units)
    two = rng.random(plan.units) < plan.two_officer_share
    second = rng.random(plan.units) < plan.second_agency_share
    skew_s = rng.normal(0, plan.skew_s, plan.units)
    return [
        Car(
            unit_id=f"{2 if second[i] else 1}A{i + 1:02d}",
            agency="county" if second[i] else "city",
            row=i,
            officers=2 if two[i] else 1,
            home=tuple(node_m[net.table.head[edge]].tolist()),
            trip=parked(edge, 0.5, plan.start_s, plan.start_s),
            walk=draws(seed, "walk", i),
            skew_s=float(skew_s[i]),
        )
        for i, edge in enumerate(edges.tolist())
    ]


def instant(at_s: float) -> datetime:
    """
    Write an instant as records have it.

    Returns
    -------
    instant : datetime
        UTC, whole milliseconds.
    """
    return datetime.fromtimestamp(round(at_s, ROUND_S), UTC)

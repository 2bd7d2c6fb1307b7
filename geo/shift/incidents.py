"""
What units meet in a simulated shift: traffic stops and calls for service.

Whatever is drawn is named (`geo.shift.draws`): the k-th stop, its phases and the k-th call are the
same whoever watches.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from data.events import StopChange
from data.records import Stop, StopPhase, UnitStatus
from geo.shift.car import Doing
from geo.shift.draws import draws
from geo.shift.fleet import instant
from geo.shift.plan import NEXT_PHASE
from geo.shift.rates import RATE_BY_HOUR_OF_WEEK
from geo.shift.reports import ROUND_S
from geo.shift.response import STAYS_S
from geo.shift.trip import edges_along
from geo.shift.truth import StopTruth

if TYPE_CHECKING:
    from collections.abc import Callable

    from geo.shift.car import Car
    from geo.shift.fleet import Fleet
    from geo.shift.plan import ShiftPlan
    from geo.shift.posted import Orders
    from geo.shift.truth import Truth
    from geo.snap import Position

NEEDS = 2
URGENT = 1.25  # a call is driven to so much faster


class Incidents:
    """
    Stops and calls of a shift, as they come.

    Parameters
    ----------
    fleet : Fleet
        Who makes stops and is sent to calls.
    truth : Truth
        What really happens.
    orders : Orders or None
        As `geo.shift.world.simulate` takes them.
    look : callable or None
        Called with the instant when a stop has begun.

    Attributes
    ----------
    changes : list of StopChange
        What became of stops.
    """

    def __init__(
        self,
        fleet: Fleet,
        truth: Truth,
        orders: Orders | None,
        look: Callable[[float], None] | None,
    ) -> None:
        self._fleet, self._truth, self._orders, self._look = fleet, truth, orders, look
        self.changes: list[StopChange] = []
        self._records: dict[str, Stop] = {}
        plan, seed = fleet.plan, fleet.seed
        stops_s = arrivals(plan, seed, "stops", plan.stops_per_unit_hour, weekly=plan.weekly)
        for number, at_s in enumerate(stops_s):
            fleet.later(at_s, partial(self._begin_stop, number))
        calls_s = arrivals(plan, seed, "calls", plan.calls_per_unit_hour, weekly=False)
        for number, at_s in enumerate(calls_s):
            fleet.later(at_s, partial(self._call, number))

    # -- stops -----------------------------------------------------------------------------------

    def _begin_stop(self, number: int, at_s: float) -> None:
        """Let the first free car, in an order of this stop's own, stop somebody where it is."""
        rng = draws(self._fleet.seed, "stop", number)
        order = rng.permutation(len(self._fleet.cars)).tolist()
        if self._orders:
            self._send_to_stop(number, self._orders.places.get(number), rng, at_s)
            return
        free = {car.row: car for car in self._fleet.free()}
        car = next((free[row] for row in order if row in free), None)
        if car is None:
            self._truth.stops_lost += 1
            return
        self._make_stop(number, rng, car, at_s)

    def _send_to_stop(
        self, number: int, place: Position | None, rng: np.random.Generator, at_s: float
    ) -> None:
        """Have the nearest free car by road drive to where a stop begins, and make it."""
        free = self._fleet.free()
        drive_s = self._fleet.drives_s(free, place, at_s) if place else np.empty(0)
        if place is None or not np.isfinite(drive_s.min(initial=np.inf)):
            self._truth.stops_lost += 1
            return
        car = free[int(np.argmin(drive_s))]
        car.take_up(Doing.STOP, at_s)
        self._fleet.show(car, UnitStatus.BUSY, at_s)
        there_s = self._fleet.drive(car, place, at_s)
        self._fleet.car_later(car, there_s or at_s, partial(self._make_stop, number, rng))

    def _make_stop(self, number: int, rng: np.random.Generator, car: Car, at_s: float) -> None:
        """Stop somebody here."""
        phases, until_s = _phases(self._fleet.plan, rng, at_s)
        stop_id = f"S{number + 1:04d}"
        place, heading_deg = self._fleet.ground.place(*car.trip.at(at_s))
        self._truth.places[number] = place
        car.take_up(Doing.STOP, at_s)
        stop = Stop(
            stop_id=stop_id,
            unit_id=car.unit_id,
            started_at=instant(at_s),
            lon_deg=place.lon_deg,
            lat_deg=place.lat_deg,
            heading_deg=round(heading_deg, 1) % 360,
            needs=NEEDS,
        )
        self._truth.stops[stop_id] = StopTruth(
            stop_id, car.unit_id, at_s, until_s, car.officers, NEEDS, phases
        )
        self._change(stop, at_s)
        self._fleet.show(car, UnitStatus.ON_STOP, at_s)
        for since_s, phase in phases[1:]:
            self._fleet.later(since_s, partial(self._come_to, stop_id, phase))
        self._fleet.later(until_s, partial(self._end_stop, stop_id, car))
        if self._look:
            self._look(at_s)

    def _change(self, stop: Stop, at_s: float) -> None:
        """Record what became of a stop."""
        self._records[stop.stop_id] = stop
        change = StopChange(stop=stop, at=instant(at_s))
        self.changes.append(change)
        if self._fleet.dispatcher:
            self._fleet.dispatcher.take_stop(change)

    def _come_to(self, stop_id: str, phase: StopPhase, at_s: float) -> None:
        """Bring a stop to its next phase."""
        self._change(replace(self._records[stop_id], phase=phase), at_s)

    def _end_stop(self, stop_id: str, car: Car, at_s: float) -> None:
        """End a stop; whoever came leaves soon after."""
        ended = replace(self._records[stop_id], ended_at=instant(at_s), phase=StopPhase.CLEARED)
        self._change(ended, at_s)
        self._fleet.release(car, at_s)
        for other in self._fleet.cars:
            if other.helping == stop_id and other.status is UnitStatus.ON_SCENE:
                self._fleet.car_later(other, at_s + STAYS_S, self._fleet.release)

    # -- calls -----------------------------------------------------------------------------------

    def _call(self, number: int, at_s: float) -> None:
        """Send the nearest free car, as the crow flies, to a call."""
        fleet, rng = self._fleet, draws(self._fleet.seed, "call", number)
        (edge,) = edges_along(fleet.net, np.array([rng.random()])).tolist()
        to, _ = fleet.ground.place(edge, 0.5)
        stays_s = 60 * rng.exponential(fleet.plan.call_min)
        free = fleet.free()
        if not free:
            self._truth.calls_lost += 1
            return
        scale = np.cos(np.radians(to.lat_deg))
        here = [fleet.ground.place(*car.trip.at(at_s))[0] for car in free]
        far = [np.hypot((p.lon_deg - to.lon_deg) * scale, p.lat_deg - to.lat_deg) for p in here]
        car = free[int(np.argmin(far))]
        car.take_up(Doing.CALL, at_s)
        fleet.show(car, UnitStatus.DISPATCHED, at_s)
        factor = float(np.exp(rng.normal(0, fleet.plan.drive_spread))) / URGENT
        there_s = fleet.drive(car, to, at_s, factor)
        if there_s is None:
            there_s = at_s + 60
        fleet.car_later(car, there_s, self._be_on_scene)
        fleet.car_later(car, there_s + stays_s, fleet.release)

    def _be_on_scene(self, car: Car, at_s: float) -> None:
        """Arrive at a call."""
        self._fleet.show(car, UnitStatus.ON_SCENE, at_s)


def arrivals(
    plan: ShiftPlan, seed: int, purpose: str, per_unit_hour: float, *, weekly: bool
) -> list[float]:
    """
    Draw instants hour by hour: a Poisson process.

    Returns
    -------
    arrivals : list of float
        Seconds since the epoch; `weekly`: at a rate that goes by hour of week.
    """
    per_hour, found = per_unit_hour * plan.units, list[float]()
    for hour in range(int(np.ceil(plan.hours))):
        local = plan.start + timedelta(hours=hour)
        rate = RATE_BY_HOUR_OF_WEEK[24 * local.weekday() + local.hour] if weekly else 1.0
        rng = draws(seed, purpose, hour)
        begin_s = plan.start_s + 3600 * hour
        count = rng.poisson(rate * per_hour)
        found += sorted((begin_s + 3600 * rng.random(count)).tolist())
    return [at_s for at_s in found if at_s < plan.end_s]


def _phases(
    plan: ShiftPlan, rng: np.random.Generator, at_s: float
) -> tuple[list[tuple[float, StopPhase]], float]:
    """Draw a stop's phases and its end."""
    phase, phases = StopPhase.CONTACT, []
    while True:
        phases.append((at_s, phase))
        at_s = round(at_s + 60 * rng.exponential(plan.phase_min[phase]), ROUND_S)
        if rng.random() >= plan.goes_on.get(phase, 0.0):
            return phases, at_s
        phase = NEXT_PHASE[phase]

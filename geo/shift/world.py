"""A simulated shift as it runs: windows of reports, and in each what happens, in order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from data.events import History
from data.records import UnitStatus
from data.said import Suggested, Withdrawn
from geo.shift.fleet import Fleet
from geo.shift.incidents import Incidents
from geo.shift.reports import ROUND_S, Reports
from geo.shift.response import Officers
from geo.shift.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.said import Said
    from geo.network import RoadNetwork
    from geo.shift.fleet import Dispatcher
    from geo.shift.plan import ShiftPlan
    from geo.shift.posted import Orders

LOOK_S = 10.0  # whoever measures looks so often


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
    A shift as it runs.

    Parameters
    ----------
    net, plan, seed, dispatcher, look, orders
        As `simulate` takes them.

    Attributes
    ----------
    fleet : Fleet
        The cars.
    truth : Truth
        So far.
    """

    def __init__(
        self,
        net: RoadNetwork,
        plan: ShiftPlan,
        seed: int,
        dispatcher: Dispatcher | None = None,
        look: Callable[[World, float], None] | None = None,
        orders: Orders | None = None,
    ) -> None:
        self.net, self.plan, self.seed = net, plan, seed
        self._dispatcher, self._look = dispatcher, partial(look, self) if look else None
        self._said: list[Said] = []
        self.truth = Truth(unit_hours=plan.units * plan.hours)
        self.fleet = Fleet(net, plan, seed, dispatcher, orders.posts if orders else ())
        self.cars = self.fleet.cars
        self._reports = Reports(net, plan, seed, self.cars)
        self._officers = Officers(self.fleet, self.truth)
        self._incidents = Incidents(self.fleet, self.truth, orders, self._look)

    def run(self) -> ShiftRecord:
        """
        Let the shift happen.

        Returns
        -------
        record : ShiftRecord
            All of it.
        """
        plan, window_s = self.plan, self.plan.start_s
        for car in self.cars:
            self.fleet.show(car, UnitStatus.AVAILABLE, plan.start_s)
        if self._look:
            self.fleet.later(plan.start_s, self._watch)
        while window_s < plan.end_s:
            next_s = window_s + plan.moving_s
            self.fleet.patrol(next_s)
            sent = 0
            while (at_s := self._next_s()) < next_s:
                due = int(np.searchsorted(self._reports.due_s, round(at_s - window_s, ROUND_S)))
                sent = self._send(window_s, sent, due)
                self.fleet.happen(at_s)
                self._hear(at_s)
            self._send(window_s, sent, len(self.cars))
            window_s = next_s
        for truth in self.truth.stops.values():
            truth.ended_s = min(truth.ended_s, plan.end_s)
        return ShiftRecord(
            history=History(
                fixes=self._reports.all(),
                statuses=tuple(self.fleet.statuses),
                stops=tuple(self._incidents.changes),
                answers=tuple(self._officers.answers.values()),
                on_scene=tuple(sorted(self._officers.on_scene, key=lambda one: one.arrived_at)),
                facts={"simulated": True, "seed": self.seed, "units": plan.units},
            ),
            truth=self.truth,
            said=tuple(self._said),
            plan=plan,
        )

    def _next_s(self) -> float:
        """Give the next instant at which something happens or the dispatcher decides."""
        wish_s = self._dispatcher.wish_s() if self._dispatcher else np.inf
        return min(self.fleet.next_s(), wish_s)

    def _send(self, window_s: float, first: int, last: int) -> int:
        """Let cars report whose turn has come."""
        if first < last:
            fixes = self._reports.send(window_s, first, last)
            if fixes is not None and self._dispatcher:
                self._dispatcher.take_fixes(fixes, slice(0, len(fixes)))
        return max(first, last)

    def _hear(self, at_s: float) -> None:
        """Do what the dispatcher asks for."""
        said = self._dispatcher.advance(at_s) if self._dispatcher else []
        self._said += said
        for one in said:
            if isinstance(one, Suggested):
                self._officers.hear(one, at_s)
            elif isinstance(one, Withdrawn):
                self._officers.hear_no_more(one, at_s)

    def _watch(self, at_s: float) -> None:
        """Let somebody measure, every ten seconds."""
        if self._look:
            self._look(at_s)
            self.fleet.later(at_s + LOOK_S, self._watch)

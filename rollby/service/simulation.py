"""A simulated shift as a live service hears of it: through its core, in time with a clock."""

from __future__ import annotations

import math
import queue
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from data.records import UnitFix
from data.reports import FixReport
from data.said import Suggested, Withdrawn
from data.store.store import Entry
from rollby.service.core import BusyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.events import Answer, Fixes, StatusChange, StopChange
    from data.reports import Report
    from data.said import Said
    from geo.shift.world import World
    from rollby.service.clock import SteadyClock
    from rollby.service.core import Core

HEARS_EVERY_S = 1.0


class _OverError(Exception):
    """The service ends: so does the shift."""


class Simulation:
    """
    Units that are not there: they report to a core, and hear what its board says.

    Parameters
    ----------
    clock : SteadyClock
        Of the service; the shift keeps time with it.
    """

    def __init__(self, clock: SteadyClock) -> None:
        self._clock = clock
        self._heard: queue.SimpleQueue[Said] = queue.SimpleQueue()
        self._stops: set[str] = set()
        self._over = threading.Event()
        self._at_s = clock.now_ms() / 1000
        self._core: Core | None = None

    def hear(self, said: Said) -> None:
        """Be told what the board says."""
        self._heard.put(said)

    def start(self, core: Core, world: World) -> threading.Thread:
        """
        Let the shift happen beside the service.

        Parameters
        ----------
        core : Core
            That the units report to.
        world : World
            The shift, with this as its dispatcher.

        Returns
        -------
        thread : Thread
            It ends with the shift, or after `stop`.
        """
        self._core = core

        def work() -> None:
            try:
                world.run()
            except (_OverError, BusyError):
                return

        thread = threading.Thread(target=work, name="simulation", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """End the shift."""
        self._over.set()

    # -- what the shift sees of its dispatcher ---------------------------------------------------

    def take_fixes(self, fixes: Fixes, rows: slice) -> None:
        """Take fixes, when they have arrived."""
        if rows.stop > rows.start:
            self._wait(float(fixes.received_at_s[rows.stop - 1]))
        self._send([_report(fixes, row) for row in range(rows.start, rows.stop)])

    def take_status(self, change: StatusChange) -> None:
        """Take what a unit shows."""
        self._send([change])

    def take_stop(self, change: StopChange) -> None:
        """Take what became of a stop."""
        self._stops.add(change.stop.stop_id)
        self._send([change])

    def take_answer(self, answer: Answer) -> None:
        """Take an answer."""
        self._send([answer])

    def advance(self, now_s: float) -> list[Said]:
        """
        Let real time pass.

        Returns
        -------
        said : list of Said
            What the board has said meanwhile of the shift's own stops; of others, such as one that
            somebody tries out by hand, its units know nothing.
        """
        self._at_s = now_s
        self._wait(now_s)
        said: list[Said] = []
        while not self._heard.empty():
            one = self._heard.get()
            if isinstance(one, Suggested | Withdrawn) and one.stop_id in self._stops:
                said.append(one)
        return said

    def wish_s(self) -> float:
        """Give the next instant at which to listen."""
        return self._at_s + HEARS_EVERY_S

    def _wait(self, until_s: float) -> None:
        """
        Wait for an instant of the clock.

        Raises
        ------
        _OverError
            If the service ends meanwhile.
        """
        left_s = (until_s - self._clock.now_ms() / 1000) / self._clock.rate
        if self._over.wait(max(0.0, left_s)):
            raise _OverError

    def _send(self, reports: Sequence[Report]) -> None:
        """Report, and be sure that it was accepted."""
        if self._core is not None and reports:
            self._core.submit(Entry(door="simulation", reports=tuple(reports))).result()


def _report(fixes: Fixes, row: int) -> FixReport:
    """Make a report of a row."""

    def known(value: float) -> float | None:
        return None if math.isnan(value) else float(value)

    fix = UnitFix(
        fixed_at=datetime.fromtimestamp(float(fixes.fixed_at_s[row]), UTC),
        lon_deg=float(fixes.lon_deg[row]),
        lat_deg=float(fixes.lat_deg[row]),
        heading_deg=known(fixes.heading_deg[row]),
        speed_mps=known(fixes.speed_mps[row]),
        accuracy_m=known(fixes.accuracy_m[row]),
    )
    return FixReport(unit_id=fixes.unit_ids[fixes.unit_row[row]], fix=fix)

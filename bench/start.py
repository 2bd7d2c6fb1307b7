"""
How soon the service is ready again over a store that has grown for a week.

    python -m bench.start --roads CITY.roads --units 500 --days 7 --every-s 30
    python -m bench.start --roads CITY.roads --store postgresql://USER@HOST/EMPTY

A week of made-up units and stops is written straight into a store of its own. Then the service is
started over it: for the first time, as after an update that lays its memory out anew; after an
orderly end; and after a kill a minute after its last memory.
"""

from __future__ import annotations

import argparse
import random
import signal
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bench.service import Service
from data.events import StatusChange, StopChange
from data.records import Stop, StopPhase, UnitFix, UnitStatus
from data.reports import FixReport
from data.store.store import Entry, Store
from geo.network import RoadNetwork

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.reports import Report

STOP_S, STOP_EVERY_S = 600, 180
COMMIT_S = 30.0


class Fleet:
    """Made-up units about their places, and their stops."""

    def __init__(self, net: RoadNetwork, units: int, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        nodes = self._chance.choices(range(len(net.table.lon_deg)), k=units)
        self._place = [(float(net.table.lon_deg[n]), float(net.table.lat_deg[n])) for n in nodes]
        self._until: list[tuple[datetime, Stop]] = []
        self._stops = 0

    def on_duty(self, at: datetime) -> list[Report]:
        """Show all units."""
        return [self._status(unit, UnitStatus.AVAILABLE, at) for unit in range(len(self._place))]

    def fixes(self, at: datetime) -> list[Report]:
        """Have every unit seen."""
        shift = self._chance.uniform(-1e-4, 1e-4)
        return [
            FixReport(
                unit_id=f"U{unit}",
                fix=UnitFix(fixed_at=at, lon_deg=lon_deg + shift, lat_deg=lat_deg, speed_mps=5.0),
            )
            for unit, (lon_deg, lat_deg) in enumerate(self._place)
        ]

    def stops(self, at: datetime) -> Iterator[Report]:
        """End the stops that have lasted, and begin another now and then."""
        while self._until and self._until[0][0] <= at:
            _, stop = self._until.pop(0)
            over = Stop(
                stop_id=stop.stop_id,
                unit_id=stop.unit_id,
                started_at=stop.started_at,
                ended_at=at,
                phase=StopPhase.CLEARED,
            )
            yield StopChange(stop=over, at=at)
            yield self._status(int(stop.unit_id[1:]), UnitStatus.AVAILABLE, at)
        if int(at.timestamp()) % STOP_EVERY_S < COMMIT_S:
            unit = self._stops % len(self._place)
            stop = Stop(stop_id=f"S{self._stops}", unit_id=f"U{unit}", started_at=at)
            self._stops += 1
            self._until.append((at + timedelta(seconds=STOP_S), stop))
            yield StopChange(stop=stop, at=at)
            yield self._status(unit, UnitStatus.ON_STOP, at)

    def _status(self, unit: int, status: UnitStatus, at: datetime) -> StatusChange:
        """Show one."""
        return StatusChange(unit_id=f"U{unit}", at=at, status=status)


def fill(address: str, fleet: Fleet, began: datetime, until: datetime, every_s: float) -> int:
    """Write what was reported from one instant to another; the number of the last report."""
    store = Store(address)
    at = began
    try:
        if not store.seq:
            told = [Entry(door="bench", reports=tuple(fleet.on_duty(at)))]
            store.append(told, round(at.timestamp() * 1000))
        while at < until:
            at += timedelta(seconds=every_s)
            reports = (*fleet.fixes(at), *fleet.stops(at))
            store.append([Entry(door="bench", reports=reports)], round(at.timestamp() * 1000))
        return store.seq
    finally:
        store.close()


def main() -> None:
    """Print a line for each start."""
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    ask.add_argument("--roads", type=Path, required=True)
    ask.add_argument("--store", default="", help="an empty one; a file of SQLite's if not given")
    ask.add_argument("--units", type=int, default=500)
    ask.add_argument("--days", type=float, default=7.0)
    ask.add_argument("--every-s", type=float, default=COMMIT_S, help="each unit is seen so often")
    ask.add_argument("--seed", type=int, default=1)
    words = ask.parse_args()
    fleet = Fleet(RoadNetwork.load(words.roads), words.units, words.seed)
    with tempfile.TemporaryDirectory(prefix="rollby-bench-") as folder:
        address = words.store or f"sqlite:///{folder}/rollby.db"
        began_s = time.monotonic()
        until = datetime.now(UTC)
        seq = fill(address, fleet, until - timedelta(days=words.days), until, words.every_s)
        print(f"{seq:,} reports written in {time.monotonic() - began_s:,.0f} s", flush=True)
        service = Service(words.roads, address)
        print(f"without a memory: ready after {service.start():,.1f} s", flush=True)
        service.end()
        print(f"after an orderly end: ready after {service.start():,.1f} s", flush=True)
        service.end(signal.SIGKILL)
        now = datetime.now(UTC)
        fill(address, fleet, now, now + timedelta(minutes=1), words.every_s / 6)
        print(f"killed, a minute to read again: ready after {service.start():,.1f} s", flush=True)
        service.end()


if __name__ == "__main__":
    main()

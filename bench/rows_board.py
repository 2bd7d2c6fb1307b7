"""A tick of the live board: fixes snapped, all drive times, flags, and who is asked."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from bench.figure import Figure, raced, unmeasured
from bench.setup import SEED, MissingError
from bench.timing import race, watch
from data.events import Fixes, StatusChange, StopChange
from data.records import Stop, UnitStatus
from data.settings import Settings
from geo.board import Board
from geo.replay import picture
from geo.snapshot import take_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.setup import Setup
    from geo.network import RoadNetwork

UNITS, STOPS = 5500, 500  # 5,000 that may be asked
FEWER = 10  # all anew takes minutes for so many
CITY = "porto_pt"
NOISE_DEG = 1e-4
BEGIN_S = datetime(2026, 3, 14, 2, tzinfo=UTC).timestamp()


def board(setup: Setup) -> Iterator[Figure]:
    """Time a tick, and race a smaller one against working all of it out anew."""
    facts = {"row": "board", "graph": CITY}
    try:
        net = setup.real_network(CITY)
    except MissingError as missing:
        yield unmeasured(str(missing), **facts, work="a tick of the live board", peer="")
        return
    few = crowd(net, UNITS // FEWER, STOPS // FEWER)
    tick = _ticking(net, few)
    tick(0)
    found = take_snapshot(few)
    flags = {stop: found.cover.flag(column) for column, stop in enumerate(found.stop_ids)}
    assert flags == {one.stop_id: one.flag for one in picture(few).stops}
    raced_s = race(tick, lambda _: picture(few), [0], seconds=setup.seconds(5), rounds=(2, 20))
    facts["peer"] = "ours, all anew (`advise`)"
    note = "snapping, drive times, F, G, flags, timers, scores and the assignment; a fix each"
    yield raced(raced_s, **facts, work=_work(few), note=note)
    if not setup.quick:
        many = crowd(net, UNITS, STOPS)
        taken = watch(_ticking(net, many), [0], seconds=setup.seconds(8), rounds=(3, 30))
        yield Figure(**facts | {"peer": ""}, work=_work(many), value=taken, unit="s", note=note)


def _work(live: Board) -> str:
    """Say what a tick is."""
    return f"a tick of the live board, {len(live.statuses):,} fixes x {len(live.open)} stops"


def _ticking(net: RoadNetwork, live: Board) -> Callable[[int], None]:
    """Prepare: each call, whatever it is given, is the next tick with a fix of every unit."""
    ticks, size = count(2), len(live.statuses)
    places = np.random.default_rng(SEED).integers(0, net.table.node_count, size)

    def tick(_case: int) -> None:
        at_s = BEGIN_S + 10 * next(ticks)
        live.take_fixes(_fixes(net, live, places, at_s - 1), slice(0, size))
        live.advance(at_s)

    return tick


def crowd(net: RoadNetwork, units: int, stops: int) -> Board:
    """Make a board with units all over a city, the first of them on stops."""
    live, at = Board(net, Settings()), datetime.fromtimestamp(BEGIN_S, UTC)
    for row in range(units):
        live.take_status(StatusChange(unit_id=f"U{row:04d}", at=at, status=UnitStatus.AVAILABLE))
    places = np.random.default_rng(SEED).integers(0, net.table.node_count, units)
    live.take_fixes(_fixes(net, live, places, BEGIN_S + 1), slice(0, units))
    at = datetime.fromtimestamp(BEGIN_S + 2, UTC)
    for row, node in enumerate(places[:stops].tolist()):
        stop = Stop(
            stop_id=f"S{row}",
            unit_id=f"U{row:04d}",
            started_at=at,
            lon_deg=float(net.table.lon_deg[node]),
            lat_deg=float(net.table.lat_deg[node]),
        )
        live.take_stop(StopChange(stop=stop, at=at))
    live.advance(BEGIN_S + 10)
    return live


def _fixes(net: RoadNetwork, live: Board, node: np.ndarray, at_s: float) -> Fixes:
    """Draw a fix of every unit, near the place that it stands at."""
    rng = np.random.default_rng(int(at_s))
    size = len(node)
    when = np.full(size, at_s)
    return Fixes(
        unit_ids=tuple(sorted(live.statuses)),
        unit_row=np.arange(size, dtype=np.int32),
        fixed_at_s=when,
        received_at_s=when,
        lon_deg=net.table.lon_deg[node] + rng.normal(0, NOISE_DEG, size),
        lat_deg=net.table.lat_deg[node] + rng.normal(0, NOISE_DEG, size),
        heading_deg=rng.uniform(0, 360, size),
        speed_mps=np.full(size, 8.0),
        accuracy_m=np.full(size, 5.0),
    )

"""A tick of the live service: every fix against every standing stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench import ours
from bench.figure import Aim, Curve, Figure, raced, unmeasured
from bench.peers import python_graphs
from bench.setup import HORIZON_S, anywhere
from bench.timing import race, watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.graphs import FloatArray, Graph, IntArray
    from bench.setup import Setup

FIXES, STOPS = 5000, 500
AIM = Aim(target=150, stretch=300)


def tick(setup: Setup) -> Iterator[Figure | Curve]:
    """Read what is held of the standing stops: against scipy anew, and against a plain table."""
    graph = setup.main_graph()
    net = setup.network(graph)
    stops = anywhere(graph, STOPS)
    cases = [anywhere(graph, FIXES, seed=seed) for seed in range(1, 4)]
    facts = {"row": "tick", "graph": graph.name}
    facts |= {"work": f"a tick: {FIXES:,} fixes x {STOPS} standing stops, all drive times"}
    try:
        standing = ours.standing_stops(net, stops, HORIZON_S)
    except ours.NotBuiltError as missing:
        yield unmeasured(str(missing), **facts, peer="scipy recomputing")
        return

    def searched(fixes: IntArray) -> FloatArray:
        found = python_graphs.scipy_stop(graph, fixes, HORIZON_S)
        return np.stack([found(stop) for stop in stops.tolist()], axis=1)

    _hold_equal(standing.times_s(cases[0]), searched(cases[0]))
    found = race(standing.times_s, searched, cases[:1], seconds=setup.seconds(8), rounds=(3, 50))
    aim = None if graph.name == "grid" else AIM
    yield raced(found, **facts, peer="scipy recomputing", aim=aim)

    table = _table(graph, stops)
    held = race(
        standing.times_s, lambda fixes: table[:, fixes].T / 10, cases, seconds=setup.seconds(3)
    )
    _hold_equal(standing.times_s(cases[1]), table[:, cases[1]].T / 10)
    yield raced(held, **facts, peer="numpy, a float32 table held stop by stop")

    begun = watch(
        lambda count: ours.standing_stops(net, stops[:count], HORIZON_S),
        [50],
        seconds=setup.seconds(2),
    )
    arrival = {"row": "tick", "work": "50 stops begin to stand", "graph": graph.name, "peer": ""}
    yield Figure(**arrival, value=begun, unit="s", note="what is held must first be searched")
    if not setup.quick:
        line = []
        for count in (10, 50, 100, 250, 500):
            some = ours.standing_stops(net, stops[:count], HORIZON_S)
            line.append((count, watch(some.times_s, cases, seconds=0.5)))
        title = f"A tick of {FIXES:,} fixes, {graph.name}"
        lines = {"rollby": line}
        yield Curve(name="tick_by_stops", title=title, x="standing stops", y="seconds", lines=lines)


def _table(graph: Graph, stops: IntArray) -> FloatArray:
    """Hold all times to each stop, as one would with numpy alone; deciseconds, inf past the horizon."""
    every = python_graphs.scipy_stop(graph, np.arange(graph.node_count), HORIZON_S)
    return np.stack([every(stop).astype(np.float32) * 10 for stop in stops.tolist()])


def _hold_equal(one: FloatArray, other: FloatArray) -> None:
    """
    Hold that two tables of times are the same to the millisecond.

    Raises
    ------
    AssertionError
        If they are not.
    """
    np.testing.assert_array_equal(np.rint(one * 1000), np.rint(other * 1000))

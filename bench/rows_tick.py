"""A tick of the live service: every fix against every standing stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bench import ours
from bench.figure import Aim, Curve, Figure, raced
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
    standing = ours.Standing(net, stops, HORIZON_S)
    nodes = [anywhere(graph, FIXES, seed=seed) for seed in range(1, 4)]
    cases = [(standing.fixes(fixes), fixes) for fixes in nodes]
    facts = {"row": "tick", "graph": graph.name}
    facts |= {"work": f"a tick: {FIXES:,} fixes x {STOPS} standing stops, all drive times"}

    def read(case: Any) -> FloatArray:
        return standing.times_ms(case[0])

    def searched(case: Any) -> FloatArray:
        found = python_graphs.scipy_stop(graph, case[1], HORIZON_S)
        return np.stack([found(stop) for stop in stops.tolist()], axis=1)

    _hold_equal(standing.times_s(cases[0][0]), searched(cases[0]))
    found = race(read, searched, cases[:1], seconds=setup.seconds(8), rounds=(3, 50))
    note = "milliseconds as they are held; fixes are on the roads already, snapping is its own row"
    yield raced(found, **facts, peer="scipy recomputing", aim=AIM, note=note)

    table = _table(graph, stops)
    _hold_equal(standing.times_s(cases[1][0]), table[:, nodes[1]].T / 10)
    held = race(read, lambda case: table[:, case[1]].T.copy(), cases, seconds=setup.seconds(3))
    note = f"{table.nbytes / 1e6:.0f} MB of it; a new stop costs it a whole row"
    yield raced(held, **facts, peer="numpy, a float32 table held stop by stop", note=note)

    begun = watch(
        lambda count: ours.Standing(net, stops[:count], HORIZON_S).times_s(cases[0][0]),
        [50],
        seconds=setup.seconds(2),
    )
    arrival = {"row": "tick", "work": "50 stops begin to stand, first tick", "graph": graph.name}
    yield Figure(**arrival, peer="", value=begun, unit="s", note="what is held must be searched")
    if not setup.quick:
        line = []
        for count in (10, 50, 100, 250, 500):
            some = ours.Standing(net, stops[:count], HORIZON_S)
            starts = [case[0] for case in cases]
            line.append((count, watch(some.times_ms, starts, seconds=0.5)))
        title = f"A tick of {FIXES:,} fixes, {graph.name}"
        lines = {"rollby": line}
        yield Curve(name="tick_by_stops", title=title, x="standing stops", y="seconds", lines=lines)


def _table(graph: Graph, stops: IntArray) -> FloatArray:
    """Hold all times to each stop, as one would with numpy alone: deciseconds, or inf."""
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

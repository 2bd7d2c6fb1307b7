"""Which units are nearest to every node, and to keep that right while one moves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bench import ours
from bench.check import same_nearest
from bench.figure import Aim, Curve, Figure, raced, unmeasured
from bench.peers import pois, python_graphs
from bench.setup import MissingError, anywhere
from bench.timing import race, watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from bench.graphs import Graph, IntArray
    from bench.setup import Setup
    from geo.network import RoadNetwork

UNITS = 1000
MOVE_AIMS = {
    10: Aim(target=80),
    100: Aim(target=80),
    1000: Aim(target=80, stretch=500),
}


def nearest_one(setup: Setup) -> Iterator[Figure]:
    """K = 1 against scipy."""
    for name in ("grid",) if setup.quick else ("ny", "ny4"):
        facts = {"row": "nearest1", "work": f"nearest of {UNITS:,} units everywhere, k = 1"}
        facts |= {"peer": "scipy `dijkstra(min_only=True)`"}
        try:
            graph = setup.graph(name)
        except MissingError as missing:
            yield unmeasured(str(missing), **facts, graph=name)
            continue
        own = ours.nearest_units(setup.network(graph), 1)
        theirs = python_graphs.scipy_nearest(graph)
        cases = [anywhere(graph, UNITS, seed=seed) for seed in range(3)]
        index, time_s = theirs(cases[0])
        # scipy names the node, ours the place in the list of units.
        row_of = np.full(graph.node_count, -1)
        row_of[cases[0]] = np.arange(UNITS)
        same_nearest(own(cases[0]), (row_of[index], time_s))
        found = race(own, theirs, cases, seconds=setup.seconds(6))
        aim = Aim(target=5, stretch=8) if name == "ny" else None
        yield raced(found, **facts, graph=graph.name, aim=aim)


def nearest_two(setup: Setup) -> Iterator[Figure | Curve]:
    """K = 2 against pandana."""
    facts = {"row": "nearest2", "work": f"nearest two of {UNITS:,} units everywhere, k = 2"}
    facts |= {"peer": "pandana `nearest_pois`"}
    graph = setup.main_graph()
    own = ours.nearest_units(setup.network(graph), 2)
    cases = [anywhere(graph, UNITS, seed=seed) for seed in range(3)]
    # pandana wants a horizon: the least one that leaves no answer out costs it least.
    longest_s = max(float(own(units)[1].max()) for units in cases)
    within_s = math.ceil(longest_s / 60) * 60.0
    try:
        theirs = pois.pandana_nearest(graph, 2, within_s)
    except ModuleNotFoundError as fault:
        yield unmeasured(f"{fault.name} is not installed", **facts, graph=graph.name)
        return
    same_nearest(own(cases[0]), theirs(cases[0]))
    note = f"reversed network; it stops at {within_s / 60:g} min, past the last answer; with ids"
    found = race(own, theirs, cases, seconds=setup.seconds(12), rounds=(2, 50))
    yield raced(
        found,
        **facts,
        graph=graph.name,
        aim=Aim(target=50, stretch=100),
        note=note,
    )
    if not setup.quick:
        yield _by_units(setup, graph)


def _by_units(setup: Setup, graph: Graph) -> Curve:
    """Follow the cost of k = 1 and k = 2 as units come."""
    lines: dict[str, list[Any]] = {"k = 1": [], "k = 2": []}
    for count in (10, 100, 1000, 5000):
        units = [anywhere(graph, count)]
        for k in (1, 2):
            own = ours.nearest_units(setup.network(graph), k)
            lines[f"k = {k}"].append((count, watch(own, units, seconds=0.5)))
    title = f"Nearest units everywhere, {graph.name}"
    return Curve(name="nearest_by_units", title=title, x="units", y="seconds", lines=lines)


def moving(setup: Setup) -> Iterator[Figure | Curve]:
    """Move one unit at a time: mended against worked out anew."""
    graph = setup.main_graph()
    net = setup.network(graph)
    lines: dict[str, list[Any]] = {"one unit moves": [], "worked out anew": []}
    for count, aim in MOVE_AIMS.items():
        facts = {"row": "move", "work": f"one of {count:,} units moves, k = 2 kept exact"}
        facts |= {"graph": graph.name, "peer": "ours in full"}
        units = anywhere(graph, count)
        kept = ours.Moving(net, units)
        moves = _there_and_back(graph, units)
        full = ours.from_scratch(net)
        _hold_kept(net, kept, units, moves)
        steps = [(row, kept.at(node)) for row, node in moves]

        def mend(_: object, kept: ours.Moving = kept, steps: Any = steps) -> None:
            for row, to in steps:
                kept.move(row, to)

        whole = [ours.at_nodes(net, units)]
        found = race(mend, full, whole, seconds=setup.seconds(4), pieces=len(steps))
        yield raced(found, **facts, aim=aim)
        lines["one unit moves"].append((count, found.ours_s))
        lines["worked out anew"].append((count, found.peer_s))
    if lines["one unit moves"]:
        title = f"K = 2 kept exact while one unit moves, {graph.name}"
        yield Curve(name="move_by_units", title=title, x="units", y="seconds", lines=lines)


def _there_and_back(graph: Graph, units: IntArray) -> list[tuple[int, int]]:
    """Draw moves to a node some 200 m on, as a car's between two fixes, each with its way back."""
    rows = np.random.default_rng(11).integers(0, len(units), 25).tolist()
    moves = []
    for row in rows:
        home = int(units[row])
        there = int(graph.near(float(graph.lon_deg[home]), float(graph.lat_deg[home]), 6)[-1])
        moves += [(row, there), (row, home)]
    return moves


def _hold_kept(
    net: RoadNetwork, kept: ours.Moving, units: IntArray, moves: list[tuple[int, int]]
) -> None:
    """
    Hold that what was mended is what a search from scratch gives, ids and ties included.

    Raises
    ------
    AssertionError
        If it is not.
    """
    now = units.copy()
    for row, node in moves + moves[::2]:  # the last go out and stay there
        kept.move(row, kept.at(node))
        now[row] = node
    for mended, anew in zip(kept.answer(), ours.Moving(net, now).answer(), strict=True):
        np.testing.assert_array_equal(mended, anew)
    for row in {row for row, _ in moves}:
        kept.move(row, kept.at(int(units[row])))

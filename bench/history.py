"""Nearest units of many snapshots at once and one after the other, found equal before any race."""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from bench.peers import pois, python_graphs
from geo.hierarchy import Hierarchy
from geo.history import Middles, Seeds, nearest_over_time, seeds_of
from geo.kernels.search import UNREACHED
from geo.kernels.sweep import LANES
from geo.kernels.sweep_two import LANES_OF_TWO
from geo.nearest import NearestUnits, nearest
from geo.starts import Starts, starts_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.graphs import Graph
    from data.road_table import FloatArray, Int32Array, IntArray
    from geo.network import RoadNetwork

SNAPSHOTS = 4 * LANES
FEW = 4 * LANES_OF_TWO


@dataclass(frozen=True, kw_only=True)
class Contest:
    """
    The same work done twice.

    Parameters
    ----------
    swept : callable
        All snapshots at once.
    alone : callable
        One of them.
    snapshots : int
        That a call of `swept` does.
    """

    swept: Callable[[object], object]
    alone: Callable[[object], object]
    snapshots: int


def prepared(net: RoadNetwork) -> tuple[Hierarchy, float, int]:
    """Contract a network; gives seconds of processors and bytes kept too."""
    begun = time.process_time()
    hierarchy = Hierarchy.of(net.forward)
    taken_s = time.process_time() - begun
    arrays = [part for part in astuple(hierarchy) if isinstance(part, np.ndarray)]
    return hierarchy, taken_s, sum(part.nbytes for part in arrays)


def against_scipy(net: RoadNetwork, hierarchy: Hierarchy, units: int) -> Contest:
    """Label all states with the time from the nearest unit; scipy does one snapshot."""
    every = np.arange(hierarchy.count)
    seeds = _seeds(_draw().integers(0, hierarchy.count, SNAPSHOTS * units), units)
    times = _scipy_times(net)
    for block in nearest_over_time(hierarchy, seeds):
        for lane in (0, LANES // 2, LANES - 1):
            mine = block.time_ms(every)[:, lane, 0].astype(np.float64)
            mine[mine == UNREACHED] = np.inf
            expected = times(seeds.place[_snapshot(seeds.snapshot_start, block.first + lane)])
            np.testing.assert_array_equal(mine, expected)
    first = seeds.place[_snapshot(seeds.snapshot_start, 0)]
    swept = partial(_swept, hierarchy, seeds, 1)
    return Contest(swept=swept, alone=lambda _: times(first), snapshots=SNAPSHOTS)


def against_pandana(
    graph: Graph, net: RoadNetwork, hierarchy: Hierarchy, units: int
) -> tuple[Contest, float]:
    """
    Give all nodes the time from the nearest unit; pandana does one snapshot.

    Returns
    -------
    contest : Contest
        Equal answers.
    within_s : float
        The horizon that it was given: whole minutes, past the last answer.
    """
    node, seeds = _at_nodes(net, units)
    block = next(iter(nearest_over_time(hierarchy, seeds)))
    mine_s = block.time_ms(net.node_state)[:, 0, 0] / 1000
    within_s = float(np.ceil(mine_s.max() / 60 + 1) * 60)
    ask = pois.pandana_nearest(graph, 1, within_s)
    np.testing.assert_array_equal(ask(node[:units])[1][:, 0], mine_s)
    swept = partial(_swept, hierarchy, seeds, 1)
    return Contest(swept=swept, alone=lambda _: ask(node[:units]), snapshots=SNAPSHOTS), within_s


def against_networkx(graph: Graph, net: RoadNetwork, hierarchy: Hierarchy, units: int) -> Contest:
    """Give all nodes the time from the nearest unit; networkx does one snapshot."""
    node, seeds = _at_nodes(net, units)
    ask = python_graphs.networkx_nearest(graph)
    block = next(iter(nearest_over_time(hierarchy, seeds)))
    mine_s = block.time_ms(net.node_state)[:, 0, 0] / 1000
    found = ask(node[:units])
    np.testing.assert_array_equal([found[i] / 10 for i in range(graph.node_count)], mine_s)
    swept = partial(_swept, hierarchy, seeds, 1)
    return Contest(swept=swept, alone=lambda _: ask(node[:units]), snapshots=SNAPSHOTS)


def _at_nodes(net: RoadNetwork, units: int) -> tuple[IntArray, Seeds]:
    """Draw nodes for the units of many snapshots."""
    node = _draw().integers(0, len(net.node_state), SNAPSHOTS * units)
    return node, _seeds(net.node_state[node], units)


def nodes_one_by_one(net: RoadNetwork, hierarchy: Hierarchy, units: int) -> Contest:
    """Name the two nearest units at all nodes of a network whose turns are free."""
    node = _draw().integers(0, hierarchy.count, FEW * units)
    seeds = _seeds(net.node_state[node], units)
    for block in nearest_over_time(hierarchy, seeds, k=2):
        for lane in (0, block.count - 1):
            own = _snapshot(seeds.snapshot_start, block.first + lane)
            index, time_s = nearest(net, node[own], k=2)
            np.testing.assert_array_equal(block.unit(net.node_state)[:, lane], index)
            np.testing.assert_array_equal(block.time_ms(net.node_state)[:, lane] / 1000, time_s)
    swept = partial(_swept, hierarchy, seeds, 2)
    return Contest(swept=swept, alone=lambda _: nearest(net, node[:units], k=2), snapshots=FEW)


def edges_one_by_one(net: RoadNetwork, hierarchy: Hierarchy, units: int) -> tuple[Contest, Contest]:
    """
    Name the two nearest units on all edges of a network with turns.

    Returns
    -------
    labelled, read : Contest
        Up to the labels of all edges; and read at the middles of all edges.
    """
    rng = _draw()
    edge = rng.integers(0, len(net.edge_ms), FEW * units).astype(np.int32)
    starts = starts_at(net, edge, rng.random(len(edge)), np.full(len(edge), 20_000, np.int32))
    snapshot_start = np.arange(FEW + 1) * units
    seeds = seeds_of(net, starts, snapshot_start)
    middles = Middles(net, hierarchy, starts, snapshot_start)
    for block in nearest_over_time(hierarchy, seeds, k=2):
        unit, time_s = middles.read(block)
        own = _only(starts, _snapshot(snapshot_start, block.first))
        expected_unit, expected_s = NearestUnits(net, own, k=2).at_middles()
        assert unit is not None
        np.testing.assert_array_equal(unit[:, 0], expected_unit)
        np.testing.assert_array_equal(time_s[:, 0], expected_s)

    def read(_: object) -> None:
        for block in nearest_over_time(hierarchy, seeds, k=2):
            middles.read(block)

    one = _only(starts, slice(0, units))
    labelled = Contest(
        swept=partial(_swept, hierarchy, seeds, 2),
        alone=lambda _: NearestUnits(net, one, k=2),
        snapshots=FEW,
    )
    at_middles = Contest(
        swept=read, alone=lambda _: NearestUnits(net, one, k=2).at_middles(), snapshots=FEW
    )
    return labelled, at_middles


def _draw() -> np.random.Generator:
    return np.random.default_rng(1)


def _seeds(place: Any, units: int) -> Seeds:
    """Put units at states at time 0, so many a snapshot."""
    return Seeds(
        place=place.astype(np.int32),
        time_ms=np.zeros(len(place), np.int32),
        unit=np.tile(np.arange(units, dtype=np.int32), len(place) // units),
        snapshot_start=np.arange(len(place) // units + 1) * units,
    )


def _swept(hierarchy: Hierarchy, seeds: Seeds, k: int, _: object) -> None:
    for _block in nearest_over_time(hierarchy, seeds, k=k):
        pass


def _only(starts: Starts, rows: slice) -> Starts:
    return Starts(
        edge=starts.edge[rows], done_ms=starts.done_ms[rows], price_ms=starts.price_ms[rows]
    )


def _snapshot(start: IntArray, i: int) -> slice:
    return slice(start[i], start[i + 1])


def _scipy_times(net: RoadNetwork) -> Callable[[Int32Array], FloatArray]:
    """Give the competitor its own graph: node times as they are, an edge's own on its arcs."""
    graph = net.forward
    full_ms = graph.arc[:, 1] + np.repeat(graph.state_ms, np.diff(graph.start)).astype(np.float64)
    matrix = csr_array((full_ms, graph.arc[:, 0], graph.start), shape=(graph.count,) * 2)

    def times(state: Int32Array) -> FloatArray:
        found: FloatArray = dijkstra(matrix, indices=np.unique(state), min_only=True)
        return found

    return times

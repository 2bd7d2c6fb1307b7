"""networkx, scipy, igraph, rustworkx, networkit: general graph libraries from the package index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csgraph

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.graphs import FloatArray, Graph, IntArray

# All of them are given deciseconds as floats, in which sums are exact; answers are in seconds.


def scipy_stop(graph: Graph, units: IntArray, within_s: float) -> Callable[[int], FloatArray]:
    """Search backward with a limit, read the units."""
    backward = graph.backward

    def ask(stop: int) -> FloatArray:
        return csgraph.dijkstra(backward, indices=stop, limit=within_s * 10)[units] / 10

    return ask


def scipy_all_to(graph: Graph) -> Callable[[int], FloatArray]:
    """Search backward without a limit."""
    backward = graph.backward
    return lambda node: csgraph.dijkstra(backward, indices=node) / 10


def scipy_nearest(graph: Graph) -> Callable[[IntArray], tuple[IntArray, FloatArray]]:
    """Search forward from all units at once, which also names the nearest."""
    forward = graph.forward

    def ask(units: IntArray) -> tuple[IntArray, FloatArray]:
        time_ds, _, source = csgraph.dijkstra(
            forward, indices=units, min_only=True, return_predecessors=True
        )
        return source, time_ds / 10

    return ask


def networkx_stop(graph: Graph, units: IntArray, within_s: float) -> Callable[[int], FloatArray]:
    """Search a reversed DiGraph with a cutoff, read the units."""
    import networkx as nx  # noqa: PLC0415 - a peer is imported where it is measured

    city = nx.DiGraph()
    city.add_nodes_from(range(graph.node_count))
    tail, head, time_ds = (column.tolist() for column in graph.simple)
    city.add_weighted_edges_from(zip(head, tail, time_ds, strict=True))
    rows = units.tolist()

    def ask(stop: int) -> FloatArray:
        found = nx.single_source_dijkstra_path_length(city, stop, cutoff=within_s * 10)
        return np.array([found.get(unit, np.inf) for unit in rows]) / 10

    return ask


def networkx_nearest(graph: Graph) -> Callable[[IntArray], dict[int, float]]:
    """Search a DiGraph from all units at once."""
    import networkx as nx  # noqa: PLC0415 - as above

    city = nx.DiGraph()
    city.add_nodes_from(range(graph.node_count))
    city.add_weighted_edges_from(zip(*(column.tolist() for column in graph.simple), strict=True))

    def ask(units: IntArray) -> dict[int, float]:
        found: dict[int, float] = nx.multi_source_dijkstra_path_length(city, set(units.tolist()))
        return found

    return ask


def igraph_stop(graph: Graph, units: IntArray) -> Callable[[int], FloatArray]:
    """Search backward until all units are met (it has no cutoff by time)."""
    import igraph  # noqa: PLC0415 - as above

    tail, head, time_ds = graph.simple
    city = igraph.Graph(n=graph.node_count, edges=np.stack([tail, head], 1), directed=True)
    weights, targets = time_ds.astype(float).tolist(), units.tolist()

    def ask(stop: int) -> FloatArray:
        found = city.distances(source=[stop], target=targets, weights=weights, mode="in")
        return np.array(found[0]) / 10

    return ask


def igraph_all_to(graph: Graph) -> Callable[[int], FloatArray]:
    """Search backward without end."""
    return igraph_stop(graph, np.arange(graph.node_count))


def rustworkx_all_to(graph: Graph) -> Callable[[int], FloatArray]:
    """Search a reversed PyDiGraph whose edges hold floats."""
    import rustworkx  # noqa: PLC0415 - as above

    tail, head, time_ds = graph.simple
    city = rustworkx.PyDiGraph(multigraph=False)
    city.add_nodes_from(range(graph.node_count))
    edges = zip(head.tolist(), tail.tolist(), time_ds.astype(float).tolist(), strict=True)
    city.add_edges_from(list(edges))

    def ask(node: int) -> FloatArray:
        found = rustworkx.dijkstra_shortest_path_lengths(city, node, float)
        time_ds = np.full(graph.node_count, np.inf)
        time_ds[np.fromiter(found.keys(), np.int64, len(found))] = np.fromiter(
            found.values(), np.float64, len(found)
        )
        time_ds[node] = 0
        return time_ds / 10

    return ask


def networkit_all_to(graph: Graph) -> Callable[[int], FloatArray]:
    """Search a reversed networkit graph."""
    import networkit as nk  # noqa: PLC0415 - as above

    nk.setNumberOfThreads(1)
    tail, head, time_ds = graph.simple
    city = nk.GraphFromCoo(
        (time_ds.astype(np.float64), (head, tail)), n=graph.node_count, weighted=True, directed=True
    )

    def ask(node: int) -> FloatArray:
        search = nk.distance.Dijkstra(city, node, storePaths=False)
        search.run()
        return np.array(search.getDistances()) / 10

    return ask


def networkit_stop(graph: Graph, units: IntArray) -> Callable[[int], FloatArray]:
    """Search backward until all units are met."""
    import networkit as nk  # noqa: PLC0415 - as above

    nk.setNumberOfThreads(1)
    tail, head, time_ds = graph.simple
    city = nk.GraphFromCoo(
        (time_ds.astype(np.float64), (head, tail)), n=graph.node_count, weighted=True, directed=True
    )
    targets = np.unique(units)
    place = np.searchsorted(targets, units)

    def ask(stop: int) -> FloatArray:
        search = nk.distance.MultiTargetDijkstra(city, stop, targets.tolist())
        search.run()
        return np.array(search.getDistances())[place] / 10

    return ask

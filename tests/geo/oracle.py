"""The slow, obvious way to get a drive time: networkx on a graph of edges and passages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo.network import RoadNetwork
    from geo.snap import Position

START, END = "start", "end"


def passages(net: RoadNetwork) -> nx.DiGraph:
    """Every edge is a node; a passage into the next costs its turn and that edge, ms."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(net.edge_ms)))
    if not net.turns:
        for edge, head in enumerate(net.table.head):
            for after in np.flatnonzero(net.table.tail == head).tolist():
                graph.add_edge(edge, after, ms=int(net.edge_ms[after]))
        return graph
    for edge in range(len(net.edge_ms)):
        for after, turn_ms in net.forward.arcs_of(edge).tolist():
            graph.add_edge(edge, after, ms=turn_ms + int(net.edge_ms[after]))
    return graph


def ways_to_be(
    net: RoadNetwork, place: Position, *, arriving: bool
) -> Iterator[tuple[int, int, float]]:
    """Edges a place lies on, the ms driven on each before it, and the price of choosing it."""
    if arriving and place.fraction in {0, 1}:
        ends = net.table.head if place.fraction else net.table.tail
        for edge in range(len(net.edge_ms)):
            if net.table.head[edge] == ends[place.edge]:
                yield edge, int(net.edge_ms[edge]), 0.0
            if net.table.tail[edge] == ends[place.edge]:
                yield edge, 0, 0.0
        return
    if place.any_way and not arriving:
        node = (net.table.head if place.fraction else net.table.tail)[place.edge]
        for edge in np.flatnonzero(net.table.tail == node).tolist():
            yield edge, 0, 0.0
    yield place.edge, round(place.fraction * int(net.edge_ms[place.edge])), 0.0
    if place.turn_round_s is not None:
        twin = int(net.twin[place.edge])
        back_ms = round((1 - place.fraction) * int(net.edge_ms[twin]))
        yield twin, back_ms, 0.0 if arriving else place.turn_round_s * 1000


def drive_time_s(net: RoadNetwork, graph: nx.DiGraph, start: Position, end: Position) -> float:
    """One drive time, from scratch."""
    work = graph.copy()
    for edge, done, price in ways_to_be(net, start, arriving=False):
        _keep_least(work, START, edge, price + int(net.edge_ms[edge]) - done)
        for other, reached, _ in ways_to_be(net, end, arriving=True):
            if other == edge and reached >= done:
                _keep_least(work, START, END, price + reached - done)
    for last, reached, _ in ways_to_be(net, end, arriving=True):
        for before in list(graph.predecessors(last)):
            turn_ms = graph[before][last]["ms"] - int(net.edge_ms[last])
            _keep_least(work, before, END, turn_ms + reached)
    try:
        return float(nx.dijkstra_path_length(work, START, END, weight="ms")) / 1000
    except nx.NetworkXNoPath:
        return float("inf")


def _keep_least(graph: nx.DiGraph, a: object, b: object, ms: float) -> None:
    if not graph.has_edge(a, b) or graph[a][b]["ms"] > ms:
        graph.add_edge(a, b, ms=ms)


def node_times_s(net: RoadNetwork, node: int) -> np.ndarray:
    """Drive times from one node to all, with the turns between."""
    graph = passages(net)
    for edge in np.flatnonzero(net.table.tail == node).tolist():
        graph.add_edge(START, edge, ms=int(net.edge_ms[edge]))
    graph.add_node(START)
    reached = nx.single_source_dijkstra_path_length(graph, START, weight="ms")
    times = np.full(net.table.node_count, np.inf)
    for edge, head in enumerate(net.table.head):
        times[head] = min(times[head], reached.get(edge, np.inf) / 1000)
    times[node] = 0
    return times

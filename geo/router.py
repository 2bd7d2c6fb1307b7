"""
Drive times by road: to a stop, from a unit, between nodes, and the way itself. Exact.

A search runs over directed edges and the passages between them. `Backward` holds, for every edge,
the time from its *end* to one place; `Forward` the time from one place to its *start*. What is
driven on the first and the last edge is added where the answer is read, so that one search serves
every position.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import csgraph

from data.errors import InputError
from geo.route import draw_route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.answers import Route
    from data.road_table import FloatArray, IntArray
    from geo.network import RoadNetwork
    from geo.snap import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leg:
    """One way to be at a position: on an edge, so far from its start, at a price."""

    edge: int
    done_ms: int
    price_ms: int


def _legs(net: RoadNetwork, position: Position, *, setting_out: bool) -> list[_Leg]:
    """
    List the edges on which a position lies: its own and, on a two-way street, the one back.

    Setting out the other way may cost turning round; arriving across the street costs nothing.
    """
    if not setting_out and position.fraction in {0.0, 1.0}:
        return _legs_at_node(net, position)
    own_ms = int(net.edge_ms[position.edge])
    legs = [_Leg(edge=position.edge, done_ms=round(position.fraction * own_ms), price_ms=0)]
    twin = int(net.twin[position.edge])
    if position.turn_round_s is not None and twin >= 0:
        back_ms = int(net.edge_ms[twin])
        price_ms = round(position.turn_round_s * 1000) if setting_out else 0
        done_ms = round((1 - position.fraction) * back_ms)
        legs.append(_Leg(edge=twin, done_ms=done_ms, price_ms=price_ms))
    return legs


def _legs_at_node(net: RoadNetwork, position: Position) -> list[_Leg]:
    """List every edge that ends or begins where a place is: one has arrived by any of them."""
    ends = net.table.head if position.fraction else net.table.tail
    node = ends[position.edge]
    last = [
        _Leg(edge=edge, done_ms=int(net.edge_ms[edge]), price_ms=0)
        for edge in np.flatnonzero(net.table.head == node).tolist()
    ]
    first = [
        _Leg(edge=edge, done_ms=0, price_ms=0)
        for edge in np.flatnonzero(net.table.tail == node).tolist()
    ]
    return last + first


def _search(
    graph: sparse.csr_array, start: IntArray, start_ms: FloatArray, within_s: float
) -> tuple[FloatArray, IntArray]:
    """
    Run Dijkstra's algorithm from several edges at once, each with a time it starts at.

    Returns
    -------
    time_ms : ndarray of float64, shape (m,)
        Inf past the horizon.
    before : ndarray of int64, shape (m,)
        The edge each was reached from; m for a start, negative where not reached.
    """
    count = graph.shape[0]
    start, first = np.unique(start, return_index=True)
    with_source = sparse.csr_array(
        (
            np.concatenate([graph.data, start_ms[first]]),
            np.concatenate([graph.indices, start]),
            np.concatenate([graph.indptr, [len(graph.data) + len(start)]]),
        ),
        shape=(count + 1, count + 1),
    )
    time_ms, before = csgraph.dijkstra(
        with_source, indices=[count], limit=_milliseconds(within_s), return_predecessors=True
    )
    return time_ms[0, :count], before[0, :count].astype(np.int64)


def _milliseconds(seconds: float) -> float:
    """Turn a horizon into milliseconds without losing a whole one to rounding."""
    return round(seconds * 1000, 3)


def _lowest_first(edges: IntArray, times_ms: FloatArray) -> tuple[IntArray, FloatArray]:
    """Sort starts so that `np.unique` keeps the soonest of each edge."""
    order = np.lexsort((times_ms, edges))
    return edges[order], times_ms[order]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backward:
    """
    Every drive time to one place, from one search; keep it while the place stands.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    place : Position
        Where to.
    within_s : float
        The horizon searched.
    rest_ms : ndarray of float64, shape (m,)
        From the end of each edge to the place; inf past the horizon.
    onward : ndarray of int64, shape (m,)
        The edge to take next; m where the place lies on it.
    ends : tuple of _Leg
        The edges the place lies on.
    """

    net: RoadNetwork
    place: Position
    within_s: float
    rest_ms: FloatArray
    onward: IntArray
    ends: tuple[_Leg, ...]

    def drive_time_s(self, position: Position) -> float:
        """
        Read the drive time from a position to the place.

        Returns
        -------
        drive_time_s : float
            Inf where there is no way within the horizon.
        """
        return self._best(position)[0] / 1000

    def _best(self, position: Position) -> tuple[float, _Leg, _Leg | None]:
        """Choose how to set out: milliseconds, the leg, and the end if it is straight ahead."""
        options: list[tuple[float, _Leg, _Leg | None]] = []
        for leg in _legs(self.net, position, setting_out=True):
            options += [
                (float(leg.price_ms + end.done_ms - leg.done_ms), leg, end)
                for end in self.ends
                if end.edge == leg.edge and end.done_ms >= leg.done_ms
            ]
            around = self.net.edge_ms[leg.edge] - leg.done_ms + self.rest_ms[leg.edge]
            options.append((float(leg.price_ms + around), leg, None))
        best = min(options, key=lambda option: option[0])
        return best if best[0] <= _milliseconds(self.within_s) else (np.inf, *best[1:])

    def route(self, position: Position) -> Route | None:
        """
        Give the way from a position to the place.

        Parameters
        ----------
        position : Position
            Where from.

        Returns
        -------
        route : Route or None
            None where there is no way within the horizon.
        """
        time_ms, leg, end = self._best(position)
        if not np.isfinite(time_ms):
            return None
        edges = [leg.edge]
        if end is None:
            while (after := int(self.onward[edges[-1]])) < len(self.rest_ms):
                edges.append(after)
            end = self._entered(edges[-1])
            edges.append(end.edge)
        begin = _fraction(self.net, position, leg)
        reached = _fraction(self.net, self.place, end)
        return draw_route(self.net, edges, begin, reached, time_ms / 1000)

    def _entered(self, edge: int) -> _Leg:
        """Find the end that one enters from `edge` soonest."""
        net = self.net
        turns = range(int(net.turn_start[edge]), int(net.turn_start[edge + 1]))
        entries = [
            (int(net.turn_ms[turn]) + end.done_ms, end.edge, end)
            for turn in turns
            for end in self.ends
            if end.edge == int(net.turn_to[turn])
        ]
        return min(entries, key=lambda entry: entry[:2])[2]


def search_back(net: RoadNetwork, place: Position, *, within_s: float = np.inf) -> Backward:
    """
    Search backward from a place, once, for the drive times from everywhere.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    place : Position
        Where to. On a two-way street it is reached from both sides.
    within_s : float
        Horizon, seconds.

    Returns
    -------
    times : Backward
        To be read with positions.

    Notes
    -----
    O((m + t) log m) within the horizon: Dijkstra (1959), scipy's.
    """
    edges, times = [], []
    ends = _legs(net, place, setting_out=False)
    for leg in ends:
        back = net.backward
        before = slice(int(back.indptr[leg.edge]), int(back.indptr[leg.edge + 1]))
        edges.append(back.indices[before].astype(np.int64))
        times.append(back.data[before] - net.edge_ms[leg.edge] + leg.done_ms)
    starts = _lowest_first(np.concatenate(edges), np.concatenate(times))
    rest_ms, onward = _search(net.backward, *starts, within_s)
    return Backward(
        net=net,
        place=place,
        within_s=within_s,
        rest_ms=rest_ms,
        onward=onward,
        ends=tuple(ends),
    )


def times_to_middles(net: RoadNetwork, position: Position, *, within_s: float) -> FloatArray:
    """
    Search forward from a position for the drive time to the middle of every edge.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    position : Position
        Where from.
    within_s : float
        Horizon, seconds.

    Returns
    -------
    drive_time_s : ndarray of float64, shape (m,)
        Inf where there is no way within the horizon. The middle of a two-way street is reached
        from both sides, so both its edges hold the same figure.
    """
    legs = _legs(net, position, setting_out=True)
    edges, times = [], []
    for leg in legs:
        turns = slice(int(net.turn_start[leg.edge]), int(net.turn_start[leg.edge + 1]))
        rest_ms = leg.price_ms + int(net.edge_ms[leg.edge]) - leg.done_ms
        edges.append(net.turn_to[turns].astype(np.int64))
        times.append(net.turn_ms[turns] + float(rest_ms))
    starts = _lowest_first(np.concatenate(edges), np.concatenate(times))
    begin_ms, _ = _search(net.forward, *starts, within_s)
    half_ms = net.edge_ms // 2
    middle_ms = begin_ms + half_ms
    for leg in legs:
        ahead_ms = int(half_ms[leg.edge]) - leg.done_ms
        if ahead_ms >= 0:
            middle_ms[leg.edge] = min(middle_ms[leg.edge], leg.price_ms + ahead_ms)
    both_ms = np.where(net.twin >= 0, np.minimum(middle_ms, middle_ms[net.twin]), middle_ms)
    return np.where(both_ms <= _milliseconds(within_s), both_ms / 1000, np.inf)


def times_to(net: RoadNetwork, node: int, within_s: float = np.inf) -> FloatArray:
    """
    Give the drive time from every node to one.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    node : int
        Node row.
    within_s : float
        Horizon, seconds.

    Returns
    -------
    drive_time_s : ndarray of float64, shape (n,)
        Inf where there is no way within the horizon.

    Raises
    ------
    InputError
        If there is no such node.
    """
    return _node_times(net, node, within_s, net.backward, net.table.head, net.table.tail)


def times_from(net: RoadNetwork, node: int, within_s: float = np.inf) -> FloatArray:
    """
    Give the drive time from one node to every node.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    node : int
        Node row.
    within_s : float
        Horizon, seconds.

    Returns
    -------
    drive_time_s : ndarray of float64, shape (n,)
        Inf where there is no way within the horizon.

    Raises
    ------
    InputError
        If there is no such node.
    """
    return _node_times(net, node, within_s, net.forward, net.table.tail, net.table.head)


def _node_times(
    net: RoadNetwork,
    node: int,
    within_s: float,
    graph: sparse.csr_array,
    near: npt.NDArray[np.int32],
    far: npt.NDArray[np.int32],
) -> FloatArray:
    """
    Search from the edges whose `near` end is the node; read the times at their `far` ends.

    Raises
    ------
    InputError
        If there is no such node.
    """
    count = net.table.node_count
    if not 0 <= node < count:
        raise InputError(f"node={node}: must be a node row from 0 to {count - 1}")
    start = np.flatnonzero(near == node)
    reached_ms, _ = _search(graph, start, np.zeros(len(start)), within_s)
    time_ms = np.full(count, np.inf)
    np.minimum.at(time_ms, far, reached_ms + net.edge_ms)
    time_ms[node] = 0
    return np.where(time_ms <= _milliseconds(within_s), time_ms / 1000, np.inf)


def nearest(
    net: RoadNetwork, nodes: Sequence[int] | IntArray, k: int = 2, within_s: float = np.inf
) -> tuple[IntArray, FloatArray]:
    """
    Find the k sources that reach each node soonest.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    nodes : sequence of int, length s
        Node rows of the sources.
    k : int
        How many, >= 1.
    within_s : float
        Horizon, seconds.

    Returns
    -------
    index : ndarray of int64, shape (n, k)
        Places in `nodes`, soonest first, ties by the lower index; -1 where there are fewer.
    drive_time_s : ndarray of float64, shape (n, k)
        Their drive times, inf where there are fewer.

    Raises
    ------
    InputError
        If `k` is below 1 or there is no such node.
    """
    if not k >= 1:
        raise InputError(f"k={k}: must be at least 1")
    index = np.full((net.table.node_count, k), -1)
    time_s = np.full(index.shape, np.inf)
    for row, node in enumerate(nodes):
        merge_soonest(index, time_s, row, times_from(net, int(node), within_s))
    return index, time_s


def merge_soonest(index: IntArray, time_s: FloatArray, row: int, new_s: FloatArray) -> None:
    """
    Put one more source among the k soonest of each place, in place; sources come by rising row.

    Parameters
    ----------
    index : ndarray of int64, shape (n, k)
        Sources, soonest first, -1 where there are fewer.
    time_s : ndarray of float64, shape (n, k)
        Their times, inf where there are fewer.
    row : int
        The new source.
    new_s : ndarray of float64, shape (n,)
        Its times.
    """
    who = np.full(len(new_s), row)
    pushed = np.zeros(len(new_s), np.bool_)
    for column in range(index.shape[1]):
        # What was pushed out came before all that follows it, ties included.
        pushed |= new_s < time_s[:, column]
        time_s[pushed, column], new_s = new_s[pushed], np.where(pushed, time_s[:, column], new_s)
        index[pushed, column], who = who[pushed], np.where(pushed, index[:, column], who)


def _fraction(net: RoadNetwork, position: Position, leg: _Leg) -> float:
    """Give the share of a leg's edge that lies behind a position."""
    if leg.edge == position.edge:
        return position.fraction
    if leg.edge == int(net.twin[position.edge]):
        return 1 - position.fraction
    return 1.0 if leg.done_ms else 0.0  # at a node, by another road

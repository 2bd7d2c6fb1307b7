"""Where drives begin and end: the edges that a position lies on, and the time behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.kernels.search import UNREACHED
from geo.kernels.starts import list_starts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.road_table import BoolArray, FloatArray, Int32Array, IntArray
    from geo.network import RoadNetwork
    from geo.snap import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """
    Positions to set out from, and the edges each may set out on.

    They hold times of the network that they were made for: make them anew for a patched one.

    Parameters
    ----------
    edge : ndarray of int32, shape (k, w)
        The position's edge, the same road the other way, and at a crossing, where the heading is
        unknown, all others that lead from there; -1 for none. w is 2 where there are no such.
    done_ms : ndarray of int32, shape (k, w)
        Time from the start of each to the position.
    price_ms : ndarray of int32, shape (k, w)
        What it costs to set out on it: turning round.
    """

    edge: Int32Array
    done_ms: Int32Array
    price_ms: Int32Array

    def row(self, i: int) -> Starts:
        """
        Pick one position.

        Returns
        -------
        start : Starts
            Of one row.
        """
        return self.rows(np.array([i]))

    def rows(self, which: IntArray) -> Starts:
        """
        Pick some positions.

        Parameters
        ----------
        which : ndarray of int, shape (p,)
            Their rows.

        Returns
        -------
        starts : Starts
            A copy, in that order.
        """
        return Starts(
            edge=self.edge[which], done_ms=self.done_ms[which], price_ms=self.price_ms[which]
        )

    def widened(self, width: int) -> Starts:
        """
        Make room for more edges to set out on.

        Parameters
        ----------
        width : int
            w, no less than now.

        Returns
        -------
        starts : Starts
            A copy, with none in the new room.
        """
        count, own = self.edge.shape
        wider = Starts(
            edge=np.full((count, width), -1, np.int32),
            done_ms=np.zeros((count, width), np.int32),
            price_ms=np.zeros((count, width), np.int32),
        )
        for name in ("edge", "done_ms", "price_ms"):
            getattr(wider, name)[:, :own] = getattr(self, name)
        return wider


def starts_at(
    net: RoadNetwork,
    edge: Int32Array,
    fraction: FloatArray,
    turn_round_ms: Int32Array,
    any_way: BoolArray | None = None,
) -> Starts:
    """
    List the edges on which positions lie.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    edge : ndarray of int32, shape (k,)
        -1 for no road.
    fraction : ndarray of float64, shape (k,)
        Of the edge's length that lies behind, 0 to 1.
    turn_round_ms : ndarray of int32, shape (k,)
        What setting out the other way costs; -1 where there is no other way.
    any_way : ndarray of bool, shape (k,), optional
        At an end of its edge, and free to set out on any road from there.

    Returns
    -------
    starts : Starts
        In the order given.
    """
    legs = tuple(np.empty((len(edge), 2), np.int32) for _ in range(3))
    on, round_ms = (np.ascontiguousarray(one, np.int32) for one in (edge, turn_round_ms))
    share = np.ascontiguousarray(fraction, np.float64)
    list_starts(on, share, round_ms, net.twin, net.edge_ms, *legs)
    starts = Starts(edge=legs[0], done_ms=legs[1], price_ms=legs[2])
    free = np.flatnonzero(any_way & (edge >= 0)) if any_way is not None else ()
    if not len(free):
        return starts
    nodes = np.where(fraction[free] > 0, net.table.head[edge[free]], net.table.tail[edge[free]])
    onward = [net.edges_from(int(node)) for node in nodes]
    starts = starts.widened(2 + max(map(len, onward)))
    for row, more in zip(free, onward, strict=True):
        starts.edge[row, 2 : 2 + len(more)] = more
    return starts


def starts_of(net: RoadNetwork, positions: Sequence[Position | None]) -> Starts:
    """
    List the edges on which positions lie.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    positions : sequence of (Position or None), length k
        None for no road: no way leads from there.

    Returns
    -------
    starts : Starts
        In the order given.
    """
    rows = [(-1, 0.0, -1, 0) if p is None else _row(p) for p in positions]
    edge, fraction, turn_round_ms, any_way = np.array(rows, np.float64).reshape(-1, 4).T
    round_ms = turn_round_ms.astype(np.int32)
    return starts_at(net, edge.astype(np.int32), fraction, round_ms, any_way > 0)


def _row(position: Position) -> tuple[int, float, int, bool]:
    """Give what `starts_at` takes of a position."""
    round_s = position.turn_round_s
    round_ms = -1 if round_s is None else round(round_s * 1000)
    return position.edge, position.fraction, round_ms, position.any_way


def ends_of(net: RoadNetwork, place: Position) -> tuple[Int32Array, Int32Array]:
    """
    List the edges by which a place is reached: across the street costs nothing.

    A place where roads meet is reached by any of them.

    Returns
    -------
    edge : ndarray of int32, shape (e,)
        Edge rows.
    done_ms : ndarray of int32, shape (e,)
        Time from the start of each to the place.
    """
    if place.fraction in {0.0, 1.0}:
        ends = net.table.head if place.fraction else net.table.tail
        node = int(ends[place.edge])
        last, first = net.edges_to(node), net.edges_from(node)
        if net.closed:  # nobody arrives by a closed road
            last = last[~np.isin(last, list(net.closed))]
        edge = np.concatenate([last, first]).astype(np.int32)
        return edge, np.concatenate([net.edge_ms[last], np.zeros(len(first), np.int32)])
    edges, shares = [place.edge], [place.fraction]
    if place.turn_round_s is not None:
        edges.append(int(net.twin[place.edge]))
        shares.append(1 - place.fraction)
    done_ms = [round(s * int(net.edge_ms[e])) for e, s in zip(edges, shares, strict=True)]
    return np.array(edges, np.int32), np.array(done_ms, np.int32)


def seeds_back(
    net: RoadNetwork, end_edge: Int32Array, end_done_ms: Int32Array
) -> tuple[Int32Array, Int32Array]:
    """
    List where a backward search for a place begins.

    Returns
    -------
    state, time_ms : ndarray of int32, shape (q,)
        States from which the place lies on the next edge, and the time to it.
    """
    if not net.turns:
        return net.node_state[net.table.tail[end_edge]], end_done_ms
    state, time_ms = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
    for edge, done_ms in zip(end_edge.tolist(), end_done_ms.tolist(), strict=True):
        for own in net.states_of(edge):
            arcs = net.backward.arcs_of(own)
            state.append(arcs[:, 0])
            time_ms.append(arcs[:, 1] + np.int32(done_ms))
    return np.concatenate(state), np.concatenate(time_ms)


def seeds_ahead(net: RoadNetwork, starts: Starts) -> tuple[Int32Array, Int32Array, Int32Array]:
    """
    List where a forward search from positions begins.

    Returns
    -------
    state, time_ms, row : ndarray of int32, shape (q,)
        The states that follow the edges set out on, the time to each, and whose it is.
    """
    row, leg = np.nonzero(starts.edge >= 0)
    edge = starts.edge[row, leg]
    left_ms = starts.price_ms[row, leg].astype(np.int64) + net.edge_ms[edge]
    time_ms = np.minimum(left_ms - starts.done_ms[row, leg], UNREACHED).astype(np.int32)
    if not net.turns:
        return net.end_state[edge], time_ms, row.astype(np.int32)
    first, count = net.forward.start[edge], np.diff(net.forward.start)[edge]
    which = np.repeat(np.arange(len(edge)), count)
    skipped = np.concatenate([[0], np.cumsum(count)[:-1]]) if len(count) else count
    arcs = net.forward.arc[first[which] + np.arange(len(which)) - skipped[which]]
    begun_ms = np.minimum(arcs[:, 1] + time_ms[which].astype(np.int64), UNREACHED)
    return arcs[:, 0].copy(), begun_ms.astype(np.int32), row[which].astype(np.int32)

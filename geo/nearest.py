"""The k nearest units of every node and every road, with their ids; and kept so while one moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data.errors import InputError
from geo.kernels.nearest import BLANK, forget, gather, offer_all
from geo.kernels.nearest import nearest as spread_labels
from geo.searching import Buckets, check_node, limit_ms_of, span_ms
from geo.starts import Starts, seeds_ahead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.road_table import FloatArray, Int32Array, IntArray
    from geo.network import RoadNetwork


SPREAD_BITS = 15
"""Buckets of 33 s: units everywhere at once fill the cache, and a block driven to its end at once
stays in it; that is worth more than the labels that are made twice."""


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
        Horizon, seconds, >= 0.

    Returns
    -------
    index : ndarray of int64, shape (n, k)
        Places in `nodes`, soonest first, ties by the lower index; -1 where there are fewer.
    drive_time_s : ndarray of float64, shape (n, k)
        Their drive times, inf where there are fewer.

    Raises
    ------
    InputError
        If `k` is below 1, there is no such node, or the horizon is below 0.
    """
    _check_k(k)
    for node in nodes:
        check_node(net, int(node))
    limit_ms = limit_ms_of(within_s)
    places = np.asarray(nodes, np.int32)
    label = _blank(net.forward.count, k)
    if not net.turns:
        _spread(net, label, net.node_state[places], np.arange(len(places)), limit_ms, Buckets())
        return _read(label[net.node_state])
    edges = [net.edges_from(int(node)) for node in places]
    state = np.concatenate([np.empty(0, np.int64), *edges])
    source = np.repeat(np.arange(len(places)), [*map(len, edges)])
    _spread(net, label, state, source, limit_ms, Buckets())
    at_node = _blank(net.table.node_count, k)
    offer_all(at_node, places, np.arange(len(places)), limit_ms)
    head = np.stack([net.table.head, np.full(len(net.edge_ms), -1)], axis=1).astype(np.int32)
    gather(label, net.ghost_edge, net.whole_ms, head, limit_ms, at_node)
    return _read(at_node)


class NearestUnits:
    """
    The k nearest units of every road, kept exact while units move, come and go.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    starts : Starts
        Where the units are (`geo.starts`); a unit's row is its id.
    k : int
        How many, >= 1.
    within_s : float
        Horizon, seconds, >= 0.

    Raises
    ------
    InputError
        If `k` is below 1 or the horizon is below 0.

    Notes
    -----
    A move costs what the unit's labels cover, before and after; not the size of the network.
    """

    def __init__(
        self, net: RoadNetwork, starts: Starts, *, k: int = 2, within_s: float = np.inf
    ) -> None:
        _check_k(k)
        self._net = net
        self._limit_ms = limit_ms_of(within_s)
        self._starts = Starts(
            edge=starts.edge.copy(), done_ms=starts.done_ms.copy(), price_ms=starts.price_ms.copy()
        )
        self._label = _blank(net.forward.count, k)
        self._buckets = Buckets()
        _spread(net, self._label, *_seeds(net, self._starts), self._limit_ms, self._buckets)

    def move(self, unit: int, to: Starts) -> None:
        """
        Move a unit.

        Parameters
        ----------
        unit : int
            Its row.
        to : Starts
            Where it is now, one row; edges of -1 take it off the roads.

        Raises
        ------
        InputError
            If there is no such unit.
        """
        if not 0 <= unit < len(self._starts.edge):
            raise InputError(f"unit={unit}: must be a row from 0 to {len(self._starts.edge) - 1}")
        net, own = self._net, self._starts
        gone, _, _ = seeds_ahead(net, own.row(unit))
        state, seed = forget(
            net.forward.start,
            net.forward.arc,
            net.backward.start,
            net.backward.arc,
            net.state_ms,
            gone,
            unit,
            self._label,
        )
        width = max(own.edge.shape[1], to.edge.shape[1])
        own, to = own.widened(width), to.widened(width)
        own.edge[unit], own.done_ms[unit] = to.edge[0], to.done_ms[0]
        own.price_ms[unit] = to.price_ms[0]
        self._starts = own
        # A unit's own beginning may have been crowded out by the one that left: offer all again.
        own_state, own_seed = _seeds(net, own)
        state = np.concatenate([state, own_state])
        seeds = state, np.concatenate([seed, own_seed])
        _spread(net, self._label, *seeds, self._limit_ms, self._buckets)

    def at_middles(self) -> tuple[IntArray, FloatArray]:
        """
        Read the nearest units of the middle of every edge.

        Returns
        -------
        unit : ndarray of int64, shape (m, k)
            Rows of units, soonest first, ties by the lower row; -1 where there are fewer.
        drive_time_s : ndarray of float64, shape (m, k)
            Inf where there are fewer. The middle of a two-way street is reached from both sides.
        """
        net = self._net
        half_ms = net.half_ms
        edges = np.arange(len(half_ms), dtype=np.int32)
        sides = np.stack([edges, net.twin], axis=1).astype(np.int32)
        at_middle = _blank(len(edges), self._label.shape[1])
        own = self._starts
        row, leg = np.nonzero((own.edge >= 0) & (own.done_ms <= half_ms[own.edge]))
        edge = own.edge[row, leg]
        ahead_ms = own.price_ms[row, leg] + half_ms[edge] - own.done_ms[row, leg]
        ahead = ahead_ms.astype(np.int64) << 32 | row
        for place in sides[edge].T:
            there = place >= 0
            offer_all(at_middle, place[there].copy(), ahead[there], self._limit_ms)
        if net.turns:
            gather(self._label, net.ghost_edge, half_ms, sides, self._limit_ms, at_middle)
        else:
            begun = self._label[net.node_state[net.table.tail]]
            gather(begun, net.ghost_edge, half_ms, sides, self._limit_ms, at_middle)
        return _read(at_middle)


def _check_k(k: int) -> None:
    """
    Check how many are wanted.

    Raises
    ------
    InputError
        If it is none.
    """
    if not k >= 1:
        raise InputError(f"k={k}: must be at least 1")


def _blank(places: int, k: int) -> IntArray:
    """Make labels of nothing."""
    return np.full((places, k), BLANK, np.int64)


def _read(label: IntArray) -> tuple[IntArray, FloatArray]:
    """Part labels into sources and seconds."""
    blank = label == BLANK
    time_s = (label >> 32) / 1000
    time_s[blank] = np.inf
    source = label & (2**32 - 1)
    source[blank] = -1
    return source, time_s


def _seeds(net: RoadNetwork, starts: Starts) -> tuple[Int32Array, IntArray]:
    """List where units' labels begin."""
    state, time_ms, row = seeds_ahead(net, starts)
    return state, time_ms.astype(np.int64) << 32 | row


def _spread(
    net: RoadNetwork,
    label: IntArray,
    state: npt.NDArray[np.integer],
    seed: IntArray,
    limit_ms: int,
    buckets: Buckets,
) -> None:
    """Spread labels from seeds, in place."""
    graph = net.forward
    shift = buckets.fit(span_ms(graph, seed >> 32, limit_ms), SPREAD_BITS)
    buckets.entry = spread_labels(
        graph.start,
        graph.arc,
        graph.state_ms,
        state.astype(np.int32),
        seed,
        limit_ms,
        shift,
        label,
        buckets.entry,
        buckets.size,
    )

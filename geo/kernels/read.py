"""Drive times of many positions, read off the labels of searches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.kinds import INT, INTS, INTS_OUT, NOTHING, ROWS, ROWS_OUT, several
from geo.kernels.prefetch import prefetch
from geo.kernels.search import PAGE, PAGE_BITS, UNREACHED

if TYPE_CHECKING:
    from data.road_table import Int32Array


SOON = 16
"""How many positions ahead what belongs to their edges is asked for."""
LINE = 8
"""Entries in a stretch of the cache."""


@njit(inline="always")
def _bit_of(edge: int) -> np.uint64:
    """Give an edge's bit of 64, which it shares."""
    return np.uint64(1) << np.uint64(edge & 63)


@njit(
    NOTHING(INTS, ROWS, INTS, INTS, INTS, INTS, ROWS, ROWS, ROWS, INT, INTS_OUT),
    cache=True,
    nogil=True,
)
def read_back(
    page_of: Int32Array,
    page_ms: Int32Array,
    end_edge: Int32Array,
    end_done_ms: Int32Array,
    end_state: Int32Array,
    edge_ms: Int32Array,
    start_edge: Int32Array,
    start_done_ms: Int32Array,
    start_price_ms: Int32Array,
    limit_ms: int,
    time_ms: Int32Array,
) -> None:
    """
    Read the drive times to one place.

    Parameters
    ----------
    page_of, page_ms : ndarray of int32
        What `geo.kernels.search.keep` kept of the place's backward search.
    end_edge, end_done_ms : ndarray of int32, shape (e,)
        The edges the place lies on, and the time from their start to it.
    end_state : ndarray of int32, shape (m,)
        The state in which an edge is left; empty where that is the edge itself.
    edge_ms : ndarray of int32, shape (m,)
        Its time.
    start_edge, start_done_ms, start_price_ms : ndarray of int32, shape (k, w)
        `geo.router.Starts`.
    limit_ms : int
        Times past it are not given.
    time_ms : ndarray of int32, shape (k,)
        Filled; `UNREACHED` where there is no way within the limit.
    """
    # Hardly a position is on one of the place's edges: a bit for each tells most at once.
    own = np.uint64(0)
    for end in range(len(end_edge)):
        own |= _bit_of(end_edge[end])
    for i in range(len(start_edge)):
        best = np.int64(UNREACHED)
        soon = min(i + SOON, len(start_edge) - 1)
        for leg in range(start_edge.shape[1]):
            if len(end_state):
                prefetch(end_state, max(start_edge[soon, leg], 0))
            edge = start_edge[i, leg]
            if edge < 0:
                continue
            done_ms = start_done_ms[i, leg]
            price_ms = np.int64(start_price_ms[i, leg])
            state = end_state[edge] if len(end_state) else edge
            page = page_of[state >> PAGE_BITS]
            if page >= 0:
                rest_ms = page_ms[page, state & (PAGE - 1)]
                if rest_ms != UNREACHED:
                    best = min(best, price_ms + edge_ms[edge] - done_ms + rest_ms)
            for end in range(len(end_edge) if own & _bit_of(edge) else 0):
                if end_edge[end] == edge and end_done_ms[end] >= done_ms:
                    best = min(best, price_ms + end_done_ms[end] - done_ms)
        time_ms[i] = best if best <= limit_ms else UNREACHED


@njit(several(INTS_OUT, ROWS_OUT)(INT, INTS, INTS, INTS, INTS), cache=True, nogil=True)
def by_state(
    states: int, part_start: Int32Array, touched: Int32Array, rest_ms: Int32Array, slot: Int32Array
) -> tuple[Int32Array, Int32Array]:
    """
    Turn what many searches reached round: for each state, the stops that are reached from it.

    Parameters
    ----------
    states : int
        S.
    part_start : ndarray of int32, shape (stops + 1,)
        Stop i's search reached ``touched[part_start[i]:part_start[i + 1]]``.
    touched, rest_ms : ndarray of int32, shape (r,)
        States, and the time from each to the stop.
    slot : ndarray of int32, shape (stops,)
        What to call each stop.

    Returns
    -------
    start : ndarray of int32, shape (S + 1,)
        State s has the entries ``entry[start[s]:start[s + 1]]``.
    entry : ndarray of int32, shape (r, 2)
        A stop's slot, and the time to it.
    """
    start = np.zeros(states + 1, np.int32)
    for i in range(len(touched)):
        start[touched[i] + 1] += 1
    for s in range(states):
        start[s + 1] += start[s]
    filled = start[:-1].copy()
    entry = np.empty((len(touched), 2), np.int32)
    for stop in range(len(slot)):
        for i in range(part_start[stop], part_start[stop + 1]):
            place = filled[touched[i]]
            filled[touched[i]] += 1
            entry[place, 0] = slot[stop]
            entry[place, 1] = rest_ms[i]
    return start, entry


@njit(
    NOTHING(INTS, ROWS, INTS, ROWS, INTS, INTS, ROWS, ROWS, ROWS, INT, ROWS_OUT),
    cache=True,
    nogil=True,
)
def read_standing(
    start: Int32Array,
    entry: Int32Array,
    end_edge: Int32Array,
    end: Int32Array,
    end_state: Int32Array,
    edge_ms: Int32Array,
    start_edge: Int32Array,
    start_done_ms: Int32Array,
    start_price_ms: Int32Array,
    limit_ms: int,
    time_ms: Int32Array,
) -> None:
    """
    Read the drive times from many positions to all standing stops.

    Parameters
    ----------
    start, entry : ndarray of int32
        What `by_state` gave.
    end_edge : ndarray of int32, shape (e,)
        Edges that stops lie on, rising.
    end : ndarray of int32, shape (e, 2)
        A stop's slot, and the time from the edge's start to it.
    end_state, edge_ms, start_edge, start_done_ms, start_price_ms, limit_ms
        As `read_back` takes them.
    time_ms : ndarray of int32, shape (k, slots)
        Filled; `UNREACHED` where there is no way within the limit.
    """
    last = len(start_edge) - 1
    for i in range(len(start_edge)):
        # First where a fix's entries begin, then the entries: each would be waited for by itself.
        far, soon = min(i + 2 * SOON, last), min(i + SOON, last)
        for leg in range(start_edge.shape[1]):
            edge = start_edge[far, leg]
            if edge >= 0:
                prefetch(edge_ms, edge)
                prefetch(start, end_state[edge] if len(end_state) else edge)
            edge = start_edge[soon, leg]
            if edge >= 0:
                state = end_state[edge] if len(end_state) else edge
                for a in range(start[state], start[state + 1], LINE):
                    prefetch(entry, a)
        time_ms[i, :] = UNREACHED
        for leg in range(start_edge.shape[1]):
            edge = start_edge[i, leg]
            if edge < 0:
                continue
            ahead_ms = np.int64(start_price_ms[i, leg]) - start_done_ms[i, leg]
            whole_ms = ahead_ms + edge_ms[edge]
            state = end_state[edge] if len(end_state) else edge
            for a in range(np.uint32(start[state]), np.uint32(start[state + 1])):
                found_ms = whole_ms + entry[a, 1]
                slot = np.uint32(entry[a, 0])
                if found_ms <= limit_ms and found_ms < time_ms[i, slot]:
                    time_ms[i, slot] = found_ms
            place = np.searchsorted(end_edge, edge)
            while place < len(end_edge) and end_edge[place] == edge:
                found_ms = ahead_ms + end[place, 1]
                slot = np.uint32(end[place, 0])
                reached = end[place, 1] >= start_done_ms[i, leg] and found_ms <= limit_ms
                if reached and found_ms < time_ms[i, slot]:
                    time_ms[i, slot] = found_ms
                place += 1

"""
Shortest times from a few states, bounded: a bucket queue that costs what is reached.

Buckets are `2**shift` ms wide and used round and round (Dial 1969). Within one bucket, states are
taken in any order and taken again when they improve (Meyer and Sanders 2003), so that times are
exact to the millisecond while the queue is as cheap as one of half seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.kinds import FLOATS_OUT, INT, INTS, INTS_OUT, NOTHING, ROWS, ROWS_OUT, several

if TYPE_CHECKING:
    from data.road_table import FloatArray, Int32Array

UNREACHED = np.iinfo(np.int32).max
PAGE_BITS = 6
PAGE = 1 << PAGE_BITS  # labels of neighbouring states that are kept together

ONE = np.uint32(1)


@njit(ROWS_OUT(ROWS), cache=True, nogil=True)
def longer(pool: Int32Array) -> Int32Array:
    """Double the room of a queue."""
    more = np.empty((2 * len(pool), pool.shape[1]), np.int32)
    more[: len(pool)] = pool
    return more


@njit(
    INT(INTS, ROWS, INTS, INTS, INTS, INT, INT, INTS_OUT, INTS_OUT, INTS_OUT),
    cache=True,
    nogil=True,
)
def search(
    start: Int32Array,
    arc: Int32Array,
    state_ms: Int32Array,
    seed_state: Int32Array,
    seed_ms: Int32Array,
    limit_ms: int,
    shift: int,
    label_ms: Int32Array,
    touched: Int32Array,
    bucket: Int32Array,
) -> int:
    """
    Label all states that can be reached within a limit.

    Parameters
    ----------
    start, arc, state_ms : ndarray of int32
        A `geo.network.SearchGraph`: state s is left after `state_ms[s]`, and each arc of it takes
        its own time to the next. A state whose time is `UNREACHED` is reached and not left.
    seed_state, seed_ms : ndarray of int32, shape (q,)
        Where to begin, and at what time, >= 0.
    limit_ms : int
        Labels past it are not made; below `UNREACHED`.
    shift : int
        Buckets are ``2**shift`` ms wide.
    label_ms : ndarray of int32, shape (S,)
        All `UNREACHED` before; the times after.
    touched : ndarray of int32, shape (S,)
        Filled with the states that were reached.
    bucket : ndarray of int32, shape (a power of 2,)
        All -1 before and after; as many as the seeds and one more step can span, and one.

    Returns
    -------
    count : int
        How many states were reached.
    """
    mask = np.uint32(len(bucket) - 1)
    wide = np.uint32(shift)
    limit = np.uint32(limit_ms)
    unreached = np.uint32(UNREACHED)
    pool = np.empty((4096, 3), np.int32)  # state, time, the next one in its bucket
    used = np.uint32(0)
    waiting = np.uint32(0)
    count = np.uint32(0)
    current = unreached
    for i in range(len(seed_state)):
        t = np.uint32(seed_state[i])
        new = np.uint32(seed_ms[i])
        if new > limit or new >= np.uint32(label_ms[t]):
            continue
        if np.uint32(label_ms[t]) == unreached:
            touched[count] = t
            count += ONE
        label_ms[t] = new
        if used == np.uint32(len(pool)):
            pool = longer(pool)
        slot = (new >> wide) & mask
        pool[used, 0], pool[used, 1], pool[used, 2] = t, new, bucket[slot]
        bucket[slot] = used
        used += ONE
        waiting += ONE
        current = min(current, new >> wide)
    while waiting:
        slot = current & mask
        first = bucket[slot]
        if first < 0:
            current += ONE
            continue
        item = np.uint32(first)
        s = np.uint32(pool[item, 0])
        time_ms = pool[item, 1]
        bucket[slot] = pool[item, 2]
        waiting -= ONE
        if label_ms[s] != time_ms or np.uint32(state_ms[s]) == unreached:
            continue
        base = np.uint32(time_ms) + np.uint32(state_ms[s])  # both below 2**31
        for a in range(np.uint32(start[s]), np.uint32(start[s + ONE])):
            t = np.uint32(arc[a, 0])
            new = base + np.uint32(arc[a, 1])
            old = np.uint32(label_ms[t])
            # A sum past 2**32 wraps below base.
            if new < old and new <= limit and new >= base:
                if old == unreached:
                    touched[count] = t
                    count += ONE
                label_ms[t] = new
                if used == np.uint32(len(pool)):
                    pool = longer(pool)
                slot = (new >> wide) & mask
                pool[used, 0], pool[used, 1], pool[used, 2] = t, new, bucket[slot]
                bucket[slot] = used
                used += ONE
                waiting += ONE
    return int(count)


@njit(several(INTS_OUT, ROWS_OUT)(INTS, INTS), cache=True, nogil=True)
def keep(label_ms: Int32Array, touched: Int32Array) -> tuple[Int32Array, Int32Array]:
    """
    Keep what a search found in little room.

    Parameters
    ----------
    label_ms : ndarray of int32, shape (S,)
        The search's labels.
    touched : ndarray of int32, shape (count,)
        The states that were reached.

    Returns
    -------
    page_of : ndarray of int32, shape (S // PAGE + 1,)
        The page that holds a run of `PAGE` states, -1 where none of them was reached.
    page_ms : ndarray of int32, shape (pages, PAGE)
        Labels, `UNREACHED` where there is none.
    """
    page_of = np.full((len(label_ms) >> PAGE_BITS) + 1, -1, np.int32)
    pages = 0
    for i in range(len(touched)):
        run = touched[i] >> PAGE_BITS
        if page_of[run] < 0:
            page_of[run] = pages
            pages += 1
    page_ms = np.full((pages, PAGE), UNREACHED, np.int32)
    for i in range(len(touched)):
        t = touched[i]
        page_ms[page_of[t >> PAGE_BITS], t & (PAGE - 1)] = label_ms[t]
    return page_of, page_ms


@njit(NOTHING(INTS, INTS, INT, INTS, INTS, INTS, FLOATS_OUT), cache=True, nogil=True)
def spread(
    label_ms: Int32Array,
    touched: Int32Array,
    limit_ms: int,
    state_edge: Int32Array,
    edge_ms: Int32Array,
    far: Int32Array,
    time_ms: FloatArray,
) -> None:
    """
    Read off labels of edges at the nodes where they end.

    Parameters
    ----------
    label_ms : ndarray of int32, shape (S,)
        The search's labels.
    touched : ndarray of int32, shape (count,)
        The states that were reached.
    limit_ms : int
        Times past it are not given.
    state_edge, edge_ms, far : ndarray of int32
        A state's edge, an edge's time, and the node at its far end.
    time_ms : ndarray of float64, shape (n,)
        Lowered to the times found.
    """
    for i in range(len(touched)):
        state = touched[i]
        edge = state_edge[state]
        whole = np.int64(label_ms[state]) + edge_ms[edge]
        if whole <= limit_ms and whole < time_ms[far[edge]]:
            time_ms[far[edge]] = whole

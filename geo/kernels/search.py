"""
Shortest times from a few states, bounded: a bucket queue that costs what is reached.

Buckets are `2**shift` ms wide and used round and round (Dial 1969). Within one bucket, states are
taken in the order they came and taken again when they improve (Meyer and Sanders 2003), so that
times are exact to the millisecond. Buckets of some seconds hold dozens of states, and what comes
next in one is known: the memory of it and of its neighbours, page by page, is asked for in time
(`geo.kernels.prefetch`). Nor is an arc's outcome waited for: it is written either way, and counted
if it was an improvement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.kinds import (
    FLOATS_OUT,
    INT,
    INTS,
    INTS_OUT,
    NOTHING,
    QUEUE,
    ROWS,
    ROWS_OUT,
    TRUTHS_OUT,
    UINTS_OUT,
    UNCOUNTED,
    several,
)
from geo.kernels.prefetch import prefetch

if TYPE_CHECKING:
    import numpy.typing as npt

    from data.road_table import BoolArray, FloatArray, Int32Array

    Queue = npt.NDArray[np.uint64]
    Sizes = npt.NDArray[np.uint32]

UNREACHED = np.iinfo(np.int32).max
PAGE_BITS = 6
PAGE = 1 << PAGE_BITS  # labels of neighbouring states that are kept together

ONE = np.uint32(1)
TIME = np.uint64(32)
"""Where the time begins in an entry of a queue, ``time_ms << 32 | state``."""
AHEAD = np.uint32(16)
"""How many entries ahead the page of a state is asked for."""
_LINE = 16  # numbers of 32 bits in a stretch of the cache


@njit(QUEUE(QUEUE, UINTS_OUT), cache=True, nogil=True)
def longer(queue: Queue, size: Sizes) -> Queue:
    """Double the room of every bucket."""
    more = np.zeros((queue.shape[0], 2 * queue.shape[1]), np.uint64)
    for slot in range(len(size)):
        more[slot, : size[slot]] = queue[slot, : size[slot]]
    return more


@njit(inline="always")
def _ask_for(
    start: Int32Array,
    arc: Int32Array,
    state_ms: Int32Array,
    label_ms: Int32Array,
    asked: BoolArray,
    state: np.uint32,
) -> None:
    """Begin to load all that is known of a state and its neighbours, once for all of them."""
    page = state >> np.uint32(PAGE_BITS)
    if asked[page]:
        return
    asked[page] = True
    first = page << np.uint32(PAGE_BITS)
    for i in range(0, PAGE, _LINE):
        prefetch(start, first + np.uint32(i))
        prefetch(label_ms, first + np.uint32(i))
        prefetch(state_ms, first + np.uint32(i))
    last = min(first + np.uint32(PAGE), np.uint32(len(state_ms)))
    for i in range(start[first], start[last], _LINE // 2):
        prefetch(arc, i)


@njit(
    several(INT, INT)(
        INTS, ROWS, INTS, INT, INT, INTS_OUT, INTS_OUT, TRUTHS_OUT, QUEUE, UINTS_OUT, INT, INT
    ),
    cache=True,
    nogil=True,
    **UNCOUNTED,
)
def _settle(
    start: Int32Array,
    arc: Int32Array,
    state_ms: Int32Array,
    limit_ms: int,
    shift: int,
    label_ms: Int32Array,
    touched: Int32Array,
    asked: BoolArray,
    queue: Queue,
    size: Sizes,
    reached: int,
    first: int,
) -> tuple[int, int]:
    """
    Empty a queue, beginning with a bucket; stop where one is full, to be called again.

    Returns
    -------
    reached : int
        How many states were reached.
    current : int
        The bucket to go on with, -1 at the end.
    """
    last = np.uint32(len(size) - 1)
    ring = np.uint32(queue.shape[1] - 1)
    wide = np.uint64(shift)
    limit = np.uint64(limit_ms)
    unreached = np.uint32(UNREACHED)
    count = np.uint32(reached)
    current = np.uint32(first)
    idle = np.uint32(0)
    while idle <= last:
        here = current & last
        idle += ONE
        for j in range(min(AHEAD, size[here])):
            _ask_for(start, arc, state_ms, label_ms, asked, np.uint32(queue[here, j]))
        i = np.uint32(0)
        while i < size[here]:
            # What lies beyond the end was an entry once, so that it may be asked for.
            soon = np.uint32(queue[here, (i + AHEAD) & ring])
            _ask_for(start, arc, state_ms, label_ms, asked, soon)
            entry = queue[here, i]
            s = np.uint32(entry)
            base = entry >> TIME
            i += ONE
            if np.uint64(np.uint32(label_ms[s])) != base or np.uint32(state_ms[s]) == unreached:
                continue
            base += np.uint64(np.uint32(state_ms[s]))
            for a in range(np.uint32(start[s]), np.uint32(start[s + ONE])):
                t = np.uint32(arc[a, 0])
                new = base + np.uint64(np.uint32(arc[a, 1]))
                old = np.uint32(label_ms[t])
                better = np.uint32((new < np.uint64(old)) & (new <= limit))
                label_ms[t] = np.uint32(new) if better else old
                touched[count] = t
                count += better & np.uint32(old == unreached)
                slot = np.uint32(new >> wide) & last
                filled = size[slot]
                queue[slot, filled] = new << TIME | np.uint64(t)
                size[slot] = filled + better
                if filled + better > ring:
                    return int(count), int(current)
        if i:
            idle = np.uint32(0)
        size[here] = 0
        current += ONE
    return int(count), -1


@njit(
    several(INT, QUEUE)(
        INTS, ROWS, INTS, INTS, INTS, INT, INT, INTS_OUT, INTS_OUT, QUEUE, UINTS_OUT
    ),
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
    queue: Queue,
    size: Sizes,
) -> tuple[int, Queue]:
    """
    Label all states that can be reached within a limit.

    Parameters
    ----------
    start, arc, state_ms : ndarray of int32
        A `geo.states.SearchGraph`: state s is left after `state_ms[s]`, and each arc of it takes
        its own time to the next. A state whose time is `UNREACHED` is reached and not left.
    seed_state, seed_ms : ndarray of int32, shape (q,)
        Where to begin, and at what time, >= 0.
    limit_ms : int
        Labels past it are not made; below `UNREACHED`.
    shift : int
        Buckets are ``2**shift`` ms wide.
    label_ms : ndarray of int32, shape (S,)
        All `UNREACHED` before; the times after.
    touched : ndarray of int32, shape (S + 1,)
        Filled with the states that were reached.
    queue : ndarray of uint64, shape (a power of 2, a power of 2 from 32)
        Room for the entries of buckets: as many buckets as the seeds and one more step can span,
        and one. It holds no numbers but 0 and what searches of this graph put there.
    size : ndarray of uint32, as many as buckets
        All 0 before and after.

    Returns
    -------
    count : int
        How many states were reached.
    queue : ndarray of uint64
        The same one, or one with more room.
    """
    last = len(size) - 1
    asked = np.zeros((len(label_ms) >> PAGE_BITS) + 1, np.bool_)
    count = 0
    current = UNREACHED
    for i in range(len(seed_state)):
        t = np.uint32(seed_state[i])
        new = seed_ms[i]
        if new > limit_ms or new >= label_ms[t]:
            continue
        if label_ms[t] == UNREACHED:
            touched[count] = t
            count += 1
        label_ms[t] = new
        slot = (new >> shift) & last
        queue[slot, size[slot]] = np.uint64(new) << TIME | np.uint64(t)
        size[slot] += ONE
        if size[slot] == queue.shape[1]:
            queue = longer(queue, size)
        current = min(current, new >> shift)
    while 0 <= current < UNREACHED:
        args = (start, arc, state_ms, limit_ms, shift, label_ms, touched, asked)
        count, current = _settle(*args, queue, size, count, current)
        if current >= 0:
            queue = longer(queue, size)
    return count, queue


@njit(NOTHING(INTS_OUT, INTS), cache=True, nogil=True)
def blank(label_ms: Int32Array, touched: Int32Array) -> None:
    """Make labels `UNREACHED` again."""
    for i in range(len(touched)):
        label_ms[np.uint32(touched[i])] = UNREACHED


@njit(several(INTS_OUT, ROWS_OUT)(INTS_OUT, INTS), cache=True, nogil=True)
def keep(label_ms: Int32Array, touched: Int32Array) -> tuple[Int32Array, Int32Array]:
    """
    Keep what a search found in little room, and leave its labels blank.

    Parameters
    ----------
    label_ms : ndarray of int32, shape (S,)
        The search's labels; all `UNREACHED` after.
    touched : ndarray of int32, shape (count,)
        The states that were reached.

    Returns
    -------
    page_of : ndarray of int32, shape (S // PAGE + 1,)
        The page that holds a run of `PAGE` states, -1 where none of them was reached.
    page_ms : ndarray of int32, shape (pages, PAGE)
        Labels, `UNREACHED` where there is none.
    """
    runs = (len(label_ms) >> PAGE_BITS) + 1
    page_of = np.full(runs, -1, np.int32)
    run_of = np.empty(runs, np.int32)
    pages = 0
    for i in range(len(touched)):
        run = np.uint32(touched[i]) >> np.uint32(PAGE_BITS)
        if page_of[run] < 0:
            page_of[run] = pages
            run_of[pages] = run
            pages += 1
    page_ms = np.full((pages, PAGE), UNREACHED, np.int32)
    for page in range(pages):
        first = int(run_of[page]) << PAGE_BITS
        for i in range(min(PAGE, len(label_ms) - first)):
            page_ms[page, i] = label_ms[first + i]
            label_ms[first + i] = UNREACHED
    return page_of, page_ms


@njit(NOTHING(INTS, INTS, INT, INTS, INTS, INTS, FLOATS_OUT), cache=True, nogil=True)
def spread(
    label_ms: Int32Array,
    touched: Int32Array,
    limit_ms: int,
    ghost_edge: Int32Array,
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
    ghost_edge, edge_ms, far : ndarray of int32
        The edge of each state past the edges, an edge's time, and the node at its far end.
    time_ms : ndarray of float64, shape (n,)
        Lowered to the times found.
    """
    for i in range(len(touched)):
        state = touched[i]
        edge = state if state < len(edge_ms) else ghost_edge[state - len(edge_ms)]
        whole = np.int64(label_ms[state]) + edge_ms[edge]
        if whole <= limit_ms and whole < time_ms[far[edge]]:
            time_ms[far[edge]] = whole

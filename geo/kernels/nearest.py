"""
The k nearest sources of every state, with their ids, exact under ties; and kept so while one moves.

A label is one number, ``time_ms << 32 | source``, so that labels are in lexicographic order. The
order of sources makes the answer one and the same whatever is searched first; without it, a repair
after a move would not meet the labels that a search from scratch gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.kinds import (
    INT,
    INTS,
    LONG_ROWS_OUT,
    LONGS,
    LONGS_OUT,
    NOTHING,
    QUEUE,
    ROW,
    ROWS,
    TRUTH,
    UINTS_OUT,
    UNCOUNTED,
    several,
)
from geo.kernels.prefetch import prefetch
from geo.kernels.search import ONE, TIME, UNREACHED, longer

if TYPE_CHECKING:
    from data.road_table import Int32Array, IntArray
    from geo.kernels.search import Queue, Sizes

SOON, LATER = np.uint32(8), np.uint32(16)
"""How many entries ahead a state's arcs are asked for, and before them where they begin. Not page
by page, as in `geo.kernels.search`: what is begun all over a map does not fit the cache."""
BLANK = UNREACHED << 32 | UNREACHED
"""No label."""
_TIME = np.int64(32)
_SOURCE = np.int64(2**32 - 1)


@njit(TRUTH(LONG_ROWS_OUT, ROW, INT), cache=True, nogil=True, inline="always")
def _offer(label: IntArray, place: np.uint32, new: int) -> bool:
    """Put a label among a place's own if it belongs there."""
    columns = label.shape[1]
    source = new & _SOURCE
    j = 0
    while j < columns and label[place, j] <= new:
        if label[place, j] & _SOURCE == source:
            return False
        j += 1
    if j == columns:
        return False
    while j < columns:
        pushed = label[place, j]
        label[place, j] = new
        if pushed & _SOURCE == source:
            break
        new = pushed
        j += 1
    return True


@njit(
    INT(INTS, ROWS, INTS, INT, INT, LONG_ROWS_OUT, QUEUE, UINTS_OUT, INT),
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
    label: IntArray,
    queue: Queue,
    size: Sizes,
    first: int,
) -> int:
    """
    Empty a queue as `geo.kernels.search` does; of an entry, go on with the labels of its time.

    Returns
    -------
    current : int
        The bucket to go on with when there is more room, -1 at the end.
    """
    columns = label.shape[1]
    last = np.uint32(len(size) - 1)
    ring = np.uint32(queue.shape[1] - 1)
    current = np.uint32(first)
    idle = np.uint32(0)
    while idle <= last:
        here = current & last
        idle += ONE
        i = np.uint32(0)
        while i < size[here]:
            later = np.uint32(queue[here, (i + LATER) & ring])
            prefetch(start, later)
            prefetch(label, later)
            prefetch(state_ms, later)
            prefetch(arc, np.uint32(start[np.uint32(queue[here, (i + SOON) & ring])]))
            s = np.uint32(queue[here, i])
            time_ms = np.int64(queue[here, i] >> TIME)
            i += ONE
            if state_ms[s] == UNREACHED:
                continue
            base_ms = time_ms + state_ms[s]
            for j in range(columns):
                own = label[s, j]
                if own >> _TIME != time_ms:
                    continue
                for a in range(np.uint32(start[s]), np.uint32(start[s + ONE])):
                    t = np.uint32(arc[a, 0])
                    new_ms = base_ms + arc[a, 1]
                    new = new_ms << _TIME | own & _SOURCE
                    if columns == 1:  # written either way: the outcome is not waited for
                        old = label[t, 0]
                        better = (new < old) & (new_ms <= limit_ms)
                        label[t, 0] = new if better else old
                    else:
                        better = new_ms <= limit_ms and _offer(label, t, new)
                    slot = np.uint32(new_ms >> shift) & last
                    filled = size[slot]
                    queue[slot, filled] = np.uint64(new_ms) << TIME | np.uint64(t)
                    size[slot] = filled + np.uint32(better)
                    if filled + np.uint32(better) > ring:
                        return int(current)
        if i:
            idle = np.uint32(0)
        size[here] = 0
        current += ONE
    return -1


@njit(
    QUEUE(INTS, ROWS, INTS, INTS, LONGS, INT, INT, LONG_ROWS_OUT, QUEUE, UINTS_OUT),
    cache=True,
    nogil=True,
)
def nearest(
    start: Int32Array,
    arc: Int32Array,
    state_ms: Int32Array,
    seed_state: Int32Array,
    seed: IntArray,
    limit_ms: int,
    shift: int,
    label: IntArray,
    queue: Queue,
    size: Sizes,
) -> Queue:
    """
    Spread labels from seeds until no state's k labels improve.

    Parameters
    ----------
    start, arc, state_ms, limit_ms, shift, queue, size
        As `geo.kernels.search.search` takes them.
    seed_state : ndarray of int32, shape (q,)
        Where sources begin.
    seed : ndarray of int64, shape (q,)
        Their labels.
    label : ndarray of int64, shape (S, k)
        Labels so far, rising, `BLANK` where there is none; the final ones after.

    Returns
    -------
    queue : ndarray of uint64
        The same one, or one with more room.
    """
    last = len(size) - 1
    current = UNREACHED
    for i in range(len(seed_state)):
        t = np.uint32(seed_state[i])
        new_ms = seed[i] >> _TIME
        if new_ms > limit_ms or not _offer(label, t, seed[i]):
            continue
        slot = (new_ms >> shift) & last
        queue[slot, size[slot]] = np.uint64(new_ms) << TIME | np.uint64(t)
        size[slot] += ONE
        if size[slot] == queue.shape[1]:
            queue = longer(queue, size)
        current = min(current, new_ms >> shift)
    while 0 <= current < UNREACHED:
        current = _settle(start, arc, state_ms, limit_ms, shift, label, queue, size, current)
        if current >= 0:
            queue = longer(queue, size)
    return queue


@njit(
    several(INT, LONGS_OUT)(LONG_ROWS_OUT, ROW, INT, LONGS_OUT, INT),
    cache=True,
    nogil=True,
)
def _take(
    label: IntArray, state: np.uint32, gone: int, found: IntArray, count: int
) -> tuple[int, IntArray]:
    """Take a source's label off a state, and list the state if it had one."""
    last = label.shape[1] - 1
    for j in range(last + 1):
        if label[state, j] & _SOURCE == gone:
            for i in range(j, last):
                label[state, i] = label[state, i + 1]
            label[state, last] = BLANK
            if count == len(found):
                more = np.empty(2 * count, np.int64)
                more[:count] = found
                found = more
            found[count] = state
            return count + 1, found
    return count, found


@njit(
    several(LONGS_OUT, LONGS_OUT)(INTS, ROWS, INTS, ROWS, INTS, INTS, INT, LONG_ROWS_OUT),
    cache=True,
    nogil=True,
)
def forget(
    start: Int32Array,
    arc: Int32Array,
    back_start: Int32Array,
    back_arc: Int32Array,
    state_ms: Int32Array,
    seed_state: Int32Array,
    gone: int,
    label: IntArray,
) -> tuple[IntArray, IntArray]:
    """
    Take a source's labels away, and list what its neighbours offer instead.

    A state that holds a source's label has it from a state that holds one too, so all of them are
    found by walking from the source's seeds.

    Parameters
    ----------
    start, arc, state_ms
        The graph that was searched.
    back_start, back_arc
        The same with all arcs turned round.
    seed_state : ndarray of int32, shape (q,)
        Where the source began.
    gone : int
        The source.
    label : ndarray of int64, shape (S, k)
        Labels; without the source's after.

    Returns
    -------
    state, seed : ndarray of int64, shape (r,)
        Seeds for `nearest` that make the labels whole again, together with all sources' own.
    """
    columns = label.shape[1]
    found = np.empty(1024, np.int64)
    count = 0
    for i in range(len(seed_state)):
        count, found = _take(label, np.uint32(seed_state[i]), gone, found, count)
    done = 0
    while done < count:
        s = found[done]
        done += 1
        for a in range(start[s], start[s + 1]):
            count, found = _take(label, np.uint32(arc[a, 0]), gone, found, count)
    room = 0
    for i in range(count):
        room += (back_start[found[i] + 1] - back_start[found[i]]) * columns
    state = np.empty(room, np.int64)
    seed = np.empty(room, np.int64)
    offers = 0
    for i in range(count):
        s = found[i]
        for a in range(back_start[s], back_start[s + 1]):
            p = back_arc[a, 0]
            if state_ms[p] == UNREACHED:
                continue
            step_ms = np.int64(state_ms[p]) + back_arc[a, 1]
            for j in range(columns):
                new_ms = (label[p, j] >> _TIME) + step_ms
                if label[p, j] == BLANK or new_ms >= UNREACHED:
                    break
                new = new_ms << _TIME | label[p, j] & _SOURCE
                if new >= label[s, columns - 1]:
                    break
                state[offers] = s
                seed[offers] = new
                offers += 1
    return state[:offers].copy(), seed[:offers].copy()


@njit(NOTHING(LONG_ROWS_OUT, INTS, LONGS, INT), cache=True, nogil=True)
def offer_all(label: IntArray, place: Int32Array, new: IntArray, limit_ms: int) -> None:
    """
    Put labels among those of places.

    Parameters
    ----------
    label : ndarray of int64, shape (p, k)
        The places' labels, as `nearest` keeps a state's.
    place : ndarray of int32, shape (r,)
        Which place each is offered to.
    new : ndarray of int64, shape (r,)
        What is offered.
    limit_ms : int
        Times past it are not taken.
    """
    for i in range(len(place)):
        if new[i] >> _TIME <= limit_ms:
            _offer(label, np.uint32(place[i]), new[i])


@njit(
    NOTHING(LONG_ROWS_OUT, INTS, INTS, ROWS, INT, LONG_ROWS_OUT),
    cache=True,
    nogil=True,
)
def gather(
    label: IntArray,
    ghost_edge: Int32Array,
    add_ms: Int32Array,
    place_of: Int32Array,
    limit_ms: int,
    place_label: IntArray,
) -> None:
    """
    Read off labels of edges at the places that lie so much further on.

    Parameters
    ----------
    label : ndarray of int64, shape (S, k)
        The states' labels.
    ghost_edge : ndarray of int32, shape (S - m,)
        The edge of each state past the edges.
    add_ms : ndarray of int32, shape (m,)
        From where an edge is begun to the place.
    place_of : ndarray of int32, shape (m, 2)
        Up to two places of each edge, -1 for none.
    limit_ms : int
        Times past it are not taken.
    place_label : ndarray of int64, shape (p, k)
        The places' labels.
    """
    for state in range(len(label)):
        edge = state if state < len(add_ms) else ghost_edge[state - len(add_ms)]
        for j in range(label.shape[1]):
            new_ms = (label[state, j] >> _TIME) + add_ms[edge]
            if label[state, j] == BLANK or new_ms > limit_ms:
                break
            new = new_ms << _TIME | label[state, j] & _SOURCE
            for side in range(2):
                place = place_of[edge, side]
                if place >= 0:
                    _offer(place_label, np.uint32(place), new)

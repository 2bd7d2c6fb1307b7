"""
Contraction of states, one after the other, the least important first (Geisberger et al. 2008).

A state is taken out, and every way through it that may be a shortest one is replaced by a shortcut.
What remains keeps all times. The arcs that a state has when it is taken out lead to, or come from,
states that are taken out later: above it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.kinds import (
    INT,
    INTS,
    INTS_OUT,
    LONGS_OUT,
    NOTHING,
    ROWS,
    ROWS_OUT,
    several,
)
from geo.kernels.search import UNREACHED

if TYPE_CHECKING:
    from data.road_table import Int32Array, IntArray

MOST_SEEN = 1 << 14
"""States that a search round another sees at the most."""
LEVEL, GROWTH = 120, 1000
"""
What a level above others, and a shortcut for each arc taken out, put a state off. Of levels from
120 to 1,000 the lowest made the fewest arcs, on networks with turns and without, and soonest.
"""
_LOW = np.int64(2**32 - 1)


@njit(INT(LONGS_OUT, INT, INT), cache=True, nogil=True)
def _push(heap: IntArray, size: int, key: int) -> int:
    """Put a key on a binary heap with room; give its size."""
    i = size
    while i > 0:
        above = (i - 1) >> 1
        if heap[above] <= key:
            break
        heap[i] = heap[above]
        i = above
    heap[i] = key
    return size + 1


@njit(INT(LONGS_OUT, INT), cache=True, nogil=True)
def _pop(heap: IntArray, size: int) -> int:
    """Take the least key, at 0, off a binary heap; give its size."""
    size -= 1
    key = heap[size]
    i = 0
    while 2 * i + 1 < size:
        below = 2 * i + 1
        if below + 1 < size and heap[below + 1] < heap[below]:
            below += 1
        if heap[below] >= key:
            break
        heap[i] = heap[below]
        i = below
    heap[i] = key
    return size


@njit(several(ROWS_OUT, INT)(ROWS_OUT, INTS_OUT, INT, INT, INT, INT), cache=True, nogil=True)
def _link(
    pool: Int32Array, first: Int32Array, used: int, at: int, other: int, ms: int
) -> tuple[Int32Array, int]:
    """Give a state an arc, or make the one it has quicker."""
    i = first[at]
    while i >= 0:
        if pool[i, 0] == other:
            pool[i, 1] = min(pool[i, 1], ms)
            return pool, used
        i = pool[i, 2]
    if used == len(pool):
        more = np.empty((2 * len(pool), 3), np.int32)
        more[: len(pool)] = pool
        pool = more
    pool[used, 0], pool[used, 1], pool[used, 2] = other, ms, first[at]
    first[at] = used
    return pool, used + 1


@njit(NOTHING(ROWS_OUT, INTS_OUT, INT, INT), cache=True, nogil=True)
def _unlink(pool: Int32Array, first: Int32Array, at: int, other: int) -> None:
    """Take an arc from a state."""
    before = -1
    i = first[at]
    while pool[i, 0] != other:
        before = i
        i = pool[i, 2]
    if before < 0:
        first[at] = pool[i, 2]
    else:
        pool[before, 2] = pool[i, 2]


@njit(
    INT(INT, INT, INT, INT, ROWS_OUT, INTS_OUT, INT, INTS_OUT, INTS_OUT, LONGS_OUT, INTS_OUT),
    cache=True,
    nogil=True,
)
def _go_round(
    u: int,
    v: int,
    limit: np.int64,
    wanted: int,
    out: Int32Array,
    out_first: Int32Array,
    most: int,
    seen_ms: Int32Array,
    want_ms: Int32Array,
    heap: IntArray,
    touched: Int32Array,
) -> int:
    """
    Search from u without v, and take the mark off states reached as soon as they are wanted.

    Returns
    -------
    count : int
        How many states of `touched` have a time in `seen_ms`.
    """
    seen_ms[u] = 0
    touched[0] = u
    count = 1
    heap[0] = u
    size = 1
    settled = 0
    while size and wanted and settled < most:
        key = heap[0]
        size = _pop(heap, size)
        ms = key >> 32
        s = key & _LOW
        if seen_ms[s] != ms:
            continue
        settled += 1
        a = out_first[s]
        while a >= 0:
            t = out[a, 0]
            new = ms + out[a, 1]
            a = out[a, 2]
            if t == v or new > limit or new >= seen_ms[t] or max(size, count) == MOST_SEEN:
                continue
            if seen_ms[t] == UNREACHED:
                touched[count] = t
                count += 1
            seen_ms[t] = new
            if new <= want_ms[t]:
                want_ms[t] = -1
                wanted -= 1
            size = _push(heap, size, new << 32 | t)
    return count


@njit(
    several(INT, INT, ROWS_OUT)(
        INT,
        ROWS_OUT,
        INTS_OUT,
        ROWS_OUT,
        INTS_OUT,
        INT,
        INTS_OUT,
        INTS_OUT,
        LONGS_OUT,
        INTS_OUT,
        ROWS_OUT,
    ),
    cache=True,
    nogil=True,
)
def _shortcuts(
    v: int,
    out: Int32Array,
    out_first: Int32Array,
    into: Int32Array,
    into_first: Int32Array,
    most: int,
    seen_ms: Int32Array,
    want_ms: Int32Array,
    heap: IntArray,
    touched: Int32Array,
    found: Int32Array,
) -> tuple[int, int, Int32Array]:
    """
    List the shortcuts that a state needs: ways through it that no search finds a way round for.

    Returns
    -------
    count : int
        How many rows of `found` (tail, head, ms) are filled.
    arcs : int
        How many arcs the state has.
    found : ndarray of int32, shape (>= count, 3)
        As given, or longer.
    """
    count = arcs = 0
    j = out_first[v]
    while j >= 0:
        arcs += 1
        j = out[j, 2]
    i = into_first[v]
    while i >= 0:
        arcs += 1
        u = into[i, 0]
        in_ms = np.int64(into[i, 1])
        i = into[i, 2]
        limit = np.int64(-1)
        wanted = 0
        j = out_first[v]
        while j >= 0:
            through = in_ms + out[j, 1]
            # A way as long as UNREACHED is none.
            if out[j, 0] != u and through < UNREACHED:
                limit = max(limit, through)
                want_ms[out[j, 0]] = through
                wanted += 1
            j = out[j, 2]
        seen = _go_round(u, v, limit, wanted, out, out_first, most, seen_ms, want_ms, heap, touched)
        j = out_first[v]
        while j >= 0:
            w = out[j, 0]
            if want_ms[w] >= 0:
                if count == len(found):
                    more = np.empty((2 * count, 3), np.int32)
                    more[:count] = found
                    found = more
                found[count, 0], found[count, 1], found[count, 2] = u, w, want_ms[w]
                count += 1
                want_ms[w] = -1
            j = out[j, 2]
        for m in range(seen):
            seen_ms[touched[m]] = UNREACHED
    return count, arcs, found


@njit(
    several(INTS_OUT, ROWS_OUT, INTS_OUT, ROWS_OUT)(INTS, ROWS, INTS, INT),
    cache=True,
    nogil=True,
)
def contract(
    start: Int32Array, arc: Int32Array, state_ms: Int32Array, most: int
) -> tuple[Int32Array, Int32Array, Int32Array, Int32Array]:
    """
    Contract all states.

    Parameters
    ----------
    start, arc, state_ms : ndarray of int32
        A `geo.states.SearchGraph`.
    most : int
        States that a search round a state settles. More find more ways round, and take longer.

    Returns
    -------
    up_first, up : ndarray of int32, shapes (S,) and (a, 3)
        Arcs to states above: lists of (state, ms, next row), where each begins, -1 at the end.
    down_first, down : ndarray of int32, shapes (S,) and (b, 3)
        The same for arcs that come from states above.
    """
    count = len(state_ms)
    out = np.empty((2 * len(arc) + 1, 3), np.int32)
    into = np.empty((2 * len(arc) + 1, 3), np.int32)
    out_first = np.full(count, -1, np.int32)
    into_first = np.full(count, -1, np.int32)
    outs = ins = 0
    for s in range(count):
        if state_ms[s] == UNREACHED:
            continue
        for a in range(start[s], start[s + 1]):
            t = arc[a, 0]
            ms = np.int64(state_ms[s]) + arc[a, 1]
            if t != s and ms < UNREACHED:
                out, outs = _link(out, out_first, outs, s, t, ms)
                into, ins = _link(into, into_first, ins, t, s, ms)
    seen_ms = np.full(count, UNREACHED, np.int32)
    want_ms = np.full(count, -1, np.int32)
    heap = np.empty(MOST_SEEN, np.int64)
    touched = np.empty(MOST_SEEN, np.int32)
    found = np.empty((1024, 3), np.int32)
    level = np.zeros(count, np.int64)
    queue = np.empty(count + 1, np.int64)
    size = 0
    for s in range(count):
        new, arcs, found = _shortcuts(
            s, out, out_first, into, into_first, most, seen_ms, want_ms, heap, touched, found
        )
        size = _push(queue, size, GROWTH * new // max(arcs, 1) << 32 | s)
    while size:
        key = queue[0]
        size = _pop(queue, size)
        v = key & _LOW
        new, arcs, found = _shortcuts(
            v, out, out_first, into, into_first, most, seen_ms, want_ms, heap, touched, found
        )
        priority = LEVEL * level[v] + GROWTH * new // max(arcs, 1)
        # Others were taken out since it was weighed: it may have to wait.
        if size and priority > queue[0] >> 32:
            size = _push(queue, size, priority << 32 | v)
            continue
        i = into_first[v]
        while i >= 0:
            _unlink(out, out_first, into[i, 0], v)
            level[into[i, 0]] = max(level[into[i, 0]], level[v] + 1)
            i = into[i, 2]
        i = out_first[v]
        while i >= 0:
            _unlink(into, into_first, out[i, 0], v)
            level[out[i, 0]] = max(level[out[i, 0]], level[v] + 1)
            i = out[i, 2]
        for f in range(new):
            out, outs = _link(out, out_first, outs, found[f, 0], found[f, 1], found[f, 2])
            into, ins = _link(into, into_first, ins, found[f, 1], found[f, 0], found[f, 2])
    return out_first, out[:outs].copy(), into_first, into[:ins].copy()

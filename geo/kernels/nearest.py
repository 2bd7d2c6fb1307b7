"""
The k nearest sources of every state, with their ids, exact under ties; and kept so while one moves.

A state holds k labels (time, source), all of different sources, in lexicographic order. The order
of sources makes the answer one and the same whatever is searched first; without it a repair after
a move would not meet the labels that a search from scratch gives.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from geo.kernels.search import ONE, UNREACHED, longer


@njit("b1(i4[:,::1], i4[:,::1], u4, i4, i4)", cache=True, nogil=True, inline="always")
def _offer(time_ms, source, state, new, who):
    """Put a label among a state's own if it belongs there."""
    last = time_ms.shape[1] - 1
    if new > time_ms[state, last] or (new == time_ms[state, last] and who >= source[state, last]):
        return False
    place = last
    for j in range(last):
        if source[state, j] == who:
            if new >= time_ms[state, j]:
                return False
            place = j
            break
    while place > 0 and (
        new < time_ms[state, place - 1]
        or (new == time_ms[state, place - 1] and who < source[state, place - 1])
    ):
        time_ms[state, place] = time_ms[state, place - 1]
        source[state, place] = source[state, place - 1]
        place -= 1
    time_ms[state, place] = new
    source[state, place] = who
    return True


@njit(
    "void(i4[::1], i4[:,::1], i4[::1], i4[::1], i4[::1], i4[::1], i8, i8, i4[:,::1], i4[:,::1],"
    " i4[::1])",
    cache=True,
    nogil=True,
)
def nearest(
    start, arc, state_ms, seed_state, seed_ms, seed_source, limit_ms, shift, time_ms, source, bucket
):
    """
    Spread labels from seeds until no state's k labels improve.

    Parameters
    ----------
    start, arc, state_ms, limit_ms, shift, bucket
        As `geo.kernels.search.search` takes them.
    seed_state, seed_ms, seed_source : ndarray of int32, shape (q,)
        Where sources begin, at what time, and which source that is.
    time_ms : ndarray of int32, shape (S, k)
        Labels so far, soonest first, `UNREACHED` where there is none; the final ones after.
    source : ndarray of int32, shape (S, k)
        Their sources; -1 where there is none.
    """
    mask = np.uint32(len(bucket) - 1)
    wide = np.uint32(shift)
    limit = np.uint32(limit_ms)
    columns = time_ms.shape[1]
    pool = np.empty((4096, 4), np.int32)  # state, time, the next one in its bucket, source
    used = np.uint32(0)
    waiting = np.uint32(0)
    current = np.uint32(UNREACHED)
    for i in range(len(seed_state)):
        new = np.uint32(seed_ms[i])
        t = np.uint32(seed_state[i])
        if new > limit or not _offer(time_ms, source, t, seed_ms[i], seed_source[i]):
            continue
        if used == np.uint32(len(pool)):
            pool = longer(pool)
        slot = (new >> wide) & mask
        pool[used, 0], pool[used, 1], pool[used, 2] = t, new, bucket[slot]
        pool[used, 3] = seed_source[i]
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
        label_ms = pool[item, 1]
        who = pool[item, 3]
        bucket[slot] = pool[item, 2]
        waiting -= ONE
        held = False
        for j in range(columns):
            held |= time_ms[s, j] == label_ms and source[s, j] == who
        if not held or state_ms[s] == UNREACHED:
            continue
        base = np.uint32(label_ms) + np.uint32(state_ms[s])
        for a in range(np.uint32(start[s]), np.uint32(start[s + ONE])):
            t = np.uint32(arc[a, 0])
            new = base + np.uint32(arc[a, 1])
            if new > limit or new < base:
                continue
            if not _offer(time_ms, source, t, np.int32(new), who):
                continue
            if used == np.uint32(len(pool)):
                pool = longer(pool)
            slot = (new >> wide) & mask
            pool[used, 0], pool[used, 1], pool[used, 2] = t, new, bucket[slot]
            pool[used, 3] = who
            bucket[slot] = used
            used += ONE
            waiting += ONE


@njit(
    "Tuple((i8, i4[:,::1]))(i4[:,::1], i4[:,::1], i4, i4, i8, i4[:,::1], i8)",
    cache=True,
    nogil=True,
)
def _take(time_ms, source, state, gone, last, found, count):
    """Take a source's label off a state, and list the state if it had one."""
    for j in range(last + 1):
        if source[state, j] == gone:
            for i in range(j, last):
                time_ms[state, i] = time_ms[state, i + 1]
                source[state, i] = source[state, i + 1]
            time_ms[state, last] = UNREACHED
            source[state, last] = -1
            if count == len(found):
                found = longer(found)
            found[count, 0] = state
            return count + 1, found
    return count, found


@njit(
    "Tuple((i4[::1], i4[::1], i4[::1]))"
    "(i4[::1], i4[:,::1], i4[::1], i4[:,::1], i4[::1], i4[::1], i4, i4[:,::1], i4[:,::1])",
    cache=True,
    nogil=True,
)
def forget(start, arc, back_start, back_arc, state_ms, seed_state, gone, time_ms, source):
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
    time_ms, source : ndarray of int32, shape (S, k)
        Labels; without the source's after.

    Returns
    -------
    state, offer_ms, offer_source : ndarray of int32, shape (r,)
        Seeds for `nearest` that make the labels whole again, together with all sources' own.
    """
    last = time_ms.shape[1] - 1
    found = np.empty((1024, 1), np.int32)
    count = 0
    for i in range(len(seed_state)):
        count, found = _take(time_ms, source, seed_state[i], gone, last, found, count)
    done = 0
    while done < count:
        s = found[done, 0]
        done += 1
        for a in range(start[s], start[s + 1]):
            count, found = _take(time_ms, source, arc[a, 0], gone, last, found, count)
    offers = 0
    for i in range(count):
        s = found[i, 0]
        offers += (back_start[s + 1] - back_start[s]) * (last + 1)
    state = np.empty(offers, np.int32)
    offer_ms = np.empty(offers, np.int32)
    offer_source = np.empty(offers, np.int32)
    offers = 0
    for i in range(count):
        s = found[i, 0]
        for a in range(back_start[s], back_start[s + 1]):
            p = back_arc[a, 0]
            if state_ms[p] == UNREACHED:
                continue
            for j in range(last + 1):
                if source[p, j] < 0:
                    break
                new = np.int64(time_ms[p, j]) + state_ms[p] + back_arc[a, 1]
                if new < time_ms[s, last] or (
                    new == time_ms[s, last] and source[p, j] < source[s, last]
                ):
                    state[offers] = s
                    offer_ms[offers] = new
                    offer_source[offers] = source[p, j]
                    offers += 1
    return state[:offers].copy(), offer_ms[:offers].copy(), offer_source[:offers].copy()


@njit(
    "void(i4[:,::1], i4[:,::1], i4[::1], i4[::1], i4[::1], i8)",
    cache=True,
    nogil=True,
)
def offer_all(time_ms, source, place, offer_ms, offer_source, limit_ms):
    """
    Put labels among those of places.

    Parameters
    ----------
    time_ms, source : ndarray of int32, shape (p, k)
        The places' labels, as `nearest` keeps a state's.
    place, offer_ms, offer_source : ndarray of int32, shape (r,)
        What is offered to which place.
    limit_ms : int
        Times past it are not taken.
    """
    for i in range(len(place)):
        if offer_ms[i] <= limit_ms:
            _offer(time_ms, source, np.uint32(place[i]), offer_ms[i], offer_source[i])


@njit(
    "void(i4[:,::1], i4[:,::1], i4[::1], i4[::1], i4[:,::1], i8, i4[:,::1], i4[:,::1])",
    cache=True,
    nogil=True,
)
def gather(time_ms, source, state_edge, add_ms, place_of, limit_ms, place_ms, place_source):
    """
    Read off labels of edges at the places that lie so much further on.

    Parameters
    ----------
    time_ms, source : ndarray of int32, shape (S, k)
        The states' labels.
    state_edge : ndarray of int32, shape (S,)
        A state's edge.
    add_ms : ndarray of int32, shape (m,)
        From where an edge is begun to the place.
    place_of : ndarray of int32, shape (m, 2)
        Up to two places of each edge, -1 for none.
    limit_ms : int
        Times past it are not taken.
    place_ms, place_source : ndarray of int32, shape (p, k)
        The places' labels.
    """
    columns = time_ms.shape[1]
    for state in range(len(state_edge)):
        edge = state_edge[state]
        for j in range(columns):
            if source[state, j] < 0:
                break
            new = np.int64(time_ms[state, j]) + add_ms[edge]
            if new > limit_ms:
                break
            for side in range(2):
                place = place_of[edge, side]
                if place >= 0:
                    _offer(
                        place_ms, place_source, np.uint32(place), np.int32(new), source[state, j]
                    )

"""
Times of many snapshots at once: one sweep down a hierarchy (PHAST, Delling et al. 2011).

A label row holds one state's times in `LANES` snapshots, side by side, so that a processor works on
many at once. Labels are uint32 though times fit int32: `UNREACHED` and the longest arc add up
without going round, and a minimum against `UNREACHED` brings the sum back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit, types

from geo.kernels.kinds import INTS, INTS_OUT, NOTHING, ROWS, several
from geo.kernels.search import UNREACHED

if TYPE_CHECKING:
    import numpy.typing as npt

    from data.road_table import Int32Array

LANES = 64
_FAR = np.uint32(UNREACHED)
_ONE = np.uint64(1)
_WIDE = np.uint64(LANES)
_LABELS = types.Array(types.uint32, 1, "C")
_FLAGS = types.Array(types.boolean, 1, "C")


@njit(
    several(INTS_OUT, INTS_OUT, INTS_OUT)(INTS, INTS, ROWS, INTS),
    cache=True,
    nogil=True,
)
def arrange(
    order: Int32Array, first: Int32Array, pool: Int32Array, rank: Int32Array
) -> tuple[Int32Array, Int32Array, Int32Array]:
    """Lay lists of arcs one after the other, in an order of states."""
    start = np.empty(len(order) + 1, np.int32)
    state = np.empty(len(pool), np.int32)
    ms = np.empty(len(pool), np.int32)
    used = 0
    for i in range(len(order)):
        start[i] = used
        a = first[order[i]]
        while a >= 0:
            state[used], ms[used] = pool[a, 0], pool[a, 1]
            used += 1
            a = pool[a, 2]
    start[len(order)] = used
    return start, state[:used].copy(), ms[:used].copy()


@njit(INTS_OUT(INTS, ROWS, INTS, ROWS), cache=True, nogil=True)
def sweep_order(
    up_first: Int32Array, up: Int32Array, down_first: Int32Array, down: Int32Array
) -> Int32Array:
    """
    Order states so that each comes after those above it, and neighbours stay together.

    Parameters
    ----------
    up_first, up, down_first, down : ndarray of int32
        As `geo.kernels.contract.contract` gives them.

    Returns
    -------
    order : ndarray of int32, shape (S,)
        States by their own numbers, each preceded by those above it that were not listed before.
    """
    count = len(up_first)
    order = np.empty(count, np.int32)
    listed = 0
    opened = np.zeros(count, np.bool_)
    cursor = np.empty((count, 2), np.int32)
    stack = np.empty(count, np.int32)
    for s in range(count):
        if opened[s]:
            continue
        stack[0] = s
        depth = 1
        opened[s] = True
        cursor[s, 0], cursor[s, 1] = up_first[s], down_first[s]
        while depth:
            v = stack[depth - 1]
            t = -1
            while t < 0 and cursor[v, 0] >= 0:
                if not opened[up[cursor[v, 0], 0]]:
                    t = up[cursor[v, 0], 0]
                cursor[v, 0] = up[cursor[v, 0], 2]
            while t < 0 and cursor[v, 1] >= 0:
                if not opened[down[cursor[v, 1], 0]]:
                    t = down[cursor[v, 1], 0]
                cursor[v, 1] = down[cursor[v, 1], 2]
            if t >= 0:
                opened[t] = True
                cursor[t, 0], cursor[t, 1] = up_first[t], down_first[t]
                stack[depth] = t
                depth += 1
            else:
                order[listed] = v
                listed += 1
                depth -= 1
    return order


@njit(
    NOTHING(INTS, INTS, INTS, INTS, INTS, INTS, INTS, INTS, INTS, INTS, _FLAGS, _LABELS),
    cache=True,
    nogil=True,
)
def sweep(
    order: Int32Array,
    up_start: Int32Array,
    up_state: Int32Array,
    up_ms: Int32Array,
    down_start: Int32Array,
    down_state: Int32Array,
    down_ms: Int32Array,
    seed_state: Int32Array,
    seed_ms: Int32Array,
    seed_lane: Int32Array,
    begun: npt.NDArray[np.bool_],
    label: npt.NDArray[np.uint32],
) -> None:
    """Label all states in all lanes."""
    for i in range(len(seed_state)):
        row = np.uint64(seed_state[i]) * _WIDE
        if not begun[seed_state[i]]:
            begun[seed_state[i]] = True
            for j in range(np.uint64(LANES)):
                label[row + j] = _FAR
        at = row + np.uint64(seed_lane[i])
        label[at] = min(label[at], np.uint32(seed_ms[i]))
    for i in range(len(order) - 1, -1, -1):
        if not begun[order[i]]:
            continue
        row = np.uint64(order[i]) * _WIDE
        for a in range(np.uint64(up_start[i]), np.uint64(up_start[i + 1])):
            t = np.uint64(up_state[a])
            ms = np.uint32(up_ms[a])
            above = t * _WIDE
            if not begun[t]:
                begun[t] = True
                for j in range(np.uint64(LANES)):
                    label[above + j] = min(_FAR, np.uint32(label[row + j] + ms))
            else:
                for j in range(np.uint64(LANES)):
                    label[above + j] = min(label[above + j], np.uint32(label[row + j] + ms))
    for i in range(np.uint64(len(order))):
        s = np.uint64(order[i])
        row = s * _WIDE
        if not begun[s]:
            for j in range(np.uint64(LANES)):
                label[row + j] = _FAR
        begun[s] = False
        for a in range(np.uint64(down_start[i]), np.uint64(down_start[i + _ONE])):
            above = np.uint64(down_state[a]) * _WIDE
            ms = np.uint32(down_ms[a])
            for j in range(np.uint64(LANES)):
                label[row + j] = min(label[row + j], np.uint32(label[above + j] + ms))

"""Contracted states put in an order to sweep them in, and their arcs laid out in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.kinds import INTS, INTS_OUT, ROWS, several

if TYPE_CHECKING:
    from data.road_table import Int32Array


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
    several(INTS_OUT, INTS_OUT, INTS_OUT)(INTS, INTS, INTS, ROWS),
    cache=True,
    nogil=True,
)
def lay_out(
    order: Int32Array, row: Int32Array, first: Int32Array, pool: Int32Array
) -> tuple[Int32Array, Int32Array, Int32Array]:
    """
    Lay lists of arcs one after the other, in an order of states.

    Parameters
    ----------
    order, row : ndarray of int32, shape (S,)
        States by row, and the row of each state.
    first, pool : ndarray of int32, shapes (S,) and (a, 3)
        Lists as `geo.kernels.contract.contract` gives them.

    Returns
    -------
    start : ndarray of int32, shape (S + 1,)
        Row i has the arcs from ``start[i]`` to ``start[i + 1]``.
    other, ms : ndarray of int32, shape (a,)
        The row at an arc's other end, and its time.
    """
    start = np.empty(len(order) + 1, np.int32)
    other = np.empty(len(pool), np.int32)
    ms = np.empty(len(pool), np.int32)
    used = 0
    for i in range(len(order)):
        start[i] = used
        a = first[order[i]]
        while a >= 0:
            other[used], ms[used] = row[pool[a, 0]], pool[a, 1]
            used += 1
            a = pool[a, 2]
    start[len(order)] = used
    return start, other[:used].copy(), ms[:used].copy()

"""
The two nearest units of many snapshots at once: `geo.kernels.sweep` with two labels a lane.

A label is one number, ``time_ms << UNIT_BITS | unit``, so that labels are in lexicographic order
and ties go to the lower unit. A row holds the first labels of all lanes, then the second ones,
which are another unit's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit, types

from geo.kernels.kinds import (
    FLOATS_OUT,
    INT,
    INTS,
    INTS_OUT,
    LONGS,
    LONGS_OUT,
    NOTHING,
    UNCOUNTED,
)
from geo.kernels.search import UNREACHED
from geo.kernels.sweep import FLAGS

if TYPE_CHECKING:
    from data.road_table import BoolArray, FloatArray, Int32Array, IntArray

LANES_OF_TWO = 32
UNIT_BITS = 30
NOBODY = UNREACHED << UNIT_BITS
"""No label. With the longest arc on it, it still is a positive int64."""
_NOBODY = np.int64(NOBODY)
_UNIT = np.int64(2**UNIT_BITS - 1)
_SHIFT = np.int64(UNIT_BITS)
_PLACE = types.uint64
_ONE, _TWO = np.uint64(1), np.uint64(2)
_WIDE = np.uint64(LANES_OF_TWO)
_ROW = np.uint64(2 * LANES_OF_TWO)


@njit(NOTHING(INTS, LONGS, INTS, FLAGS, LONGS_OUT), cache=True, nogil=True)
def seed_two(
    row: Int32Array, new: IntArray, lane: Int32Array, begun: BoolArray, label: IntArray
) -> None:
    """
    Put the first labels into a table.

    Parameters
    ----------
    row, lane : ndarray of int32, shape (q,)
        Where, and in which lane.
    new : ndarray of int64, shape (q,)
        Labels.
    begun : ndarray of bool, shape (rows,)
        Rows that hold labels; what stands in others is old.
    label : ndarray of int64, shape (rows * 2 * LANES_OF_TWO,)
        The table.
    """
    for i in range(len(row)):
        own = np.uint64(row[i]) * _ROW
        if not begun[row[i]]:
            begun[row[i]] = True
            for j in range(_ROW):
                label[own + j] = _NOBODY
        own += np.uint64(lane[i])
        first = label[own]
        low, high = min(first, new[i]), max(first, new[i])
        rest = _NOBODY if (low ^ high) & _UNIT == 0 else high
        label[own] = low
        label[own + _WIDE] = min(label[own + _WIDE], rest)


@njit(NOTHING(LONGS_OUT, _PLACE, INT, LONGS_OUT, _PLACE), cache=True, nogil=True, inline="always")
def _merge(
    label: IntArray, there: np.uint64, step: np.int64, out: IntArray, own: np.uint64
) -> None:
    """Offer a row's labels, so much later, to another row."""
    for j in range(_WIDE):
        first, new = out[own + j], label[there + j] + step
        second = min(out[own + _WIDE + j], label[there + _WIDE + j] + step)
        low, high = min(first, new), max(first, new)
        out[own + j] = low
        # The later of two firsts is no second if it is the same unit's.
        out[own + _WIDE + j] = min(second, _NOBODY if (low ^ high) & _UNIT == 0 else high)


@njit(NOTHING(INTS, INTS, INTS, FLAGS, LONGS_OUT), cache=True, nogil=True, **UNCOUNTED)
def lift_two(
    start: Int32Array, other: Int32Array, ms: Int32Array, begun: BoolArray, label: IntArray
) -> None:
    """
    Carry labels up a hierarchy, from the rows that hold any.

    Parameters
    ----------
    start, other, ms : ndarray of int32
        Arcs to rows above, as `geo.hierarchy.Hierarchy` has them.
    begun, label
        As `seed_two` takes them.
    """
    for i in range(len(start) - 2, -1, -1):
        if not begun[i]:
            continue
        own = np.uint64(i) * _ROW
        for a in range(np.uint64(start[i]), np.uint64(start[i + 1])):
            above = np.uint64(other[a]) * _ROW
            if not begun[other[a]]:
                begun[other[a]] = True
                for j in range(_ROW):
                    label[above + j] = _NOBODY
            _merge(label, own, np.int64(ms[a]) << _SHIFT, label, above)


@njit(
    NOTHING(INTS, INTS, INTS, FLAGS, _PLACE, LONGS_OUT, LONGS_OUT, _PLACE),
    cache=True,
    nogil=True,
    inline="always",
)
def _pull_row(
    start: Int32Array,
    other: Int32Array,
    ms: Int32Array,
    begun: BoolArray,
    i: int,
    label: IntArray,
    out: IntArray,
    own: np.uint64,
) -> None:
    """Give one row the two soonest of what it holds, where it is begun, and of what arcs bring."""
    a = np.uint64(start[i])
    end = np.uint64(start[i + _ONE])
    if begun[i]:
        begun[i] = False
    elif a < end:
        there = np.uint64(other[a]) * _ROW
        step = np.int64(ms[a]) << _SHIFT
        for j in range(_ROW):
            out[own + j] = min(_NOBODY, label[there + j] + step)
        a += _ONE
    else:
        for j in range(_ROW):
            out[own + j] = _NOBODY
    while a < end:
        _merge(label, np.uint64(other[a]) * _ROW, np.int64(ms[a]) << _SHIFT, out, own)
        a += _ONE


@njit(NOTHING(INTS, INTS, INTS, FLAGS, LONGS_OUT, LONGS_OUT), cache=True, nogil=True, **UNCOUNTED)
def pull_two(
    start: Int32Array,
    other: Int32Array,
    ms: Int32Array,
    begun: BoolArray,
    label: IntArray,
    out: IntArray,
) -> None:
    """
    Give each row of a table the two soonest of what it holds and of what its arcs bring.

    Parameters
    ----------
    start, other, ms, begun
        As `geo.kernels.sweep.pull` takes them.
    label, out : ndarray of int64, shape (rows * 2 * LANES_OF_TWO,)
        Tables, which may be one.
    """
    for i in range(np.uint64(len(start) - 1)):
        _pull_row(start, other, ms, begun, i, label, out, i * _ROW)


@njit(
    NOTHING(INTS, INTS, INTS, FLAGS, LONGS_OUT, LONGS_OUT, INT, INTS_OUT, FLOATS_OUT),
    cache=True,
    nogil=True,
    error_model="numpy",
    **UNCOUNTED,
)
def read_two(
    start: Int32Array,
    other: Int32Array,
    ms: Int32Array,
    begun: BoolArray,
    label: IntArray,
    out: IntArray,
    count: int,
    unit: Int32Array,
    time_s: FloatArray,
) -> None:
    """
    Read units and seconds off what `pull_two` would give, without a table of it.

    Parameters
    ----------
    start, other, ms, begun, label
        As `pull_two` takes them.
    out : ndarray of int64, shape ((rows + 1) * 2 * LANES_OF_TWO,)
        What rows hold that are begun; the last row is room for one of the others at a time, which
        stays in the cache.
    count : int
        How many lanes are in use.
    unit : ndarray of int32, shape (rows * count * 2,)
        Filled lane by lane, first labels before second ones; -1 where there is none.
    time_s : ndarray of float64, shape (rows * count * 2,)
        The same, inf where there is none.
    """
    used = np.uint64(count)
    rows = np.uint64(len(start) - 1)
    for i in range(rows):
        own = (i if begun[i] else rows) * _ROW
        _pull_row(start, other, ms, begun, i, label, out, own)
        for j in range(used):
            at = _TWO * (i * used + j)
            for which in range(_TWO):
                one = out[own + which * _WIDE + j]
                there = one < _NOBODY
                unit[at + which] = one & _UNIT if there else -1
                time_s[at + which] = (one >> _SHIFT) / 1000 if there else np.inf

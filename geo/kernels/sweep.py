"""
Times of many snapshots at once: one sweep down a hierarchy (PHAST, Delling et al. 2011).

A row holds one state's labels in all lanes, a lane being a snapshot, side by side, so that a
processor works on several at once. Times are uint32 though they fit int32: `UNREACHED` and the
longest arc add up without going round, and a minimum against `UNREACHED` brings the sum back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit, types

from geo.kernels.kinds import INTS, NOTHING
from geo.kernels.search import UNREACHED

if TYPE_CHECKING:
    import numpy.typing as npt

    from data.road_table import BoolArray, Int32Array

    Uint32Array = npt.NDArray[np.uint32]

LANES = 64
"""A literal, so that loops over lanes become vector instructions without a rest."""
_FAR = np.uint32(UNREACHED)
_ONE = np.uint64(1)
_WIDE = np.uint64(LANES)
_LABELS = types.Array(types.uint32, 1, "C")
FLAGS = types.Array(types.boolean, 1, "C")


@njit(NOTHING(INTS, INTS, INTS, FLAGS, _LABELS), cache=True, nogil=True)
def seed(
    row: Int32Array, seed_ms: Int32Array, lane: Int32Array, begun: BoolArray, label: Uint32Array
) -> None:
    """
    Put the first labels into a table.

    Parameters
    ----------
    row, seed_ms, lane : ndarray of int32, shape (q,)
        Where, when (>= 0) and in which lane.
    begun : ndarray of bool, shape (rows,)
        Rows that hold labels; what stands in others is old.
    label : ndarray of uint32, shape (rows * LANES,)
        The table.
    """
    for i in range(len(row)):
        first = np.uint64(row[i]) * _WIDE
        if not begun[row[i]]:
            begun[row[i]] = True
            for j in range(_WIDE):
                label[first + j] = _FAR
        at = first + np.uint64(lane[i])
        label[at] = min(label[at], np.uint32(seed_ms[i]))


@njit(NOTHING(INTS, INTS, INTS, FLAGS, _LABELS), cache=True, nogil=True)
def lift(
    start: Int32Array, other: Int32Array, ms: Int32Array, begun: BoolArray, label: Uint32Array
) -> None:
    """
    Carry labels up a hierarchy, from the rows that hold any.

    Parameters
    ----------
    start, other, ms : ndarray of int32
        Arcs to rows above, as `geo.hierarchy.Hierarchy` has them.
    begun, label
        As `seed` takes them.
    """
    rows = label.reshape(-1, LANES)
    for i in range(len(start) - 2, -1, -1):
        if not begun[i]:
            continue
        own = rows[np.uint64(i)]
        for a in range(np.uint64(start[i]), np.uint64(start[i + 1])):
            above, add_ms = rows[np.uint64(other[a])], np.uint32(ms[a])
            if begun[other[a]]:
                for j in range(LANES):
                    above[j] = min(above[j], np.uint32(own[j] + add_ms))
            else:
                begun[other[a]] = True
                for j in range(LANES):
                    above[j] = min(_FAR, np.uint32(own[j] + add_ms))


@njit(NOTHING(INTS, INTS, INTS, FLAGS, _LABELS, _LABELS), cache=True, nogil=True)
def pull(
    start: Int32Array,
    other: Int32Array,
    ms: Int32Array,
    begun: BoolArray,
    label: Uint32Array,
    out: Uint32Array,
) -> None:
    """
    Give each row of a table the soonest of what it holds and of what its arcs bring.

    Parameters
    ----------
    start, other, ms : ndarray of int32
        Row i of `out` has the arcs from ``start[i]`` to ``start[i + 1]``, which come from rows
        `other` of `label`.
    begun : ndarray of bool, shape (rows,)
        Rows of `out` that hold labels; all False after.
    label, out : ndarray of uint32, shape (rows * LANES,)
        Tables. They may be one, where arcs come from rows before their own: a sweep down.
    """
    # Rows of their own, an arc at a time: two at once, in one long row, took a third longer.
    rows, out_rows = label.reshape(-1, LANES), out.reshape(-1, LANES)
    for i in range(np.uint64(len(start) - 1)):
        own = out_rows[i]
        a = np.uint64(start[i])
        end = np.uint64(start[i + _ONE])
        if begun[i]:
            begun[i] = False
        elif a < end:
            there, add_ms = rows[np.uint64(other[a])], np.uint32(ms[a])
            for j in range(LANES):
                own[j] = min(_FAR, np.uint32(there[j] + add_ms))
            a += _ONE
        else:
            for j in range(LANES):
                own[j] = _FAR
        while a < end:
            there, add_ms = rows[np.uint64(other[a])], np.uint32(ms[a])
            for j in range(LANES):
                own[j] = min(own[j], np.uint32(there[j] + add_ms))
            a += _ONE

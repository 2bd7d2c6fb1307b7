"""The edges on which positions lie, both ways of a street, in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.kinds import FLOATS, INTS, NOTHING, ROWS_OUT

if TYPE_CHECKING:
    from data.road_table import FloatArray, Int32Array


@njit(NOTHING(INTS, FLOATS, INTS, INTS, INTS, ROWS_OUT, ROWS_OUT, ROWS_OUT), cache=True, nogil=True)
def list_starts(
    edge: Int32Array,
    fraction: FloatArray,
    turn_round_ms: Int32Array,
    twin: Int32Array,
    edge_ms: Int32Array,
    start_edge: Int32Array,
    done_ms: Int32Array,
    price_ms: Int32Array,
) -> None:
    """
    List the edge of each position, and the same street the other way.

    Parameters
    ----------
    edge, fraction, turn_round_ms : ndarray, shape (k,)
        As `geo.starts.starts_at` takes them.
    twin, edge_ms : ndarray of int32, shape (m,)
        Of every edge: the other way, -1 for none; its time.
    start_edge, done_ms, price_ms : ndarray of int32, shape (k, 2)
        Filled; -1, 0 and 0 for no edge.
    """
    for k in range(len(edge)):
        start_edge[k, :], done_ms[k, :], price_ms[k, :] = -1, 0, 0
        if edge[k] < 0:
            continue
        start_edge[k, 0] = edge[k]
        done_ms[k, 0] = np.int32(np.rint(fraction[k] * edge_ms[edge[k]]))
        back = twin[edge[k]]
        if turn_round_ms[k] >= 0 and back >= 0:
            start_edge[k, 1], price_ms[k, 1] = back, turn_round_ms[k]
            done_ms[k, 1] = np.int32(np.rint((1 - fraction[k]) * edge_ms[back]))

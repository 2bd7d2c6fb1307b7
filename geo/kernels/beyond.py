"""How much road of each cell was out of reach, in whole millimetres: exact in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.kinds import INT, INTS, LONGS, LONGS_OUT, NOTHING
from geo.kernels.sweep_two import LANES_OF_TWO, UNIT_BITS

if TYPE_CHECKING:
    from data.road_table import Int32Array, IntArray

BIN_MS, BINS = 10_000, 180
"""Drive times are counted in bins of 10 s; the last of `BINS` + 1 is all above half an hour."""
_ROW = np.uint64(2 * LANES_OF_TWO)
_WIDE = np.uint64(LANES_OF_TWO)
_SHIFT = np.uint64(UNIT_BITS)
_BIN = np.uint64(BIN_MS)
_LAST = np.uint64(BINS)
_ALL = np.uint64(BINS + 1)
_TWO = np.uint64(2)


@njit(
    NOTHING(LONGS, INTS, LONGS, LONGS, LONGS, INTS, INT, LONGS_OUT, LONGS_OUT),
    cache=True,
    nogil=True,
)
def add_beyond(
    cell_start: IntArray,
    edge: Int32Array,
    road_mm: IntArray,
    limit_ms: IntArray,
    label: IntArray,
    hour: Int32Array,
    cells: int,
    late_mm: IntArray,
    time_mm: IntArray,
) -> None:
    """
    Add the roads of some snapshots up, cell by cell.

    Parameters
    ----------
    cell_start : ndarray of int64, shape (c + 1,)
        Cell i has the rows from ``cell_start[i]`` to ``cell_start[i + 1]`` of the next three.
    edge : ndarray of int32, shape (m,)
        Edges, by their cells.
    road_mm, limit_ms : ndarray of int64, shape (m,)
        Length of road of each, and T there.
    label : ndarray of int64, shape (edges * 2 * LANES_OF_TWO,)
        Of the middles of edges, as `geo.kernels.sweep_two` lays them.
    hour : ndarray of int32, shape (lanes in use,)
        To which row of `late_mm` each snapshot goes.
    cells : int
        c.
    late_mm : ndarray of int64, shape (hours * c * 2,)
        Road beyond T of the first and the second car, added to.
    time_mm : ndarray of int64, shape (c * 2 * (BINS + 1),)
        Road by drive time, added to.
    """
    for cell in range(np.uint64(cells)):
        for i in range(np.uint64(cell_start[cell]), np.uint64(cell_start[cell + np.uint64(1)])):
            own = np.uint64(edge[i]) * _ROW
            for car in range(_TWO):
                bins = (cell * _TWO + car) * _ALL
                for j in range(np.uint64(len(hour))):
                    time_ms = np.uint64(label[own + car * _WIDE + j]) >> _SHIFT
                    if time_ms > np.uint64(limit_ms[i]):
                        at = (np.uint64(hour[j]) * np.uint64(cells) + cell) * _TWO + car
                        late_mm[at] += road_mm[i]
                    time_mm[bins + min(time_ms // _BIN, _LAST)] += road_mm[i]

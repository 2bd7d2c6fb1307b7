"""The cells of a uniform grid that the segments of roads pass through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.kinds import (
    FLOAT,
    FLOAT_ROWS,
    FLOAT_ROWS_OUT,
    FLOATS,
    INT,
    INTS,
    INTS_OUT,
    LONGS,
    NOTHING,
    ROWS,
    ROWS_OUT,
    several,
)

if TYPE_CHECKING:
    from data.road_table import FloatArray, Int32Array, IntArray

EDGE, BACK, POINT, FLAGS, OWNED = 0, 1, 2, 3, 4  # columns of `geo.snap_grid.SnapGrid.owner`
FIRST, LAST = 16, 32  # flags of an edge's segments
PAD_DEG = 1e-9  # 0.1 mm: a place on the border of two cells is found in either


@njit(INT(FLOAT, FLOAT, FLOAT, INT), cache=True, nogil=True, inline="always")
def cell_of(deg: float, origin_deg: float, cell_deg: float, count: int) -> int:
    """
    Give the row or column of cells in which a coordinate lies.

    Returns
    -------
    cell : int
        The first or last where it lies outside.
    """
    # In floats: a place half round the earth must not overflow.
    return int(min(max(np.floor((deg - origin_deg) / cell_deg), 0.0), count - 1.0))


@njit(
    several(INT, INT)(FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, INT),
    cache=True,
    nogil=True,
    inline="always",
)
def _columns(
    lon0: float,
    lat0: float,
    lon1: float,
    lat1: float,
    low: float,
    high: float,
    west: float,
    cell: float,
    count: int,
) -> tuple[int, int]:
    """Give the columns that a segment passes between two latitudes."""
    begin, end = 0.0, 1.0
    if lat1 != lat0:
        at_low, at_high = (low - lat0) / (lat1 - lat0), (high - lat0) / (lat1 - lat0)
        begin, end = max(0.0, min(at_low, at_high)), min(1.0, max(at_low, at_high))
    one, other = lon0 + begin * (lon1 - lon0), lon0 + end * (lon1 - lon0)
    first = cell_of(min(one, other) - PAD_DEG, west, cell, count)
    return first, cell_of(max(one, other) + PAD_DEG, west, cell, count)


@njit(INT(FLOAT_ROWS, FLOATS, INT, INT, INTS_OUT), cache=True, nogil=True)
def count_segments(
    ends: FloatArray,
    frame: FloatArray,
    columns: int,
    rows: int,
    count: Int32Array,
) -> int:
    """
    Count the segments that pass through each cell.

    Parameters
    ----------
    ends : ndarray of float64, shape (s, 4)
        Longitude and latitude of the begin and end of each segment.
    frame : ndarray of float64, shape (4,)
        West, south, width and height of a cell, degrees.
    columns, rows : int
        Of cells.
    count : ndarray of int32, shape (rows * columns,)
        Zeros; filled.

    Returns
    -------
    total : int
        Of all cells.
    """
    west, south, width, height = frame
    total = 0
    for i in range(len(ends)):
        lon0, lat0, lon1, lat1 = ends[i, 0], ends[i, 1], ends[i, 2], ends[i, 3]
        first = cell_of(min(lat0, lat1) - PAD_DEG, south, height, rows)
        last = cell_of(max(lat0, lat1) + PAD_DEG, south, height, rows)
        for row in range(first, last + 1):
            low = south + row * height - PAD_DEG
            high = south + (row + 1) * height + PAD_DEG
            begin, end = _columns(lon0, lat0, lon1, lat1, low, high, west, width, columns)
            for cell in range(row * columns + begin, row * columns + end + 1):
                count[cell] += 1
            total += end - begin + 1
    return total


@njit(
    NOTHING(ROWS, FLOAT_ROWS, FLOATS, INT, INT, INTS_OUT, ROWS_OUT, FLOAT_ROWS_OUT),
    cache=True,
    nogil=True,
)
def place_segments(
    segment: Int32Array,
    ends: FloatArray,
    frame: FloatArray,
    columns: int,
    rows: int,
    free: Int32Array,
    owner: Int32Array,
    line: FloatArray,
) -> None:
    """
    List the segments cell by cell.

    Parameters
    ----------
    segment : ndarray of int32, shape (s, 4)
        Rows of `owner`.
    ends, frame, columns, rows
        As `count_segments` takes them.
    free : ndarray of int32, shape (rows * columns,)
        Where the list of each cell begins; where it ends, after.
    owner : ndarray of int32, shape (e, 4)
        Filled.
    line : ndarray of float64, shape (e, 4)
        Filled: the ends.
    """
    west, south, width, height = frame
    for i in range(len(ends)):
        lon0, lat0, lon1, lat1 = ends[i, 0], ends[i, 1], ends[i, 2], ends[i, 3]
        first = cell_of(min(lat0, lat1) - PAD_DEG, south, height, rows)
        last = cell_of(max(lat0, lat1) + PAD_DEG, south, height, rows)
        for row in range(first, last + 1):
            low = south + row * height - PAD_DEG
            high = south + (row + 1) * height + PAD_DEG
            begin, end = _columns(lon0, lat0, lon1, lat1, low, high, west, width, columns)
            for cell in range(row * columns + begin, row * columns + end + 1):
                slot = free[cell]
                free[cell] = slot + 1
                for column in range(4):
                    owner[slot, column] = segment[i, column]
                    line[slot, column] = ends[i, column]


@njit(NOTHING(LONGS, FLOATS, FLOATS, INTS, INTS_OUT), cache=True, nogil=True)
def mirror(
    shape_start: IntArray,
    lon_deg: FloatArray,
    lat_deg: FloatArray,
    twin: Int32Array,
    back: Int32Array,
) -> None:
    """
    Find the edges whose twin has the same line backward: one of the two is enough in a grid.

    Parameters
    ----------
    shape_start, lon_deg, lat_deg
        The lines, as `data.road_table.RoadTable` has them.
    twin : ndarray of int32, shape (m,)
        The same road the other way, or -1.
    back : ndarray of int32, shape (m,)
        Filled: for the lower row of two such edges the other, for that one -2, for all else -1.
    """
    back[:] = -1
    for edge in range(len(twin)):
        other = twin[edge]
        if other <= edge:
            continue
        first, last = shape_start[edge], shape_start[other + 1] - 1
        count = shape_start[edge + 1] - first
        same = count == last + 1 - shape_start[other]
        moves = False  # a line of no length has no direction to turn round
        i = 0
        while same and i < count:
            same = lon_deg[first + i] == lon_deg[last - i]
            same &= lat_deg[first + i] == lat_deg[last - i]
            moves |= lon_deg[first + i] != lon_deg[first]
            moves |= lat_deg[first + i] != lat_deg[first]
            i += 1
        if same and moves:
            back[edge], back[other] = other, -2

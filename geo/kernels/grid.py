"""The cells of a uniform grid that the segments of roads pass through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.kinds import (
    FLOAT,
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

# Columns of `geo.snap_grid.SnapGrid.segment`.
EDGE, BACK, POINT, FLAGS, EAST0, NORTH0, EAST1, NORTH1, SEGMENT = 0, 1, 2, 3, 4, 5, 6, 7, 8
FIRST, LAST = 16, 32  # flags of an edge's segments
PAD = 1.0  # units, at most 11 mm: a place on the border of two cells is found in either


@njit(INT(FLOAT, FLOAT, FLOAT, INT), cache=True, nogil=True, inline="always")
def cell_of(at: float, origin: float, cell: float, count: int) -> int:
    """
    Give the row or column of cells in which a coordinate lies.

    Returns
    -------
    cell : int
        The first or last where it lies outside.
    """
    # In floats: a place half round the earth must not overflow.
    return int(min(max(np.floor((at - origin) / cell), 0.0), count - 1.0))


@njit(
    several(INT, INT)(FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, FLOAT, INT),
    cache=True,
    nogil=True,
    inline="always",
)
def _columns(
    east0: float,
    north0: float,
    east1: float,
    north1: float,
    low: float,
    high: float,
    west: float,
    cell: float,
    count: int,
) -> tuple[int, int]:
    """Give the columns that a segment passes between two latitudes."""
    begin, end = 0.0, 1.0
    if north1 != north0:
        rise = north1 - north0
        at_low, at_high = (low - north0) / rise, (high - north0) / rise
        begin, end = max(0.0, min(at_low, at_high)), min(1.0, max(at_low, at_high))
    one, other = east0 + begin * (east1 - east0), east0 + end * (east1 - east0)
    first = cell_of(min(one, other) - PAD, west, cell, count)
    return first, cell_of(max(one, other) + PAD, west, cell, count)


@njit(INT(ROWS, FLOATS, INT, INT, INTS_OUT), cache=True, nogil=True)
def count_segments(
    segment: Int32Array,
    frame: FloatArray,
    columns: int,
    rows: int,
    count: Int32Array,
) -> int:
    """
    Count the segments that pass through each cell.

    Parameters
    ----------
    segment : ndarray of int32, shape (s, 8)
        As in `geo.snap_grid.SnapGrid`, each once.
    frame, columns, rows
        As in `geo.snap_grid.SnapGrid`.
    count : ndarray of int32, shape (rows * columns,)
        Zeros; filled.

    Returns
    -------
    total : int
        Of all cells.
    """
    west, south, width, height = frame[0], frame[1], frame[2], frame[3]
    total = 0
    for i in range(len(segment)):
        east0, north0 = float(segment[i, EAST0]), float(segment[i, NORTH0])
        east1, north1 = float(segment[i, EAST1]), float(segment[i, NORTH1])
        first = cell_of(min(north0, north1) - PAD, south, height, rows)
        last = cell_of(max(north0, north1) + PAD, south, height, rows)
        for row in range(first, last + 1):
            low, high = south + row * height - PAD, south + (row + 1) * height + PAD
            begin, end = _columns(east0, north0, east1, north1, low, high, west, width, columns)
            for cell in range(row * columns + begin, row * columns + end + 1):
                count[cell] += 1
            total += end - begin + 1
    return total


@njit(NOTHING(ROWS, FLOATS, INT, INT, INTS_OUT, ROWS_OUT), cache=True, nogil=True)
def place_segments(
    segment: Int32Array,
    frame: FloatArray,
    columns: int,
    rows: int,
    free: Int32Array,
    placed: Int32Array,
) -> None:
    """
    List the segments cell by cell.

    Parameters
    ----------
    segment, frame, columns, rows
        As `count_segments` takes them.
    free : ndarray of int32, shape (rows * columns,)
        Where the list of each cell begins; where it ends, after.
    placed : ndarray of int32, shape (e, 8)
        Filled.
    """
    west, south, width, height = frame[0], frame[1], frame[2], frame[3]
    for i in range(len(segment)):
        east0, north0 = float(segment[i, EAST0]), float(segment[i, NORTH0])
        east1, north1 = float(segment[i, EAST1]), float(segment[i, NORTH1])
        first = cell_of(min(north0, north1) - PAD, south, height, rows)
        last = cell_of(max(north0, north1) + PAD, south, height, rows)
        for row in range(first, last + 1):
            low, high = south + row * height - PAD, south + (row + 1) * height + PAD
            begin, end = _columns(east0, north0, east1, north1, low, high, west, width, columns)
            for cell in range(row * columns + begin, row * columns + end + 1):
                slot = free[cell]
                free[cell] = slot + 1
                for column in range(SEGMENT):
                    placed[slot, column] = segment[i, column]


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

"""
The segments near a place, out of a grid; and memory asked for before it is needed.

All is inlined where it is called: passing arrays for each fix would take longer than the work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.eight import EIGHT, measure_eight
from geo.kernels.grid import PAD, cell_of
from geo.kernels.kinds import FLOAT, FLOATS, INT, INTS, ROWS, several
from geo.kernels.prefetch import prefetch

if TYPE_CHECKING:
    import numpy.typing as npt

    from data.road_table import FloatArray, Int32Array, IntArray

    Rows = npt.NDArray[np.uint32]
    Near = tuple[FloatArray, FloatArray, Rows, FloatArray, Rows, Rows, FloatArray]
    Grid = tuple[float, float, float, FloatArray, int, int, Int32Array, Int32Array]

AHEAD = 4  # fixes: what is about them is asked for before their turn
AHEAD_CELLS = 0.35  # how far, in cells of a town: the window of a common receiver
SAME_M = 1e-6  # distances so near to each other are the same

GRID = several(FLOAT, FLOAT, FLOAT, FLOATS, INT, INT, INTS, ROWS)
"""`geo.snap_grid.SnapGrid.cells`."""


@njit(inline="always")
def measure_near(
    frame: FloatArray,
    columns: int,
    rows: int,
    start: Int32Array,
    segment: Int32Array,
    east: float,
    north: float,
    units_m: tuple[float, float],
    within_m: float,
    near: Near,
    found: int,
) -> tuple[int, float]:
    """
    Measure to all segments in the cells about a place, on the plane that touches the earth there.

    Parameters
    ----------
    frame, columns, rows, start, segment
        Of a `geo.snap_grid.SnapGrid`.
    east, north : float
        The place, units.
    units_m : tuple of float
        The length of a unit eastward and northward there.
    within_m : float
        All segments so near are among those measured.
    near
        Written after the first `found`: the square of the distance to a segment, m2, the share
        of it before its nearest point, and its row.
    found : int
        How many are there already.

    Returns
    -------
    found : int
        How many are there then; more than there is room for where it does not suffice.
    clear_m : float
        All segments so near are among them, too: `within_m` or more.
    """
    square, along, row = near[0], near[1], near[2]
    west, south, width, height = frame[0], frame[1], frame[2], frame[3]
    east_m, north_m = units_m
    reach_east, reach_north = within_m / east_m + PAD, within_m / north_m + PAD
    beside = east + reach_east < west or east - reach_east > west + columns * width
    if beside or north + reach_north < south or north - reach_north > south + rows * height:
        return found, within_m
    first = cell_of(east - reach_east, west, width, columns)
    last = cell_of(east + reach_east, west, width, columns)
    bottom = cell_of(north - reach_north, south, height, rows)
    top = cell_of(north + reach_north, south, height, rows)
    for line in range(bottom, top + 1):
        # The cells of a row lie one after the other.
        begin, end = start[line * columns + first], start[line * columns + last + 1]
        if found + end - begin + EIGHT > len(row):
            return found + end - begin + EIGHT, within_m
        for i in range(begin, end, EIGHT):
            measure_eight(
                segment, i, east, north, east_m, north_m, square, along, found + i - begin
            )
            at = np.uint32(found + i - begin)
            for j in range(EIGHT):
                row[at + np.uint32(j)] = i + j
        found += end - begin
    # There is nothing beyond the border of the grid.
    on_west = np.inf if first == 0 else east - (west + first * width)
    on_east = np.inf if last == columns - 1 else west + (last + 1) * width - east
    on_south = np.inf if bottom == 0 else north - (south + bottom * height)
    on_north = np.inf if top == rows - 1 else south + (top + 1) * height - north
    clear_m = min(min(on_west, on_east) * east_m, min(on_south, on_north) * north_m)
    return found, max(within_m, clear_m)


@njit(inline="always")
def least(square: FloatArray, found: int) -> float:
    """
    Give the least of the squares; what lies after them, `EIGHT` at the most, is lost.

    Returns
    -------
    least : float
        Inf of none.
    """
    for i in range(found, found + 3):
        square[i] = np.inf
    # Four at a time: one would wait for the one before.
    one = other = third = fourth = np.inf
    for i in range(0, found, 4):
        one = min(one, square[i])
        other = min(other, square[i + 1])
        third = min(third, square[i + 2])
        fourth = min(fourth, square[i + 3])
    return min(one, other, third, fourth)


@njit(inline="always")
def keep_near(near: Near, found: int, within_m: float) -> int:
    """
    Keep the segments within a distance, in their order.

    Returns
    -------
    kept : int
        How many.
    """
    square, along, row = near[0], near[1], near[2]
    kept, limit = 0, within_m * within_m
    for i in range(found):
        # Written in any case and counted where near: a branch would be guessed wrong.
        off, to = square[i], np.uint32(kept)
        square[to], along[to], row[to] = off, along[i], row[i]
        kept += off <= limit
    return kept


@njit(inline="always")
def corners_of(grid: Grid, asked: FloatArray, order: IntArray) -> Int32Array:
    """
    Give the cell in which the window of each fix begins, near enough to ask ahead.

    Parameters
    ----------
    grid
        `geo.snap_grid.SnapGrid.cells`.
    asked : ndarray of float64, shape (5, k)
        Longitudes and latitudes first.
    order : ndarray of int64, shape (k,)
        In which fixes are taken.

    Returns
    -------
    corner : ndarray of int32, shape (k,)
        In that order; 0 for a place elsewhere.
    """
    lon_0, lat_0, unit_deg, frame, columns, rows, _, _ = grid
    corner = np.empty(len(order), np.int32)
    across, up = 1 / (unit_deg * frame[2]), 1 / (unit_deg * frame[3])
    west, south = frame[0] / frame[2] + AHEAD_CELLS, frame[1] / frame[3] + AHEAD_CELLS
    for p in range(len(order)):
        column = (asked[0, order[p]] - lon_0) * across - west
        row = (asked[1, order[p]] - lat_0) * up - south
        inside = 0 <= column < columns and 0 <= row < rows
        corner[p] = np.int32(row) * columns + np.int32(column) if inside else 0
    return corner


@njit(inline="always")
def ask_ahead(
    start: Int32Array, segment: Int32Array, columns: int, corner: Int32Array, p: int
) -> None:
    """
    Begin to load what is about the fixes that are soon looked up: cells first, then segments.

    Parameters
    ----------
    start, segment, columns
        Of a `geo.snap_grid.SnapGrid`.
    corner : ndarray of int32, shape (k,)
        As `corners_of` gives it.
    p : int
        The fix whose turn it is.
    """
    if p + 2 * AHEAD < len(corner):
        cell = corner[p + 2 * AHEAD]
        prefetch(start, cell)
        prefetch(start, cell + columns)
    if p + AHEAD < len(corner):
        last = len(start) - 1
        for row in range(2):
            cell = corner[p + AHEAD] + row * columns
            # Two segments lie in one stretch of the cache.
            for i in range(start[min(cell, last)], start[min(cell + 2, last)], 2):
                prefetch(segment, i)


@njit(inline="always")
def is_nearest(square: FloatArray, of: Rows, found: int, i: int) -> bool:
    """
    Tell whether no other segment of the same edge is nearer.

    Returns
    -------
    nearest : bool
        Also of two at the same distance.
    """
    limit_m = max(np.sqrt(square[i]) - SAME_M, 0.0)
    nearest = True
    for j in range(found):
        nearest &= (of[j] != of[i]) | (square[j] >= limit_m * limit_m)
    return nearest

"""A uniform grid over the segments of roads, built in one go, for finding the nearest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.road_table import METRES_PER_DEG
from geo.kernels.eight import EIGHT
from geo.kernels.grid import FIRST, LAST, SEGMENT, count_segments, mirror, place_segments
from geo.speeds import edge_speeds_mps

if TYPE_CHECKING:
    from data.road_table import BoolArray, FloatArray, Int32Array, IntArray, RoadTable
    from geo.kernels.near import Grid

FINEST_SPAN_DEG = 1e-3  # narrower networks are counted in units as fine as those of this one
TILES = 256  # a side of the map, to sort fixes by
MANY = 2000  # fixes: fewer find their cells in the cache in any order
SETTING_OUT, ARRIVING = 1, 4
CELL_M = 100.0
CELLS_PER_SEGMENT = 4  # a network strewn over a continent has larger cells, not billions of them
PLACES_PER_SEGMENT = 16  # nor is a segment across a continent listed in millions of them


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapGrid:
    """
    Segments of roads by the cell they pass through.

    A two-way street is listed once, for the lower of its two edges. Segments of no length are
    left out, unless their edge has no others: they point nowhere.

    Parameters
    ----------
    origin_deg : ndarray of float64, shape (2,)
        Longitude and latitude from which coordinates are counted, in units.
    unit_deg : float
        The finest power of ten in which all fit 32 bits: 0.01 mm in a city, 11 mm for the earth.
        None is coarser than OpenStreetMap's own, 1e-7.
    frame : ndarray of float64, shape (4,)
        West, south, width and height of a cell, units. Longitudes run on past 180 where the
        roads lie on either side of it.
    columns, rows : int
        Of cells; cells are counted eastward, then northward.
    start : ndarray of int32, shape (rows * columns + 1,)
        Cell i has the segments ``start[i]:start[i + 1]``.
    segment : ndarray of int32, shape (e + 8, 8)
        Of each: the edge, the one that runs back along it or -1, the shape point at which
        it begins, and flags; where it begins and ends, eastward and northward, units. The lower of
        each two flags is for the edge, the higher for the one back: `SETTING_OUT`, it leads to the
        main part, and `ARRIVING`, the main part leads to it. `FIRST` and `LAST` are for the ends
        of the edge.
    road_mps : ndarray of float64, shape (m,)
        How fast each edge is commonly driven; inf where its class is unknown.
    """

    origin_deg: FloatArray
    unit_deg: float
    frame: FloatArray
    columns: int
    rows: int
    start: Int32Array
    segment: Int32Array
    road_mps: FloatArray

    @property
    def cells(self) -> Grid:
        """All that is of segments, as `geo.kernels.snap` takes it."""
        lon_deg, lat_deg = self.origin_deg.tolist()
        place = (lon_deg, lat_deg, self.unit_deg)
        return *place, self.frame, self.columns, self.rows, self.start, self.segment

    def order(self, lon_deg: FloatArray, lat_deg: FloatArray) -> IntArray:
        """
        Give the order in which fixes are best looked up.

        Returns
        -------
        order : ndarray of int64, shape (k,)
            Neighbours after each other where they are many; as they come where that is not worth
            a sort.
        """
        if len(lon_deg) < MANY:
            return np.arange(len(lon_deg))
        west, south, width, height = self.frame * self.unit_deg
        east = (lon_deg - self.origin_deg[0] - west) * (TILES / (width * self.columns))
        north = (lat_deg - self.origin_deg[1] - south) * (TILES / (height * self.rows))
        # 16 bits: sorted without comparing.
        tile = np.fmin(np.fmax([north, east], 0), TILES - 1).astype(np.uint16)
        return np.argsort(tile[0] * TILES + tile[1], kind="stable")

    @property
    def nbytes(self) -> int:
        """Memory of all arrays, bytes."""
        arrays = (self.start, self.segment, self.road_mps)
        return sum(array.nbytes for array in arrays)


def build_grid(
    table: RoadTable, twin: Int32Array, to_main: BoolArray, from_main: BoolArray
) -> SnapGrid:
    """
    Build the grid of a network.

    Parameters
    ----------
    table : RoadTable
        The roads.
    twin : ndarray of int32, shape (m,)
        The same road the other way, -1 where there is none.
    to_main, from_main : ndarray of bool, shape (m,)
        Edges that reach the main part, and that it reaches.

    Returns
    -------
    grid : SnapGrid
        Of cells of `CELL_M`, or larger where the roads are few and far between.
    """
    back = np.empty(table.edge_count, np.int32)
    mirror(table.shape_start, table.shape_lon_deg, table.shape_lat_deg, twin, back)
    edge, point, ends_deg = _segments(table, back)
    ends, origin_deg, unit_deg = _in_units(ends_deg)
    flags = SETTING_OUT * to_main + ARRIVING * from_main
    flags += 2 * np.where(back >= 0, flags[back], 0)
    flags = flags[edge] + FIRST * (np.diff(edge, prepend=-1) != 0)
    flags += LAST * (np.diff(edge, append=-1) != 0)
    segment = np.column_stack([edge, np.maximum(back, -1)[edge], point, flags, ends])
    segment = segment.astype(np.int32)
    cell_m, places = CELL_M, 0
    while True:
        frame, columns, rows = _cells(ends, origin_deg, unit_deg, cell_m)
        if columns * rows <= max(CELLS_PER_SEGMENT * len(point), 1):
            count = np.zeros(columns * rows, np.int32)
            places = count_segments(segment, frame, columns, rows, count)
            if places <= PLACES_PER_SEGMENT * len(point):
                break
        cell_m *= 2
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    placed = np.empty((places + EIGHT, SEGMENT), np.int32)
    place_segments(segment, frame, columns, rows, start[:-1].copy(), placed)
    placed[places:] = placed[0]
    classless = table.highway == 0
    return SnapGrid(
        origin_deg=origin_deg,
        unit_deg=unit_deg,
        frame=frame,
        columns=columns,
        rows=rows,
        start=start,
        segment=placed,
        road_mps=np.where(classless, np.inf, edge_speeds_mps(table)),
    )


def _segments(table: RoadTable, back: Int32Array) -> tuple[IntArray, IntArray, FloatArray]:
    """List edge, first shape point and ends of the segments to be found."""
    lon, lat, first = table.shape_lon_deg, table.shape_lat_deg, table.shape_start[:-1]
    edge = np.repeat(np.arange(table.edge_count), np.diff(table.shape_start))
    moves = (lon[1:] != lon[:-1]) | (lat[1:] != lat[:-1])
    wanted = moves & (edge[1:] == edge[:-1])
    no_length = np.ones(table.edge_count, np.bool_)
    no_length[edge[:-1][wanted]] = False
    wanted[first[no_length]] = True
    wanted &= back[edge[:-1]] != -2  # noqa: PLR2004 - as `mirror` says
    point = np.flatnonzero(wanted)
    if np.ptp(lon) > 180:  # noqa: PLR2004 - degrees: perhaps on either side of the date line
        east = np.where(lon < 0, lon + 360, lon)
        lon = east if np.ptp(east) < np.ptp(lon) else lon
    # The short way across the date line, as `RoadNetwork.shape_share` measures it.
    lon_end = lon[point + 1] - 360 * np.rint((lon[point + 1] - lon[point]) / 360)
    ends = np.stack([lon[point], lat[point], lon_end, lat[point + 1]], axis=1)
    return edge[point], point, ends


def _in_units(ends_deg: FloatArray) -> tuple[Int32Array, FloatArray, float]:
    """Count coordinates in the finest units that fit: those, their origin and unit."""
    corners = ends_deg.reshape(-1, 2)
    west_south, east_north = corners.min(axis=0), corners.max(axis=0)
    span_deg = max((east_north - west_south).max(), FINEST_SPAN_DEG)
    unit_deg = 10.0 ** np.ceil(np.log10(span_deg / 2**32))
    origin_deg = np.rint((west_south + east_north) / 2 / unit_deg) * unit_deg
    corners = np.rint((corners - origin_deg) / unit_deg)
    return corners.astype(np.int32).reshape(-1, 4), origin_deg, float(unit_deg)


def _cells(
    ends: Int32Array, origin_deg: FloatArray, unit_deg: float, cell_m: float
) -> tuple[FloatArray, int, int]:
    """Lay cells of a size over segments: their frame, columns and rows."""
    corners = ends.reshape(-1, 2)
    west, south = corners.min(axis=0).tolist()
    east, north = corners.max(axis=0).tolist()
    middle_deg = origin_deg[1] + (south + north) / 2 * unit_deg
    height = cell_m / METRES_PER_DEG / unit_deg
    width = height / max(np.cos(np.radians(middle_deg)), 1e-6)
    columns, rows = int((east - west) / width) + 1, int((north - south) / height) + 1
    return np.array([west, south, width, height], np.float64), columns, rows

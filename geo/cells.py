"""Coverage summed up by H3 cell, for a GIS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas
import h3
import numpy as np
import numpy.typing as npt
import shapely

from data.answers import CARS
from data.bands import bands
from data.settings import Policy
from geo.coverage import middling_s
from geo.preparedness import preparedness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.answers import Coverage
    from data.road_table import IntArray
    from geo.network import RoadNetwork

RESOLUTION = 9  # hexagons of about 0.1 km2, a few blocks


def cells_of_edges(net: RoadNetwork) -> tuple[npt.NDArray[np.str_], IntArray]:
    """
    Give the H3 cells with road, and which holds the middle of each edge.

    Returns
    -------
    cell : ndarray of str, shape (c,)
        Sorted.
    row : ndarray of int64, shape (m,)
        The cell of each edge.
    """
    places = zip(*net.middle_deg, strict=True)
    named = [h3.latlng_to_cell(lat, lon, RESOLUTION) for lon, lat in places]
    return np.unique(named, return_inverse=True)


def streets_of_cells(net: RoadNetwork, row: IntArray, cells: int) -> tuple[str, ...]:
    """
    Name each cell by the street with most road in it.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    row : ndarray of int64, shape (m,)
        The cell of each edge.
    cells : int
        How many.

    Returns
    -------
    streets : tuple of str, length `cells`
        "" where no road has a name.
    """
    metres: list[dict[str, float]] = [{} for _ in range(cells)]
    for edge, (cell, road_m) in enumerate(
        zip(row.tolist(), net.table.road_m.tolist(), strict=True)
    ):
        if name := net.table.street(edge):
            metres[cell][name] = metres[cell].get(name, 0.0) + road_m
    return tuple(max(sorted(one), key=one.__getitem__, default="") for one in metres)


def coverage_cells(
    net: RoadNetwork, coverage: Coverage, policy: Policy | None = None
) -> geopandas.GeoDataFrame:
    """
    Sum up coverage by H3 cell.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    coverage : Coverage
        Of each edge.
    policy : Policy or None
        The constants of preparedness; None for the defaults.

    Returns
    -------
    cells : GeoDataFrame
        A row a cell with road: `cell`, `road_km`, `first_s`, `second_s`, `third_s` and so on
        (medians over its road; missing where nobody gets there), `first_band`, `second_band` (of
        those, as `geo.bands` counts them), `probability` (mean), `stops_an_hour`, `preparedness`,
        polygon in WGS 84. An edge counts in the cell of its middle point.
    """
    table = net.table
    cell_of, row = cells_of_edges(net)
    road_m = np.maximum(table.road_m, 1e-3)  # a road of no length still has a drive time
    order = np.argsort(row, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(row[order])) + 1)
    time_s = np.array([middling_s(coverage.nearest_s[rows], road_m[rows]) for rows in groups])
    stops = np.bincount(row, coverage.stops_an_hour).astype(np.float64)
    columns = {
        "cell": cell_of,
        "road_km": np.bincount(row, table.road_m) / 1000,
        **{f"{name}_s": one_s for name, one_s in zip(CARS, time_s.T, strict=False)},
        "first_band": bands(time_s[:, 0], coverage.within_s),
        "second_band": bands(time_s[:, 1], coverage.within_s),
        "probability": np.bincount(row, coverage.probability * road_m) / np.bincount(row, road_m),
        "stops_an_hour": stops,
        "preparedness": preparedness(time_s, stops, policy or Policy()),
    }
    return with_outlines(columns).replace(np.inf, np.nan)


def with_outlines(columns: Mapping[str, object]) -> geopandas.GeoDataFrame:
    """
    Put polygons to a table of cells.

    Parameters
    ----------
    columns : mapping of str to values
        With `cell`.

    Returns
    -------
    cells : GeoDataFrame
        WGS 84.
    """
    rings = [h3.cell_to_boundary(cell) for cell in columns["cell"]]  # type: ignore[attr-defined]
    outlines = [shapely.Polygon([(lon, lat) for lat, lon in ring]) for ring in rings]
    return geopandas.GeoDataFrame(columns, geometry=outlines, crs="EPSG:4326")

"""Coverage summed up by H3 cell, for a GIS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas
import h3
import numpy as np
import numpy.typing as npt
import shapely

from geo.coverage import road_quantile

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


def coverage_cells(net: RoadNetwork, coverage: Coverage) -> geopandas.GeoDataFrame:
    """
    Sum up coverage by H3 cell.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    coverage : Coverage
        Of each edge.

    Returns
    -------
    cells : GeoDataFrame
        A row a cell with road: `cell`, `road_km`, `first_s` and `second_s` (medians over its road;
        missing where nobody gets there), `probability` (mean), polygon in WGS 84. An edge counts in
        the cell of its middle point.
    """
    table = net.table
    cell_of, row = cells_of_edges(net)
    road_m = np.maximum(table.road_m, 1e-3)  # a road of no length still has a drive time
    order = np.argsort(row, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(row[order])) + 1)
    columns = {
        "cell": cell_of,
        "road_km": [float(table.road_m[rows].sum()) / 1000 for rows in groups],
        "first_s": [road_quantile(coverage.first_s[rows], road_m[rows], 0.5) for rows in groups],
        "second_s": [road_quantile(coverage.second_s[rows], road_m[rows], 0.5) for rows in groups],
        "probability": [
            float(np.average(coverage.probability[rows], weights=road_m[rows])) for rows in groups
        ],
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

"""Coverage summed up by H3 cell, for a GIS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas
import h3
import numpy as np
import shapely

from geo.coverage import road_quantile

if TYPE_CHECKING:
    from data.answers import Coverage
    from geo.network import RoadNetwork

RESOLUTION = 9  # hexagons of about 0.1 km2, a few blocks


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
    places = zip(*net.middle_deg, strict=True)
    cell_of, row = np.unique(
        [h3.latlng_to_cell(lat, lon, RESOLUTION) for lon, lat in places], return_inverse=True
    )
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
    rings = [h3.cell_to_boundary(cell) for cell in cell_of]
    outlines = [shapely.Polygon([(lon, lat) for lat, lon in ring]) for ring in rings]
    cells = geopandas.GeoDataFrame(columns, geometry=outlines, crs="EPSG:4326")
    return cells.replace(np.inf, np.nan)

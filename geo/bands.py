"""Bands of drive time, as areas for a GIS."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import geopandas
import numpy as np
import shapely

from data.answers import CARS
from data.bands import UP_TO, bands
from data.road_table import METRES_PER_DEG

if TYPE_CHECKING:
    from data.answers import Coverage
    from geo.network import RoadNetwork

BESIDE_M = 40.0  # a road and what lies on it
BENT_M = 2.0  # bends of less are drawn straight
DRAWN = 2  # of the nearest units
COLUMNS = ["car", "band", "from_s", "to_s", "road_km", "geometry"]


def band_areas(net: RoadNetwork, coverage: Coverage) -> geopandas.GeoDataFrame:
    """
    Give the bands of the first and the second car as areas: the roads, 40 m to each side.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    coverage : Coverage
        Of each edge.

    Returns
    -------
    areas : GeoDataFrame
        A row for each car and each band that holds road: `car`, `band` (see `bands`), `from_s` and
        `to_s` (missing where there is none), `road_km`, `geometry` (WGS 84). Those of one car do
        not overlap: where roads of two bands meet, the slower has the ground.
    """
    table = net.table
    drawn = (net.twin < 0) | (np.arange(len(net.twin)) < net.twin)  # both ways hold the same figure
    scale = np.array([np.cos(np.radians(table.lat_deg.mean())), 1.0]) * METRES_PER_DEG
    places = np.stack([table.shape_lon_deg, table.shape_lat_deg], axis=1) * scale
    owner = np.repeat(np.arange(table.edge_count), np.diff(table.shape_start))
    lines = shapely.simplify(shapely.linestrings(places, indices=owner), BENT_M)
    bounds_s = [0.0, *(share * coverage.within_s for share in UP_TO)]
    limits_s = [*pairwise([*bounds_s, np.nan]), (np.nan, np.nan)]
    rows = []
    for car in range(DRAWN):
        band = bands(coverage.nearest_s[:, car], coverage.within_s)
        taken = shapely.Polygon()
        for one in range(len(UP_TO) + 1, -1, -1):
            inside = band == one
            if inside.any():
                strips = shapely.buffer(lines[inside & drawn], BESIDE_M, quad_segs=2)
                ground = shapely.union_all(strips)
                km = float(table.road_m[inside].sum()) / 1000
                shown = shapely.multipolygons(shapely.get_parts(shapely.difference(ground, taken)))
                rows.append((CARS[car], one, *limits_s[one], km, shown))
                taken = shapely.union(taken, ground)
    areas = geopandas.GeoDataFrame(rows, columns=COLUMNS, crs="EPSG:4326")
    areas["geometry"] = shapely.transform(areas.geometry.array, lambda place: place / scale)
    return areas.sort_values(["car", "band"], ignore_index=True)

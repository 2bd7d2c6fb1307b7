"""Which carriageway of a divided road: right with a heading, and doubt said without."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
import shapely

from geo.snap import UNSURE, snap_batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from geo.network import RoadNetwork

M_PER_DEG = 111_195.0
TRIES = 2000


class Fixes(NamedTuple):
    """Cars on carriageways, as receivers see them, and the way each truly goes."""

    lon: np.ndarray
    lat: np.ndarray
    heading: np.ndarray
    toward: np.ndarray


def on_divided_roads(net: RoadNetwork) -> Fixes:
    """Points on one-way roads with one the other way within 40 m; errors of 5 m and 10 deg."""
    table, rng = net.table, np.random.default_rng(1)
    scale = M_PER_DEG * np.array([np.cos(np.radians(table.lat_deg.mean())), 1.0])
    points = np.stack([table.shape_lon_deg, table.shape_lat_deg], axis=1) * scale
    edge = np.repeat(np.arange(table.edge_count), np.diff(table.shape_start))
    one_way = np.flatnonzero((edge[1:] == edge[:-1]) & table.oneway[edge[:-1]])
    ends = np.stack([points[one_way], points[one_way + 1]], axis=1)
    vector = ends[:, 1] - ends[:, 0]
    length = np.hypot(*vector.T)
    tree = shapely.STRtree(shapely.linestrings(ends))
    middle = ends.mean(axis=1)
    own, other = tree.query(shapely.points(middle), predicate="dwithin", distance=40.0)
    against = (vector[own] * vector[other]).sum(axis=1) < -0.9 * length[own] * length[other]
    row = rng.choice(np.unique(own[against & (length[own] > 5)]), TRIES)
    seen = (middle[row] + rng.normal(0, 5, (TRIES, 2))) / scale
    toward = vector[row] / length[row, None]
    heading = np.degrees(np.arctan2(*toward.T)) + rng.normal(0, 10, TRIES)
    return Fixes(seen[:, 0], seen[:, 1], heading % 360, toward)


def wrong_way(net: RoadNetwork, edge: np.ndarray, fixes: Fixes) -> np.ndarray:
    """Which fixes were put on a one-way road that runs against them where they are."""
    wrong = np.zeros(TRIES, np.bool_)
    for i in np.flatnonzero(net.table.oneway[edge]).tolist():
        lon, lat = net.table.shape(int(edge[i]))
        line = np.stack([lon - fixes.lon[i], lat - fixes.lat[i]], axis=1)
        line *= [np.cos(np.radians(fixes.lat[i])), 1.0]
        steps = np.stack([line[:-1], line[1:]], axis=1)
        nearest = shapely.distance(shapely.linestrings(steps), shapely.Point(0, 0)).argmin()
        step = steps[nearest, 1] - steps[nearest, 0]
        wrong[i] = step @ fixes.toward[i] < -0.7 * np.hypot(*step)
    return wrong


def check(net: RoadNetwork) -> None:
    fixes = on_divided_roads(net)
    with_heading = snap_batch(net, fixes.lon, fixes.lat, fixes.heading)
    assert wrong_way(net, with_heading.edge, fixes).mean() < 0.01
    without = snap_batch(net, fixes.lon, fixes.lat, np.full(TRIES, np.nan))
    wrong = wrong_way(net, without.edge, fixes)
    assert wrong.mean() > 0.05  # else nothing is in doubt, and nothing is shown here
    assert (without.confidence[wrong] < UNSURE + 0.1).mean() > 0.9
    assert (without.runner_up[wrong] >= 0).mean() > 0.95


def test_the_carriageways_of_the_embedded_city(denver: RoadNetwork) -> None:
    check(denver)


@pytest.mark.parametrize("name", ["Helsinki", "monaco", "columbus_oh", "porto_pt"])
def test_the_carriageways_of_real_extracts(
    name: str, real_roads: Callable[[str], RoadNetwork]
) -> None:
    check(real_roads(name))

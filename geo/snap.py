"""A fix -> the directed edge it is on, by distance and heading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from data.road_table import METRES_PER_DEG
from geo.speeds import U_TURN_S

if TYPE_CHECKING:
    from data.road_table import FloatArray, IntArray
    from geo.network import RoadNetwork

FAR_M = 250.0  # no road so near: the position is a fault
NEAR_M = 50.0  # no road so near: the position is used with a note
MAIN_M = 100.0  # a road of the main part is preferred so much further over a cut-off scrap
# A road at right angles to the heading counts as so much further away, the opposite carriageway
# as twice that: more than the error of a fix in a street, less than the next street is away.
HEADING_M = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """
    A place on the road: a directed edge and a fraction of it.

    Parameters
    ----------
    lon_deg, lat_deg : float
        Where it was reported.
    snapped_lon_deg, snapped_lat_deg : float
        Where on the road that is.
    offset_m : float
        Between the two.
    edge : int
        The directed edge's row.
    fraction : float
        Of the edge's length, from its tail, 0 to 1.
    turn_round_s : float or None
        What it costs to set out on the same road the other way; None where there is no other way.
        0 where the heading is unknown.
    passed_over : int or None
        A nearer edge that was not taken, because it is cut off from the main part.
    """

    lon_deg: float
    lat_deg: float
    snapped_lon_deg: float
    snapped_lat_deg: float
    offset_m: float
    edge: int
    fraction: float
    turn_round_s: float | None
    passed_over: int | None = None


def snap(
    net: RoadNetwork,
    lon_deg: float,
    lat_deg: float,
    heading_deg: float | None = None,
    *,
    arriving: bool = False,
) -> Position | None:
    """
    Find the road a position is on.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    lon_deg, lat_deg : float
        WGS 84.
    heading_deg : float or None
        Clockwise from north; chooses the carriageway and the side of the street.
    arriving : bool
        A place to get to (a stop), rather than one to set out from (a unit): which roads are cut
        off differs.

    Returns
    -------
    position : Position or None
        None where no road lies within `FAR_M`.
    """
    heading = np.nan if heading_deg is None else heading_deg
    places = np.array([[lon_deg], [lat_deg], [heading]])
    return snap_all(net, *places, arriving=arriving)[0]


def snap_all(
    net: RoadNetwork,
    lon_deg: FloatArray,
    lat_deg: FloatArray,
    heading_deg: FloatArray,
    *,
    arriving: bool = False,
) -> list[Position | None]:
    """
    Find the roads many positions are on; each as `snap` would.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    lon_deg, lat_deg : ndarray of float64, shape (k,)
        WGS 84.
    heading_deg : ndarray of float64, shape (k,)
        Clockwise from north, NaN where unknown.
    arriving : bool
        As in `snap`.

    Returns
    -------
    positions : list of (Position or None), length k
        In the order given.
    """
    point, edge = _candidates(net, lon_deg, lat_deg)
    found: list[Position | None] = [None] * len(lon_deg)
    if not len(point):
        return found
    near = _nearest_on_edges(net, edge, lon_deg[point], lat_deg[point])
    turned = np.cos(np.radians(heading_deg[point] - near.bearing_deg))
    score = near.distance_m + np.nan_to_num(HEADING_M * (1 - turned))
    score[near.distance_m > FAR_M] = np.inf
    joined = net.from_main if arriving else net.to_main
    nearest = _best(point, edge, score)
    for i, bare in zip(_best(point, edge, score + MAIN_M * ~joined[edge]), nearest, strict=True):
        if np.isfinite(score[i]):
            row = int(point[i])
            lon, lat = float(lon_deg[row]), float(lat_deg[row])
            found[row] = Position(
                lon_deg=lon,
                lat_deg=lat,
                snapped_lon_deg=float(near.lon_deg[i]),
                snapped_lat_deg=float(near.lat_deg[i]),
                offset_m=float(near.distance_m[i]),
                edge=int(edge[i]),
                fraction=float(near.fraction[i]),
                turn_round_s=_turn_round_s(net, int(edge[i]), float(heading_deg[row])),
                passed_over=int(edge[bare]) if joined[edge[i]] and not joined[edge[bare]] else None,
            )
    return found


def _best(point: IntArray, edge: IntArray, score: FloatArray) -> IntArray:
    """Choose for each point the candidate of the lowest score, ties by the lower edge."""
    order = np.lexsort((edge, np.round(score, 6), point))
    return order[np.unique(point[order], return_index=True)[1]]


def _turn_round_s(net: RoadNetwork, edge: int, heading_deg: float) -> float | None:
    """Price setting out the other way: free where nobody knows which way the car points."""
    if net.twin[edge] < 0:
        return None
    return 0.0 if np.isnan(heading_deg) else U_TURN_S


def _candidates(
    net: RoadNetwork, lon_deg: FloatArray, lat_deg: FloatArray
) -> tuple[IntArray, IntArray]:
    """
    List the edges whose bounding box comes within `FAR_M` of a point.

    Returns
    -------
    point, edge : ndarray of int64, shape (c,)
        Pairs of rows.
    """
    reach_lat = FAR_M / METRES_PER_DEG
    reach_lon = reach_lat / np.maximum(np.cos(np.radians(lat_deg)), 1e-6)
    boxes = shapely.box(
        lon_deg - reach_lon, lat_deg - reach_lat, lon_deg + reach_lon, lat_deg + reach_lat
    )
    point, edge = net.tree.query(boxes)
    return point.astype(np.int64), edge.astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Nearest:
    """The nearest point of an edge to a position, one row a pair, each array of shape (c,)."""

    distance_m: FloatArray
    fraction: FloatArray
    bearing_deg: FloatArray
    lon_deg: FloatArray
    lat_deg: FloatArray


def _nearest_on_edges(
    net: RoadNetwork, edge: IntArray, lon_deg: FloatArray, lat_deg: FloatArray
) -> _Nearest:
    """Find it on the plane that touches the earth at the position."""
    table = net.table
    count = np.diff(table.shape_start)[edge] - 1
    start = np.concatenate([[0], np.cumsum(count)])
    pair = np.repeat(np.arange(len(edge)), count)
    point = table.shape_start[edge][pair] + np.arange(start[-1]) - start[:-1][pair]
    east_m = METRES_PER_DEG * np.cos(np.radians(lat_deg))
    x0 = (table.shape_lon_deg[point] - lon_deg[pair]) * east_m[pair]
    y0 = (table.shape_lat_deg[point] - lat_deg[pair]) * METRES_PER_DEG
    x1 = (table.shape_lon_deg[point + 1] - lon_deg[pair]) * east_m[pair]
    y1 = (table.shape_lat_deg[point + 1] - lat_deg[pair]) * METRES_PER_DEG
    dx, dy = x1 - x0, y1 - y0
    length = np.hypot(dx, dy)
    along = np.clip(-(x0 * dx + y0 * dy) / np.maximum(length, 1e-9) ** 2, 0, 1)
    x, y = x0 + along * dx, y0 + along * dy
    distance = np.hypot(x, y)
    best = np.lexsort((np.arange(len(pair)), distance, pair))[start[:-1]]
    share = net.shape_share
    behind = share[point[best]]
    fraction = behind + along[best] * (share[point[best] + 1] - behind)
    return _Nearest(
        distance_m=distance[best],
        fraction=np.clip(fraction, 0, 1),
        bearing_deg=np.degrees(np.arctan2(dx[best], dy[best])) % 360,
        lon_deg=lon_deg + x[best] / east_m,
        lat_deg=lat_deg + y[best] / METRES_PER_DEG,
    )

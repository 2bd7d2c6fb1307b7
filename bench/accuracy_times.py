"""Our drive times of the trips that the peers were asked for, and OSMnx's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from bench.accuracy_trips import LONGEST_S, SNAP_M
from geo.router import search_back
from geo.snap import snap_all

if TYPE_CHECKING:
    from bench.accuracy_trips import Trips
    from data.answers import Route
    from data.road_table import FloatArray
    from geo.network import RoadNetwork
    from geo.router import Backward
    from geo.snap import Position

WITHIN_S = 3 * LONGEST_S


@dataclass(frozen=True, kw_only=True)
class Placed:
    """
    The places of the trips on our roads; none where the nearest road is further than `SNAP_M`.

    Parameters
    ----------
    setting_out : list of list of Position
        Every edge one may set out on: at a crossing all that leave it.
    arriving : list of (Position or None)
        Where one arrives.
    """

    setting_out: list[list[Position]]
    arriving: list[Position | None]


def place(net: RoadNetwork, trips: Trips) -> Placed:
    """Put the places of the trips on our roads."""
    heading = np.full(len(trips.lon_deg), np.nan)
    from_here = snap_all(net, trips.lon_deg, trips.lat_deg, heading)
    to_here = snap_all(net, trips.lon_deg, trips.lat_deg, heading, arriving=True)
    return Placed(
        setting_out=[_streets(net, at) for at in from_here],
        arriving=[at if at and at.offset_m <= SNAP_M else None for at in to_here],
    )


def _streets(net: RoadNetwork, at: Position | None) -> list[Position]:
    """List the edges that leave from a place, which at a crossing are several, as for the peers."""
    if at is None or at.offset_m > SNAP_M:
        return []
    if at.fraction not in {0.0, 1.0}:
        return [at]
    node = (net.table.head if at.fraction else net.table.tail)[at.edge]
    leaving = np.flatnonzero(net.table.tail == node).tolist()
    return [at] + [replace(at, edge=e, fraction=0.0, turn_round_s=None) for e in leaving]


def our_times(net: RoadNetwork, trips: Trips, placed: Placed) -> FloatArray:
    """
    Give our drive times.

    Returns
    -------
    drive_time_s : ndarray of float64, shape (d, UNITS)
        Inf where we know no way within half an hour; NaN where an end is no place on our roads.
    """
    time_s = np.full(trips.origin.shape, np.nan)
    for row, destination in enumerate(trips.destination.tolist()):
        end = placed.arriving[destination]
        if end is None:
            continue
        back = search_back(net, end, within_s=WITHIN_S)
        for column, origin in enumerate(trips.origin[row].tolist()):
            if placed.setting_out[origin]:
                time_s[row, column] = _soonest(back, placed.setting_out[origin])
    return time_s


def _soonest(back: Backward, streets: list[Position]) -> float:
    """Give the time by the best of the streets."""
    return min(back.drive_time_s(at) for at in streets)


def our_route(net: RoadNetwork, placed: Placed, origin: int, destination: int) -> Route | None:
    """Give the way of one trip, if there is one."""
    end = placed.arriving[destination]
    streets = placed.setting_out[origin]
    if end is None or not streets:
        return None
    back = search_back(net, end, within_s=WITHIN_S)
    return back.route(min(streets, key=back.drive_time_s))


def osmnx_times(net: RoadNetwork, trips: Trips, placed: Placed) -> FloatArray:
    """
    Give what OSMnx's own speeds and travel times make of the same roads, from node to node.

    Returns
    -------
    drive_time_s : ndarray of float64, shape (d, UNITS)
        Without turn costs or restrictions, for OSMnx has none; NaN and inf as in `our_times`.
    """
    import osmnx as ox  # noqa: PLC0415 - it takes seconds

    graph = ox.add_edge_travel_times(ox.add_edge_speeds(net.to_networkx()))
    row_of = {int(osm_id): row for row, osm_id in enumerate(net.table.node_id)}
    edges = [(row_of[u], row_of[v], time_s) for u, v, time_s in graph.edges(data="travel_time")]
    tail, head, time_s = (np.array(column) for column in zip(*edges, strict=True))
    order = np.lexsort((time_s, head, tail))
    _, first = np.unique(np.stack([tail, head])[:, order], axis=1, return_index=True)
    best = order[first]
    count = net.table.node_count
    back = sparse.csr_array((time_s[best], (head[best], tail[best])), shape=(count, count))
    found = np.full(trips.origin.shape, np.nan)
    for row, destination in enumerate(trips.destination.tolist()):
        end = placed.arriving[destination]
        if end is None:
            continue
        rest_s = csgraph.dijkstra(back, indices=[_node(net, end)], limit=WITHIN_S)[0]
        for column, origin in enumerate(trips.origin[row].tolist()):
            if placed.setting_out[origin]:
                found[row, column] = rest_s[_node(net, placed.setting_out[origin][0])]
    return found


def _node(net: RoadNetwork, at: Position) -> int:
    """Give the nearer end of the edge a place is on."""
    return int((net.table.tail if at.fraction < 1 / 2 else net.table.head)[at.edge])

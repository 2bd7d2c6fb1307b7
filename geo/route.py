"""The line, the length and the streets of a way that a search has found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from data.answers import Route

if TYPE_CHECKING:
    from data.road_table import FloatArray
    from geo.network import RoadNetwork


def draw_route(
    net: RoadNetwork, edges: list[int], from_fraction: float, to_fraction: float, time_s: float
) -> Route:
    """
    Join edges, the first and the last in part, into a way.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    edges : list of int
        In the order driven.
    from_fraction, to_fraction : float
        Shares of the first and of the last edge that lie behind the ends, 0 to 1.
    time_s : float
        What it takes.

    Returns
    -------
    route : Route
        Its line, its length and its streets.
    """
    lon: list[float] = []
    lat: list[float] = []
    streets: list[tuple[str, float]] = []
    distance_m = 0.0
    for i, edge in enumerate(edges):
        begin = from_fraction if i == 0 else 0.0
        end = to_fraction if i == len(edges) - 1 else 1.0
        xs, ys = _cut(*net.table.shape(edge), begin, end)
        new = slice(1 if lon and (lon[-1], lat[-1]) == (xs[0], ys[0]) else 0, None)
        lon += xs[new].tolist()
        lat += ys[new].tolist()
        driven_m = float(net.table.length_m[edge]) * (end - begin)
        distance_m += driven_m
        street = net.table.street(edge)
        if streets and streets[-1][0] == street:
            driven_m += streets.pop()[1]
        streets.append((street, driven_m))
    return Route(
        drive_time_s=time_s,
        distance_m=distance_m,
        lon_deg=tuple(lon),
        lat_deg=tuple(lat),
        streets=tuple(streets),
    )


def _cut(
    lon: FloatArray, lat: FloatArray, begin: float, end: float
) -> tuple[FloatArray, FloatArray]:
    """Cut a line to the part between two fractions of its length."""
    east = np.diff(lon) * np.cos(np.radians(lat[:-1]))
    reached = np.concatenate([[0], np.cumsum(np.hypot(east, np.diff(lat)))])
    if not reached[-1]:
        return lon[[0, -1]], lat[[0, -1]]
    ends = np.array([begin, end]) * reached[-1]
    inside = (reached > ends[0]) & (reached < ends[1])
    at = np.concatenate([ends[:1], reached[inside], ends[1:]])
    return np.interp(at, reached, lon), np.interp(at, reached, lat)

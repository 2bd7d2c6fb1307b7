"""The line, the length and the streets of a way that a search has found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from data.answers import Route

if TYPE_CHECKING:
    from data.road_table import FloatArray
    from geo.network import RoadNetwork


TURN_DEG = (20.0, 60.0, 120.0)
"""Below the first a turn is straight on, then slight, plain and sharp: as OSRM words them."""


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
    turns: list[str] = []
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
        turn = _turn(net, edges[i - 1], edge) if i else "set out"
        if i and streets[-1][0] == street and turn != "turn round":
            driven_m += streets.pop()[1]
        else:
            turns.append(turn)
        streets.append((street, driven_m))
    return Route(
        drive_time_s=time_s,
        distance_m=distance_m,
        lon_deg=tuple(lon),
        lat_deg=tuple(lat),
        streets=tuple(streets),
        turns=tuple(turns),
    )


def _turn(net: RoadNetwork, before: int, after: int) -> str:
    """Say which way to turn from one edge into the next."""
    if after == net.twin[before]:
        return "turn round"
    angle_deg = (_bearing_deg(net, after, 0) - _bearing_deg(net, before, -1) + 180) % 360 - 180
    words = ("straight", "slight ", "", "sharp ")
    size = int(np.searchsorted(TURN_DEG, abs(angle_deg), side="right"))
    side = "right" if angle_deg > 0 else "left"
    return words[size] + side if size else words[0]


def _bearing_deg(net: RoadNetwork, edge: int, place: int) -> float:
    """Give the bearing of an edge's first or last stretch that has a length."""
    lon, lat = net.table.shape(edge)
    east, north = np.diff(lon) * np.cos(np.radians(lat[:-1])), np.diff(lat)
    drawn = np.flatnonzero((east != 0) | (north != 0))
    if not len(drawn):
        return 0.0
    return float(np.degrees(np.arctan2(east[drawn[place]], north[drawn[place]])))


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

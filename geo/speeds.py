"""
Seconds per edge and per turn of routine driving (no lights, no siren), and where each comes from.

Every figure is a constant of this file with its source; docs/model.md#drive-time explains them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from data.road_table import BoolArray, FloatArray, RoadTable

KMH_MPS = 1 / 3.6
MPH_MPS = 0.44704

# Drivers average less than the sign says; the factor is OSRM's (profiles/car.lua,
# speed_reduction).
SIGN_FACTOR = 0.8

# Driven speed in km/h where a class has too few signs of its own: OSRM, profiles/car.lua, speeds.
CLASS_KMH = {
    "motorway": 90.0,
    "motorway_link": 45.0,
    "trunk": 85.0,
    "trunk_link": 40.0,
    "primary": 65.0,
    "primary_link": 30.0,
    "secondary": 55.0,
    "secondary_link": 25.0,
    "tertiary": 40.0,
    "tertiary_link": 20.0,
    "unclassified": 25.0,
    "residential": 25.0,
    "living_street": 10.0,
    "service": 15.0,
}
OTHER_KMH = 25.0

# A class's median is believed where so much of it carries signs; below, a handful of odd signs
# would decide for all (in one small town: residential 22 km/h, service 64).
LEARN_FROM_M = 2_000.0
LEARN_FROM_SHARE = 0.05
# ... and no further than this factor from the table: the signed roads of a class are its odd ones
# (the few ramps with a sign carry the motorway's).
LEARN_FACTOR = 1.5

WALK_KMH = 7.0
SLOWEST_MPS, FASTEST_MPS = 0.5, 60.0  # a sign beyond these is a slip of the pen
NO_LIMIT_KMH = 130.0  # Germany's advisory speed where no limit holds
# Limits named by a country's rule, km/h: the commonest values of OSM's table of default speed
# limits; a rule of a country with others is still nearer than its class's default.
RULE_KMH = {"urban": 50.0, "rural": 90.0, "trunk": 100.0, "motorway": 120.0, "living_street": 20.0}

JUNCTION_ROADS = 3

# OSRM, profiles/car.lua: process_turn. Seconds.
TURN_S = 7.5
RIGHT_BIAS = 1.075
U_TURN_S = 20.0
SIGNALS_S = 2.0
# Yield and pull away again at about 1.5 m/s2 from 10 m/s; HCM 2010 finds 5 to 10 s of control
# delay at stop signs in light traffic.
STOP_SIGN_S = 5.0
GIVE_WAY_S = 2.0
CONTROL_S = {"traffic_signals": SIGNALS_S, "stop": STOP_SIGN_S, "give_way": GIVE_WAY_S}

_NUMBER = re.compile(r"^(\d+(?:\.\d+)?)\s*(mph|mp/h|km/h|kmh|kph|knots)?$")
_UNIT_MPS = {"mph": MPH_MPS, "mp/h": MPH_MPS, "knots": 0.514444}
_SEPARATORS = re.compile(r"[;|,\[\]']+")


def sign_speed_mps(maxspeed: str) -> float:
    """
    Read OSM's ``maxspeed``.

    Parameters
    ----------
    maxspeed : str
        A number in km/h, ``30 mph``, ``walk``, ``none``, ``signals``, a country's rule
        (``DE:urban``), several values, or a list by lane.

    Returns
    -------
    speed_mps : float
        Metres per second; NaN where it says nothing. Of several values the lowest counts: a car
        promised too soon is worse than one that comes sooner.
    """
    parts = [part.strip().lower() for part in _SEPARATORS.split(maxspeed) if part.strip()]
    speeds = [speed for speed in map(_one_speed_mps, parts) if speed == speed]  # noqa: PLR0124 - NaN
    return min(speeds, default=np.nan)


def _one_speed_mps(text: str) -> float:
    """Read a single value; NaN where it says nothing or is out of all reason."""
    match = _NUMBER.match(text)
    if match:
        speed_mps = float(match[1]) * _UNIT_MPS.get(match[2] or "", KMH_MPS)
        return speed_mps if SLOWEST_MPS <= speed_mps <= FASTEST_MPS else np.nan
    if text == "walk":
        return WALK_KMH * KMH_MPS
    if text == "none":
        return NO_LIMIT_KMH * KMH_MPS
    return RULE_KMH.get(text.rpartition(":")[2], np.nan) * KMH_MPS


def edge_speeds_mps(table: RoadTable) -> FloatArray:
    """
    Say how fast each edge is driven: by its sign, else as its class is, else by the table.

    Parameters
    ----------
    table : RoadTable
        The network.

    Returns
    -------
    speed_mps : ndarray of float64, shape (m,)
        Metres per second, > 0.
    """
    signs = np.array([sign_speed_mps(text) for text in table.texts]) * SIGN_FACTOR
    speed_mps: FloatArray = signs[table.maxspeed]
    signed = ~np.isnan(speed_mps)
    for row in np.unique(table.highway):
        rows = table.highway == row
        known = rows & signed
        known_m = table.length_m[known].sum()
        speed = CLASS_KMH.get(table.texts[row], OTHER_KMH) * KMH_MPS
        if known_m >= max(LEARN_FROM_M, LEARN_FROM_SHARE * table.length_m[rows].sum()):
            median = _weighted_median(speed_mps[known], table.length_m[known])
            speed = float(np.clip(median, speed / LEARN_FACTOR, speed * LEARN_FACTOR))
        speed_mps[rows & ~signed] = speed
    return speed_mps


def _weighted_median(values: FloatArray, weights: FloatArray) -> float:
    """Give the value at which half the weight is reached."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])


def bearings_deg(table: RoadTable) -> tuple[FloatArray, FloatArray]:
    """
    Give the compass bearing in which each edge leaves its tail and reaches its head.

    Parameters
    ----------
    table : RoadTable
        The network.

    Returns
    -------
    leave_deg, reach_deg : ndarray of float64, shape (m,)
        Clockwise from north, 0 to 360.
    """
    begin, end = table.shape_start[:-1], table.shape_start[1:] - 1
    after, before = begin + 1, end - 1
    for _ in range(int((end - begin).max(initial=1)) - 1):  # past points that repeat the end
        after = np.where(_same(table, begin, after) & (after < end), after + 1, after)
        before = np.where(_same(table, before, end) & (before > begin), before - 1, before)
        repeats = _same(table, begin, after) | _same(table, before, end)
        if not (repeats & (after < end) & (before > begin)).any():
            break
    return _bearing(table, begin, after), _bearing(table, before, end)


def _same(table: RoadTable, one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> BoolArray:
    """Tell which shape points are the same place."""
    lon, lat = table.shape_lon_deg, table.shape_lat_deg
    same: BoolArray = (lon[one] == lon[other]) & (lat[one] == lat[other])
    return same


def _bearing(
    table: RoadTable, start: npt.NDArray[np.int64], end: npt.NDArray[np.int64]
) -> FloatArray:
    """Give the bearing between shape points, on the plane that touches the start."""
    lon, lat = table.shape_lon_deg, table.shape_lat_deg
    east = (lon[end] - lon[start]) * np.cos(np.radians(lat[start]))
    bearing: FloatArray = np.degrees(np.arctan2(east, lat[end] - lat[start])) % 360
    return bearing


def turn_seconds(
    table: RoadTable, before: npt.NDArray[np.int64], after: npt.NDArray[np.int64], u_turn: BoolArray
) -> FloatArray:
    """
    Price the passage from one edge into the next.

    Parameters
    ----------
    table : RoadTable
        The network.
    before, after : ndarray of int64, shape (t,)
        Edge rows; each `after` leaves the node that `before` reaches.
    u_turn : ndarray of bool, shape (t,)
        `after` is the same road back.

    Returns
    -------
    turn_s : ndarray of float64, shape (t,)
        Seconds, >= 0: for the bend where roads meet, for turning round, for the sign or signal.

    Notes
    -----
    A logistic curve over the angle, dearer to the left than to the right, as OSRM's car profile
    has it. Where only one road goes on, a bend is part of the road and costs nothing.
    """
    leave_deg, reach_deg = bearings_deg(table)
    angle = (leave_deg[after] - reach_deg[before] + 180) % 360 - 180
    bias = np.where(angle >= 0, RIGHT_BIAS, 1 / RIGHT_BIAS)
    bend_s = TURN_S / (1 + np.exp(-(13 / bias * np.abs(angle) / 180 - 6.5 * bias)))
    node = table.head[before]
    bend_s[~_is_junction(table)[node] & ~u_turn] = 0
    control_s = np.array([CONTROL_S.get(text, 0.0) for text in table.texts])
    faces = table.node_direction[node] * np.where(table.reversed[before], -1, 1) >= 0
    turn_s: FloatArray = bend_s + U_TURN_S * u_turn + control_s[table.node_highway[node]] * faces
    return turn_s


def _is_junction(table: RoadTable) -> BoolArray:
    """Tell which nodes have three roads or more, shape (n,); a two-way street is one road."""
    once = table.oneway | ~table.reversed
    ends = np.concatenate([table.tail[once], table.head[once]])
    junction: BoolArray = np.bincount(ends, minlength=table.node_count) >= JUNCTION_ROADS
    return junction

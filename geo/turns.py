"""
Seconds per turn: from one edge into the next, by the angle, the signs, and who has to wait.

Every constant is in `geo.drive_model`; docs/model.md#drive-time explains them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.drive_model import CLASS_KMH, ROUTINE
from geo.speeds import is_roundabout

if TYPE_CHECKING:
    import numpy.typing as npt

    from data.road_table import BoolArray, FloatArray, RoadTable
    from geo.drive_model import DriveModel

JUNCTION_ROADS = 3
# A trunk road with traffic both ways is a two-lane highway: patrol cars do turn round there.
NO_U_TURN = {"motorway", "motorway_link"}
GATES = {"gate", "lift_gate", "swing_gate", "sliding_gate"}
STRAIGHT_DEG = 40.0
# Rank of a class, 0 the largest, a link as its road; who is on the lower one waits.
_ROADS = [name for name in CLASS_KMH if not name.endswith("_link")]
RANK = {name: min(_ROADS.index(name.removesuffix("_link")), 5) for name in CLASS_KMH}


def turn_seconds(
    table: RoadTable,
    before: npt.NDArray[np.int64],
    after: npt.NDArray[np.int64],
    u_turn: BoolArray,
    model: DriveModel = ROUTINE,
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
    model : DriveModel
        The way of driving.

    Returns
    -------
    turn_s : ndarray of float64, shape (t,)
        Seconds, >= 0: for the bend where roads meet, for turning round, for the sign or signal.
        Inf where the passage is not allowed: turning round on a road of `NO_U_TURN`.

    Notes
    -----
    A logistic curve over the angle, dearer across oncoming traffic than away from it, as OSRM's
    car profile has it. Where only one road goes on, a bend is part of the road and costs nothing;
    so do those on a roundabout and out of it: it is paid for where it is entered.
    """
    leave_deg, reach_deg = bearings_deg(table)
    right_deg = (leave_deg[after] - reach_deg[before] + 180) % 360 - 180
    away_deg = -right_deg if table.source.drives_left else right_deg
    node = table.head[before]
    ring = is_roundabout(table)
    bends = _is_junction(table)[node] & ~ring[before]
    turn_s = np.where(bends | u_turn, _bend_s(away_deg, model), 0.0)
    across = bends & (away_deg < 0) & ~u_turn & ~ring[before] & ~ring[after]
    turn_s += np.where(across, model.oncoming_s * _sharpness(away_deg), 0.0)
    turn_s += _yield_s(table, before, after, away_deg, model) * ~u_turn
    turn_s += _control_s(table, before, model)
    turn_s += np.where(u_turn, model.u_turn_s, 0.0)
    turn_s[u_turn & ~may_turn_round(table)[before]] = np.inf
    return turn_s


def may_turn_round(table: RoadTable) -> BoolArray:
    """
    Tell on which edges a car may turn round, between junctions and at them.

    Parameters
    ----------
    table : RoadTable
        The network.

    Returns
    -------
    may : ndarray of bool, shape (m,)
        Two-way edges of any class but motorways and their links, and no roundabout.
    """
    never = np.array([text in NO_U_TURN for text in table.texts])[table.highway]
    may: BoolArray = ~table.oneway & ~never & ~is_roundabout(table)
    return may


def _bend_s(away_deg: FloatArray, model: DriveModel) -> FloatArray:
    """Price an angle; positive ones lead away from oncoming traffic."""
    bias = np.where(away_deg >= 0, model.right_bias, 1 / model.right_bias)
    bend_s: FloatArray = model.turn_s / (
        1 + np.exp(-(13 / bias * np.abs(away_deg) / 180 - 6.5 * bias))
    )
    return bend_s


def _sharpness(away_deg: FloatArray) -> FloatArray:
    """Say how much of a turn an angle is, 0 to 1 (OSRM, ``oncoming_turn_penalty``)."""
    sharpness: FloatArray = 1 / (1 + np.exp(-(13 * np.abs(away_deg) / 180 - 3.25)))
    return sharpness


def _yield_s(
    table: RoadTable,
    before: npt.NDArray[np.int64],
    after: npt.NDArray[np.int64],
    away_deg: FloatArray,
    model: DriveModel,
) -> FloatArray:
    """Price the wait of a smaller road at a larger one, where one crosses its traffic."""
    lowest = max(RANK.values())
    rank = np.array([RANK.get(text, lowest) for text in table.texts])[table.highway]
    largest = np.full(table.node_count, lowest)
    np.minimum.at(largest, table.head, rank)
    np.minimum.at(largest, table.tail, rank)
    node = table.head[before]
    signals = np.array([text == "traffic_signals" for text in table.texts])[table.node_highway]
    away = (away_deg > STRAIGHT_DEG) & (rank[after] == largest[node])
    waits = (rank[before] > largest[node]) & ~signals[node] & ~is_roundabout(table)[after] & ~away
    return np.where(waits, model.yield_s, 0.0)


def _control_s(table: RoadTable, before: npt.NDArray[np.int64], model: DriveModel) -> FloatArray:
    """Price what stands at the end of an edge and faces its traffic."""
    control_s = {
        "traffic_signals": model.signals_ahead_s,
        "stop": model.stop_s,
        "give_way": model.give_way_s,
        "mini_roundabout": model.give_way_s,
        "toll_booth": model.toll_s,
    } | dict.fromkeys(GATES, model.gate_s)
    price = np.array([control_s.get(text, 0.0) for text in table.texts])[table.node_highway]
    signals = np.array([text == "traffic_signals" for text in table.texts])[table.node_highway]
    price[signals & _is_junction(table)] = model.signals_s
    node = table.head[before]
    faces = table.node_direction[node] * np.where(table.reversed[before], -1, 1) >= 0
    faced: FloatArray = price[node] * faces
    return faced


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
    east = lon[end] - lon[start]
    east -= 360 * np.rint(east / 360)  # the short way across the date line
    east *= np.cos(np.radians(lat[start]))
    bearing: FloatArray = np.degrees(np.arctan2(east, lat[end] - lat[start])) % 360
    return bearing


def _is_junction(table: RoadTable) -> BoolArray:
    """Tell which nodes have three roads or more, shape (n,); a two-way street is one road."""
    once = table.oneway | ~table.reversed
    ends = np.concatenate([table.tail[once], table.head[once]])
    junction: BoolArray = np.bincount(ends, minlength=table.node_count) >= JUNCTION_ROADS
    return junction

"""
Seconds per edge: how fast each is driven, by its sign, else by its class, place and surface.

Every constant is in `geo.drive_model`; docs/model.md#drive-time explains them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from data.road_table import METRES_PER_DEG
from geo.drive_model import CLASS_KMH, OTHER_KMH, PAVED_KMH, ROUGH_KMH, ROUTINE

if TYPE_CHECKING:
    from data.road_table import BoolArray, FloatArray, IntArray, RoadTable
    from geo.drive_model import DriveModel

KMH_MPS = 1 / 3.6
MPH_MPS = 0.44704

# A class's median is believed where so much of it carries signs; below, a handful of odd signs
# would decide for all (in one small town: residential 22 km/h, service 64).
LEARN_FROM_M = 2_000.0
LEARN_FROM_SHARE = 0.05
# ... and no further than this factor from the table: the signed roads of a class are its odd ones
# (the few ramps with a sign carry the motorway's).
LEARN_FACTOR = 1.5

WALK_KMH = 7.0
SLOWEST_MPS, FASTEST_MPS = 0.5, 60.0  # a sign beyond these is a slip of the pen
NO_LIMIT_KMH = 120.0  # OSRM drives 112 where no limit holds, Valhalla 105: x `sign_factor` as far
# Limits named by a country's rule, km/h: the commonest values of OSM's table of default speed
# limits; a rule of a country with others is still nearer than its class's default.
RULE_KMH = {"urban": 50.0, "rural": 90.0, "trunk": 100.0, "motorway": 120.0, "living_street": 20.0}

# Density of roads: all within this of an edge's middle, counted in square cells.
AROUND_M, CELL_M = 2_000.0, 500.0
_ROW = 1 << 24  # more cells than go round the earth

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


def edge_speeds_mps(table: RoadTable, model: DriveModel = ROUTINE) -> FloatArray:
    """
    Say how fast each edge is driven: by its sign, else as its class is in such a place.

    Parameters
    ----------
    table : RoadTable
        The network.
    model : DriveModel
        The way of driving.

    Returns
    -------
    speed_mps : ndarray of float64, shape (m,)
        Metres per second, > 0.
    """
    signs = np.array([sign_speed_mps(text) for text in table.texts]) * model.sign_factor
    sign_mps: FloatArray = signs[table.maxspeed]
    signed = ~np.isnan(sign_mps)
    speed_mps = np.where(signed, sign_mps, _unsigned_mps(table, model, sign_mps))
    rough = np.array([text in ROUGH_KMH for text in table.texts])[table.surface]
    speed_mps[rough] *= np.where(signed, model.rough_sign_factor, model.rough_factor)[rough]
    caps = {**PAVED_KMH, **ROUGH_KMH}
    cap_mps = np.array([caps.get(text, np.inf) for text in table.texts]) * KMH_MPS
    return np.minimum(speed_mps, cap_mps[table.surface]) * model.pace


def _unsigned_mps(table: RoadTable, model: DriveModel, sign_mps: FloatArray) -> FloatArray:
    """Say how fast each edge would be driven without a sign, whose speed is NaN if missing."""
    urban = road_density_km_per_km2(table) > model.urban_km_per_km2
    signed = ~np.isnan(sign_mps)
    speed_mps = np.empty(table.edge_count)
    for row in np.unique(table.highway):
        in_town, outside = CLASS_KMH.get(table.texts[row], OTHER_KMH)
        for place, kmh in ((urban, in_town), (~urban, outside)):
            rows = (table.highway == row) & place
            speed_mps[rows] = kmh * KMH_MPS
            known = rows & signed
            known_m, all_m = table.length_m[known].sum(), table.length_m[rows].sum()
            if known_m >= max(LEARN_FROM_M, LEARN_FROM_SHARE * all_m):
                median_mps = _weighted_median(sign_mps[known], table.length_m[known])
                factor = np.clip(median_mps / (kmh * KMH_MPS), 1 / LEARN_FACTOR, LEARN_FACTOR)
                speed_mps[rows] *= factor ** (model.learn_weight * known_m / all_m)
    speed_mps[is_roundabout(table)] *= model.roundabout_factor
    return speed_mps


def is_roundabout(table: RoadTable) -> BoolArray:
    """
    Tell which edges are part of a roundabout.

    Parameters
    ----------
    table : RoadTable
        The network.

    Returns
    -------
    roundabout : ndarray of bool, shape (m,)
        By ``junction=roundabout`` or ``circular``.
    """
    round_texts = np.array([text in {"roundabout", "circular"} for text in table.texts])
    roundabout: BoolArray = round_texts[table.junction]
    return roundabout


def road_density_km_per_km2(table: RoadTable) -> FloatArray:
    """
    Measure how dense the roads are around each edge.

    Parameters
    ----------
    table : RoadTable
        The network; its service roads are not counted, so that taking them makes no town.

    Returns
    -------
    density_km_per_km2 : ndarray of float64, shape (m,)
        Road length over area, within 2 km of the middle of the edge, in cells of 500 m.

    Notes
    -----
    O(m log m). Roads are counted where their middle is; the disc is summed row by row of cells.
    """
    ends = table.shape_start[:-1] + table.shape_start[1:]
    before, after = (ends - 1) // 2, ends // 2
    lon = (table.shape_lon_deg[before] + table.shape_lon_deg[after]) / 2
    lat = (table.shape_lat_deg[before] + table.shape_lat_deg[after]) / 2
    side_deg = CELL_M / METRES_PER_DEG
    row = np.floor(lat / side_deg).astype(np.int64)

    def cell(row: IntArray) -> IntArray:
        column = np.floor(lon * np.cos(np.radians((row + 0.5) * side_deg)) / side_deg)
        key: IntArray = row * _ROW + column.astype(np.int64)
        return key

    key = cell(row)
    order = np.argsort(key, kind="stable")
    service = np.array([text == "service" for text in table.texts])[table.highway]
    road_km = np.where(service, 0.0, table.road_m / 1000)[order]
    upto_km = np.concatenate([[0.0], np.cumsum(road_km)])
    reach = int(AROUND_M // CELL_M)
    around_km, cells = np.zeros(table.edge_count), 0
    for step in range(-reach, reach + 1):
        half = int(np.sqrt(reach**2 - step**2))
        here = cell(row + step)
        last = np.searchsorted(key[order], here + half, "right")
        first = np.searchsorted(key[order], here - half, "left")
        around_km += upto_km[last] - upto_km[first]
        cells += 2 * half + 1
    return around_km / (cells * (CELL_M / 1000) ** 2)


def _weighted_median(values: FloatArray, weights: FloatArray) -> float:
    """Give the value at which half the weight is reached."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])

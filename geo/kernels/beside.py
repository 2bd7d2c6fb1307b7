"""Who stands beside which stop, as the crow flies: all pairs, most no more than a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from data.road_table import METRES_PER_DEG
from geo.kernels.kinds import FLOAT, FLOAT_ROWS_OUT, FLOATS, INTS_OUT, NOTHING

if TYPE_CHECKING:
    from data.road_table import FloatArray, Int32Array


@njit(inline="always")
def _far_m(east_deg: float, north_m: float, near_m: float) -> float:
    """Measure a distance, where the way northward alone is not too far."""
    near = abs(north_m) <= near_m
    return np.hypot(east_deg * METRES_PER_DEG, north_m) if near else np.inf


@njit(NOTHING(FLOATS, FLOATS, FLOATS, FLOATS, FLOAT, INTS_OUT), cache=True, nogil=True)
def nearest_within(
    lon_deg: FloatArray,
    lat_deg: FloatArray,
    stop_lon_deg: FloatArray,
    stop_lat_deg: FloatArray,
    near_m: float,
    nearest: Int32Array,
) -> None:
    """
    Find the nearest stop that each place is beside.

    Parameters
    ----------
    lon_deg, lat_deg : ndarray of float64, shape (k,)
        Places.
    stop_lon_deg, stop_lat_deg : ndarray of float64, shape (s,)
        Stops; NaN for one that has no place.
    near_m : float
        How near is beside.
    nearest : ndarray of int32, shape (k,)
        Filled: the stop, the first of several as near, or -1.
    """
    nearest[:] = -1
    best_m = np.full(len(lon_deg), np.inf)
    for s in range(len(stop_lon_deg)):
        east = np.cos(np.radians(stop_lat_deg[s]))
        for i in range(len(lon_deg)):
            north_m = (lat_deg[i] - stop_lat_deg[s]) * METRES_PER_DEG
            far_m = _far_m((lon_deg[i] - stop_lon_deg[s]) * east, north_m, near_m)
            if far_m <= near_m and far_m < best_m[i]:
                nearest[i], best_m[i] = s, far_m


@njit(NOTHING(FLOATS, FLOATS, FLOATS, FLOATS, FLOAT, FLOAT, FLOAT_ROWS_OUT), cache=True, nogil=True)
def walk_beside(
    lon_deg: FloatArray,
    lat_deg: FloatArray,
    stop_lon_deg: FloatArray,
    stop_lat_deg: FloatArray,
    near_m: float,
    walk_mps: float,
    time_s: FloatArray,
) -> None:
    """
    Let who stands beside a stop walk there, where that is sooner.

    Parameters
    ----------
    lon_deg, lat_deg, stop_lon_deg, stop_lat_deg, near_m
        As `nearest_within` takes them.
    walk_mps : float
        Pace.
    time_s : ndarray of float64, shape (k, s)
        Drive times, lowered in place.
    """
    for s in range(len(stop_lon_deg)):
        east = np.cos(np.radians(stop_lat_deg[s]))
        for i in range(len(lon_deg)):
            north_m = (lat_deg[i] - stop_lat_deg[s]) * METRES_PER_DEG
            far_m = _far_m((lon_deg[i] - stop_lon_deg[s]) * east, north_m, near_m)
            if far_m <= near_m:
                time_s[i, s] = min(time_s[i, s], far_m / walk_mps)

"""Many lines in flat arrays: their lengths, and picking some of them, turned round or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from data.road_table import EARTH_RADIUS_M

if TYPE_CHECKING:
    from data.road_table import BoolArray, FloatArray, IntArray


def great_circle_m(
    lon_deg: FloatArray, lat_deg: FloatArray, to_lon_deg: FloatArray, to_lat_deg: FloatArray
) -> FloatArray:
    """
    Measure great-circle distances on a sphere.

    Parameters
    ----------
    lon_deg, lat_deg, to_lon_deg, to_lat_deg : ndarray of float64, shape (n,)
        Where from and where to, WGS 84.

    Returns
    -------
    distance_m : ndarray of float64, shape (n,)
        Metres.

    Notes
    -----
    Haversine formula, exact to rounding for short distances; the sphere is within 0.5 % of the
    ellipsoid.
    """
    lat, to_lat = np.radians(lat_deg), np.radians(to_lat_deg)
    half_lat, half_lon = (to_lat - lat) / 2, np.radians(to_lon_deg - lon_deg) / 2
    h = np.sin(half_lat) ** 2 + np.cos(lat) * np.cos(to_lat) * np.sin(half_lon) ** 2
    distance_m: FloatArray = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(h, 1.0)))
    return distance_m


def lengths_m(lon_deg: FloatArray, lat_deg: FloatArray, start: IntArray) -> FloatArray:
    """
    Measure lines along their points.

    Parameters
    ----------
    lon_deg, lat_deg : ndarray of float64, shape (k,)
        Points of all lines, WGS 84.
    start : ndarray of int64, shape (m + 1,)
        Line i has the points ``start[i]:start[i + 1]``, at least one.

    Returns
    -------
    length_m : ndarray of float64, shape (m,)
        Metres.
    """
    step_m = np.zeros(len(lon_deg))
    step_m[:-1] = great_circle_m(lon_deg[:-1], lat_deg[:-1], lon_deg[1:], lat_deg[1:])
    step_m[start[1:] - 1] = 0.0  # from a line's last point leads no step
    return np.add.reduceat(step_m, start[:-1])


def pick_lines(start: IntArray, lines: IntArray, turned: BoolArray) -> tuple[IntArray, IntArray]:
    """
    Pick lines in any order, each as it is or turned round.

    Parameters
    ----------
    start : ndarray of int64, shape (m + 1,)
        Line i has the points ``start[i]:start[i + 1]``.
    lines : ndarray of int64, shape (p,)
        Rows of the lines wanted.
    turned : ndarray of bool, shape (p,)
        To be given from its last point to its first.

    Returns
    -------
    points : ndarray of int64, shape (q,)
        Rows of the points, line after line.
    picked_start : ndarray of int64, shape (p + 1,)
        Where each picked line starts among them.
    """
    size = start[lines + 1] - start[lines]
    picked_start = np.concatenate([[0], np.cumsum(size)])
    place = np.arange(picked_start[-1]) - np.repeat(picked_start[:-1], size)
    first = np.where(turned, start[lines + 1] - 1, start[lines])
    step = np.where(turned, -1, 1)
    return np.repeat(first, size) + np.repeat(step, size) * place, picked_start

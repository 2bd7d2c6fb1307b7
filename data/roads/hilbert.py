"""Places along a Hilbert curve: neighbours in rows are neighbours on the ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from data.road_table import FloatArray, IntArray

_BITS = 31  # an axis; a cell is at most 2 cm wide, and the key fits into 62 bits
_SIDE = 1 << _BITS


def hilbert_key(lon_deg: FloatArray, lat_deg: FloatArray) -> IntArray:
    """
    Say how far along a Hilbert curve over the whole Earth places lie.

    Parameters
    ----------
    lon_deg, lat_deg : ndarray of float64, shape (n,)
        WGS 84.

    Returns
    -------
    key : ndarray of int64, shape (n,)
        From 0 to 2**62 - 1. Of the place alone: a network's part has the order of the whole.

    Notes
    -----
    Each round looks at one bit of both axes, and turns the quarter so that the curve's pieces
    join. Source: Hilbert (1891); Skilling, "Programming the Hilbert curve" (2004).
    """
    x = _cell(lon_deg, 360.0)
    y = _cell(lat_deg, 180.0)
    key = np.zeros(len(x), np.int64)
    for bit in range(_BITS - 1, -1, -1):
        east, north = x >> bit & 1, y >> bit & 1
        key = key << 2 | (3 * east ^ north)
        flipped = (north == 0) & (east == 1)
        x, y = np.where(flipped, _SIDE - 1 - x, x), np.where(flipped, _SIDE - 1 - y, y)
        x, y = np.where(north == 0, y, x), np.where(north == 0, x, y)
    return key


def _cell(angle_deg: FloatArray, range_deg: float) -> IntArray:
    """Count cells from the axis's lower end, shape (n,)."""
    share = angle_deg / range_deg + 0.5
    return np.clip((share * _SIDE).astype(np.int64), 0, _SIDE - 1)

"""Bands of drive time, as shares of T: the same on every map and in every table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from data.road_table import FloatArray, IntArray

UP_TO = (0.5, 1.0, 2.0)
"""Shares of T up to which the first bands reach; one more for the rest, one for no way."""


def bands(times_s: FloatArray, within_s: FloatArray | float) -> IntArray:
    """
    Tell the band of drive times.

    Parameters
    ----------
    times_s : ndarray of float64, shape (m,)
        Seconds; inf, or NaN, where there is no way.
    within_s : float, or ndarray of float64, shape (m,)
        T.

    Returns
    -------
    band : ndarray of int64, shape (m,)
        0 up to T/2, 1 up to T, 2 up to 2 T, 3 beyond, 4 no way; a time on a bound belongs to the
        nearer band.
    """
    rows = np.searchsorted(UP_TO, times_s / within_s, side="left")
    return np.where(np.isfinite(times_s), rows, len(UP_TO) + 1).astype(np.int64)

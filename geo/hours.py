"""Hours as people count them: local ones, and those of the week."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from data.road_table import FloatArray, IntArray

HOUR_S, WEEK_HOURS = 3600, 168
MONDAY = 4 * 24  # hours from the epoch, a Thursday, to the first Monday


def local_hours(at_s: FloatArray, zone: ZoneInfo) -> IntArray:
    """
    Count whole hours of local time.

    Parameters
    ----------
    at_s : ndarray of float64, shape (k,)
        Seconds since the epoch.
    zone : ZoneInfo
        Where.

    Returns
    -------
    hour : ndarray of int64, shape (k,)
        Since 1970-01-01 00:00 there; an hour that comes twice is one.
    """
    local = pd.to_datetime(at_s, unit="s", utc=True).tz_convert(zone).tz_localize(None)
    return np.asarray(local.as_unit("s").asi8 // HOUR_S, np.int64)


def week_hour(hour: IntArray) -> IntArray:
    """
    Give the hour of the week of hours of local time.

    Parameters
    ----------
    hour : ndarray of int64
        As `local_hours` counts them.

    Returns
    -------
    hour : ndarray of int64
        0 to 167; Monday's first is 0.
    """
    return (hour - MONDAY) % WEEK_HOURS


def hours_of_week(at_s: FloatArray, zone: ZoneInfo) -> IntArray:
    """
    Give the hour of the week where the agency is.

    Parameters
    ----------
    at_s : ndarray of float64, shape (k,)
        Seconds since the epoch.
    zone : ZoneInfo
        Its time zone.

    Returns
    -------
    hour : ndarray of int64, shape (k,)
        0 to 167; Monday's first is 0.
    """
    return week_hour(local_hours(at_s, zone))

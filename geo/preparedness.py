"""How ready each zone is for its next stops (model, section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from data.road_table import FloatArray
    from data.settings import Policy

MINUTE_S = 60.0


def preparedness(time_s: FloatArray, stops_an_hour: FloatArray, policy: Policy) -> FloatArray:
    """
    Give p of zones: the cars near each, for the stops that are expected there.

    Parameters
    ----------
    time_s : ndarray of float64, shape (..., k)
        From the nearest units to the zone, soonest first, 3 at least; the others do not count.
    stops_an_hour : ndarray of float64, shape (...)
        d_z.
    policy : Policy
        gamma, the least drive time and d_min.

    Returns
    -------
    preparedness : ndarray of float64, shape (...)
        Cars a minute of drive and stop an hour; 0 where nobody gets there. Only to compare zones
        that are cut alike: one twice as large has twice the stops.

    Notes
    -----
    ``p_z = sum_l gamma_l / max(t_l, t_min) / max(d_z, d_min)``, t in minutes: Andersson and
    Värbrand (2007), Journal of the Operational Research Society 58(2), 195-201.
    """
    gamma = np.array([1.0, policy.preparedness_second, policy.preparedness_third])
    minutes = np.maximum(time_s[..., : len(gamma)], policy.preparedness_nearest_s) / MINUTE_S
    near: FloatArray = (gamma / minutes).sum(axis=-1)
    return near / np.maximum(stops_an_hour, policy.preparedness_stops_min)

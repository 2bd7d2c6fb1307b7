"""Who is within reach of which stop, and what their chances come to: all pairs in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.kinds import (
    FLOAT,
    FLOAT_ROWS,
    FLOAT_ROWS_OUT,
    FLOATS,
    FLOATS_OUT,
    INT,
    INTS,
    INTS_OUT,
    NOTHING,
    TRUTH_ROWS,
)

if TYPE_CHECKING:
    from data.road_table import BoolArray, FloatArray, Int32Array


@njit(
    INT(FLOAT_ROWS, FLOATS, FLOAT, FLOATS, FLOAT_ROWS_OUT, INTS_OUT, FLOATS_OUT),
    cache=True,
    nogil=True,
)
def reckon_near(
    drive_time_s: FloatArray,
    effective_age_s: FloatArray,
    working: float,
    horizon_s: FloatArray,
    tau_s: FloatArray,
    pair: Int32Array,
    near_s: FloatArray,
) -> int:
    """
    Reckon tau of all pairs, and list those that are within reach of each other.

    Parameters
    ----------
    drive_time_s : ndarray of float64, shape (u, s)
        Inf for no way.
    effective_age_s : ndarray of float64, shape (u,)
        a.
    working : float
        Allowance for each second of it.
    horizon_s : ndarray of float64, shape (s,)
        Drive times past it are out of reach.
    tau_s : ndarray of float64, shape (u, s)
        Filled.
    pair : ndarray of int32, shape (u * s,)
        Filled: ``u * stops + s`` of those within reach, rising.
    near_s : ndarray of float64, shape (u * s,)
        Filled: tau of each.

    Returns
    -------
    count : int
        How many those are.
    """
    count = 0
    units, stops = drive_time_s.shape
    for u in range(units):
        allowance_s = working * effective_age_s[u]
        for s in range(stops):
            tau_s[u, s] = drive_time_s[u, s] + allowance_s
            if drive_time_s[u, s] <= horizon_s[s]:
                pair[count] = u * stops + s
                near_s[count] = tau_s[u, s]
                count += 1
    return count


@njit(
    NOTHING(INTS, FLOATS, TRUTH_ROWS, FLOAT, FLOAT_ROWS_OUT, FLOATS_OUT, FLOATS_OUT),
    cache=True,
    nogil=True,
)
def odds_of(
    pair: Int32Array,
    near_chance: FloatArray,
    counts: BoolArray,
    comes: float,
    chance: FloatArray,
    probability: FloatArray,
    without_best: FloatArray,
) -> None:
    """
    Work out how likely somebody is at each stop in time.

    Parameters
    ----------
    pair : ndarray of int32, shape (n,)
        Of `reckon_near`.
    near_chance : ndarray of float64, shape (n,)
        F of each.
    counts : ndarray of bool, shape (u, s)
        Enters G.
    comes : float
        r.
    chance : ndarray of float64, shape (u, s)
        Filled: F, 0 out of reach.
    probability, without_best : ndarray of float64, shape (s,)
        Filled: G, and G without its best unit.
    """
    units, stops = counts.shape
    chance[:] = 0.0
    for i in range(len(pair)):
        chance[pair[i] // stops, pair[i] % stops] = near_chance[i]
    nobody, best = np.ones(stops), np.ones(stops)
    for u in range(units):
        for s in range(stops):
            if counts[u, s]:
                stays_away = 1 - comes * chance[u, s]
                nobody[s] *= stays_away
                best[s] = min(best[s], stays_away)
    for s in range(stops):
        probability[s] = 1 - nobody[s]
        if best[s] > 0:
            without_best[s] = 1 - nobody[s] / best[s]
            continue
        # Somebody surely comes; without that one, the others' odds in the order of their size.
        odds = np.where(counts[:, s], 1 - comes * chance[:, s], 1.0)
        odds.sort()
        others = 1.0
        for stays_away in odds[1:]:
            others *= stays_away
        without_best[s] = 1 - others

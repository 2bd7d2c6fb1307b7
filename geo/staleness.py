"""What an old fix still proves (docs/model.md, section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from data.records import Freshness

if TYPE_CHECKING:
    from datetime import datetime

    from data.records import UnitFix
    from data.road_table import BoolArray, FloatArray
    from data.settings import Policy

Seconds = TypeVar("Seconds", "float", "FloatArray")

# An old fix may be wrong by a drive as long as its age: towards the stop at best, and away from it
# at worst, where the way back can be longer than the way there (heuristic).
AWAY = 1.5
WORKING = 0.75  # half of that, taken as allowance in the working figure
MISSED_HEARTBEATS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """
    How old a fix is and what that means.

    Parameters
    ----------
    fix_age_s : float
        Seconds since the fix was taken, >= 0.
    effective_s : float
        a of the model: seconds in which the unit may have moved.
    freshness : Freshness
        What to call it.
    """

    fix_age_s: float
    effective_s: float
    freshness: Freshness


def is_standing(fix: UnitFix, policy: Policy) -> bool:
    """
    Tell whether a unit was parked when last seen.

    Returns
    -------
    standing : bool
        False where its speed is unknown.
    """
    return fix.speed_mps is not None and fix.speed_mps < policy.standing_below_mps


def age_of(fix: UnitFix, *, now: datetime, policy: Policy) -> Age:
    """
    Judge the age of a fix.

    Parameters
    ----------
    fix : UnitFix
        The newest of a unit.
    now : datetime
        The instant asked about.
    policy : Policy
        Heartbeat and bounds.

    Returns
    -------
    age : Age
        A parked unit that keeps its heartbeat ages no more than one heartbeat; one that has missed
        two, or was last seen moving, ages in full.
    """
    age_s = max(0.0, (now - fix.fixed_at).total_seconds())
    if is_standing(fix, policy):
        keeps_beat = age_s <= MISSED_HEARTBEATS * policy.heartbeat_s
        effective_s = min(age_s, policy.heartbeat_s) if keeps_beat else age_s
        quiet_s, stale_s, name = policy.heartbeat_s, policy.stale_parked_s, Freshness.PARKED
    else:
        effective_s = age_s
        quiet_s, stale_s, name = policy.silent_after_s, policy.stale_moving_s, Freshness.SILENT
    if age_s > stale_s:
        name = Freshness.STALE
    elif age_s <= quiet_s:
        name = Freshness.FRESH
    return Age(fix_age_s=age_s, effective_s=effective_s, freshness=name)


def ages(
    fixed_at_s: FloatArray, speed_mps: FloatArray, *, now_s: float | FloatArray, policy: Policy
) -> tuple[FloatArray, BoolArray]:
    """
    Judge the ages of many fixes; each as `age_of` would.

    Parameters
    ----------
    fixed_at_s : ndarray of float64, shape (u,)
        When each was taken, seconds since the epoch.
    speed_mps : ndarray of float64, shape (u,)
        NaN where unknown.
    now_s : float or ndarray of float64, shape (u,)
        The instant asked about.
    policy : Policy
        Heartbeat and bounds.

    Returns
    -------
    effective_s : ndarray of float64, shape (u,)
        a of the model.
    stale : ndarray of bool, shape (u,)
        Too old to be asked.
    """
    age_s = np.maximum(0.0, now_s - fixed_at_s)
    standing = speed_mps < policy.standing_below_mps
    keeps_beat = standing & (age_s <= MISSED_HEARTBEATS * policy.heartbeat_s)
    effective_s = np.where(keeps_beat, np.minimum(age_s, policy.heartbeat_s), age_s)
    stale = age_s > np.where(standing, policy.stale_parked_s, policy.stale_moving_s)
    return effective_s, stale


def bounds_s(drive_time_s: float, effective_age_s: float) -> tuple[float, float]:
    """
    Bound the drive time that is left, given how long the unit may have moved since its fix.

    Parameters
    ----------
    drive_time_s : float
        From the last fix, >= 0.
    effective_age_s : float
        a of the model, >= 0.

    Returns
    -------
    t_lo_s, t_hi_s : float
        It drove straight here meanwhile; it drove straight away.
    """
    return max(0.0, drive_time_s - effective_age_s), drive_time_s + AWAY * effective_age_s


def working_s(drive_time_s: Seconds, effective_age_s: float) -> Seconds:
    """
    Give tau, the figure to reckon with: an older fix never makes a unit look better.

    Parameters
    ----------
    drive_time_s : float or ndarray of float64
        From the last fix, >= 0.
    effective_age_s : float
        a of the model, >= 0.

    Returns
    -------
    tau_s : float or ndarray of float64, as `drive_time_s`
        At least `drive_time_s`.
    """
    return drive_time_s + WORKING * effective_age_s

"""Who is alone: could backup be there in time (docs/model.md, section 3)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from data.records import Flag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.road_table import FloatArray
    from data.settings import Policy

Seconds = TypeVar("Seconds", "float", "FloatArray")


def chance_within(tau_s: npt.ArrayLike, within_s: npt.ArrayLike, policy: Policy) -> FloatArray:
    """
    Give F: the chance that a drive reckoned at tau takes no longer than T.

    Parameters
    ----------
    tau_s : array_like of float
        Working figure, seconds; inf where there is no way.
    within_s : array_like of float
        T, seconds, > 0; broadcast against `tau_s`.
    policy : Policy
        Its `drive_time_spread`.

    Returns
    -------
    chance : ndarray of float64
        ``Phi((ln T - ln max(1, tau)) / spread)``; 0 for inf.
    """
    margin = np.log(within_s) - np.log(np.maximum(1.0, tau_s))
    chance: FloatArray = ndtr(margin / policy.drive_time_spread)
    return chance


def reach_s(within_s: Seconds, policy: Policy) -> Seconds:
    """
    Give the drive time past which a unit's chance F counts for nothing.

    Returns
    -------
    reach_s : float or ndarray of float64, as `within_s`
        Four spreads past T: F is under 0.00004.
    """
    return within_s * math.exp(4 * policy.drive_time_spread)


def drive_limit_s(within_s: Seconds, policy: Policy) -> Seconds:
    """
    Give the longest drive that is asked of anybody, against tau.

    Returns
    -------
    limit_s : float or ndarray of float64, as `within_s`
        Seconds.
    """
    limit_s: Seconds = np.maximum(policy.drive_max_s, 2 * within_s)
    return limit_s


def horizon_s(within_s: Seconds, policy: Policy) -> Seconds:
    """
    Give the drive time past which nobody enters G, and nobody is asked.

    Returns
    -------
    horizon_s : float or ndarray of float64, as `within_s`
        The longest drive that is asked, or four spreads past T.
    """
    longest_s: Seconds = np.maximum(drive_limit_s(within_s, policy), reach_s(within_s, policy))
    return longest_s


def backup_probability(chances: Iterable[float], policy: Policy) -> float:
    """
    Give G: the chance that at least one unit is there within T, taken as independent.

    Parameters
    ----------
    chances : iterable of float
        F of each unit that could be asked.
    policy : Policy
        Its `comes_when_asked`.

    Returns
    -------
    probability : float
        0 where there is nobody. Independence is optimistic; docs/model.md says so.
    """
    nobody = 1.0
    for chance in chances:
        nobody *= 1 - policy.comes_when_asked * chance
    return 1 - nobody


def flag_stop(chances: Iterable[float], *, short: int, policy: Policy) -> Flag:
    """
    Flag a stop.

    Parameters
    ----------
    chances : iterable of float
        F of each unit that could be asked.
    short : int
        Officers wanted and not there.
    policy : Policy
        Bounds of the flags.

    Returns
    -------
    flag : Flag
        covered where nobody is missing, or where backup is likely and does not hang on one unit.
    """
    ranked = sorted(chances, reverse=True)
    probability = backup_probability(ranked, policy)
    without_best = backup_probability(ranked[1:], policy)
    if short <= 0:
        return Flag.COVERED
    if probability < policy.alone_below:
        return Flag.ALONE
    if probability >= policy.covered_from and without_best >= policy.covered_without_best:
        return Flag.COVERED
    return Flag.THIN

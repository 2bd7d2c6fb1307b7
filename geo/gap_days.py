"""What days say of each other: how alike they are, weeks, before and after, a trend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from data.errors import InputError
from data.past_gaps import PeriodChange
from geo.gap_figures import NOTHING, interval, variance_of

if TYPE_CHECKING:
    from data.road_table import BoolArray, FloatArray, IntArray
    from geo.gap_figures import Shares
    from geo.gaps import PastCover

Figures = npt.NDArray[np.floating[Any]]
SHUFFLES = 9999
FEWEST_DAYS = 4  # on each side: three against three cannot come under p = 0.05
FEWEST_IN_TREND = 8  # two weekends at the least, or a week of working days and more
FEWEST_ALIKE = 14  # in fewer days nobody sees how alike two that follow each other are
MOST_ALIKE = 0.9
DAYS_OF_WEEK, FIRST_MONDAY = 7, 4  # days from 1970-01-01, a Thursday


def dependence(day: IntArray, mean: FloatArray, fitted: FloatArray) -> float:
    """
    Tell how many days that follow each other count as one independent.

    Parameters
    ----------
    day : ndarray of int64, shape (d,)
        Which days, rising.
    mean : ndarray of float64, shape (d,)
        A figure of each.
    fitted : ndarray of float64, shape (d, p)
        What it goes by: columns of a regression.

    Returns
    -------
    days : float
        (1 + rho) / (1 - rho), by which the variance of a mean grows where each day goes by the one
        before with correlation rho, from 0 to 0.9: that of the residuals, made up for its bias of
        about -(p + 3 rho) / d in few days (for p = 1: Kendall 1954, and Marriott and Pope 1954,
        Biometrika 41). 1 below 14 days, and where the figure never moves.
    """
    slope, _, free, _ = np.linalg.lstsq(fitted, mean, rcond=None)
    residual = mean - fitted @ slope
    follows = np.flatnonzero(np.diff(day) == 1)
    spread = float(residual @ residual)
    if len(day) < FEWEST_ALIKE or not len(follows) or spread < len(day) * NOTHING:
        return 1.0
    together = float(residual[follows] @ residual[follows + 1]) / len(follows)
    seen = together / (spread / len(day))
    rho = (seen + int(free) / len(day)) / (1 - 3 / len(day))
    rho = min(max(rho, 0.0), MOST_ALIKE)
    return float((1 + rho) / (1 - rho))


def days_alike(past: PastCover, figures: Figures) -> float:
    """
    Tell how many days count as one independent, working days and weekends on parallel lines.

    Parameters
    ----------
    past : PastCover
        With its hours.
    figures : ndarray of float, shape (h,)
        A share for each hour.

    Returns
    -------
    days : float
        1 or more; see `dependence`.
    """
    return alike_days(*_averaged(past.day, figures))


def alike_days(day: IntArray, mean: FloatArray) -> float:
    """
    Tell the same of days' own shares.

    Parameters
    ----------
    day : ndarray of int64, shape (d,)
        Rising.
    mean : ndarray of float64, shape (d,)
        A share of each.

    Returns
    -------
    days : float
        1 or more.
    """
    return dependence(day, mean, _lines(day))


def day_spread(past: PastCover, figures: Figures, alike: FloatArray) -> FloatArray:
    """
    Tell how much a share varies from day to day.

    Parameters
    ----------
    past : PastCover
        With its hours.
    figures : ndarray of float, shape (h, 2)
        Two shares for each hour.
    alike : ndarray of float64, shape (2,)
        So many days count as one independent.

    Returns
    -------
    variance : ndarray of float64, shape (2,)
        See `geo.gap_figures.variance_of`.
    """
    day = np.stack([_averaged(past.day, one)[1] for one in figures.T], axis=1)
    return variance_of(day - day.mean(axis=0), len(day) - 1, len(day) / alike)


def by_week(
    past: PastCover,
    figures: Figures,
    alike: FloatArray | float = 1.0,
    variance: FloatArray | float = np.inf,
) -> tuple[IntArray, Shares]:
    """
    Average a share by week.

    Parameters
    ----------
    past : PastCover
        With its hours.
    figures : ndarray of float, shape (h, 2)
        Two shares for each hour.
    alike : ndarray of float64, shape (2,), or float
        So many days count as one independent.
    variance : ndarray of float64, shape (2,), or float
        From day to day, `day_spread`; inf where it is not known.

    Returns
    -------
    monday : ndarray of int64, shape (w,)
        Days from 1970-01-01 to the local Monday of each week with anything looked at.
    shares : Shares
        Shape (w, 2), a day as one observation.
    """
    day = np.unique(past.day)
    monday = day - (day - FIRST_MONDAY) % DAYS_OF_WEEK
    weeks, days = np.unique(monday, return_counts=True)
    cars = [_averaged(monday, _averaged(past.day, one)[1])[1] for one in figures.T]
    mean = np.stack(cars, axis=1)
    times = np.broadcast_to(days[:, None], mean.shape)
    return weeks, interval(mean, times, alike, variance=variance)


def change(past: PastCover, after: BoolArray, figures: Figures, *, seed: int = 0) -> PeriodChange:
    """
    Test whether a share differs between two periods.

    Parameters
    ----------
    past : PastCover
        Both.
    after : ndarray of bool, shape (h,)
        Which hours are of the later one.
    figures : ndarray of float, shape (h,)
        A share for each hour.
    seed : int
        Of the shuffles.

    Returns
    -------
    change : PeriodChange
        By days shuffled between the periods, working days and weekends each among themselves: no
        law is assumed, and an hour says nothing that its day does not. Where days are like those
        before, what shuffling gives is spread by the root of `dependence`.

    Raises
    ------
    InputError
        If a period is empty.
    """
    # A day that the instant parts is one of each.
    day, mean = _averaged(past.day * 2 + after, figures)
    late = day % 2 == 1
    if late.all() or not late.any():
        empty = "before" if late.all() else "after"
        raise InputError(f"nothing was recorded {empty} that instant; choose one within the period")
    counts = int((~late).sum()), int(late.sum())
    found = mean[late].mean() - mean[~late].mean()
    weekend = _weekend(day // 2)
    p = None
    if min(counts) >= FEWEST_DAYS:
        kinds = np.stack([late & weekend, late & ~weekend, ~late & weekend, ~late & ~weekend])
        spread = np.sqrt(dependence(day // 2, mean, kinds.T.astype(np.float64)))
        labels = _shuffled(late, weekend, seed)
        shuffled = labels @ mean / late.sum() - ~labels @ mean / (~late).sum()
        p = _chance(found, shuffled * spread)
    return PeriodChange(
        before=float(mean[~late].mean()),
        after=float(mean[late].mean()),
        p=p,
        days_before=counts[0],
        days_after=counts[1],
    )


def trend(past: PastCover, figures: Figures, *, seed: int = 0) -> tuple[float, float, int]:
    """
    Fit a line to the days of a share.

    Parameters
    ----------
    past : PastCover
        With its hours.
    figures : ndarray of float, shape (h,)
        A share for each hour.
    seed : int
        Of the shuffles.

    Returns
    -------
    slope : float
        A day; working days and weekends lie on parallel lines. NaN of a single day of each kind.
    p : float
        Chance of a slope as steep if days came in any order, each among its kind, spread by the
        root of `dependence` where days are like those before; NaN where they are too few to tell.
    days : int
        How many.
    """
    day, mean = _averaged(past.day, figures)
    weekend = _weekend(day)
    along = day - day.mean()
    for kind in (weekend, ~weekend):
        if kind.any():
            along[kind] -= along[kind].mean()
    spread = float(along @ along)
    if spread == 0:
        return np.nan, np.nan, len(day)
    slope = float(along @ mean) / spread
    if len(day) < FEWEST_IN_TREND:
        return slope, np.nan, len(day)
    wider = np.sqrt(dependence(day, mean, _lines(day)))
    shuffled = _shuffled(mean, weekend, seed) @ along / spread
    return slope, _chance(slope, shuffled * wider), len(day)


def _averaged(group: IntArray, figures: Figures) -> tuple[IntArray, FloatArray]:
    """Average figures by group; the groups, rising, and the mean of each."""
    groups, row = np.unique(group, return_inverse=True)
    return groups, np.bincount(row, figures) / np.bincount(row)


def _lines(day: IntArray) -> FloatArray:
    """Give the columns of a line each for working days and weekends, parallel."""
    weekend = _weekend(day)
    return np.stack([weekend, ~weekend, day - day.mean()], axis=1).astype(np.float64)


def _weekend(day: IntArray) -> BoolArray:
    """Tell Saturdays and Sundays."""
    found: BoolArray = (day - FIRST_MONDAY) % DAYS_OF_WEEK >= 5  # noqa: PLR2004 - Saturday
    return found


def _shuffled(of_days: npt.NDArray[Any], weekend: BoolArray, seed: int) -> npt.NDArray[Any]:
    """Shuffle what days have, working days and weekends each among themselves: a row a shuffle."""
    rng = np.random.default_rng(seed)
    shuffled = np.broadcast_to(of_days, (SHUFFLES, len(of_days))).copy()
    for kind in (weekend, ~weekend):
        shuffled[:, kind] = rng.permuted(shuffled[:, kind], axis=1)
    return shuffled


def _chance(found: float, shuffled: FloatArray) -> float:
    """Give the chance of a figure as large by shuffling."""
    as_large = np.abs(shuffled) >= abs(found) * (1 - 1e-9)
    return float((1 + as_large.sum()) / (1 + SHUFFLES))

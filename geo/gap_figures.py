"""What months of coverage come to: shares with intervals, stops exposed, before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.stats import gamma, norm

from data.errors import InputError
from geo.demand import WEIGHT_OF_ROAD
from geo.gaps import BIN_S
from geo.hours import WEEK_HOURS
from geo.kernels.beyond import BINS

if TYPE_CHECKING:
    from data.road_table import BoolArray, FloatArray, IntArray
    from data.settings import Policy
    from geo.gaps import PastCover

Figures = npt.NDArray[np.floating[Any]]
Z_95 = 1.959964  # of the normal law
HALF_LEFT_OUT = 0.0125  # on each side, of each of two figures whose product is to hold at 95 %
SHUFFLES = 9999
FEWEST_DAYS = 4  # on each side: three against three cannot come under p = 0.05
FEWEST_IN_TREND = 8  # two weekends at the least, or a week of working days and more
FEWEST_ALIKE = 14  # in fewer days nobody sees how alike two that follow each other are
MOST_ALIKE = 0.9
DAYS_OF_WEEK, FIRST_MONDAY = 7, 4  # days from 1970-01-01, a Thursday
NOTHING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """
    Shares of time with intervals.

    Parameters
    ----------
    mean, low, high : ndarray of float64, any one shape
        0 to 1, at 95 %; NaN, 0 and 1 where nothing was looked at.
    times : ndarray of int64
        Hours, or days, that they rest on.
    """

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    times: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    Two periods held against each other.

    Parameters
    ----------
    before, after : float
        Mean share of the days of each.
    p : float
        Chance of a difference as large if days were alike; NaN where they are too few to tell.
    days_before, days_after : int
        How many.
    """

    before: float
    after: float
    p: float
    days_before: int
    days_after: int


def interval(
    mean: FloatArray, times: IntArray, alike: FloatArray | float = 1.0, z: float = Z_95
) -> Shares:
    """
    Give Wilson's interval of mean shares.

    Parameters
    ----------
    mean : ndarray of float64
        Of `times` shares, each from 0 to 1.
    times : ndarray of int64
        How many there are.
    alike : ndarray of float64 or float
        So many of them count as one independent: see `dependence`.
    z : float
        Of the normal law; 95 % by default.

    Returns
    -------
    shares : Shares
        No share from 0 to 1 varies more than a coin of the same mean, for which Wilson's interval
        is: so it is too wide rather than too narrow.
    """
    n = np.maximum(times / alike, 1e-9)
    known = np.where(times > 0, mean, 0.5)
    middle = (known + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(known * (1 - known) / n + z**2 / (4 * n**2))
    return Shares(
        mean=np.where(times > 0, mean, np.nan),
        low=np.where(times > 0, np.clip(middle - half, 0, known), 0.0),
        high=np.where(times > 0, np.clip(middle + half, known, 1), 1.0),
        times=times,
    )


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


def days_of(past: PastCover, figures: Figures) -> tuple[IntArray, FloatArray]:
    """
    Average a share by day.

    Parameters
    ----------
    past : PastCover
        With its hours.
    figures : ndarray of float, shape (h,)
        A share for each hour.

    Returns
    -------
    day : ndarray of int64, shape (d,)
        Those looked at, rising.
    mean : ndarray of float64, shape (d,)
        Of each.
    """
    day, row = np.unique(past.day, return_inverse=True)
    return day, np.bincount(row, figures) / np.bincount(row)


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
    day, mean = days_of(past, figures)
    return dependence(day, mean, _lines(day))


def _lines(day: IntArray) -> FloatArray:
    """Give the columns of a line each for working days and weekends, parallel."""
    weekend = _weekend(day)
    return np.stack([weekend, ~weekend, day - day.mean()], axis=1).astype(np.float64)


def by_hour_of_week(past: PastCover) -> Shares:
    """
    Average each cell by hour of week.

    Parameters
    ----------
    past : PastCover
        Hour by hour.

    Returns
    -------
    shares : Shares
        Shape (168, c, 2). An hour of a week counts as one, however many snapshots it has, for they
        follow from each other.
    """
    hours = np.bincount(past.hour_of_week, minlength=WEEK_HOURS)
    times = np.broadcast_to(hours[:, None, None], past.hours_beyond.shape)
    return interval(past.hours_beyond / np.maximum(times, 1), times)


def by_cell(past: PastCover, alike: FloatArray | float = 1.0) -> Shares:
    """
    Average each cell over everything.

    Parameters
    ----------
    past : PastCover
        Hour by hour.
    alike : ndarray of float64, shape (2,), or float
        So many days count as one independent, of each car.

    Returns
    -------
    shares : Shares
        Shape (c, 2). A day counts as one. Hours not looked at leave the others more weight.
    """
    mean: FloatArray = past.hours_beyond.sum(axis=0) / len(past.hour)
    return interval(mean, np.full(mean.shape, len(np.unique(past.day))), alike)


def _averaged(figures: Figures, group: IntArray, groups: int) -> Shares:
    """Average rows by group."""
    total = np.zeros((groups, *figures.shape[1:]))
    np.add.at(total, group, figures)
    rows = np.bincount(group, minlength=groups)
    times = np.broadcast_to(rows.reshape(-1, *(1,) * (total.ndim - 1)), total.shape)
    return interval(total / np.maximum(times, 1), times)


def percentile_s(past: PastCover, share: FloatArray | float) -> FloatArray:
    """
    Give the drive time within which a share of road and time was reached.

    Parameters
    ----------
    past : PastCover
        With its drive times.
    share : ndarray of float64, shape (2,), or float
        0 to 1, for each car.

    Returns
    -------
    time_s : ndarray of float64, shape (c, 2)
        Up to 10 s too long; inf where above half an hour, or nobody.
    """
    upto = past.drive_time_km.cumsum(axis=2)
    wanted = np.broadcast_to(share, 2)[:, None] * upto[:, :, -1:]
    bins = (upto < wanted * (1 - 1e-12)).sum(axis=2)
    return np.where(bins < BINS, (bins + 1) * BIN_S, np.inf)


def percentile_interval_s(
    past: PastCover, share: float, alike: FloatArray | float = 1.0
) -> tuple[FloatArray, FloatArray]:
    """
    Give the interval of a percentile, at 95 %, a day as one observation.

    Parameters
    ----------
    past : PastCover
        With its drive times.
    share : float
        More than 0, less than 1.
    alike : ndarray of float64, shape (2,), or float
        So many days count as one independent, of each car.

    Returns
    -------
    low_s, high_s : ndarray of float64, shape (c, 2)
        The drive times at which Wilson's interval of the share reached by then holds `share`; 0 and
        inf where the days are too few to bound it.
    """
    days = len(np.unique(past.day))
    off: FloatArray = Z_95 * np.sqrt(share * (1 - share) * np.asarray(alike) / days)
    low = np.where(share > off, percentile_s(past, share - off) - BIN_S, 0.0)
    high = np.where(share + off < 1, percentile_s(past, share + off), np.inf)
    return np.where(np.isfinite(low), low, (BINS - 1) * BIN_S), high


def stops_per_hour(past: PastCover) -> FloatArray:
    """
    Estimate how many stops begin in each cell in each hour of week.

    Parameters
    ----------
    past : PastCover
        With its stops.

    Returns
    -------
    rate : ndarray of float64, shape (168, c)
        Stops an hour, expected: all stops, shared out over cells and over hours apart from each
        other. Each is shrunk towards an even spread, over road and over the hours looked at, as if
        that had been seen in 20 stops. 0 in hours never looked at.
    """
    total = past.stops.sum()
    hours = np.bincount(past.hour_of_week, minlength=WEEK_HOURS)
    where = past.stops.sum(axis=0) + WEIGHT_OF_ROAD * past.road_km / past.road_km.sum()
    when = past.stops.sum(axis=1) + WEIGHT_OF_ROAD * hours / hours.sum()
    per_hour = np.divide(when, hours, out=np.zeros(WEEK_HOURS), where=hours > 0)
    rate: FloatArray = total * np.outer(per_hour, where) / (total + WEIGHT_OF_ROAD) ** 2
    return rate


def two_car_preparedness(past: PastCover, policy: Policy) -> FloatArray:
    """
    Give how ready each cell was, in the mean over its road and over time, by its two nearest cars.

    Parameters
    ----------
    past : PastCover
        With its drive times and its stops.
    policy : Policy
        The constants of preparedness.

    Returns
    -------
    preparedness : ndarray of float64, shape (c,)
        As `geo.preparedness` has it, of each piece of road at each instant, without a third car.

    Notes
    -----
    Drive times are those of the middles of bins of 10 s; past half an hour a car counts nothing.
    """
    time_s = np.append((np.arange(BINS) + 0.5) * BIN_S, np.inf)
    cars = np.array([1.0, policy.preparedness_second])
    each = cars[:, None] * 60 / np.maximum(time_s, policy.preparedness_nearest_s)
    near = (past.drive_time_km * each).sum(axis=(1, 2)) / past.drive_time_km[:, 0].sum(axis=1)
    looked_at = np.bincount(past.hour_of_week, minlength=WEEK_HOURS)
    stops_an_hour = looked_at @ stops_per_hour(past) / looked_at.sum()
    ready: FloatArray = near / np.maximum(stops_an_hour, policy.preparedness_stops_min)
    return ready


def exposed_per_week(past: PastCover) -> FloatArray:
    """
    Estimate how many stops a week begin where the first, the second car is beyond T.

    Parameters
    ----------
    past : PastCover
        Hour by hour.

    Returns
    -------
    stops : ndarray of float64, shape (168, c, 2)
        By hour of week, expected; 0 in hours never looked at.
    """
    return np.nan_to_num(by_hour_of_week(past).mean) * stops_per_hour(past)[:, :, None]


def exposed_bounds(
    exposed: FloatArray, rate: FloatArray, seen: FloatArray, days: int, alike: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """
    Give the interval of the stops a week that begin beyond T.

    Parameters
    ----------
    exposed : ndarray of float64, shape (c, 2)
        Expected stops a week while a car is beyond T.
    rate : ndarray of float64, shape (c,)
        Expected stops a week.
    seen : ndarray of float64, shape (c,)
        Stops that this rests on: those recorded, and what road counts for.
    days : int
        That the shares rest on.
    alike : ndarray of float64, shape (2,)
        So many days count as one independent.

    Returns
    -------
    low, high : ndarray of float64, shape (c, 2)
        At 95 % or more: a gamma law for the rate of a Poisson process (Garwood 1936, Biometrika
        28, with the prior that `stops_per_hour` shrinks by) times Wilson's interval of the share,
        each at 97.5 %. That where and when go apart from each other is taken as given.
    """
    share = exposed / np.maximum(rate, NOTHING)[:, None]
    z = float(norm.isf(HALF_LEFT_OUT))
    of_share = interval(np.clip(share, 0, 1), np.full(share.shape, days), alike, z)
    shape = np.maximum(seen, NOTHING)
    low, high = (gamma.ppf(q, shape) / shape for q in (HALF_LEFT_OUT, 1 - HALF_LEFT_OUT))
    return (rate * low)[:, None] * of_share.low, (rate * high)[:, None] * of_share.high


def change(past: PastCover, after: BoolArray, figures: Figures, *, seed: int = 0) -> Change:
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
    change : Change
        By days shuffled between the periods, working days and weekends each among themselves: no
        law is assumed, and an hour says nothing that its day does not. Where days are like those
        before, what shuffling gives is spread by the root of `dependence`.

    Raises
    ------
    InputError
        If a period is empty.
    """
    # A day that the instant parts is one of each.
    day, row = np.unique(past.day * 2 + after, return_inverse=True)
    mean = np.bincount(row, figures) / np.bincount(row)
    late = day % 2 == 1
    if late.all() or not late.any():
        empty = "before" if late.all() else "after"
        raise InputError(f"nothing was recorded {empty} that instant; choose one within the period")
    counts = int((~late).sum()), int(late.sum())
    found = mean[late].mean() - mean[~late].mean()
    weekend = _weekend(day // 2)
    p = np.nan
    if min(counts) >= FEWEST_DAYS:
        kinds = np.stack([late & weekend, late & ~weekend, ~late & weekend, ~late & ~weekend])
        spread = np.sqrt(dependence(day // 2, mean, kinds.T.astype(np.float64)))
        shuffled = _shuffled(mean, late, weekend, np.random.default_rng(seed)) * spread
        as_large = np.abs(shuffled) >= abs(found) * (1 - 1e-9)
        p = (1 + as_large.sum()) / (1 + SHUFFLES)
    return Change(
        before=float(mean[~late].mean()),
        after=float(mean[late].mean()),
        p=float(p),
        days_before=counts[0],
        days_after=counts[1],
    )


def by_week(
    past: PastCover, figures: Figures, alike: FloatArray | float = 1.0
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

    Returns
    -------
    monday : ndarray of int64, shape (w,)
        Days from 1970-01-01 to the local Monday of each week with anything looked at.
    shares : Shares
        Shape (w, 2), a day as one observation.
    """
    day, row = np.unique(past.day, return_inverse=True)
    mean = np.stack([np.bincount(row, one) / np.bincount(row) for one in figures.T], axis=1)
    monday, week = np.unique(day - (day - FIRST_MONDAY) % DAYS_OF_WEEK, return_inverse=True)
    shares = _averaged(mean, week, len(monday))
    return monday, interval(shares.mean, shares.times, alike)


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
    day, mean = days_of(past, figures)
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
    rng = np.random.default_rng(seed)
    shuffled = np.broadcast_to(mean, (SHUFFLES, len(day))).copy()
    for kind in (weekend, ~weekend):
        shuffled[:, kind] = rng.permuted(shuffled[:, kind], axis=1)
    wider = np.sqrt(dependence(day, mean, _lines(day)))
    as_steep = np.abs(shuffled @ along / spread) * wider >= abs(slope) * (1 - 1e-9)
    return slope, float((1 + as_steep.sum()) / (1 + SHUFFLES)), len(day)


def _weekend(day: IntArray) -> BoolArray:
    """Tell Saturdays and Sundays."""
    found: BoolArray = (day - FIRST_MONDAY) % DAYS_OF_WEEK >= 5  # noqa: PLR2004 - Saturday
    return found


def _shuffled(
    mean: FloatArray, late: BoolArray, weekend: BoolArray, rng: np.random.Generator
) -> FloatArray:
    """Give differences with days shuffled within their kind, shape (shuffles,)."""
    labels = np.broadcast_to(late, (SHUFFLES, len(late))).copy()
    for kind in (weekend, ~weekend):
        labels[:, kind] = rng.permuted(labels[:, kind], axis=1)
    after = labels @ mean / late.sum()
    before = ~labels @ mean / (~late).sum()
    difference: FloatArray = after - before
    return difference

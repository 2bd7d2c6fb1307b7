"""What months of coverage come to: shares with intervals, drive times, stops exposed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import gamma, norm
from scipy.stats import t as t_law

from geo.demand import WEIGHT_OF_ROAD
from geo.gaps import BIN_S
from geo.hours import WEEK_HOURS
from geo.kernels.beyond import BINS

if TYPE_CHECKING:
    from data.road_table import FloatArray, IntArray
    from data.settings import Policy
    from geo.gaps import PastCover

Z_95 = 1.959964  # of the normal law
HALF_LEFT_OUT = 0.0125  # on each side, of each of two figures whose product is to hold at 95 %
NOTHING = 1e-12
ENOUGH_DAYS = 28  # independent ones: of a kind that one in ten is, one was seen, at 95 %
COINS = 24.0  # that a share counts for at most, however little shares vary


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


def interval(
    mean: FloatArray,
    times: IntArray,
    alike: FloatArray | float = 1.0,
    z: float = Z_95,
    variance: FloatArray | float = np.inf,
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
    variance : ndarray of float64 or float
        Of one such share, `variance_of`; inf where it is not known.

    Returns
    -------
    shares : Shares
        No share from 0 to 1 varies more than a coin of the same mean, for which Wilson's interval
        is: so it is too wide rather than too narrow. Where they are known to vary less, each counts
        for as many coins as vary as little (Korn and Graubard 1998, Survey Methodology 24), and for
        `COINS` at most.
    """
    known = np.where(times > 0, mean, 0.5)
    coins = np.clip(known * (1 - known) / np.maximum(variance, NOTHING), 1, COINS)
    n = np.maximum(times / alike, 1e-9) * coins
    middle = (known + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(known * (1 - known) / n + z**2 / (4 * n**2))
    return Shares(
        mean=np.where(times > 0, mean, np.nan),
        low=np.where(times > 0, np.clip(middle - half, 0, known), 0.0),
        high=np.where(times > 0, np.clip(middle + half, known, 1), 1.0),
        times=times,
    )


def variance_of(off: FloatArray, free: int, days: FloatArray) -> FloatArray:
    """
    Tell how much the shares of days, or hours, vary.

    Parameters
    ----------
    off : ndarray of float64, shape (n, k)
        By how much each is off its mean.
    free : int
        n, less the means that were taken from them.
    days : ndarray of float64, shape (k,)
        Independent days that they are of.

    Returns
    -------
    variance : ndarray of float64, shape (k,)
        For `interval`, made larger as Student's law is wider than the normal one; inf where there
        are fewer than `ENOUGH_DAYS`: some kind of day may never have been seen.
    """
    wider = (t_law.isf(0.025, ENOUGH_DAYS - 1) / Z_95) ** 2
    return np.where(days >= ENOUGH_DAYS, wider * (off**2).sum(axis=0) / max(free, 1), np.inf)


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

"""
The policy's constants, fitted to what happened, and how good the predictions were.

All of it takes values and gives values. Intervals hold 95 %. The drive times' scatter: censored
log-normal, by maximum likelihood, interval by profile likelihood. The share that comes: a binomial
with Jeffreys' prior. What stops still last: minutes on watch over ends, as of an exponential, with
an interval that does not lean on its being one. Fewer than `ENOUGH` cases fit nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.special import log_ndtr
from scipy.stats import beta, chi2, norm

from data.records import StopPhase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from data.road_table import BoolArray, FloatArray
    from geo.arrivals import Asked, Spell

ENOUGH = 20
SHORT_S = 90.0  # of shorter drives, how soon one answers and sets out says more than the road
AGE_SHARE = 0.1  # with more of tau for the age of a fix, where the car was says more than the road
TAIL = 0.025  # on either side of an interval
BINS = 10
SIGMAS = (0.01, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """
    One figure, fitted.

    Parameters
    ----------
    fitted : float or None
        None where there were too few cases.
    low, high : float or None
        Its interval of 95 %.
    n : int
        Cases it rests on: arrivals, answers, stops that ended.
    censored : int
        Cases of which only a bound is known.
    """

    fitted: float | None
    low: float | None
    high: float | None
    n: int
    censored: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """
    Predictions of about the same probability, and what came of them.

    Parameters
    ----------
    predicted : float
        Their mean.
    observed : float
        Share that came true.
    low, high : float
        Interval of 95 % of that share.
    n : int
        How many.
    """

    predicted: float
    observed: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """
    How good probabilities were.

    Parameters
    ----------
    n : int
        Predictions.
    brier : float or None
        Mean square of what was predicted less what came; None without predictions.
    reference : float or None
        The same for who always says the share that came true.
    reliability, resolution : float or None
        Murphy's parts: brier = reliability - resolution + reference, but for the spread in bins.
    bins : tuple of ReliabilityBin
        Of tenths; empty ones are left out.
    """

    n: int
    brier: float | None
    reference: float | None
    reliability: float | None
    resolution: float | None
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """
    What a record says of the policy's constants.

    Parameters
    ----------
    spread : Fit
        sigma of ln(actual / tau), of drives reckoned at `SHORT_S` or more from a fresh fix.
    bias : Fit
        Median of actual / tau: above 1 where drives take longer than predicted.
    comes : Fit
        r, of those who had time to answer.
    duration_min : mapping of str to Fit
        D: how long a stop still lasts, from each phase on.
    unit : Reliability
        Of F, for units that said they come.
    backup : Reliability
        Of G, at the first asking for each stop.
    """

    spread: Fit
    bias: Fit
    comes: Fit
    duration_min: Mapping[str, Fit]
    unit: Reliability
    backup: Reliability


def calibrate(asked: Sequence[Asked], spells: Sequence[Spell]) -> Calibration:
    """
    Fit everything.

    Parameters
    ----------
    asked : sequence of Asked
        What was predicted and what came of it (`geo.arrivals.read_arrivals`).
    spells : sequence of Spell
        How long stops still lasted from each phase on.

    Returns
    -------
    calibration : Calibration
        Fits are None where there is too little to fit.
    """
    driven = [one for one in asked if one.comes and _of_the_road(one)]
    last_s = [one.driven_s if one.arrived_s is None else one.arrived_s for one in driven]
    log_ratio = np.log(np.maximum(last_s, 1.0) / np.array([one.tau_s for one in driven]))
    arrived = np.array([one.arrived_s is not None for one in driven], np.bool_)
    bias, spread = fit_spread(log_ratio, arrived)
    answers = [one.comes for one in asked if one.comes is not None]
    watched = [
        one
        for one in asked
        if one.comes and (one.driven_s if one.arrived_s is None else one.watched_s) >= one.within_s
    ]
    first = [one for one in asked if one.first and one.watched_s >= one.within_s]
    return Calibration(
        spread=spread,
        bias=bias,
        comes=fit_share(sum(answers), len(answers)),
        duration_min=_durations(spells),
        unit=reliability_of(
            [one.chance for one in watched],
            [_in_time(one.arrived_s, one.within_s) for one in watched],
        ),
        backup=reliability_of(
            [one.backup_probability for one in first],
            [_in_time(one.anyone_s, one.within_s) for one in first],
        ),
    )


def _of_the_road(one: Asked) -> bool:
    """
    Tell whether it is the road that says how soon a unit is there.

    The allowance for an old fix makes tau too long on purpose: a few cars out of a dead zone, there
    in a tenth of it, would pass for a wide scatter of all drives.
    """
    age_s = one.tau_s - one.drive_time_s
    return SHORT_S <= one.tau_s < np.inf and age_s <= AGE_SHARE * one.tau_s


def _in_time(arrived_s: float | None, within_s: float) -> bool:
    """Tell whether somebody was there within T."""
    return arrived_s is not None and arrived_s <= within_s


def _durations(spells: Sequence[Spell]) -> dict[str, Fit]:
    """Fit each phase that occurs."""
    return {
        phase: fit_duration(
            np.array([spell.minutes for spell in spells if spell.phase == phase]),
            np.array([spell.ended for spell in spells if spell.phase == phase], np.bool_),
        )
        for phase in map(str, StopPhase)
        if any(spell.phase == phase for spell in spells)
    }


def fit_spread(log_ratio: FloatArray, arrived: BoolArray) -> tuple[Fit, Fit]:
    """
    Fit the bias and the scatter of drive times.

    Parameters
    ----------
    log_ratio : ndarray of float64, shape (k,)
        ln(actual / tau); for who did not arrive, of how long it had not, a lower bound.
    arrived : ndarray of bool, shape (k,)
        Whether it is the arrival.

    Returns
    -------
    bias : Fit
        Median of actual / tau.
    spread : Fit
        sigma of ln(actual / tau) about that.
    """
    n = int(arrived.sum())
    censored = len(arrived) - n
    if n < ENOUGH or np.ptp(log_ratio[arrived]) == 0:
        none = Fit(fitted=None, low=None, high=None, n=n, censored=censored)
        return none, none
    known, bound = log_ratio[arrived], log_ratio[~arrived]

    def loss(mu: float, ln_sigma: float) -> float:
        sigma = np.exp(ln_sigma)
        ends = n * ln_sigma + 0.5 * float((((known - mu) / sigma) ** 2).sum())
        return ends - float(log_ndtr((mu - bound) / sigma).sum())

    at = [float(known.mean()), float(np.log(known.std()))]
    best = minimize(lambda p, *_: loss(float(p[0]), float(p[1])), at, method="Nelder-Mead")
    mu, ln_sigma = best.x.tolist()
    reach = 3 + abs(mu)
    ends = (float(np.log(SIGMAS[0])), float(np.log(SIGMAS[1])))

    def profile_mu(value: float) -> float:
        return float(minimize_scalar(lambda s: loss(value, s), bounds=ends, method="bounded").fun)

    def profile_sigma(value: float) -> float:
        return float(
            minimize_scalar(lambda m: loss(m, value), bounds=(-reach, reach), method="bounded").fun
        )

    lows = _profile(profile_mu, mu, float(best.fun), (-reach, reach))
    sigmas = _profile(profile_sigma, ln_sigma, float(best.fun), ends)
    return _fit_of_log(mu, lows, n, censored), _fit_of_log(ln_sigma, sigmas, n, censored)


def _fit_of_log(value: float, ends: tuple[float, float], n: int, censored: int) -> Fit:
    """Write a fit that was made of logarithms."""
    fitted, low, high = np.exp([value, *ends]).tolist()
    return Fit(fitted=fitted, low=low, high=high, n=n, censored=censored)


def _profile(
    loss: Callable[[float], float], best: float, least: float, bounds: tuple[float, float]
) -> tuple[float, float]:
    """Find where the profile likelihood falls to the edge of its interval of 95 %."""
    limit = least + chi2.ppf(1 - 2 * TAIL, 1) / 2
    low, high = (
        brentq(lambda value: loss(value) - limit, best, end, xtol=1e-5)
        if loss(end) > limit
        else end
        for end in bounds
    )
    return float(low), float(high)


def fit_share(yes: int, n: int) -> Fit:
    """
    Fit a share.

    Parameters
    ----------
    yes, n : int
        How many of how many.

    Returns
    -------
    share : Fit
        Mean and interval of the posterior from Jeffreys' prior.
    """
    if n < ENOUGH:
        return Fit(fitted=None, low=None, high=None, n=n)
    about = beta(yes + 0.5, n - yes + 0.5)
    low, high = float(about.ppf(TAIL)), float(about.ppf(1 - TAIL))
    return Fit(fitted=float(about.mean()), low=low, high=high, n=n)


def fit_duration(minutes: FloatArray, ended: BoolArray) -> Fit:
    """
    Fit a mean duration.

    Parameters
    ----------
    minutes : ndarray of float64, shape (k,)
        How long each lasted, or has lasted.
    ended : ndarray of bool, shape (k,)
        Whether it ended then.

    Returns
    -------
    duration : Fit
        Minutes on watch over ends: the likeliest mean of an exponential with censoring. Its
        interval is that of a ratio of means, on the scale of logarithms.
    """
    n, total = int(ended.sum()), float(minutes.sum())
    censored = len(ended) - n
    if n < ENOUGH:
        return Fit(fitted=None, low=None, high=None, n=n, censored=censored)
    mean = total / n
    relative = float(np.sqrt(((minutes - mean * ended) ** 2).sum()) / total)
    low, high = np.exp(np.log(mean) + norm.ppf([TAIL, 1 - TAIL]) * relative).tolist()
    return Fit(fitted=mean, low=low, high=high, n=n, censored=censored)


def reliability_of(predicted: Sequence[float], came: Sequence[bool]) -> Reliability:
    """
    Compare probabilities with what came.

    Parameters
    ----------
    predicted : sequence of float
        0 to 1.
    came : sequence of bool
        As many.

    Returns
    -------
    reliability : Reliability
        Brier score, its parts, and the diagram.
    """
    chance, true = np.array(predicted, np.float64), np.array(came, np.float64)
    if not len(chance):
        nothing = dict.fromkeys(("brier", "reference", "reliability", "resolution"))
        return Reliability(n=0, bins=(), **nothing)
    base = float(true.mean())
    tenth = np.minimum((chance * BINS).astype(np.int64), BINS - 1)
    bins = tuple(_bin(chance[tenth == row], true[tenth == row]) for row in np.unique(tenth))
    return Reliability(
        n=len(chance),
        brier=float(((chance - true) ** 2).mean()),
        reference=base * (1 - base),
        reliability=sum(b.n * (b.predicted - b.observed) ** 2 for b in bins) / len(chance),
        resolution=sum(b.n * (b.observed - base) ** 2 for b in bins) / len(chance),
        bins=bins,
    )


def _bin(chance: FloatArray, true: FloatArray) -> ReliabilityBin:
    """Sum up a tenth."""
    yes, n = int(true.sum()), len(true)
    low, high = (float(beta.ppf(at, yes + 0.5, n - yes + 0.5)) for at in (TAIL, 1 - TAIL))
    return ReliabilityBin(predicted=float(chance.mean()), observed=yes / n, low=low, high=high, n=n)

"""How well drive times agree with a yardstick: one row of figures for each who is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import spearmanr

if TYPE_CHECKING:
    from data.road_table import BoolArray, FloatArray

LOW, HIGH = 0.82, 1.22


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """
    One set of drive times against the yardstick.

    Parameters
    ----------
    trips : int
        Judged.
    timed : float
        Share of them that have a time.
    spearman : float
        Of those.
    ratio_5, ratio_50, ratio_95 : float
        Percentiles of time over yardstick.
    within : float
        Share of those whose ratio is 0.82 to 1.22 of the median.
    stops, same_nearest : int, float
        Stops with `UNITS` units, and the share at which the same unit is the nearest.
    regret_95_s, regret_most_s : float
        By how much the unit named is further by the yardstick than its nearest.
    regret_15 : float
        Share of the stops where that is below 15 s.
    """

    trips: int
    timed: float
    spearman: float
    ratio_5: float
    ratio_50: float
    ratio_95: float
    within: float
    stops: int
    same_nearest: float
    regret_95_s: float
    regret_most_s: float
    regret_15: float


def agreement(time_s: FloatArray, mean_s: FloatArray, judged: BoolArray) -> Agreement:
    """
    Compare.

    Parameters
    ----------
    time_s, mean_s : ndarray of float64, shape (d, u)
        Drive times from u units to each of d stops, and the yardstick; NaN and inf for none.
    judged : ndarray of bool, shape (d, u)
        The trips that count; the nearest unit is sought among all.

    Returns
    -------
    agreement : Agreement
        The figures.
    """
    timed = judged & np.isfinite(time_s)
    ratio = time_s[timed] / mean_s[timed]
    middle = float(np.median(ratio))
    both = np.isfinite(mean_s) & ~np.isnan(time_s)
    stops = judged.any(axis=1) & (both.sum(axis=1) > 1)
    yard = np.where(both, mean_s, np.inf)[stops]
    named = np.where(both, time_s, np.inf)[stops].argmin(axis=1)
    regret_s = yard[np.arange(len(yard)), named] - yard.min(axis=1)
    low, high = np.percentile(ratio, [5, 95])
    return Agreement(
        trips=int(judged.sum()),
        timed=float(timed.sum() / judged.sum()),
        spearman=float(spearmanr(time_s[timed], mean_s[timed]).statistic),
        ratio_5=float(low),
        ratio_50=middle,
        ratio_95=float(high),
        within=float(((ratio >= LOW * middle) & (ratio <= HIGH * middle)).mean()),
        stops=int(stops.sum()),
        same_nearest=float((regret_s <= 0).mean()),
        regret_95_s=float(np.percentile(regret_s, 95)),
        regret_most_s=float(regret_s.max()),
        regret_15=float((regret_s < 15).mean()),
    )


HEAD = (
    f"{'':24} {'trips':>6} {'timed':>7} {'Spearman':>8} {'ratio 5/50/95 %':>17} {'within':>7} "
    f"{'same nearest':>13} {'regret 95 %, most':>18} {'< 15 s':>7}"
)


def line(name: str, row: Agreement) -> str:
    """Give one line of the table."""
    return (
        f"{name:24} {row.trips:6} {row.timed:7.1%} {row.spearman:8.4f} "
        f"{row.ratio_5:7.2f}/{row.ratio_50:.2f}/{row.ratio_95:.2f} {row.within:7.1%} "
        f"{row.same_nearest:6.1%} of {row.stops:3} "
        f"{row.regret_95_s:8.1f} s {row.regret_most_s:5.0f} s "
        f"{row.regret_15:7.1%}"
    )

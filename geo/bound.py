"""
The least exposure that any requests could have left, in hindsight.

Given a shift's stops, its cars where they were, and what each officer would have answered, whoever
knew it all beforehand could have left no less: each stop has its own helper, the soonest of all
cars on patrol or helping, asked as the stop begins or at the best instant thereafter; one car may
be at several stops at once; no cap, round or reserve holds anybody back. What it does not know is
where cars would have been had other requests been made before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.shift.truth import GRID_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.road_table import FloatArray
    from geo.shift.truth import StopTruth
    from geo.shift.world import ShiftRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """
    What requests could have saved.

    Parameters
    ----------
    unhelped_min : float
        Exposure if nobody had come.
    savings_min : tuple of float
        What each request could have saved, the best first.
    """

    unhelped_min: float
    savings_min: tuple[float, ...]

    def least_min(self, requests: int | None = None) -> float:
        """
        Give the least exposure.

        Parameters
        ----------
        requests : int or None
            How many may be made; None for any number.

        Returns
        -------
        least_min : float
            Minutes of stops with fewer officers there than wanted.
        """
        return self.unhelped_min - sum(self.savings_min[:requests])

    def reached_share(self, exposure_min: float) -> float:
        """
        Compare what was saved with what could have been.

        Parameters
        ----------
        exposure_min : float
            That was left.

        Returns
        -------
        share : float
            0 to 1; 0 where nothing could be saved.
        """
        could_min = sum(self.savings_min)
        return (self.unhelped_min - exposure_min) / could_min if could_min else 0.0


def bound_of(record: ShiftRecord) -> Bound:
    """
    Bound a shift that was looked at from below, given where its cars were.

    Parameters
    ----------
    record : ShiftRecord
        Simulated by `geo.compare.watched`.

    Returns
    -------
    bound : Bound
        Of its exposure.
    """
    return bound_stops(record.truth.stops.values(), record.plan.help_max_min)


def bound_stops(stops: Iterable[StopTruth], stays_min: float) -> Bound:
    """
    Bound the exposure of stops from below.

    Parameters
    ----------
    stops : iterable of StopTruth
        As they were, each with `soonest_s`.
    stays_min : float
        Whoever comes leaves after so long, so that a long stop takes several.

    Returns
    -------
    bound : Bound
        One car is enough for a stop, and may be at several at once.
    """
    most = int(np.ceil(60 * stays_min / GRID_S))
    unhelped = 0
    savings: list[int] = []
    for stop in stops:
        if stop.officers >= stop.needs:
            continue
        instants_s = stop.instants_s()
        soonest_s = min([stop.soonest_s, *(since_s for since_s, _, _ in stop.helped)])
        whole, rest = divmod(int((instants_s >= soonest_s).sum()), most)
        savings += [most] * whole + [rest] * (rest > 0)
        unhelped += len(instants_s)
    return Bound(
        unhelped_min=unhelped * GRID_S / 60,
        savings_min=tuple(count * GRID_S / 60 for count in sorted(savings, reverse=True)),
    )


def soonest_arrival_s(
    at_s: float,
    until_s: float,
    ready_s: FloatArray,
    drive_s: FloatArray,
    factor: FloatArray,
) -> float:
    """
    Bound from below when a car could be at a stop that says yes while cars drive about.

    Parameters
    ----------
    at_s, until_s : float
        The while.
    ready_s : ndarray of float64, shape (k,)
        When each has said yes at the earliest, were it asked as the stop begins; inf for never.
    drive_s : ndarray of float64, shape (k,)
        Drive time of each to the stop from where it is at the beginning of the while.
    factor : ndarray of float64, shape (k,)
        How long each really takes, relative to that.

    Returns
    -------
    soonest_s : float
        The soonest of all. A car that drives for a second is at best a second nearer; what it has
        left, it drives at its own pace from when it says yes.
    """
    could = np.isfinite(drive_s) & (ready_s < until_s)
    drive_s, factor = drive_s[could], factor[could]
    first_s = np.maximum(ready_s[could], at_s)

    def there_s(yes_s: FloatArray) -> FloatArray:
        left_s: FloatArray = np.maximum(drive_s - (yes_s - at_s), 0.0)
        return yes_s + factor * left_s

    # Between its ends that is a straight line up to the instant at which the car passes by.
    passes_s = np.clip(at_s + drive_s, first_s, until_s)
    both = np.concatenate([there_s(first_s), there_s(passes_s)])
    return float(both.min(initial=np.inf))

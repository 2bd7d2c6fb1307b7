"""Two ways of doing the same work, timed in turn, so that a noisy machine troubles both alike."""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


clock: dict[str, Callable[[], float]] = {"now": time.perf_counter}
"""What cases are timed by. `time.thread_time` on a machine that is shared with other work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A median with its least value, quartiles and the number of values."""

    median: float
    least: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """Seconds a case of either, and the ratio peer / ours, round by round."""

    ours_s: Spread
    peer_s: Spread
    ratio: Spread


def spread(values: Sequence[float]) -> Spread:
    """Summarise at least one value; quartiles by linear interpolation between values."""
    if not values:
        raise ValueError("values: must hold at least one")
    low, median, high = (
        statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
    )
    return Spread(median=median, least=min(values), low=low, high=high, count=len(values))


def race(
    ours: Callable[[Any], object],
    peer: Callable[[Any], object],
    cases: Sequence[Any],
    *,
    seconds: float,
    rounds: tuple[int, int] = (3, 200),
    pieces: int = 1,
) -> Race:
    """
    Time two contenders over the same cases until the seconds are spent.

    A round gives every case to the one and then every case to the other; who begins changes from
    round to round. A round's ratio is that of its two sums, so the ratio's spread says what a
    passing load on the machine did to it. Where a case of ours holds several pieces of the work,
    its seconds are those of one.
    """
    ours_s, peer_s = [], []
    for turn in _rounds(seconds, rounds):
        if turn % 2:
            ours_s.append(_seconds_a_case(ours, cases) / pieces)
        peer_s.append(_seconds_a_case(peer, cases))
        if not turn % 2:
            ours_s.append(_seconds_a_case(ours, cases) / pieces)
    ratios = [theirs / own for theirs, own in zip(peer_s, ours_s, strict=True)]
    return Race(ours_s=spread(ours_s), peer_s=spread(peer_s), ratio=spread(ratios))


def watch(
    run: Callable[[Any], object],
    cases: Sequence[Any],
    *,
    seconds: float,
    rounds: tuple[int, int] = (3, 200),
) -> Spread:
    """Time one contender: seconds a case, a value a round."""
    return spread([_seconds_a_case(run, cases) for _ in _rounds(seconds, rounds)])


def _rounds(seconds: float, rounds: tuple[int, int]) -> Iterator[int]:
    """Count rounds until the time is up: at least the fewest, at most the most."""
    begun = time.perf_counter()
    fewest, most = rounds
    for turn in range(most):
        if turn >= fewest and time.perf_counter() - begun >= seconds:
            return
        yield turn


def _seconds_a_case(run: Callable[[Any], object], cases: Sequence[Any]) -> float:
    """Run all cases with the garbage collector at rest."""
    gc.collect(0)
    gc.disable()
    try:
        begun = clock["now"]()
        for case in cases:
            run(case)
        return (clock["now"]() - begun) / len(cases)
    finally:
        gc.enable()

"""Answers are compared before anything is timed: a race between different answers means nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bench.graphs import FloatArray, IntArray


def same_times(
    ours: Callable[[Any], FloatArray],
    peer: Callable[[Any], FloatArray],
    cases: Iterable[Any],
    *,
    within_s: float = np.inf,
) -> None:
    """
    Hold that two contenders give the same seconds, to the millisecond, within a horizon.

    Raises
    ------
    AssertionError
        If they do not.
    """
    for case in cases:
        one, other = (_milliseconds(run(case), within_s) for run in (ours, peer))
        np.testing.assert_array_equal(one, other, err_msg=f"case {case}")


def same_nearest(
    ours: tuple[IntArray, FloatArray],
    peer: tuple[IntArray, FloatArray],
    *,
    within_s: float = np.inf,
) -> None:
    """
    Hold that two contenders name the same nearest sources, save where times are equal.

    Raises
    ------
    AssertionError
        If they do not.
    """
    (index, time_s), (other_index, other_s) = ours, peer
    one, other = (
        _milliseconds(times, within_s).reshape(len(index), -1) for times in (time_s, other_s)
    )
    np.testing.assert_array_equal(one, other)
    index, other_index = (rows.reshape(len(one), -1) for rows in (index, other_index))
    alone = np.ones(one.shape, np.bool_)  # a time that no neighbour in its row shares
    alone[:, 1:] &= one[:, 1:] != one[:, :-1]
    alone[:, :-1] &= one[:, 1:] != one[:, :-1]
    alone[:, -1] = False  # the next one is not shown, and may share it
    alone &= np.isfinite(one)
    np.testing.assert_array_equal(index[alone], other_index[alone])


def _milliseconds(time_s: FloatArray, within_s: float) -> FloatArray:
    """Round to whole milliseconds; inf past the horizon."""
    time_ms = np.rint(np.asarray(time_s, np.float64) * 1000)
    return np.where(time_ms <= within_s * 1000, time_ms, np.inf)

"""Answers are held equal before they are timed."""

from __future__ import annotations

import numpy as np
import pytest

from bench.check import same_nearest, same_times


def test_times_past_the_horizon_are_not_compared() -> None:
    same_times(
        lambda _: np.array([1.0, np.inf]), lambda _: np.array([1.0, 700.0]), [0], within_s=600
    )


def test_a_millisecond_is_a_difference() -> None:
    with pytest.raises(AssertionError):
        same_times(lambda _: np.array([1.0]), lambda _: np.array([1.001]), [0])


def test_another_source_is_a_difference_unless_times_tie() -> None:
    time_s = np.array([[1.0, 2.0], [3.0, 3.0]])
    first = np.array([[0, 1], [0, 1]])
    same_nearest((first, time_s), (np.array([[0, 1], [1, 0]]), time_s))
    with pytest.raises(AssertionError):
        same_nearest((first, time_s), (np.array([[1, 0], [0, 1]]), time_s))

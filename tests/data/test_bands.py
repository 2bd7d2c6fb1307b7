"""Bands of drive time: one for every map and table."""

from __future__ import annotations

import numpy as np

from data.bands import bands


def test_bands_are_multiples_of_t_and_a_bound_belongs_to_the_nearer() -> None:
    times_s = np.array([0, 90, 90.1, 180, 180.1, 360, 361, np.inf, np.nan])
    assert bands(times_s, 180.0).tolist() == [0, 0, 1, 1, 2, 2, 3, 4, 4]


def test_t_may_be_another_on_every_road() -> None:
    assert bands(np.array([45, 45.1, 9e9]), np.array([90.0, 90.0, 1.0])).tolist() == [0, 1, 3]

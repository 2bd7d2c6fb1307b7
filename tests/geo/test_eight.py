"""Eight segments measured at once are measured as one by one in plain Python, to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.eight import EIGHT, measure_eight
from geo.kernels.grid import EAST0, EAST1, NORTH0, NORTH1, SEGMENT
from geo.kernels.kinds import FLOAT, FLOATS_OUT, ROWS, several
from tests.geo.plain import distance

if TYPE_CHECKING:
    from data.road_table import FloatArray, Int32Array


PAIR = several(FLOAT, FLOAT)


@njit(several(FLOATS_OUT, FLOATS_OUT)(ROWS, PAIR, PAIR))
def _measured(
    segment: Int32Array, at: tuple[float, float], units_m: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    square, along = np.full(len(segment) + 1, -1.0), np.full(len(segment) + 1, -1.0)
    for i in range(0, len(segment), EIGHT):
        measure_eight(segment, i, at[0], at[1], units_m[0], units_m[1], square, along, i + 1)
    return square, along


def test_eight_segments_are_measured_as_one_by_one() -> None:
    rng = np.random.default_rng(4)
    segment = rng.integers(-(2**31), 2**31, (400, SEGMENT)).astype(np.int32)
    segment[:200] = rng.integers(-40, 40, (200, SEGMENT))
    segment[:60, EAST1 : NORTH1 + 1] = segment[:60, EAST0 : NORTH0 + 1]  # of no length
    at, units_m = (3.25, -7.5), (0.7, 1.1)
    square, along = _measured(segment, at, units_m)
    expected = [distance(row, at, units_m) for row in segment.tolist()]
    assert list(zip(square[1:].tolist(), along[1:].tolist(), strict=True)) == expected
    assert {0.0, 1.0} < set(along[1:])
    assert square[0] == along[0] == -1

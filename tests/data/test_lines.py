"""Lines in flat arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.road_table import EARTH_RADIUS_M
from data.roads.lines import great_circle_m, lengths_m, pick_lines


def test_great_circles_of_known_length() -> None:
    lon, lat = np.array([0.0, 0.0, -77.0, 5.0]), np.array([0.0, -90.0, 40.0, 5.0])
    to_lon, to_lat = np.array([180.0, 0.0, -77.0, 5.0]), np.array([0.0, 90.0, 41.0, 5.0])
    turn = EARTH_RADIUS_M * np.pi
    assert great_circle_m(lon, lat, to_lon, to_lat) == pytest.approx([turn, turn, turn / 180, 0])


def test_lengths_of_several_lines() -> None:
    degree_m = EARTH_RADIUS_M * np.pi / 180
    lon, lat = np.zeros(6), np.array([0.0, 1.0, 3.0, 10.0, 11.0, 50.0])
    start = np.array([0, 3, 5, 6])
    assert lengths_m(lon, lat, start) == pytest.approx([3 * degree_m, degree_m, 0.0])


@settings(deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.data())
def test_picked_lines_are_the_lines(sizes: list[int], data: st.DataObject) -> None:
    start = np.concatenate([[0], np.cumsum(sizes)])
    lines = data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=8))
    turned = data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines)))
    points, picked = pick_lines(start, np.array(lines, np.int64), np.array(turned, np.bool_))
    expected = [list(range(start[line], start[line + 1])) for line in lines]
    got = [points[picked[k] : picked[k + 1]].tolist() for k in range(len(lines))]
    assert got == [row[::-1] if back else row for row, back in zip(expected, turned, strict=True)]

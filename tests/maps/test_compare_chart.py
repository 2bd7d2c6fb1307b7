"""Figures of a comparison: honest labels, intervals where there are any, the same bytes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.figure import Figure

from maps.compare_chart import Compared, _draw_differences, _draw_values, compare_chart

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

COMPARED = Compared(
    title="Minutes",
    unit="minutes a shift",
    values={"nobody": [40, 60], "road": [20, 24], "ours": [18, 20]},
    less_ours={"nobody": (31, 22, 40), "road": (3, 2, 4)},
    least={"nobody": 15, "road": 14, "ours": 13},
    note="made by hand",
)


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


@pytest.fixture
def axes() -> Axes:
    return Figure().subplots()


def test_the_same_values_give_the_same_bytes_and_say_simulated(tmp_path: Path) -> None:
    def drawn(compared: Compared) -> str:
        compare_chart(tmp_path / "chart.svg", compared)
        return (tmp_path / "chart.svg").read_text("utf-8")

    first = drawn(COMPARED)
    assert first == drawn(COMPARED) != drawn(replace(COMPARED, unit="hours"))
    assert "Minutes, simulated" in first
    assert "<dc:date>" not in first


def test_means_are_written_and_the_bound_is_named_once(axes: Axes) -> None:
    _draw_values(axes, COMPARED)
    assert texts(axes) == ["50", "least possible", "22", "19"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["nobody", "road", "ours"]
    bounds = [line for line in axes.lines if line.get_marker() == "|"]
    assert [np.asarray(line.get_xdata())[0] for line in bounds] == [15, 14, 13]


def test_an_interval_is_drawn_where_it_is_known(axes: Axes) -> None:
    _draw_differences(axes, COMPARED)
    spans = [list(np.asarray(line.get_xdata())) for line in axes.lines]
    assert [22, 40] in spans
    assert [2, 4] in spans
    assert texts(axes) == ["+31", "+3"]


def test_an_interval_that_is_not_known_is_left_out(axes: Axes) -> None:
    _draw_differences(axes, replace(COMPARED, less_ours={"road": (-3, math.nan, math.nan)}))
    assert texts(axes) == ["\N{MINUS SIGN}3"]
    assert sum(line.get_linestyle() == "-" for line in axes.lines) == 1

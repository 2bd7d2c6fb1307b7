"""A report: figures beside their aims, and beside the last recorded run."""

from __future__ import annotations

import json

import pytest

from bench.figure import Aim, Figure, unmeasured
from bench.report import as_json, as_text, change, seconds, worse
from bench.timing import Spread

FACTS = {
    "at": "2026-03-14 03:40 UTC",
    "machine": {"revision": "abc", "cpu": "a processor", "cores": 2, "load_1_min": 0.1},
}


def of(median: float) -> Spread:
    return Spread(median=median, least=median, low=median * 0.9, high=median * 1.1, count=5)


def faster(ratio: float, note: str = "") -> Figure:
    return Figure(
        row="search",
        work="one stop",
        graph="a city",
        peer="another",
        value=of(ratio),
        ours_s=of(0.002),
        peer_s=of(0.002 * ratio),
        aim=Aim(target=6, stretch=10),
        note=note,
    )


def cost(value: float) -> Figure:
    aim = Aim(target=64, more=False)
    facts = {"row": "memory", "work": "bytes", "graph": "a city", "peer": ""}
    return Figure(**facts, value=of(value), unit="B/edge", aim=aim)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (faster(12), "stretch"),
        (faster(6), "met"),
        (faster(5.9), "MISSED"),
        (cost(64), "met"),
        (cost(65), "MISSED"),
    ],
)
def test_a_figure_is_held_against_its_aim(figure: Figure, verdict: str) -> None:
    line = as_text([figure], FACTS, None).splitlines()[4]
    assert f"| {verdict} " in line


def test_a_line_shows_the_times_the_ratio_its_quartiles_and_its_note() -> None:
    text = as_text([faster(8, "warm")], FACTS, None)
    assert "| one stop [1] | a city | another | 2 ms | 16 ms  | 8x (7.2x to 8.8x) | 6x" in text
    assert "[1] warm" in text
    assert "a processor, 2 cores, load 0.1 before" in text


def test_what_was_not_measured_says_why_and_is_counted() -> None:
    gone = unmeasured("no data", row="tick", work="a tick", graph="", peer="scipy")
    text = as_text([gone], FACTS, None)
    assert "not measured" in text
    assert "[1] no data" in text
    assert "1 figures not measured" in text


def test_a_change_is_above_one_where_it_is_better_whatever_better_means() -> None:
    recorded = json.loads(json.dumps(as_json([faster(8), cost(60)], FACTS)))
    assert change(faster(16), recorded) == pytest.approx(2)
    assert change(cost(30), recorded) == pytest.approx(2)
    assert change(cost(120), recorded) == pytest.approx(0.5)


def test_a_figure_that_was_not_recorded_has_no_change() -> None:
    recorded = json.loads(json.dumps(as_json([cost(60)], FACTS)))
    assert change(faster(8), recorded) is None
    assert change(faster(8), None) is None


def test_a_regression_is_named() -> None:
    recorded = json.loads(json.dumps(as_json([faster(8)], FACTS)))
    assert worse([faster(7.5)], recorded) == []
    assert worse([faster(4)], recorded) == ["one stop, a city, another: 0.50 of what was recorded"]
    assert "WORSE: one stop" in as_text([faster(4)], FACTS, recorded)


@pytest.mark.parametrize(
    ("value", "shown"), [(2.0, "2 s"), (0.0123, "12.3 ms"), (4.2e-6, "4.2 us"), (3e-9, "3 ns")]
)
def test_a_duration_has_the_unit_that_suits_it(value: float, shown: str) -> None:
    assert seconds(value) == shown

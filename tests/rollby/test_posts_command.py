"""``rollby posts`` as outsiders call it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data.history import read_history
from data.words import percent
from rollby.cli import main
from rollby.posts import proof

HERE, THERE = "-104.987,39.753", "-104.975,39.745"


def answer_of(capsys: pytest.CaptureFixture[str], roads: str, *arguments: str) -> dict[str, Any]:
    """Run it for JSON."""
    capsys.readouterr()
    few = ["--candidates", "40", "--within", "90"]
    assert main(["posts", "--roads", roads, *few, *arguments, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


@pytest.mark.parametrize("model", ["backup", "expected", "median"])
def test_no_plan_is_better_than_the_one_given(
    roads: str, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    hand = ["--by-hand", HERE, "--by-hand", THERE, "--present", THERE, "--present", HERE]
    answer = answer_of(capsys, roads, "--count", "2", "--model", model, *hand)
    assert answer["gap"] == 0
    assert not answer["simulated"]
    assert answer["stops"] is None
    assert answer["present"] == answer["by_hand"]
    better = 1 if model == "median" else -1
    assert answer["value"] * better <= answer["greedy_value"] * better
    if model == "median":
        assert answer["value"] == pytest.approx(answer["cover"]["mean_drive_s"], abs=1e-3)
        assert answer["value"] <= answer["by_hand"]["mean_drive_s"]
    if model == "backup":
        halves = (answer["cover"]["first"] + answer["cover"]["second"]) / 2
        assert answer["value"] == pytest.approx(halves, abs=1e-4)


def test_posts_of_today_are_kept_where_moving_costs_more(
    roads: str, capsys: pytest.CaptureFixture[str]
) -> None:
    today = ["--count", "2", "--present", HERE, "--present", THERE]
    free = answer_of(capsys, roads, *today)
    dear = answer_of(capsys, roads, *today, "--move-price", "1")
    assert not any(post["present"] for post in free["posts"])
    assert all(post["present"] for post in dear["posts"])
    assert dear["cover"] == dear["present"]


def test_stops_of_a_recorded_period_weigh_the_roads(
    roads: str, shift: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "posts.geojson"
    arguments = ["--count", "3", "--history", shift, "--geojson", str(written)]
    answer = answer_of(capsys, roads, *arguments)
    few = ["--candidates", "40", "--within", "90"]
    assert main(["posts", "--roads", roads, *few, *arguments]) == 0
    notes = capsys.readouterr().err
    assert f"next: rollby simulate --roads {roads} -o shift --on-duty 3 --posts {written}" in notes
    assert answer["simulated"]
    assert answer["stops"] > 0
    collection = json.loads(written.read_text())
    for feature, post in zip(collection["features"], answer["posts"], strict=True):
        assert feature["geometry"]["coordinates"] == [post["lon"], post["lat"]]
        assert feature["properties"]["simulated"]
    by_road = answer_of(capsys, roads, "--count", "3")
    assert [one["lon"] for one in by_road["posts"]] != [one["lon"] for one in answer["posts"]]


def test_a_table_and_a_map_say_how_good_it_is(
    roads: str, shift: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = tmp_path / "posts.html"
    arguments = ["posts", "--roads", roads, "--count", "3", "--history", shift]
    assert main([*arguments, "--candidates", "40", "--map", str(drawn)]) == 0
    out, notes = capsys.readouterr()
    assert "SIMULATED" in out
    assert "Proved: no choice of these places is better." in out
    assert "Chosen one by one" in out
    assert f"map: {drawn}" in notes
    page = drawn.read_text()
    assert "Proved: no choice of these places is better." in page
    assert page.count('data-sign="post-') == 3


def test_no_plan_in_time_is_said(roads: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["posts", "--roads", roads, "--count", "5", "--model", "median"]
    assert main([*arguments, "--solve-within", "0.000001"]) == 3
    assert "no plan was found in 1e-06 s; give it more time" in capsys.readouterr().err


def test_a_plan_that_is_not_proved_says_what_may_be_left() -> None:
    said = f"The solver's time was up: another choice may be better by up to {percent(0.034)}."
    assert proof(0.034) == said


def test_a_place_far_from_any_road_is_refused(
    roads: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["posts", "--roads", roads, "--count", "1", "--by-hand", "-104.0,39.0"]
    assert main([*arguments, "--present", "-103.0,39.0"]) == 3
    notes = capsys.readouterr().err
    assert "--present -103.0,39.0: " in notes
    assert "--by-hand -104.0,39.0: " in notes


def test_a_period_without_stops_near_the_roads_is_refused(
    roads: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    arguments = ["simulate", "--roads", roads, "-o", str(empty), "--hours", "1", "--on-duty", "2"]
    assert main([*arguments, "--stops-per-unit-hour", "0"]) == 0
    assert main(["posts", "--roads", roads, "--count", "1", "--history", str(empty)]) == 3
    assert "no stop with a place near these roads" in capsys.readouterr().err


def test_a_move_has_no_price_where_nobody_stands(
    roads: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["posts", "--roads", roads, "--count", "1", "--move-price", "0.1"]) == 2
    assert "give --move-price with --present" in capsys.readouterr().err


def test_gaps_tell_what_units_at_posts_would_have_given(
    roads: str, shift: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["gaps", "--roads", roads, "--history", shift, "--every", "300", "--json"]
    more = [f"--post=EXTRA{number}@{HERE}" for number in range(2)]
    own = read_history(Path(shift)).statuses[0].unit_id
    capsys.readouterr()
    assert main(arguments) == 0
    before = json.loads(capsys.readouterr().out)
    assert main([*arguments, *more]) == 0
    after = json.loads(capsys.readouterr().out)
    for what in ("road_beyond", "stops_beyond"):
        assert 0 <= after[what]["second"] < before[what]["second"] <= 1
        assert after[what]["first"] <= before[what]["first"]
    assert main([*arguments, f"--post={own}@{HERE}"]) == 0
    moved = json.loads(capsys.readouterr().out)
    assert moved["road_beyond"] != before["road_beyond"]
    assert moved["stops"] == before["stops"]

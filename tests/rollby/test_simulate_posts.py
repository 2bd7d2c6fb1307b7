"""``rollby simulate --posts``: a plan of posts fed to a shift it has not seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from data.history import read_history
from rollby.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def plan(roads: str, shift: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Four posts, as `rollby posts` writes them."""
    file = str(tmp_path_factory.mktemp("plan") / "posts.geojson")
    few = ["--candidates", "40", "--count", "4", "--within", "90"]
    assert main(["posts", "--roads", roads, "--history", shift, *few, "--geojson", file]) == 0
    return file


def simulated(
    capsys: pytest.CaptureFixture[str], roads: str, out: Path, *more: str
) -> dict[str, Any]:
    """An hour of five units, for JSON."""
    capsys.readouterr()
    some = ["--hours", "1", "--on-duty", "5", "--seed", "9", "--stops-per-unit-hour", "2"]
    assert main(["simulate", "--roads", roads, "-o", str(out), *some, *more, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_a_plan_is_fed_to_a_shift_it_has_not_seen(
    roads: str, plan: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    patrol = simulated(capsys, roads, tmp_path / "patrol")
    posted = simulated(capsys, roads, tmp_path / "posted", "--posts", plan)
    assert (patrol["posts"], posted["posts"]) == (0, 4)
    assert posted["minutes_short_of_officers"] > 0
    assert 0 < posted["stops"] <= patrol["stops"]
    known = {one["id"]: one for one in _posts(plan)}
    assert set(known) == {"P1", "P2", "P3", "P4"}
    history = read_history(tmp_path / "posted")
    assert history.simulated
    assert history.facts["posts"] == 4
    fixes = history.fixes
    for post in known.values():
        lon, lat = post["lon"], post["lat"]
        there = np.hypot((fixes.lon_deg - lon) * 0.77, fixes.lat_deg - lat) * 111_195 < 40
        assert (there & (fixes.speed_mps == 0)).sum() >= 3


def _posts(file: str) -> list[dict[str, Any]]:
    """Read what `rollby posts` wrote."""
    with open(file, encoding="utf-8") as text:  # noqa: PTH123 - a name
        features = json.load(text)["features"]
    found = []
    for one in features:
        lon, lat = one["geometry"]["coordinates"]
        found.append({**one["properties"], "lon": lon, "lat": lat})
    return found


def test_posts_come_from_a_table_too(
    roads: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "posts.csv"
    table.write_text("id,lon,lat\nnorth,-104.9867,39.7521\n", encoding="utf-8")
    answer = simulated(capsys, roads, tmp_path / "one", "--posts", str(table))
    assert answer["posts"] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,lon,lat\nnorth,-104.0,39.0\nsouth,-103,39\n", "must be within 250 m of a road"),
        ("id,lon\nnorth,-104.0\n", "posts.csv: must have lat"),
        ("".join(["id,lon,lat\n", *(f"p{i},-104.9867,39.7521\n" for i in range(6))]), "6 posts"),
    ],
)
def test_posts_that_nobody_can_stand_at_are_refused(
    roads: str, tmp_path: Path, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "posts.csv"
    table.write_text(text, encoding="utf-8")
    arguments = ["simulate", "--roads", roads, "-o", str(tmp_path / "out"), "--hours", "0.1"]
    assert main([*arguments, "--on-duty", "5", "--posts", str(table)]) == 3
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

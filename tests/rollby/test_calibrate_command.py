"""``rollby calibrate`` as outsiders call it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from geo.network import RoadNetwork
from rollby.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_calibrate_prints_fits_and_reliability(
    roads: str, shift: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    chart = tmp_path / "reliability.svg"
    assert main(["calibrate", "--roads", roads, "--history", shift, "--chart", str(chart)]) == 0
    out, notes = capsys.readouterr()
    assert "simulated" in out
    assert "policy.comes_when_asked" in out
    assert "Brier score" in out
    assert "too few" in out
    assert "nobody was there" in notes
    assert "simulated" in chart.read_text()


def test_calibrate_gives_json_and_learns_times(
    roads: str, shift: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    out = tmp_path / "learnt.roads"
    arguments = ["calibrate", "--roads", roads, "--history", shift, "--json"]
    assert main([*arguments, "--learn-times", str(out)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["schema"], answer["simulated"]) == ("rollby.calibrate/1", True)
    assert answer["comes"]["low"] <= answer["comes"]["fitted"] <= answer["comes"]["high"]
    assert answer["learnt"]["drives"] > 0
    assert len(answer["learnt"]["hour_factor"]) == 168
    learnt = RoadNetwork.load(out)
    assert (learnt.edge_ms != RoadNetwork.load(roads).edge_ms).any()
    assert "simulated" in json.dumps(learnt.facts())


def test_a_chart_of_another_kind_is_refused(
    roads: str, shift: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["calibrate", "--roads", roads, "--history", shift, "--chart", "x.gif"]
    assert main(arguments) == 2
    assert "must end in .svg, .png, .pdf" in capsys.readouterr().err


def test_asks_that_the_settings_forbid_are_counted(
    roads: str, shift: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s.toml").write_text("[policy]\nasks_per_hour_max = 1\n")
    arguments = ["calibrate", "--roads", roads, "--history", shift, "--json"]
    assert main([*arguments, "--settings", str(tmp_path / "s.toml")]) == 0
    out, notes = capsys.readouterr()
    assert json.loads(out)["left_out"] > 0
    assert "asks left out: these settings forbid them" in notes

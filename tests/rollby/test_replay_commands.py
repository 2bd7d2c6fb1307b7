"""``rollby simulate`` and ``replay`` as outsiders call them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas
import pytest

from rollby.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def shift(roads: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Half a simulated hour."""
    folder = str(tmp_path_factory.mktemp("history") / "shift")
    arguments = ["simulate", "--roads", roads, "-o", folder, "--hours", "0.5", "--on-duty", "10"]
    assert main([*arguments, "--stops-per-unit-hour", "2", "--seed", "4"]) == 0
    return folder


def test_simulate_says_that_nobody_was_there(
    roads: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "x")
    code = main(
        ["simulate", "--roads", roads, "-o", out, "--hours", "0.1", "--on-duty", "3", "--json"]
    )
    answer = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (answer["schema"], answer["simulated"]) == ("rollby.simulate/1", True)
    facts = json.loads((tmp_path / "x" / "history.json").read_text())
    assert facts["simulated"] is True


def test_simulate_does_not_write_over_a_history(
    roads: str, shift: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", "--roads", roads, "-o", shift, "--hours", "0.1"]) == 3
    assert shift in capsys.readouterr().err


def test_replay_says_what_the_board_said(
    roads: str, shift: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "--roads", roads, "--history", shift, "--json"]) == 0
    first = capsys.readouterr()
    answer = json.loads(first.out)
    assert answer["schema"] == "rollby.replay/1"
    assert answer["simulated"] is True
    assert answer["tally"]["suggestions"] > 0
    assert "nobody was there" in first.err
    assert main(["replay", "--roads", roads, "--history", shift, "--json"]) == 0
    assert capsys.readouterr().out == first.out


def test_replay_prints_a_line_for_each(
    roads: str, shift: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "--roads", roads, "--history", shift, "--speed", "1000000"]) == 0
    told = capsys.readouterr()
    assert " asked (S0" in told.out
    assert "asks, " in told.err


def test_replay_answers_why(roads: str, shift: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["replay", "--roads", roads, "--history", shift, "--json"])
    said = json.loads(capsys.readouterr().out)["said"]
    asked = next(one for one in said if one["kind"] == "suggested")
    ask = f"{asked['unit_id']}@{asked['at']}"
    assert main(["replay", "--roads", roads, "--history", shift, "--why", ask, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["suggested"] == asked
    assert asked["stop_id"] in {stop["stop_id"] for stop in answer["saw"]["stops"]}
    assert main(["replay", "--roads", roads, "--history", shift, "--why", ask]) == 0
    assert "by road" in capsys.readouterr().out


def test_why_of_a_unit_never_asked_is_told(
    roads: str, shift: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = "9Z9@2026-03-13T18:10:00Z"
    assert main(["replay", "--roads", roads, "--history", shift, "--why", ask]) == 3
    assert "9Z9: was never asked" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "text", "rule"),
    [
        ("--why", "4A12", "must be UNIT@INSTANT"),
        ("--why", "4A12@yesterday", "must be ISO 8601"),
        ("--post", "4A12", "must be LON,LAT"),
        ("--post", "4A12@-104.9,39.7,90", "must be UNIT@LON,LAT"),
    ],
)
def test_what_cannot_be_read_is_told(
    roads: str, option: str, text: str, rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "--roads", roads, "--history", "x", option, text]) == 2
    assert rule in " ".join(capsys.readouterr().err.split())


def test_why_goes_alone(roads: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--why", "A@2026-03-13T18:10:00Z", "--post", "A@-104.9,39.7"]
    assert main(["replay", "--roads", roads, "--history", "x", *arguments]) == 2
    assert "without --what-if" in " ".join(capsys.readouterr().err.split())


def test_a_replay_wants_a_history(roads: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--roads", roads]) == 2
    assert "give --history, --store or --compare" in capsys.readouterr().err


def test_what_if_shows_both(
    roads: str, shift: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.toml"
    other.write_text("[policy]\nscore_min = 100\n")
    arguments = ["replay", "--roads", roads, "--history", shift, "--what-if", str(other)]
    assert main([*arguments, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert answer["tally"]["suggestions"] > 0
    assert answer["what_if"]["suggestions"] == 0
    assert main([*arguments, "--post", "9X1@-104.987,39.753"]) == 0
    assert "what if" in capsys.readouterr().out


def test_figures_go_with_compare(roads: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--roads", roads, "--history", "x", "--figures", "y"]) == 2
    assert "--figures with --compare" in " ".join(capsys.readouterr().err.split())


def test_compare_measures_every_policy(
    roads: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shifts = ["--hours", "0.2", "--on-duty", "8", "--seeds", "1"]
    arguments = ["replay", "--compare", "--roads", roads, *shifts]
    assert main([*arguments, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["simulated"] is True
    assert set(answer["policies"]) == {"nobody", "crow", "road", "jointly", "ours", "clairvoyant"}
    assert answer["bound"]["least_min"] <= answer["bound"]["at_our_requests_min"]
    assert {"least_min", "least_asked_min", "reached_share"} <= answer["policies"]["ours"][0].keys()
    assert main([*arguments, "--figures", str(tmp_path / "new" / "figures")]) == 0
    told = capsys.readouterr().out
    drawn = {path.stem for path in (tmp_path / "new" / "figures").glob("*.svg")}
    told_only = {"least_min", "least_asked_min", "coming_min", "asked_min", "far_min"}
    assert drawn == answer["policies"]["ours"][0].keys() - told_only
    assert "requests in vain" in told
    assert "no requests could leave less than" in told


def test_the_map_shows_how_long_stops_were_exposed(
    roads: str, shift: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / "replayed.html", tmp_path / "simulated.html"]
    replayed = ["replay", "--history", shift, "--json"]
    made = ["simulate", "-o", str(tmp_path / "x"), "--hours", "0.5", "--on-duty", "10"]
    made += ["--stops-per-unit-hour", "2", "--seed", "4"]
    for path, arguments in zip(paths, (replayed, made), strict=True):
        assert main([*arguments, "--roads", roads, "--map", str(path)]) == 0
        assert f"map: {path}" in capsys.readouterr().err
    assert paths[0].read_text("utf-8") == paths[1].read_text("utf-8")
    assert "SIMULATED" in paths[0].read_text("utf-8")


def test_a_map_goes_with_one_history(roads: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--compare", "--roads", roads, "--map", "x.html"]) == 2
    assert "--map with --history" in " ".join(capsys.readouterr().err.split())


def test_gaps_rank_cells_and_write_them(
    roads: str, shift: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "cells.csv"
    arguments = ["gaps", "--roads", roads, "--history", shift, "--every", "300"]
    assert main([*arguments, "--json", "--cells", str(out)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["schema"], answer["simulated"]) == ("rollby.gaps/1", True)
    exposed = [one["second_stops_a_week"] for one in answer["worst_cells"]]
    assert exposed == sorted(exposed, reverse=True)
    assert out.read_text().startswith("cell,street,road_km,days,first_beyond,")
    assert main(arguments) == 0
    assert "SIMULATED" in capsys.readouterr().out
    drawn = tmp_path / "gaps.html"
    assert main([*arguments, "--map", str(drawn)]) == 0
    assert f"map: {drawn}" in capsys.readouterr().err
    assert '<strong class="simulated">SIMULATED' in drawn.read_text("utf-8")
    report = tmp_path / "report.html"
    assert main([*arguments, "--post", "EXTRA@-104.987,39.753", "--report", str(report)]) == 0
    assert f"report: {report}" in capsys.readouterr().err
    written = report.read_text("utf-8")
    assert '<p class="simulated">SIMULATED' in written
    assert "What if, not what was" in written
    assert "<dt>Agencies</dt><dd>city, county</dd>" in written
    for ending in ("gpkg", "geojson", "parquet"):
        assert main([*arguments, "--cells", str(tmp_path / f"cells.{ending}")]) == 0
    assert geopandas.read_parquet(tmp_path / "cells.parquet").crs == "EPSG:4326"
    assert len(geopandas.read_file(tmp_path / "cells.gpkg")) == len(
        geopandas.read_file(tmp_path / "cells.geojson")
    )
    capsys.readouterr()
    assert main([*arguments, "--split", "2030-01-01T00:00:00Z"]) == 3
    assert "nothing was recorded after" in capsys.readouterr().err
    assert main([*arguments, "--cells", "cells.txt"]) == 2
    assert "'--cells': 'cells.txt': must end in .gpkg" in capsys.readouterr().err

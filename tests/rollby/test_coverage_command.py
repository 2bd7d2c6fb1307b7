"""``rollby coverage`` with a recorded period, beats and areas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas
import pytest
import shapely

from data.beats import Beat
from rollby.cli import main


@pytest.fixture(scope="module")
def evening(sample_dir: Path, roads: str) -> list[str]:
    """The embedded evening."""
    units = str(sample_dir / "simulated_units.csv")
    settings = str(sample_dir / "simulated_settings.toml")
    return ["coverage", "--roads", roads, "--units", units, "--settings", settings]


def answer_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Run it for JSON."""
    capsys.readouterr()
    assert main([*arguments, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_stops_of_a_recorded_period_are_expected_again(
    evening: list[str], shift: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = answer_of(capsys, *evening)
    recorded = answer_of(capsys, *evening, "--history", shift)
    assert plain["stops_recorded"] is None
    assert recorded["stops_recorded"] > 10
    assert plain["first"]["stops_within"] == plain["first"]["share_within"]
    assert recorded["first"]["stops_within"] != recorded["first"]["share_within"]
    assert recorded["first"]["share_within"] == plain["first"]["share_within"]
    assert recorded["stops_an_hour"] > 0


def test_what_rests_on_a_simulated_period_says_so(
    evening: list[str], shift: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = [one for one in evening if not one.endswith(".toml") and one != "--settings"]
    assert "simulated" not in answer_of(capsys, *bare)
    assert answer_of(capsys, *bare, "--history", shift)["simulated"]
    assert main([*bare, "--history", shift]) == 0
    out = capsys.readouterr().out
    assert "SIMULATED" in out
    assert "Stops in time" in out
    drawn = tmp_path / "coverage.html"
    assert main([*bare, "--history", shift, "--map", str(drawn)]) == 0
    assert "imulated" in drawn.read_text()


def test_a_period_without_stops_near_the_roads_is_refused(
    evening: list[str], roads: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    made = ["simulate", "--roads", roads, "-o", str(empty), "--hours", "1", "--on-duty", "2"]
    assert main([*made, "--stops-per-unit-hour", "0"]) == 0
    assert main([*evening, "--history", str(empty)]) == 3
    assert f"--history {empty}: no stop with a place near these roads" in capsys.readouterr().err


def test_beats_show_how_ready_they_are(
    evening: list[str], shift: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outline = shapely.box(-105.1, 39.7, -104.98, 39.8)
    beat = Beat(name="West", within_s=90, area=outline)
    feature = {
        "type": "Feature",
        "properties": {"name": beat.name},
        "geometry": shapely.geometry.mapping(outline),
    }
    file = tmp_path / "beats.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    settings = tmp_path / "own.toml"
    base = Path(evening[-1]).read_text()
    settings.write_text(base + '\n[beats]\nfile = "beats.geojson"\n')
    arguments = [*evening[:-1], str(settings)]
    west = answer_of(capsys, *arguments)["beats"][0]
    assert west["preparedness"] > 0
    assert main([*arguments, "--history", shift]) == 0
    out = capsys.readouterr().out
    assert "Preparedness" in out
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert f"{west['preparedness']:.2f}" in out
    many = "[policy]\npreparedness_stops_min = 1000"
    settings.write_text(settings.read_text().replace("[policy]", many))
    assert answer_of(capsys, *arguments)["beats"][0]["preparedness"] < west["preparedness"]


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "parquet", "csv"])
def test_bands_are_written_for_a_gis(evening: list[str], tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"bands.{ending}"
    assert main([*evening, "--bands", str(file)]) == 0
    if ending == "csv":
        assert file.read_text().startswith("car,band,from_s,to_s,road_km,geometry\n")
        return
    areas = geopandas.read_parquet(file) if ending == "parquet" else geopandas.read_file(file)
    assert set(areas["car"]) == {"first", "second"}
    assert areas.geometry.is_valid.all()
    assert areas.crs.to_epsg() == 4326


def test_bands_in_another_format_are_refused(
    evening: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*evening, "--bands", "bands.shp"]) == 2
    assert "'--bands': 'bands.shp': must end in .gpkg" in capsys.readouterr().err

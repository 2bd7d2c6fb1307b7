"""``rollby gaps`` by hour of the week, for people, programs and a GIS."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pandas as pd
import pytest

from data.events import Fixes, History, StatusChange
from data.history import write_history
from data.records import UnitStatus
from data.words import week_hour
from rollby.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def asked(roads: str, shift: str) -> list[str]:
    """The gaps of the simulated hour, a Friday evening."""
    return ["gaps", "--roads", roads, "--history", shift, "--every", "300"]


def test_the_worst_hours_are_named(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main([*asked, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    hours = answer["worst_hours"]
    assert [one["hour_of_week"] for one in hours] == [4 * 24 + 18]
    worst = hours[0]
    assert worst["second_stops_a_week"] >= worst["first_stops_a_week"] > 0
    assert worst["second_beyond_low"] < worst["second_beyond"] < worst["second_beyond_high"]
    assert worst["second_beyond"] == pytest.approx(answer["road_beyond"]["second"], abs=1e-3)
    assert worst["cell"] in {one["cell"] for one in answer["worst_cells"]}
    assert worst["street"]
    assert answer["days_alike"] == {"first": 1.0, "second": 1.0}
    low, high = (answer[f"road_beyond_{end}"]["second"] for end in ("low", "high"))
    assert low < answer["road_beyond"]["second"] < high
    assert main(asked) == 0
    out = capsys.readouterr().out
    assert "SIMULATED. The hours of the week with most such stops" in out
    assert "Fri 18:00 to 19:00" in out
    assert "1 time " in out
    assert worst["street"] in out


def test_stops_a_week_have_an_interval(
    asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main([*asked, "--json"]) == 0
    for one in json.loads(capsys.readouterr().out)["worst_cells"]:
        low, high = (one[f"second_stops_a_week_{end}"] for end in ("low", "high"))
        assert low < one["second_stops_a_week"] < high


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "parquet", "csv"])
def test_cells_by_hour_of_the_week_are_written(
    asked: list[str], tmp_path: Path, ending: str
) -> None:
    cells_file, file = tmp_path / "cells.parquet", tmp_path / f"hours.{ending}"
    assert main([*asked, "--hours", str(file), "--cells", str(cells_file)]) == 0
    cells = geopandas.read_parquet(cells_file).set_index("cell")
    if ending == "csv":
        hours = pd.read_csv(file).set_index("cell")
    else:
        read = geopandas.read_parquet if ending == "parquet" else geopandas.read_file
        hours = read(file).set_index("cell")
        assert hours.crs.to_epsg() == 4326
        same = hours.geometry.geom_equals_exact(cells.loc[hours.index].geometry, 1e-6)
        assert same.all()
    assert (hours["hour_of_week"] == 4 * 24 + 18).all()  # an hour was simulated, and no other
    assert (hours["looked_at"] == 1).all()
    assert hours.index.is_unique
    for name in ("first_beyond", "second_beyond", "second_stops_a_week"):
        np.testing.assert_allclose(hours[name], cells.loc[hours.index][name], atol=1e-5)
    assert (hours["second_beyond_low"] <= hours["second_beyond"]).all()
    assert (hours["second_beyond"] <= hours["second_beyond_high"]).all()


def test_all_that_it_writes_is_written_together_whoever_works(
    roads: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Twelve days of one car that two agencies showed.
    began = datetime(2026, 3, 2, tzinfo=UTC)
    at_s = began.timestamp() + np.arange(0, 12 * 86_400, 240.0)
    none = np.full(len(at_s), np.nan)
    fixes = Fixes(
        unit_ids=("1A1",),
        unit_row=np.zeros(len(at_s), np.int32),
        fixed_at_s=at_s,
        received_at_s=at_s,
        lon_deg=np.full(len(at_s), -104.987),
        lat_deg=np.full(len(at_s), 39.753),
        heading_deg=none,
        speed_mps=none,
        accuracy_m=none,
    )
    statuses = tuple(
        StatusChange(
            unit_id="1A1",
            at=began + timedelta(days=day),
            status=UnitStatus.AVAILABLE,
            agency=agency,
        )
        for day, agency in ((0, "Denver PD"), (6, "Sheriff"))
    )
    write_history(tmp_path / "past", History(fixes=fixes, statuses=statuses))
    split, post = (began + timedelta(days=6)).isoformat(), "1A2@-104.983,39.748"
    asked = ["gaps", "--roads", roads, "--history", str(tmp_path / "past"), "--every", "3600"]
    asked += ["--split", split, "--post", post, "--json"]
    said: list[tuple[str, list[bytes]]] = []
    for name, who in (("alone", []), ("cluster", ["--cluster", "local"])):
        folder = tmp_path / name
        folder.mkdir()
        out = {
            option: folder / f"{option}.{ending}"
            for option, ending in (
                *(("cells", "csv"), ("hours", "csv"), ("map", "html"), ("report", "html")),
            )
        }
        options = [text for option, file in out.items() for text in (f"--{option}", str(file))]
        capsys.readouterr()
        assert main([*asked, *who, *options]) == 0
        said.append((capsys.readouterr().out, [file.read_bytes() for file in out.values()]))
    assert said[0] == said[1]
    answer, report = json.loads(said[0][0]), said[0][1][-1].decode()
    assert answer["changes"]["second"]["days_before"] == 6
    assert answer["road_beyond"]["second"] < 1  # the post's car is the second
    assert "Denver PD, Sheriff" in report
    assert "What if, not what was" in report
    assert "1A2 at 39.74800, -104.98300" in report


def test_hours_in_another_format_are_refused(
    asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*asked, "--hours", "hours.xlsx"]) == 2
    assert "'--hours': 'hours.xlsx': must end in .gpkg" in capsys.readouterr().err


def test_an_hour_of_the_week_is_written_as_people_say_it() -> None:
    assert [week_hour(one) for one in (0, 47, 167)] == [
        *("Mon 00:00 to 01:00", "Tue 23:00 to 24:00", "Sun 23:00 to 24:00"),
    ]

"""``rollby gaps`` by hour of the week, for people, programs and a GIS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pandas as pd
import pytest

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


def test_hours_in_another_format_are_refused(
    asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*asked, "--hours", "hours.xlsx"]) == 2
    assert "--hours hours.xlsx: must end in .gpkg" in capsys.readouterr().err


def test_an_hour_of_the_week_is_written_as_people_say_it() -> None:
    assert [week_hour(one) for one in (0, 47, 167)] == [
        *("Mon 00:00 to 01:00", "Tue 23:00 to 24:00", "Sun 23:00 to 24:00"),
    ]

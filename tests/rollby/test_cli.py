"""The commands as outsiders call them: stdout, stderr, files and exit codes."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest

from rollby.cli import main

MIDTOWN, SOUTH = "-104.987,39.753", "-104.975,39.745"
EXTRACT = Path(__file__).parent / "street.osm"


class Run(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Its answer."""
        return json.loads(self.out)


@pytest.fixture
def rollby(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the program in this process."""

    def run(*arguments: object) -> Run:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Run(code, captured.out, captured.err)

    return run


@pytest.fixture
def city(sample_dir: Path) -> list[object]:
    """Options that name the embedded city."""
    return ["--roads", sample_dir / "denver.roads"]


@pytest.fixture
def evening(sample_dir: Path, city: list[object]) -> list[object]:
    """Options that name the simulated evening."""
    units = ["--units", sample_dir / "simulated_units.csv"]
    return [*city, *units, "--settings", sample_dir / "simulated_settings.toml"]


@pytest.fixture
def stops(sample_dir: Path) -> list[object]:
    """The option that names its stops."""
    return ["--stops", sample_dir / "simulated_stops.csv"]


def test_help_names_the_exit_codes(rollby: Any) -> None:
    run = rollby("--help")
    assert run.code == 0
    for code in ("0 answered", "1 a bug", "2 wrong usage", "3 bad data", "4 a source"):
        assert code in " ".join(run.out.split())


def test_suggest_prints_the_contracts_json(
    rollby: Any, evening: list[object], stops: list[object]
) -> None:
    run = rollby("suggest", *evening, *stops, "--json")
    assert run.code == 0
    answer = run.json()
    assert answer["schema"] == "rollby.suggest/1"
    assert answer["at"] == "2026-03-14T03:39:55Z"
    assert answer["roads"]["edges"] == 1342
    assert answer["settings"]["policy"]["within_s"] == 90
    by_id = {one["stop_id"]: one for one in answer["stops"]}
    assert set(by_id) == {f"T-10{i}" for i in range(1, 7)}
    assert {one["flag"] for one in answer["stops"]} == {"alone", "thin", "covered"}
    assert answer["simulated"] is True
    assert by_id["T-102"]["suggestion"]["unit_id"] == "2B22"
    assert by_id["T-106"]["suggestion"] is None
    assert "T-104" in by_id["T-106"]["why_none"]
    assert answer["skipped"] == []


def test_suggested_times_are_those_of_time(
    rollby: Any, evening: list[object], city: list[object], stops: list[object]
) -> None:
    answer = rollby("suggest", *evening, *stops, "--json").json()
    for one in answer["stops"]:
        if one["suggestion"]:
            line = one["suggestion"]["route"]["coordinates"]
            start, end = (f"{lon},{lat}" for lon, lat in (line[0], line[-1]))
            again = rollby("time", *city, "--from", start, "--to", end, "--json").json()
            # A moving unit's heading may cost it a turn that a bare place does not pay.
            assert again["drive_time_s"] <= one["suggestion"]["drive_time_s"] + 1.5


def test_the_same_question_has_the_same_answer(
    rollby: Any, evening: list[object], stops: list[object]
) -> None:
    first = rollby("suggest", *evening, *stops, "--json").out
    assert rollby("suggest", *evening, *stops, "--json").out == first


def test_suggest_prints_a_table_that_fits(
    rollby: Any, evening: list[object], stops: list[object]
) -> None:
    run = rollby("suggest", *evening, *stops)
    assert run.code == 0
    for text in ("ALONE", "THIN", "COVERED", "2B22, 0:38 by road", "Fri 13 Mar 2026, 21:39:55 MDT"):
        assert text in run.out
    assert "A suggestion, never an order" in run.out
    assert max(map(len, run.out.splitlines())) <= 100


def test_suggest_prints_csv(rollby: Any, evening: list[object], stops: list[object]) -> None:
    rows = list(csv.DictReader(io.StringIO(rollby("suggest", *evening, *stops, "--csv").out)))
    assert len(rows) == 6
    assert rows[0]["stop_id"] == "T-105"
    assert float(rows[0]["lon"]) == pytest.approx(-104.9787, abs=1e-3)


def test_suggest_prints_geojson(rollby: Any, evening: list[object], stops: list[object]) -> None:
    answer = rollby("suggest", *evening, *stops, "--geojson").json()
    kinds = [feature["properties"]["kind"] for feature in answer["features"]]
    assert (kinds.count("stop"), kinds.count("route")) == (6, 4)


def test_one_format_at_a_time(rollby: Any, evening: list[object], stops: list[object]) -> None:
    run = rollby("suggest", *evening, *stops, "--json", "--csv")
    assert run.code == 2
    assert "at most one of --json, --csv and --geojson" in run.err


def test_suggest_draws_a_map(
    rollby: Any, evening: list[object], stops: list[object], tmp_path: Path
) -> None:
    run = rollby("suggest", *evening, *stops, "--map", tmp_path / "map.html")
    assert f"map: {tmp_path / 'map.html'}" in run.err
    page = (tmp_path / "map.html").read_text()
    assert "2B22" in page
    assert "tile.openstreetmap.org" not in page
    rollby("suggest", *evening, *stops, "--map", tmp_path / "map.html", "--tiles")
    assert "tile.openstreetmap.org" in (tmp_path / "map.html").read_text()


def test_at_leaves_out_what_came_later_with_a_note(
    rollby: Any, evening: list[object], stops: list[object]
) -> None:
    run = rollby("suggest", *evening, *stops, "--at", "2026-03-14T03:39:52Z", "--json")
    assert run.code == 0
    assert len(run.json()["stops"]) == 6
    (note,) = (line for line in run.err.splitlines() if "simulated_units.csv" in line)
    assert "2 rows later than" in note


@pytest.mark.parametrize(
    ("at", "code", "message"),
    [
        ("2026-03-14T03:40:00", 2, "must have an offset or Z"),
        ("tomorrow", 2, "must be ISO 8601"),
        ((datetime.now(UTC) + timedelta(hours=2)).isoformat(), 3, "must not be in the future"),
    ],
    ids=["naive", "no instant", "future"],
)
def test_at_must_be_an_instant_that_has_been(
    rollby: Any, evening: list[object], stops: list[object], at: str, code: int, message: str
) -> None:
    run = rollby("suggest", *evening, *stops, "--at", at)
    assert (run.code, run.out) == (code, "")
    assert message in run.err


BAD_UNITS = """unit_id,lon,lat,fixed_at,status
1A1,-104.987,39.753,2026-03-14T03:40:00Z,on_stop
1A2,39.753,-104.987,2026-03-14T03:40:00Z,available
1A3,-104.98,39.75,2026-03-14 03:40,idle
1A4,-106.98,39.75,2026-03-14T03:40:00Z,available
1A5,-104.98,39.75,2026-03-14T03:40:00Z,available
"""
BAD_STOPS = """stop_id,unit_id,started_at,lon,lat
S1,1A1,2026-03-14T03:30:00Z,,
S2,GHOST,2026-03-14T03:30:00Z,,
S3,GHOST,2026-03-14T03:30:00Z,-104.98,39.755
"""


@pytest.fixture
def bad(tmp_path: Path, city: list[object]) -> list[object]:
    """Files with a fault of many a kind."""
    (tmp_path / "units.csv").write_text(BAD_UNITS)
    (tmp_path / "stops.csv").write_text(BAD_STOPS)
    return [*city, "--units", tmp_path / "units.csv", "--stops", tmp_path / "stops.csv"]


def test_all_faults_of_all_files_at_once(rollby: Any, bad: list[object]) -> None:
    run = rollby("suggest", *bad)
    assert (run.code, run.out) == (3, "")
    lines = run.err.splitlines()
    for place in (
        "units.csv:3 ",
        "units.csv:4 fixed_at",
        "units.csv:4 status",
        "units.csv:5 lon,lat",
        "stops.csv:3 unit_id",
    ):
        assert any(place in line for line in lines), place


def test_skip_bad_goes_on_and_lists(rollby: Any, bad: list[object]) -> None:
    run = rollby("suggest", *bad, "--skip-bad", "--json")
    assert run.code == 0
    answer = run.json()
    assert {one["stop_id"] for one in answer["stops"]} == {"S1", "S3"}
    skipped = {(Path(one["file"]).name, one["line"]) for one in answer["skipped"]}
    assert skipped == {("units.csv", 3), ("units.csv", 4), ("units.csv", 5), ("stops.csv", 3)}
    assert run.err.count("skipped: ") == len(answer["skipped"])
    suggested = [one["suggestion"] for one in answer["stops"] if one["suggestion"]]
    assert [one["unit_id"] for one in suggested] == ["1A5"]


def test_skip_bad_never_skips_a_file_that_was_not_read(
    rollby: Any, evening: list[object], tmp_path: Path
) -> None:
    run = rollby("suggest", *evening, "--stops", tmp_path / "none.csv", "--skip-bad")
    assert (run.code, run.out) == (3, "")
    (tmp_path / "cut.csv").write_bytes(b'stop_id,unit_id,started_at\n"S1,2A11,2026\nS2,2A12,2026')
    run = rollby("suggest", *evening, "--stops", tmp_path / "cut.csv", "--skip-bad")
    assert (run.code, run.out) == (3, "")


def test_swapped_places_in_range_are_known_by_the_roads(rollby: Any, city: list[object]) -> None:
    run = rollby("time", *city, "--from", "39.75,-104.98", "--to", SOUTH)
    assert run.code == 2
    run = rollby("time", *city, "--from", "39.75,40.98", "--to", SOUTH)
    assert run.code == 3
    assert "must be within 250 m of a road; the roads file covers -105.001" in run.err


@pytest.mark.parametrize("command", ["suggest", "coverage"])
def test_an_empty_shift_holds_no_instant(
    rollby: Any, city: list[object], tmp_path: Path, command: str
) -> None:
    (tmp_path / "u.csv").write_text("unit_id,lon,lat,fixed_at,status\n")
    (tmp_path / "s.csv").write_text("stop_id,unit_id,started_at\n")
    files = ["--units", tmp_path / "u.csv", "--stops", tmp_path / "s.csv"]
    run = rollby(command, *city, *files)
    assert run.code == 3
    assert "holds no instant to answer for; give one with --at" in run.err
    run = rollby(command, *city, *files, "--at", "2026-03-14T03:40:00Z", "--json")
    assert run.code == 0


def test_earlier_asks_count(
    rollby: Any, evening: list[object], stops: list[object], tmp_path: Path
) -> None:
    rows = [f"q{i},T-102,2B22,2026-03-14T03:{i:02d}:00Z,declined," for i in range(10, 16)]
    header = "suggestion_id,stop_id,unit_id,asked_at,answer,answered_at"
    (tmp_path / "answers.csv").write_text("\n".join([header, *rows]) + "\n")
    run = rollby("suggest", *evening, *stops, "--answers", tmp_path / "answers.csv", "--json")
    (custody,) = (one for one in run.json()["stops"] if one["stop_id"] == "T-102")
    assert (custody["suggestion"] or {}).get("unit_id") != "2B22"


def test_asks_later_than_at_are_left_out_with_a_note(
    rollby: Any, evening: list[object], stops: list[object], tmp_path: Path
) -> None:
    header = "suggestion_id,stop_id,unit_id,asked_at,answer,answered_at"
    late = "q1,T-102,2B22,2026-03-14T03:50:00Z,declined,"
    (tmp_path / "answers.csv").write_text(f"{header}\n{late}\n")
    files = [*evening, *stops, "--answers", tmp_path / "answers.csv"]
    run = rollby("suggest", *files, "--at", "2026-03-14T03:40:00Z", "--json")
    assert run.code == 0
    assert "answers.csv: 1 asks later than 2026-03-14T03:40:00+00:00 left out" in run.err


def test_time_says_how_long_and_where(rollby: Any, city: list[object], tmp_path: Path) -> None:
    ends = ["--from", MIDTOWN, "--to", SOUTH]
    run = rollby("time", *city, *ends, "--map", tmp_path / "way.html")
    assert run.code == 0
    assert run.out.startswith("2:2")
    assert "Curtis Street, Park Avenue West" in run.out
    assert "Park Avenue West" in (tmp_path / "way.html").read_text()
    answer = rollby("time", *city, *ends, "--json").json()
    assert answer["schema"] == "rollby.time/1"
    assert set(answer["from"]) == {"lon", "lat", "snapped_lon", "snapped_lat", "offset_m", "street"}
    assert answer["route"]["coordinates"][0] == [
        answer["from"]["snapped_lon"],
        answer["from"]["snapped_lat"],
    ]


@pytest.mark.parametrize("place", ["x", "1", "1,2,3,4", "-104.98,39.75,400", "nan,39", "200,0"])
def test_a_place_must_be_lon_lat(rollby: Any, city: list[object], place: str) -> None:
    run = rollby("time", *city, "--from", place, "--to", SOUTH)
    assert (run.code, run.out) == (2, "")


def test_a_place_off_the_road_is_noted(rollby: Any, city: list[object]) -> None:
    run = rollby("time", *city, "--from", "-105.0003,39.7425", "--to", SOUTH)
    assert run.code in {0, 3}
    assert "away; used there" in run.err or "must be within 250 m" in run.err


def test_no_way_is_an_answer(rollby: Any, tmp_path: Path) -> None:
    build = rollby("roads", "build", "--osm", EXTRACT, "-o", tmp_path / "two.roads")
    assert build.code == 0, build.err
    ends = ["--from", "10.0005,50", "--to", "10.0005,50.03"]
    run = rollby("time", "--roads", tmp_path / "two.roads", *ends, "--json")
    assert run.code == 0
    assert (run.json()["drive_time_s"], run.json()["route"]) == (None, None)
    assert rollby("time", "--roads", tmp_path / "two.roads", *ends).out == "no way by road\n"
    run = rollby("time", "--roads", tmp_path / "two.roads", *ends, "--map", tmp_path / "x.html")
    assert (run.code, (tmp_path / "x.html").exists()) == (3, False)


def test_matrix_of_two_files(rollby: Any, city: list[object], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"id,lon,lat\na,{MIDTOWN}\nb,{SOUTH}\n")
    files = ["--from", tmp_path / "a.csv", "--to", tmp_path / "a.csv"]
    run = rollby("matrix", *city, *files, "-o", tmp_path / "m.csv")
    assert (run.code, run.out) == (0, "")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "m.csv").read_text())))
    found = {(row["from_id"], row["to_id"]): float(row["drive_time_s"]) for row in rows}
    assert set(found) == {("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")}
    asked = rollby("time", *city, "--from", MIDTOWN, "--to", SOUTH, "--json").json()
    assert found["a", "b"] == asked["drive_time_s"]
    rollby("matrix", *city, *files, "--within", 60, "-o", tmp_path / "m.parquet")
    near = pq.read_table(tmp_path / "m.parquet").to_pylist()
    assert [row["drive_time_s"] for row in near] == [0.0, None, None, 0.0]


def test_matrix_of_pairs_carries_other_columns(
    rollby: Any, city: list[object], tmp_path: Path
) -> None:
    (tmp_path / "p.csv").write_text(
        f"who,id,from_lon,from_lat,to_lon,to_lat\n=me,x,{MIDTOWN},{SOUTH}\n"
    )
    run = rollby("matrix", *city, "--pairs", tmp_path / "p.csv", "-o", tmp_path / "m.csv")
    assert run.code == 0
    (row,) = csv.DictReader(io.StringIO((tmp_path / "m.csv").read_text()))
    assert list(row) == [
        *("who", "id", "from_lon", "from_lat", "to_lon", "to_lat", "drive_time_s", "distance_m")
    ]
    assert (row["who"], row["from_lon"]) == ("=me", "-104.987")
    asked = rollby("time", *city, "--from", MIDTOWN, "--to", SOUTH, "--json").json()
    assert float(row["drive_time_s"]) == asked["drive_time_s"]
    assert float(row["distance_m"]) == asked["distance_m"]


def test_matrix_notes_places_off_the_road_and_lists_faults_of_both_files(
    rollby: Any, city: list[object], tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("id,lon,lat\na,-104.9715,39.7450\n")
    files = ["--from", tmp_path / "a.csv", "--to", tmp_path / "a.csv"]
    run = rollby("matrix", *city, *files, "-o", tmp_path / "m.csv")
    assert run.code == 0
    assert run.err.count("from the nearest road; used there") == 2
    (tmp_path / "f.csv").write_text("id,lon,lat\nf,0.5,1\n")
    (tmp_path / "t.csv").write_text("id,lon,lat\nt,0.5,2\n")
    files = ["--from", tmp_path / "f.csv", "--to", tmp_path / "t.csv"]
    run = rollby("matrix", *city, *files, "-o", tmp_path / "m2.csv")
    assert run.code == 3
    assert "f.csv:2 lon,lat=0.5,1.0: must be within 250 m" in run.err
    assert "t.csv:2 lon,lat=0.5,2.0: must be within 250 m" in run.err


def test_time_lists_both_faults(rollby: Any, city: list[object]) -> None:
    run = rollby("time", *city, "--from", "1,2", "--to", "3,4")
    assert run.code == 3
    assert "--from 1.0,2.0" in run.err
    assert "--to 3.0,4.0" in run.err


def test_a_path_is_printed_as_it_is(rollby: Any, tmp_path: Path, sample_dir: Path) -> None:
    path = tmp_path / "[red]x[bold].roads"
    path.write_bytes((sample_dir / "denver.roads").read_bytes())
    assert "[red]x[bold].roads" in "".join(rollby("roads", "info", path).out.split())


def test_matrix_overwrites_no_column(rollby: Any, city: list[object], tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(
        f"id,from_lon,from_lat,to_lon,to_lat,drive_time_s\nx,{MIDTOWN},{SOUTH},7\n"
    )
    run = rollby("matrix", *city, "--pairs", tmp_path / "p.csv", "-o", tmp_path / "m.csv")
    assert run.code == 3
    assert "p.csv: column drive_time_s is what the answer adds; rename it" in run.err


def test_matrix_figures_are_numbers_even_where_there_is_no_way(
    rollby: Any, city: list[object], tmp_path: Path
) -> None:
    (tmp_path / "p.csv").write_text(f"id,from_lon,from_lat,to_lon,to_lat\nx,{MIDTOWN},{SOUTH}\n")
    files = ["--pairs", tmp_path / "p.csv", "-o", tmp_path / "m.parquet", "--within", 1]
    assert rollby("matrix", *city, *files).code == 0
    table = pq.read_table(tmp_path / "m.parquet")
    assert table.to_pylist()[0]["drive_time_s"] is None
    assert str(table.schema.field("drive_time_s").type) == "double"
    assert str(table.schema.field("id").type) == "string"


def test_matrix_lists_every_fault(rollby: Any, city: list[object], tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(
        f"id,from_lon,from_lat,to_lon,to_lat\nx,{MIDTOWN},0,0.5\ny,{MIDTOWN},1,2\n"
    )
    run = rollby("matrix", *city, "--pairs", tmp_path / "p.csv", "-o", tmp_path / "m.csv")
    assert run.code == 3
    assert "p.csv:2 to_lon,to_lat=0.0,0.5: must be within 250 m of a road" in run.err
    assert "p.csv:3 " in run.err
    assert not (tmp_path / "m.csv").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pairs", "p.csv", "--from", "a.csv", "-o", "m.csv"], "give either --from and --to, or"),
        (["--from", "a.csv", "-o", "m.csv"], "give either --from and --to, or --pairs"),
        (["--pairs", "p.csv", "-o", "m.xlsx"], "'m.xlsx': must end in .csv, .parquet"),
        (["--pairs", "p.csv", "--within", "0", "-o", "m.csv"], "'--within'"),
    ],
)
def test_matrix_usage(rollby: Any, city: list[object], options: list[str], message: str) -> None:
    run = rollby("matrix", *city, *options)
    assert run.code == 2
    assert message in run.err


def test_coverage_prints_the_contracts_json(
    rollby: Any, evening: list[object], stops: list[object]
) -> None:
    answer = rollby("coverage", *evening, *stops, "--json").json()
    assert answer["schema"] == "rollby.coverage/1"
    assert (answer["within_s"], answer["idle_units"]) == (90, ["2A15", "2B22", "2C34", "4S3"])
    assert 0 < answer["second"]["share_within"] < answer["first"]["share_within"] < 1
    assert answer["first"]["p50_s"] < answer["first"]["p90_s"]
    wider = rollby("coverage", *evening, *stops, "--within", 300, "--json").json()
    assert wider["within_s"] == 300
    assert wider["second"]["share_within"] > 0.9


@pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".parquet", ".csv"])
def test_coverage_writes_cells_and_map(
    rollby: Any, evening: list[object], stops: list[object], tmp_path: Path, ending: str
) -> None:
    cells, page = tmp_path / f"cells{ending}", tmp_path / "cover.html"
    run = rollby("coverage", *evening, *stops, "--cells", cells, "--map", page)
    assert run.code == 0
    assert "second" in run.out
    assert cells.stat().st_size > 1000
    assert page.stat().st_size > 10_000
    assert not list(tmp_path.glob(".*"))


def test_cells_into_a_folder_that_is_not_there(rollby: Any, evening: list[object]) -> None:
    run = rollby("coverage", *evening, "--cells", "none/cells.gpkg")
    assert run.code == 3
    assert "none/cells.gpkg: cannot be written, there is no folder none; make it" in run.err


@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "-5", "soon", "1e9"])
def test_a_horizon_is_a_finite_number_of_seconds(
    rollby: Any, evening: list[object], seconds: str
) -> None:
    run = rollby("coverage", *evening, "--within", seconds)
    assert (run.code, run.out) == (2, "")
    assert "must be seconds, more than 0 and at most 86400" in run.err


def test_cells_want_a_known_ending(rollby: Any, evening: list[object]) -> None:
    run = rollby("coverage", *evening, "--cells", "cells.xlsx")
    assert run.code == 2
    assert "'--cells': 'cells.xlsx': must end in .gpkg, .geojson, .parquet, .csv" in run.err


def test_a_folder_that_is_not_there_is_said(
    rollby: Any, evening: list[object], stops: list[object]
) -> None:
    run = rollby("suggest", *evening, *stops, "--map", "none/map.html")
    assert run.code == 3
    assert "none/map.html: cannot be written, there is no folder none; make it" in run.err


def test_beats_come_from_the_settings(
    rollby: Any, city: list[object], stops: list[object], sample_dir: Path, tmp_path: Path
) -> None:
    ring = [
        [-105.01, 39.73],
        [-104.985, 39.73],
        [-104.985, 39.78],
        [-105.01, 39.78],
        [-105.01, 39.73],
    ]
    beat = {
        "type": "Feature",
        "properties": {"name": "West"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    (tmp_path / "beats.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [beat]})
    )
    settings = '[beats]\nfile = "beats.geojson"\n[beats.within_s]\nWest = 200\n'
    (tmp_path / "s.toml").write_text(settings)
    files = ["--units", sample_dir / "simulated_units.csv", "--settings", tmp_path / "s.toml"]
    answer = rollby("coverage", *city, *files, *stops, "--json").json()
    assert [(one["beat"], one["within_s"]) for one in answer["beats"]] == [("West", 200)]
    assert answer["beats"][0]["first"]["share_within"] > answer["first"]["share_within"]
    wide = rollby("coverage", *city, *files, *stops, "--json", "--within", 400).json()
    assert (wide["within_s"], wide["beats"][0]["within_s"]) == (400, 200)
    (tmp_path / "s.toml").write_text('[beats]\nfile = "beats.geojson"\n')
    wide = rollby("coverage", *city, *files, *stops, "--json", "--within", 400).json()
    assert (wide["within_s"], wide["beats"][0]["within_s"]) == (400, 400)
    (tmp_path / "s.toml").write_text(settings)
    advice = rollby("suggest", *city, *files, *stops, "--json").json()
    assert {one["stop_id"]: one["within_s"] for one in advice["stops"]}["T-101"] == 200
    assert {one["stop_id"]: one["within_s"] for one in advice["stops"]}["T-105"] == 180


def test_settings_print_as_toml_that_reads_back(rollby: Any, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(rollby("settings").out)
    assert rollby("settings", "--settings", tmp_path / "s.toml").out == rollby("settings").out


def test_roads_are_built_and_told(rollby: Any, tmp_path: Path) -> None:
    run = rollby("roads", "build", "--osm", EXTRACT, "-o", tmp_path / "x.roads")
    assert run.code == 0
    assert "street.osm" in run.out
    facts = rollby("roads", "info", tmp_path / "x.roads", "--json").json()
    assert facts["schema"] == "rollby.roads/1"
    assert facts["edges"] == 4
    assert facts["licence"].startswith("ODbL 1.0")
    assert facts["bounds_deg"] == [10.0, 50.0, 10.001, 50.03]


def test_lights_and_siren_only_on_request_and_said(rollby: Any, tmp_path: Path) -> None:
    times = {}
    for name, options in (("routine", []), ("response", ["--response"])):
        roads = tmp_path / f"{name}.roads"
        assert rollby("roads", "build", "--osm", EXTRACT, "-o", roads, *options).code == 0
        assert rollby("roads", "info", roads, "--json").json()["driving"] == name
        ends = ["--from", "10,50", "--to", "10.001,50"]
        run = rollby("time", "--roads", roads, *ends, "--json")
        times[name] = run.json()["drive_time_s"]
        assert ("lights and siren" in run.err) == (name == "response")
    assert times["response"] < times["routine"]


@pytest.mark.parametrize("options", [[], ["--osm", "a.osm", "--place", "Bonn"]])
def test_roads_want_one_source(rollby: Any, options: list[str]) -> None:
    run = rollby("roads", "build", *options, "-o", "x.roads")
    assert run.code == 2
    assert "give exactly one of --place, --bbox, --polygon and --osm" in run.err


def test_roads_folder_is_checked_before_a_download(rollby: Any) -> None:
    run = rollby("roads", "build", "--place", "Bonn", "-o", "none/x.roads")
    assert run.code == 3
    assert "there is no folder none; make it" in run.err


def test_a_box_must_be_four_numbers(rollby: Any) -> None:
    run = rollby("roads", "build", "--bbox", "1,2,3", "-o", "x.roads")
    assert run.code == 2
    assert "must be W,S,E,N in degrees" in run.err


def test_a_missing_file_is_bad_data(rollby: Any, evening: list[object]) -> None:
    run = rollby("roads", "info", "none.roads")
    assert (run.code, run.out) == (3, "")
    assert "none.roads: cannot be read" in run.err
    run = rollby("suggest", *evening, "--stops", "none.csv")
    assert run.code == 3
    assert "none.csv" in run.err


def test_demo_shows_every_kind_of_answer(rollby: Any, tmp_path: Path) -> None:
    run = rollby("demo", "--out", tmp_path / "demo")
    assert run.code == 0
    assert "SIMULATED" in run.out
    for text in ("COVERED", "THIN", "ALONE", "4S3, 1:06 by road", "nobody: 2C34"):
        assert text in run.out
    for name in ("stops", "coverage"):
        assert f"{tmp_path / 'demo' / name}.html" in run.err
        assert "SIMULATED" in (tmp_path / "demo" / f"{name}.html").read_text()
    answer = rollby("demo", "--out", tmp_path / "demo", "--json").json()
    assert answer["simulated"] is True


def test_demo_into_a_file_is_said(rollby: Any, tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("")
    run = rollby("demo", "--out", tmp_path / "demo")
    assert run.code == 3
    assert "cannot be made (File exists); choose another --out" in run.err


def test_program_is_installed_and_leaves_with_the_code() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "rollby", "roads", "info", "none.roads"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (3, "")
    assert run.stderr.count("\n") == 1


def test_a_terminal_that_knows_ascii_only(sample_dir: Path) -> None:
    names = ("roads", "units", "stops", "settings")
    files = ("denver.roads", "simulated_units.csv", "simulated_stops.csv")
    options = [
        text
        for name, file in zip(names, (*files, "simulated_settings.toml"), strict=True)
        for text in (f"--{name}", str(sample_dir / file))
    ]
    run = subprocess.run(
        [sys.executable, "-m", "rollby", "suggest", *options],
        capture_output=True,
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
        check=False,
    )
    assert run.returncode == 0
    assert b"2B22, 0:38 by road" in run.stdout


def test_a_closed_pipe_is_no_bug() -> None:
    command = f"{sys.executable} -m rollby settings | head -1"
    run = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602 - a pipe is the point
    assert run.stdout == "[policy]\n"
    assert run.stderr == ""


def test_help_is_instant_since_it_needs_no_library_but_click() -> None:
    code = """import sys
before = set(sys.modules)
from rollby.cli import main
main(["--help"])
new = {name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names
print(sorted(new), file=sys.stderr)"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "who should roll by" in run.stdout
    assert run.stderr == "['click', 'data', 'rollby']\n"


def test_time_shows_distances_in_the_agencys_unit(
    rollby: Any, city: list[object], tmp_path: Path
) -> None:
    (tmp_path / "s.toml").write_text('[units]\nspeed_unit = "km/h"\n')
    ends = ["--from", MIDTOWN, "--to", SOUTH, "--map", tmp_path / "way.html"]
    assert "0.9 mi: " in rollby("time", *city, *ends).out
    assert "0.9 mi" in (tmp_path / "way.html").read_text()
    metric = rollby("time", *city, *ends, "--settings", tmp_path / "s.toml")
    assert "1.5 km: " in metric.out
    assert "1.5 km" in (tmp_path / "way.html").read_text()


@pytest.mark.parametrize("command", ["suggest", "coverage"])
def test_rows_left_out_are_told_in_the_table_and_on_the_map(
    rollby: Any, bad: list[object], tmp_path: Path, command: str
) -> None:
    run = rollby(command, *bad, "--skip-bad", "--map", tmp_path / "map.html")
    assert "faulty rows were left out" in run.out
    page = (tmp_path / "map.html").read_text()
    assert "Left out: not all that was reported is shown" in page
    assert "lon and lat look swapped" in page


def test_nothing_left_out_is_not_spoken_of(
    rollby: Any, evening: list[object], stops: list[object], tmp_path: Path
) -> None:
    run = rollby("suggest", *evening, *stops, "--map", tmp_path / "map.html")
    assert "left out" not in run.out.lower()
    assert "left-out-heading" not in (tmp_path / "map.html").read_text()


def test_a_stop_with_its_officers_needs_no_chance(
    rollby: Any, evening: list[object], stops: list[object]
) -> None:
    assert "not needed" in rollby("suggest", *evening, *stops).out


@pytest.mark.parametrize("option", ["--roads", "--settings", "--store"])
def test_a_demonstration_brings_its_own(rollby: Any, option: str) -> None:
    run = rollby("serve", "--demo", option, "anything")
    assert run.code == 2
    assert "--demo brings its own roads, settings and store: only --listen" in " ".join(
        run.err.split()
    )


def test_the_service_needs_roads(rollby: Any) -> None:
    run = rollby("serve")
    assert run.code == 2
    assert "Missing option '--roads'; or try it with --demo" in run.err

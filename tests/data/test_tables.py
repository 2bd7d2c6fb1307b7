"""Rows into records: defaults, headers, repeated rows, and what is noted."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from data.records import Ask, Stop, StopPhase, Unit, UnitFix, UnitStatus
from data.tables import Pair, Place, read_answers, read_pairs, read_places, read_stops, read_units
from tests.data.table_texts import CLOCK, STOP, UNIT, csv_text

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "unit_id,lon,lat,fixed_at,status"
ROW = "4A1,-104.9903,39.7392,2026-11-23T02:13:00Z,available"


def write(folder: Path, text: str | bytes, name: str = "units.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults_of(path: Path) -> list[str]:
    return [str(fault).removeprefix(str(path)) for fault in read_units(path, clock=CLOCK).faults]


def notes_of(path: Path) -> list[str]:
    return [note.removeprefix(str(path)) for note in read_units(path, clock=CLOCK).notes]


def test_a_unit_with_all_its_values(tmp_path: Path) -> None:
    row = UNIT | {
        "officers": "2",
        "agency": "DPD",
        "heading_deg": "270",
        "speed_mps": "12.5",
        "accuracy_m": "4",
    }
    units = read_units(write(tmp_path, csv_text(row)), clock=CLOCK)
    fix = UnitFix(
        fixed_at=datetime(2026, 11, 23, 2, 13, tzinfo=UTC),
        lon_deg=-104.9903,
        lat_deg=39.7392,
        heading_deg=270.0,
        speed_mps=12.5,
        accuracy_m=4.0,
    )
    status = UnitStatus.AVAILABLE
    unit = Unit(unit_id="4A1", fix=fix, status=status, officers=2, agency="DPD")
    assert (units.rows, units.lines, units.faults, units.notes) == ((unit,), (2,), (), ())


def test_what_is_unknown_of_a_unit(tmp_path: Path) -> None:
    (unit,) = read_units(write(tmp_path, csv_text(UNIT)), clock=CLOCK).rows
    fix = unit.fix
    assert (unit.officers, unit.agency) == (1, "")
    assert fix.heading_deg is fix.speed_mps is fix.accuracy_m is None


def test_what_is_unknown_of_a_stop(tmp_path: Path) -> None:
    (stop,) = read_stops(write(tmp_path, csv_text(STOP)), clock=CLOCK).rows
    assert stop == Stop(
        stop_id="S1", unit_id="4A1", started_at=datetime(2026, 11, 23, 2, 10, tzinfo=UTC)
    )


def test_a_stop_with_all_its_values(tmp_path: Path) -> None:
    row = STOP | {
        "lon": "-104.9",
        "lat": "39.7",
        "heading_deg": "0",
        "ended_at": "2026-11-23T02:20:00Z",
        "phase": "CUSTODY",
        "backup": " 4A2; ;4A3;4A2;",
        "needs": "3.0",
    }
    (stop,) = read_stops(write(tmp_path, csv_text(row)), clock=CLOCK).rows
    assert stop == Stop(
        stop_id="S1",
        unit_id="4A1",
        started_at=datetime(2026, 11, 23, 2, 10, tzinfo=UTC),
        ended_at=datetime(2026, 11, 23, 2, 20, tzinfo=UTC),
        lon_deg=-104.9,
        lat_deg=39.7,
        heading_deg=0.0,
        phase=StopPhase.CUSTODY,
        backup=("4A2", "4A3"),
        needs=3,
    )


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T02:13:00Z",
        "2026-11-23 02:13:00z",
        "2026-11-23t02:13Z",
        "2026-11-22T19:13:00-07:00",
        "2026-11-22 19:13:00.000 -0700",
        "2026-11-23 02:13:00+00",
        "2026-11-23T02:13:00,000000000Z",
    ],
)
def test_ways_to_write_an_instant(text: str, tmp_path: Path) -> None:
    (unit,) = read_units(write(tmp_path, csv_text(UNIT | {"fixed_at": text})), clock=CLOCK).rows
    assert unit.fix.fixed_at == datetime(2026, 11, 23, 2, 13, tzinfo=UTC)
    assert unit.fix.fixed_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("On_Stop", UnitStatus.ON_STOP),
        ("10-8", UnitStatus.AVAILABLE),
        ("avl", UnitStatus.AVAILABLE),
        ("a", UnitStatus.AVAILABLE),
        ("A", UnitStatus.BUSY),
        ("busy", UnitStatus.OUT_OF_SERVICE),
    ],
)
def test_the_agencys_own_codes_come_first(code: str, status: UnitStatus, tmp_path: Path) -> None:
    codes = {
        "10-8": UnitStatus.AVAILABLE,
        "AVL": UnitStatus.AVAILABLE,
        "a": UnitStatus.AVAILABLE,
        "A": UnitStatus.BUSY,
        "busy": UnitStatus.OUT_OF_SERVICE,
    }
    path = write(tmp_path, csv_text(UNIT | {"status": code}))
    assert read_units(path, clock=CLOCK, status=codes).rows[0].status is status


def test_a_code_that_capitals_decide_must_be_exact(tmp_path: Path) -> None:
    codes = {"Av": UnitStatus.AVAILABLE, "aV": UnitStatus.BUSY}
    path = write(tmp_path, csv_text(UNIT | {"status": "AV"}))
    assert not read_units(path, clock=CLOCK, status=codes).rows


def test_ids_are_compared_composed(tmp_path: Path) -> None:
    path = write(tmp_path, csv_text(UNIT | {"unit_id": "N\u0303-4"}))
    assert read_units(path, clock=CLOCK).rows[0].unit_id == "\u00d1-4"


def test_columns_come_in_any_order_and_others_are_passed_over_with_one_note(
    tmp_path: Path,
) -> None:
    row = dict(reversed(UNIT.items())) | {"remark": "x", "speed": "12", "": "0"}
    path = write(tmp_path, csv_text(row, row | {"unit_id": "4A2"}))
    assert len(read_units(path, clock=CLOCK).rows) == 2
    assert notes_of(path) == [
        ": columns passed over: remark, speed, (no name); rename speed to speed_mps if it is that"
    ]


def test_capitals_and_blanks_in_the_header_are_noted(tmp_path: Path) -> None:
    path = write(tmp_path, f" Unit_ID ,LON,lat,fixed_at,status\n{ROW}\n")
    assert len(read_units(path, clock=CLOCK).rows) == 1
    assert notes_of(path) == [
        ": columns read in spite of capitals or blanks: ' Unit_ID ' as unit_id, 'LON' as lon"
    ]


def test_missing_columns_are_one_fault_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "unit_id,longitude,Y,fixed_at\n4A1,1,2,soon\n")
    units = read_units(path, clock=CLOCK)
    assert faults_of(path) == [
        (
            ": must have lon, lat, status; its columns are unit_id, longitude, Y, fixed_at; "
            "rename longitude to lon if it is that; rename Y to lat if it is that"
        ),
        (
            ":2 fixed_at=soon: must be an instant with an offset or Z; "
            "write ISO 8601 such as 2026-11-23T02:13:00Z"
        ),
    ]
    assert (units.rows, units.complete) == ((), False)


def test_missing_keys_of_a_json_line_are_faults_of_the_line(tmp_path: Path) -> None:
    path = write(tmp_path, '{"unit_id":"4A1","lng":1,"lat":2}\n', "units.jsonl")
    assert faults_of(path) == [
        ":1 fixed_at=: must be given",
        ":1 lon=: must be given; rename lng to lon if it is that",
        ":1 status=: must be given",
    ]


@pytest.mark.parametrize("header", [f"{HEADER},lon", f"{HEADER}, LON", f"{HEADER},x,x"])
def test_columns_named_twice(header: str, tmp_path: Path) -> None:
    path = write(tmp_path, f"{header}\n")
    twice = header.rpartition(",")[2].strip().lower()
    assert faults_of(path) == [f": must name each column once, has {twice} twice; remove one"]


def test_spreadsheets_leave_commas_behind(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER},,\r\n{ROW},,\r\n,,,,,,\r\n\r\n{ROW.replace('4A1', '4A2')},,")
    units = read_units(path, clock=CLOCK)
    assert (units.lines, units.faults) == ((2, 5), ())


def test_the_same_unit_at_the_same_instant(tmp_path: Path) -> None:
    same = ROW.replace("02:13:00Z", "02:13:00+00:00").replace("available", "busy")
    later = ROW.replace("02:13:00", "02:14:00")
    path = write(tmp_path, f"{HEADER}\n{ROW}\n{later}\n{same}\n{ROW}\n")
    rule = "must be unique for each fixed_at; line 2 has it too, remove one"
    assert faults_of(path) == [f":{line} unit_id=4A1: {rule}" for line in (4, 5)]
    assert notes_of(path) == []


@pytest.mark.parametrize("bad_first", [True, False])
def test_a_good_row_counts_before_a_bad_one_of_its_name(
    bad_first: bool,  # noqa: FBT001 - pytest passes it by name
    tmp_path: Path,
) -> None:
    good, bad = STOP | {"needs": "2"}, STOP | {"needs": "none"}
    path = write(tmp_path, csv_text(*((bad, good) if bad_first else (good, bad))))
    stops = read_stops(path, clock=CLOCK)
    good_line, bad_line = (3, 2) if bad_first else (2, 3)
    assert stops.lines == (good_line,)
    assert [(fault.line, fault.field, fault.rule) for fault in stops.faults] == [
        (bad_line, "needs", "must be a whole number such as 2; leave it empty if unknown"),
        (bad_line, "stop_id", f"must be unique; line {good_line} has it too, remove one"),
    ]


def test_a_bad_row_of_a_unit_that_has_others_is_noted(tmp_path: Path) -> None:
    bad = ROW.replace("02:13:00", "02:14:00").replace("39.7392", "north")
    path = write(tmp_path, f"{HEADER}\n{ROW}\n{bad}\n")
    assert notes_of(path) == [":3 unit_id=4A1: without this bad row an older one may count"]


def test_ids_that_differ_in_capitals_only_are_noted(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER}\n{ROW}\n{ROW.replace('4A1', '4a1')}\n")
    assert notes_of(path) == [
        ": 4A1 and 4a1 differ in capitals only; write them alike if they are one"
    ]


def test_a_file_without_rows_is_noted(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER}\n")
    assert (faults_of(path), notes_of(path)) == ([], [": holds no rows"])


def test_answers(tmp_path: Path) -> None:
    head = "suggestion_id,stop_id,unit_id,asked_at,answer,answered_at\n"
    rows = (
        "g1,S1,4A1,2026-11-23T02:10:00Z,en_route,2026-11-23T02:10:09Z\n"
        ",S1,4A2,2026-11-23T02:11:00Z,,\n"
        ",S1,4A2,2026-11-23T02:12:00Z,,\n"
        "g1,S1,4A1,2026-11-23T02:13:00Z,cant,\n"
    )
    path = write(tmp_path, head + rows, "answers.csv")
    asks = read_answers(path, clock=CLOCK)
    assert asks.rows[0] == Ask(
        stop_id="S1", unit_id="4A1", asked_at=datetime(2026, 11, 23, 2, 10, tzinfo=UTC)
    )
    assert asks.lines == (2, 3, 4)
    assert [str(fault) for fault in asks.faults] == [
        f"{path}:5 suggestion_id=g1: must be unique for each unit_id; line 2 has it too, remove one"
    ]


def test_places(tmp_path: Path) -> None:
    path = write(tmp_path, "id,lon,lat\na,-104.9,39.7\nb,1,0\na,2,2\n")
    places = read_places(path)
    assert places.rows == (
        Place(place_id="a", lon_deg=-104.9, lat_deg=39.7),
        Place(place_id="b", lon_deg=1.0, lat_deg=0.0),
    )
    assert [str(fault) for fault in places.faults] == [
        f"{path}:4 id=a: must be unique; line 2 has it too, remove one"
    ]


def test_pairs_carry_their_other_columns(tmp_path: Path) -> None:
    path = write(tmp_path, "note,id,from_lon,from_lat,to_lon,to_lat\n x ,7,1,2,3,4.50\n")
    pairs = read_pairs(path)
    assert pairs.notes == ()
    assert pairs.rows == (
        Pair(
            pair_id="7",
            from_lon_deg=1.0,
            from_lat_deg=2.0,
            to_lon_deg=3.0,
            to_lat_deg=4.5,
            row=(
                ("note", " x "),
                ("id", "7"),
                ("from_lon", "1"),
                ("from_lat", "2"),
                ("to_lon", "3"),
                ("to_lat", "4.50"),
            ),
        ),
    )


def test_pairs_do_not_lose_columns_without_a_name(tmp_path: Path) -> None:
    path = write(tmp_path, "id,from_lon,from_lat,to_lon,to_lat,,\n7,1,2,3,4,a,b\n")
    assert not read_pairs(path).complete


def test_small_files_wait_for_no_large_library() -> None:
    code = (
        "import sys, data.tables; print({'pyarrow', 'pandas', 'shapely', 'numpy'} & {*sys.modules})"
    )
    run = [sys.executable, "-c", code]
    out = subprocess.run(run, capture_output=True, text=True, check=True, env=dict(os.environ))
    assert out.stdout == "set()\n"

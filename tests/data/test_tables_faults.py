"""Every message about a wrong value: field, value, rule and remedy."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from data.records import UnitStatus
from data.tables import read_answers, read_pairs, read_places, read_stops, read_units
from tests.data.table_texts import CLOCK, STOP, UNIT, csv_text

if TYPE_CHECKING:
    from pathlib import Path

GIVEN = "must be given"
NUMBER = "must be a decimal number such as -104.9903"
IF_UNKNOWN = "; leave it empty if unknown"
OPTIONAL_NUMBER = NUMBER + IF_UNKNOWN
WHOLE = "must be a whole number such as 2; leave it empty if unknown"
ISO = "write ISO 8601 such as 2026-11-23T02:13:00Z"
INSTANT = f"must be an instant with an offset or Z; {ISO}"
EXCEL = f"must not be a date of Excel; format its cells as yyyy-mm-ddThh:mm:ssZ in UTC: {ISO}"
NAIVE = "must have an offset or Z; add the time zone, such as 2026-11-23T02:13:00-07:00"
NAME = "must be one line of at most 100 characters without semicolons"
NO_NAME = "must be a name, not a word for none"
SWAPPED = "must be from -90 to 90; lon and lat look swapped, swap them"
ISLAND = "must be a real position; a GPS without a fix reports 0,0"
COMMA = "must have a decimal point, not a comma"
STATUSES = "available, dispatched, en_route, on_scene, on_stop, busy, out_of_service"
PHASES = "contact, secured, custody, awaiting_tow, cleared"

UNIT_FAULTS = [
    ({"unit_id": " "}, f"unit_id=: {GIVEN}"),
    ({"unit_id": "nan"}, f"unit_id=nan: {NO_NAME}"),
    ({"unit_id": "#N/A"}, f"unit_id=#N/A: {NO_NAME}"),
    ({"unit_id": "x" * 101}, f"unit_id={'x' * 80}: {NAME}"),
    ({"unit_id": "4A1;4A2"}, f"unit_id=4A1;4A2: {NAME}"),
    ({"unit_id": "4A\x071"}, f"unit_id=4A\\x071: {NAME}"),
    ({"unit_id": "4A\n1"}, f"unit_id=4A\\n1: {NAME}"),
    ({"unit_id": "4\u200bA1"}, f"unit_id=4\\u200bA1: {NAME}"),
    ({"lon": ""}, f"lon=: {GIVEN}"),
    ({"lon": "nan"}, f"lon=nan: {NUMBER}"),
    ({"lon": "inf"}, f"lon=inf: {NUMBER}"),
    ({"lon": "1e999"}, f"lon=1e999: {NUMBER}"),
    ({"lon": "1_0"}, f"lon=1_0: {NUMBER}"),
    ({"lon": "١٢"}, f"lon=١٢: {NUMBER}"),
    ({"lon": "0x10"}, f"lon=0x10: {NUMBER}"),
    ({"lon": "104°59'W"}, f"lon=104°59'W: {NUMBER}"),
    ({"lon": "-104,99"}, f"lon=-104,99: {COMMA}"),
    ({"lon": "-180.0001"}, "lon=-180.0001: must be from -180 to 180"),
    ({"lat": "90.0001"}, "lat=90.0001: must be from -90 to 90"),
    ({"lat": "1e300"}, "lat=1e300: must be from -90 to 90"),
    ({"lon": "39.7", "lat": "-104.99"}, f"lat=-104.99: {SWAPPED}"),
    ({"lon": "0.0", "lat": "-0"}, f"lon,lat=0.0,-0: {ISLAND}"),
    ({"fixed_at": ""}, f"fixed_at=: {GIVEN}"),
    ({"fixed_at": "soon"}, f"fixed_at=soon: {INSTANT}"),
    ({"fixed_at": "2026-11-23T02:13:00"}, f"fixed_at=2026-11-23T02:13:00: {NAIVE}"),
    ({"fixed_at": "2026-11-23x02:13Z"}, f"fixed_at=2026-11-23x02:13Z: {INSTANT}"),
    (
        {"fixed_at": "2026-02-30T02:13Z"},
        f"fixed_at=2026-02-30T02:13Z: must be a date and time that exist; {ISO}",
    ),
    (
        {"fixed_at": "0001-01-01T00:00+14:00"},
        f"fixed_at=0001-01-01T00:00+14:00: must be a date and time that exist; {ISO}",
    ),
    ({"fixed_at": "2026-11-23"}, f"fixed_at=2026-11-23: must have a time of day; {ISO}"),
    ({"fixed_at": "1795400000"}, f"fixed_at=1795400000: must not be seconds since 1970; {ISO}"),
    ({"fixed_at": "45678.91"}, f"fixed_at=45678.91: {EXCEL}"),
    ({"fixed_at": "11/23/2026 2:13 AM"}, f"fixed_at=11/23/2026 2:13 AM: {EXCEL}"),
    ({"fixed_at": "23.11.2026 02:13"}, f"fixed_at=23.11.2026 02:13: {EXCEL}"),
    ({"fixed_at": "23-Nov-26"}, f"fixed_at=23-Nov-26: {EXCEL}"),
    ({"fixed_at": "13:00.0"}, f"fixed_at=13:00.0: {EXCEL}"),
    (
        {"fixed_at": "2026-11-23T03:01:01Z"},
        (
            "fixed_at=2026-11-23T03:01:01Z: must not be later than now (2026-11-23T03:00:00Z); "
            "check that clock and its time zone"
        ),
    ),
    (
        {"fixed_at": "1980-01-06T00:00:00Z"},
        "fixed_at=1980-01-06T00:00:00Z: must not be before 2000-01-01; that clock was never set",
    ),
    ({"status": ""}, f"status=: {GIVEN}"),
    (
        {"status": "10-7"},
        (
            f"status=10-7: must be one of {STATUSES}, 10-8; "
            "map other codes in the settings, units.status"
        ),
    ),
    ({"officers": "0"}, "officers=0: must be from 1 to 99"),
    ({"officers": "1.5"}, f"officers=1.5: {WHOLE}"),
    ({"officers": "two"}, f"officers=two: {WHOLE}"),
    ({"officers": "1e999"}, f"officers=1e999: {WHOLE}"),
    ({"agency": "a;b"}, f"agency=a;b: {NAME}{IF_UNKNOWN}"),
    ({"heading_deg": "360.1"}, f"heading_deg=360.1: must be from 0 to 360{IF_UNKNOWN}"),
    ({"heading_deg": "N"}, f"heading_deg=N: {OPTIONAL_NUMBER}"),
    ({"speed_mps": "-3.0"}, f"speed_mps=-3.0: must be from 0 to 150{IF_UNKNOWN}"),
    ({"speed_mps": "NaN"}, f"speed_mps=NaN: {OPTIONAL_NUMBER}"),
    ({"speed_mps": "null"}, f"speed_mps=null: {OPTIONAL_NUMBER}"),
    ({"speed_mps": "9,5"}, f"speed_mps=9,5: {COMMA}{IF_UNKNOWN}"),
    ({"accuracy_m": "-1"}, f"accuracy_m=-1: must be >= 0{IF_UNKNOWN}"),
    ({"accuracy_m": "inf"}, f"accuracy_m=inf: {OPTIONAL_NUMBER}"),
]

STOP_FAULTS = [
    ({"stop_id": ""}, f"stop_id=: {GIVEN}"),
    ({"unit_id": ""}, f"unit_id=: {GIVEN}"),
    ({"started_at": ""}, f"started_at=: {GIVEN}"),
    ({"lon": "-104.99"}, "lat=: lon and lat go together; give both or neither"),
    ({"lat": "39.7"}, "lon=: lon and lat go together; give both or neither"),
    ({"lon": "0", "lat": "0"}, f"lon,lat=0,0: {ISLAND}"),
    ({"lon": "39.7", "lat": "-104.99"}, f"lat=-104.99: {SWAPPED}"),
    ({"lon": "n/a", "lat": "39.7"}, f"lon=n/a: {OPTIONAL_NUMBER}"),
    ({"heading_deg": "-1"}, f"heading_deg=-1: must be from 0 to 360{IF_UNKNOWN}"),
    (
        {"ended_at": "2026-11-23T02:09:59Z"},
        (
            "ended_at=2026-11-23T02:09:59Z: must not be before started_at "
            "(2026-11-23T02:10:00+00:00); correct one"
        ),
    ),
    ({"ended_at": "2026-11-23T02:11:00"}, f"ended_at=2026-11-23T02:11:00: {NAIVE}"),
    ({"phase": "code 4"}, f"phase=code 4: must be one of {PHASES}{IF_UNKNOWN}"),
    ({"backup": "4A2;null"}, f"backup=4A2;null: {NO_NAME}{IF_UNKNOWN}"),
    ({"needs": "0"}, "needs=0: must be from 1 to 99"),
    ({"needs": "-"}, f"needs=-: {WHOLE}"),
]


def write(folder: Path, text: str) -> Path:
    path = folder / "rows.csv"
    path.write_text(text, "utf-8", newline="")
    return path


@pytest.mark.parametrize(("changes", "message"), UNIT_FAULTS)
def test_one_wrong_value_of_a_unit(changes: dict[str, str], message: str, tmp_path: Path) -> None:
    other = UNIT | {"unit_id": "4A2"} | dict.fromkeys(changes.keys() - UNIT.keys(), "")
    path = write(tmp_path, csv_text(other, other | UNIT | changes, other | {"unit_id": "4A3"}))
    units = read_units(path, clock=CLOCK, status={"10-8": UnitStatus.AVAILABLE})
    assert [unit.unit_id for unit in units.rows] == ["4A2", "4A3"]
    assert [str(fault) for fault in units.faults] == [f"{path}:3 {message}"]
    assert units.complete


@pytest.mark.parametrize(("changes", "message"), STOP_FAULTS)
def test_one_wrong_value_of_a_stop(changes: dict[str, str], message: str, tmp_path: Path) -> None:
    other = STOP | {"stop_id": "S2"} | dict.fromkeys(changes.keys() - STOP.keys(), "")
    path = write(tmp_path, csv_text(other, other | STOP | changes))
    stops = read_stops(path, clock=CLOCK)
    assert [stop.stop_id for stop in stops.rows] == ["S2"]
    assert [str(fault) for fault in stops.faults] == [f"{path}:3 {message}"]


def test_no_fault_of_a_row_hides_another(tmp_path: Path) -> None:
    row = {
        "unit_id": "",
        "lon": "nan",
        "lat": "91",
        "fixed_at": "now",
        "status": "?",
        "officers": "0",
        "heading_deg": "400",
        "speed_mps": "-1",
        "accuracy_m": "-1",
    }
    units = read_units(write(tmp_path, csv_text(row, row)), clock=CLOCK)
    assert {fault.line for fault in units.faults} == {2, 3}
    for line in (2, 3):
        assert {fault.field for fault in units.faults if fault.line == line} == row.keys()


def test_the_clock_may_be_a_minute_behind(tmp_path: Path) -> None:
    path = write(tmp_path, csv_text(UNIT | {"fixed_at": "2026-11-23T03:01:00Z"}))
    assert read_units(path, clock=CLOCK).rows
    assert not read_units(path, clock=CLOCK - timedelta(seconds=1)).rows


def test_long_values_are_shortened_and_made_printable(tmp_path: Path) -> None:
    path = write(tmp_path, csv_text(UNIT | {"lon": "\x1b[2J" + "9" * 200}))
    (fault,) = read_units(path, clock=CLOCK).faults
    assert fault.value == r"\x1b[2J" + "9" * 73


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("d,S1,4A1,,\n", f"asked_at=: {GIVEN}"),
        ("d,S1,,2026-11-23T02:10:00Z,\n", f"unit_id=: {GIVEN}"),
        (
            "d,S1,4A1,2026-11-23T02:10:00Z,2026-11-23T02:09:00Z\n",
            "answered_at=2026-11-23T02:09:00Z: must not be before asked_at; correct one",
        ),
    ],
)
def test_one_wrong_value_of_an_answer(text: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, f"suggestion_id,stop_id,unit_id,asked_at,answered_at\n{text}")
    assert [str(fault) for fault in read_answers(path, clock=CLOCK).faults] == [
        f"{path}:2 {message}"
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,181,0,", "lon=181: must be from -180 to 180"),
        ("a,0,0,", f"lon,lat=0,0: {ISLAND}"),
        ("a,1,1,361", "heading_deg=361: must be from 0 to 360"),
        (",1,1,", f"id=: {GIVEN}"),
    ],
)
def test_one_wrong_value_of_a_place(row: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, f"id,lon,lat,heading_deg\n{row}\n")
    assert [str(fault) for fault in read_places(path).faults] == [f"{path}:2 {message}"]


def test_both_ends_of_a_pair_are_judged(tmp_path: Path) -> None:
    path = write(tmp_path, "id,from_lon,from_lat,to_lon,to_lat\np,0,0,39.7,-104.9\nq,0,0,0,0\n")
    assert [str(fault) for fault in read_pairs(path).faults] == [
        f"{path}:2 from_lon,from_lat=0,0: {ISLAND}",
        f"{path}:2 to_lat=-104.9: {SWAPPED}",
        f"{path}:3 from_lon,from_lat=0,0: {ISLAND}",
        f"{path}:3 to_lon,to_lat=0,0: {ISLAND}",
    ]


def test_a_list_among_the_other_columns_of_a_pair(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(
        '{"id":1,"from_lon":1,"from_lat":1,"to_lon":2,"to_lat":2,"tags":["a"]}\n', "utf-8"
    )
    (fault,) = read_pairs(path).faults
    assert str(fault) == f"{path}:1 tags=list or object: must be a single value"

"""What holds for any table: parse . format = identity, and no row is lost."""

from __future__ import annotations

import csv
import io
import json
import time
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.checking.cells import ID_CHARACTERS, NO_VALUES, number
from data.errors import FieldError
from data.records import Stop, StopPhase, Unit, UnitFix, UnitStatus
from data.tables import Rows, as_of, check_stop_units, read_stops, read_units
from tests.data.table_texts import CLOCK, ENDINGS, STOP, UNIT, stop_values, unit_values, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORMATS = sorted({*ENDINGS} - {".ndjson", ".json"})  # those two are read as .jsonl and .geojson

FIRST = datetime(2000, 1, 1, tzinfo=UTC)

some = settings(max_examples=30, deadline=None)


def is_id(text: str) -> bool:
    return (
        bool(text)
        and text == text.strip()
        and text.isprintable()
        and ";" not in text
        and unicodedata.normalize("NFC", text) == text
        and text.casefold() not in NO_VALUES
    )


characters = st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters=";")
ids = st.text(characters | st.just(" "), min_size=1, max_size=ID_CHARACTERS).filter(is_id)
zones = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
instants = st.builds(
    lambda seconds, zone: (FIRST + timedelta(seconds=seconds)).astimezone(zone),
    st.integers(0, 800_000_000) | st.floats(0, 800_000_000),
    zones,
)
lons, lats = st.floats(-180, 180), st.floats(-90, 90)
places = st.tuples(lons, lats).filter(lambda place: place != (0, 0))
headings = st.none() | st.floats(0, 360)


@st.composite
def units(draw: st.DrawFn) -> Unit:
    lon_deg, lat_deg = draw(places)
    fix = UnitFix(
        fixed_at=draw(instants),
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        heading_deg=draw(headings),
        speed_mps=draw(st.none() | st.floats(0, 150)),
        accuracy_m=draw(st.none() | st.floats(0, allow_infinity=False)),
    )
    return Unit(
        unit_id=draw(ids),
        fix=fix,
        status=draw(st.sampled_from(UnitStatus)),
        officers=draw(st.integers(1, 99)),
        agency=draw(st.just("") | ids),
    )


@st.composite
def stops(draw: st.DrawFn) -> Stop:
    lon_deg, lat_deg = draw(st.just((None, None)) | places)
    started_at = draw(instants)
    lasted = st.timedeltas(timedelta(0), timedelta(days=1))
    return Stop(
        stop_id=draw(ids),
        unit_id=draw(ids),
        started_at=started_at,
        ended_at=draw(st.none() | lasted.map(lambda time: started_at + time)),
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        heading_deg=draw(headings),
        phase=draw(st.sampled_from(StopPhase)),
        backup=tuple(draw(st.lists(ids, max_size=3, unique=True))),
        needs=draw(st.integers(1, 99)),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@pytest.mark.parametrize("ending", FORMATS)
@some
@given(rows=st.lists(units(), min_size=1, max_size=4, unique_by=lambda unit: unit.unit_id))
def test_units_come_back_as_they_were(ending: str, folder: Path, rows: list[Unit]) -> None:
    path = write_rows(folder / f"units{ending}", [unit_values(unit) for unit in rows])
    found = read_units(path, clock=CLOCK)
    assert (found.rows, found.faults) == (tuple(rows), ())


@pytest.mark.parametrize("ending", FORMATS)
@some
@given(rows=st.lists(stops(), min_size=1, max_size=4, unique_by=lambda stop: stop.stop_id))
def test_stops_come_back_as_they_were(ending: str, folder: Path, rows: list[Stop]) -> None:
    path = write_rows(folder / f"stops{ending}", [stop_values(stop) for stop in rows])
    found = read_stops(path, clock=CLOCK)
    assert (found.rows, found.faults) == (tuple(rows), ())


def assert_all_told(table: Rows[Any], lines: set[int]) -> None:
    """Every row is a record or has a fault, and none is both."""
    faulty = {fault.line for fault in table.faults}
    assert len(table.rows) == len(table.lines) == len(set(table.lines))
    assert list(table.lines) == sorted(table.lines)
    assert faulty.isdisjoint(table.lines)
    if table.complete:
        assert faulty | set(table.lines) == lines
    else:
        assert table.faults
    assert "\n" not in "".join(map(str, table.faults))
    "".join([*map(str, table.faults), *table.notes]).encode()


SPOILT = ["", "nan", "1e999", "9,5", "4A1;4A2", "\ud800", "\x00", '"', "=1+1", "2026-11-23", "٣"]
GOOD = {**UNIT, **STOP, "heading_deg": "90", "officers": "2", "phase": "custody", "needs": "2"}
cells = st.sampled_from(SPOILT) | st.text(max_size=8) | st.sampled_from(sorted(GOOD.values()))


@st.composite
def half_good_rows(draw: st.DrawFn) -> list[dict[str, str]]:
    columns = draw(st.lists(st.sampled_from(sorted(GOOD)), min_size=1, unique=True))
    columns = draw(st.sampled_from([columns, sorted(GOOD)]))
    spoilt = st.dictionaries(st.sampled_from(columns), cells, max_size=2)
    good = {name: GOOD[name] for name in columns}
    rows = draw(st.lists(spoilt, max_size=6))
    return [
        good | {"unit_id": f"u{number}", "stop_id": f"s{number}"} | row
        for number, row in enumerate(rows)
    ]


def csv_of(rows: list[dict[str, str]]) -> tuple[bytes, set[int]]:
    """Write CSV, and tell on which lines its rows begin."""
    out, lines = io.StringIO(newline=""), set()
    header = [*rows[0]] if rows else [*GOOD]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        if any(cell.strip() for cell in row.values()):
            lines.add(out.getvalue().count("\n") + 1)
        writer.writerow(row.values())
    return out.getvalue().encode("utf-8", "surrogatepass"), lines


def json_lines_of(rows: list[dict[str, str]]) -> tuple[bytes, set[int]]:
    """Write JSON Lines, and tell on which lines its rows are."""
    return "\n".join(["", *map(json.dumps, rows)]).encode(), set(range(2, len(rows) + 2))


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
@pytest.mark.parametrize("read", [read_units, read_stops])
@some
@given(rows=half_good_rows())
def test_every_row_is_a_record_or_a_fault(
    ending: str, read: Callable[..., Rows[Any]], folder: Path, rows: list[dict[str, str]]
) -> None:
    content, lines = csv_of(rows) if ending == ".csv" else json_lines_of(rows)
    path = folder / f"half{ending}"
    path.write_bytes(content)
    assert_all_told(read(path, clock=CLOCK), lines)


@pytest.mark.parametrize("ending", FORMATS)
@some
@given(content=st.binary(min_size=1, max_size=300) | st.text(min_size=1).map(str.encode))
def test_any_bytes_are_answered_with_faults(ending: str, folder: Path, content: bytes) -> None:
    path = folder / f"any{ending}"
    path.write_bytes(content)
    for table in (read_units(path, clock=CLOCK), read_stops(path, clock=CLOCK)):
        assert not table.rows
        assert table.faults or not content.decode("utf-8-sig").strip()


names = st.sampled_from([*GOOD, "type", "coordinates"])
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | cells,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=6,
)
coordinates = st.lists(st.floats(-200, 200) | st.floats() | st.none(), max_size=3)
points = st.builds(lambda place: {"type": "Point", "coordinates": place}, coordinates)
properties = st.builds(
    lambda number, spoilt: GOOD | {"unit_id": str(number), "stop_id": str(number)} | spoilt,
    st.integers(0, 9),
    st.dictionaries(names, json_values, max_size=2),
)
features = st.builds(
    lambda values, geometry: {"type": "Feature", "properties": values, "geometry": geometry},
    properties | json_values,
    points | json_values,
)


@some
@given(rows=st.lists(features | json_values, max_size=5))
def test_every_feature_is_a_record_or_a_fault(folder: Path, rows: list[Any]) -> None:
    path = folder / "any.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}), "utf-8")
    for table in (read_units(path, clock=CLOCK), read_stops(path, clock=CLOCK)):
        assert_all_told(table, set(range(1, len(rows) + 1)))


@some
@given(
    unit_rows=st.lists(st.tuples(st.sampled_from("abc"), st.integers(-5, 5)), unique=True),
    stop_rows=st.lists(st.tuples(st.sampled_from("abcd"), st.integers(-5, 5), st.booleans())),
)
def test_no_stop_that_has_begun_is_lost(
    unit_rows: list[tuple[str, int]], stop_rows: list[tuple[str, int, bool]]
) -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    minute = timedelta(minutes=1)
    unit_records = [
        Unit(
            unit_id=unit_id,
            fix=UnitFix(fixed_at=at + minutes * minute, lon_deg=1.0, lat_deg=2.0),
            status=UnitStatus.AVAILABLE,
        )
        for unit_id, minutes in unit_rows
    ]
    stop_records = [
        Stop(
            stop_id=str(number),
            unit_id=unit_id,
            started_at=at + minutes * minute,
            lon_deg=1.0 if placed else None,
            lat_deg=2.0 if placed else None,
        )
        for number, (unit_id, minutes, placed) in enumerate(stop_rows)
    ]
    units_read = _table("units.csv", unit_records)
    stops_read = _table("stops.csv", stop_records)
    early_units, early_stops = as_of(units_read, stops_read, at=at)
    checked_last = check_stop_units(early_stops, early_units)
    _, checked_first = as_of(units_read, check_stop_units(stops_read, units_read), at=at)
    known = {unit_id for unit_id, minutes in unit_rows if minutes <= 0}
    assert {unit.unit_id for unit in early_units.rows} == known
    for line, stop in enumerate(stop_records, start=2):
        has_begun = stop.started_at is not None and stop.started_at <= at
        placed = stop.lon_deg is not None or stop.unit_id in known
        for stops_left in (checked_last, checked_first):
            assert (line in stops_left.lines) == (has_begun and placed)
            if has_begun and not placed:
                assert line in {fault.line for fault in stops_left.faults}


def _table(file: str, rows: list[Any]) -> Rows[Any]:
    lines = tuple(range(2, len(rows) + 2))
    return Rows(rows=tuple(rows), lines=lines, faults=(), notes=(), file=file)


def test_a_cell_of_very_many_digits_is_refused_at_once() -> None:
    """It was read again from each digit on: one such cell held all others up for hours."""
    began_s = time.process_time()
    for text in ("9" * 20_000 + "x", "." + "9" * 20_000 + "x", "9" * 20_000 + ".x"):
        with pytest.raises(FieldError, match="must be a decimal number"):
            number("lon", text)
    assert time.process_time() - began_s < 1.0

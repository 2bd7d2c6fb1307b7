from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv, parquet

from data import history as module
from data.errors import FieldError, InputError, TableError
from data.events import (
    Answer,
    AnswerKind,
    Fixes,
    History,
    OnScene,
    SeenBy,
    StatusChange,
    StopChange,
)
from data.history import add_to_history, read_history, recorded_period, write_history
from data.history_rows import EVENT_TABLES, FIX_TABLE, FIXES
from data.records import Stop, StopPhase, UnitStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

DOC = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
AT = datetime(2026, 3, 13, 23, 59, 59, 250_000, tzinfo=UTC)
LATER = AT + timedelta(minutes=3)
FACTS = {"simulated": True, "seed": 7, "roads": {"name": "a town"}}


def some_fixes(rows: Sequence[tuple[str, float, float]]) -> Fixes:
    """Make fixes of unit, instant and delay in seconds; every third tells less of itself."""
    rows = sorted(rows, key=lambda row: round(row[1] + row[2], 3))
    names = tuple(sorted({row[0] for row in rows}))
    at = np.array([round(row[1], 3) for row in rows], np.float64)
    known = np.where(np.arange(len(rows)) % 3 == 2, np.nan, 1.0)
    return Fixes(
        unit_ids=names,
        unit_row=np.array([names.index(row[0]) for row in rows], np.int32),
        fixed_at_s=at,
        received_at_s=np.array([round(row[1] + row[2], 3) for row in rows], np.float64),
        lon_deg=-104.9 + np.arange(len(rows)) / 7e4,
        lat_deg=39.7 + np.arange(len(rows)) / 9e4,
        heading_deg=known * 271.3,
        speed_mps=known * 0.1,
        accuracy_m=known * 5,
    )


def a_history() -> History:
    start_s = AT.timestamp()
    stop = Stop(
        stop_id="T-1", unit_id="2A1", started_at=AT, lon_deg=-104.9, lat_deg=39.7, heading_deg=90.0
    )
    secured = replace(stop, phase=StopPhase.SECURED, backup=("2A2", "2A3"), needs=3)
    ended = replace(secured, phase=StopPhase.CLEARED, ended_at=LATER)
    return History(
        fixes=some_fixes([("2A2", start_s, 0.5), ("2A1", start_s - 90, 200), ("2A1", start_s, 1)]),
        statuses=(
            StatusChange(unit_id="2A1", at=AT, status=UnitStatus.ON_STOP, officers=2),
            StatusChange(unit_id="2A1", at=LATER, status=UnitStatus.AVAILABLE, agency="City"),
        ),
        stops=(
            StopChange(stop=stop, at=AT),
            StopChange(stop=secured, at=LATER),
            StopChange(stop=ended, at=LATER),
        ),
        answers=(
            Answer(suggestion_id="1", stop_id="T-1", unit_id="2A2", asked_at=AT),
            Answer(
                suggestion_id="2",
                stop_id="T-1",
                unit_id="2A3",
                asked_at=AT,
                answer=AnswerKind.EN_ROUTE,
                answered_at=LATER,
            ),
        ),
        on_scene=(
            OnScene(
                stop_id="T-1",
                unit_id="2A2",
                arrived_at=AT,
                left_at=None,
                seen_by=SeenBy.POSITIONS,
            ),
        ),
        facts=FACTS,
    )


def assert_same(one: Fixes, other: Fixes) -> None:
    assert one.unit_ids == other.unit_ids
    for field in fields(Fixes)[1:]:
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


def as_csv(folder: Path) -> None:
    """Put CSV in the place of Parquet."""
    for path in folder.rglob("*.parquet"):
        csv.write_csv(parquet.read_table(path, partitioning=None), path.with_suffix(".csv"))
        path.unlink()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_history(tmp_path / "shift", a_history())
    return tmp_path / "shift"


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_history_reads_back_as_it_was(folder: Path, form: str) -> None:
    if form == "csv":
        as_csv(folder)
    found, was = read_history(folder), a_history()
    assert_same(found.fixes, was.fixes)
    assert replace(found, fixes=was.fixes) == was


def test_rows_lie_under_the_utc_day_of_their_instant(folder: Path) -> None:
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {
        "history.json",
        "fixes/day=2026-03-13/part-0.parquet",  # taken and arrived before midnight
        "fixes/day=2026-03-14/part-0.parquet",
        "statuses/day=2026-03-13/part-0.parquet",
        "statuses/day=2026-03-14/part-0.parquet",
        "stops/day=2026-03-13/part-0.parquet",
        "stops/day=2026-03-14/part-0.parquet",
        "answers/day=2026-03-13/part-0.parquet",
        "on_scene/day=2026-03-13/part-0.parquet",
    }


def test_every_file_says_that_it_is_simulated(folder: Path) -> None:
    for path in folder.rglob("*.parquet"):
        assert parquet.read_schema(path).metadata[b"simulated"] == b"true"
    (folder / "history.json").unlink()
    assert read_history(folder).simulated


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["4A1", "4A2", "Zoë", "10-8"]),
            st.floats(1e9, 1.0003e9),
            st.floats(0, 9e4),
        ),
        max_size=12,
    )
)
def test_whole_columns_read_as_row_by_row(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float, float]]
) -> None:
    folder = tmp_path_factory.mktemp("history")
    was = some_fixes(rows)
    write_history(folder, History(fixes=was))
    paths = module.table_files(folder, "fixes")
    for path in paths:
        assert module._whole_columns(path, None) is not None
    assert_same(module._read_fixes(paths, None)[0], was)
    as_csv(folder)
    assert_same(module._read_fixes(module.table_files(folder, "fixes"), None)[0], was)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("lat", 91.0, "lat=91: must be from -90 to 90"),
        ("lon", None, "lon=: must be given"),
        ("speed_mps", -1.0, "speed_mps=-1: must be from 0 to 150; leave it empty if unknown"),
        ("heading_deg", 361.0, "heading_deg=361: must be from 0 to 360"),
        ("accuracy_m", float("inf"), "accuracy_m=inf: must be a decimal number"),
        ("unit_id", "nan", "unit_id=nan: must be a name, not a word for none"),
        ("fixed_at", datetime(1980, 1, 6, tzinfo=UTC), "must not be before 2000-01-01"),
    ],
)
def test_what_is_wrong_with_a_fix_is_listed(
    folder: Path, column: str, value: object, said: str
) -> None:
    path = folder / "fixes/day=2026-03-14/part-0.parquet"
    rows = parquet.read_table(path, partitioning=None)
    listed = rows.to_pylist()
    listed[1][column] = value
    parquet.write_table(pa.Table.from_pylist(listed, schema=rows.schema), path)
    with pytest.raises(TableError) as found:
        read_history(folder)
    (fault,) = found.value.faults
    assert f"{path}:2" in str(fault)
    assert said in str(fault)


def test_every_fault_of_every_table_is_listed(folder: Path) -> None:
    (folder / "history.json").write_text('{"schema": "rollby.history/9"}')
    (folder / "statuses.csv").write_text("unit_id,at,status,officers\n2A1,yesterday,10-8,0\n")
    (folder / "stops.csv").write_text("stop_id,unit_id,started_at,at,phase\nT,2A1,,,over\n")
    (folder / "answers.csv").write_text(
        "suggestion_id,stop_id,unit_id,asked_at,answer,answered_at\n"
        "1,T,2A1,2026-03-14T00:00:02Z,cant,2026-03-14T00:00:01Z\n"
        "2,T,2A1,2026-03-14T00:00:02Z,cant,\n"
    )
    (folder / "on_scene.csv").write_text(
        "stop_id,unit_id,arrived_at,left_at,seen_by\n"
        "T,2A1,2026-03-14T00:00:02Z,2026-03-14T00:00:01Z,hearsay\n"
    )
    with pytest.raises(TableError) as found:
        read_history(folder)
    faults = [(Path(fault.file).name, fault.field) for fault in found.value.faults]
    assert faults == [
        ("history.json", "schema"),
        ("statuses.csv", "at"),
        ("statuses.csv", "status"),
        ("statuses.csv", "officers"),
        ("stops.csv", "started_at"),
        ("stops.csv", "phase"),
        ("stops.csv", "at"),
        ("answers.csv", "answered_at"),
        ("answers.csv", "answered_at"),
        ("on_scene.csv", "left_at"),
        ("on_scene.csv", "seen_by"),
    ]


def test_what_an_agency_exports_by_hand_is_enough(tmp_path: Path) -> None:
    (tmp_path / "fixes.csv").write_text(
        "unit_id,fixed_at,lon,lat\n4A2,2026-03-14T00:00:05Z,-104.9,39.7\n"
        "4A1,2026-03-13T18:00:01-06:00,-104.8,39.7\n"
    )
    found = read_history(tmp_path)
    assert found.fixes.unit_ids == ("4A1", "4A2")
    assert found.fixes.unit_row.tolist() == [0, 1]
    np.testing.assert_array_equal(found.fixes.received_at_s, found.fixes.fixed_at_s)
    assert np.isnan(found.fixes.speed_mps).all()
    assert (found.statuses, found.facts, found.simulated) == ((), {}, False)


def test_a_folder_that_holds_no_history(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="must hold fixes"):
        read_history(tmp_path)
    with pytest.raises(TableError, match="must be a folder that holds a history"):
        read_history(tmp_path / "nowhere")
    (tmp_path / "history.json").write_text("[1]")
    with pytest.raises(TableError, match=r"history.json: must be a JSON object"):
        read_history(tmp_path)


def test_half_a_file_is_a_fault(folder: Path) -> None:
    path = folder / "fixes/day=2026-03-14/part-0.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(TableError, match="must be a whole Parquet file"):
        read_history(folder)


def test_a_history_is_not_written_over_another(folder: Path) -> None:
    with pytest.raises(InputError, match="must not hold a history already"):
        write_history(folder, a_history())


def test_a_stop_known_from_a_status_alone_is_told_by_that_status(tmp_path: Path) -> None:
    stop = Stop(stop_id="status:2A1", unit_id="2A1", started_at=None, from_status=True)
    history = replace(a_history(), stops=(StopChange(stop=stop, at=AT),))
    with pytest.raises(FieldError, match="write the unit's status, which tells of it"):
        write_history(tmp_path / "shift", history)


def test_facts_are_plain_json(folder: Path) -> None:
    facts = json.loads((folder / "history.json").read_text("utf-8"))
    assert facts == {"schema": "rollby.history/1", **FACTS}


def test_columns_written_are_those_read() -> None:
    tables = {kind.name: kind for kind in EVENT_TABLES}
    for kind in tables.values():
        assert {column.name for column in kind.table.columns} == set(kind.schema.names)
    assert [column.name for column in FIX_TABLE.columns] == FIXES.names


def test_every_column_is_described() -> None:
    section = DOC.partition("\n## History files\n")[2].partition("\n## ")[0]
    described: dict[str, list[str]] = {}
    table = ""
    for first, second in re.findall(r"^\| ([^|]*)\| (`[^|]+) \|", section, re.MULTILINE):
        table = first.strip(" `") or table
        described.setdefault(table, []).extend(re.findall(r"`(\w+)`", second))
    tables = {kind.name: kind.schema.names for kind in EVENT_TABLES} | {"fixes": FIXES.names}
    assert {name: sorted(columns) for name, columns in described.items()} == {
        name: sorted(columns) for name, columns in tables.items()
    }


def test_a_period_is_read_by_arrival_and_how_it_stood_before(tmp_path: Path) -> None:
    days = [("4A12", (AT + timedelta(days=i)).timestamp(), 2.0) for i in range(4)]
    statuses = tuple(
        StatusChange(unit_id="4A12", at=AT + timedelta(days=i), status=UnitStatus.BUSY)
        for i in range(4)
    )
    write_history(tmp_path, History(fixes=some_fixes(days), statuses=statuses))
    whole = read_history(tmp_path)
    since, until = AT + timedelta(days=1), AT + timedelta(days=2, seconds=2)
    for begin, end, fixes, told in (
        (since, until, [1], 3),
        (since, None, [1, 2, 3], 4),
        (None, until, [0, 1], 3),
        (since, since + timedelta(seconds=2), [], 2),
        (since, since + timedelta(seconds=2, milliseconds=1), [1], 2),
    ):
        some = read_history(tmp_path, since=begin, until=end)
        assert some.fixes.fixed_at_s.tolist() == whole.fixes.fixed_at_s[fixes].tolist()
        assert some.fixes.unit_ids in {("4A12",), ()}
        assert some.statuses == whole.statuses[:told]
    with pytest.raises(TableError, match="must hold fixes of that period"):
        read_history(tmp_path, since=AT + timedelta(days=30))


def test_the_ends_of_a_recorded_period_are_told_without_reading_all(tmp_path: Path) -> None:
    assert recorded_period(tmp_path / "nowhere") is None
    for part, days in (("part-1", (5, 9)), ("part-2", (1, 9)), ("part-3", (7,))):
        rows = [("4A12", (AT + timedelta(days=i)).timestamp(), i / 10) for i in days]
        add_to_history(tmp_path, History(fixes=some_fixes(rows)), part)
    (tmp_path / "fixes" / "day=someday").mkdir()
    assert recorded_period(tmp_path) == (
        AT + timedelta(days=1, milliseconds=100),
        AT + timedelta(days=9, milliseconds=900),
    )

"""A history's folder read a day at a time is the whole of it, and says when it cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from data.errors import RoadFileError
from data.events import Fixes, History, StatusChange, StopChange
from data.history import day_name, read_history, table_files, write_history
from data.history_days import DAY_S, history_days
from data.records import Stop, UnitStatus
from data.roadfile import roads_checksum, write_roads

if TYPE_CHECKING:
    from pathlib import Path

FIRST = 20_500
UNITS = ("1A1", "1A2")


def moment(second: float) -> datetime:
    return datetime.fromtimestamp(FIRST * DAY_S + second, UTC)


@pytest.fixture
def history() -> History:
    """Three days of two units, a fix every ten minutes."""
    at_s = FIRST * DAY_S + np.arange(0, 3 * DAY_S, 600.0)
    count = len(at_s)
    fixes = Fixes(
        unit_ids=UNITS,
        unit_row=np.arange(count, dtype=np.int32) % 2,
        fixed_at_s=at_s - 5,
        received_at_s=at_s,
        lon_deg=np.linspace(-104.99, -104.98, count),
        lat_deg=np.full(count, 39.75),
        heading_deg=np.full(count, np.nan),
        speed_mps=np.zeros(count),
        accuracy_m=np.full(count, np.nan),
    )
    statuses = tuple(
        StatusChange(unit_id=unit, at=moment(i * 90_000), status=UnitStatus.AVAILABLE)
        for i, unit in enumerate(UNITS)
    )
    stop = Stop(stop_id="S", unit_id="1A1", started_at=moment(100))
    stops = tuple(StopChange(stop=stop, at=moment(at)) for at in (100, 200_000))
    return History(fixes=fixes, statuses=statuses, stops=stops, facts={"simulated": True})


def test_days_together_are_the_whole(history: History, tmp_path: Path) -> None:
    write_history(tmp_path, history)
    found = history_days(tmp_path)
    assert found is not None
    assert found.days == found.fix_days == (FIRST, FIRST + 1, FIRST + 2)
    assert found.last_s == history.fixes.received_at_s[-1]
    days = [read_history(tmp_path, days=(day,)) for day in found.days]
    assert all(one.simulated for one in days)
    assert tuple(one for day in days for one in day.statuses) == history.statuses
    assert tuple(one for day in days for one in day.stops) == history.stops
    arrived_s = np.concatenate([one.fixes.received_at_s for one in days])
    np.testing.assert_array_equal(arrived_s, history.fixes.received_at_s)


@pytest.mark.parametrize("as_csv", [False, True])
def test_fixes_are_read_by_their_arrival(history: History, tmp_path: Path, *, as_csv: bool) -> None:
    write_history(tmp_path, history)
    if as_csv:
        for path in table_files(tmp_path, "fixes"):
            csv.write_csv(parquet.read_table(path, partitioning=None), path.with_suffix(".csv"))
            path.unlink()
    span_s = FIRST * DAY_S + 80_000.0, FIRST * DAY_S + 90_000.0
    found = read_history(tmp_path, days=(FIRST, FIRST + 1), arrived_s=span_s, tables=("fixes",))
    was_s = history.fixes.received_at_s
    expected = was_s[(was_s >= span_s[0]) & (was_s <= span_s[1])]
    np.testing.assert_array_equal(found.fixes.received_at_s, expected)
    assert not found.statuses
    assert len(expected) == 17


def test_an_edge_of_the_span_is_within(history: History, tmp_path: Path) -> None:
    write_history(tmp_path, history)
    one_s = float(history.fixes.received_at_s[7])
    found = read_history(tmp_path, days=(FIRST,), arrived_s=(one_s, one_s))
    assert found.fixes.received_at_s.tolist() == [one_s]


def test_a_day_without_fixes_may_be_read(history: History, tmp_path: Path) -> None:
    write_history(tmp_path, history)
    assert len(read_history(tmp_path, days=(FIRST + 9,)).fixes) == 0


def misplaced(path: Path) -> None:
    path.parent.rename(path.parent.with_name(day_name(FIRST + 7)))


def as_csv(path: Path) -> None:
    csv.write_csv(parquet.read_table(path, partitioning=None), path.with_suffix(".csv"))
    path.unlink()


def untold(path: Path) -> None:
    parquet.write_table(parquet.read_table(path, partitioning=None), path, write_statistics=False)


def without_arrival(path: Path) -> None:
    table = parquet.read_table(path, partitioning=None)
    at = table.schema.get_field_index("received_at")
    column = pa.array([None] * len(table), table.schema.field(at).type)
    parquet.write_table(table.set_column(at, "received_at", column), path)


def without_a_day(path: Path) -> None:
    path.rename(path.parent.parent / "part.parquet")


def broken(path: Path) -> None:
    path.write_bytes(b"PAR1")


@pytest.mark.parametrize(
    "change", [misplaced, as_csv, untold, without_arrival, without_a_day, broken]
)
def test_what_may_lie_in_another_day_is_read_as_a_whole(
    history: History, tmp_path: Path, change: object
) -> None:
    write_history(tmp_path, history)
    change(table_files(tmp_path, "fixes")[1])  # type: ignore[operator]
    assert history_days(tmp_path) is None


def test_a_folder_without_fixes_has_no_days(history: History, tmp_path: Path) -> None:
    nothing = replace(
        history.fixes,
        **{name: getattr(history.fixes, name)[:0] for name in Fixes.__slots__[1:]},
    )
    write_history(tmp_path, replace(history, fixes=nothing))
    assert history_days(tmp_path) is None


def test_a_roads_file_tells_which_it_is(tmp_path: Path) -> None:
    one, other = tmp_path / "one.roads", tmp_path / "other.roads"
    write_roads(one, {"a": np.arange(3)}, {})
    write_roads(other, {"a": np.arange(4)}, {})
    assert roads_checksum(one) == roads_checksum(one) != roads_checksum(other)
    other.write_bytes(b"ROLLBY")
    with pytest.raises(RoadFileError, match=r"other\.roads: must be a .roads file; build it again"):
        roads_checksum(other)
    with pytest.raises(RoadFileError, match=r"none\.roads: cannot be read"):
        roads_checksum(tmp_path / "none.roads")

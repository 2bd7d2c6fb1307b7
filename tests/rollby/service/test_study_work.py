"""A history is checked a day at a time, and every fault of every day is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from data.errors import TableError
from data.history import read_history
from data.settings import Settings
from rollby.service import study_work
from rollby.service.study_work import Work, do
from tests.conftest import SAMPLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data.events import History

HOUR = ["--hours", "1", "--on-duty", "4", "--seed", "4", "--start", "2026-03-13T23:30:00Z"]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    """An hour about midnight, UTC, to be checked."""
    from rollby.cli import main  # noqa: PLC0415 - the other tests need it not

    roads, folder = SAMPLE / "denver.roads", tmp_path / "history"
    assert main(["simulate", "--roads", str(roads), "-o", str(folder), *HOUR]) == 0
    monkeypatch.chdir(tmp_path)  # whoever checks goes to the history's folder
    out = tmp_path / "out"
    return Work(kind="history", history=folder, out=out, roads=roads, settings=Settings())


def test_a_history_by_day_is_checked_day_by_day(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[int] | None] = []

    def noted(folder: Path, **how: Any) -> History:
        asked.append(how.get("days"))
        return read_history(folder, **how)

    monkeypatch.setattr(study_work, "read_history", noted)
    assert work.history is not None
    whole = read_history(work.history)
    facts = do(work, lambda _step: None)
    assert len(asked) == 2
    assert all(days is not None and len(days) == 1 for days in asked)
    assert facts["fixes"] == len(whole.fixes)
    assert facts["stops"] == len({one.stop.stop_id for one in whole.stops})
    assert (facts["units"], facts["simulated"]) == (4, True)
    assert (facts["began"][:10], facts["ended"][:10]) == ("2026-03-13", "2026-03-14")


def test_every_day_with_faults_is_told(work: Work) -> None:
    assert work.history is not None
    files = sorted((work.history / "fixes").rglob("*.parquet"))
    assert len(files) == 2
    for path in files:
        rows = parquet.ParquetFile(path).read()
        south = pa.array([95.0, *rows["lat"].to_pylist()[1:]])
        column = rows.schema.get_field_index("lat")
        parquet.write_table(rows.set_column(column, rows.schema.field("lat"), south), path)
    with pytest.raises(TableError) as error:
        do(work, lambda _step: None)
    said = [str(fault) for fault in error.value.faults]
    assert [one.partition(":")[0] for one in said] == [
        str(path.relative_to(work.history)) for path in files
    ]

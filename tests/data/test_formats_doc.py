"""docs/formats.md says what the readers do: its examples are read, its columns and tests exist."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from data import tables
from data.tables import as_of, check_stop_units, newest_instant, read_stops, read_units
from tests.data.table_texts import CLOCK

DOC = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("units.csv", "stops.csv", "bad.csv"):
        (tmp_path / name).write_text(BLOCKS[name], "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_the_examples_are_read_without_a_word() -> None:
    units = read_units(Path("units.csv"), clock=CLOCK)
    stops = read_stops(Path("stops.csv"), clock=CLOCK)
    assert [*units.faults, *stops.faults, *units.notes, *stops.notes] == []
    at = newest_instant(units, stops)
    assert at is not None
    units, stops = as_of(units, check_stop_units(stops, units), at=at)
    assert (len(units.rows), len(stops.rows)) == (2, 3)


@pytest.mark.usefixtures("folder")
def test_the_faults_are_those_shown() -> None:
    faults = read_units(Path("bad.csv"), clock=CLOCK).faults
    assert "".join(f"{fault}\n" for fault in faults) == BLOCKS["faults"]


@pytest.mark.parametrize(
    ("heading", "read"),
    [("Units", partial(read_units, clock=CLOCK)), ("Stops", partial(read_stops, clock=CLOCK))],
)
def test_every_column_is_described(
    heading: str, read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "read_rows", lambda _path, table: table)
    section = DOC.partition(f"\n## {heading}\n")[2].partition("\n| case |")[0].partition("\n## ")[0]
    first_cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    described = [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(described) == sorted(column.name for column in read(Path("x")).columns)


def test_every_test_named_exists() -> None:
    texts = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", DOC))
    assert named
    assert {name for name in named if f"def {name}(" not in texts} == set()

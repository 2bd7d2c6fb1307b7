"""A file is there whole, or as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from data.atomic import written
from data.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, text: str) -> None:
    """Write a text."""
    with written(path) as part:
        part.write_text(text, "utf-8")


def test_what_was_there_is_replaced_whole(tmp_path: Path) -> None:
    write(tmp_path / "map.html", "old")
    write(tmp_path / "map.html", "new")
    assert (tmp_path / "map.html").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["map.html"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    write(tmp_path / "map.html", "old")
    with pytest.raises(UnicodeEncodeError):
        write(tmp_path / "map.html", "\ud800")
    assert (tmp_path / "map.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["map.html"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"x\.csv: cannot be written, there is no folder .*; make it"
    ):
        write(tmp_path / "none" / "x.csv", "x")


def test_the_part_keeps_the_ending(tmp_path: Path) -> None:
    with written(tmp_path / "cells.gpkg") as part:
        assert part.suffix == ".gpkg"
        part.touch()

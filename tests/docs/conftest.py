"""The folder in which examples run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import SAMPLE, STREET

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As the examples assume: the sample, a city, a town's OpenStreetMap extract, nothing else."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sample").symlink_to(SAMPLE)
    (tmp_path / "city.roads").symlink_to(SAMPLE / "denver.roads")
    (tmp_path / "roads.osm").write_text(STREET, encoding="utf-8")
    (tmp_path / "town.osm").write_text(STREET, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path

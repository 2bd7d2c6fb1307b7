"""docs/roads.md: its tests exist, and its example runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.data.osm_texts import osm_text

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "roads.md").read_text(encoding="utf-8")


def test_every_test_that_the_document_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", DOC))
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    written = set(re.findall(r"^def (test_\w+)", "\n".join(sources), re.MULTILINE))
    assert len(named) > 50
    assert named <= written


def test_the_document_names_every_test_of_the_network() -> None:
    source = (ROOT / "tests" / "data" / "test_osm_network.py").read_text(encoding="utf-8")
    written = re.findall(r"^def (test_\w+)", source, re.MULTILINE)
    assert [test for test in written if test not in DOC] == []


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    street = {"highway": "residential"}
    text = osm_text([(1, [1, 2, 3], street), (2, [3, 4], street), (3, [3, 5], street)])
    Path("roads.osm").write_text(text, encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", DOC, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(example, "docs/roads.md", "exec"), names)  # noqa: S102 - our own document
    assert names["route"] == [1, 3, 4]
    assert Path("roads.gpkg").exists()

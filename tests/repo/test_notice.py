"""NOTICE names every work of others in the tree, with its licence and where that stands."""

from __future__ import annotations

import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = (
    *("*.py", "*.md", "*.toml", "*.ipynb", "*.service", "py.typed"),
    *("Makefile", "LICENSE", "NOTICE", ".gitignore", ".ci/run", "*requirements.txt", "deploy/*"),
    *("maps/assets/*", "rollby/service/screens/*", "bench/recorded/*"),
    *("data/sample/simulated_*.csv", "tests/golden/*.txt", "tests/rollby/street.osm"),
    *("tests/data/feeds/samples_cad_*", "tests/data/feeds/samples_traccar.jsonl", "*/py.typed"),
)
MARK = re.compile(r"copyright (\(c\)|\d{4})|\(c\) \d{4}|@license|spdx-|-2\.0\)", re.IGNORECASE)
TELLS_OF_OTHERS = ("NOTICE", "LICENSE", "*.md", "tests/repo/test_notice.py")


def works() -> dict[str, str]:
    """What NOTICE says of each path that it names."""
    parts = re.split(r"^(?=\w+/\S+$)", (ROOT / "NOTICE").read_text("utf-8"), flags=re.MULTILINE)
    told = (part.partition("\n") for part in parts[1:])
    return {path: text for path, _, text in told}


def files_of_ours() -> list[str]:
    """What git tracks, or would."""
    git = shutil.which("git")
    if not git or not (ROOT / ".git").exists():
        pytest.skip("no git checkout, so nobody can say which files are the project's")
    listed = [git, "ls-files", "--cached", "--others", "--exclude-standard"]
    run = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in run.stdout.splitlines() if (ROOT / name).exists()]


def is_named(file: str) -> bool:
    return any(
        file == path or file.startswith(f"{path}/") or f"({file})" in text
        for path, text in works().items()
    )


def test_what_is_named_is_there_with_its_licence() -> None:
    assert len(works()) > 5
    for path, text in works().items():
        assert (ROOT / path).exists(), path
        for licence in re.findall(r"\((\S*LICEN[^\s)]*)\)", text):
            assert (ROOT / licence).is_file(), licence
        assert "/copyright" in text or "LICEN" in text, f"{path}: where does its licence stand?"


def test_a_file_that_is_not_of_a_kind_of_ours_is_named() -> None:
    strange = [one for one in files_of_ours() if not any(fnmatch(one, ours) for ours in OURS)]
    assert strange
    assert [one for one in strange if not is_named(one)] == []


def test_a_file_that_bears_a_mark_of_others_is_named() -> None:
    marked = [
        one
        for one in files_of_ours()
        if not any(fnmatch(one, known) for known in TELLS_OF_OTHERS)
        and MARK.search((ROOT / one).read_text("utf-8", errors="ignore")[:4000])
    ]
    assert "maps/assets/leaflet/leaflet.js" in marked
    assert [one for one in marked if not is_named(one)] == []

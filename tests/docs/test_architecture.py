"""ARCHITECTURE.md is one page, and names every room of the four floors once."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT, text_of

PAGE = text_of(ROOT / "ARCHITECTURE.md")
UNNAMED = {"__init__", "__main__", "__pycache__/"}


@pytest.mark.parametrize("floor", ["data", "geo", "maps", "rollby"])
def test_every_module_and_folder_stands_in_its_floors_table_once(floor: str) -> None:
    table = PAGE.partition(f"| `{floor}/` | |\n")[2].partition("\n\n")[0]
    named = [
        name for row in table.splitlines() for name in re.findall(r"`(\w+/?)`", row.split("|")[1])
    ]
    there = {
        path.stem if path.is_file() else f"{path.name}/"
        for path in (ROOT / floor).iterdir()
        if path.is_dir() or path.suffix == ".py"
    }
    assert sorted(named) == sorted(there - UNNAMED)


def test_it_is_one_page() -> None:
    assert len(PAGE.splitlines()) <= 80

"""The table of the OWASP standard names tests that exist, and answers every requirement once."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ASVS = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
# The requirements of levels 1 and 2 of version 4.0.3: those of a section, up to which number,
# but for those that were deleted or are of level 3.
SECTIONS = {
    "1.1": (7, ()),
    "1.2": (4, ()),
    "1.4": (5, (2, 3)),
    "1.5": (4, ()),
    "1.6": (4, ()),
    "1.7": (2, ()),
    "1.8": (2, ()),
    "1.9": (2, ()),
    "1.10": (1, ()),
    "1.11": (2, ()),
    "1.12": (2, (1,)),
    "1.14": (6, ()),
    "2.1": (12, ()),
    "2.2": (3, ()),
    "2.3": (3, ()),
    "2.4": (5, ()),
    "2.5": (7, ()),
    "2.6": (3, ()),
    "2.7": (6, ()),
    "2.8": (7, ()),
    "2.9": (3, ()),
    "2.10": (4, ()),
    "3.1": (1, ()),
    "3.2": (4, ()),
    "3.3": (4, ()),
    "3.4": (5, ()),
    "3.5": (3, ()),
    "3.7": (1, ()),
    "4.1": (5, (4,)),
    "4.2": (2, ()),
    "4.3": (3, ()),
    "5.1": (5, ()),
    "5.2": (8, ()),
    "5.3": (10, ()),
    "5.4": (3, ()),
    "5.5": (4, ()),
    "6.1": (3, ()),
    "6.2": (6, ()),
    "6.3": (2, ()),
    "6.4": (2, ()),
    "7.1": (4, ()),
    "7.2": (2, ()),
    "7.3": (4, (2,)),
    "7.4": (3, ()),
    "8.1": (4, ()),
    "8.2": (3, ()),
    "8.3": (8, ()),
    "9.1": (3, ()),
    "9.2": (4, ()),
    "10.2": (2, ()),
    "10.3": (3, ()),
    "11.1": (8, ()),
    "12.1": (3, ()),
    "12.2": (1, ()),
    "12.3": (6, ()),
    "12.4": (2, ()),
    "12.5": (2, ()),
    "12.6": (1, ()),
    "13.1": (5, (2,)),
    "13.2": (6, (4,)),
    "13.3": (2, ()),
    "13.4": (2, ()),
    "14.1": (4, ()),
    "14.2": (6, ()),
    "14.3": (3, (1,)),
    "14.4": (7, ()),
    "14.5": (4, ()),
}


def answered() -> list[str]:
    """List the requirements in the first column: 2.1.1, or 2.1.1-4."""
    found = []
    for cell in re.findall(
        r"^\| ([\d., -]+) \| (?:met|in part|not met|n/a) \|", ASVS, re.MULTILINE
    ):
        for one in cell.split(", "):
            section, _, numbers = one.rpartition(".")
            first, _, last = numbers.partition("-")
            found += [f"{section}.{n}" for n in range(int(first), int(last or first) + 1)]
    return found


def test_every_requirement_is_answered_once() -> None:
    wanted = [
        f"{section}.{number}"
        for section, (last, without) in SECTIONS.items()
        for number in range(1, last + 1)
        if number not in without
    ]
    assert sorted(answered()) == sorted(wanted)


@pytest.mark.parametrize(("file", "name"), sorted(set(TEST.findall(ASVS))))
def test_a_test_that_is_named_exists(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert not name or name in {
        one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)
    }


def test_what_is_met_says_by_what() -> None:
    for row in re.findall(r"^\| [\d., -]+ \| met \| (.*) \|$", ASVS, re.MULTILINE):
        assert "`" in row or "](" in row, row

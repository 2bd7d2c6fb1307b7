"""What the tutorials tell people to press and to look for is on the screens."""

from __future__ import annotations

import html
import re

import pytest

from tests.docs.pages import ROOT, text_of

SCREENS = ROOT / "rollby" / "service" / "screens"
SHOWN = html.unescape(
    "".join(
        text_of(path)
        for folder in ("templates", "static")
        for path in SCREENS.glob(f"{folder}/*.*s")
    )
    + "".join(text_of(path) for path in SCREENS.glob("templates/*.html"))
)


@pytest.mark.parametrize("name", ["officer", "supervisor"])
def test_whatever_is_in_bold_is_on_a_screen(name: str) -> None:
    bold = re.findall(r"\*\*([^*]+)\*\*", text_of(ROOT / "docs" / "tutorials" / f"{name}.md"))
    assert len(bold) > 15
    named = {re.sub(r" \d\w*$", "", one.replace("...", "…").rstrip(".")) for one in bold}
    assert {one for one in named if one not in SHOWN} == set()


def test_an_officer_needs_no_command_line() -> None:
    text = text_of(ROOT / "docs" / "tutorials" / "officer.md")
    assert "```" not in text
    assert "`" not in text

"""Charts: the same figures give the same bytes, and what is simulated says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from data.errors import InputError
from maps.charts import reliability_chart

if TYPE_CHECKING:
    from pathlib import Path

PANELS = [("F <script>", [(0.05, 0.1, 0.0, 0.2, 40), (0.95, 0.9, 0.8, 1.0, 60)]), ("G", [])]


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_the_same_figures_give_the_same_bytes(tmp_path: Path, kind: str) -> None:
    for name in "ab":
        reliability_chart(tmp_path / f"{name}.{kind}", PANELS, simulated=True)
    drawn = (tmp_path / f"a.{kind}").read_bytes()
    assert drawn == (tmp_path / f"b.{kind}").read_bytes()
    assert len(drawn) > 3000


def test_a_chart_says_what_is_simulated_and_escapes_names(tmp_path: Path) -> None:
    for simulated in (True, False):
        reliability_chart(tmp_path / "x.svg", PANELS, simulated=simulated)
        text = (tmp_path / "x.svg").read_text()
        assert ("simulated; nobody was there" in text) is simulated
        assert "F &lt;script&gt;" in text


def test_a_chart_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        reliability_chart(tmp_path / "none" / "x.svg", PANELS, simulated=True)

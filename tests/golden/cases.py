"""
Hand-worked stops: read a case, work it out, write its outcome as a person would read it.

    python -m tests.golden.cases     # writes outcomes.txt anew; its diff is what a change changed
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data import words
from data.settings import Settings
from geo.dispatch import advise
from tests.geo.towns import NOW, TEN_MPS, at, stop, town, unit

if TYPE_CHECKING:
    from data.answers import Advice, StopAdvice

FOLDER = Path(__file__).parent
OUTCOMES = FOLDER / "outcomes.txt"


def case_files() -> list[Path]:
    """List all cases, by name."""
    return sorted(FOLDER.glob("*.toml"))


def read_case(path: Path) -> dict[str, Any]:
    """Read a case as it is written."""
    return tomllib.loads(path.read_text())


def work_out(case: dict[str, Any]) -> Advice:
    """Run the model on a case."""
    nodes = case["town"]["nodes"]
    streets = [{"maxspeed": TEN_MPS} | street for street in case["town"]["streets"]]
    units = [
        unit(one.pop("id"), at(*one.pop("at")), **{"age_s": 0, **one})
        for one in _copies(case["units"])
    ]
    stops = [
        stop(
            one.pop("id"),
            one.pop("unit"),
            at(*one.pop("at")) if "at" in one else None,
            **{**one, "backup": tuple(one.get("backup", ()))},
        )
        for one in _copies(case.get("stops", []))
    ]
    settings = Settings.model_validate(case.get("settings", {}))
    return advise(town(nodes, streets), units, stops, now=NOW, settings=settings)


def _copies(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [dict(row) for row in rows]


def outcome(case: dict[str, Any]) -> str:
    """Write what the model says of a case."""
    lines = [case["title"]]
    for one in work_out(case).stops:
        lines += [f"    {_line(one)}", *(f"        {note}" for note in one.notes)]
    return "\n".join(lines)


def _line(one: StopAdvice) -> str:
    """Write one stop."""
    exposed = f"G={one.backup_probability:.3f} priority={one.priority:.2f}"
    head = f"{one.stop_id} {one.flag.value} {exposed}: "
    if one.suggestion is None:
        return f"{head}nobody; {one.why_none}"
    chosen = one.suggestion
    text = f"{head}{chosen.unit_id} {words.drive(chosen.drive_time_s)} S={chosen.score:.2f}"
    text += f" L={chosen.coverage_loss:.3f}"
    return text + (f", next {chosen.runner_up.unit_id}" if chosen.runner_up else "")


def outcomes() -> str:
    """Write all cases."""
    return "\n\n".join(outcome(read_case(path)) for path in case_files()) + "\n"


if __name__ == "__main__":
    OUTCOMES.write_text(outcomes())

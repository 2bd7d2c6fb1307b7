"""Figures as text and as JSON, beside their aims and the last recorded run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.figure import Aim, Figure
    from bench.timing import Spread

SCHEMA = "rollby.bench/1"
HEADS = ("work", "graph", "peer", "ours", "peer's", "value", "target", "stretch", "it is", "then")
WORSE = 1.15  # a value so many times worse than the recorded one is pointed out
WORDS = {"stretch": "stretch", "met": "met", "missed": "MISSED"}


def as_text(
    figures: Sequence[Figure], facts: Mapping[str, Any], recorded: Mapping[str, Any] | None
) -> str:
    """Lay out a run as a Markdown table, notes under it."""
    lines = [_heading(facts), ""]
    rows: list[list[str]] = []
    notes: list[str] = []
    for figure in figures:
        if figure.note and figure.note not in notes:
            notes.append(figure.note)
        number = notes.index(figure.note) + 1 if figure.note else 0
        rows.append(_cells(figure, _recorded(figure, recorded), number))
    lines += _table(HEADS, rows)
    lines += ["", *(f"[{number}] {note}" for number, note in enumerate(notes, 1))]
    lines += ["", *_verdict(figures, recorded)]
    return "\n".join(lines)


def as_json(figures: Sequence[Figure], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Give a run as JSON values; what `recorded/` keeps."""
    shown = [
        asdict(figure) | {"key": figure.key, "verdict": _verdict_of(figure)} for figure in figures
    ]
    return {"schema": SCHEMA, **facts, "figures": shown}


def one_line(figure: Figure) -> str:
    """Show a figure while the others are being measured."""
    return "  ".join(filter(None, _cells(figure, None, 0)))


def change(figure: Figure, recorded: Mapping[str, Any] | None) -> float | None:
    """
    Give how a figure's value stands to the recorded one: above 1 is better, below 1 worse.

    Returns
    -------
    ratio : float or None
        None where either was not measured.
    """
    before = _recorded(figure, recorded)
    if before is None or figure.value is None or not before["value"]:
        return None
    now, then = figure.value.median, float(before["value"]["median"])
    if not now or not then:
        return None
    return now / then if _more_is_better(figure) else then / now


def worse(figures: Sequence[Figure], recorded: Mapping[str, Any] | None) -> list[str]:
    """Name the figures that are much worse than recorded."""
    changes = ((figure, change(figure, recorded)) for figure in figures)
    return [
        f"{figure.work}, {figure.graph}, {figure.peer}: {ratio:.2f} of what was recorded"
        for figure, ratio in changes
        if ratio is not None and ratio * WORSE < 1
    ]


def seconds(value: float) -> str:
    """Show a duration in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def _heading(facts: Mapping[str, Any]) -> str:
    """Say where and when."""
    machine = facts["machine"]
    clock = "; the thread's own time" if facts.get("own_time") else ""
    return (
        f"{facts['at']}, rollby {machine['revision']}: {machine['cpu']}, {machine['cores']} cores, "
        f"load {machine['load_1_min']} before, one thread each; medians, quartiles in brackets"
        f"{clock}"
    )


def _cells(figure: Figure, before: Mapping[str, Any] | None, note: int) -> list[str]:
    """Fill a line of the table."""
    aim = figure.aim
    ratio = None if before is None else change(figure, {"figures": [before]})
    return [
        figure.work + (f" [{note}]" if note else ""),
        figure.graph,
        figure.peer,
        _duration(figure.ours_s),
        _duration(figure.peer_s),
        _value(figure.value, figure.unit),
        _aim(aim, aim.target if aim else None, figure.unit),
        _aim(aim, aim.stretch if aim else None, figure.unit),
        _verdict_of(figure),
        "" if ratio is None else f"{ratio:.2f}",
    ]


def _verdict_of(figure: Figure) -> str:
    """Say how a figure stands to its aim."""
    if figure.value is None:
        return "not measured"
    return WORDS[figure.aim.met(figure.value.median)] if figure.aim else ""


def _duration(taken: Spread | None) -> str:
    return "" if taken is None else seconds(taken.median)


def _value(value: Spread | None, unit: str) -> str:
    """Show a median with its quartiles, where there is more than one value."""
    if value is None:
        return "-"
    parts = (value.median, value.low, value.high)
    median, low, high = (seconds(part) if unit == "s" else _number(part, unit) for part in parts)
    return median if value.count == 1 else f"{median} ({low} to {high})"


def _number(value: float, unit: str) -> str:
    """Show a number to three digits, and no more."""
    shown = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{shown}x" if unit == "x" else f"{shown} {unit}".strip()


def _aim(aim: Aim | None, wanted: float | None, unit: str) -> str:
    """Show what was wanted."""
    if aim is None or wanted is None:
        return ""
    shown = seconds(wanted) if unit == "s" else _number(wanted, unit)
    return shown if aim.more else f"<= {shown}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Align cells; what comes out is Markdown too."""
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    rule = ["-" * width for width in widths]
    return [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [heads, rule, *rows]
    ]


def _verdict(figures: Sequence[Figure], recorded: Mapping[str, Any] | None) -> list[str]:
    """Count what was met, and name what got worse."""
    found = [_verdict_of(figure) for figure in figures if figure.aim]
    counts = ", ".join(f"{found.count(word)} {word}" for word in WORDS.values())
    missing = sum(figure.value is None for figure in figures)
    lines = [f"Aims: {counts}; {missing} figures not measured."]
    if recorded is None:
        return [*lines, "No run of this kind of machine is recorded; `--record` records this one."]
    lines.append(f"`then` is against the run of {recorded['at']}: above 1 better, below 1 worse.")
    return lines + [f"WORSE: {line}" for line in worse(figures, recorded)]


def _recorded(figure: Figure, recorded: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Find the same figure in a recorded run."""
    kept = recorded["figures"] if recorded else ()
    return next((one for one in kept if one["key"] == figure.key), None)


def _more_is_better(figure: Figure) -> bool:
    """Ratios without an aim are speed-ups; all else without one is a cost."""
    return figure.aim.more if figure.aim else figure.unit == "x"

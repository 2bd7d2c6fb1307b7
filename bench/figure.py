"""What one measurement came to, and what it was meant to come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.timing import Race, Spread


MADE_UP = "grid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A target and, where there is one, a stretch; `more` where a higher value is better."""

    target: float
    stretch: float | None = None
    more: bool = True

    def met(self, value: float) -> Literal["stretch", "met", "missed"]:
        """Say how a value stands to it."""
        if self.stretch is not None and self._as_good(value, self.stretch):
            return "stretch"
        return "met" if self._as_good(value, self.target) else "missed"

    def _as_good(self, value: float, wanted: float) -> bool:
        return value >= wanted if self.more else value <= wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """
    One measured value of one row.

    Parameters
    ----------
    row : str
        The row's key, as `--rows` takes it.
    work, graph, peer : str
        What was done, on what, against whom.
    value : Spread or None
        The value that the aim is about: a ratio, bytes, seconds; None where it was not measured.
    unit : str
        Of the value: ``x`` for ratios.
    ours_s, peer_s : Spread or None
        Seconds a case, where it is a race.
    aim : Aim or None
        None for figures that only help to read the others.
    note : str
        What a reader must know, or why it was not measured.
    """

    row: str
    work: str
    graph: str
    peer: str
    value: Spread | None = None
    unit: str = "x"
    ours_s: Spread | None = None
    peer_s: Spread | None = None
    aim: Aim | None = None
    note: str = ""

    @property
    def key(self) -> str:
        """Name it the same in every run, so that runs can be compared."""
        return f"{self.row} | {self.work} | {self.graph} | {self.peer}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """
    How something grows: a line a name, of (x, low, median, high) points.

    Parameters
    ----------
    name : str
        File name of its drawing.
    title, x, y : str
        Text on the drawing, with units.
    lines : mapping of str to list of (x, Spread)
        One a contender.
    """

    name: str
    title: str
    x: str
    y: str
    lines: Mapping[str, list[tuple[float, Spread]]]


def raced(race: Race, **facts: object) -> Figure:
    """Make the figure of a race: its value is ours is so much faster. No aims on a made-up city."""
    if facts["graph"] == MADE_UP:
        facts["aim"] = None
    return Figure(value=race.ratio, ours_s=race.ours_s, peer_s=race.peer_s, **facts)  # type: ignore[arg-type]


def unmeasured(reason: str, **facts: object) -> Figure:
    """Make the figure that says why there is none."""
    return Figure(note=reason, **facts)  # type: ignore[arg-type]

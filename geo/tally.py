"""What a replay came to, in a few figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.records import Flag
from data.said import Attended, Escalated, Flagged, Prompted, Suggested, Withdrawn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.said import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """
    A replay in figures.

    Parameters
    ----------
    suggestions : int
        Asks.
    withdrawn : dict of str to int
        Suggestions taken back, by why.
    alone : int
        Alarms raised.
    prompts, escalations, sounds : int
        Checks asked of dispatch, messages to the supervisor, and sounds.
    arrivals : int
        Cars that came to another's stop, seen from positions.
    """

    suggestions: int
    withdrawn: dict[str, int]
    alone: int
    prompts: int
    escalations: int
    sounds: int
    arrivals: int


def tally(said: Iterable[Said]) -> Tally:
    """
    Count what was said.

    Parameters
    ----------
    said : iterable of Said
        By a board.

    Returns
    -------
    tally : Tally
        The figures.
    """
    said = list(said)
    kinds = Counter(type(one) for one in said)
    why = Counter(one.why for one in said if isinstance(one, Withdrawn))
    flags = [one for one in said if isinstance(one, Flagged)]
    return Tally(
        suggestions=kinds[Suggested],
        withdrawn=dict(sorted(why.items())),
        alone=sum(one.flag is Flag.ALONE for one in flags),
        prompts=kinds[Prompted],
        escalations=kinds[Escalated],
        sounds=sum(one.aloud for one in said if isinstance(one, (Flagged, Escalated))),
        arrivals=sum(one.arrived for one in said if isinstance(one, Attended)),
    )

"""Who was on scene, from when to when, by positions or by report: it corroborates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from data.events import AnswerKind, OnScene, SeenBy
from data.said import Attended

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.events import Answer
    from data.said import Said


def presences(said: Iterable[Said], answers: Iterable[Answer]) -> list[OnScene]:
    """
    Put together who was beside which stop.

    Parameters
    ----------
    said : iterable of Said
        What the board said, in order; arrivals and departures seen from positions count.
    answers : iterable of Answer
        What officers said; ``arrived`` counts.

    Returns
    -------
    presences : list of OnScene
        By arrival; `left_at` is None while a unit is there, and where only its word tells of it.
    """
    found, here = [], dict[tuple[str, str], float]()
    for one in said:
        if not isinstance(one, Attended):
            continue
        pair = one.stop_id, one.unit_id
        if one.arrived:
            here[pair] = one.since_s
        elif pair in here:
            found.append(_seen(pair, here.pop(pair), one.since_s))
    found += [_seen(pair, since_s, None) for pair, since_s in here.items()]
    found += [
        OnScene(
            stop_id=answer.stop_id,
            unit_id=answer.unit_id,
            arrived_at=answer.answered_at,
            left_at=None,
            seen_by=SeenBy.REPORT,
        )
        for answer in answers
        if answer.answer is AnswerKind.ARRIVED and answer.answered_at
    ]
    return sorted(found, key=lambda one: (one.arrived_at, one.stop_id, one.unit_id))


def _seen(pair: tuple[str, str], since_s: float, until_s: float | None) -> OnScene:
    """Write what positions show."""
    return OnScene(
        stop_id=pair[0],
        unit_id=pair[1],
        arrived_at=datetime.fromtimestamp(since_s, UTC),
        left_at=None if until_s is None else datetime.fromtimestamp(until_s, UTC),
        seen_by=SeenBy.POSITIONS,
    )

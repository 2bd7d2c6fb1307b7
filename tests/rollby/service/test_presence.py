"""Who was on scene, from when to when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from data.events import Answer, AnswerKind, OnScene, SeenBy
from data.said import Attended
from rollby.service.presence import presences

AT = datetime(2026, 3, 13, 2, tzinfo=UTC)


def attended(unit_id: str, second: float, *, arrived: bool) -> Attended:
    since_s = AT.timestamp() + second
    return Attended(
        at_s=since_s + 20, stop_id="T-1", unit_id=unit_id, since_s=since_s, arrived=arrived
    )


def test_who_came_who_went_and_who_said_so() -> None:
    said = [
        attended("4A14", 60, arrived=True),
        attended("4A13", 90, arrived=True),
        attended("4A14", 300, arrived=False),
        attended("4A14", 500, arrived=True),
        attended("9Z9", 600, arrived=False),
    ]
    answer = Answer(
        suggestion_id="T-1/1",
        stop_id="T-1",
        unit_id="4A13",
        asked_at=AT,
        answer=AnswerKind.ARRIVED,
        answered_at=AT + timedelta(seconds=80),
    )

    def one(unit_id: str, since: float, until: float | None, seen_by: SeenBy) -> OnScene:
        left = None if until is None else AT + timedelta(seconds=until)
        arrived = AT + timedelta(seconds=since)
        return OnScene(
            stop_id="T-1", unit_id=unit_id, arrived_at=arrived, left_at=left, seen_by=seen_by
        )

    assert presences(said, [answer]) == [
        one("4A14", 60, 300, SeenBy.POSITIONS),
        one("4A13", 80, None, SeenBy.REPORT),
        one("4A13", 90, None, SeenBy.POSITIONS),
        one("4A14", 500, None, SeenBy.POSITIONS),
    ]

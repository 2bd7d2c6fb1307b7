"""The day, recorded as it goes, for replay, gaps and calibration; old positions go."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from data.events import Answer, History, OnScene, StatusChange, StopChange
from data.history import add_to_history, thin_history
from data.reports import FixReport
from data.said import Attended, Suggested
from rollby.service.feeding import columns_of
from rollby.service.presence import presences

if TYPE_CHECKING:
    from data.said import Said
    from data.store.reading import Event
    from data.store.store import Store
    from rollby.service.running import Running

EVERY_S = 600.0
MOST = 200_000
ANSWER_WITHIN_MS = 300_000
EVENTS, SAID = "history: events", "history: said"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """
    What is recorded next.

    Parameters
    ----------
    history : History
        Of it.
    name : str
        Of its files: always the same for the same beginning.
    seq, number : int
        Of the last event and the last saying in it.
    """

    history: History
    name: str
    seq: int
    number: int


def next_part(store: Store, seq: int, number: int, now_ms: int, *, simulated: bool) -> Part | None:
    """
    Read what came after the last part.

    Parameters
    ----------
    store : Store
        To read.
    seq, number : int
        Of the last event and the last saying recorded.
    now_ms : int
        Suggestions wait for their answer: those of the last five minutes are left for later.
    simulated : bool
        Whether it is made up.

    Returns
    -------
    part : Part or None
        None where nothing came.
    """
    events = list(islice(store.events(seq), MOST))
    said = [
        (n, one) for n, one in store.said(number) if one.at_s * 1000 <= now_ms - ANSWER_WITHIN_MS
    ]
    if not events and not said:
        return None
    history = _history(store, events, [one for _, one in said], simulated=simulated)
    return Part(
        history=history,
        name=f"part-{seq:012d}-{number:012d}",
        seq=events[-1].seq if events else seq,
        number=said[-1][0] if said else number,
    )


def _history(store: Store, events: list[Event], said: list[Said], *, simulated: bool) -> History:
    """Put events and sayings into the rows of a history."""
    fixes = [event for event in events if isinstance(event.report, FixReport)]
    reports = [event.report for event in events]
    answers = [_answered(store, one) for one in said if isinstance(one, Suggested)]
    gone = [one for one in said if isinstance(one, Attended) and not one.arrived]
    on_scene = presences([], (one for one in reports if isinstance(one, Answer)))
    return History(
        fixes=columns_of(
            [one.report for one in fixes if isinstance(one.report, FixReport)],
            [one.received_ms / 1000 for one in fixes],
        ),
        statuses=tuple(one for one in reports if isinstance(one, StatusChange)),
        stops=tuple(
            one for one in reports if isinstance(one, StopChange) and not one.stop.from_status
        ),
        answers=tuple(answers),
        on_scene=(*on_scene, *(here for one in gone for here in _presence(store, one))),
        facts={"simulated": simulated},
    )


def _answered(store: Store, asked: Suggested) -> Answer:
    """Write a suggestion with the answer that stands."""
    event = store.newest("answer", asked.suggestion_id)
    undone = store.newest("undo", asked.suggestion_id)
    stands = event is not None and (undone is None or undone.seq < event.seq)
    if event is not None and stands and isinstance(event.report, Answer):
        return event.report
    return Answer(
        suggestion_id=asked.suggestion_id,
        stop_id=asked.stop_id,
        unit_id=asked.unit_id,
        asked_at=datetime.fromtimestamp(asked.at_s, UTC),
    )


def _presence(store: Store, left: Attended) -> list[OnScene]:
    """Find the arrival that goes with a departure."""
    left_at = datetime.fromtimestamp(left.since_s, UTC)
    found = presences((one for _, one in store.said_about(left.stop_id)), [])
    return [one for one in found if (one.unit_id, one.left_at) == (left.unit_id, left_at)]


async def record(service: Running) -> int:
    """
    Record what came since the last time; let old positions go.

    Returns
    -------
    events : int
        How many were recorded.
    """
    settings, store = service.settings, service.store
    folder, count = Path(settings.service.history), 0
    seq = await service.look(lambda _board: store.delivered(EVENTS, 0))
    number = await service.look(lambda _board: store.delivered(SAID, 0))
    while settings.service.history:
        now_ms, simulated = service.clock.now_ms(), settings.units.simulated
        part = await asyncio.to_thread(next_part, store, seq, number, now_ms, simulated=simulated)
        if part is None:
            break
        await asyncio.to_thread(add_to_history, folder, part.history, part.name)
        count += part.seq - seq
        seq, number = part.seq, part.number
        await _note(service, seq, number)
    oldest = service.now() - timedelta(days=settings.service.raw_days)
    if settings.service.history:
        await asyncio.to_thread(thin_history, folder, oldest)
    before_ms = int(oldest.timestamp() * 1000)
    while await service.look(lambda _board: store.thin(before_ms)):
        pass  # a part at a time: reports come between
    return count


async def _note(service: Running, seq: int, number: int) -> None:
    """Keep how far it has come."""

    def keep(_board: object) -> None:
        service.store.deliver(EVENTS, seq)
        service.store.deliver(SAID, number)

    await service.look(keep)


async def keep_recording(service: Running) -> None:
    """Record every ten minutes."""
    while True:
        await record(service)
        await asyncio.sleep(EVERY_S)

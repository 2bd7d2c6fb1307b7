"""What officers say: answers to suggestions, and their own stop; each can be taken back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, HTTPException, Path
from pydantic import BaseModel, ConfigDict, Field

from data.events import Answer, AnswerKind, StatusChange, StopChange
from data.records import Stop, StopPhase, UnitStatus
from data.reports import Undone
from data.said import Suggested, Withdrawn
from data.store.audit import Action
from geo.board import Board
from rollby.service.callers import Caller
from rollby.service.guard import check_reason, check_unit, needs
from rollby.service.rights import Right
from rollby.service.routes.cad import CHANGED, Id, Key, laid, news_at
from rollby.service.running import InService, Running

if TYPE_CHECKING:
    from data.store.reading import Event
    from data.store.store import Taken

router = APIRouter(prefix="/api", tags=["officers"])
Answerer = Annotated[Caller, Depends(needs(Right.ANSWER, Right.OVERRIDE))]
Reporter = Annotated[Caller, Depends(needs(Right.REPORT_OWN, Right.OVERRIDE))]
Seq = Annotated[int, Path(ge=1, le=2**63 - 1)]
NEVER = datetime.min.replace(tzinfo=UTC)
REASON = "why, for the audit log; needed of who decides for others"


class Word(StrEnum):
    """What an officer says of the stop at hand."""

    ON_STOP = "on_stop"
    SECURED = "secured"
    CUSTODY = "custody"
    AWAITING_TOW = "awaiting_tow"
    CLEAR = "clear"
    NEED_ONE_MORE = "need_one_more"


class AnswerBody(BaseModel):
    """An answer to a suggestion."""

    model_config = ConfigDict(extra="forbid")
    suggestion_id: str
    answer: AnswerKind
    reason: str = Field("", max_length=200, description=REASON)


class WordBody(BaseModel):
    """What an officer says of the stop at hand."""

    model_config = ConfigDict(extra="forbid")
    unit_id: Id
    word: Word
    reason: str = Field("", max_length=200, description=REASON)


class Said(BaseModel):
    """It is on disk, and can be taken back."""

    seq: int
    undo_until: datetime


class AnswerSaid(Said):
    """As above; `stands` is false where the suggestion had been withdrawn."""

    stands: bool


async def suggested(service: Running, suggestion_id: str) -> tuple[Suggested, bool]:
    """
    Find a suggestion.

    Parameters
    ----------
    service : Running
        The service.
    suggestion_id : str
        Its name.

    Returns
    -------
    suggested : Suggested
        As it was made.
    stands : bool
        False once it was withdrawn.

    Raises
    ------
    HTTPException
        404 if there never was one.
    """
    about = await asyncio.to_thread(service.store.said_about, suggestion_id)
    said = [one for _, one in about]
    asked = [one for one in said if isinstance(one, Suggested)]
    if not asked:
        raise HTTPException(404, f"suggestion_id={suggestion_id}: no such suggestion")
    return asked[-1], not any(isinstance(one, Withdrawn) for one in said)


def _undo_until(service: Running, event: Event) -> datetime:
    """Tell how long something said can be taken back."""
    said_at = datetime.fromtimestamp(event.received_ms / 1000, UTC)
    return said_at + timedelta(seconds=service.settings.service.undo_s)


async def _undo_of(service: Running, taken: Taken) -> datetime:
    """Tell how long what was taken, now or when it was first sent, can be taken back."""
    event = await asyncio.to_thread(service.store.at, taken.seq)
    assert event is not None  # noqa: S101 - it is on disk
    return _undo_until(service, event)


@router.post("/answers")
async def post_answer(
    body: AnswerBody, service: InService, caller: Answerer, key: Key = ""
) -> AnswerSaid:
    """Answer a suggestion: en route, can't, mute, or arrived."""
    asked, stands = await suggested(service, body.suggestion_id)
    check_unit(caller, asked.unit_id)
    own = caller.speaks_for(asked.unit_id)
    reason = body.reason.strip() if own else check_reason(body.reason)
    now = service.now()
    answer = Answer(
        suggestion_id=asked.suggestion_id,
        stop_id=asked.stop_id,
        unit_id=asked.unit_id,
        asked_at=datetime.fromtimestamp(asked.at_s, UTC),
        answer=body.answer,
        answered_at=now,
    )
    content = body.model_dump_json().encode()
    taken = await service.accept("officer", [answer], caller, key=key, content=content)
    action = Action.MUTE if body.answer is AnswerKind.MUTE else Action.ANSWER
    about = f"{asked.suggestion_id} {body.answer} for {asked.unit_id}"
    about += f": {reason}" if reason else ""
    if taken.fresh:
        await service.note(caller, action if own else Action.OVERRIDE, about)
    undo_until = await _undo_of(service, taken)
    return AnswerSaid(seq=taken.seq, undo_until=undo_until, stands=stands)


@router.delete("/answers/{suggestion_id:path}")
async def undo_answer(suggestion_id: str, service: InService, caller: Answerer) -> Said:
    """Take the last answer to a suggestion back."""
    event = await service.newest("answer", suggestion_id)
    if event is None or not isinstance(event.report, Answer):
        raise HTTPException(404, f"suggestion_id={suggestion_id}: was not answered")
    check_unit(caller, event.report.unit_id)
    undone = await service.newest("undo", suggestion_id)
    now = service.now()
    if undone and undone.seq > event.seq:
        return Said(seq=undone.seq, undo_until=now)
    if now > _undo_until(service, event):
        undo_s = service.settings.service.undo_s
        raise HTTPException(409, f"suggestion_id={suggestion_id}: over {undo_s:.0f} s old; call in")
    taken = await service.accept("officer", [Undone(answer=event.report, at=now)], caller)
    if not caller.speaks_for(event.report.unit_id):
        about = f"{suggestion_id} taken back for {event.report.unit_id}"
        await service.note(caller, Action.OVERRIDE, about)
    return Said(seq=taken.seq, undo_until=now)


@router.post("/my-stop")
async def post_word(body: WordBody, service: InService, caller: Reporter, key: Key = "") -> Said:
    """Say what becomes of the stop at hand: on a stop, secured, custody, clear, need one more."""
    check_unit(caller, body.unit_id)
    own = caller.speaks_for(body.unit_id)
    reason = body.reason.strip() if own else check_reason(body.reason)
    content = body.model_dump_json().encode()

    async def lay() -> Taken:
        now = service.now()
        target = _after(await service.look(partial(own_stop, unit_id=body.unit_id)), body, now)
        last = await service.newest("stop", target.stop_id)
        # Looked at again: what was accepted up to `last` is on the board by now.
        stop = await service.look(partial(own_stop, unit_id=body.unit_id))
        changed = _after(stop, body, now)
        if changed.stop_id != target.stop_id:
            raise HTTPException(CHANGED, f"unit_id={body.unit_id}: is on another stop meanwhile")
        at = await news_at(service, changed.stop_id)
        shown = await _shown(service, body, now)
        reports: list[StatusChange | StopChange] = [StopChange(stop=changed, at=at), *shown]
        expects = changed.stop_id, last.seq if last else None
        return await service.accept(
            "officer", reports, caller, key=key, content=content, expects=expects
        )

    taken = await service.repeated(caller, key, content)
    if taken is None:
        taken = await laid(lay, f"unit_id={body.unit_id}")
    if taken.fresh and not own:
        await service.note(caller, Action.OVERRIDE, f"{body.word} for {body.unit_id}: {reason}")
    return Said(seq=taken.seq, undo_until=await _undo_of(service, taken))


async def _shown(service: Running, body: WordBody, now: datetime) -> list[StatusChange]:
    """Tell what a unit shows from a word on, where that changes."""
    if body.word not in {Word.ON_STOP, Word.CLEAR}:
        return []
    before = await service.newest("status", body.unit_id)
    shown = before.report if before and isinstance(before.report, StatusChange) else None
    on_stop = body.word is Word.ON_STOP
    return [
        StatusChange(
            unit_id=body.unit_id,
            at=now,
            status=UnitStatus.ON_STOP if on_stop else UnitStatus.AVAILABLE,
            officers=shown.officers if shown else 1,
            agency=shown.agency if shown else "",
        )
    ]


def own_stop(board: Board, unit_id: str) -> Stop | None:
    """
    Find the stop that a unit is on.

    Returns
    -------
    stop : Stop or None
        The newest, as it was reported: without those who are only promised or there.
    """
    changes = board.scene.changes.values()
    own = [one.stop for one in changes if one.stop.unit_id == unit_id]
    shown = [
        one.stop
        for one in board.open.values()
        if one.stop.unit_id == unit_id and one.stop.from_status
    ]
    newest = max(own, key=lambda stop: stop.started_at or NEVER, default=None)
    return newest or next(iter(shown), None)


def _after(stop: Stop | None, body: WordBody, now: datetime) -> Stop:
    """Give the stop as it is after a word."""
    if stop is None and body.word is not Word.ON_STOP:
        raise HTTPException(409, f"unit_id={body.unit_id}: is on no stop; say on_stop first")
    if stop is None or (stop.from_status and stop.started_at is None):
        stop = Stop(
            stop_id=f"own:{body.unit_id}:{now:%Y%m%dT%H%M%S}", unit_id=body.unit_id, started_at=now
        )
    if body.word is Word.CLEAR:
        return replace(stop, phase=StopPhase.CLEARED, ended_at=now)
    if body.word is Word.NEED_ONE_MORE:
        return replace(stop, needs=stop.needs + 1)
    if body.word is Word.ON_STOP:
        return stop  # said twice, it takes nothing back that was said of the stop since
    return replace(stop, phase=StopPhase(body.word.value))


@router.delete("/my-stop/{seq}")
async def undo_word(seq: Seq, service: InService, caller: Reporter) -> Said:
    """Take the last word about the stop at hand back; `seq` is the number it was given."""
    word = await asyncio.to_thread(service.store.at, seq)
    status = word if word and isinstance(word.report, StatusChange) else None
    event = await asyncio.to_thread(service.store.at, seq - 1) if status else word
    if event is None or not isinstance(event.report, StopChange):
        raise HTTPException(404, f"seq={seq}: is no word about a stop")
    stop, now = event.report.stop, service.now()
    check_unit(caller, stop.unit_id)
    if now > _undo_until(service, event):
        raise HTTPException(409, f"seq={seq}: is too old to be taken back; say what is true now")
    before = await service.newest("stop", stop.stop_id, event.seq)
    if before is not None and isinstance(before.report, StopChange):
        stop = before.report.stop
    else:
        stop = replace(stop, phase=StopPhase.CLEARED, ended_at=max(now, stop.started_at or now))
    at = await news_at(service, stop.stop_id)
    reports: list[StatusChange | StopChange] = [StopChange(stop=stop, at=at)]
    if status is not None and isinstance(status.report, StatusChange):
        earlier = await service.newest("status", stop.unit_id, seq)
        known = earlier.report if earlier else replace(status.report, status=UnitStatus.AVAILABLE)
        assert isinstance(known, StatusChange)  # noqa: S101 - the kind asked for
        reports.append(replace(known, at=now))
    taken = await service.accept("officer", reports, caller, expects=(stop.stop_id, event.seq))
    return Said(seq=taken.seq, undo_until=now)

"""Studies of what was: histories uploaded, gaps and posts worked out beside the service."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field

from data import history
from data.errors import InputError
from data.store.audit import Action
from rollby.options import PLACE, POST, Read
from rollby.posts import PostsWish
from rollby.service.callers import Caller
from rollby.service.guard import needs
from rollby.service.rights import Right
from rollby.service.running import InService, Running
from rollby.service.studies import GOING_ON, Kind, State, Study, new_id, owner_of
from rollby.service.study_work import Work
from rollby.service.studying import Studying

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

router = APIRouter(prefix="/api", tags=["studies"])
Analyst = Annotated[Caller, Depends(needs(Right.SEE_HISTORY))]
StudyId = Annotated[str, InPath(pattern="^[0-9a-f]{16}$")]
MOST_KEPT, MOST_WAITING = 60, 20
RECORDED, ROADS = "recorded", "roads"


def studying_of(request: Request) -> Studying:
    """
    Find where studies are worked out.

    Returns
    -------
    studying : Studying
        Of the request's application.
    """
    studying: Studying = request.app.state.studying
    return studying


InStudying = Annotated[Studying, Depends(studying_of)]


class _Wish(BaseModel):
    """What is asked for: unknown members are faults."""

    model_config = ConfigDict(extra="forbid")

    source: Annotated[str, Field(pattern=f"^({RECORDED}|{ROADS}|[0-9a-f]{{16}})$")] = RECORDED
    since: date | None = None
    until: date | None = None


class GapsWish(_Wish):
    """Gaps of a period: local days, both included."""

    every_s: Annotated[float, Field(ge=10, le=3600)] = 60.0
    split: date | None = None
    stand: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=20)] = []


class PostsAsked(_Wish):
    """Posts by the stops of a period, or by the roads' length (`source` is `roads`)."""

    count: Annotated[int, Field(ge=1, le=200)]
    model: Literal["backup", "expected", "median"] = "expected"
    within_s: Annotated[float, Field(gt=0, le=7200)] | None = None
    busy: Annotated[float, Field(ge=0, lt=1)] = 0.3
    move_price: Annotated[float, Field(ge=0, le=3600)] = 0.0
    candidates: Annotated[int, Field(ge=20, le=500)] = 200
    present: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=200)] = []
    by_hand: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=200)] = []


class Shown(BaseModel):
    """A study as it stands."""

    study_id: str
    kind: Kind
    title: str
    made_at: datetime
    kept_until: datetime
    state: State
    step: str
    facts: dict[str, Any]
    fault: str


def shown(study: Study, studying: Studying, service: Running) -> Shown:
    """
    Say of a study what its owner is told.

    Returns
    -------
    shown : Shown
        As it stands now.
    """
    made_at = datetime.fromtimestamp(study.made_ms / 1000, UTC)
    return Shown(
        study_id=study.study_id,
        kind=study.kind,
        title=study.title,
        made_at=made_at,
        kept_until=made_at + timedelta(days=service.settings.service.study_days),
        state=study.state,
        step=studying.step(study),
        facts=study.facts,
        fault=study.fault,
    )


@router.get("/studies")
async def list_studies(service: InService, studying: InStudying, caller: Analyst) -> list[Shown]:
    """List the caller's studies and uploaded histories, the newest first."""
    found = await asyncio.to_thread(studying.studies.of, owner_of(caller))
    return [shown(one, studying, service) for one in found]


@router.get("/studies/{study_id}")
async def get_study(
    study_id: StudyId, service: InService, studying: InStudying, caller: Analyst
) -> Shown:
    """Say how far a study is."""
    return shown(await found_study(studying, caller, study_id), studying, service)


@router.post("/studies/gaps", status_code=202)
async def begin_gaps(
    wish: GapsWish, service: InService, studying: InStudying, caller: Analyst
) -> Shown:
    """Have the gaps of a period worked out; `GET /api/studies/ID` says how far it is."""
    past, named = await _period(wish, service, studying, caller)
    if past["history"] is None:
        raise InputError("source=roads: gaps are those of a recorded period; choose one")
    split = _midnight(wish.split, service) if wish.split else None
    since, until = past["since"], past["until"]
    if split and ((since and split <= since) or (until and split >= until)):
        raise InputError(f"split={wish.split}: must be within the period, not at its end")
    stand = tuple(_read("stand", line, POST) for line in wish.stand)
    what_if = ", what if" if stand else ""
    return await begin_study(
        service,
        studying,
        caller,
        new_study(service, caller, Kind.GAPS, f"Gaps: {named}{what_if}"),
        every_s=wish.every_s,
        split=split,
        stand=stand,
        **past,
    )


@router.post("/studies/posts", status_code=202)
async def begin_posts(
    asked: PostsAsked, service: InService, studying: InStudying, caller: Analyst
) -> Shown:
    """Have posts chosen; `GET /api/studies/ID` says how far it is."""
    past, named = await _period(asked, service, studying, caller)
    settings = service.settings
    if asked.within_s is not None:
        policy = settings.policy.model_copy(update={"within_s": asked.within_s})
        settings = settings.model_copy(update={"policy": policy})
    present, by_hand = (
        tuple(_read(name, line, PLACE) for line in getattr(asked, name))
        for name in ("present", "by_hand")
    )
    wish = PostsWish(
        count=asked.count,
        model=asked.model,
        busy=asked.busy,
        present=present,
        by_hand=by_hand,
        move_price=asked.move_price if present else 0.0,
        candidates=asked.candidates,
    )
    return await begin_study(
        service,
        studying,
        caller,
        new_study(service, caller, Kind.POSTS, f"{asked.count} posts: {named}"),
        settings=settings,
        wish=wish,
        **past,
    )


@router.post("/studies/{study_id}/cancel", status_code=204)
async def cancel_study(study_id: StudyId, studying: InStudying, caller: Analyst) -> Response:
    """Have a study not done, or no further."""
    await studying.cancel(await found_study(studying, caller, study_id))
    return Response(status_code=204)


@router.delete("/studies/{study_id}", status_code=204)
async def remove_study(
    study_id: StudyId, service: InService, studying: InStudying, caller: Analyst
) -> Response:
    """Delete a study or an uploaded history, with everything that belongs to it."""
    study = await found_study(studying, caller, study_id)
    await studying.cancel(study)
    await service.note(caller, Action.REMOVE, f"{study.kind} {study_id}")
    await asyncio.to_thread(studying.studies.remove, study)
    return Response(status_code=204)


async def found_study(studying: Studying, caller: Caller, study_id: str) -> Study:
    """
    Find one of the caller's studies.

    Returns
    -------
    study : Study
        As it was kept last.

    Raises
    ------
    HTTPException
        404 where the caller has none of that address.
    """
    study = await asyncio.to_thread(studying.studies.find, owner_of(caller), study_id)
    if study is None:
        raise HTTPException(404, f"study_id={study_id}: you have none such; it may be deleted")
    return study


def recorded_days(service: Running) -> tuple[date, date] | str:
    """
    Tell which local days the service has recorded that are over.

    Returns
    -------
    period : (date, date) or str
        The first and the last; or why there are none.
    """
    folder = service.settings.service.history
    if not folder:
        return "No history is recorded here: set service.history to the folder that is to hold it."
    zone = ZoneInfo(service.settings.units.time_zone)
    ends = history.recorded_period(Path(folder))
    yesterday = service.now().astimezone(zone).date() - timedelta(days=1)
    if ends is None or ends[0].astimezone(zone).date() > yesterday:
        return (
            "Nothing is recorded yet of a day that is over: today's positions are live, and not "
            "to be had here. Come back tomorrow, or upload a history."
        )
    first, last = (at.astimezone(zone).date() for at in ends)
    return first, min(last, yesterday)


async def _period(
    wish: _Wish, service: Running, studying: Studying, caller: Caller
) -> tuple[dict[str, Any], str]:
    """Find a wish's history (None: roads alone), its ends in time, and what to call it."""
    if wish.since and wish.until and wish.until < wish.since:
        raise InputError(f"until={wish.until}: must not be before since={wish.since}")
    since = _midnight(wish.since, service) if wish.since else None
    until = _midnight(wish.until + timedelta(days=1), service) if wish.until else None
    if wish.source == ROADS:
        return {"history": None}, "by the length of roads"
    if wish.source != RECORDED:
        study = await found_study(studying, caller, wish.source)
        if study.kind is not Kind.HISTORY:
            raise InputError(f"source={wish.source}: is no history")
        check_state(study, State.DONE, "cannot be used: its files are not in order")
        days = f", {wish.since or 'its beginning'} to {wish.until or 'its end'}"
        named = study.title + (days if since or until else "")
        uploaded = studying.studies.folder(study) / "history"
        return {"history": uploaded, "since": since, "until": until}, named
    known = await asyncio.to_thread(recorded_days, service)
    if isinstance(known, str):
        raise InputError(known)
    first, last = wish.since or known[0], wish.until or known[1]
    if first < known[0] or last > known[1]:
        rule = f"recorded, and over, are {known[0]} to {known[1]}; choose days of these"
        raise InputError(f"since={first}, until={last}: {rule}")
    past = {
        "history": Path(service.settings.service.history),
        "since": _midnight(first, service),
        "until": _midnight(last + timedelta(days=1), service),
        "hidden": _hidden(service, caller),
    }
    return past, f"{first} to {last}"


def new_study(
    service: Running, caller: Caller, kind: Kind, title: str, state: State = State.WAITING
) -> Study:
    """
    Begin a study of a caller's.

    Returns
    -------
    study : Study
        Not kept yet.
    """
    return Study(
        study_id=new_id(),
        owner=owner_of(caller),
        kind=kind,
        title=title,
        made_ms=service.access.now_ms(),
        state=state,
    )


async def begin_study(
    service: Running, studying: Studying, caller: Caller, study: Study, **work: Any
) -> Shown:
    """
    Keep a study, write down that it was asked for, and put it in line.

    Returns
    -------
    shown : Shown
        As it stands now.

    Raises
    ------
    HTTPException
        429 where too many wait; 409 as `check_room`.
    """
    if study.kind is not Kind.HISTORY:
        await check_room(studying, caller)
        await service.note(caller, Action.LOOK_HISTORY, f"{study.title}, study {study.study_id}")
    if studying.waiting >= MOST_WAITING:
        raise HTTPException(429, "too many studies wait already; try again in some minutes")
    await asyncio.to_thread(studying.studies.keep, study)
    made = {
        "kind": study.kind.value,
        "out": studying.studies.folder(study) / "out",
        "settings": service.settings,
        **work,
    }
    studying.take(study, partial(_work, made))
    return shown(study, studying, service)


def _work(made: dict[str, Any], roads: Path, beats: Sequence[Any]) -> Work:
    """Make a study's work."""
    return Work(**made, roads=roads, beats=tuple(beats))


async def check_room(studying: Studying, caller: Caller) -> None:
    """
    Refuse what there is no room for.

    Raises
    ------
    HTTPException
        409 where the caller keeps too many.
    """
    kept = await asyncio.to_thread(studying.studies.of, owner_of(caller))
    if len(kept) >= MOST_KEPT:
        raise HTTPException(409, f"you keep {MOST_KEPT} studies already; delete some")


def check_state(study: Study, wanted: State, rule: str) -> None:
    """
    Refuse what does not go with how far a study is.

    Raises
    ------
    HTTPException
        409 where it is not `wanted`.
    """
    if study.state is not wanted:
        still = "; wait until it was checked" if study.state in GOING_ON else ""
        raise HTTPException(409, f"study_id={study.study_id}: {rule}{still}")


def _midnight(day: date, service: Running) -> datetime:
    """Give the instant that a local day begins."""
    zone = ZoneInfo(service.settings.units.time_zone)
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _hidden(service: Running, caller: Caller) -> tuple[str, ...]:
    """Name the agencies whose units the caller's does not see whole."""
    if not caller.agency:
        return ()
    shows = service.settings.agencies.shows.items()
    return tuple(sorted(who for who, what in shows if what != "all" and who != caller.agency))


def _read(name: str, line: str, kind: Read[T]) -> T:
    """Read a place as the command line does."""
    try:
        return kind.read(line.strip())
    except ValueError as error:
        raise InputError(f"{name}: {line.strip()!r}: {error}") from error

"""What goes on now: the live picture, and a stream of what changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT

from data.said import Said, Suggested, Withdrawn
from data.store.audit import Action
from geo.as_json import said_json
from rollby.service.callers import Caller
from rollby.service.covering import topic_of
from rollby.service.guard import guard_of, needs
from rollby.service.metrics import HEALTH
from rollby.service.rights import Right
from rollby.service.running import InService, Running
from rollby.service.sharing import shared_picture
from rollby.service.stream import Message, Reader, message
from rollby.service.watching import beat

router = APIRouter(prefix="/api", tags=["live"])
Watcher = Annotated[Caller, Depends(needs(Right.SEE_LIVE, Right.SEE_OWN))]
ALIVE_S = 15.0
UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
MOST_MISSED = 1000


@router.get("/live")
async def get_live(service: InService, caller: Watcher) -> dict[str, Any]:
    """Give the board as it stands: all of it, or what concerns the caller's own unit."""
    await _note_look(service, caller)
    live = await service.picture()
    return picture_for(caller, live, service)


async def _note_look(service: Running, caller: Caller) -> None:
    """Write down who looks at everybody's live positions."""
    if caller.may(Right.SEE_LIVE):
        await service.note(caller, Action.LOOK_LIVE)


def picture_for(caller: Caller, picture: dict[str, Any], service: Running) -> dict[str, Any]:
    """
    Leave out of a picture what is not for a caller.

    Parameters
    ----------
    caller : Caller
        Who looks.
    picture : dict
        ``rollby.live/1``, or its ``stops`` or ``units`` alone.
    service : Running
        Whose settings say what agencies show each other.

    Returns
    -------
    picture : dict
        For who may see everything, all that other agencies show to his; else stops of the caller's
        units, and those that they are asked about or on their way to, without other units'
        positions.
    """
    if caller.may(Right.SEE_LIVE):
        agencies, whose = service.settings.agencies, service.agency_of
        return shared_picture(
            picture, caller.agency, agencies, agency_of=whose, stops=service.stops
        )
    own = dict(picture)
    if "stops" in own:
        own["stops"] = [one for one in own["stops"] if any(map(caller.speaks_for, _concerned(one)))]
    if "units" in own:
        own["units"] = [one for one in own["units"] if caller.speaks_for(one["unit_id"])]
    return own


def _concerned(stop: dict[str, Any]) -> list[str]:
    """Name the units that have to do with a stop."""
    asked = [stop["asked"]] if stop["asked"] else []
    return [stop["unit_id"], *(one["unit_id"] for one in [*asked, *stop["promised"]])]


def said_message(number: int, said: Said) -> Message:
    """
    Write what the board said as an event.

    Returns
    -------
    message : Message
        ``suggested``, ``withdrawn``, ``flagged``, ``prompted``, ``escalated`` or ``attended``.
    """
    body = said_json(said)
    unit_id = said.unit_id if isinstance(said, Suggested | Withdrawn) else ""
    return message(body["kind"], body, number=number, unit_id=unit_id)


@router.get(
    "/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def get_stream(
    service: InService,
    caller: Watcher,
    request: Request,
    last: Annotated[str, Header(alias="Last-Event-ID", max_length=20)] = "",
    after: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None,
) -> StreamingResponse:
    """
    Follow what happens, as server-sent events.

    First `live`, the whole picture. Then what the board says, numbered: `suggested`, `withdrawn`,
    `flagged`, `prompted`, `escalated`, `attended`; and, unnumbered, `stops` and `units` as they
    change, and `beat` every few seconds, changed or not; `coverage` and, for who may know how the
    service is, `health` every few seconds.
    With `Last-Event-ID` (or `after`) what was said since comes first; `gap` where that is
    too much to be caught up with. It ends soon after the caller's session or key has.
    """
    if last and not last.isdecimal():
        raise HTTPException(400, f"Last-Event-ID={last}: must be the number of an event")
    since = int(last) if last else after
    await _note_look(service, caller)
    may_go_on = partial(guard_of(request).still, request, caller)
    return StreamingResponse(
        _events(service, caller, since, may_go_on),
        media_type="text/event-stream",
        headers=UNBUFFERED,
    )


async def _events(
    service: Running, caller: Caller, since: int | None, may_go_on: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """Give everything that is for a caller, as long as that one is who they were."""
    topics = topic_of(caller, service) | ({HEALTH} if caller.may(Right.SEE_HEALTH) else set())
    with service.stream.reading(frozenset(topics)) as reader:
        number = service.store.number
        if since is not None and since < number:
            missed = await asyncio.to_thread(service.store.said, since, MOST_MISSED + 1)
            if len(missed) > MOST_MISSED:
                yield message("gap", {"after": since, "until": number}).data
            else:
                for old in (said_message(n, said) for n, said in missed if n <= number):
                    if _is_for(caller, old):
                        yield old.data
        live = await service.picture()
        yield message("live", picture_for(caller, live, service), number=number).data
        yield beat(live).data
        shown: dict[str, Any] = {}
        async for one in _waiting(reader, may_go_on):
            if one is None:
                yield KEEPALIVE_COMMENT
            elif one.event in PICTURES:
                # One made before the whole picture was would set it back.
                if _at(one.body) >= _at(live) and (data := _changed(caller, one, shown, service)):
                    yield data
            elif one.event in FOR_READERS or (
                (one.number is None or one.number > number) and _is_for(caller, one)
            ):
                yield one.data


PICTURES = {"stops", "units"}
FOR_READERS = {"beat", "coverage", "health"}  # for whoever is given them at all


def _at(picture: dict[str, Any]) -> datetime:
    """Read a picture's instant; as text, a whole second would come after its own fractions."""
    return datetime.fromisoformat(picture["at"])


def _changed(caller: Caller, one: Message, shown: dict[str, Any], service: Running) -> bytes | None:
    """Write a picture as a caller may see it; None where that is as it was."""
    picture = picture_for(caller, one.body, service)
    if picture is one.body:
        return one.data
    own = picture[one.event]
    if shown.get(one.event) == own:
        return None
    shown[one.event] = own
    return message(one.event, {**one.body, one.event: own}).data


async def _waiting(reader: Reader, may_go_on: Callable[[], bool]) -> AsyncIterator[Message | None]:
    """Give what comes; None where nothing has for a while. Ask again and again whether to go on."""
    asked_s = time.monotonic()
    while True:
        if time.monotonic() - asked_s >= ALIVE_S:
            if not await asyncio.to_thread(may_go_on):
                return
            asked_s = time.monotonic()
        try:
            one = await asyncio.wait_for(reader.waiting.get(), ALIVE_S)
        except TimeoutError:
            yield None
            continue
        if one is None:
            return
        yield one


def _is_for(caller: Caller, one: Message) -> bool:
    """Tell whether an event is for a caller."""
    return caller.may(Right.SEE_LIVE) or bool(one.unit_id and caller.speaks_for(one.unit_id))

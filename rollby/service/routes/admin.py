"""How the service is: health, figures, what was refused."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from data.events import Answer, OnScene, SeenBy
from data.settings import AgencyKind
from data.store.audit import Action
from data.store.store import Store
from data.words import whole_characters
from geo.live import whose_json
from rollby.service.callers import Caller
from rollby.service.guard import needs
from rollby.service.intake import Intake
from rollby.service.metrics import Health, health_of, metrics_of
from rollby.service.presence import presences
from rollby.service.reading_again import read_again
from rollby.service.rights import Right
from rollby.service.routes.positions import PARSERS, Received, receive
from rollby.service.running import InService

router = APIRouter(tags=["administration"])
Nurse = Annotated[Caller, Depends(needs(Right.SEE_HEALTH, Right.ADMINISTER))]


class Presence(BaseModel):
    """A unit was beside a stop: it corroborates. Its agency is the one it shows now."""

    stop_id: str
    unit_id: str
    agency: str
    kind: AgencyKind
    arrived_at: datetime
    left_at: datetime | None
    seen_by: SeenBy


class Letter(BaseModel):
    """Something that was refused, as it came."""

    letter_id: int
    received_at: datetime
    door: str
    sender: str
    reason: str
    raw_base64: str


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """Say that the process runs."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(service: InService) -> dict[str, str]:
    """Say whether reports are accepted and weighed: 503 where they are not."""
    if service.core.failed is not None:
        raise HTTPException(503, f"the core has ended: {type(service.core.failed).__name__}")
    await service.look(lambda board: board.now_s)
    return {"status": "ok"}


@router.get("/metrics")
async def metrics(service: InService, _caller: Nurse) -> Response:
    """Give the service's figures as Prometheus reads them; no positions, no names."""
    return Response(await metrics_of(service), media_type=CONTENT_TYPE_LATEST)


@router.get("/api/health")
async def get_health(service: InService, _caller: Nurse) -> Health:
    """Say what came by each door, how the board keeps up, and what load it makes."""
    return await health_of(service)


@router.get("/api/dead-letters")
def dead_letters(
    service: InService,
    _caller: Annotated[Caller, Depends(needs(Right.ADMINISTER))],
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    most: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[Letter]:
    """List what was refused and why, in the order in which it came."""
    return [
        Letter(
            letter_id=letter_id,
            received_at=datetime.fromtimestamp(letter.received_ms / 1000, UTC),
            door=letter.door,
            sender=letter.sender,
            reason=letter.reason,
            raw_base64=base64.b64encode(letter.raw).decode(),
        )
        for letter_id, letter in service.store.dead_letters(after, most)
    ]


@router.post("/api/dead-letters/{letter_id}/replay")
async def replay_letter(
    letter_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
    service: InService,
    caller: Annotated[Caller, Depends(needs(Right.ADMINISTER))],
) -> Received:
    """Read a refused message again, after what was wrong has been mended; once is enough."""
    letters = await asyncio.to_thread(service.store.dead_letters, letter_id - 1, 1)
    if not letters or letters[0][0] != letter_id:
        raise HTTPException(404, f"letter_id={letter_id}: no such message")
    letter = letters[0][1]
    await service.note(caller, Action.OVERRIDE, f"dead letter {letter_id}")
    at = datetime.fromtimestamp(letter.received_ms / 1000, UTC)
    if parse := PARSERS.get(letter.door):
        everything = Caller(name=caller.name, role=caller.role, unit_ids=("*",), how=caller.how)
        return await receive(service, letter.door, everything, parse(letter.raw, at))
    if letter.door not in service.doors:
        raise HTTPException(409, f"door={letter.door}: is no feed of the settings any more")
    heard = await asyncio.to_thread(read_again, letter, service.settings)
    intake = Intake(service, service.settings.feeds[letter.door])
    accepted, refused = await intake.keep(
        heard, door=letter.door, peer=letter.sender, arrived_at=at
    )
    return Received(accepted=accepted, refused=[whole_characters(one) for one in refused])


@router.get("/api/on-scene/{stop_id:path}")
async def on_scene(
    stop_id: str,
    service: InService,
    caller: Annotated[Caller, Depends(needs(Right.EXPORT))],
) -> list[Presence]:
    """Say who was beside a stop, from when to when, by positions or by report."""
    await service.note(caller, Action.EXPORT, f"on scene at {stop_id}")
    found = await asyncio.to_thread(_presences, service.store, stop_id)
    whose = await service.look(
        lambda board: {one.unit_id: whose_json(one.unit_id, board) for one in found}
    )
    return [Presence.model_validate(asdict(one) | whose[one.unit_id]) for one in found]


def _presences(store: Store, stop_id: str) -> list[OnScene]:
    """Put together what positions show and officers say."""
    answers, number = [], 1
    while store.said_about(f"{stop_id}/{number}"):
        event = store.newest("answer", f"{stop_id}/{number}")
        if event is not None and isinstance(event.report, Answer):
            answers.append(event.report)
        number += 1
    return presences((one for _, one in store.said_about(stop_id)), answers)

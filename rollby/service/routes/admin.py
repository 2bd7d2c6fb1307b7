"""How the service is: health, figures, what was refused."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from rollby.service.callers import Caller
from rollby.service.guard import needs
from rollby.service.metrics import Health, health_of, metrics_of
from rollby.service.rights import Right
from rollby.service.running import InService

router = APIRouter(tags=["administration"])
Nurse = Annotated[Caller, Depends(needs(Right.SEE_HEALTH, Right.ADMINISTER))]


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
    after: Annotated[int, Query(ge=0)] = 0,
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

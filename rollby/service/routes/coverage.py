"""Coverage as it is now, and as it would be with units elsewhere: nobody moves for that."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from geo.live_coverage import Idle
from maps.live_map import band_codes
from rollby.service.callers import Caller
from rollby.service.covering import covered, idle_for, viewer_of
from rollby.service.guard import needs
from rollby.service.rights import Right
from rollby.service.routes.cad import Id
from rollby.service.routes.desk import Desk
from rollby.service.routes.screens import drawn_map
from rollby.service.running import InService, Running

router = APIRouter(prefix="/api", tags=["live"])
Watcher = Annotated[Caller, Depends(needs(Right.SEE_LIVE))]
Car = Literal["first", "second"]
CARS: tuple[Car, Car] = ("first", "second")


class Move(BaseModel):
    """A unit, and where it might be."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    unit_id: Id
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)


class WhatIf(BaseModel):
    """Units elsewhere, as a thought."""

    model_config = ConfigDict(extra="forbid")
    moves: list[Move] = Field(min_length=1, max_length=20)
    lines: Car | None = Field(None, description="also how soon that car is on each line of the map")


async def _idle(service: Running, caller: Caller) -> Idle:
    """Note where idle units stand whose places the caller may see."""
    viewer = viewer_of(caller, service)
    if viewer:
        await service.picture()  # whose units they are, and who helps whom
    return await idle_for(service, viewer)


@router.get("/coverage")
async def get_coverage(service: InService, caller: Watcher) -> dict[str, Any]:
    """Give the share of road that the first and the second idle unit reach within T, by beat."""
    return await covered(service, await _idle(service, caller))


@router.get("/coverage/lines")
async def get_lines(
    service: InService, caller: Watcher, request: Request, car: Annotated[Car, Query()] = "second"
) -> dict[str, Any]:
    """Give how soon a car is on each line of the live map, as bands of T, one character each."""
    idle, drawn = await _idle(service, caller), await drawn_map(request, service)

    def work() -> str:
        drive_time_s = service.covering.drive_times_s(idle)[:, CARS.index(car)]
        return band_codes(drawn.streets, drive_time_s, service.covering.limit_s)

    return {"at": idle.at, "car": car, "codes": await asyncio.to_thread(work)}


@router.post("/coverage/what-if")
async def post_what_if(
    body: WhatIf, service: InService, caller: Desk, request: Request
) -> dict[str, Any]:
    """Give coverage as it is and as it would be with some units elsewhere; nothing is changed."""
    idle = await _idle(service, caller)
    moves = {one.unit_id: (one.lon, one.lat) for one in body.moves}
    drawn = await drawn_map(request, service)

    def work() -> dict[str, Any]:
        covering = service.covering
        now_s, then_s = covering.with_moved(idle, moves)
        answer: dict[str, Any] = {
            "what_if": True,
            "at": idle.at,
            "moves": [
                {**one.model_dump(), "idle": one.unit_id in idle.unit_ids} for one in body.moves
            ],
            "now": covering.shares(idle, now_s),
            "then": covering.shares(idle, then_s),
        }
        if body.lines:
            column = then_s[:, CARS.index(body.lines)]
            answer["codes"] = band_codes(drawn.streets, column, covering.limit_s)
        return answer

    return await asyncio.to_thread(work)

"""Why: the candidates for a stop now, their times and scores, and the reasons in sentences."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, HTTPException

from geo.as_json import advice_json
from geo.replay import sketch
from rollby.service.routes.cad import Id
from rollby.service.routes.desk import Desk, may_be_asked
from rollby.service.routes.live import picture_for
from rollby.service.running import InService

router = APIRouter(prefix="/api", tags=["live"])


@router.get("/why/{stop_id:path}")
async def get_why(stop_id: Id, service: InService, caller: Desk) -> dict[str, Any]:
    """Work a stop out anew, as `rollby suggest` would: who could come, who should, and why."""
    shown = picture_for(caller, await service.picture(), service)
    seen = next((one for one in shown["stops"] if one["stop_id"] == stop_id), None)
    if seen is None:
        raise HTTPException(404, f"stop_id={stop_id}: is not open; it may be over")
    net, draw = await service.look(lambda board: (board.net, sketch(board, board.beats)))
    advice = await asyncio.to_thread(draw)  # seconds in a large city: the core decides meanwhile
    answer = advice_json(advice, roads=net.facts(), settings=service.settings)
    found = [one for one in answer["stops"] if one["stop_id"] == stop_id]
    if not found:
        raise HTTPException(404, f"stop_id={stop_id}: is not open; it may be over")
    askable = await may_be_asked(service, caller, stop_id)
    if not caller.agency:
        return {"at": answer["at"], **found[0], "beat": seen["beat"], "askable": askable}
    known = {one["unit_id"] for one in shown["units"]}
    near = [one for one in found[0]["nearest"] if one["unit_id"] in known]
    place = {name: seen[name] for name in ("lon", "lat", "street", "beat")}
    unsaid: dict[str, Any] = {"suggestion": None, "why_none": None, "notes": []}
    # Sentences may name units that other agencies do not show.
    return {"at": answer["at"], **found[0], **place, "nearest": near, "askable": askable, **unsaid}

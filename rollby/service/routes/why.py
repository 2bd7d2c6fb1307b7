"""Why: the candidates for a stop now, their times and scores, and the reasons in sentences."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException

from geo.as_json import advice_json
from geo.board import Board
from geo.replay import picture
from rollby.service.callers import Caller
from rollby.service.guard import needs
from rollby.service.rights import Right
from rollby.service.routes.cad import Id
from rollby.service.routes.live import picture_for
from rollby.service.running import InService

router = APIRouter(prefix="/api", tags=["live"])
Desk = Annotated[Caller, Depends(needs(Right.OVERRIDE))]


@router.get("/why/{stop_id:path}")
async def get_why(stop_id: Id, service: InService, caller: Desk) -> dict[str, Any]:
    """Work a stop out anew, as `rollby suggest` would: who could come, who should, and why."""
    shown = picture_for(caller, await service.picture(), service)
    if not any(one["stop_id"] == stop_id for one in shown["stops"]):
        raise HTTPException(404, f"stop_id={stop_id}: is not open; it may be over")
    answer = await service.look(_answer)
    found = [one for one in answer["stops"] if one["stop_id"] == stop_id]
    if not found:
        raise HTTPException(404, f"stop_id={stop_id}: is not open; it may be over")
    if not caller.agency:
        return {"at": answer["at"], **found[0]}
    known = {one["unit_id"] for one in shown["units"]}
    near = [one for one in found[0]["nearest"] if one["unit_id"] in known]
    # The sentences may name units that other agencies do not show.
    return {"at": answer["at"], **found[0], "nearest": near, "suggestion": None, "why_none": None}


def _answer(board: Board) -> dict[str, Any]:
    """Work out everything anew, with reasons."""
    advice = picture(board, board.beats)
    return advice_json(advice, roads=board.net.facts(), settings=board.settings)

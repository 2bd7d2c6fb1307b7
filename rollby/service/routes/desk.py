"""What a dispatcher decides for others, with a reason: whom to ask, and who is asked nothing."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from data.reports import Picked, Silenced
from data.store.audit import Action
from geo.board import Board
from geo.picking import pickable
from geo.snapshot import take_snapshot
from rollby.service.callers import Caller
from rollby.service.guard import check_reason, needs
from rollby.service.problems import ProblemError
from rollby.service.rights import Right
from rollby.service.routes.cad import Id, Taken
from rollby.service.routes.live import picture_for
from rollby.service.running import InService, Running

router = APIRouter(prefix="/api", tags=["dispatch"])
Desk = Annotated[Caller, Depends(needs(Right.OVERRIDE))]
Why = Annotated[str, Field(max_length=200, description="for the audit log; needed")]


class PickBody(BaseModel):
    """Who is to be asked about a stop."""

    model_config = ConfigDict(extra="forbid")
    stop_id: Id
    unit_id: Id
    reason: Why = ""


class SilenceBody(BaseModel):
    """Who is to be asked nothing for a while, or may be asked again."""

    model_config = ConfigDict(extra="forbid")
    unit_id: Id
    on: bool = True
    reason: Why = ""


class Asked(BaseModel):
    """Somebody is asked."""

    suggestion_id: str


async def may_be_asked(service: Running, caller: Caller, stop_id: str) -> list[dict[str, Any]]:
    """
    List the units that a caller may have asked about a stop.

    Parameters
    ----------
    service : Running
        The service.
    caller : Caller
        Who sees them.
    stop_id : str
        One that the caller sees.

    Returns
    -------
    units : list of dict
        ``unit_id`` and ``drive_time_s``, soonest first.
    """

    def look(board: Board) -> dict[str, float]:
        if stop_id not in board.open:
            return {}
        return pickable(board, take_snapshot(board), stop_id)

    found = await service.look(look)
    seen = {
        one["unit_id"] for one in picture_for(caller, await service.picture(), service)["units"]
    }
    return [
        {"unit_id": unit_id, "drive_time_s": round(drive_time_s, 3)}
        for unit_id, drive_time_s in found.items()
        if unit_id in seen
    ]


@router.post("/asks")
async def post_ask(body: PickBody, service: InService, caller: Desk) -> Asked:
    """Ask a unit of one's own choice about a stop, in place of whoever is asked now."""
    reason = check_reason(body.reason)
    shown = picture_for(caller, await service.picture(), service)
    if body.stop_id not in {one["stop_id"] for one in shown["stops"]}:
        raise HTTPException(404, f"stop_id={body.stop_id}: is not open; it may be over")
    pending = await service.look(lambda board: _asked(board, body))
    if pending is None:
        free = [one["unit_id"] for one in await may_be_asked(service, caller, body.stop_id)]
        if body.unit_id not in free:
            named = ", ".join(free[:5]) or "nobody can be"
            raise ProblemError(
                422, f"unit_id={body.unit_id}: cannot be asked about {body.stop_id} now; {named}"
            )
        pick = Picked(stop_id=body.stop_id, unit_id=body.unit_id, at=service.now())
        await service.accept("desk", [pick], caller)
        pending = await service.look(lambda board: _asked(board, body))
    if pending is None:
        raise ProblemError(409, f"unit_id={body.unit_id}: was asked for elsewhere just now")
    about = f"{pending} asked of {body.unit_id}: {reason}"
    await service.note(caller, Action.OVERRIDE, about)
    return Asked(suggestion_id=pending)


def _asked(board: Board, body: PickBody) -> str | None:
    """Name the suggestion, if that unit is asked about that stop."""
    one = board.open.get(body.stop_id)
    pending = one.asking.pending if one else None
    return pending.suggestion_id if pending and pending.unit_id == body.unit_id else None


@router.post("/silences")
async def post_silence(body: SilenceBody, service: InService, caller: Desk) -> Taken:
    """Ask a unit nothing for a while, or let it be asked again."""
    reason = check_reason(body.reason)
    shown = picture_for(caller, await service.picture(), service)
    if body.unit_id not in {one["unit_id"] for one in shown["units"]}:
        raise HTTPException(404, f"unit_id={body.unit_id}: was never seen")
    silence = Silenced(unit_id=body.unit_id, at=service.now(), on=body.on)
    taken = await service.accept("desk", [silence], caller)
    what = "mute" if body.on else "no mute"
    await service.note(caller, Action.MUTE, f"{what} for {body.unit_id}: {reason}")
    return Taken(seq=taken.seq)

"""Stops, statuses and checks in, from the dispatch system (CAD) or a dispatcher."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from data.checking.cells import identifier
from data.events import StatusChange, StopChange
from data.records import Stop, StopPhase
from data.reports import Checked
from data.status_codes import codes_of
from data.store.audit import Action
from rollby.service.callers import Caller
from rollby.service.guard import check_reason, check_unit, needs
from rollby.service.rights import Right
from rollby.service.running import InService, Running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from data.reports import Report
    from data.store.store import Taken as Kept

router = APIRouter(prefix="/api", tags=["stops and statuses in"])
Laid = TypeVar("Laid")
TRIES = 20  # each one that fails is another's that succeeded
CHANGED = 412
Sender = Annotated[Caller, Depends(needs(Right.SEND, Right.OVERRIDE))]
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=200)]
Id = Annotated[
    str,
    Field(min_length=1, max_length=100, pattern=r"^\S(.*\S)?$"),
    AfterValidator(partial(identifier, "id")),
]


async def _reason(
    caller: Sender,
    reason: Annotated[
        str, Query(max_length=200, description="why, for the audit log; needed of a supervisor")
    ] = "",
) -> str:
    """Have whoever is no sender, and decides for others, say why."""
    return "" if caller.may(Right.SEND) else check_reason(reason)


Reason = Annotated[str, Depends(_reason)]


async def _note(service: Running, caller: Caller, what: str, reason: str) -> None:
    """Write down what somebody has decided for others."""
    if reason:
        await service.note(caller, Action.OVERRIDE, f"{what}: {reason}")


class _Body(BaseModel):
    """What is sent: unknown fields are faults."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class StopBody(_Body):
    """A stop as it is now; the fields are those of the stops' files."""

    unit_id: Id
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    lon: float | None = None
    lat: float | None = None
    heading_deg: float | None = None
    phase: StopPhase = StopPhase.CONTACT
    backup: list[Id] = Field(default=[], max_length=50)
    needs: int = 2
    at: AwareDatetime | None = Field(None, description="when that was known; default: now")


class StopPatch(_Body):
    """What has changed of a stop."""

    unit_id: Id | None = None
    ended_at: AwareDatetime | None = None
    lon: float | None = None
    lat: float | None = None
    heading_deg: float | None = None
    phase: StopPhase | None = None
    backup: list[Id] | None = Field(None, max_length=50)
    needs: int | None = None
    at: AwareDatetime | None = Field(None, description="when that was known; default: now")


class StatusBody(_Body):
    """What a unit shows."""

    unit_id: Id
    status: str = Field(description="one of rollby's, or the agency's own code as in the settings")
    at: AwareDatetime | None = Field(None, description="when; default: now")
    officers: int | None = Field(None, ge=1, le=99, description="default: as before, else 1")
    agency: str | None = Field(None, max_length=100, description="default: as before, else empty")


class StopShown(StopBody):
    """A stop as it was last reported; its `ETag` is the number of that report."""

    stop_id: str


class Taken(BaseModel):
    """It is on disk."""

    seq: int


def _door_of(caller: Caller) -> str:
    """Tell a dispatch system's own word from that of somebody who overrides it."""
    return "cad" if caller.may(Right.SEND) else "desk"


def _stop_of(stop_id: str, body: StopBody) -> Stop:
    """Make the record."""
    told = body.model_dump(exclude={"at", "lon", "lat", "backup"})
    return Stop(
        stop_id=stop_id,
        lon_deg=body.lon,
        lat_deg=body.lat,
        backup=tuple(dict.fromkeys(body.backup)),
        **told,
    )


def _shown(stop: Stop, at: datetime) -> StopShown:
    """Write the record."""
    return StopShown(
        stop_id=stop.stop_id,
        unit_id=stop.unit_id,
        started_at=stop.started_at or at,
        ended_at=stop.ended_at,
        lon=stop.lon_deg,
        lat=stop.lat_deg,
        heading_deg=stop.heading_deg,
        phase=stop.phase,
        backup=list(stop.backup),
        needs=stop.needs,
        at=at,
    )


def expected(stop_id: str, request: Request) -> tuple[str, int | None] | None:
    """
    Read what a sender expects a stop to be.

    Parameters
    ----------
    stop_id : str
        Which.
    request : Request
        With ``If-Match: "SEQ"`` or ``If-None-Match: *``.

    Returns
    -------
    expects : (str, int or None) or None
        None where it expects nothing.

    Raises
    ------
    HTTPException
        400 where it cannot be read.
    """
    if request.headers.get("If-None-Match") == "*":
        return stop_id, None
    tag = request.headers.get("If-Match")
    if tag is None:
        return None
    number = tag.removeprefix("W/").strip('"')
    if not number.isdecimal():
        raise HTTPException(400, f'If-Match={tag}: must be an ETag of this stop, such as "17"')
    return stop_id, int(number)


async def laid(lay: Callable[[], Awaitable[Laid]], what: str) -> Laid:
    """
    Lay a change on what was read: where somebody else's came in between, on that, so none is lost.

    Parameters
    ----------
    lay : callable
        Reads, and has accepted what expects nothing to have changed since.
    what : str
        What is changed, for the message.

    Returns
    -------
    laid : any
        What `lay` returns.

    Raises
    ------
    HTTPException
        409 where somebody else is always first.
    """
    for _ in range(TRIES):
        try:
            return await lay()
        except HTTPException as error:
            if error.status_code != CHANGED:
                raise
    raise HTTPException(409, f"{what}: others change it all the time; try again")


async def news_at(service: Running, stop_id: str) -> datetime:
    """
    Date what is said of a stop now: no earlier than what is known of it, by whatever clock.

    Parameters
    ----------
    service : Running
        The service.
    stop_id : str
        Which.

    Returns
    -------
    at : datetime
        Now, or that of the newest change the board knows.
    """
    known_at = await service.look(lambda board: board.scene.known_at(stop_id))
    now = service.now()
    return max(now, known_at or now)


async def _accept_stop(
    service: Running,
    caller: Caller,
    request: Request,
    key: str,
    stop: Stop,
    at: datetime,
    expects: tuple[str, int | None] | None,
) -> Kept:
    """Have a stop's change accepted."""
    check_unit(caller, stop.unit_id)
    return await service.accept(
        _door_of(caller),
        [StopChange(stop=stop, at=at)],
        caller,
        key=key,
        content=request.url.path.encode() + await request.body(),
        expects=expects,
    )


@router.put("/stops/{stop_id:path}")
async def put_stop(
    stop_id: Id,
    body: StopBody,
    service: InService,
    caller: Sender,
    request: Request,
    response: Response,
    reason: Reason,
    key: Key = "",
) -> Taken:
    """Say what a stop is now, whole: new, in another phase, or over."""
    stop = _stop_of(stop_id, body)
    expects, at = expected(stop_id, request), body.at or service.now()
    taken = await _accept_stop(service, caller, request, key, stop, at, expects)
    return await _told(service, caller, stop, taken, reason, response)


@router.patch("/stops/{stop_id:path}")
async def patch_stop(
    stop_id: Id,
    body: StopPatch,
    service: InService,
    caller: Sender,
    request: Request,
    response: Response,
    reason: Reason,
    key: Key = "",
) -> Taken:
    """Say what has changed of a stop."""
    expects = expected(stop_id, request)

    async def lay() -> tuple[Kept, Stop]:
        event = await service.newest("stop", stop_id)
        if event is None:
            raise HTTPException(404, f"stop_id={stop_id}: no such stop; PUT it first")
        # What was told last may be older news than what the board holds to be true.
        held = await service.look(lambda board: board.scene.changes.get(stop_id))
        stop = _changed(held or event.report, body, caller)
        at = body.at or await news_at(service, stop_id)
        last = expects or (stop_id, event.seq)
        return await _accept_stop(service, caller, request, key, stop, at, last), stop

    taken, stop = await (lay() if expects else laid(lay, f"stop_id={stop_id}"))
    return await _told(service, caller, stop, taken, reason, response)


async def _told(
    service: Running, caller: Caller, stop: Stop, taken: Kept, reason: str, response: Response
) -> Taken:
    """Answer with the number of a stop's change, and note it the first time."""
    if taken.fresh:
        what = f"stop {stop.stop_id} of {stop.unit_id} {stop.phase}"
        await _note(service, caller, what, reason)
    response.headers["ETag"] = f'"{taken.seq}"'
    return Taken(seq=taken.seq)


def _changed(report: Report, body: StopPatch, caller: Caller) -> Stop:
    """Lay what has changed on a stop as it was reported."""
    assert isinstance(report, StopChange)  # noqa: S101 - the kind asked for
    before = _shown(report.stop, report.at)
    check_unit(caller, before.unit_id)
    told = body.model_dump(exclude_unset=True)
    whole = StopBody.model_validate({**before.model_dump(exclude={"stop_id", "at"}), **told})
    return _stop_of(report.stop.stop_id, whole)


@router.get("/stops/{stop_id:path}")
def get_stop(
    stop_id: Id,
    service: InService,
    caller: Annotated[Caller, Depends(needs(Right.SEND, Right.SEE_LIVE))],
    response: Response,
) -> StopShown:
    """Give a stop as it was last reported."""
    event = service.store.newest("stop", stop_id)
    if event is None:
        raise HTTPException(404, f"stop_id={stop_id}: no such stop")
    assert isinstance(event.report, StopChange)  # noqa: S101 - the kind asked for
    if not caller.may(Right.SEE_LIVE):
        check_unit(caller, event.report.stop.unit_id)
    response.headers["ETag"] = f'"{event.seq}"'
    return _shown(event.report.stop, event.report.at)


@router.post("/statuses")
async def post_status(
    body: StatusBody,
    service: InService,
    caller: Sender,
    request: Request,
    reason: Reason,
    key: Key = "",
) -> Taken:
    """
    Say what a unit shows; `on_stop` makes a stop where no record follows.

    A code that is mapped to none changes nothing: the number of the status before it is given.
    """
    check_unit(caller, body.unit_id)
    event = await service.newest("status", body.unit_id)
    before = event.report if event and isinstance(event.report, StatusChange) else None
    officers = body.officers or (before.officers if before else 1)
    agency = body.agency if body.agency is not None else (before.agency if before else "")
    status = codes_of(service.settings).status_of(body.status, agency)
    if status is None:
        return Taken(seq=event.seq if event else 0)
    change = StatusChange(
        unit_id=body.unit_id,
        at=body.at or service.now(),
        status=status,
        officers=officers,
        agency=agency,
    )
    content = request.url.path.encode() + await request.body()
    taken = await service.accept(_door_of(caller), [change], caller, key=key, content=content)
    await _note(service, caller, f"{change.status} for {change.unit_id}", reason)
    return Taken(seq=taken.seq)


@router.post("/stops/{stop_id:path}/check")
async def post_check(
    stop_id: Id,
    service: InService,
    caller: Annotated[Caller, Depends(needs(Right.CHECK, Right.SEND))],
) -> Taken:
    """Say that dispatch has checked on the officer."""
    taken = await service.accept("cad", [Checked(stop_id=stop_id, at=service.now())], caller)
    await service.note(caller, Action.CHECK, stop_id)
    return Taken(seq=taken.seq)

"""Positions in by HTTP: OsmAnd and Traccar Client, OwnTracks, GeoJSON."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel

from data.checking.cells import identifier
from data.errors import FieldError
from data.feeds.geojson_points import parse_geojson
from data.feeds.heard import Noted, Refusal, Sighting
from data.feeds.osmand import parse_json, parse_query
from data.feeds.owntracks import parse_owntracks
from data.reports import FixReport
from data.words import whole_characters
from rollby.service.callers import Caller
from rollby.service.guard import needs
from rollby.service.problems import ProblemError
from rollby.service.rights import Right
from rollby.service.running import InService

if TYPE_CHECKING:
    from datetime import datetime

    from data.feeds.heard import Heard, Parser
    from rollby.service.running import Running

router = APIRouter(prefix="/feeds", tags=["positions in"])
Sender = Annotated[Caller, Depends(needs(Right.SEND))]
BODY_MOST = 2_000_000
PATIENCE_S = 5.0


def parse_osmand(data: bytes, arrived_at: datetime) -> list[Heard]:
    """
    Read either form.

    Returns
    -------
    heard : list of Sighting or Refusal
        JSON begins with a brace; a query does not.
    """
    parse = parse_json if data.lstrip().startswith(b"{") else parse_query
    return parse(data, arrived_at)


PARSERS: dict[str, Parser] = {
    "osmand": parse_osmand,
    "owntracks": parse_owntracks,
    "geojson": parse_geojson,
}
"""By door: what reads its messages."""


class Received(BaseModel):
    """What became of what was sent: all of it is on disk."""

    accepted: int
    refused: list[str]


async def body_of(request: Request) -> bytes:
    """
    Read a request's body.

    Returns
    -------
    body : bytes
        Whole.

    Raises
    ------
    HTTPException
        413 where it is larger than any sender's.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_MOST:
            raise HTTPException(413, f"must be at most {BODY_MOST} bytes; send it in parts")
    return bytes(body)


Body = Annotated[bytes, Depends(body_of)]


async def receive(service: Running, door: str, caller: Caller, heard: list[Heard]) -> Received:
    """
    Accept what a parser made of a request.

    Parameters
    ----------
    service : Running
        The service.
    door : str
        By which it came.
    caller : Caller
        Who sent it.
    heard : list of Sighting or Refusal
        Of the parser; a device is the unit of its name.

    Returns
    -------
    received : Received
        A sender that is told that a fix was refused would send it for ever: it is kept with its
        reason for the administrator, and what is good is accepted.
    """
    good, refused = [], []
    for one in heard:
        if isinstance(one, Refusal):
            refused.append(one)
            continue
        if isinstance(one, Noted):
            continue
        try:
            good.append(FixReport(unit_id=_own_unit(one.device, caller), fix=one.fix))
        except FieldError as error:
            refused.append(Refusal(raw=one.raw, reason=str(error)))
    if refused:
        await service.refuse(door, caller.name, refused)
        wait_s = service.pace.wait_s(f"\n{caller.name}", len(refused))  # no unit is called so
        await asyncio.sleep(min(wait_s, PATIENCE_S))
    if good:
        wait_s = _wait_s(service, Counter(one.unit_id for one in good))
        await service.accept(door, good, caller)
        # Safe first: who gives up in the wait would be charged again each time, and never heard.
        await asyncio.sleep(wait_s)
    return Received(accepted=len(good), refused=[whole_characters(one.reason) for one in refused])


def _wait_s(service: Running, fixes: Counter[str]) -> float:
    """
    Say how long the answer waits for who sends more than all can bear; no other waits.

    Raises
    ------
    ProblemError
        429 where slow answers were not enough.
    """
    for unit_id in fixes:
        wait_s = service.pace.wait_s(unit_id, 0)
        if wait_s > PATIENCE_S:
            rule = f"must be at most {service.pace.most_hz:g} fixes a second"
            remedy = "have it send less often, or see service.most_hz"
            retry = {"Retry-After": str(math.ceil(wait_s))}
            raise ProblemError(429, f"unit_id={unit_id}: {rule}; {remedy}", retry)
    return max(service.pace.wait_s(name, count) for name, count in fixes.items())


def _own_unit(device: str, caller: Caller) -> str:
    """Read which unit a device is."""
    unit_id = identifier("unit_id", device.strip() or "none")
    if not caller.speaks_for(unit_id):
        rule = f"must be a unit that {caller.name} sends for; see its key"
        raise FieldError("unit_id", unit_id, rule)
    return unit_id


@router.get("/osmand")
@router.post("/osmand")
async def osmand(service: InService, caller: Sender, request: Request, body: Body) -> Received:
    """Take OsmAnd's and Traccar's query or form, or the JSON of Traccar Client 9 and later."""
    told = [pair for pair in request.query_params.multi_items() if pair[0] != "key"]
    heard = parse_osmand(body if not told else urlencode(told).encode(), service.now())
    return await receive(service, "osmand", caller, heard)


@router.post("/owntracks")
async def owntracks(
    service: InService, caller: Sender, request: Request, body: Body
) -> list[dict[str, Any]]:
    """Take OwnTracks in HTTP mode; the device is its `topic`, its `X-Limit-D`, or its `tid`."""
    heard = parse_owntracks(body, service.now())
    device = request.headers.get("X-Limit-D", "").strip()
    named = [_named(one, device) for one in heard]
    await receive(service, "owntracks", caller, named)
    return []


def _named(heard: Heard, device: str) -> Heard:
    """Call a device by the last part of its topic, or as the request calls it."""
    if not isinstance(heard, Sighting):
        return heard
    last = heard.device.rpartition("/")[2] if "/" in heard.device else device or heard.device
    return Sighting(device=last, fix=heard.fix, raw=heard.raw)


@router.post("/geojson")
async def geojson(service: InService, caller: Sender, body: Body) -> Received:
    """Take a Feature or FeatureCollection of points, with the field names of the units' files."""
    return await receive(service, "geojson", caller, parse_geojson(body, service.now()))

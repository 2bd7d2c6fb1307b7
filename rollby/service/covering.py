"""Coverage now, worked out beside the core and told to whoever looks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from geo.live_coverage import Idle, idle_units
from rollby.service.rights import Right
from rollby.service.sharing import views_of
from rollby.service.stream import message

if TYPE_CHECKING:
    from rollby.service.callers import Caller
    from rollby.service.running import Running

EVERY_S = 5.0
TOPIC = "coverage/"
AGENCY_MOST = 20  # that look at once; each is worked out by itself


def viewer_of(caller: Caller, service: Running) -> str:
    """
    Tell whose eyes a caller sees coverage with.

    Returns
    -------
    viewer : str
        An agency, where agencies do not show each other everything; else "".
    """
    return caller.agency if service.settings.agencies.shows else ""


def topic_of(caller: Caller, service: Running) -> set[str]:
    """
    Name what a caller is told of coverage.

    Returns
    -------
    topics : set of str
        None for who may not see everybody live.
    """
    return {TOPIC + viewer_of(caller, service)} if caller.may(Right.SEE_LIVE) else set()


async def idle_for(service: Running, viewer: str) -> Idle:
    """
    Note where idle units stand whose places an agency may see.

    Returns
    -------
    idle : Idle
        At this instant.
    """
    idle = await service.look(idle_units)
    if not viewer:
        return idle
    view = views_of(
        viewer, service.settings.agencies, agency_of=service.agency_of, stops=service.stops
    )
    return idle.seen_by(lambda unit_id: view(unit_id) == "all")


async def covered(service: Running, idle: Idle) -> dict[str, Any]:
    """
    Work coverage out; the core decides meanwhile.

    Returns
    -------
    shares : dict
        As `geo.live_coverage.Covering.shares`.
    """

    def work() -> dict[str, Any]:
        return service.covering.shares(idle, service.covering.drive_times_s(idle))

    return await asyncio.to_thread(work)


async def cover_often(service: Running) -> None:
    """Tell coverage every few seconds, while somebody looks."""
    while True:
        await asyncio.sleep(EVERY_S)
        wanted = sorted(one for one in service.stream.topics if one.startswith(TOPIC))
        for topic in wanted[:AGENCY_MOST]:
            # Whose units they are is known from the picture, which is made once a second meanwhile.
            idle = await idle_for(service, topic.removeprefix(TOPIC))
            body = await covered(service, idle)
            service.stream.publish(message("coverage", body, topic=topic))

"""
The live picture to all who listen: only what has changed of it.

Stops are weighed for it once a second; where units are costs little, and is looked at more often.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from rollby.service.stream import Message, message

if TYPE_CHECKING:
    from rollby.service.running import Running

EVERY_S = 1.0
LOOKS = 4  # at units, in that time
STOPS_EVERY = 10
BEAT_EVERY = 5
PUT_BACK_S = 1.0
GROWING = {"priority", "backup_probability"}  # with the age of fixes, second by second


class Changes:
    """What was shown last."""

    def __init__(self) -> None:
        self._units: dict[str, Any] = {}
        self._stops: list[Any] | None = None
        self._since = 0

    def messages(self, live: dict[str, Any]) -> list[Message]:
        """
        Write what has changed.

        Parameters
        ----------
        live : dict
            ``rollby.live/1``, or its ``at`` and ``units`` alone.

        Returns
        -------
        messages : list of Message
            ``stops``, all of them where any has changed by more than the age of fixes, and at every
            tenth look; ``units``, those that have. A unit's freshness is part of it: one that falls
            silent has changed.
        """
        found = self._stops_changed(live) if "stops" in live else []
        units = [one for one in live["units"] if self._units.get(one["unit_id"]) != one]
        if units:
            found.append(message("units", {"at": live["at"], "units": units}))
        self._units.update({one["unit_id"]: one for one in units})
        return found

    def _stops_changed(self, live: dict[str, Any]) -> list[Message]:
        """Write all stops, where any has changed or none was written for long."""
        stops, before = [_steady(stop) for stop in live["stops"]], self._stops
        self._stops = stops
        self._since += 1
        if stops == before and self._since < STOPS_EVERY:
            return []
        self._since = 0
        return [message("stops", {"at": live["at"], "stops": live["stops"]})]


def _steady(stop: dict[str, Any]) -> dict[str, Any]:
    """Leave out of a stop what changes with every second."""
    nearest = [(one["unit_id"], one["drive_time_s"], one["askable"]) for one in stop["nearest"]]
    return {name: stop[name] for name in stop.keys() - GROWING} | {"nearest": nearest}


def beat(live: dict[str, Any]) -> Message:
    """
    Write that the board was looked at: who hears it no more cannot trust what is on a screen.

    Parameters
    ----------
    live : dict
        ``rollby.live/1``.

    Returns
    -------
    beat : Message
        The board's instant, and how soon the next one comes, seconds.
    """
    return message("beat", {"at": live["at"], "every_s": EVERY_S * BEAT_EVERY})


async def watch(service: Running) -> None:
    """Look while anybody listens."""
    changes, looks = Changes(), 0
    while True:
        await asyncio.sleep(EVERY_S / LOOKS)
        if not service.stream.readers:
            continue
        looks += 1
        if looks % LOOKS:
            service.stream.publish(*changes.messages(await service.units()))
            continue
        live = await service.picture()
        beats = [] if looks % (LOOKS * BEAT_EVERY) else [beat(live)]
        service.stream.publish(*changes.messages(live), *beats)


async def mind_clock(service: Running) -> None:
    """Say in the log when the machine's clock was put back, each time by how much in all."""
    told_s = 0.0
    while True:
        fast_by_s = service.clock.fast_by_s()
        if fast_by_s > told_s + PUT_BACK_S:
            structlog.get_logger().warning("clock was put back", fast_by_s=round(fast_by_s, 1))
            told_s = fast_by_s
        await asyncio.sleep(EVERY_S)

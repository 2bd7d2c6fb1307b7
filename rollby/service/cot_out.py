"""Who should roll by, on officers' TAK maps: what stands is sent again and again, and else ends."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from data.feeds.cot import CotReader
from data.feeds.cot_writing import pong_for, write_chat, write_delete, write_marker
from data.feeds.tak_server import TakLine
from data.feeds.tak_udp import UdpLine
from rollby.service.cot_markers import markers_of
from rollby.service.doors import tak_server
from rollby.service.intake import DoorHealth
from rollby.service.keeping import keep_going

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.cot_settings import CotOut
    from data.feeds.cot_writing import Marker
    from rollby.service.running import Running
    from rollby.service.stream import Message

    Line = TakLine | UdpLine

REPEAT_S = 10.0
MOST_CHATTED = 1000


def line_of(name: str, out: CotOut, now: Callable[[], datetime]) -> Callable[[], Line]:
    """
    Say how a TAK network is reached.

    Returns
    -------
    line : callable
        Makes a connection, as often as one is lost.

    Raises
    ------
    InputError
        If a certificate cannot be read.
    """
    if out.transport == "udp":
        host, _, port = out.server.rpartition(":")
        where = f"cot.{name}.server"
        return partial(UdpLine, where, host.strip("[]"), int(port), out.interface)
    return partial(TakLine, tak_server(f"cot.{name}", out), now)


class TakTeller:
    """
    Tells a TAK network what stands.

    Parameters
    ----------
    service : Running
        The service.
    name : str
        Of the settings' table.
    line : callable
        Of `line_of`.
    """

    def __init__(self, service: Running, name: str, line: Callable[[], Line]) -> None:
        self._service, self._name, self._line = service, name, line
        self._out = service.settings.cot[name]
        self._shown: dict[str, Marker] = {}
        self._all_s = -REPEAT_S
        self._chatted: dict[str, str] = {}
        self._uids = {
            unit_id: uid
            for feed in service.settings.feeds.values()
            if feed.kind == "cot" and feed.named_by == "uid"
            for uid, unit_id in feed.devices.items()
        }
        self.health = DoorHealth(since=service.now())
        service.telling[name] = self.health

    async def keep_telling(self) -> None:
        """Tell for ever: where the line is lost, call again after a growing pause."""
        await keep_going(f"cot {self._name}", self.run, self._failed)

    async def run(self) -> None:
        """
        Tell until the line is lost.

        Raises
        ------
        SourceUnreachableError
            If it cannot be had, or is lost.
        """
        async with self._line() as line:
            self.health.up, self.health.since, self.health.error = True, self._service.now(), ""
            self._all_s = -REPEAT_S
            works = [asyncio.create_task(one) for one in (self._hear(line), self._tell(line))]
            try:
                done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    one.result()
            finally:
                self.health.up = False
                for one in works:
                    one.cancel()
                await asyncio.gather(*works, return_exceptions=True)

    def _failed(self, error: Exception) -> None:
        """Say what is wrong."""
        self.health.up, self.health.since = False, self._service.now()
        self.health.error = str(error)

    async def _hear(self, line: Line) -> None:
        """Take what a server sends, or it would wait for us; answer its pings, and note no more."""
        read = CotReader()
        async for data in line.pieces():
            self.health.heard_at = now = self._service.now()
            if pong := pong_for(read(data, now), now):
                await line.send(pong)

    async def _tell(self, line: Line) -> None:
        """Follow the picture, and tell what stands."""
        with self._service.stream.reading() as reader:
            live = await self._service.picture()
            if live["at"] is not None:
                await self._show(line, live)
            while (one := await reader.waiting.get()) is not None:
                if one.event == "stops":
                    await self._show(line, one.body)
                elif one.event == "withdrawn":
                    await self._take_back(line, one)

    async def _show(self, line: Line, picture: dict[str, Any]) -> None:
        """Send what is new, and take off what is no more; now and then send all of it."""
        service, at = self._service, datetime.fromisoformat(picture["at"])
        wanted = markers_of(
            self._name,
            self._out,
            picture["stops"],
            service.settings.agencies,
            service.agency_of,
            simulated=service.settings.units.simulated,
        )
        again = time.monotonic() - self._all_s >= REPEAT_S
        if again:
            self._all_s = time.monotonic()
        for uid, marker in wanted.items():
            if again or self._shown.get(uid) != marker:
                await line.send(write_marker(marker, at, self._out.stale_s))
                self._shown[uid] = marker
                self._count("markers")
        for uid in sorted(self._shown.keys() - wanted.keys()):
            await line.send(write_delete(self._shown[uid], at, self._out.stale_s))
            del self._shown[uid]
            self._count("deletes")
        if self._out.chat:
            await self._chat(line, picture["stops"], at, wanted)

    async def _chat(
        self, line: Line, stops: list[dict[str, Any]], at: datetime, shown: dict[str, Marker]
    ) -> None:
        """Say a line to each unit that was just asked; not again after a start anew."""
        for stop in stops:
            one = stop["asked"]
            marker = one and shown.get(f"rollby.{self._name}.ask.{one['suggestion_id']}")
            if not marker or one["suggestion_id"] in self._chatted:
                continue
            self._chatted[one["suggestion_id"]] = stop["unit_id"]
            if len(self._chatted) > MOST_CHATTED:
                del self._chatted[next(iter(self._chatted))]
            asked_at = datetime.fromisoformat(one["asked_at"])
            if (at - asked_at).total_seconds() < self._out.stale_s:
                await self._say(line, one["suggestion_id"], marker.text, at, one["unit_id"])

    async def _take_back(self, line: Line, one: Message) -> None:
        """Say to a unit that was asked by chat that it is asked no more."""
        told = one.body
        here = self._chatted.pop(told["suggestion_id"], None)
        if here is not None:
            text = f"{told['unit_id']} is asked no more to roll by {here}: {told['why']}."
            at, number = datetime.fromisoformat(told["at"]), f"{told['suggestion_id']}/withdrawn"
            await self._say(line, number, text, at, told["unit_id"])

    async def _say(self, line: Line, number: str, text: str, at: datetime, unit_id: str) -> None:
        """Say a line of chat to a unit and the watchers, or to all."""
        out, to = self._out, list[tuple[str, str] | None]([None])
        if self._service.settings.units.simulated:
            text = f"SIMULATED. {text}"
        if out.audience == "asked":
            callsign = out.callsigns.get(unit_id, unit_id)
            to = [(callsign, self._uids.get(unit_id, callsign))]
            to += [(watcher, watcher) for watcher in out.watchers]
        for place, one in enumerate(to):
            await line.send(write_chat(f"{number}/{place}", text, at, out.stale_s, one))
            self._count("chat")

    def _count(self, what: str) -> None:
        """Count what was sent."""
        self.health.noted[what] = self.health.noted.get(what, 0) + 1

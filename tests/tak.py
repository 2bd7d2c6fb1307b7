"""
The other end of Cursor-on-Target: a small server that plays TAK's part, and PyTAK as a real client.

The server does what TAK servers do with events: it hands them to all other clients, or to those
whose callsigns a `marti` names, answers pings, and knows a client's callsign from its own position.
It was written from the public description of the protocol, and proves nothing of a TAK server's
groups, federation, archive or certificates' enrolment.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import warnings
from configparser import ConfigParser
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from defusedxml.ElementTree import fromstring

from data.feeds.cot import split_events

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that it lacks what it needs to enrol
    import pytak

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterator

PONG = (
    b'<event version="2.0" uid="takPong" type="t-x-c-t-r" how="h-g-i-g-o" '
    b'time="2026-11-23T12:00:00Z" start="2026-11-23T12:00:00Z" stale="2026-11-23T12:00:20Z">'
    b'<point lat="0" lon="0" hae="0" ce="9999999" le="9999999"/><detail/></event>'
)


@dataclass
class TakPart:
    """A server that plays TAK's part; `events` are all that came, in their order."""

    listening: socket.socket
    tls: ssl.SSLContext | None = None
    deaf: bool = False
    events: list[bytes] = field(default_factory=list)
    clients: list[socket.socket] = field(default_factory=list)
    called: int = 0
    _callsigns: dict[socket.socket, str] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.Lock)

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    def work(self) -> None:
        """Take calls until the socket is closed."""
        while True:
            try:
                plain, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[plain], daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        self.called += 1
        with contextlib.suppress(OSError), plain:
            one = self.tls.wrap_socket(plain, server_side=True) if self.tls else plain
            self.clients.append(one)
            rest = b""
            try:
                while piece := one.recv(65536):
                    if not self.deaf:
                        events, rest = split_events(rest + piece)
                        for event in events:
                            self._route(one, event)
            finally:
                self.clients.remove(one)
                one.close()

    def _route(self, one: socket.socket, raw: bytes) -> None:
        event = fromstring(raw)
        with self._lock:
            self.events.append(raw)
            kind = event.get("type")
            if kind == "t-x-c-t":
                one.sendall(PONG)
                return
            contact = event.find("detail/contact")
            if kind.startswith("a-f-G") and contact is not None:
                self._callsigns[one] = contact.get("callsign")
            named = [dest.get("callsign") for dest in event.iterfind("detail/marti/dest")]
            for other in list(self.clients):
                if other is not one and (not named or self._callsigns.get(other) in named):
                    with contextlib.suppress(OSError):
                        other.sendall(raw)

    def say(self, data: bytes) -> None:
        """Send something to all."""
        for one in list(self.clients):
            one.sendall(data)

    def hang_up(self) -> None:
        """End all connections."""
        for one in list(self.clients):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Take no more calls, and end all connections."""
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.hang_up()

    def seen(self) -> list[Any]:
        """Give what came as elements, without pings."""
        found = [fromstring(one) for one in list(self.events)]
        return [one for one in found if one.get("type") != "t-x-c-t"]


@contextlib.contextmanager
def tak_part(tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[TakPart]:
    """Serve on loopback."""
    part = TakPart(socket.create_server(("127.0.0.1", port)), tls)
    thread = threading.Thread(target=part.work, daemon=True)
    thread.start()
    try:
        yield part
    finally:
        part.end()
        thread.join(10)


class _Ear(pytak.RXWorker):  # type: ignore[misc]
    async def handle_data(self, data: bytes) -> None:
        """Take nothing: `Phone` reads."""


@dataclass
class Phone:
    """PyTAK's client."""

    tx: Any
    rx: Any

    async def send(self, *events: bytes) -> None:
        for one in events:
            await self.tx.send_data(one)

    async def hears(self, wanted: Callable[[Any], bool], seconds: float = 20) -> Any:
        """Read until an event is as wanted."""
        async with asyncio.timeout(seconds):
            while True:
                raw = await self.rx.readcot()
                assert raw is not None, "the other end hung up"
                event = fromstring(raw)
                if wanted(event):
                    return event


@contextlib.asynccontextmanager
async def phone(url: str, **config: str) -> AsyncIterator[Phone]:
    """Call, or send to, `url` as PyTAK does."""
    told = ConfigParser()
    told["pytak"] = {"COT_URL": url, **config}
    reader, writer = await pytak.protocol_factory(told["pytak"])
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    try:
        yield Phone(
            pytak.TXWorker(queue, told["pytak"], writer), _Ear(queue, told["pytak"], reader)
        )
    finally:
        for end in {reader, writer} - {None}:
            if hasattr(end, "close"):
                end.close()
        if hasattr(writer, "wait_closed"):
            with contextlib.suppress(OSError):
                await writer.wait_closed()

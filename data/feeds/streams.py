"""Connections: senders that keep one open and send line after line, or event after event."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from data.errors import SourceUnreachableError
from data.feeds.heard import Noted, Refusal, Sighting
from data.feeds.listening import plain

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence

    from data.feeds.door import Receiver
    from data.feeds.heard import Heard
    from data.feeds.senders import Senders

MOST_CONNECTIONS = 5000
MOST_OF_ONE = 100
MOST_HELD = 1 << 26  # bytes of all connections together that wait for their message's end
REFUSED = "connections refused"
LONGEST_LINE = 10_000
PIECE = 65_536
AGAIN_S = 1e-7  # a byte: 30 ms for 300 kB, so that what is read again with each piece is bearable
IDLE_S = 900.0  # a parked car's heartbeat is sooner


def whole_lines(data: bytes) -> tuple[bytes, bytes]:
    """
    Tell what of a stream can be read, and what must wait for more.

    Returns
    -------
    whole, rest : bytes
        Together they are `data`; `whole` ends with a line's end.
    """
    lines, end, rest = data.rpartition(b"\n")
    return lines + end, rest


@dataclass(frozen=True, slots=True)
class Talk:
    """
    How one talks on a connection.

    Parameters
    ----------
    split : callable
        Parts what came into what can be read, and the rest.
    longest : int or None
        Bytes of one message, at most; None: a line's.
    answer : callable
        What is answered to what was heard at an instant, if anything.
    by_certificate : bool
        A device is called by its certificate's common name, whatever it calls itself.
    """

    split: Callable[[bytes], tuple[bytes, bytes]] = whole_lines
    longest: int | None = None
    answer: Callable[[Sequence[Heard], datetime], bytes] = lambda _heard, _at: b""
    by_certificate: bool = False


LINES = Talk()


class TcpDoor:
    """
    A TCP port.

    Parameters
    ----------
    name : str
        The door's.
    host, port
        To listen on; port 0 takes any, then `port` tells which.
    senders : Senders
        Who may send, and how much: who sends more is read more slowly, and no other is.
    tls : ssl.SSLContext or None
        None: as it comes.
    talk : Talk
        Lines, if nothing is said.
    most_of_one : int
        Connections of one address at a time.
    now : callable
        Tells the time.
    """

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        senders: Senders,
        *,
        tls: ssl.SSLContext | None = None,
        talk: Talk = LINES,
        most_of_one: int = MOST_OF_ONE,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name, self.host, self.port = name, host, port
        self._senders, self._tls, self._now, self._how = senders, tls, now, talk
        self._most_of_one = most_of_one
        self._talks: set[asyncio.Task[None]] = set()
        self._calling: Counter[str] = Counter()
        self._rests: dict[asyncio.StreamWriter, int] = {}
        self._held = 0

    async def run(self, receiver: Receiver) -> None:
        """
        Listen until cancelled.

        Parameters
        ----------
        receiver : Receiver
            While it takes what one connection sent, that one waits.

        Raises
        ------
        SourceUnreachableError
            If the port cannot be had.
        """
        ended: asyncio.Queue[asyncio.Task[None]] = asyncio.Queue()

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._talk(reader, writer, receiver))
            self._talks.add(task)
            task.add_done_callback(self._talks.discard)
            task.add_done_callback(ended.put_nowait)

        try:
            server = await asyncio.start_server(begin, self.host, self.port, ssl=self._tls)
        except OSError as error:
            where = f"feeds.{self.name}.listen={self.host}:{self.port}"
            rule = f"cannot be listened on ({error.strerror}); is it taken?"
            raise SourceUnreachableError(f"{where}: {rule}") from error
        self.port = server.sockets[0].getsockname()[1]
        receiver.opened(door=self.name)
        try:
            while True:
                (await ended.get()).result()  # what failed here, not at the other end, is raised
        finally:
            server.close()
            for task in list(self._talks):
                task.cancel()
            await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, receiver: Receiver
    ) -> None:
        """Hear one connection to its end."""
        peer = plain(writer.get_extra_info("peername")[0])
        self._calling[peer] += 1
        try:
            if reason := self._unwelcome(writer, peer):
                await self._turn_away(receiver, peer, reason)
            else:
                await self._hear(reader, writer, receiver, peer)
        finally:
            self._calling[peer] -= 1
            self._calling += Counter()  # forgets who calls no more
            self._held -= self._rests.pop(writer, 0)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _unwelcome(self, writer: asyncio.StreamWriter, peer: str) -> str:
        """Tell why a connection is not heard; empty where it is."""
        if reason := self._senders.stranger(peer):
            return reason
        if len(self._talks) > MOST_CONNECTIONS:
            return f"peer={peer}: must be one of at most {MOST_CONNECTIONS} connections"
        if self._calling[peer] > self._most_of_one:
            rule = f"must have at most {self._most_of_one} connections at a time"
            return f"peer={peer}: {rule}; see feeds.{self.name}.most_connections"
        if self._how.by_certificate and not common_name(writer):
            return f"peer={peer}: must show a certificate with a common name"
        return ""

    async def _turn_away(self, receiver: Receiver, peer: str, reason: str) -> None:
        """Have a connection counted that was not heard; why, once a minute of one address."""
        heard: list[Heard] = [Noted(kind=REFUSED, device="", raw=b"")]
        if self._senders.to_be_told(peer):
            heard.append(Refusal(raw=b"", reason=reason))
        await receiver.take(heard, door=self.name, peer=peer, arrived_at=self._now())

    async def _hear(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        receiver: Receiver,
        peer: str,
    ) -> None:
        """Read message after message, as fast as the sender may send."""
        parse, rest, how = self._senders.reader(), b"", self._how
        device = common_name(writer) if how.by_certificate else ""
        while True:
            try:
                piece = await asyncio.wait_for(reader.read(PIECE), IDLE_S)
            except (OSError, TimeoutError):  # the other end is gone
                piece = b""
            whole, rest = how.split(rest + piece) if piece else (rest, b"")
            arrived_at = self._now()
            heard = [_named(one, device) for one in parse(whole, arrived_at)]
            if heard:
                await receiver.take(heard, door=self.name, peer=peer, arrived_at=arrived_at)
                if writer.transport.get_write_buffer_size() < PIECE:  # else he does not listen
                    writer.write(how.answer(heard, arrived_at))
                await asyncio.sleep(self._senders.wait_s(peer, len(heard)))
            if rule := self._too_long(writer, len(rest)):
                rule = f"must be {rule}; the connection was ended"
                await self._refuse(receiver, peer, rest, f"peer={peer}: {rule}")
                return
            if not piece:
                return
            if len(rest) > LONGEST_LINE:  # it may drip, and all of it is read again with each drop
                await asyncio.sleep(len(rest) * AGAIN_S)

    def _too_long(self, writer: asyncio.StreamWriter, size: int) -> str:
        """Count what a connection has of a message without its end; what is wrong with it."""
        longest = self._how.longest or LONGEST_LINE
        self._held += size - self._rests.get(writer, 0)
        self._rests[writer] = size
        if size > longest:
            return f"messages of at most {longest} bytes"
        if self._held > MOST_HELD and size > LONGEST_LINE:
            return f"sent whole: {MOST_HELD} bytes of many connections wait for their end"
        return ""

    async def _refuse(self, receiver: Receiver, peer: str, raw: bytes, reason: str) -> None:
        """Have it kept why something was not heard."""
        refusal = Refusal(raw=raw, reason=reason)
        await receiver.take([refusal], door=self.name, peer=peer, arrived_at=self._now())


def common_name(writer: asyncio.StreamWriter) -> str:
    """
    Tell whose certificate the other end has shown.

    Returns
    -------
    name : str
        Its subject's common name; empty where there is none.
    """
    shown = writer.get_extra_info("peercert") or {}
    subject = [pair for part in shown.get("subject", ()) for pair in part]
    return str(dict(subject).get("commonName", "")).strip()


def _named(heard: Heard, device: str) -> Heard:
    """Call what was seen by another name, if there is one."""
    return replace(heard, device=device) if device and isinstance(heard, Sighting) else heard

"""A TAK server as its client: called by TCP or TLS, asked whether it is there, heard, and told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from data.errors import SourceUnreachableError
from data.feeds.cot import CotReader, whole_events
from data.feeds.cot_writing import PING_S, pong_for, write_ping

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Sequence

    from data.feeds.door import Receiver
    from data.feeds.heard import Heard

LONGEST_EVENT = 1_000_000  # a drawing has thousands of points
PIECE = 65_536
ANSWER_S, CLOSE_S = 10.0, 1.0
LOST_S = 3 * PING_S  # a server that answers no ping for so long is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class TakServer:
    """
    Whom to call.

    Parameters
    ----------
    where : str
        What its setting is called, for messages.
    host, port
        Of the server.
    tls : ssl.SSLContext or None
        None: as it comes.
    called : str
        The name that its certificate must bear; empty: the host's.
    """

    where: str
    host: str
    port: int
    tls: ssl.SSLContext | None = None
    called: str = ""


class TakLine:
    """
    A connection to a TAK server.

    Parameters
    ----------
    server : TakServer
        Whom to call.
    now : callable
        Tells the time.
    """

    def __init__(self, server: TakServer, now: Callable[[], datetime]) -> None:
        self._server, self._now = server, now
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        """
        Call.

        Raises
        ------
        SourceUnreachableError
            If it cannot be reached, or will not have us.
        """
        server = self._server
        try:
            async with asyncio.timeout(ANSWER_S):
                self._reader, self._writer = await asyncio.open_connection(
                    server.host,
                    server.port,
                    ssl=server.tls,
                    server_hostname=(server.called or server.host) if server.tls else None,
                )
        except (OSError, TimeoutError) as error:
            rule = "is the TAK server running, and are the certificates right?"
            raise self._unreachable(f"cannot be reached ({_told(error)}); {rule}") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up, whether the other end takes what is under way or not."""
        self._writer.close()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            self._writer.transport.abort()

    async def send(self, data: bytes) -> None:
        """
        Tell it something.

        Parameters
        ----------
        data : bytes
            Events.

        Raises
        ------
        SourceUnreachableError
            If the connection is lost, or it takes nothing any more.
        """
        try:
            self._writer.write(data)
            async with asyncio.timeout(LOST_S):
                await self._writer.drain()
        except (OSError, TimeoutError) as error:
            raise self._unreachable(f"the connection was lost ({_told(error)})") from error

    async def pieces(self) -> AsyncIterator[bytes]:
        """
        Hear it, and ask it now and then whether it is there.

        Yields
        ------
        events : bytes
            Whole events.

        Raises
        ------
        SourceUnreachableError
            When the connection is lost: there is no other end.
        """
        rest, silent_s = b"", 0.0
        while True:
            try:
                piece = await asyncio.wait_for(self._reader.read(PIECE), PING_S)
            except TimeoutError:
                silent_s += PING_S
                if silent_s >= LOST_S:
                    rule = f"it has said nothing for {silent_s:g} s, and answers no ping"
                    raise self._unreachable(rule) from None
                await self.send(write_ping(self._now()))
                continue
            except OSError as error:
                raise self._unreachable(f"the connection was lost ({_told(error)})") from error
            silent_s = 0.0
            if not piece:
                rule = "it hung up; does it know our certificate?"
                raise self._unreachable(rule)
            whole, rest = whole_events(rest + piece)
            if whole.strip():
                yield whole
            if len(rest) > LONGEST_EVENT:
                raise self._unreachable(f"it sends more than {LONGEST_EVENT} bytes without an end")

    def _unreachable(self, rule: str) -> SourceUnreachableError:
        """Say what is wrong with it."""
        server = self._server
        return SourceUnreachableError(f"{server.where}={server.host}:{server.port}: {rule}")


class TakDoor:
    """
    What a TAK server hands to its clients.

    Parameters
    ----------
    name : str
        The door's.
    server : TakServer
        Whom to call.
    reader : CotReader
        Reads it.
    now : callable
        Tells the time.
    """

    def __init__(
        self,
        name: str,
        server: TakServer,
        reader: CotReader,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = name
        self._server, self._read, self._now = server, reader, now

    async def run(self, receiver: Receiver) -> None:
        """
        Listen until cancelled.

        Parameters
        ----------
        receiver : Receiver
            While it takes what came, more waits at the server.

        Raises
        ------
        SourceUnreachableError
            If the server cannot be reached, or is lost.
        """
        async with TakLine(self._server, self._now) as line:
            receiver.opened(door=self.name)
            peer = f"{self._server.host}:{self._server.port}"
            async for data in line.pieces():
                arrived_at = self._now()
                heard: Sequence[Heard] = self._read(data, arrived_at)
                await receiver.take(heard, door=self.name, peer=peer, arrived_at=arrived_at)
                if pong := pong_for(heard, arrived_at):
                    await line.send(pong)


def _told(error: BaseException) -> str:
    """Say what an error is; some say nothing themselves."""
    return str(error) or type(error).__name__

"""Connections: senders that keep one open and send line after line."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from data.errors import SourceUnreachableError
from data.feeds.heard import Refusal
from data.feeds.listening import plain

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from data.feeds.door import Receiver
    from data.feeds.heard import Heard
    from data.feeds.senders import Senders

MOST_CONNECTIONS = 5000
LONGEST_LINE = 10_000
PIECE = 65_536
IDLE_S = 900.0  # a parked car's heartbeat is sooner


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
    by_certificate : bool
        Devices are called by the common name of their certificate, whatever they call themselves.
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
        by_certificate: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name, self.host, self.port = name, host, port
        self._senders, self._tls, self._now = senders, tls, now
        self._by_certificate = by_certificate
        self._talks: set[asyncio.Task[None]] = set()

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
        try:
            reason, name = self._senders.stranger(peer), ""
            if self._by_certificate:
                name = common_name(writer.get_extra_info("peercert"))
                rule = f"peer={peer}: must have a certificate with a common name"
                reason = reason or ("" if name else rule)
            if len(self._talks) > MOST_CONNECTIONS:
                reason = f"peer={peer}: must be one of at most {MOST_CONNECTIONS} connections"
            if reason:
                await self._refuse(receiver, peer, b"", reason)
            else:
                await self._hear(reader, receiver, peer, name)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _hear(
        self, reader: asyncio.StreamReader, receiver: Receiver, peer: str, name: str
    ) -> None:
        """Read line after line, as fast as the sender may send."""
        parse, rest = self._senders.reader(), b""
        while True:
            try:
                piece = await asyncio.wait_for(reader.read(PIECE), IDLE_S)
            except (OSError, TimeoutError):  # the other end is gone
                piece = b""
            lines, end, rest = (rest + piece).rpartition(b"\n") if piece else (rest, b"", b"")
            arrived_at = self._now()
            heard = called(name, parse(lines + end, arrived_at))
            if heard:
                await receiver.take(heard, door=self.name, peer=peer, arrived_at=arrived_at)
                await asyncio.sleep(self._senders.wait_s(peer, len(heard)))
            if len(rest) > LONGEST_LINE:
                rule = f"must be lines of at most {LONGEST_LINE} bytes; the connection was ended"
                await self._refuse(receiver, peer, rest, f"peer={peer}: {rule}")
                return
            if not piece:
                return

    async def _refuse(self, receiver: Receiver, peer: str, raw: bytes, reason: str) -> None:
        """Have it kept why something was not heard."""
        refusal = Refusal(raw=raw, reason=reason)
        await receiver.take([refusal], door=self.name, peer=peer, arrived_at=self._now())


def common_name(certificate: Mapping[str, Any] | None) -> str:
    """
    Read whose certificate it is.

    Parameters
    ----------
    certificate : mapping or None
        As `ssl` gives one that was held to its authority.

    Returns
    -------
    name : str
        The common name of its subject; empty where it has none.
    """
    parts = [pair for part in (certificate or {}).get("subject", ()) for pair in part]
    return next((str(value).strip() for key, value in parts if key == "commonName"), "")


def called(name: str, heard: list[Heard]) -> list[Heard]:
    """
    Call devices by a name that is known for sure.

    Returns
    -------
    heard : list of Heard
        As it was, where the name is empty.
    """
    return [
        one if isinstance(one, Refusal) or not name else replace(one, device=name) for one in heard
    ]

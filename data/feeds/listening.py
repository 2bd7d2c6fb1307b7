"""Datagrams: in-car routers that send their sentences by UDP."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import defaultdict
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from data.errors import SourceUnreachableError
from data.feeds.heard import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from data.feeds.door import Receiver
    from data.feeds.heard import Heard, Parser

AT_ONCE = 1000
LARGEST = 65_535
BUFFER = 8_000_000
SO_RXQ_OVFL = 40  # Linux: every datagram comes with how many were dropped before it


class UdpDoor:
    """
    A UDP port.

    Parameters
    ----------
    name : str
        The door's.
    host, port
        To listen on; port 0 takes any, then `port` tells which.
    parse : Parser
        Of what comes.
    allowed : sequence of str
        Networks that may send, such as ``10.8.0.0/16``; none allows all.
    now : callable
        Tells the time.

    Attributes
    ----------
    dropped : int
        Datagrams that came faster than they were taken, where the system tells; they are gone.
    """

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        parse: Parser,
        allowed: Sequence[str] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name, self.host, self.port = name, host, port
        self._parse, self._now = parse, now
        self._allowed = [ip_network(one) for one in allowed]
        self.dropped = 0

    async def run(self, receiver: Receiver) -> None:
        """
        Listen until cancelled.

        Parameters
        ----------
        receiver : Receiver
            While it takes what came, more waits in the system's buffer.

        Raises
        ------
        SourceUnreachableError
            If the port cannot be had.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as port:
            try:
                port.bind((self.host, self.port))
            except OSError as error:
                rule = f"cannot be listened on ({error.strerror}); is it taken?"
                where = f"feeds.{self.name}.listen={self.host}:{self.port}"
                raise SourceUnreachableError(f"{where}: {rule}") from error
            self.port = port.getsockname()[1]
            port.setblocking(False)
            port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            if sys.platform == "linux":
                port.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
            receiver.opened(door=self.name)
            while True:
                await _readable(port)
                before = self.dropped
                came, arrived_at = self._drain(port), self._now()
                if self.dropped != before:
                    receiver.lost(self.dropped, door=self.name)
                for peer, parts in came.items():
                    heard = self._read(peer, parts, arrived_at)
                    await receiver.take(heard, door=self.name, peer=peer, arrived_at=arrived_at)

    def _drain(self, port: socket.socket) -> dict[str, list[bytes]]:
        """Take what waits, by sender."""
        came: dict[str, list[bytes]] = defaultdict(list)
        for _ in range(AT_ONCE):
            try:
                data, told, _, address = port.recvmsg(LARGEST, socket.CMSG_SPACE(4))
            except BlockingIOError:
                break
            for level, kind, count in told:
                if (level, kind) == (socket.SOL_SOCKET, SO_RXQ_OVFL):
                    self.dropped = int.from_bytes(count[:4], sys.byteorder)
            came[_plain(address[0])].append(data)
        return came

    def _read(self, peer: str, parts: list[bytes], arrived_at: datetime) -> list[Heard]:
        """Read what one sender sent."""
        if self._allowed and not any(ip_address(peer) in one for one in self._allowed):
            networks = ", ".join(map(str, self._allowed))
            rule = f"must be in {networks}; see feeds.{self.name}.from"
            return [Refusal(raw=one, reason=f"peer={peer}: {rule}") for one in parts]
        return [one for part in parts for one in self._parse(part, arrived_at)]


def _plain(peer: str) -> str:
    """Write an IPv4 address as one, also where it comes to a port of IPv6."""
    address = ip_address(peer.partition("%")[0])
    return str(getattr(address, "ipv4_mapped", None) or address)


async def _readable(port: socket.socket) -> None:
    """Wait until something has come."""
    loop = asyncio.get_running_loop()
    came = loop.create_future()

    def tell() -> None:
        if not came.done():
            came.set_result(None)

    loop.add_reader(port.fileno(), tell)
    try:
        await came
    finally:
        loop.remove_reader(port.fileno())

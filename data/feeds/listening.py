"""Datagrams: in-car routers that send their sentences by UDP."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Address, ip_address
from socket import inet_aton
from typing import TYPE_CHECKING

from data.errors import SourceUnreachableError
from data.feeds.heard import Sighting

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.feeds.door import Receiver
    from data.feeds.heard import Heard
    from data.feeds.senders import Senders

AT_ONCE = 1000
LARGEST = 65_535
MOST_KNOWN = 20_000
BUFFER = 8_000_000
SO_MEMINFO, MEMINFO_DROPS = 55, 8  # Linux: figures of a socket, each of four bytes


class UdpDoor:
    """
    A UDP port.

    Parameters
    ----------
    name : str
        The door's.
    host, port
        To listen on; port 0 takes any, then `port` tells which. A multicast group is joined.
    senders : Senders
        Who may send, and how much.
    now : callable
        Tells the time.
    interface : str
        The address, IPv4, of the interface at which a group is joined; empty: the system chooses.
    """

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        senders: Senders,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        interface: str = "",
    ) -> None:
        self.name, self.host, self.port = name, host, port
        self._senders, self._now, self._interface = senders, now, interface
        self._missed = 0

    @property
    def dropped(self) -> int:
        """
        Datagrams that are gone.

        They came faster than they were taken, where the system tells, or of one sender faster
        than he may.
        """
        return self._missed + self._senders.over

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
                if is_group(self.host):
                    port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    joined = inet_aton(self.host) + inet_aton(self._interface or "0.0.0.0")  # noqa: S104 - any
                    port.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
                port.bind((self.host, self.port))
            except OSError as error:
                rule = f"cannot be listened on ({error.strerror}); is it taken?"
                where = f"feeds.{self.name}.listen={self.host}:{self.port}"
                raise SourceUnreachableError(f"{where}: {rule}") from error
            self.port = port.getsockname()[1]
            port.setblocking(False)
            port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            receiver.opened(door=self.name)
            while True:
                before = self.dropped
                came, arrived_at = await _drained(port), self._now()
                await asyncio.gather(
                    *(
                        receiver.take(heard, door=self.name, peer=peer, arrived_at=arrived_at)
                        for peer, heard in self._read(came, arrived_at)
                        if heard
                    )
                )
                self._missed = _missed(port)
                if self.dropped != before:
                    receiver.lost(self.dropped, door=self.name)

    def _read(
        self, came: dict[str, list[bytes]], arrived_at: datetime
    ) -> list[tuple[str, list[Heard]]]:
        """Give what each sent; those who sent nothing but fixes are taken together, unnamed."""
        together: list[Heard] = []
        apart = []
        for peer, parts in came.items():
            heard = self._senders.read(peer, parts, arrived_at)
            seen = [one for one in heard if isinstance(one, Sighting)]
            if len(seen) < len(heard):
                apart.append((peer, heard))
            else:
                together += [one if one.device else replace(one, device=peer) for one in seen]
        return [*apart, ("", together)] if together else apart


def is_group(host: str) -> bool:
    """
    Tell whether an address is that of a multicast group, IPv4.

    Returns
    -------
    group : bool
        False for names too.
    """
    try:
        return IPv4Address(host).is_multicast
    except ValueError:
        return False


@lru_cache(MOST_KNOWN)
def plain(peer: str) -> str:
    """
    Write an IPv4 address as one, also where it comes to a port of IPv6.

    Returns
    -------
    address : str
        Without a zone.
    """
    address = ip_address(peer.partition("%")[0])
    return str(getattr(address, "ipv4_mapped", None) or address)


async def _drained(port: socket.socket) -> dict[str, list[bytes]]:
    """Wait until something has come, and take what waits, by sender."""
    await _readable(port)
    came: dict[str, list[bytes]] = defaultdict(list)
    for _ in range(AT_ONCE):
        try:
            data, address = port.recvfrom(LARGEST)
        except BlockingIOError:
            break
        came[plain(address[0])].append(data)
    return came


def _missed(port: socket.socket) -> int:
    """Count what came faster than it was taken, where the system tells."""
    if sys.platform != "linux":
        return 0
    figures = port.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4 * (MEMINFO_DROPS + 1))
    return int.from_bytes(figures[4 * MEMINFO_DROPS :], sys.byteorder)


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

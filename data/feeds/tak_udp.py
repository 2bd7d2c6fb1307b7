"""Cursor-on-Target by datagrams: to one address, or to a multicast group."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from socket import inet_aton
from typing import TYPE_CHECKING, Any, Self

from data.errors import SourceUnreachableError
from data.feeds.listening import is_group

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(slots=True)
class UdpLine:
    """
    A place that datagrams are sent to; nothing is heard of it.

    Parameters
    ----------
    where : str
        What its setting is called, for messages.
    host, port
        An address or a name; a group is reached on the local network only (TTL 1).
    interface : str
        The address, IPv4, of the interface that sends to a group; empty: the system chooses.
    """

    where: str
    host: str
    port: int
    interface: str = ""
    _out: socket.socket | None = None
    _address: tuple[Any, ...] = ()

    async def __aenter__(self) -> Self:
        """
        Open it.

        Raises
        ------
        SourceUnreachableError
            If the name is unknown, or the network cannot be reached.
        """
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                self.host, self.port, type=socket.SOCK_DGRAM
            )
            family, kind, _, _, self._address = found[0]
            self._out = socket.socket(family, kind)
            self._out.setblocking(False)
            if self.interface and is_group(self.host):
                own = inet_aton(self.interface)
                self._out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
        except OSError as error:
            await self.__aexit__()
            raise self._unreachable(error) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        if self._out is not None:
            self._out.close()

    async def send(self, data: bytes) -> None:
        """
        Send one event; whether it is heard nobody tells.

        Raises
        ------
        SourceUnreachableError
            If the system will not send it: there is no way there, or it is longer than a datagram.
        """
        assert self._out is not None  # noqa: S101 - whoever sends has opened it
        try:
            self._out.sendto(data, self._address)
        except OSError as error:
            raise self._unreachable(error) from error

    async def pieces(self) -> AsyncIterator[bytes]:
        """
        Hear nothing, for ever.

        Yields
        ------
        events : bytes
            None comes.
        """
        await asyncio.Event().wait()
        yield b""

    def _unreachable(self, error: OSError) -> SourceUnreachableError:
        """Say what is wrong with it."""
        place = f"{self.where}={self.host}:{self.port}"
        return SourceUnreachableError(f"{place}: cannot be sent to ({error.strerror})")

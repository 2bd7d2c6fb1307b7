"""The doors that listen, made as the settings have them: one line a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.feeds.listening import UdpDoor
from data.feeds.taip import parse_taip

if TYPE_CHECKING:
    from data.feed_settings import AnyFeed
    from data.feeds.door import Door
    from rollby.service.running import Running


def door_of(name: str, feed: AnyFeed, service: Running) -> Door:
    """
    Make a door.

    Returns
    -------
    door : Door
        As the settings have it.
    """
    host, port = _host_port(feed.listen)
    return UdpDoor(name, host, port, parse_taip, feed.senders, now=service.now)


def _host_port(listen: str) -> tuple[str, int]:
    """Part an address."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)

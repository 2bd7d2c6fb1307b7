"""The doors that listen, made as the settings have them: one line a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.feeds.listening import UdpDoor
from data.feeds.taip import parse_taip

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from data.feed_settings import AnyFeed
    from data.feeds.door import Door


def door_of(name: str, feed: AnyFeed, now: Callable[[], datetime]) -> Door:
    """
    Make a door.

    Parameters
    ----------
    name : str
        Of the feed.
    feed : AnyFeed
        Its settings.
    now : callable
        Tells the time.

    Returns
    -------
    door : Door
        As the settings have it.
    """
    host, port = _host_port(feed.listen)
    return UdpDoor(name, host, port, parse_taip, feed.senders, now=now)


def _host_port(listen: str) -> tuple[str, int]:
    """Part an address."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)

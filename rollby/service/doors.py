"""The doors that listen, made as the settings have them: one line a kind."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from data.errors import InputError
from data.feeds.listening import UdpDoor
from data.feeds.nmea import NmeaReader
from data.feeds.senders import Senders
from data.feeds.streams import TcpDoor
from data.feeds.taip import parse_taip

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from data.feed_settings import AnyFeed, NmeaFeed
    from data.feeds.door import Door
    from data.feeds.heard import Parser

READERS: dict[str, Callable[[], Parser]] = {"taip": lambda: parse_taip, "nmea": NmeaReader}


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

    Raises
    ------
    InputError
        If a certificate cannot be read.
    """
    host, _, port = feed.listen.rpartition(":")
    senders = Senders(name, READERS[feed.kind], feed.senders, feed.most_hz)
    place = (name, host.strip("[]"), int(port), senders)
    if feed.kind == "taip" or feed.transport == "udp":
        return UdpDoor(*place, now)
    return TcpDoor(*place, tls=_tls(name, feed) if feed.transport == "tls" else None, now=now)


def _tls(name: str, feed: NmeaFeed) -> ssl.SSLContext:
    """
    Make what a port with TLS shows, and asks of who calls.

    Raises
    ------
    InputError
        If a file cannot be read, or is none.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=None)
    try:
        context.load_cert_chain(feed.certificate, feed.key)
        if feed.clients:
            context.load_verify_locations(feed.clients)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:
        files = ", ".join(filter(None, (feed.certificate, feed.key, feed.clients)))
        raise InputError(f"feeds.{name}: {files} must be readable PEM files; {error}") from error
    return context

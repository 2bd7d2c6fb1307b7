"""The doors that listen, made as the settings have them: one line a kind."""

from __future__ import annotations

import secrets
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import InputError
from data.feed_settings import CadFolderFeed, CadLayerFeed, TraccarFeed
from data.feeds.cot import CotReader, whole_events
from data.feeds.cot_writing import pong_for
from data.feeds.listening import UdpDoor
from data.feeds.mqtt import Broker, MqttDoor, parse_message
from data.feeds.nmea import NmeaReader
from data.feeds.senders import Senders
from data.feeds.streams import Talk, TcpDoor
from data.feeds.taip import parse_taip
from data.feeds.tak_server import LONGEST_EVENT, TakDoor, TakServer
from data.status_codes import StatusCodes
from rollby.service.sources import source_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from data.cot_settings import CotOut
    from data.feed_settings import AnyFeed, CotFeed, MqttFeed, NmeaFeed, TaipFeed
    from data.feeds.door import Door
    from data.feeds.heard import Parser

NO_CODES = StatusCodes()
READERS: dict[str, Callable[[], Parser]] = {"taip": lambda: parse_taip, "nmea": NmeaReader}


def door_of(
    name: str,
    feed: AnyFeed,
    now: Callable[[], datetime],
    *,
    looking: bool = False,
    codes: StatusCodes = NO_CODES,
) -> Door:
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
    looking : bool
        Take nothing away from who listens for good: a broker keeps what it has for the service, a
        file stays where it is.
    codes : StatusCodes
        What agencies' status codes mean.

    Returns
    -------
    door : Door
        As the settings have it.

    Raises
    ------
    InputError
        If a certificate or a password cannot be read.
    """
    if isinstance(feed, CadFolderFeed | CadLayerFeed | TraccarFeed):
        return source_of(name, feed, now, codes, looking=looking)
    if feed.kind == "mqtt":
        senders = Senders(name, lambda: parse_message, (), feed.most_hz)
        return MqttDoor(name, _broker(name, feed, looking=looking), senders, now)
    if feed.kind == "cot":
        return _cot_door(name, feed, now)
    host, _, port = feed.listen.rpartition(":")
    senders = Senders(name, reader_of(feed), feed.senders, feed.most_hz)
    place = (name, host.strip("[]"), int(port), senders)
    if feed.kind == "taip" or feed.transport == "udp":
        return UdpDoor(*place, now)
    tls = _tls(name, feed) if feed.transport == "tls" else None
    talk = Talk(by_certificate=feed.named_by == "certificate")
    return TcpDoor(*place, tls=tls, talk=talk, most_of_one=feed.most_connections, now=now)


def reader_of(feed: TaipFeed | NmeaFeed | CotFeed) -> Callable[[], Parser]:
    """
    Say what reads what devices send.

    Returns
    -------
    reader : callable
        Makes a parser, one a sender.
    """
    if feed.kind != "cot":
        return READERS[feed.kind]
    reader = _cot_reader(feed)
    return lambda: reader


def _cot_reader(feed: CotFeed) -> CotReader:
    """Make what reads Cursor-on-Target."""
    known = frozenset(feed.devices) if feed.others == "count" else None
    return CotReader("callsign" if feed.named_by == "callsign" else "uid", known)


def _cot_door(name: str, feed: CotFeed, now: Callable[[], datetime]) -> Door:
    """Make a door for TAK clients, or one to a TAK server."""
    if feed.server:
        return TakDoor(name, tak_server(f"feeds.{name}", feed), _cot_reader(feed), now)
    host, _, port = feed.listen.rpartition(":")
    senders = Senders(name, reader_of(feed), feed.senders, feed.most_hz)
    place = (name, host.strip("[]"), int(port), senders)
    if feed.transport == "udp":
        return UdpDoor(*place, now, feed.interface)
    talk = Talk(whole_events, LONGEST_EVENT, pong_for, feed.named_by == "certificate")
    tls = _tls(name, feed) if feed.transport == "tls" else None
    return TcpDoor(*place, tls=tls, talk=talk, most_of_one=feed.most_connections, now=now)


def tak_server(where: str, one: CotFeed | CotOut) -> TakServer:
    """
    Say how a TAK server is called.

    Parameters
    ----------
    where : str
        Its table in the settings.
    one : CotFeed or CotOut
        That table.

    Returns
    -------
    server : TakServer
        As the settings have it.

    Raises
    ------
    InputError
        If a certificate cannot be read.
    """
    host, _, port = one.server.rpartition(":")
    tls = _client_tls(where, one) if one.transport == "tls" else None
    return TakServer(
        where=f"{where}.server",
        host=host.strip("[]"),
        port=int(port),
        tls=tls,
        called=one.server_name,
    )


def _tls(name: str, feed: NmeaFeed | CotFeed) -> ssl.SSLContext:
    """
    Make what a port with TLS shows, and asks of who calls.

    Raises
    ------
    InputError
        If a file cannot be read, or is none.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=None)
    try:
        context.load_cert_chain(feed.certificate, feed.key, _no_password)
        if feed.clients:
            context.load_verify_locations(feed.clients)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:
        files = ", ".join(filter(None, (feed.certificate, feed.key, feed.clients)))
        raise InputError(f"feeds.{name}: {files} must be readable PEM files; {error}") from error
    return context


def _broker(name: str, feed: MqttFeed, *, looking: bool) -> Broker:
    """
    Say how a broker is called.

    Raises
    ------
    InputError
        If a file cannot be read, or is none.
    """
    host, _, port = feed.broker.rpartition(":")
    client_id, password = feed.client_id or f"rollby-{name}", ""
    if feed.password_file:
        try:
            password = Path(feed.password_file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            field = f"feeds.{name}.password_file={feed.password_file}"
            raise InputError(f"{field}: must be a file with the password; {error}") from error
    return Broker(
        host=host.strip("[]"),
        port=int(port),
        client_id=f"{client_id}-look-{secrets.token_hex(4)}" if looking else client_id,
        kept=not looking,
        topics=tuple(feed.topics),
        named_by=feed.named_by,
        user=feed.user,
        password=password,
        tls=_client_tls(f"feeds.{name}", feed) if feed.transport == "tls" else None,
    )


def _client_tls(where: str, feed: MqttFeed | CotFeed | CotOut) -> ssl.SSLContext:
    """
    Make what a broker or a TAK server is asked to show, and is shown.

    Raises
    ------
    InputError
        If a file cannot be read, or is none.
    """
    try:
        context = ssl.create_default_context(cafile=feed.authority or None)
        if feed.certificate:
            context.load_cert_chain(feed.certificate, feed.key, _no_password)
    except OSError as error:
        files = ", ".join(filter(None, (feed.authority, feed.certificate, feed.key)))
        raise InputError(f"{where}: {files} must be readable PEM files; {error}") from error
    return context


def _no_password() -> str:
    """
    Answer for whoever would be asked at a terminal for a key's password.

    Raises
    ------
    OSError
        Always.
    """
    raise OSError("the key has a password: write it out without (openssl pkey -in KEY -out KEY)")

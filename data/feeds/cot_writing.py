"""Cursor-on-Target as it is sent: markers, their end, chat lines, and the pings of a connection."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from data.feeds.cot import PING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from data.feeds.heard import Heard

# TAK servers want this line before every event, and nothing after it.
DECLARATION = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
NOWHERE = 9999999.0
EVERYBODY = "All Chat Rooms"  # the room that every client has
PING_S = 10.0
SPOT = "b-m-p-s-m"
SENDER = "rollby"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """
    A spot on the maps of those it is for.

    Parameters
    ----------
    uid : str
        Its name: the same again moves or renames it.
    lon_deg, lat_deg : float
        WGS 84.
    label, text : str
        What stands beside it, and what is told of it.
    argb : int
        Its colour, 0xAARRGGBB.
    to : tuple of str
        Callsigns that a TAK server hands it to; none: everybody there.
    """

    uid: str
    lon_deg: float
    lat_deg: float
    label: str
    text: str
    argb: int
    to: tuple[str, ...] = ()


def write_event(
    kind: str,
    uid: str,
    at: datetime,
    *,
    stale_s: float,
    how: str = "m-p",
    point: tuple[float, float] = (0.0, 0.0),
    error_m: float | None = None,
    detail: Sequence[Element] = (),
) -> bytes:
    """
    Write an event of XML as a TAK server takes it.

    Parameters
    ----------
    kind, uid : str
        Its CoT type and name.
    at : datetime
        Its time and start.
    stale_s : float
        How long it holds.
    how : str
        How it is known; ``m-p``: passed on by a machine.
    point : (float, float)
        Longitude and latitude, degrees.
    error_m : float or None
        Radius of the error.
    detail : sequence of Element
        What else.

    Returns
    -------
    event : bytes
        Whatever the texts hold, it is one event of XML.
    """
    event = Element("event", version="2.0", uid=_clean(uid), type=kind, how=how)
    event.attrib |= {"time": _instant(at), "start": _instant(at)}
    event.set("stale", _instant(at + timedelta(seconds=stale_s)))
    unknown = f"{NOWHERE}"
    error = unknown if error_m is None else f"{error_m:.1f}"
    place = {"lat": f"{point[1]:.7f}", "lon": f"{point[0]:.7f}"}
    SubElement(event, "point", place | {"hae": unknown, "ce": error, "le": unknown})
    SubElement(event, "detail").extend(detail)
    return DECLARATION + bytes(tostring(event, encoding="utf-8"))


def element(tag: str, text: str = "", /, **attributes: str) -> Element:
    """
    Make a part of a detail.

    Returns
    -------
    element : Element
        Characters that no XML may hold are shown as U+FFFD.
    """
    made = Element(tag, {name: _clean(value) for name, value in attributes.items()})
    made.text = _clean(text) or None
    return made


def write_marker(marker: Marker, at: datetime, stale_s: float) -> bytes:
    """
    Write a marker.

    Parameters
    ----------
    marker : Marker
        What.
    at : datetime
        As of when.
    stale_s : float
        How long it holds where nothing more is heard.

    Returns
    -------
    event : bytes
        XML.
    """
    argb = str(marker.argb - 2**32 if marker.argb >= 2**31 else marker.argb)
    detail = [
        element("contact", callsign=marker.label),
        element("remarks", marker.text, source=SENDER),
        element("color", argb=argb),
        element("usericon", iconsetpath=f"COT_MAPPING_SPOTMAP/{SPOT}/{argb}"),
        *_addressed(marker.to),
    ]
    point = marker.lon_deg, marker.lat_deg
    return write_event(SPOT, marker.uid, at, stale_s=stale_s, point=point, detail=detail)


def write_delete(marker: Marker, at: datetime, stale_s: float) -> bytes:
    """
    Take a marker off the maps.

    Returns
    -------
    event : bytes
        XML.
    """
    link = element("link", uid=marker.uid, relation="none", type=SPOT)
    detail = [link, element("__forcedelete"), *_addressed(marker.to)]
    uid = f"{marker.uid}.gone"
    return write_event("t-x-d-d", uid, at, stale_s=stale_s, detail=detail)


def write_chat(
    number: str, text: str, at: datetime, stale_s: float, to: tuple[str, str] | None = None
) -> bytes:
    """
    Write a line of chat.

    Parameters
    ----------
    number : str
        Its own name.
    text : str
        The line.
    at : datetime
        When it is said.
    stale_s : float
        How long it is handed on.
    to : (str, str) or None
        Callsign and uid of whom it is for; None: everybody there, in the room that all have.

    Returns
    -------
    event : bytes
        XML.
    """
    room, uid = to or (EVERYBODY, EVERYBODY)
    chat = element(
        "__chat",
        parent="RootContactGroup",
        groupOwner="false",
        messageId=number,
        chatroom=room,
        id=uid,
        senderCallsign=SENDER,
    )
    chat.append(element("chatgrp", uid0=SENDER, uid1=uid, id=uid))
    detail = [
        chat,
        element("link", uid=SENDER, type="a-f-G", relation="p-p"),
        element("remarks", text, source=f"BAO.F.ATAK.{SENDER}", to=uid, time=_instant(at)),
        *_addressed([room] if to else []),
    ]
    name = f"GeoChat.{SENDER}.{uid}.{number}"
    return write_event("b-t-f", name, at, stale_s=stale_s, how="h-g-i-g-o", detail=detail)


def write_ping(at: datetime) -> bytes:
    """
    Ask a TAK server whether it is there.

    Returns
    -------
    event : bytes
        XML.
    """
    return write_event("t-x-c-t", f"{SENDER}-ping", at, stale_s=PING_S, how="m-g")


def pong_for(heard: Sequence[Heard], at: datetime) -> bytes:
    """
    Answer pings: a client that hears nothing for some 25 s takes the connection for dead.

    Returns
    -------
    event : bytes
        XML; empty where there was none.
    """
    if not any(getattr(one, "kind", "") == PING for one in heard):
        return b""
    return write_event("t-x-c-t-r", "takPong", at, stale_s=PING_S, how="h-g-i-g-o")


def _addressed(to: Sequence[str]) -> list[Element]:
    """Tell a TAK server whom to hand it to."""
    if not to:
        return []
    marti = Element("marti")
    marti.extend(element("dest", callsign=one) for one in to)
    return [marti]


def _clean(text: str) -> str:
    """Replace what no XML may hold."""
    return _NO_XML.sub("�", text)


def _instant(at: datetime) -> str:
    """Write an instant as TAK does: in UTC, to the millisecond."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"

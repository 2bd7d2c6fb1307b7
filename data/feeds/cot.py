"""Cursor-on-Target as TAK clients send it: XML, or the TAK protocol's version 1 (protobuf)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from google.protobuf.message import DecodeError
from takproto.proto import TakMessage

from data.errors import FieldError
from data.feeds.heard import Noted, Refusal, Sighting
from data.feeds.instants import AHEAD_S
from data.feeds.json_values import known
from data.records import UnitFix

if TYPE_CHECKING:
    from data.feeds.heard import Heard

FRIENDLY_GROUND = "a-f-G"
UNKNOWN = 999_999.0  # so TAK's protobuf says that a figure is unknown; its XML says 9999999
MOVING_MPS = 2.0  # a slower phone tells where it points, not where the car goes
PING = "ping"
# By the first that fits: what comes beside positions. "other" is whatever no line names.
KINDS = (
    ("t-x-c-t-r", "pong"),
    ("t-x-c-t", PING),
    ("t-x-takp", "protocol"),
    ("t-x-d-d", "delete"),
    ("b-t-f", "chat"),
    ("b-a", "alert"),
    ("b-m", "marker"),
    ("a-", "not ground friendly"),
)
MAGIC = 0xBF
MESH = b"\xbf\x01\xbf"
END = b"</event>"
_SPACE = re.compile(rb"\s*")
_NOT_MEASURED = ("h", "m-s", "m-c")  # typed by a human, simulated, configured


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """What one event says, as it says it: text from XML, figures from protobuf."""

    kind: str
    uid: str
    callsign: str
    how: str
    time: str | int | None
    start: str | int | None
    stale: str | int | None
    lat: str | float | None
    lon: str | float | None
    ce: str | float | None
    speed: str | float | None
    course: str | float | None


@dataclass(frozen=True, slots=True)
class CotReader:
    """
    Reads what TAK clients and servers send.

    Parameters
    ----------
    named_by : str
        ``uid``, or ``callsign``: what names the device.
    known : frozenset of str or None
        Devices whose positions are read, others' are counted; None: all.
    """

    named_by: str = "uid"
    known: frozenset[str] | None = None

    def __call__(self, data: bytes, arrived_at: datetime) -> list[Heard]:
        """
        Read a datagram, or whole events of a stream.

        Parameters
        ----------
        data : bytes
            XML events, protobuf with the stream's header, or one with the mesh's.
        arrived_at : datetime
            When, timezone-aware: by it an event is stale.

        Returns
        -------
        heard : list of Sighting, Noted or Refusal
            A sighting for each ``a-f-G...`` that was measured and is not stale.
        """
        events, rest = split_events(data)
        return [self._heard(raw, arrived_at) for raw in [*events, *([rest] if rest else [])]]

    def _heard(self, raw: bytes, arrived_at: datetime) -> Heard:
        """Read one event."""
        try:
            return self._read(raw, arrived_at)
        except FieldError as error:
            return Refusal(raw=raw, reason=str(error))

    def _read(self, raw: bytes, arrived_at: datetime) -> Sighting | Noted:
        """
        Read one event.

        Raises
        ------
        FieldError
            If it is none, or tells no position that may be believed.
        """
        event = _of_protobuf(raw) if raw[0] == MAGIC else _of_xml(raw)
        if event is None:
            return Noted(kind="protocol", device="", raw=raw)
        device = event.uid if self.named_by == "uid" else event.callsign
        if event.kind != FRIENDLY_GROUND and not event.kind.startswith(f"{FRIENDLY_GROUND}-"):
            return Noted(kind=_kind(event.kind), device=device, raw=raw)
        if not device:
            rule = "must be there; it names the device, see named_by"
            raise FieldError(f"cot {self.named_by}", "", rule)
        if self.known is not None and device not in self.known:
            return Noted(kind="foreign", device=device, raw=raw)
        return Sighting(device=device, fix=_fix(event, arrived_at.astimezone(UTC)), raw=raw)


def split_events(data: bytes) -> tuple[list[bytes], bytes]:
    """
    Part a stream into events.

    Parameters
    ----------
    data : bytes
        From an event's beginning: XML ends with ``</event>``, protobuf says its length; one with
        the header of the mesh goes on to the end of whatever it came in.

    Returns
    -------
    events : list of bytes
        Whole ones, without the white space between them.
    rest : bytes
        What has no end yet.
    """
    events: list[bytes] = []
    at = 0
    while (at := _SPACE.match(data, at).end()) < len(data):  # type: ignore[union-attr]
        end = _end(data, at)
        if end is None:
            return events, data[at:]
        events.append(data[at:end])
        at = end
    return events, b""


def whole_events(data: bytes) -> tuple[bytes, bytes]:
    """
    Tell what of a stream can be read, and what must wait for more.

    Returns
    -------
    whole, rest : bytes
        Together they are `data`.
    """
    rest = split_events(data)[1]
    return data[: len(data) - len(rest)], rest


def _end(data: bytes, at: int) -> int | None:
    """Find where an event ends; None where it has not come yet."""
    if data[at] != MAGIC:
        found = data.find(END, at)
        return None if found < 0 else found + len(END)
    if data.startswith(MESH, at):
        return None
    start, length = _varint(data, at + 1)
    return None if start is None or start + length > len(data) else start + length


def _varint(data: bytes, at: int) -> tuple[int | None, int]:
    """Read a length: where it ends, None where it does not, and the number."""
    number = 0
    for shift in range(5):
        if at + shift >= len(data):
            break
        byte = data[at + shift]
        number |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a varint
            return at + shift + 1, number
    return None, 0


def _of_xml(raw: bytes) -> _Event:
    """
    Read an event of XML.

    Raises
    ------
    FieldError
        If it is none, or carries a document type: that is where entity bombs are.
    """
    try:
        top = fromstring(raw, forbid_dtd=True)
    except DefusedXmlException as error:
        rule = "must have no document type and no entities; they are not read"
        raise FieldError("cot xml", type(error).__name__, rule) from error
    except (ParseError, ValueError, LookupError) as error:
        rule = f"must be one XML event, or protobuf that begins with bf; {error}"
        raise FieldError("cot xml", _shown(raw), rule) from error
    if top.tag != "event":
        raise FieldError("cot xml", top.tag, "must be an event")

    def of(path: str, name: str) -> str | None:
        found = top.find(path)
        return None if found is None else found.get(name)

    return _Event(
        kind=top.get("type", ""),
        uid=top.get("uid", "").strip(),
        callsign=(of("detail/contact", "callsign") or "").strip(),
        how=top.get("how", ""),
        time=top.get("time"),
        start=top.get("start"),
        stale=top.get("stale"),
        lat=of("point", "lat"),
        lon=of("point", "lon"),
        ce=of("point", "ce"),
        speed=of("detail/track", "speed"),
        course=of("detail/track", "course"),
    )


def _of_protobuf(raw: bytes) -> _Event | None:
    """
    Read an event of protobuf; None for a message that has no event.

    Raises
    ------
    FieldError
        If it is damaged or cut short.
    """
    start, length = _varint(raw, 1)
    if raw.startswith(MESH):
        start, length = len(MESH), len(raw) - len(MESH)
    if start is None or start + length > len(raw):
        raise FieldError("cot protobuf", _shown(raw), "must be as long as it says; it is cut short")
    try:
        message = TakMessage.FromString(raw[start:])
    except DecodeError as error:
        rule = f"must be a TakMessage of TAK protocol 1; {error}"
        raise FieldError("cot protobuf", _shown(raw), rule) from error
    if not message.HasField("cotEvent"):
        return None
    event = message.cotEvent
    track = event.detail.track if event.detail.HasField("track") else None
    return _Event(
        kind=event.type,
        uid=event.uid.strip(),
        callsign=event.detail.contact.callsign.strip(),
        how=event.how,
        time=event.sendTime,
        start=event.startTime,
        stale=event.staleTime,
        lat=event.lat,
        lon=event.lon,
        ce=event.ce,
        speed=track.speed if track else None,
        course=track.course if track else None,
    )


def _kind(kind: str) -> str:
    """Call what tells no position by one of a handful of words."""
    return next((word for start, word in KINDS if kind.startswith(start)), "other")


def _fix(event: _Event, arrived_at: datetime) -> UnitFix:
    """
    Make a fix of an event.

    Raises
    ------
    FieldError
        If it was not measured, is stale, yet to come, or a figure is missing or out of range.
    """
    if not event.how or event.how.startswith(_NOT_MEASURED):
        rule = "must be measured (m-g for GPS), not entered by hand, configured or simulated"
        raise FieldError("cot how", event.how, rule)
    lat_deg, lon_deg = _number("lat", event.lat), _number("lon", event.lon)
    if lat_deg is None or lon_deg is None:
        missing = "lat" if lat_deg is None else "lon"
        raise FieldError(f"cot {missing}", "", "must be there")
    if lat_deg == 0 == lon_deg:
        raise FieldError("lon,lat", "0,0", "must be a real position; this is a GPS without a fix")
    error_m = _number("ce", event.ce)
    speed_mps = known(_number("speed", event.speed))
    course_deg = known(_number("course", event.course))
    return UnitFix(
        fixed_at=_instant(event, arrived_at),
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        heading_deg=course_deg if speed_mps is not None and speed_mps >= MOVING_MPS else None,
        speed_mps=speed_mps,
        # Protobuf cannot tell what is left out from 0, and nobody measures to 0 m.
        accuracy_m=error_m if error_m and 0 < error_m < UNKNOWN else None,
    )


def _instant(event: _Event, arrived_at: datetime) -> datetime:
    """
    Say when a fix was taken.

    Raises
    ------
    FieldError
        If the event is stale or yet to come, or an instant is missing or malformed.
    """
    time, start = _time("time", event.time), _time("start", event.start)
    stale = _time("stale", event.stale)
    if stale < start:
        raise FieldError("cot stale", event.stale, f"must not be before start ({event.start})")
    if stale <= arrived_at:
        late_s = (arrived_at - stale).total_seconds()
        rule = f"must be after its arrival; it came {late_s:.0f} s too late, or a clock is wrong"
        raise FieldError("cot stale", event.stale, rule)
    fixed_at = min(time, start)  # sent again, an event keeps its start: it is no younger for that
    ahead_s = (fixed_at - arrived_at).total_seconds()
    if ahead_s > AHEAD_S:
        rule = f"must not be {ahead_s:.0f} s after its arrival; set the device's clock"
        raise FieldError("cot time", event.time, rule)
    return fixed_at


def _time(name: str, value: str | int | None) -> datetime:
    """
    Read an instant: ISO 8601, or milliseconds since the epoch.

    Raises
    ------
    FieldError
        If it is neither, or has no offset.
    """
    try:
        if isinstance(value, int):
            if value:
                return datetime.fromtimestamp(value / 1000, UTC)
        elif value and (instant := datetime.fromisoformat(value)).utcoffset() is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    rule = "must be an instant such as 2026-11-24T12:00:00.000Z, or milliseconds since 1970"
    raise FieldError(f"cot {name}", value, rule)


def _number(name: str, value: str | float | None) -> float | None:
    """
    Read a figure; None where it is left out or is no number by its sender's own word.

    Raises
    ------
    FieldError
        If it is something else.
    """
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        raise FieldError(f"cot {name}", value, "must be a number") from None
    return None if math.isnan(number) else number


def _shown(raw: bytes) -> str:
    """Show how something begins."""
    return raw[:40].decode("ascii", errors="backslashreplace")

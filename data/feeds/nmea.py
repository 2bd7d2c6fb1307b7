"""NMEA 0183 as in-car routers send it: RMC, or GGA with VTG, and the router's name with them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING, NamedTuple

from data.errors import FieldError
from data.feeds.heard import Refusal, Sighting
from data.feeds.instants import nearest_day, nearest_era
from data.records import UnitFix

if TYPE_CHECKING:
    from data.feeds.heard import Heard

KNOT_TO_MPS = 1852 / 3600
DEAD_RECKONING_M = 50.0  # our assumption, as in `data.feeds.taip`; NMEA tells none
MILLENNIUM = 69  # two digits of a year from here on are of the last century, as POSIX has it

_PARTS = re.compile(rb"[\r\n]+|(?=\$)")
_SENTENCE = re.compile(
    r"\$(?P<body>[A-Z]{2}(?P<kind>[A-Z]{3}),(?P<fields>[^*]*))"
    r"(?:\*(?P<checksum>[0-9A-Fa-f]{2})(?:[, ](?P<after>[\w.:-]{1,40}))?)?",
    re.ASCII,
)
# Cradlepoint's PCPTI, Cypress's PMID, and others of Traccar's collection of real devices.
_NAMING = re.compile(
    r"\$(?:PCPTI|PMID|PGID|DEVID|GPSTN|GPFID|IMEI)[,=](?P<name>[^,*]{1,40})(?:[,*][ -~]*)?"
)
# A name alone, or before a sentence: "ID,", "a/b/ID/", "&&ID".
_NAME = re.compile(r"(?:IMEI )?(?:[\w.: -]+/)*&{0,4}(?P<name>[\w.: -]{1,40})[,/]?", re.ASCII)
_OTHER = re.compile(r"[$!][A-Z][A-Z0-9]{2,},[ -~]*")
_VTG = re.compile(rb"\$[A-Z]{2}VTG,[^*$\r\n]*\*[0-9A-Fa-f]{2}")
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d)(?:\.(\d*))?", re.ASCII)
_DATE = re.compile(r"(\d\d)(\d\d)(\d\d)", re.ASCII)
_ANGLE = re.compile(r"(\d{2,3})([0-5]\d\.\d*)", re.ASCII)
_DECIMAL = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)


class _Told(NamedTuple):
    """What of a sentence's fields tells where, when and how."""

    time: str
    status: str
    lat: str
    north: str
    lon: str
    east: str
    speed: str = ""
    course: str = ""
    date: str = ""
    mode: str = ""


class NmeaReader:
    """
    Reads what one sender sends: some tell their name once for several sentences.

    Attributes
    ----------
    device : str
        What it called itself last; empty while it has not.
    """

    def __init__(self) -> None:
        self.device = ""
        self._tells_rmc = False

    def __call__(self, data: bytes, arrived_at: datetime) -> list[Heard]:
        """
        Read all lines of a datagram, or of a piece of a stream.

        Parameters
        ----------
        data : bytes
            Whole lines.
        arrived_at : datetime
            When, timezone-aware: GGA tells the second of the day only.

        Returns
        -------
        heard : list of Sighting or Refusal
            A sighting for each RMC, and for each GGA of a sender that sends no RMC; nothing for
            names and for other sentences; all else is refused.
        """
        heard: list[Heard] = []
        arrived_at = arrived_at.astimezone(UTC)
        for part in _PARTS.split(data):
            if raw := part.strip():
                try:
                    heard += self._read(raw, data, arrived_at)
                except FieldError as error:
                    heard.append(Refusal(raw=raw, reason=str(error)))
        return heard

    def _read(self, raw: bytes, data: bytes, arrived_at: datetime) -> list[Sighting]:
        """
        Read one sentence, or a name.

        Raises
        ------
        FieldError
            If it is neither, or tells no position that may be believed.
        """
        text = raw.decode("ascii", errors="backslashreplace")
        found = _SENTENCE.fullmatch(text) if raw.isascii() else None
        if found and found["kind"] in {"RMC", "GGA"}:
            fields = _fields(found)
            if found["kind"] == "RMC":
                self._tells_rmc = True
                told = _Told._make([*fields[:9], fields[11]])
            elif self._tells_rmc:
                return []
            else:
                told = _gga(fields, data)
            device = found["after"] or self.device
            return [Sighting(device=device, fix=_fix(told, arrived_at), raw=raw)]
        if name := _NAMING.fullmatch(text) or _NAME.fullmatch(text):
            self.device = name["name"].strip()
        elif not (raw.isascii() and _OTHER.fullmatch(text)):
            rule = "must be a sentence such as $GPRMC,...*hh, or the sender's name before it"
            raise FieldError("nmea", text, rule)
        return []


def checksum(body: str) -> str:
    """
    Give the two digits that follow the asterisk.

    Parameters
    ----------
    body : str
        What stands between ``$`` and ``*``, ASCII.

    Returns
    -------
    digits : str
        Exclusive or of its characters, hexadecimal.
    """
    return f"{reduce(xor, body.encode('ascii'), 0):02X}"


def _fields(found: re.Match[str]) -> list[str]:
    """
    Part a sentence into its fields, at least twelve.

    Raises
    ------
    FieldError
        If it was altered on its way.
    """
    wanted = checksum(found["body"]) if found["checksum"] else ""
    if wanted and found["checksum"].upper() != wanted:
        rule = f"must be {wanted}; the sentence was altered on its way"
        raise FieldError("nmea checksum", found["checksum"], rule)
    fields = found["fields"].split(",")
    return fields + [""] * (12 - len(fields))


def _gga(fields: list[str], data: bytes) -> _Told:
    """
    Read a GGA, with speed and course of a VTG among the lines.

    Raises
    ------
    FieldError
        If it tells no fix, or none that was measured.
    """
    time, lat, north, lon, east, quality = fields[:6]
    if quality in {"7", "8"}:
        raise FieldError("nmea mode", quality, "must be measured, not typed or simulated")
    if quality not in {"1", "2", "3", "4", "5", "6", "9"}:
        raise FieldError("nmea status", quality, "must be valid; no fix yet")
    speed = course = ""
    for raw in _VTG.findall(data) if b"VTG," in data else ():
        found = _SENTENCE.fullmatch(raw.decode("ascii", errors="replace"))
        try:
            course, _, _, _, speed, *_ = _fields(found) if found else [""] * 5
        except FieldError:
            continue
        break
    mode = "E" if quality == "6" else ""
    return _Told(time, "A", lat, north, lon, east, speed, course, mode=mode)


def _fix(told: _Told, arrived_at: datetime) -> UnitFix:
    """
    Make a fix of a sentence's fields.

    Raises
    ------
    FieldError
        If the receiver has no fix, or a figure is missing or out of range.
    """
    if told.status != "A" or told.mode == "N":
        raise FieldError("nmea status", told.status, "must be valid; no fix yet")
    if told.mode in {"M", "S"}:
        raise FieldError("nmea mode", told.mode, "must be measured, not typed or simulated")
    lat_deg = _angle("lat", told.lat, told.north, "NS")
    lon_deg = _angle("lon", told.lon, told.east, "EW")
    if lat_deg == 0 == lon_deg:
        raise FieldError("lon,lat", "0,0", "must be a real position; this is a GPS without a fix")
    speed_kn, course_deg = _decimal("speed", told.speed), _decimal("course", told.course)
    return UnitFix(
        fixed_at=_instant(told, arrived_at),
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        # Whoever stands has no course: receivers then send 0 or what it was.
        heading_deg=course_deg if speed_kn else None,
        speed_mps=None if speed_kn is None else speed_kn * KNOT_TO_MPS,
        accuracy_m=DEAD_RECKONING_M if told.mode == "E" else None,
    )


def _angle(name: str, text: str, side: str, sides: str) -> float:
    """
    Read degrees and minutes.

    Raises
    ------
    FieldError
        If they are missing, or no such figure.
    """
    if not text:
        raise FieldError(f"nmea {name}", "", "must be there; the sentence is cut short")
    found = _ANGLE.fullmatch(text)
    if not found or side not in {*sides}:
        rule = f"must be degrees and minutes such as 3944.4000, then {sides[0]} or {sides[1]}"
        raise FieldError(f"nmea {name}", f"{text},{side}", rule)
    angle_deg = round(int(found[1]) + float(found[2]) / 60, 7)
    return -angle_deg if side == sides[1] else angle_deg


def _decimal(name: str, text: str) -> float | None:
    """
    Read a figure that may be left out.

    Raises
    ------
    FieldError
        If it is none.
    """
    if not text:
        return None
    if not _DECIMAL.fullmatch(text):
        raise FieldError(f"nmea {name}", text, "must be a decimal number, or empty if unknown")
    return float(text)


def _instant(told: _Told, arrived_at: datetime) -> datetime:
    """
    Say when a fix was taken.

    Raises
    ------
    FieldError
        If there is no such instant, or it is yet to come.
    """
    time = _TIME.fullmatch(told.time)
    if not time:
        rule = "must be hhmmss.ss" if told.time else "must be there; the sentence is cut short"
        raise FieldError("nmea time", told.time, rule)
    hour, minute, second = int(time[1]), int(time[2]), int(time[3])
    part_us = int(f"{time[4] or '':<06.6}")
    if not told.date:
        return nearest_day((hour * 60 + minute) * 60 + second + part_us / 1e6, arrived_at)
    date = _DATE.fullmatch(told.date)
    try:
        day, month, year = map(int, date.groups() if date else ())
        year += 1900 if year >= MILLENNIUM else 2000
        instant = datetime(year, month, day, hour, minute, second, part_us, UTC)
    except ValueError as error:
        raise FieldError("nmea date", told.date, "must be ddmmyy") from error
    return nearest_era(instant, arrived_at)

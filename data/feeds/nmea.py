"""NMEA 0183 as in-car routers send it: RMC, or GGA with VTG, and the router's name with them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING, Any

from pynmeagps import NMEAReader
from pynmeagps.exceptions import NMEAMessageError, NMEAParseError, NMEATypeError

from data.errors import FieldError
from data.feeds.heard import Refusal, Sighting
from data.feeds.instants import nearest_day, nearest_era
from data.records import UnitFix

if TYPE_CHECKING:
    from data.feeds.heard import Heard

KNOT_TO_MPS = 1852 / 3600
DEAD_RECKONING_M = 50.0  # our assumption, as in `data.feeds.taip`; NMEA tells none
DATE = 8  # of RMC's fields

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
        motion = _motion(data)
        for part in _PARTS.split(data):
            if raw := part.strip():
                try:
                    heard += self._read(raw, motion, arrived_at.astimezone(UTC))
                except FieldError as error:
                    heard.append(Refusal(raw=raw, reason=str(error)))
        return heard

    def _read(self, raw: bytes, motion: dict[str, Any], arrived_at: datetime) -> list[Sighting]:
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
            values = _values(found)
            if found["kind"] == "RMC":
                self._tells_rmc = True
            elif self._tells_rmc:
                return []
            else:
                values |= motion
            device = found["after"] or self.device
            return [Sighting(device=device, fix=_fix(values, arrived_at), raw=raw)]
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


def _values(found: re.Match[str]) -> dict[str, Any]:
    """
    Read a sentence's fields.

    Raises
    ------
    FieldError
        If it was altered on its way, cut short, or holds what is no figure.
    """
    wanted = checksum(found["body"])
    if found["checksum"] and found["checksum"].upper() != wanted:
        rule = f"must be {wanted}; the sentence was altered on its way"
        raise FieldError("nmea checksum", found["checksum"], rule)
    told = found["fields"].split(",")
    try:
        values = vars(NMEAReader.parse(f"${found['body']}*{wanted}\r\n".encode("ascii")))
    except (NMEAMessageError, NMEAParseError, NMEATypeError, TypeError) as error:
        raise FieldError("nmea", found[0], f"must be as NMEA 0183 has it; {error}") from error
    if values.get("time") == "" and told[0]:
        raise FieldError("nmea time", told[0], "must be hhmmss.ss")
    if values.get("date") == "" and told[DATE]:
        raise FieldError("nmea date", told[DATE], "must be ddmmyy")
    return dict(values)


def _motion(data: bytes) -> dict[str, Any]:
    """Read speed and course of a VTG among the lines."""
    for raw in re.findall(rb"\$[A-Z]{2}VTG,[^*$\r\n]*\*[0-9A-Fa-f]{2}", data):
        found = _SENTENCE.fullmatch(raw.decode("ascii", errors="replace"))
        if found and found["body"].isascii():
            try:
                values = _values(found)
            except FieldError:
                continue
            return {"spd": values.get("sogn"), "cog": values.get("cogt")}
    return {}


def _fix(values: dict[str, Any], arrived_at: datetime) -> UnitFix:
    """
    Make a fix of a sentence's fields; what is left empty is None or "".

    Raises
    ------
    FieldError
        If the receiver has no fix, or a figure is missing or out of range.
    """
    mode = str(values.get("posMode") or "")
    quality = values.get("quality", "")
    if values.get("status", "A") != "A" or quality == 0 or mode == "N":
        raise FieldError("nmea status", values.get("status", quality), "must be valid; no fix yet")
    if mode in {"M", "S"} or quality in {7, 8}:
        raise FieldError("nmea mode", mode or quality, "must be measured, not typed or simulated")
    for name in ("lat", "lon", "time"):
        if values.get(name, "") == "":
            raise FieldError(f"nmea {name}", "", "must be there; the sentence is cut short")
    lat_deg, lon_deg = values["lat"], values["lon"]
    if lat_deg == 0 == lon_deg:
        raise FieldError("lon,lat", "0,0", "must be a real position; this is a GPS without a fix")
    speed_kn, course_deg = values.get("spd"), values.get("cog")
    moving = isinstance(speed_kn, float) and speed_kn > 0
    return UnitFix(
        fixed_at=_instant(values, arrived_at),
        lon_deg=round(lon_deg, 7),
        lat_deg=round(lat_deg, 7),
        # Whoever stands has no course: receivers then send 0 or what it was.
        heading_deg=course_deg if moving and isinstance(course_deg, float) else None,
        speed_mps=speed_kn * KNOT_TO_MPS if isinstance(speed_kn, float) else None,
        accuracy_m=DEAD_RECKONING_M if mode == "E" or quality == 6 else None,  # noqa: PLR2004 - estimated
    )


def _instant(values: dict[str, Any], arrived_at: datetime) -> datetime:
    """
    Say when a fix was taken.

    Raises
    ------
    FieldError
        If it is yet to come.
    """
    time = values["time"]
    if date := values.get("date"):
        return nearest_era(datetime.combine(date, time, UTC), arrived_at)
    second = (time.hour * 60 + time.minute) * 60 + time.second + time.microsecond / 1e6
    return nearest_day(second, arrived_at)

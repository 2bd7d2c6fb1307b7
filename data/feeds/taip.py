"""TAIP, the Trimble ASCII Interface Protocol, as in-car routers send it: PV, CP, LN, EV."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING

from data.errors import FieldError
from data.feeds.heard import Refusal, Sighting
from data.feeds.instants import DAY_S, nearest_day, nearest_week
from data.records import UnitFix

if TYPE_CHECKING:
    from data.feeds.heard import Heard

MPH_TO_MPS = 0.44704
OLD = timedelta(seconds=10)
# Radius of the error by source of the fix, metres; None: an ordinary receiver's, unknown.
SOURCES: dict[str, float | None] = {
    "0": 50.0,  # 2D: the height is guessed
    "1": None,
    "2": 50.0,
    "3": None,
    "6": 50.0,  # dead reckoning
    "8": 150.0,  # degraded dead reckoning
}

_SENTENCE = re.compile(rb"(>[^<>]*<)")
_CHECKSUM = re.compile(r"\*[0-9A-Fa-f]{2}")
_TIME = r"(?P<time>\d{5})"
_PLACE = r"(?P<lat>[+-]\d{7})(?P<lon>[+-]\d{8})(?P<speed>\d{3})(?P<heading>\d{3})"
_CODES = r"(?P<source>\d)(?P<age>\d)"
_LAYOUTS = {
    "PV": re.compile(_TIME + _PLACE + _CODES, re.ASCII),
    "EV": re.compile(r"\d\d(?P<week>\d{4})(?P<day>[0-6])" + _TIME + _PLACE + _CODES, re.ASCII),
    "CP": re.compile(_TIME + r"(?P<lat>[+-]\d{6})(?P<lon>[+-]\d{7})" + _CODES, re.ASCII),
    "LN": re.compile(
        r"(?P<time>\d{8})(?P<lat>[+-]\d{9})(?P<lon>[+-]\d{10})[+-]\d{8}(?P<speed>\d{4})[+-]\d{4}"
        r"(?P<heading>\d{4})(?P<satellites>\d\d)(?P<used>(?:[0-9A-Fa-f]{4})*).{10}" + _CODES,
        re.ASCII,
    ),
}
# Digits after the point: of seconds, degrees, and miles an hour.
_DECIMALS = {"PV": (0, 5, 0), "EV": (0, 5, 0), "CP": (0, 4, 0), "LN": (3, 7, 1)}


def parse_taip(data: bytes, arrived_at: datetime) -> list[Heard]:
    """
    Read every TAIP sentence of a datagram or a piece of a stream.

    Parameters
    ----------
    data : bytes
        What came: sentences ``>R..;ID=..;*..<``, white space between them.
    arrived_at : datetime
        When, timezone-aware: TAIP tells the second of the day only.

    Returns
    -------
    heard : list of Sighting or Refusal
        In the order of the bytes.
    """
    return [_heard(part.strip(), arrived_at) for part in _SENTENCE.split(data) if part.strip()]


def checksum(text: str) -> str:
    """
    Give the two digits that follow the asterisk.

    Parameters
    ----------
    text : str
        The sentence from ``>`` up to and with ``*``.

    Returns
    -------
    digits : str
        Exclusive or of its characters, hexadecimal.
    """
    return f"{reduce(xor, text.encode('ascii'), 0):02X}"


def _heard(raw: bytes, arrived_at: datetime) -> Heard:
    try:
        device, fix = _read(raw, arrived_at.astimezone(UTC))
    except FieldError as error:
        return Refusal(raw=raw, reason=str(error))
    return Sighting(device=device, fix=fix, raw=raw)


@dataclass(frozen=True, slots=True)
class _Sentence:
    kind: str
    data: str
    device: str


def _split(raw: bytes) -> _Sentence:
    """
    Part a sentence and hold it against its checksum.

    Raises
    ------
    FieldError
        If it is cut short, altered, of another kind, or names two vehicles.
    """
    text = raw.decode("ascii", errors="backslashreplace")
    if not (raw.isascii() and text.isprintable() and text[0] == ">" and text[-1] == "<"):
        raise FieldError("taip", text, "must be >...< in ASCII; not TAIP, or cut short on its way")
    body, *fields = text[1:-1].removesuffix(";").split(";")
    if fields and fields[-1].startswith("*"):
        found, wanted = fields.pop()[1:], checksum(text[: text.rindex("*") + 1])
        if not (_CHECKSUM.fullmatch(f"*{found}") and found.upper() == wanted):
            rule = f"must be {wanted}; the sentence was altered on its way"
            raise FieldError("taip checksum", found, rule)
    elif "*" in text:
        raise FieldError("taip", text, "must have its checksum last, after a ;")
    names = {field[3:].strip() for field in fields if field.startswith("ID=")}
    if len(names) > 1:
        raise FieldError("taip ID", ", ".join(sorted(names)), "must be one; which unit is this?")
    if body[:1] != "R" or body[1:3] not in _LAYOUTS:
        rule = "must be RPV, RLN, RCP or REV; choose one of these reports in the device"
        raise FieldError("taip message", body[:3], rule)
    return _Sentence(body[1:3], body[3:], names.pop() if names else "")


def _read(raw: bytes, arrived_at: datetime) -> tuple[str, UnitFix]:
    """
    Read one sentence.

    Raises
    ------
    FieldError
        If it tells no position, or none that may be believed.
    """
    sentence = _split(raw)
    found = _LAYOUTS[sentence.kind].fullmatch(sentence.data)
    if not found:
        rule = f"is not laid out as R{sentence.kind}; digits are missing, added or altered"
        raise FieldError("taip data", sentence.data, rule)
    value = found.groupdict()
    if "used" in value and len(value["used"]) != 4 * int(value["satellites"]):
        rule = f"must be as many as are listed ({len(value['used']) // 4}); the sentence is damaged"
        raise FieldError("taip satellites", value["satellites"], rule)
    if value["age"] not in "12":
        raise FieldError("taip age", value["age"], "must be 1 or 2; the receiver has no fix")
    if value["source"] not in SOURCES:
        rule = "must be 0 to 3, 6 or 8; the receiver has no fix, or does not say from where"
        raise FieldError("taip source", value["source"], rule)
    return sentence.device, _fix(sentence.kind, value, arrived_at)


def _fix(kind: str, value: dict[str, str], arrived_at: datetime) -> UnitFix:
    """
    Put figures and units to the digits.

    Raises
    ------
    FieldError
        If a figure is out of range.
    """
    seconds, degrees, miles = (10.0**-digits for digits in _DECIMALS[kind])
    lat_deg, lon_deg = int(value["lat"]) * degrees, int(value["lon"]) * degrees
    if lat_deg == 0 == lon_deg:
        raise FieldError("lon,lat", "0,0", "must be a real position; this is a GPS without a fix")
    speed_mps = heading_deg = None
    if "speed" in value:
        speed_mps = int(value["speed"]) * miles * MPH_TO_MPS
        # Whoever stands has no course: receivers then send 0 or what it was.
        heading_deg = int(value["heading"]) * miles if speed_mps else None
    return UnitFix(
        fixed_at=_instant(value, int(value["time"]) * seconds, arrived_at),
        lon_deg=round(lon_deg, 7),
        lat_deg=round(lat_deg, 7),
        heading_deg=heading_deg,
        speed_mps=speed_mps,
        accuracy_m=SOURCES[value["source"]],
    )


def _instant(value: dict[str, str], second: float, arrived_at: datetime) -> datetime:
    """
    Say when a fix was taken; one that calls itself old was so ten seconds before it came.

    Raises
    ------
    FieldError
        If there is no such second, or it is yet to come.
    """
    if not 0 <= second <= DAY_S:
        raise FieldError("taip time", value["time"], "must be a second of the day, 0 to 86400")
    if "week" in value:
        instant = nearest_week(int(value["week"]), int(value["day"]) * DAY_S + second, arrived_at)
    else:
        instant = nearest_day(second, arrived_at)
    return min(instant, arrived_at - OLD) if value["age"] == "1" else instant

"""Positions as OsmAnd and Traccar Client send them: a query, or JSON (Traccar Client 9 on)."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from data.errors import FieldError
from data.feeds.heard import Refusal, Sighting
from data.feeds.json_values import known, number, object_of, parsed, text
from data.records import UnitFix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.feeds.heard import Heard

KNOT_MPS = 1852 / 3600
MILLISECONDS_FROM = 1e11  # seconds of the year 5138, milliseconds of 1973


def parse_query(data: bytes, arrived_at: datetime) -> list[Heard]:  # noqa: ARG001 - a Parser
    """
    Read a query string, or a form of the same fields.

    Parameters
    ----------
    data : bytes
        ``id=..&lat=..&lon=..&timestamp=..`` and, where known, ``speed`` (knots, as Traccar has it)
        or ``speed_mps``, ``bearing`` or ``heading``, ``accuracy``, ``valid``.
    arrived_at : datetime
        When it came; it stands for no fix's own instant.

    Returns
    -------
    heard : list of Sighting or Refusal
        One.
    """
    try:
        fields = dict(parse_qsl(data.decode("utf-8"), keep_blank_values=False))
        return [Sighting(device=_device(fields), fix=_query_fix(fields), raw=data)]
    except (FieldError, UnicodeDecodeError) as error:
        return [Refusal(raw=data, reason=str(error))]


def _device(fields: Mapping[str, str]) -> str:
    """
    Find who sends.

    Raises
    ------
    FieldError
        If nobody says so.
    """
    device = fields.get("id", fields.get("deviceid", "")).strip()
    if not device:
        raise FieldError("id", None, "must be the device's identifier; set it in the app")
    return device


def _query_fix(fields: Mapping[str, str]) -> UnitFix:
    """
    Read where and when.

    Raises
    ------
    FieldError
        If a value is missing or out of range.
    """
    if fields.get("valid", "true").lower() not in {"true", "1"}:
        raise FieldError("valid", fields["valid"], "must be true; the receiver has no fix yet")
    lat, _, lon = fields.get("location", "").partition(",")
    knots = _figure(fields, "speed")
    speed_mps = _figure(fields, "speed_mps") if knots is None else knots * KNOT_MPS
    heading_deg = _figure(fields, "bearing")
    return UnitFix(
        fixed_at=_instant(fields.get("timestamp", "")),
        lat_deg=_needed({"lat": lat, **fields}, "lat"),
        lon_deg=_needed({"lon": lon, **fields}, "lon"),
        speed_mps=known(speed_mps),
        heading_deg=known(_figure(fields, "heading") if heading_deg is None else heading_deg),
        accuracy_m=known(_figure(fields, "accuracy")),
    )


def _figure(fields: Mapping[str, str], name: str) -> float | None:
    """
    Read a number that may be missing.

    Raises
    ------
    FieldError
        If it is none.
    """
    value = fields.get(name, "").strip()
    try:
        return float(value) if value else None
    except ValueError:
        raise FieldError(name, value, "must be a number") from None


def _needed(fields: Mapping[str, str], name: str) -> float:
    """
    Read a number that must be there.

    Raises
    ------
    FieldError
        If it is not.
    """
    value = _figure(fields, name)
    if value is None:
        raise FieldError(name, None, "must be given, in degrees")
    return value


def _instant(value: str) -> datetime:
    """
    Read seconds or milliseconds since the epoch, or ISO 8601.

    Raises
    ------
    FieldError
        If it is missing: an old fix must never pass for a fresh one.
    """
    if not value.strip():
        raise FieldError("timestamp", None, "must be the instant of the fix; add it in the app")
    try:
        stamp = float(value)
    except ValueError:
        stamp = math.nan
    try:
        if math.isnan(stamp):
            return datetime.fromisoformat(value)
        return datetime.fromtimestamp(stamp / (1000 if stamp > MILLISECONDS_FROM else 1), UTC)
    except (ValueError, OverflowError, OSError):
        rule = "must be seconds or milliseconds since 1970, or ISO 8601 with an offset"
        raise FieldError("timestamp", value, rule) from None


def parse_json(data: bytes, arrived_at: datetime) -> list[Heard]:  # noqa: ARG001 - a Parser
    """
    Read what Traccar Client 9 and later posts.

    Parameters
    ----------
    data : bytes
        ``{"device_id": .., "location": {"timestamp": .., "coords": {..}}}``; `location` may be a
        list. Speeds are metres a second, and a negative speed or heading is an unknown one.
    arrived_at : datetime
        When it came; it stands for no fix's own instant.

    Returns
    -------
    heard : list of Sighting or Refusal
        One a location.
    """
    try:
        body = object_of(parsed(data), "body")
        device = text(body, "device_id")
    except FieldError as error:
        return [Refusal(raw=data, reason=str(error))]
    locations = body.get("location")
    return [
        _located(data, device, one)
        for one in (locations if isinstance(locations, list) and locations else [locations])
    ]


def _located(data: bytes, device: str, location: Any) -> Heard:
    """Read one location."""
    try:
        location = object_of(location, "location")
        coords = object_of(location.get("coords"), "coords")
        fix = UnitFix(
            fixed_at=_instant(text(location, "timestamp")),
            lat_deg=number(coords, "latitude"),
            lon_deg=number(coords, "longitude"),
            speed_mps=known(number(coords, "speed", None)),
            heading_deg=known(number(coords, "heading", None)),
            accuracy_m=known(number(coords, "accuracy", None)),
        )
    except FieldError as error:
        return Refusal(raw=data, reason=str(error))
    return Sighting(device=device, fix=fix, raw=data)

"""Positions as a Traccar server has them, out of its REST and its WebSocket."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from data.errors import FieldError
from data.feeds.heard import Noted, Refusal, Sighting
from data.feeds.json_values import known, number, object_of, parsed, text
from data.feeds.nmea import KNOT_TO_MPS
from data.records import UnitFix

if TYPE_CHECKING:
    from data.feeds.heard import Heard


def parse_traccar(data: bytes, arrived_at: datetime) -> list[Heard]:
    """
    Read a message of the WebSocket, or an answer of ``/api/positions``.

    Parameters
    ----------
    data : bytes
        An object with ``positions``, or an array of positions.
    arrived_at : datetime
        When it came; it stands for no fix's own instant.

    Returns
    -------
    heard : list of Sighting, Refusal or Noted
        One a position; its device is Traccar's number of it.
    """
    parts, _ = parts_of(data)
    return [one for _, part in parts for one in parse_position(part, arrived_at)]


def parts_of(data: bytes) -> tuple[list[tuple[str, bytes]], list[Any]]:
    """
    Part a message into its positions.

    Parameters
    ----------
    data : bytes
        As for `parse_traccar`.

    Returns
    -------
    positions : list of (str, bytes)
        Traccar's number of the device, empty where there is none, and the position's JSON; the
        whole message where it is none.
    devices : list
        What it says of devices.
    """
    try:
        told = parsed(data)
    except FieldError:
        return [("", data)], []
    body = {"positions": told} if isinstance(told, list) else told
    if not isinstance(body, dict):
        return [("", data)], []
    positions, devices = body.get("positions") or [], body.get("devices") or []
    if not isinstance(positions, list):
        return [("", data)], []
    parts = [(_device(one), json.dumps(one).encode()) for one in positions]
    return parts, devices if isinstance(devices, list) else []


def _device(position: object) -> str:
    """Give Traccar's number of a device."""
    number = position.get("deviceId") if isinstance(position, dict) else None
    return str(number) if isinstance(number, int) and not isinstance(number, bool) else ""


def parse_position(data: bytes, arrived_at: datetime) -> list[Heard]:  # noqa: ARG001 - a Parser
    """
    Read one position.

    Parameters
    ----------
    data : bytes
        Its JSON.
    arrived_at : datetime
        As for `parse_traccar`.

    Returns
    -------
    heard : list of Sighting, Refusal or Noted
        One. What Traccar repeats for a device that has told no place is noted, and is no fix.
    """
    try:
        body = object_of(parsed(data), "position")
        device = text(body, "deviceId")
        if body.get("outdated") is True:
            return [Noted(kind="outdated", device=device, raw=data)]
        return [Sighting(device=device, fix=_fix(body), raw=data)]
    except FieldError as error:
        return [Refusal(raw=data, reason=str(error))]


def _fix(body: dict[str, Any]) -> UnitFix:
    """
    Make a fix: taken when the receiver took it, and not when Traccar heard of it.

    Raises
    ------
    FieldError
        If the receiver has none, or a value is missing or out of range.
    """
    if body.get("valid") is not True:
        raise FieldError("valid", body.get("valid"), "must be true; the receiver has no fix")
    lat_deg, lon_deg = number(body, "latitude"), number(body, "longitude")
    if lat_deg == 0 == lon_deg:
        raise FieldError("lon,lat", "0,0", "must be a real position; this is a GPS without a fix")
    accuracy_m = known(number(body, "accuracy", None)) or None  # 0: the device tells none
    attributes = body.get("attributes")
    if isinstance(attributes, dict) and attributes.get("approximate") is True and not accuracy_m:
        rule = "must be there for a place that was worked out from the mobile network"
        raise FieldError("accuracy", body.get("accuracy"), rule)
    speed_kn = known(number(body, "speed", None))
    course_deg = known(number(body, "course", None))
    return UnitFix(
        fixed_at=_instant(body),
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        # Whoever stands has no course: Traccar then has 0.
        heading_deg=course_deg if speed_kn else None,
        speed_mps=None if speed_kn is None else speed_kn * KNOT_TO_MPS,
        accuracy_m=accuracy_m,
    )


def _instant(body: dict[str, Any]) -> datetime:
    """
    Read when the fix was taken.

    Raises
    ------
    FieldError
        If it does not say so.
    """
    told = text(body, "fixTime")
    try:
        value = datetime.fromisoformat(told)
    except ValueError:
        value = datetime.min  # noqa: DTZ901 - refused below
    if value.utcoffset() is None:
        raise FieldError("fixTime", told, "must be ISO 8601 with an offset or Z")
    return value


def names_of(devices: Any, named_by: str) -> dict[str, str]:
    """
    Read what devices are called.

    Parameters
    ----------
    devices : any JSON value
        Of ``/api/devices``, or of a message.
    named_by : str
        ``name`` or ``unique_id``.

    Returns
    -------
    names : dict of str to str
        By Traccar's number of the device; those without a name are left out.
    """
    key = "name" if named_by == "name" else "uniqueId"
    told = [one for one in devices if isinstance(one, dict)] if isinstance(devices, list) else []
    names = {_device({"deviceId": one.get("id")}): one.get(key) for one in told}
    return {
        number: name.strip()
        for number, name in names.items()
        if number and isinstance(name, str) and name.strip()
    }

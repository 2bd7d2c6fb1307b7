"""What a Traccar server says of a device, for tests and trials: the reader's opposite."""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from data.feeds.nmea import KNOT_TO_MPS

if TYPE_CHECKING:
    from data.records import UnitFix


def traccar_position(fix: UnitFix, device_id: int, *, position_id: int = 0) -> dict[str, Any]:
    """
    Make a position as the server's REST and WebSocket have it.

    Parameters
    ----------
    fix : UnitFix
        What to tell; the server has milliseconds, and 0 for what is unknown.
    device_id, position_id : int
        The server's own numbers.

    Returns
    -------
    position : dict
        For JSON; heard of a second after it was taken.
    """
    told = fix.fixed_at.astimezone(UTC)
    return {
        "id": position_id,
        "attributes": {"motion": bool(fix.speed_mps), "distance": 0.0},
        "deviceId": device_id,
        "protocol": "osmand",
        "serverTime": (told + timedelta(seconds=1)).isoformat(timespec="milliseconds"),
        "deviceTime": told.isoformat(timespec="milliseconds"),
        "fixTime": told.isoformat(timespec="milliseconds"),
        "outdated": False,
        "valid": True,
        "latitude": fix.lat_deg,
        "longitude": fix.lon_deg,
        "altitude": 0.0,
        "speed": (fix.speed_mps or 0.0) / KNOT_TO_MPS,
        "course": fix.heading_deg or 0.0,
        "address": None,
        "accuracy": fix.accuracy_m or 0.0,
        "network": None,
        "geofenceIds": None,
    }


def traccar_device(device_id: int, name: str, unique_id: str) -> dict[str, Any]:
    """
    Make a device as the server's REST has it.

    Parameters
    ----------
    device_id : int
        The server's own number.
    name, unique_id : str
        As entered in its web app.

    Returns
    -------
    device : dict
        For JSON.
    """
    return {
        "id": device_id,
        "attributes": {},
        "groupId": 0,
        "name": name,
        "uniqueId": unique_id,
        "status": "online",
        "lastUpdate": None,
        "positionId": 0,
        "phone": None,
        "model": None,
        "contact": None,
        "category": "car",
        "disabled": False,
    }


def write_traccar(*positions: dict[str, Any], **more: Any) -> bytes:
    """
    Write a message of the WebSocket.

    Parameters
    ----------
    *positions : dict
        Of `traccar_position`.
    **more : any
        Other keys, such as ``devices`` or ``events``.

    Returns
    -------
    message : bytes
        JSON; what is empty has no key.
    """
    return json.dumps({**({"positions": positions} if positions else {}), **more}).encode()

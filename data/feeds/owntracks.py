"""OwnTracks' JSON, by HTTP or MQTT: https://owntracks.org/booklet/tech/json/."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from data.errors import FieldError
from data.feeds.heard import Noted, Refusal, Sighting
from data.feeds.json_values import known, number, object_of, parsed, text
from data.records import UnitFix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.feeds.heard import Heard

KMH_MPS = 1 / 3.6
# What the apps send beside positions.
KINDS = {
    *("beacon", "card", "cmd", "configuration", "dump", "lwt", "msg", "request", "status"),
    *("step", "steps", "transition", "waypoint", "waypoints"),
}
OTHER = "other"
GONE = "lwt"


def parse_owntracks(data: bytes, arrived_at: datetime) -> list[Heard]:  # noqa: ARG001 - a Parser
    """
    Read a message.

    Parameters
    ----------
    data : bytes
        One JSON object.
    arrived_at : datetime
        When it came; it stands for no fix's own instant.

    Returns
    -------
    heard : list of Sighting or Refusal
        None for a message that tells no position: a last will, a waypoint, a status. The device is
        its ``topic``, else its ``tid``, else empty.
    """
    heard = read_owntracks(data)
    return [] if isinstance(heard, Noted) else [heard]


def read_owntracks(data: bytes, names: Sequence[str] = ("topic", "tid")) -> Heard:
    """
    Read a message, whatever it tells.

    Parameters
    ----------
    data : bytes
        One JSON object.
    names : sequence of str
        The fields that may name the device, the first that is there.

    Returns
    -------
    heard : Sighting, Noted or Refusal
        Noted for what tells no position, by its ``_type``, or `OTHER` where no app sends such.
    """
    try:
        return _read(data, names)
    except FieldError as error:
        return Refusal(raw=data, reason=str(error))


def _read(data: bytes, names: Sequence[str]) -> Heard:
    """
    Read a message.

    Raises
    ------
    FieldError
        If a value is missing or out of range, or the message is encrypted.
    """
    body = object_of(parsed(data), "body")
    kind = text(body, "_type")
    if kind == "encrypted":
        raise FieldError("_type", kind, "must be readable; remove the app's encryption key")
    named = next((name for name in names if body.get(name)), None)
    device = text(body, named) if named else ""
    if kind != "location":
        known_kind = kind if kind in KINDS else OTHER
        return Noted(kind=known_kind, device=device, raw=data, gone=kind == GONE)
    speed_kmh = known(number(body, "vel", None))
    fix = UnitFix(
        fixed_at=_instant(number(body, "tst")),
        lat_deg=number(body, "lat"),
        lon_deg=number(body, "lon"),
        speed_mps=None if speed_kmh is None else speed_kmh * KMH_MPS,
        heading_deg=known(number(body, "cog", None)),
        accuracy_m=known(number(body, "acc", None)),
    )
    return Sighting(device=device, fix=fix, raw=data)


def _instant(stamp: float) -> datetime:
    """
    Read seconds since the epoch.

    Raises
    ------
    FieldError
        If no calendar holds them.
    """
    try:
        return datetime.fromtimestamp(stamp, UTC)
    except (ValueError, OverflowError, OSError):
        raise FieldError("tst", stamp, "must be seconds since 1970") from None

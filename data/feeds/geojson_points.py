"""Positions as GeoJSON points, with the field names of the units' files."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from data.errors import FieldError
from data.feeds.heard import Refusal, Sighting
from data.feeds.json_values import number, object_of, parsed, text
from data.records import UnitFix

if TYPE_CHECKING:
    from data.feeds.heard import Heard


def parse_geojson(data: bytes, arrived_at: datetime) -> list[Heard]:  # noqa: ARG001 - a Parser
    """
    Read a Feature or a FeatureCollection of points.

    Parameters
    ----------
    data : bytes
        Properties ``unit_id`` and ``fixed_at`` (ISO 8601 with an offset) and, where known,
        ``heading_deg``, ``speed_mps``, ``accuracy_m``.
    arrived_at : datetime
        When it came; it stands for no fix's own instant.

    Returns
    -------
    heard : list of Sighting or Refusal
        One a feature.
    """
    try:
        features = _features(object_of(parsed(data), "body"))
    except FieldError as error:
        return [Refusal(raw=data, reason=str(error))]
    return [_heard(one) for one in features]


def _features(body: dict[str, Any]) -> list[Any]:
    """
    List the features.

    Raises
    ------
    FieldError
        If a collection has none.
    """
    if body.get("type") != "FeatureCollection":
        return [body]
    features = body.get("features")
    if not isinstance(features, list):
        raise FieldError("features", features, "must be a list")
    return features


def _heard(feature: Any) -> Heard:
    """Read one, or say why not."""
    raw = json.dumps(feature).encode()
    try:
        device, fix = _feature(object_of(feature, "feature"))
    except FieldError as error:
        return Refusal(raw=raw, reason=str(error))
    return Sighting(device=device, fix=fix, raw=raw)


def _feature(feature: dict[str, Any]) -> tuple[str, UnitFix]:
    """
    Read one.

    Raises
    ------
    FieldError
        If a value is missing or out of range.
    """
    if feature.get("type") != "Feature":
        raise FieldError("type", feature.get("type"), "must be Feature")
    lon_deg, lat_deg = _point(object_of(feature.get("geometry"), "geometry"))
    told = object_of(feature.get("properties"), "properties")
    fix = UnitFix(
        fixed_at=_instant(text(told, "fixed_at")),
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        heading_deg=number(told, "heading_deg", None),
        speed_mps=number(told, "speed_mps", None),
        accuracy_m=number(told, "accuracy_m", None),
    )
    return text(told, "unit_id"), fix


def _point(geometry: dict[str, Any]) -> tuple[float, float]:
    """
    Read a point.

    Raises
    ------
    FieldError
        If it is none.
    """
    place = geometry.get("coordinates")
    if geometry.get("type") != "Point" or not isinstance(place, list) or len(place) < 2:  # noqa: PLR2004
        raise FieldError("geometry", geometry, "must be a Point with longitude and latitude")
    named = dict(zip(("lon", "lat"), place, strict=False))
    return number(named, "lon"), number(named, "lat")


def _instant(value: str) -> datetime:
    """
    Read ISO 8601.

    Raises
    ------
    FieldError
        If it is none.
    """
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise FieldError("fixed_at", value, "must be ISO 8601 with an offset or Z") from None

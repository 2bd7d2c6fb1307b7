"""A dispatch system that writes CSV, or a layer of Esri's: for tests and trials."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from data.events import StatusChange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.events import StopChange

_STOP = ("stop_id", "unit_id", "started_at", "ended_at", "lon", "lat", "phase", "backup", "needs")


def write_csv(changes: Sequence[StatusChange] | Sequence[StopChange]) -> bytes:
    """
    Write stops, or statuses, as a file with our own names of columns.

    Parameters
    ----------
    changes : sequence of StatusChange, or of StopChange
        All of a kind.

    Returns
    -------
    content : bytes
        CSV in UTF-8; without changes a header of stops.
    """
    rows = [_row(one) for one in changes]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]) if rows else [*_STOP, "at"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _row(change: StatusChange | StopChange) -> dict[str, Any]:
    """Write one as texts."""
    if isinstance(change, StatusChange):
        return {
            "unit_id": change.unit_id,
            "status": change.status.value,
            "at": change.at.isoformat(),
            "officers": change.officers,
            "agency": change.agency,
        }
    told: dict[str, Any] = {name: getattr(change.stop, name, None) for name in _STOP}
    told |= {"lon": change.stop.lon_deg, "lat": change.stop.lat_deg, "at": change.at}
    told["backup"] = ";".join(change.stop.backup)
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in told.items()
    }


def write_esri(
    changes: Sequence[StopChange], *, more: bool = False, answers: str = "json"
) -> bytes:
    """
    Write stops as a feature layer answers a query for all fields.

    Parameters
    ----------
    changes : sequence of StopChange
        Their place in the sequence is their object id.
    more : bool
        Whether there are more than these.
    answers : str
        ``json``, Esri's own, or ``geojson``.

    Returns
    -------
    body : bytes
        Instants in milliseconds since 1970.
    """
    features = []
    for number, change in enumerate(changes, 1):
        row: dict[str, Any] = {"OBJECTID": number, **_row(change)}
        for name in ("started_at", "ended_at"):
            instant = getattr(change.stop, name)
            row[name] = None if instant is None else round(instant.timestamp() * 1000)
        row["at"] = round(change.at.timestamp() * 1000)
        lon_deg, lat_deg = row.pop("lon"), row.pop("lat")
        if answers == "geojson":
            point = {"type": "Point", "coordinates": [lon_deg, lat_deg]}
            place = None if lon_deg is None else point
            features.append({"type": "Feature", "id": number, "geometry": place, "properties": row})
        else:
            point = {"x": lon_deg, "y": lat_deg}
            place = None if lon_deg is None else point
            features.append({"attributes": row, "geometry": place})
    if answers == "geojson":
        body: dict[str, Any] = {"type": "FeatureCollection", "features": features}
        body |= {"properties": {"exceededTransferLimit": True}} if more else {}
    else:
        body = {"objectIdFieldName": "OBJECTID", "features": features}
        body |= {"spatialReference": {"wkid": 4326, "latestWkid": 4326}}
        body |= {"exceededTransferLimit": True} if more else {}
    return json.dumps(body).encode()

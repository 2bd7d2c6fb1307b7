"""Files of rows as other programs write them: CSV, JSON Lines, GeoJSON, Parquet, GeoParquet."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import shapely
from pyarrow import parquet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from data.records import Stop, Unit

CLOCK = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
ENDINGS = [".csv", ".jsonl", ".ndjson", ".geojson", ".json", ".parquet", ".geoparquet"]

UNIT = {
    "unit_id": "4A1",
    "lon": "-104.9903",
    "lat": "39.7392",
    "fixed_at": "2026-11-23T02:13:00Z",
    "status": "available",
}
STOP = {"stop_id": "S1", "unit_id": "4A1", "started_at": "2026-11-23T02:10:00Z"}

CRS84 = {"id": {"authority": "OGC", "code": "CRS84"}}


def csv_text(*rows: Mapping[str, str]) -> str:
    """Write CSV; the first row's keys are the header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def unit_values(unit: Unit) -> dict[str, Any]:
    """Give a unit's values by column."""
    return {
        "unit_id": unit.unit_id,
        "lon": unit.fix.lon_deg,
        "lat": unit.fix.lat_deg,
        "fixed_at": unit.fix.fixed_at,
        "status": str(unit.status),
        "officers": unit.officers,
        "agency": unit.agency or None,
        "heading_deg": unit.fix.heading_deg,
        "speed_mps": unit.fix.speed_mps,
        "accuracy_m": unit.fix.accuracy_m,
    }


def stop_values(stop: Stop) -> dict[str, Any]:
    """Give a stop's values by column."""
    return {
        "stop_id": stop.stop_id,
        "unit_id": stop.unit_id,
        "lon": stop.lon_deg,
        "lat": stop.lat_deg,
        "heading_deg": stop.heading_deg,
        "started_at": stop.started_at,
        "ended_at": stop.ended_at,
        "phase": str(stop.phase),
        "backup": list(stop.backup),
        "needs": stop.needs,
    }


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows in the format that the ending names."""
    if path.suffix == ".csv":
        path.write_text(csv_text(*[{k: _text(v) for k, v in row.items()} for row in rows]), "utf-8")
    elif path.suffix in {".jsonl", ".ndjson"}:
        lines = [json.dumps(row, default=_text, ensure_ascii=False) for row in rows]
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    elif path.suffix in {".geojson", ".json"}:
        collection = {"type": "FeatureCollection", "features": [feature(row) for row in rows]}
        path.write_text(json.dumps(collection, default=_text), "utf-8")
    else:
        parquet.write_table(_table(rows, as_wkb=path.suffix == ".geoparquet"), path)
    return path


def feature(row: Mapping[str, Any]) -> dict[str, Any]:
    """Make a GeoJSON Feature of a row."""
    properties = {name: value for name, value in row.items() if name not in {"lon", "lat"}}
    point = {"type": "Point", "coordinates": [row["lon"], row["lat"]]}
    geometry = None if row["lon"] is None else point
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    return ";".join(value) if isinstance(value, list) else str(value)


def _table(rows: Sequence[Mapping[str, Any]], *, as_wkb: bool) -> pa.Table:
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0]}
    instant = pa.timestamp("us", tz="America/Denver")
    table = pa.table(
        {
            name: pa.array(values, instant if name.endswith("_at") else None)
            for name, values in columns.items()
            if not (as_wkb and name in {"lon", "lat"})
        }
    )
    if not as_wkb:
        return table
    places = zip(columns["lon"], columns["lat"], strict=True)
    points = [None if lon is None else shapely.Point(lon, lat).wkb for lon, lat in places]
    geo = {"primary_column": "place", "columns": {"place": {"encoding": "WKB", "crs": CRS84}}}
    table = table.append_column("place", pa.array(points, pa.binary()))
    return table.replace_schema_metadata({"geo": json.dumps(geo)})

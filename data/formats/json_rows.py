"""Rows out of JSON Lines and GeoJSON."""

from __future__ import annotations

import codecs
import json
from collections import Counter
from typing import IO, TYPE_CHECKING, Any

from data.errors import Fault, TableError
from data.formats.raw import EMPTY, Cell, RawTable, bad_row, file_fault, text_lines, text_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.formats.raw import RawRow

MAX_DOCUMENT_BYTES = 1 << 28
WGS84_NAMES = ("CRS84", "EPSG::4326", "EPSG:4326")


class _Number(str):
    """A number of JSON, as it is written."""

    __slots__ = ()


class _Object(dict[str, Any]):
    """An object of JSON that remembers which keys it was given twice."""

    __slots__ = ("repeated",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        times = Counter(name for name, _ in pairs) if len(self) < len(pairs) else Counter()
        self.repeated = [name for name, given in times.items() if given > 1]


def _parse_json(text: str) -> Any:
    """
    Read JSON, numbers left as they are written (NaN and Infinity too).

    Raises
    ------
    ValueError
        If it is no JSON, or nested beyond reason.
    """
    try:
        return json.loads(
            text,
            parse_float=_Number,
            parse_int=_Number,
            parse_constant=_Number,
            object_pairs_hook=_Object,
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def read_json_lines(stream: IO[bytes], file: str) -> RawTable:
    """
    Read one JSON object a line; blank lines are passed over.

    Parameters
    ----------
    stream : binary file
        UTF-8, with or without a byte order mark.
    file : str
        Its name, for messages.

    Returns
    -------
    table : RawTable
        Every row names its own columns.
    """
    return RawTable(rows=_json_rows(stream, file))


def _json_rows(stream: IO[bytes], file: str) -> Iterator[RawRow]:
    """
    Read a row a line.

    Raises
    ------
    TableError
        If there are no lines at all.
    """
    line = 0
    for line, text in enumerate(text_lines(stream, file), start=1):
        if not text.strip():
            continue
        try:
            value = _parse_json(text)
        except ValueError as error:
            yield bad_row(file, line, f"must be a JSON object ({error}); write one a line")
            continue
        yield _object(value, line, file, "must be a JSON object; write one a line")
    if not line:
        raise TableError([file_fault(file, f"{EMPTY}; write one blank line if there are no rows")])


def _cells(record: dict[str, Any]) -> dict[str, Cell]:
    """Make texts of JSON's plain values, also within a list."""
    return {name: _cell(value) for name, value in record.items()}


def _cell(value: Any) -> Cell:
    """Make texts of plain values; what is nested stays as it is."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return [item if isinstance(item, dict | list) else _text(item) for item in value]
    return _text(value)


def _text(value: Any) -> str:
    """Write a plain value; numbers are texts already."""
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value).lower()


def _repeated(record: _Object, file: str, line: int) -> list[Fault]:
    """Find the keys that were given twice."""
    rule = "must be given once; remove one"
    return [
        Fault(file=file, line=line, field=name, value="", rule=rule) for name in record.repeated
    ]


def read_geojson(stream: IO[bytes], file: str) -> RawTable:
    """
    Read a FeatureCollection of Points.

    Parameters
    ----------
    stream : binary file
        UTF-8, with or without a byte order mark.
    file : str
        Its name, for messages.

    Returns
    -------
    table : RawTable
        A row a feature, numbered from 1: its properties, and ``lon`` and ``lat`` of its geometry.

    Raises
    ------
    TableError
        If it is no FeatureCollection, too large, or in another reference system than WGS 84.
    """
    document = _document(stream, file)
    features = document.get("features")
    if document.get("type") != "FeatureCollection" or not isinstance(features, list):
        rule = "must be a GeoJSON FeatureCollection; for one object a line name it .jsonl"
        raise TableError([file_fault(file, rule)])
    if not _is_wgs84(document.get("crs")):
        rule = "must be in WGS 84, its crs says otherwise; export it as EPSG:4326"
        raise TableError([file_fault(file, rule)])
    rows = (_feature(feature, line, file) for line, feature in enumerate(features, start=1))
    return RawTable(rows=rows)


def read_json(stream: IO[bytes], file: str) -> RawTable:
    """
    Read what dispatch systems write as JSON.

    Parameters
    ----------
    stream : binary file
        An array of objects, one object, a GeoJSON FeatureCollection, or a feature set of Esri's.
    file : str
        Its name, for messages.

    Returns
    -------
    table : RawTable
        A row an object or feature, numbered from 1; ``lon`` and ``lat`` of a point.

    Raises
    ------
    TableError
        If it is none of these, too large, or in another reference system than WGS 84.
    """
    document = _parsed(stream, file)
    if isinstance(document, _Object) and isinstance(document.get("features"), list):
        if not _is_wgs84(document.get("crs")) or not _is_wgs84_of_esri(document):
            rule = "must be in WGS 84, says otherwise; export it as EPSG:4326"
            raise TableError([file_fault(file, rule)])
        esri = document.get("type") != "FeatureCollection"
        read = _esri_feature if esri else _feature
        return RawTable(rows=(read(*one, file) for one in _numbered(document["features"])))
    listed = [document] if isinstance(document, _Object) else document
    if not isinstance(listed, list):
        rule = "must be an array of JSON objects, one object, or a FeatureCollection"
        raise TableError([file_fault(file, rule)])
    return RawTable(rows=(_object(*one, file) for one in _numbered(listed)))


def _numbered(values: list[Any]) -> Iterator[tuple[Any, int]]:
    """Count from 1."""
    return ((value, line) for line, value in enumerate(values, start=1))


def _object(value: Any, line: int, file: str, rule: str = "must be a JSON object") -> RawRow:
    """Make a row of an object."""
    if not isinstance(value, _Object):
        return bad_row(file, line, rule)
    return text_row(file, line, _cells(value), *_repeated(value, file, line))


def _esri_feature(feature: Any, line: int, file: str) -> RawRow:
    """Make a row of a feature of Esri's JSON: its attributes, and its point as lon and lat."""
    if not isinstance(feature, _Object) or not isinstance(feature.get("attributes"), _Object):
        return bad_row(file, line, "must be a feature with an object as its attributes")
    place = feature.get("geometry") or {}
    if not isinstance(place, dict) or (place and not {"x", "y"} <= place.keys()):
        return bad_row(file, line, "must have a point x, y as its geometry, or none")
    point = [place["x"], place["y"]] if place else None
    standing = {"type": "Feature", "properties": feature["attributes"], "geometry": None}
    if point and all(isinstance(one, _Number) and one != "NaN" for one in point):
        standing["geometry"] = _Object([("type", "Point"), ("coordinates", point)])
    return _feature(_Object(list(standing.items())), line, file)


def _is_wgs84_of_esri(document: dict[str, Any]) -> bool:
    """Tell whether a feature set of Esri's is in WGS 84, as far as it says."""
    reference = document.get("spatialReference")
    wkid = reference.get("wkid") if isinstance(reference, dict) else None
    return wkid is None or wkid == "4326"


def _document(stream: IO[bytes], file: str) -> _Object:
    """
    Read a whole file as one object of JSON.

    Raises
    ------
    TableError
        If it is no such thing, or too large.
    """
    document = _parsed(stream, file)
    if not isinstance(document, _Object) or document.repeated:
        rule = "must be one GeoJSON object, each of its members given once; write it again"
        raise TableError([file_fault(file, rule)])
    return document


def _parsed(stream: IO[bytes], file: str) -> Any:
    """
    Read a whole file as JSON.

    Raises
    ------
    TableError
        If it is none, or too large.
    """
    content = stream.read(MAX_DOCUMENT_BYTES + 1).removeprefix(codecs.BOM_UTF8)
    if not content:
        rule = f"{EMPTY}; write a FeatureCollection without features"
        raise TableError([file_fault(file, rule)])
    if len(content) > MAX_DOCUMENT_BYTES:
        rule = (
            f"must not be larger than {MAX_DOCUMENT_BYTES >> 20} MiB; write JSON Lines or Parquet"
        )
        raise TableError([file_fault(file, rule)])
    try:
        return _parse_json(content.decode())
    except ValueError as error:
        rule = f"must be GeoJSON in UTF-8 ({error}); write it again"
        raise TableError([file_fault(file, rule)]) from error


def _is_wgs84(crs: Any) -> bool:
    """Tell whether a ``crs`` member, of GeoJSON before RFC 7946, is one of WGS 84's names."""
    if crs is None:
        return True
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return isinstance(name, str) and name.endswith(WGS84_NAMES)


def _feature(feature: Any, line: int, file: str) -> RawRow:
    """Make a row of a feature: a property named lon or lat steps back behind the geometry."""
    if not isinstance(feature, _Object) or feature.get("type") != "Feature":
        return bad_row(file, line, "must be a GeoJSON Feature")
    properties = feature.get("properties")
    if properties is None:
        properties = _Object([])
    if not isinstance(properties, _Object):
        return bad_row(file, line, "must have an object as its properties")
    faults = [fault for one in (feature, properties) for fault in _repeated(one, file, line)]
    cells = _cells(properties)
    geometry = feature.get("geometry")
    if geometry is None:
        return text_row(file, line, cells, *faults)
    cells = {
        f"properties.{name}" if name.strip().casefold() in {"lon", "lat"} else name: cell
        for name, cell in cells.items()
    }
    place = _point(geometry)
    if isinstance(place, str):
        rule = "must be a Point [lon, lat]; export points"
        faults.append(Fault(file=file, line=line, field="lon,lat", value=place, rule=rule))
    else:
        cells["lon"], cells["lat"] = place
    return text_row(file, line, cells, *faults)


def _point(geometry: Any) -> tuple[str, str] | str:
    """Give lon and lat of a Point, or name what is there instead."""
    kind = geometry.get("type") if isinstance(geometry, _Object) else None
    if not isinstance(kind, str):
        return "no geometry"
    if kind != "Point" or geometry.repeated:
        return kind
    place = geometry.get("coordinates")
    if not isinstance(place, list) or not all(isinstance(value, _Number) for value in place):
        return "Point without numbers"
    match place:
        case [lon, lat, *_]:
            return str(lon), str(lat)
    return "empty Point"

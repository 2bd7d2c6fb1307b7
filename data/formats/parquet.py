"""Rows out of Parquet and GeoParquet files, as texts like those of the other formats."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import shapely
from pyarrow import parquet

from data.errors import Fault, TableError
from data.formats.raw import RawTable, file_fault, shown, text_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.formats.raw import Cell, RawRow

BATCH_ROWS = 10_000
CRS84 = {"id": {"authority": "OGC", "code": "CRS84"}}
WGS84 = frozenset({"OGC:CRS84", "EPSG:4326"})

_BROKEN = (pa.ArrowException, OSError, ValueError)


def read_parquet(stream: IO[bytes], file: str) -> RawTable:
    """
    Read Parquet; where there are no columns ``lon`` and ``lat``, points of a GeoParquet geometry.

    Parameters
    ----------
    stream : binary file
        Seekable.
    file : str
        Its name, for messages.

    Returns
    -------
    table : RawTable
        Rows numbered from 1. Columns of types that make no text are unfit: timestamps without a
        time zone, bytes, objects.

    Raises
    ------
    TableError
        If it is no Parquet file, or its geometry is not WKB in WGS 84.
    """
    try:
        source = parquet.ParquetFile(stream)
        schema = source.schema_arrow
        names = tuple(schema.names)
    except _BROKEN as error:
        rule = f"must be a whole Parquet file ({_first_line(error)}); write it again"
        raise TableError([file_fault(file, rule)]) from error
    if len(set(names)) < len(names):
        raise TableError([file_fault(file, "must name each column once; rename one")])
    placed = {"lon", "lat"} <= {name.strip().casefold() for name in names}
    geometry = None if placed else _geometry_column(schema, file)
    plain = [field for field in schema if field.name != geometry]
    unfit = {field.name: rule for field in plain if (rule := _unfit(field.type))}
    fit = [name for name in names if name not in unfit]
    columns = tuple(field.name for field in plain)
    return RawTable(
        columns=(*columns, "lon", "lat") if geometry else columns,
        rows=_rows(source, fit, geometry, file),
        unfit=unfit,
    )


def _first_line(error: BaseException) -> str:
    """Take the first line of a library's message."""
    return str(error).partition("\n")[0]


def _unfit(kind: Any) -> str:
    """Say why values of a type cannot be used; empty where they can."""
    if pa.types.is_timestamp(kind):
        return "" if kind.tz else "must be timestamps with a time zone; make them UTC"
    for nests in (_is_list, pa.types.is_dictionary):
        kind = kind.value_type if nests(kind) else kind
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    numbers = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    plain = (*texts, *numbers, pa.types.is_boolean, pa.types.is_null)
    return "" if any(fits(kind) for fits in plain) else f"must not be of type {kind}; write text"


def _is_list(kind: Any) -> bool:
    """Tell whether a type is a list."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _geometry_column(schema: Any, file: str) -> str | None:
    """
    Find the column of points, by the GeoParquet metadata.

    Raises
    ------
    TableError
        If they are not WKB, or not in WGS 84.
    """
    try:
        geo = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
        name = str(geo.get("primary_column", "geometry"))
        facts = geo.get("columns", {}).get(name, {})
        crs_id = facts.get("crs", CRS84)["id"]
        crs = f"{crs_id['authority']}:{crs_id['code']}"
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        rule = (
            "must have GeoParquet metadata that name its reference system; export it as EPSG:4326"
        )
        raise TableError([file_fault(file, rule)]) from error
    if name not in schema.names:
        return None
    kind = schema.field(name).type
    if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        rule = f"must have its {shown(name)} as WKB; export it so, or write columns lon and lat"
        raise TableError([file_fault(file, rule)])
    if crs not in WGS84:
        rule = f"must be in WGS 84, is in {shown(crs)}; export it as EPSG:4326"
        raise TableError([file_fault(file, rule)])
    return name


def _rows(source: Any, names: list[str], geometry: str | None, file: str) -> Iterator[RawRow]:
    """
    Read batch after batch.

    Raises
    ------
    TableError
        If a batch is broken.
    """
    plain = [name for name in names if name != geometry]
    line = 0
    try:
        for batch in source.iter_batches(batch_size=BATCH_ROWS, columns=names):
            columns = [_texts(batch.column(name)) for name in plain]
            places = _points(batch.column(geometry)) if geometry else [None] * len(batch)
            for place, *values in zip(places, *columns, strict=True):
                line += 1
                yield _row(file, line, dict(zip(plain, values, strict=True)), place)
    except _BROKEN as error:
        rule = f"must be a whole Parquet file ({_first_line(error)}); the rest was not read"
        raise TableError([file_fault(file, rule, line=line + 1)]) from error


def _row(
    file: str, line: int, cells: dict[str, Cell], place: tuple[str, str] | str | None
) -> RawRow:
    """Join a row's texts and its point."""
    if place is None:
        return text_row(file, line, cells)
    if isinstance(place, str):
        rule = "must be a WKB Point; export points"
        return text_row(
            file, line, cells, Fault(file=file, line=line, field="lon,lat", value=place, rule=rule)
        )
    return text_row(file, line, {**cells, "lon": place[0], "lat": place[1]})


def _texts(column: Any) -> list[Cell]:
    """Write a column as texts, in Arrow: numbers to the last digit, instants in UTC."""
    kind = column.type
    listed = _is_list(kind)
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", tz="UTC"), safe=kind.unit != "ns")
    column = column.cast(pa.list_(pa.string()) if listed else pa.string())
    if listed:
        return [[item or "" for item in items or ()] for items in column.to_pylist()]
    return [text or "" for text in column.to_pylist()]


def _points(column: Any) -> list[tuple[str, str] | str | None]:
    """Read points; a text in place of one names what is there instead."""
    values = column.to_pylist()
    shapes = shapely.from_wkb(values, on_invalid="ignore")
    return [
        None if value is None else _point(shape)
        for value, shape in zip(values, shapes, strict=True)
    ]


def _point(shape: Any) -> tuple[str, str] | str:
    """Give lon and lat of a point, or name what is there instead."""
    if shape is None:
        return "no WKB"
    if shape.geom_type != "Point" or shape.is_empty:
        return f"empty {shape.geom_type}" if shape.is_empty else str(shape.geom_type)
    return repr(shape.x), repr(shape.y)

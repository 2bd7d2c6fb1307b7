"""Rows out of Parquet and GeoParquet files, as texts like those of the other formats."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import shapely
from pyarrow import parquet

from data.errors import Fault, TableError
from data.raw import RawTable, file_fault, text_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.raw import Cell, RawRow

BATCH_ROWS = 10_000
WGS84_IDS = ({"authority": "OGC", "code": "CRS84"}, {"authority": "EPSG", "code": 4326})

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
    except _BROKEN as error:
        raise TableError(
            [file_fault(file, f"must be a whole Parquet file ({_first_line(error)})")]
        ) from error
    names = schema.names
    if {"lon", "lat"} <= {name.strip().casefold() for name in names}:
        geometry = None
    else:
        geometry = _geometry_column(schema, file)
    unfit = {
        column.name: rule
        for column in schema
        if column.name != geometry and (rule := _unfit(column.type))
    }
    columns = tuple(name for name in names if name != geometry)
    wanted = [name for name in dict.fromkeys(names) if name not in unfit]
    return RawTable(
        columns=(*columns, "lon", "lat") if geometry else columns,
        rows=_rows(source, wanted, geometry, file),
        unfit=unfit,
    )


def _first_line(error: BaseException) -> str:
    """Take the first line of a library's message."""
    return str(error).partition("\n")[0]


def _unfit(kind: Any) -> str:
    """Say why values of a type cannot be used; empty where they can."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        kind = kind.value_type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_timestamp(kind):
        without = kind.tz is None
        return "must be timestamps with a time zone; make them UTC" if without else ""
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    numbers = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    plain = (*texts, *numbers, pa.types.is_boolean, pa.types.is_null)
    return "" if any(fits(kind) for fits in plain) else f"must not be of type {kind}; write text"


def _geometry_column(schema: Any, file: str) -> str | None:
    """
    Find the column of points, by the GeoParquet metadata.

    Raises
    ------
    TableError
        If they are not WKB, or not WGS 84.
    """
    metadata = schema.metadata or {}
    try:
        geo = json.loads(metadata.get(b"geo", b"{}"))
        name = str(geo.get("primary_column", "geometry"))
        facts = geo.get("columns", {}).get(name, {})
        encoding, crs = facts.get("encoding", "WKB"), facts.get("crs", {"id": WGS84_IDS[0]})
        wgs84 = crs is not None and crs.get("id") in WGS84_IDS
    except (ValueError, AttributeError) as error:
        raise TableError(
            [file_fault(file, "must have GeoParquet metadata that can be read")]
        ) from error
    if name not in schema.names:
        return None
    kind = schema.field(name).type
    if encoding != "WKB" or not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        raise TableError(
            [file_fault(file, f"must have its {name} as WKB points, or columns lon and lat")]
        )
    if not wgs84:
        raise TableError(
            [file_fault(file, f"must have its {name} in WGS 84; export it as EPSG:4326")]
        )
    return name


def _rows(source: Any, names: list[str], geometry: str | None, file: str) -> Iterator[RawRow]:
    """
    Read batch after batch.

    Raises
    ------
    TableError
        If a batch is broken.
    """
    line = 0
    try:
        for batch in source.iter_batches(batch_size=BATCH_ROWS, columns=names):
            plain = [name for name in names if name != geometry]
            columns = [_texts(batch.column(name)) for name in plain]
            places = _points(batch.column(geometry)) if geometry else [None] * len(batch)
            for place, *values in zip(places, *columns, strict=True):
                line += 1
                cells: dict[str, Cell] = dict(zip(plain, values, strict=True))
                yield _row(file, line, cells, place)
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
        fault = Fault(file=file, line=line, field="lon,lat", value=place, rule=rule)
        return text_row(file, line, cells, fault)
    return text_row(file, line, {**cells, "lon": place[0], "lat": place[1]})


def _texts(column: Any) -> list[Cell]:
    """Write a column as texts, in Arrow: numbers to the last digit, instants in UTC."""
    kind = column.type
    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", tz="UTC"), safe=False)
    column = column.cast(pa.list_(pa.string()) if listed else pa.string())
    if listed:
        return [[item or "" for item in items or ()] for items in column.to_pylist()]
    return [text or "" for text in column.to_pylist()]


def _points(column: Any) -> list[tuple[str, str] | str | None]:
    """Read points; a text in place of one names what is there instead."""
    found: list[tuple[str, str] | str | None] = []
    values = column.to_pylist()
    for value, shape in zip(values, shapely.from_wkb(values, on_invalid="ignore"), strict=True):
        if value is None:
            found.append(None)
        elif isinstance(shape, shapely.Point) and not shape.is_empty:
            found.append((repr(shape.x), repr(shape.y)))
        else:
            found.append(
                "no WKB" if shape is None else f"{'empty ' * shape.is_empty}{shape.geom_type}"
            )
    return found

"""Files written whole or not at all, and notes for the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from data.atomic import written
from rollby.output import csv_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import geopandas

    from data.errors import Fault

FIGURES = {"drive_time_s", "distance_m"}  # the other columns of a matrix are texts
GIS_DRIVERS = {".gpkg": "GPKG", ".geojson": "GeoJSON"}


def say(notes: Iterable[str]) -> None:
    """Write notes to stderr, which is never the answer."""
    for note in notes:
        click.echo(note, err=True)


def say_skipped(skipped: Iterable[Fault]) -> None:
    """List the rows that were left out; JSON has them under ``skipped`` too."""
    say(f"skipped: {fault}" for fault in skipped)


def write_text(path: Path, text: str, *, what: str = "") -> None:
    """
    Write a text file.

    Parameters
    ----------
    path : Path
        Where to; its folder must exist.
    text : str
        Its content.
    what : str
        What is said to be there; "" = nothing is said.
    """
    with written(path) as part:
        part.write_text(text, encoding="utf-8")
    if what:
        say([f"{what}: {path}"])


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """
    Write a table.

    Parameters
    ----------
    path : Path
        ``.csv`` or ``.parquet``.
    columns : sequence of str
        In order.
    rows : sequence of dict
        One a row.
    """
    if path.suffix == ".csv":
        write_text(path, csv_text(columns, rows))
        return
    import pyarrow as pa  # noqa: PLC0415 - only Parquet needs it
    from pyarrow import parquet  # noqa: PLC0415 - as above

    table = pa.table(
        {
            name: pa.array(
                [row.get(name) for row in rows], pa.float64() if name in FIGURES else pa.string()
            )
            for name in columns
        }
    )
    with written(path) as part:
        parquet.write_table(table, part)


def write_cells(path: Path, cells: geopandas.GeoDataFrame, *, what: str = "") -> None:
    """
    Write cells for a GIS.

    Parameters
    ----------
    path : Path
        .gpkg, .geojson, .parquet, or .csv, which has the geometry as WKT.
    cells : GeoDataFrame
        From `geo.cells.coverage_cells`.
    what : str
        As in `write_text`.
    """
    with written(path) as part:
        if path.suffix == ".parquet":
            cells.to_parquet(part)
        elif path.suffix == ".csv":
            cells.to_wkt().to_csv(part, index=False, lineterminator="\n")
        else:
            cells.to_file(part, driver=GIS_DRIVERS[path.suffix], layer="coverage")
    if what:
        say([f"{what}: {path}"])

"""``rollby coverage``: how soon the first and the second car could be anywhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from geo.as_json import coverage_json, fault_json
from geo.coverage import cover
from rollby.files import say, say_skipped, write_cells, write_text
from rollby.inputs import load
from rollby.output import console, coverage_table, json_text

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


def show_coverage(
    *,
    roads: Path,
    units: Path,
    stops: Path | None,
    at: datetime | None,
    within_s: float | None,
    settings: Path | None,
    skip_bad: bool,
    as_json: bool,
    map_path: Path | None,
    tiles: bool,
    cells: Path | None,
) -> None:
    """
    Do ``rollby coverage``.

    Parameters
    ----------
    roads, units : Path
        What it works on.
    stops, settings : Path or None
        Stops whose units are not idle, and settings.
    at : datetime or None
        The instant; None for the newest in the files.
    within_s : float or None
        T, seconds; None for that of the settings.
    skip_bad : bool
        Go on without faulty rows.
    as_json : bool
        Print JSON.
    map_path, cells : Path or None
        Write a map, H3 cells.
    tiles : bool
        With online tiles beneath the map.
    """
    inputs = load(
        roads=roads,
        units=units,
        stops=stops,
        settings=settings,
        at=at,
        within_s=within_s,
        skip_bad=skip_bad,
    )
    say(inputs.notes)
    chosen = inputs.settings
    answer = cover(
        inputs.net,
        inputs.units,
        inputs.stops,
        now=inputs.at,
        settings=chosen,
        beats=inputs.beats,
    )
    answer = replace(answer, left_out=tuple(map(str, inputs.skipped)))
    summary = coverage_json(answer, inputs.net, inputs.beats)
    summary["skipped"] = [fault_json(fault) for fault in inputs.skipped]
    if as_json:
        click.echo(json_text(summary))
    else:
        console().print(coverage_table(summary, chosen, inputs.at))
    say_skipped(inputs.skipped)
    if cells:
        from geo.cells import coverage_cells

        write_cells(cells, coverage_cells(inputs.net, answer))
        say([f"cells: {cells}"])
    if map_path:
        from maps.coverage_map import coverage_map

        shown = chosen.units
        page = coverage_map(
            inputs.net.table,
            answer,
            time_zone=shown.time_zone,
            speed_unit=shown.speed_unit,
            tiles=tiles,
        )
        write_text(map_path, page)
        say([f"map: {map_path}"])

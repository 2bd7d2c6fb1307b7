"""``rollby coverage``: how soon the nearest idle units could be anywhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from data.errors import InputError
from data.history import read_history
from geo.as_json import coverage_json, fault_json
from geo.coverage import cover
from geo.demand import expected_stops
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
    history: Path | None,
    cells: Path | None,
    bands: Path | None,
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
    history : Path or None
        A recorded period that tells where and when stops begin; None: by length of road.
    map_path, cells, bands : Path or None
        Write a map, H3 cells, areas.
    tiles : bool
        With online tiles beneath the map.

    Raises
    ------
    InputError
        If the history holds no stop near these roads.
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
    expected, recorded, simulated = None, None, chosen.units.simulated
    if history:
        period = read_history(history)
        zone = ZoneInfo(chosen.units.time_zone)
        expected, recorded = expected_stops(inputs.net, period, at=inputs.at, zone=zone)
        if not recorded:
            raise InputError(
                f"--history {history}: no stop with a place near these roads in an hour with fixes"
            )
        simulated = simulated or period.simulated
    answer = cover(
        inputs.net,
        inputs.units,
        inputs.stops,
        now=inputs.at,
        settings=chosen,
        beats=inputs.beats,
        stops_an_hour=expected,
    )
    left_out = tuple(map(str, inputs.skipped))
    answer = replace(answer, stops_recorded=recorded, left_out=left_out, simulated=simulated)
    summary = coverage_json(answer, inputs.net, inputs.beats, chosen.policy)
    summary["skipped"] = [fault_json(fault) for fault in inputs.skipped]
    if as_json:
        click.echo(json_text(summary))
    else:
        console().print(coverage_table(summary, chosen, inputs.at))
    say_skipped(inputs.skipped)
    if cells:
        from geo.cells import coverage_cells

        write_cells(cells, coverage_cells(inputs.net, answer, chosen.policy))
        say([f"cells: {cells}"])
    if bands:
        from geo.bands import band_areas

        write_cells(bands, band_areas(inputs.net, answer))
        say([f"bands: {bands}"])
    if map_path:
        from geo.readiness import readiness
        from maps.coverage_map import coverage_map

        shown = chosen.units
        page = coverage_map(
            inputs.net.table,
            answer,
            ready=readiness(inputs.net, answer, inputs.beats, chosen.policy),
            time_zone=shown.time_zone,
            speed_unit=shown.speed_unit,
            tiles=tiles,
        )
        write_text(map_path, page)
        say([f"map: {map_path}"])

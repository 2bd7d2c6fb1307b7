"""``rollby coverage``: how soon the nearest idle units could be anywhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from data.errors import InputError
from data.history import read_history
from geo.as_json import coverage_json, fault_json
from geo.coverage import cover
from geo.demand import expected_stops
from rollby.files import say, say_skipped, write_cells, write_text
from rollby.inputs import load
from rollby.output import console, coverage_table, json_text, manner_of

if TYPE_CHECKING:
    from pathlib import Path


def show_coverage(
    *,
    as_json: bool,
    map_path: Path | None,
    tiles: bool,
    history: Path | None,
    cells: Path | None,
    bands: Path | None,
    **given: Any,
) -> None:
    """
    Do ``rollby coverage``.

    Parameters
    ----------
    as_json : bool
        Print JSON.
    history : Path or None
        A recorded period that tells where and when stops begin; None: by length of road.
    map_path, cells, bands : Path or None
        Write a map, H3 cells, areas.
    tiles : bool
        With online tiles beneath the map.
    **given : Any
        What `rollby.inputs.load` works on.

    Raises
    ------
    InputError
        If the history holds no stop near these roads.
    """
    inputs = load(**given)
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

        write_cells(cells, coverage_cells(inputs.net, answer, chosen.policy), what="cells")
    if bands:
        from geo.bands import band_areas

        write_cells(bands, band_areas(inputs.net, answer), what="bands")
    if map_path:
        from geo.readiness import readiness
        from maps.coverage_map import coverage_map

        ready = readiness(inputs.net, answer, inputs.beats, chosen.policy)
        page = coverage_map(inputs.net.table, answer, ready, manner_of(chosen, tiles=tiles))
        write_text(map_path, page, what="map")

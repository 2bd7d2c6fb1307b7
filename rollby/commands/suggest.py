"""``rollby suggest``: who is alone, and who should roll by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from geo.as_json import advice_json
from geo.dispatch import advise
from rollby.files import say, say_skipped, write_text
from rollby.inputs import load
from rollby.output import (
    ADVICE_COLUMNS,
    advice_geojson,
    advice_rows,
    advice_table,
    console,
    csv_text,
    json_text,
    manner_of,
    no_formulas,
)

if TYPE_CHECKING:
    from pathlib import Path


def suggest_units(
    *,
    as_json: bool,
    as_csv: bool,
    as_geojson: bool,
    map_path: Path | None,
    tiles: bool,
    **given: Any,
) -> None:
    """
    Do ``rollby suggest``.

    Parameters
    ----------
    as_json, as_csv, as_geojson : bool
        What to print in place of a table.
    map_path : Path or None
        Write a map here.
    tiles : bool
        With online tiles beneath.
    **given : Any
        What `rollby.inputs.load` works on.
    """
    inputs = load(**given)
    say(inputs.notes)
    advice = advise(
        inputs.net,
        inputs.units,
        inputs.stops,
        now=inputs.at,
        settings=inputs.settings,
        beats=inputs.beats,
        asked=inputs.asked,
    )
    advice = replace(advice, left_out=tuple(map(str, inputs.skipped)))
    if as_json:
        roads_facts = {"file": str(given["roads"]), **inputs.net.facts()}
        answer = advice_json(
            advice, roads=roads_facts, settings=inputs.settings, skipped=inputs.skipped
        )
        click.echo(json_text(answer))
    elif as_csv:
        click.echo(csv_text(ADVICE_COLUMNS, map(no_formulas, advice_rows(advice))), nl=False)
    elif as_geojson:
        click.echo(json_text(advice_geojson(advice)))
    else:
        console().print(advice_table(advice, inputs.settings))
    say_skipped(inputs.skipped)
    if map_path:
        from maps.stops_map import stops_map

        page = stops_map(inputs.net.table, advice, manner_of(inputs.settings, tiles=tiles))
        write_text(map_path, page, what="map")

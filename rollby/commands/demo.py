"""``rollby demo``: the main job on the embedded city, simulated data, nothing to download."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import click

from data.errors import InputError
from geo.as_json import advice_json
from geo.coverage import cover
from geo.dispatch import advise
from maps.coverage_map import coverage_map
from maps.stops_map import stops_map
from rollby.files import say, write_text
from rollby.inputs import load
from rollby.output import advice_table, console, json_text, manner_of

if TYPE_CHECKING:
    from pathlib import Path


def run_demo(out: Path, *, as_json: bool) -> None:
    """
    Answer for the simulated evening, and draw both maps.

    Parameters
    ----------
    out : Path
        Folder for the maps; made if missing.
    as_json : bool
        Print JSON in place of a table.

    Raises
    ------
    InputError
        If the folder cannot be made.
    """
    with as_file(files("data") / "sample") as sample:
        inputs = load(
            roads=sample / "denver.roads",
            units=sample / "simulated_units.csv",
            stops=sample / "simulated_stops.csv",
            settings=sample / "simulated_settings.toml",
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror
        raise InputError(f"{out}: cannot be made ({why}); choose another --out") from error
    at, settings, manner = inputs.at, inputs.settings, manner_of(inputs.settings)
    advice = advise(inputs.net, inputs.units, inputs.stops, now=at, settings=settings)
    coverage = cover(inputs.net, inputs.units, inputs.stops, now=at, settings=settings)
    write_text(out / "stops.html", stops_map(inputs.net.table, advice, manner))
    write_text(out / "coverage.html", coverage_map(inputs.net.table, coverage, manner=manner))
    if as_json:
        answer = advice_json(advice, roads=inputs.net.facts(), settings=inputs.settings)
        click.echo(json_text(answer))
    else:
        console().print(advice_table(advice, inputs.settings))
    say([f"stops map:    {out / 'stops.html'}", f"coverage map: {out / 'coverage.html'}"])

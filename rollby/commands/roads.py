"""``rollby roads build`` and ``rollby roads info``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from data.errors import InputError
from geo.network import RoadNetwork
from rollby.output import Bar, console, console_err, json_text, roads_table

if TYPE_CHECKING:
    from pathlib import Path


def build_roads_file(
    out: Path, *, service_roads: bool, response: bool = False, **source: Any
) -> None:
    """
    Do ``rollby roads build``.

    Parameters
    ----------
    out : Path
        The ``.roads`` file to write.
    service_roads : bool
        Take all alleys and car parks; else only service roads that join streets, and those by which
        alone a street is reached.
    response : bool
        Times with lights and siren.
    **source
        One of the sources of `data.osm.build_roads`.

    Raises
    ------
    InputError
        If the folder of `out` does not exist; known before a long download.
    """
    from data.osm import build_roads

    if not out.parent.is_dir():
        raise InputError(f"{out}: cannot be written, there is no folder {out.parent}; make it")
    with Bar(console_err()) as bar:
        table = build_roads(service_roads=service_roads, progress=bar.show, **source)
    net = RoadNetwork.from_table(table, response=response)
    net.save(out)
    print_roads(net, out, as_json=False)


def show_roads(file: Path, *, as_json: bool) -> None:
    """
    Do ``rollby roads info``.

    Parameters
    ----------
    file : Path
        A ``.roads`` file.
    as_json : bool
        Print JSON.
    """
    print_roads(RoadNetwork.load(file), file, as_json=as_json)


def print_roads(net: RoadNetwork, file: Path, *, as_json: bool) -> None:
    """
    Print what a road network is.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    file : Path
        Where they are kept.
    as_json : bool
        Print JSON.
    """
    if as_json:
        facts = {"schema": "rollby.roads/1", "file": str(file), **net.facts()}
        click.echo(json_text(facts | {"bytes": file.stat().st_size}))
    else:
        console().print(Text(str(file)), roads_table(net))

"""``rollby time``: from one place to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from data import words
from data.errors import InputError
from geo.as_json import number_json, position_json, route_json
from geo.router import search_back
from geo.snap import NEAR_M
from rollby.files import say, write_text
from rollby.inputs import far_rule, load_roads, load_settings, snap_places
from rollby.output import json_text, manner_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data.answers import Route
    from geo.snap import Position


def drive_time(
    *,
    roads: Path,
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    settings: Path | None,
    as_json: bool,
    map_path: Path | None,
    tiles: bool,
) -> None:
    """
    Do ``rollby time``.

    Parameters
    ----------
    roads : Path
        The network.
    start, end : (lon_deg, lat_deg, heading_deg)
        The heading NaN where unknown.
    settings : Path or None
        Whose unit distances are shown in.
    as_json : bool
        Print JSON.
    map_path : Path or None
        Write a map here.
    tiles : bool
        With online tiles beneath.

    Raises
    ------
    InputError
        If a place is far from any road, or a map is wanted of no way.
    """
    net = load_roads(roads)
    chosen, _ = load_settings(settings)
    unit = chosen.units.speed_unit
    ends, far = [], []
    for name, place in (("from", start), ("to", end)):
        (position,) = snap_places(net, [place], arriving=name == "to")
        if position is None:
            far.append(f"--{name} {place[0]},{place[1]}: {far_rule(net, place[0], place[1])}")
            continue
        ends.append(position)
        if position.offset_m > NEAR_M:
            away = words.distance(position.offset_m, unit)
            say([f"--{name}: the nearest road is {away} away; used there"])
    if far:
        raise InputError("\n".join(far))
    route = search_back(net, ends[1]).route(ends[0])
    streets = [net.table.street(position.edge) for position in ends]
    if as_json:
        click.echo(json_text(_time_json(route, ends, streets)))
    elif route is None:
        click.echo("no way by road")
    else:
        by_way = ", ".join(dict.fromkeys(name for name, _ in route.streets if name))
        took, length = words.drive(route.drive_time_s), words.distance(route.distance_m, unit)
        click.echo(f"{took} by road, {length}: {by_way}")
    if map_path:
        if route is None:
            raise InputError(f"{map_path}: there is no way to draw")
        from maps.route_map import route_map

        page = route_map(
            net.table,
            route,
            from_label=streets[0],
            to_label=streets[1],
            manner=manner_of(chosen, tiles=tiles),
        )
        write_text(map_path, page, what="map")


def _time_json(
    route: Route | None, ends: Sequence[Position], streets: Sequence[str]
) -> dict[str, Any]:
    """Write ``rollby.time/1``."""
    return {
        "schema": "rollby.time/1",
        "drive_time_s": number_json(route.drive_time_s) if route else None,
        "distance_m": number_json(route.distance_m) if route else None,
        "from": position_json(ends[0], streets[0]),
        "to": position_json(ends[1], streets[1]),
        "route": route_json(route) if route else None,
        "streets": [
            {"turn": turn, "street": name, "distance_m": number_json(metres)}
            for turn, (name, metres) in (
                zip(route.turns, route.streets, strict=True) if route else ()
            )
        ],
    }

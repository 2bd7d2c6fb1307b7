"""``rollby posts``: where idle units should stand."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from rich.table import Table

from data import words
from data.errors import InputError
from data.history import read_history
from geo.as_json import number_json
from geo.demand import stops_begun
from geo.nearest import NearestUnits
from geo.post_places import choose_posts, post_places
from geo.starts import starts_of
from rollby.files import say, write_text
from rollby.inputs import far_rule, load_roads, load_settings, snap_places
from rollby.output import console, feature, json_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data.road_table import FloatArray
    from geo.network import RoadNetwork
    from geo.post_places import Model, PostPlaces
    from geo.posts import Plan
    from geo.snap import Position

    Place = tuple[float, float, float]

PROVEN = 1e-6  # what a solver counts as equal
PLANS = {
    "cover": "These posts",
    "greedy": "Chosen one by one",
    "present": "Today's",
    "by_hand": "By hand",
}


def show_posts(
    *,
    roads: Path,
    count: int,
    model: Model,
    history: Path | None,
    within_s: float | None,
    busy: float,
    present: Sequence[Place],
    move_price: float,
    by_hand: Sequence[Place],
    candidates: int,
    solve_s: float,
    settings: Path | None,
    as_json: bool,
    geojson_path: Path | None,
    map_path: Path | None,
    tiles: bool,
) -> None:
    """
    Do ``rollby posts``.

    Parameters
    ----------
    roads : Path
        The network.
    count : int
        How many posts.
    model : {"backup", "expected", "median"}
        As in `geo.post_places.choose_posts`.
    history : Path or None
        Whose stops weigh the roads; None for their length.
    within_s : float or None
        T, seconds; None for that of the settings.
    busy : float
        Share of time that a unit is busy.
    present, by_hand : sequence of (lon_deg, lat_deg, heading_deg)
        Posts of today, and of a plan made by hand.
    move_price : float
        What a post must gain to be elsewhere than one of today's.
    candidates : int
        How many places more to choose from.
    solve_s : float
        Seconds for the solver.
    settings : Path or None
        None for the defaults.
    as_json : bool
        Print JSON.
    geojson_path, map_path : Path or None
        Write the posts, a map.
    tiles : bool
        With online tiles beneath the map.

    Raises
    ------
    InputError
        If a place is far from any road, or the history holds no stop near one.
    """
    chosen, beats = load_settings(settings, within_s=within_s)
    net = load_roads(roads)
    given = _snapped(net, {"present": present, "by-hand": by_hand})
    weight, stops, simulated = net.table.road_m, None, chosen.units.simulated
    if history:
        weight, recorded_simulated = _stops_on(net, history)
        stops, simulated = int(weight.sum()), simulated or recorded_simulated
    limit_s = chosen.policy.within_s
    places = post_places(
        net, given=given, weight=weight, candidates=candidates, within_s=limit_s, beats=beats
    )
    price = np.where(np.arange(len(places.place)) < len(present), 0.0, move_price)
    best, greedy = choose_posts(places, count, model, busy=busy, move_price=price, limit_s=solve_s)
    answer: dict[str, Any] = {
        "schema": "rollby.posts/1",
        "simulated": simulated,
        "model": model,
        "count": count,
        "within_s": limit_s,
        "stops": stops,
        "candidates": len(places.place),
        "value": number_json(best.value, 6),
        "bound": number_json(best.bound, 6),
        "gap": number_json(best.gap, 6),
        "greedy_value": number_json(greedy.value, 6),
        "cover": _cover(places, best.posts),
        "greedy": _cover(places, greedy.posts),
        "present": _cover(places, range(len(present))),
        "by_hand": _cover(places, range(len(present), len(given))),
        "posts": _posts(net, places, best, len(present)),
    }
    if as_json:
        click.echo(json_text(answer))
    else:
        _print(answer)
    if geojson_path:
        write_text(geojson_path, json_text(_geojson(answer)))
        tried = f"--on-duty {count} --posts {geojson_path}"
        say([f"posts: {geojson_path}", f"next: rollby simulate --roads {roads} -o shift {tried}"])
    if map_path:
        posts = [places.place[row] for row in best.posts]
        write_text(map_path, _map(net, posts, answer, chosen.units.speed_unit, tiles=tiles))
        say([f"map: {map_path}"])


def _stops_on(net: RoadNetwork, history: Path) -> tuple[FloatArray, bool]:
    """
    Count the stops of a recorded period by edge, and say whether it was simulated.

    Raises
    ------
    InputError
        If there is none near a road.
    """
    recorded = read_history(history)
    edge, _ = stops_begun(net, recorded)
    if not len(edge):
        raise InputError(f"--history {history}: no stop with a place near these roads")
    stops = np.bincount(edge, minlength=len(net.edge_ms)).astype(np.float64)
    return stops, recorded.simulated


def _map(
    net: RoadNetwork,
    posts: Sequence[Position],
    answer: dict[str, Any],
    unit: words.SpeedUnit,
    *,
    tiles: bool,
) -> str:
    """Draw the posts, and how soon two cars would be anywhere from there."""
    from maps.posts_map import posts_map

    return posts_map(
        net.table,
        NearestUnits(net, starts_of(net, posts), k=2).at_middles()[1],
        answer["posts"],
        plans={title: answer[name] for name, title in PLANS.items() if answer[name]},
        where=_where(answer),
        proof=proof(answer["gap"]),
        within_s=answer["within_s"],
        simulated=answer["simulated"],
        speed_unit=unit,
        tiles=tiles,
    )


def _snapped(net: RoadNetwork, options: dict[str, Sequence[Place]]) -> list[Position]:
    """
    Put the places of options on the road.

    Raises
    ------
    InputError
        If some are far from any.
    """
    named = [(option, place) for option, places in options.items() for place in places]
    positions = snap_places(net, [place for _, place in named])
    far = [
        f"--{option} {lon},{lat}: {far_rule(net, lon, lat)}"
        for (option, (lon, lat, _)), position in zip(named, positions, strict=True)
        if position is None
    ]
    if far:
        raise InputError("\n".join(far))
    return [position for position in positions if position is not None]


def _cover(places: PostPlaces, posts: Sequence[int]) -> dict[str, float | None] | None:
    """Write what posts give; null where there are none."""
    if not posts:
        return None
    return {name: number_json(one, 4) for name, one in asdict(places.covered_by(posts)).items()}


def _posts(net: RoadNetwork, places: PostPlaces, plan: Plan, present: int) -> list[dict[str, Any]]:
    """List the posts of a plan."""
    return [
        {
            "post": f"P{number}",
            "lon": round(places.place[row].snapped_lon_deg, 7),
            "lat": round(places.place[row].snapped_lat_deg, 7),
            "street": net.table.street(places.place[row].edge),
            "present": row < present,
        }
        for number, row in enumerate(plan.posts, 1)
    ]


def _geojson(answer: dict[str, Any]) -> dict[str, Any]:
    """Write the posts for a GIS."""
    features = [
        feature(
            {"type": "Point", "coordinates": [one["lon"], one["lat"]]},
            {"id": one["post"], **{name: one[name] for name in ("post", "street", "present")}}
            | {"simulated": answer["simulated"]},
        )
        for one in answer["posts"]
    ]
    return {"type": "FeatureCollection", "features": features}


def _print(answer: dict[str, Any]) -> None:
    """Show the posts, and what they give beside other plans."""
    out = console()
    marked = "SIMULATED. " if answer["simulated"] else ""
    within = words.drive(answer["within_s"])
    table = Table(title=f"{marked}Where {answer['count']} idle units should stand")
    for column in ("Post", "Street", "Longitude", "Latitude", "Today's"):
        table.add_column(column)
    for one in answer["posts"]:
        street = one["street"] or "road without a name"
        kept = "kept" if one["present"] else ""
        table.add_row(one["post"], street, f"{one['lon']:.6f}", f"{one['lat']:.6f}", kept)
    out.print(table)
    plans = Table(title=f"Share of {_where(answer)} within {within}")
    for column in ("Plan", "First car", "Second car", "Mean drive time"):
        plans.add_column(column)
    for name, title in PLANS.items():
        if one := answer[name]:
            shares = (words.percent(one[car]) for car in ("first", "second"))
            plans.add_row(title, *shares, words.drive(one["mean_drive_s"]))
    out.print(plans)
    click.echo(proof(answer["gap"]))


def _where(answer: dict[str, Any]) -> str:
    """Say what shares are of."""
    return f"{answer['stops']:,} stops" if answer["stops"] else "road"


def proof(gap: float) -> str:
    """
    Say how sure it is that no choice is better.

    Parameters
    ----------
    gap : float
        What may be left to gain, as a share.

    Returns
    -------
    sentence : str
        For the table and the map.
    """
    if gap < PROVEN:
        return "Proved: no choice of these places is better."
    share = words.percent(gap)
    return f"The solver's time was up: another choice may be better by up to {share}."

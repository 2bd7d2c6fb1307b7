"""``rollby posts``: where idle units should stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from data import words
from rollby.files import say, write_text
from rollby.inputs import load_roads, load_settings
from rollby.output import console, json_text, manner_of
from rollby.posts import PLANS, PostsWish, draw_posts, plan_posts, posts_geojson, proof, weighed

if TYPE_CHECKING:
    from pathlib import Path


def show_posts(
    *,
    roads: Path,
    history: Path | None,
    within_s: float | None,
    settings: Path | None,
    as_json: bool,
    geojson_path: Path | None,
    map_path: Path | None,
    tiles: bool,
    **wanted: Any,
) -> None:
    """
    Do ``rollby posts``.

    Parameters
    ----------
    roads : Path
        The network.
    history : Path or None
        Whose stops weigh the roads; None for their length.
    within_s : float or None
        T, seconds; None for that of the settings.
    settings : Path or None
        None for the defaults.
    as_json : bool
        Print JSON.
    geojson_path, map_path : Path or None
        Write the posts, a map.
    tiles : bool
        With online tiles beneath the map.
    **wanted : Any
        As `PostsWish` has it.
    """
    chosen, beats = load_settings(settings, within_s=within_s)
    net, wish = load_roads(roads), PostsWish(**wanted)
    plan = plan_posts(net, wish, settings=chosen, beats=beats, history=history)
    if as_json:
        click.echo(json_text(plan.answer))
    else:
        _print(plan.answer)
    if geojson_path:
        write_text(geojson_path, json_text(posts_geojson(plan.answer)), what="posts")
        tried = f"--on-duty {wish.count} --posts {geojson_path}"
        say([f"next: rollby simulate --roads {roads} -o shift {tried}"])
    if map_path:
        page = draw_posts(net, plan, manner_of(chosen, tiles=tiles))
        write_text(map_path, page.render(), what="map")


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
    plans = Table(title=f"Share of {weighed(answer)} within {within}")
    for column in ("Plan", "First car", "Second car", "Mean drive time"):
        plans.add_column(column)
    for name, title in PLANS.items():
        if one := answer[name]:
            shares = (words.percent(one[car]) for car in ("first", "second"))
            plans.add_row(title, *shares, words.drive(one["mean_drive_s"]))
    out.print(plans)
    click.echo(proof(answer["gap"]))

"""``rollby simulate``: a made-up shift on real roads."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from data.history import write_history
from data.tables import faults_to_skip, read_places
from geo.board import Board
from geo.shift.plan import ShiftPlan
from geo.shift.posted import Orders, check_posts
from geo.shift.world import simulate
from rollby.commands.exposure import draw_exposure
from rollby.files import say
from rollby.inputs import load_roads, load_settings, place_of, place_rows, positions_of
from rollby.output import json_text

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from geo.network import RoadNetwork
    from geo.snap import Position


def simulate_shift(
    *,
    roads: Path,
    out: Path,
    start: datetime | None,
    seed: int,
    posts: Path | None,
    settings: Path | None,
    as_json: bool,
    map_path: Path | None,
    tiles: bool,
    **wanted: Any,
) -> None:
    """
    Do ``rollby simulate``.

    Parameters
    ----------
    roads, out : Path
        The network, and the folder to write.
    start : datetime or None
        When the shift begins; None for a Friday evening.
    seed : int
        The same seed gives the same shift.
    posts : Path or None
        Where free units stand; None: they patrol.
    settings : Path or None
        Of the board that asks units to roll by.
    as_json : bool
        Print JSON.
    map_path : Path or None
        Where to draw how long each stop was short of officers.
    tiles : bool
        Lay online tiles beneath it.
    **wanted : Any
        As `ShiftPlan` has it.
    """
    net = load_roads(roads)
    chosen, beats = load_settings(settings)
    plan = ShiftPlan(**wanted)
    plan = replace(plan, start=start) if start else plan
    posted = read_posts(net, posts) if posts else ()
    check_posts(len(posted), plan.units)
    record = simulate(net, plan, seed=seed, dispatcher=Board(net, chosen, beats))
    if posted:
        orders = Orders(places=record.truth.places, posts=posted)
        record = simulate(net, plan, seed=seed, dispatcher=Board(net, chosen, beats), orders=orders)
    facts = {**record.history.facts, "hours": plan.hours, "start": plan.start.isoformat()}
    facts |= {"posts": len(posted)} if posted else {}
    write_history(out, replace(record.history, facts=facts))
    if map_path:
        draw_exposure(map_path, net, record.history, chosen, tiles=tiles)
    truth = record.truth
    figures = {
        "fixes": len(record.history.fixes),
        "stops": len(truth.stops),
        "asked": len(truth.asked),
        "came": len(truth.came),
        "calls_without_a_unit": truth.calls_lost,
        "stops_without_a_unit": truth.stops_lost,
        "minutes_short_of_officers": round(truth.exposure_min()),
        "posts": len(posted),
    }
    if as_json:
        plan_facts = {
            name: value
            for name, value in asdict(plan).items()
            if isinstance(value, (int, float, str))
        }
        answer = {"schema": "rollby.simulate/1", "simulated": True, "out": str(out)}
        click.echo(json_text({**answer, "seed": seed, "plan": plan_facts, **figures}))
        return
    click.echo(f"{out}: simulated; nobody was there")
    for name, count in figures.items():
        click.echo(f"  {count:,} {name.replace('_', ' ')}")
    say([f"next: rollby replay --roads {roads} --history {out}"])


def read_posts(net: RoadNetwork, path: Path) -> tuple[Position, ...]:
    """
    Put the posts of a file on the road.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    path : Path
        As ``rollby posts --geojson`` writes it, or any file of places.

    Returns
    -------
    posts : tuple of Position
        In the file's order.

    Raises
    ------
    TableError
        With every fault of it.
    """
    file = read_places(path)
    faults_to_skip(file, skip_bad=False)
    say(file.notes)
    (found,) = positions_of(place_rows(net, file, place_of, arriving=True))
    return tuple(found)

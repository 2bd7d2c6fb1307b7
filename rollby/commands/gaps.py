"""``rollby gaps``: where and when the first and the second car were too far away."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
import numpy as np
from rich.table import Table

from data import words
from data.history import read_history
from geo.as_json import number_json
from geo.cells import with_outlines
from geo.gap_figures import by_cell, change, exposed_per_week, percentile_s
from geo.gaps import past_cover
from geo.hours import HOUR_S
from geo.what_if import with_post
from rollby.files import say, write_cells
from rollby.inputs import load_roads, load_settings
from rollby.output import console, json_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data.road_table import FloatArray, IntArray
    from geo.gaps import PastCover

WORST = 15


def show_gaps(
    *,
    roads: Path,
    history: Path,
    settings: Path | None,
    every_s: float,
    split: datetime | None,
    posts: Sequence[tuple[str, float, float]],
    as_json: bool,
    cells: Path | None,
) -> None:
    """
    Do ``rollby gaps``.

    Parameters
    ----------
    roads, history : Path
        The network, and the folder.
    settings : Path or None
        None for the defaults.
    every_s : float
        From snapshot to snapshot, seconds.
    split : datetime or None
        Hold what was from here on against what was before.
    posts : sequence of (unit_id, lon_deg, lat_deg)
        These units stand there whenever they are available, in place of where they were.
    as_json : bool
        Print JSON.
    cells : Path or None
        Write H3 cells.
    """
    chosen, beats = load_settings(settings)
    recorded = read_history(history)
    for post in posts:
        recorded = with_post(recorded, *post)
    past = past_cover(load_roads(roads), recorded, settings=chosen, beats=beats, every_s=every_s)
    columns = gap_columns(past)
    order = np.argsort(-np.array(columns["second_stops_a_week"]), kind="stable")[:WORST]
    answer: dict[str, Any] = {
        "schema": "rollby.gaps/1",
        "simulated": recorded.simulated or chosen.units.simulated,
        "snapshots": int(past.snapshots.sum()),
        "hours": len(past.hour),
        "stops": int(past.stops.sum()),
        "road_beyond": _overall(past, past.snapshots[:, None] * past.road_km),
        "stops_beyond": _overall(past, past.stops),
        "worst_cells": [
            {name: _plain(column[i]) for name, column in columns.items()} for i in order.tolist()
        ],
    }
    if split:
        answer["changes"] = _changes(past, split, ZoneInfo(chosen.units.time_zone))
    if as_json:
        click.echo(json_text(answer))
    else:
        console().print(_table(answer))
        for what, where in (("road", "of all road"), ("stops", "where and when stops began")):
            shares = answer[f"{what}_beyond"]
            if shares["first"] is not None:
                cars = ", ".join(f"{car} car {words.percent(one)}" for car, one in shares.items())
                click.echo(f"Share of time beyond T, {where}: {cars}")
        for car, one in answer.get("changes", {}).items():
            tested = "too few days to tell" if one["p"] is None else f"p = {one['p']:.4f}"
            shares = f"{words.percent(one['before'])} before, {words.percent(one['after'])} after"
            click.echo(f"{car} car beyond T: {shares}; {tested}")
    if cells:
        write_cells(cells, with_outlines(columns).replace(np.inf, np.nan))
        say([f"cells: {cells}"])


def gap_columns(past: PastCover) -> dict[str, Any]:
    """
    Sum up by cell, as ``--cells`` writes it.

    Returns
    -------
    columns : dict of str to sequence, length c
        As docs/formats.md lists them.
    """
    shares, stops = by_cell(past), exposed_per_week(past).sum(axis=0)
    columns: dict[str, Any] = {
        "cell": past.cell,
        "street": list(past.street),
        "road_km": past.road_km,
        "days": shares.times[:, 0],
    }
    for car, name in enumerate(("first", "second")):
        columns |= {
            f"{name}_beyond": shares.mean[:, car],
            f"{name}_beyond_low": shares.low[:, car],
            f"{name}_beyond_high": shares.high[:, car],
            f"{name}_p50_s": percentile_s(past, 0.5)[:, car],
            f"{name}_p90_s": percentile_s(past, 0.9)[:, car],
            f"{name}_stops_a_week": stops[:, car],
        }
    return columns


def _overall(past: PastCover, weight: FloatArray | IntArray) -> dict[str, float | None]:
    """Give the share of time and place beyond T of the first and the second car."""
    share = np.einsum("hc,hck->k", weight, past.beyond) / max(float(weight.sum()), 1e-300)
    known = weight.sum() > 0
    cars = zip(("first", "second"), share.tolist(), strict=True)
    return {car: number_json(one, 4) if known else None for car, one in cars}


def _changes(past: PastCover, split: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Hold the hours from an instant on against those before, over all road."""
    local_s = split.astimezone(zone).replace(tzinfo=None) - datetime(1970, 1, 1)  # noqa: DTZ001 - local
    after = past.hour * HOUR_S >= local_s.total_seconds()
    found = {}
    for car, name in enumerate(("first", "second")):
        share = past.beyond[:, :, car] @ (past.road_km / past.road_km.sum())
        one = asdict(change(past, after, share))
        found[name] = one | {"p": None if np.isnan(one["p"]) else one["p"]}
    return found


def _plain(value: Any) -> Any:
    """Give a figure as JSON has it."""
    return str(value) if isinstance(value, str) else number_json(float(value))


def _table(answer: dict[str, Any]) -> Table:
    """Lay out the worst cells."""
    simulated = "SIMULATED. " if answer["simulated"] else ""
    seen = f"{answer['snapshots']:,} snapshots in {answer['hours']:,} hours"
    table = Table(title=f"{simulated}Where the second car was beyond T: {seen}")
    for column in ("Street", "Cell", "First beyond T", "Second beyond T", "Stops a week, second"):
        table.add_column(column)
    for one in answer["worst_cells"]:
        shares = (
            f"{words.percent(one[f'{car}_beyond'])} ({words.percent(one[f'{car}_beyond_low'])} to "
            f"{words.percent(one[f'{car}_beyond_high'])})"
            for car in ("first", "second")
        )
        table.add_row(one["street"], one["cell"], *shares, f"{one['second_stops_a_week']:.2f}")
    return table

"""
A simulated quarter of a city, with stops as often as Minneapolis really made them: gaps and posts.

    python scripts/real_run.py columbus_oh.roads America/New_York --units 40 --weeks 13

Nobody was there: only how often stops happen, by hour of the week, is from a record. Every week is
a simulated shift of its own, in which nobody is asked to roll by. Posts are planned from the stops
of the first half. What each week came to is kept in --out, so that a run that was ended goes on
where it was; --history keeps the period itself, for `rollby gaps` with its map.
"""

from __future__ import annotations

import json
import pickle
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import click
import numpy as np

from data.atomic import written
from data.events import StopChange
from data.history import add_to_history
from data.past_gaps import CARS
from data.records import StopPhase
from data.settings import Settings
from data.words import week_hour
from geo.demand import stops_begun
from geo.gaps import past_cover
from geo.network import RoadNetwork
from geo.past_gaps import gaps_of
from geo.post_places import choose_posts, post_places
from geo.shift.plan import ShiftPlan
from geo.shift.world import simulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.events import History
    from data.road_table import IntArray
    from geo.gaps import PastCover

STOPS_PER_HOUR = 26_098 / (365 * 24)  # traffic stops of Minneapolis in 2017, open data
WEEK_HOURS = 168
MONDAY = datetime(2026, 4, 6)  # noqa: DTZ001 - local; thirteen weeks from here no clock is changed
WORST = 10


class Week(NamedTuple):
    """What a week came to, where its stops began, and the processor's time that it took."""

    past: PastCover
    edges: IntArray
    simulating_s: float
    looking_s: float


def joined(parts: Sequence[PastCover]) -> PastCover:
    """Put periods that follow each other, on the same roads, one after the other."""
    rows = ("hour", "snapshots", "all_road", "stops_begun", "stops_beyond")
    sums = ("hours_beyond", "drive_time_km", "stops")
    return replace(
        parts[0],
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in rows},
        **{name: np.sum([getattr(part, name) for part in parts], axis=0) for name in sums},
    )


def named(history: History, week: int, ended: datetime) -> History:
    """Give the stops of a week names that no other week has, and end those still open with it."""
    stops = [
        replace(one, stop=replace(one.stop, stop_id=f"W{week + 1:02}{one.stop.stop_id}"))
        for one in history.stops
    ]
    last = {one.stop.stop_id: one.stop for one in stops}
    stops += [
        StopChange(stop=replace(stop, phase=StopPhase.CLEARED, ended_at=ended), at=ended)
        for stop in last.values()
        if stop.phase is not StopPhase.CLEARED
    ]
    return replace(history, stops=tuple(stops))


def gap_figures(past: PastCover, settings: Settings) -> dict[str, Any]:
    """Sum up what the weeks so far come to."""
    gaps = gaps_of(past, settings=settings, simulated=True)
    cars = range(len(CARS))
    return {
        "snapshots": gaps.snapshots,
        "stops": gaps.stops,
        "days": gaps.days,
        "road_beyond": {
            CARS[car]: [round(float(one[car]), 4) for one in
                        (gaps.all_road, gaps.all_road_low, gaps.all_road_high)]
            for car in cars
        },
        "stops_beyond": {
            CARS[car]: [round(float(one[car]), 4) for one in
                        (gaps.where_stops, gaps.where_stops_low, gaps.where_stops_high)
                        if one is not None]
            for car in cars
        },
        "stops_a_week": {
            CARS[car]: round(float(gaps.stops_a_week[:, car].sum()), 2) for car in cars
        },
        "worst_cells": [
            {
                "street": gaps.street[row],
                "cell": str(gaps.cell[row]),
                "second_beyond": gaps.share(row, 1),
                "stops_a_week": round(float(gaps.stops_a_week[row, 1]), 3),
            }
            for row in gaps.worst[:WORST].tolist()
        ],
        "worst_hours": {
            week_hour(hour): round(float(gaps.stops_by_hour[hour, :, 1].sum()), 2)
            for hour in gaps.worst_hours[:WORST].tolist()
        },
        "days_alike": dict(zip(CARS, gaps.days_alike.round(2).tolist(), strict=True)),
        "trend_a_week": {CARS[car]: gaps.trend[car].a_week for car in cars},
        "trend_p": {CARS[car]: gaps.trend[car].p for car in cars},
    }  # fmt: skip


def post_figures(
    net: RoadNetwork, planned: np.ndarray, unseen: np.ndarray, units: int, within_s: float
) -> dict[str, Any]:
    """Plan posts from where some stops began, and hold them against stops that were not seen."""
    weight = [np.bincount(edge, minlength=len(net.edge_ms)) * 1.0 for edge in (planned, unseen)]
    places = post_places(net, given=(), weight=weight[0], candidates=200, within_s=within_s)
    free = np.zeros(len(places.place))
    figures = {}
    for model in ("expected", "backup"):
        best, greedy = choose_posts(places, units, model, move_price=free)
        posts = [places.place[row] for row in best.posts]
        later = post_places(net, given=posts, weight=weight[1], candidates=1, within_s=within_s)
        figures[model] = {
            "gap_proved": round(best.gap, 6),
            "planned_from": asdict(places.covered_by(best.posts)),
            "one_by_one": asdict(places.covered_by(greedy.posts)),
            "not_seen": asdict(later.covered_by(range(units))),
        }
    return figures


@click.command()
@click.argument("roads", type=click.Path(exists=True, path_type=Path))
@click.argument("zone")
@click.option("--units", default=40, show_default=True)
@click.option("--weeks", default=13, show_default=True)
@click.option("--every", "every_s", default=300.0, show_default=True, help="Between snapshots, s.")
@click.option("--stops-per-hour", default=STOPS_PER_HOUR, show_default="as Minneapolis made them")
@click.option("--history", type=click.Path(path_type=Path), help="Folder to write it to.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for what each week came to.")
def main(
    roads: Path,
    zone: str,
    units: int,
    weeks: int,
    every_s: float,
    stops_per_hour: float,
    history: Path | None,
    out: Path | None,
) -> None:
    """Simulate, look at the gaps, plan posts, and print the figures."""
    net = RoadNetwork.load(roads)
    settings = Settings.model_validate({"units": {"time_zone": zone, "simulated": True}})
    monday = MONDAY.replace(tzinfo=ZoneInfo(zone))
    found: list[Week] = []
    for number in range(weeks):
        kept = out and out / f"week-{number + 1:02}.pickle"
        if kept and kept.exists():
            found.append(pickle.loads(kept.read_bytes()))  # noqa: S301 - of this script
            continue
        plan = ShiftPlan(
            start=monday + timedelta(weeks=number),
            hours=WEEK_HOURS,
            units=units,
            stops_per_unit_hour=stops_per_hour / units,
        )
        began = time.process_time()
        ended = (plan.start + timedelta(hours=WEEK_HOURS)).astimezone(UTC)
        recorded = named(simulate(net, plan, seed=number).history, number, ended)
        if history:
            add_to_history(history, recorded, f"week-{number + 1:02}")
        made = time.process_time()
        past = past_cover(net, recorded, settings=settings, every_s=every_s)
        edges = stops_begun(net, recorded)[0]
        looked = time.process_time()
        found.append(Week(past, edges, made - began, looked - made))
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            with written(kept) as file:
                file.write_bytes(pickle.dumps(found[-1]))
    half = max(1, weeks // 2)
    planned, unseen = (
        np.concatenate([one.edges for one in some])
        for some in (found[:half], found[half:] or found)
    )
    within_s = settings.policy.within_s
    figures = {
        "simulated": True,
        "roads": roads.stem,
        "units": units,
        "weeks": weeks,
        "every_s": every_s,
        "within_s": within_s,
        "gaps": gap_figures(joined([one.past for one in found]), settings),
        "posts": post_figures(net, planned, unseen, units, within_s),
        "processor_s": {
            "simulating": round(sum(one.simulating_s for one in found)),
            "looking": round(sum(one.looking_s for one in found)),
        },
    }
    click.echo(json.dumps(figures, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()

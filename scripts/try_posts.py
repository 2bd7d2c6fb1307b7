"""
Hold planned posts against patrols on simulated shifts that the plan has not seen.

Posts are planned from one shift, so long that a unit makes a dozen stops. On others, every free
unit stands at its post, is sent from there, and drives back along the roads; the same stops begin
at the same places, and the nearest free unit drives to each. "At once" is the shift on patrol with
every unit at a post as soon as it is available, as `rollby gaps --post` has it. All of it is
simulated.

    python scripts/try_posts.py data/sample/denver.roads --units 8 --within 120
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from data.settings import Settings
from geo.board import Board
from geo.demand import stops_begun
from geo.network import RoadNetwork
from geo.past_gaps import past_gaps
from geo.post_places import choose_posts, post_places
from geo.shift.plan import ShiftPlan
from geo.shift.posted import Orders, Reached
from geo.shift.world import simulate
from geo.what_if import with_post

if TYPE_CHECKING:
    from data.events import History
    from geo.shift.world import ShiftRecord
    from geo.snap import Position

STOPS_A_UNIT = 12.0  # that posts are planned from
MODELS = ("expected", "backup", "median")
HEAD = (
    "| shift | units | 1st beyond T | 2nd beyond T | 1st, all along | 2nd, all along "
    "| minutes short | stops | begun later by |"
)


def planned(
    net: RoadNetwork, record: ShiftRecord, within_s: float
) -> dict[str, tuple[Position, ...]]:
    """Plan posts by each model from where the stops of a shift began."""
    edge, _ = stops_begun(net, record.history)
    weight = np.bincount(edge, minlength=len(net.edge_ms)).astype(np.float64)
    places = post_places(net, given=(), weight=weight, candidates=200, within_s=within_s)
    free, units = np.zeros(len(places.place)), record.plan.units
    plans = {model: choose_posts(places, units, model, move_price=free)[0] for model in MODELS}
    return {model: tuple(places.place[row] for row in plan.posts) for model, plan in plans.items()}


@click.command()
@click.argument("roads", type=click.Path(exists=True, path_type=Path))
@click.option("--units", default=8, show_default=True)
@click.option("--within", default=120.0, show_default=True, help="T, seconds.")
@click.option("--hours", default=24.0, show_default=True)
@click.option("--seeds", default=3, show_default=True, help="Shifts that the plan has not seen.")
@click.option("--stops-per-unit-hour", "rate", default=0.5, show_default=True)
def main(
    roads: Path,
    units: int,
    within: float,
    hours: float,
    seeds: int,
    rate: float,
) -> None:
    """Print how far the nearest free units were from stops, as they began and all along."""
    net = RoadNetwork.load(roads)
    settings = Settings.model_validate({"policy": {"within_s": within}})
    before = ShiftPlan(hours=STOPS_A_UNIT / rate, units=units, stops_per_unit_hour=rate)
    plan = ShiftPlan(hours=hours, units=units, stops_per_unit_hour=rate)
    plans = planned(net, simulate(net, before, seed=1, dispatcher=Board(net, settings)), within)
    click.echo(f"simulated; T {within:g} s, {units} units, {hours:g} h")
    click.echo(HEAD)
    patrol: ShiftRecord | None = None
    for seed, model in product(range(2, 2 + seeds), ("patrol", *MODELS)):
        orders = None
        if patrol and model != "patrol":
            orders = Orders(places=patrol.truth.places, posts=plans[model])
        look, board = Reached(), Board(net, settings)
        record = simulate(net, plan, seed=seed, dispatcher=board, look=look, orders=orders)
        patrol = record if model == "patrol" else patrol
        click.echo(_row(net, settings, f"{seed} | {model}", record, look, patrol))
        if patrol and model != "patrol":
            first, second = _along(net, settings, at_once(patrol, plans[model]))
            click.echo(f"| {seed} | {model}, at once | | | {first:.0%} | {second:.0%} | | | |")


def at_once(record: ShiftRecord, posts: tuple[Position, ...]) -> History:
    """Put units at posts whenever they are available; nothing else changes."""
    moved = record.history
    for unit_id, post in zip(sorted(moved.fixes.unit_ids), posts, strict=False):
        moved = with_post(moved, unit_id, post.snapped_lon_deg, post.snapped_lat_deg)
    return moved


def _along(net: RoadNetwork, settings: Settings, history: History) -> tuple[float, float]:
    """Give the share of time beyond T, where and when stops began, of the two nearest."""
    shares = past_gaps(net, history, settings=settings, every_s=300).where_stops
    first, second = (np.nan, np.nan) if shares is None else shares.tolist()
    return first, second


def _row(
    net: RoadNetwork,
    settings: Settings,
    name: str,
    record: ShiftRecord,
    look: Reached,
    patrol: ShiftRecord | None,
) -> str:
    """Write what a shift came to."""
    late = np.array(list(look.nearest_s.values())) > settings.policy.within_s
    stops, then = (one.truth.stops if one else {} for one in (record, patrol))
    later_s = [one.began_s - then[stop].began_s for stop, one in stops.items() if stop in then]
    shares = [*late.mean(axis=0), *_along(net, settings, record.history)]
    percents = " | ".join(f"{share:.0%}" for share in shares)
    minutes = f"{record.truth.exposure_min():.0f} | {len(stops)}"
    return f"| {name} | {percents} | {minutes} | {np.mean(later_s):.0f} s |"


if __name__ == "__main__":
    main()

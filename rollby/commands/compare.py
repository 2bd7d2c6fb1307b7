"""``rollby replay --compare``: what each policy would have done on simulated shifts."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from rich.table import Table

from geo.as_json import number_json
from geo.bound import bound_of
from geo.compare import CLAIRVOYANT, Measures, difference, measure, watched
from geo.policies import POLICIES
from geo.shift.plan import ShiftPlan
from rollby.inputs import load_roads, load_settings
from rollby.output import console, json_text

if TYPE_CHECKING:
    from pathlib import Path

    from geo.shift.world import ShiftRecord

AGAINST = "road"
TITLES = {
    "exposure_min": "minutes short of officers, a shift",
    "exposure_quiet_min": "  of those after contact",
    "exposure_beyond_min": "  of those with nobody within T",
    "within_share": "stops where somebody could be within T throughout",
    "covered_share": "demand within T of a free unit",
    "asks_per_unit_hour": "requests per unit-hour",
    "asks_spread": "  their spread over the units",
    "alerts_per_hour": "alerts to supervisors an hour",
    "sounds_per_hour": "  of those heard",
    "flood_share": "ten minutes with more than ten alerts",
    "in_vain_share": "requests in vain",
    "least_min": "least minutes possible, in hindsight",
    "least_asked_min": "  with as many requests",
    "reached_share": "  share of that saving reached",
    "coming_min": "minutes short with a car on its way",
    "asked_min": "  with one being asked",
    "far_min": "  with no free unit within the longest drive",
}

FIGURES = {
    "exposure_min": ("Minutes of stops short of officers", "minutes a shift"),
    "exposure_quiet_min": ("Minutes short of officers after contact", "minutes a shift"),
    "exposure_beyond_min": ("Minutes short, and nobody within T", "minutes a shift"),
    "within_share": ("Stops where somebody could be within T throughout", "share"),
    "covered_share": ("Demand within T of a free unit", "share"),
    "asks_per_unit_hour": ("Requests", "per unit-hour"),
    "asks_spread": ("Spread of requests over the units", "per unit-hour"),
    "alerts_per_hour": ("Alerts to supervisors", "an hour"),
    "sounds_per_hour": ("Alerts that were heard", "an hour"),
    "flood_share": ("Ten minutes with more than ten alerts", "share"),
    "in_vain_share": ("Requests in vain", "share"),
    "reached_share": ("Saving reached, of what hindsight could have saved", "share"),
}


def compare_policies(
    *,
    roads: Path,
    hours: float,
    units: int,
    seeds: int,
    settings: Path | None,
    as_json: bool,
    figures: Path | None,
) -> None:
    """
    Do ``rollby replay --compare``.

    Parameters
    ----------
    roads : Path
        The network.
    hours : float
        Length of each shift.
    units : int
        On duty.
    seeds : int
        How many shifts, the same for every policy.
    settings : Path or None
        Of the board.
    as_json : bool
        Print JSON.
    figures : Path or None
        Folder for a drawing of each measure.
    """
    net = load_roads(roads)
    chosen, _ = load_settings(settings)
    plan = ShiftPlan(hours=hours, units=units)
    records = {
        name: [watched(net, plan, chosen, name, seed) for seed in range(seeds)]
        for name in (*POLICIES, CLAIRVOYANT)
    }
    found = {name: [measure(one) for one in rows] for name, rows in records.items()}
    bounds = _bounds(records)
    if figures:
        note = f"{roads.stem}: {seeds} simulated shifts of {hours:g} h, {units} units on duty"
        _draw(found, figures, note)
    if as_json:
        click.echo(json_text(_as_json(found, bounds, plan, seeds)))
        return
    table = Table(
        "simulated",
        *found,
        f"ours - {AGAINST} (95 %)",
        title=f"{seeds} shifts of {hours:g} h, {units} units",
    )
    for field in fields(Measures):
        means = [f"{np.mean(_of(rows, field.name)):.3g}" for rows in found.values()]
        gap = difference(_of(found["ours"], field.name), _of(found[AGAINST], field.name))
        interval = f"{gap.mean:.3g} ({gap.low:.3g} to {gap.high:.3g})"
        table.add_row(TITLES[field.name], *means, interval)
    console().print(table)
    any_min, ours_min = (np.mean(bounds[name]) for name in ("least_min", "at_our_requests_min"))
    click.echo(
        "Where cars are when nobody rolls by, no requests could leave less than "
        f"{any_min:.3g} minutes, and as many as ours no less than {ours_min:.3g}; "
        f"ours left {np.mean(_of(found['ours'], 'exposure_min')):.3g}. Help moves cars, and stops "
        "with them: the rows of hindsight hold for each policy's own."
    )


def _draw(found: dict[str, list[Measures]], folder: Path, note: str) -> None:
    """Write a figure of each measure but the bounds, which are drawn into that of exposure."""
    from maps.compare_chart import Compared, compare_chart

    folder.mkdir(parents=True, exist_ok=True)
    for name, (title, unit) in FIGURES.items():
        ours = _of(found["ours"], name)
        gaps = {
            other: difference(_of(rows, name), ours)
            for other, rows in found.items()
            if other != "ours"
        }
        least = {policy: float(np.mean(_of(rows, "least_min"))) for policy, rows in found.items()}
        compare_chart(
            folder / f"{name}.svg",
            Compared(
                title=title,
                unit=unit,
                values={policy: _of(rows, name) for policy, rows in found.items()},
                less_ours={other: (gap.mean, gap.low, gap.high) for other, gap in gaps.items()},
                least=least if name == "exposure_min" else {},
                note=note,
            ),
        )


def _bounds(records: dict[str, list[ShiftRecord]]) -> dict[str, list[float]]:
    """Bound each shift, given where cars are when nobody rolls by."""
    bounds = [bound_of(one) for one in records["nobody"]]
    asked = [len(one.truth.asked) for one in records["ours"]]
    return {
        "least_min": [one.least_min() for one in bounds],
        "at_our_requests_min": [
            one.least_min(count) for one, count in zip(bounds, asked, strict=True)
        ],
    }


def _of(rows: list[Measures], name: str) -> list[float]:
    """Pick one figure of all shifts."""
    return [getattr(one, name) for one in rows]


def _as_json(
    found: dict[str, list[Measures]], bounds: dict[str, list[float]], plan: ShiftPlan, seeds: int
) -> dict[str, Any]:
    """Write the comparison."""
    return {
        "schema": "rollby.compare/1",
        "simulated": True,
        "hours": plan.hours,
        "units": plan.units,
        "seeds": seeds,
        "policies": {name: [asdict(one) for one in rows] for name, rows in found.items()},
        "bound": {"given": "where cars are when nobody rolls by", **bounds},
        "ours_less": {
            other: {
                field.name: {
                    name: number_json(value, 6)
                    for name, value in asdict(
                        difference(_of(found["ours"], field.name), _of(rows, field.name))
                    ).items()
                }
                for field in fields(Measures)
            }
            for other, rows in found.items()
            if other != "ours"
        },
    }

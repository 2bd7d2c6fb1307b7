"""``rollby calibrate``: what was predicted against what came, and the constants fitted to it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
import numpy as np
from rich.table import Table

from data.history import read_history
from geo.arrivals import read_arrivals, routine_drives, spells
from geo.calibrate import calibrate
from geo.hours import hours_of_week
from geo.learnt_times import learn, passes_of
from geo.matching import Matcher
from maps.charts import reliability_chart
from rollby.files import say
from rollby.inputs import load_roads, load_settings
from rollby.output import console, json_text

if TYPE_CHECKING:
    from pathlib import Path

    from data.events import History
    from data.settings import Settings
    from geo.calibrate import Calibration, Fit, Reliability
    from geo.learnt_times import Learnt
    from geo.network import RoadNetwork

TRACKS = "the tracks of units that said they come"


def calibrate_history(
    *,
    roads: Path,
    history: Path,
    settings: Path | None,
    chart: Path | None,
    learn_times: Path | None,
    as_json: bool,
) -> None:
    """
    Do ``rollby calibrate``.

    Parameters
    ----------
    roads, history : Path
        The network, and the folder of a recorded period.
    settings : Path or None
        Those to calibrate; None for the defaults.
    chart : Path or None
        Where to draw the reliability diagrams.
    learn_times : Path or None
        Where to write a network with seconds learnt from the period's own drives.
    as_json : bool
        Print JSON.
    """
    net = load_roads(roads)
    chosen, beats = load_settings(settings)
    recorded = read_history(history)
    asked = read_arrivals(net, recorded, settings=chosen, beats=beats)
    found = calibrate(asked, spells(recorded))
    left_out = len(recorded.answers) - len(asked)
    if recorded.simulated:
        say([f"{history}: simulated; nobody was there"])
    if left_out:
        say([f"{left_out} of {len(recorded.answers)} asks left out: these settings forbid them"])
    if chart:
        panels = [
            ("F: the unit asked is there within T", _points(found.unit)),
            ("G: somebody is there within T", _points(found.backup)),
        ]
        reliability_chart(chart, panels, simulated=recorded.simulated)
    learnt = _learn(net, recorded, chosen, learn_times) if learn_times else None
    if as_json:
        click.echo(json_text(_as_json(found, learnt, left_out, simulated=recorded.simulated)))
        return
    title = "simulated" if recorded.simulated else None
    console().print(_fits_table(found, chosen, title))
    for name, one in (("F", found.unit), ("G", found.backup)):
        console().print(_reliability_table(name, one))
    if learnt and learn_times:
        say([f"{learn_times}: {_learnt_line(learnt)}"])


def _points(found: Reliability) -> list[tuple[float, float, float, float, int]]:
    """Give the bins as a chart takes them."""
    return [(b.predicted, b.observed, b.low, b.high, b.n) for b in found.bins]


def _settings_of(found: Calibration, settings: Settings) -> list[tuple[str, float | None, Fit]]:
    """List what was fitted: the setting, its value now, the fit."""
    policy = settings.policy
    rows: list[tuple[str, float | None, Fit]] = [
        ("policy.drive_time_spread", policy.drive_time_spread, found.spread),
        ("actual / predicted, median", None, found.bias),
        ("policy.comes_when_asked", policy.comes_when_asked, found.comes),
    ]
    for phase, fit in found.duration_min.items():
        now = {str(name): minutes for name, minutes in policy.duration_min.items()}[phase]
        rows.append((f"policy.duration_min.{phase}", now, fit))
    return rows


def _fits_table(found: Calibration, settings: Settings, title: str | None) -> Table:
    """Lay the fits out."""
    table = Table("", "now", "fitted", "95 %", "from", title=title)
    for name, now, fit in _settings_of(found, settings):
        count = f"{fit.n}" + (f", {fit.censored} cut short" if fit.censored else "")
        fitted = "too few" if fit.fitted is None else f"{fit.fitted:.3g}"
        interval = "" if fit.low is None else f"{fit.low:.3g} to {fit.high:.3g}"
        table.add_row(name, "" if now is None else f"{now:g}", fitted, interval, count)
    return table


def _reliability_table(name: str, found: Reliability) -> Table:
    """Lay a reliability diagram out."""
    title = f"{name}: {found.n} predictions"
    if found.brier is not None:
        title += f", Brier score {found.brier:.3f} (always their mean: {found.reference:.3f})"
    table = Table("predicted", "came true", "95 %", "of", title=title)
    for b in found.bins:
        interval = f"{b.low:.2f} to {b.high:.2f}"
        table.add_row(f"{b.predicted:.2f}", f"{b.observed:.2f}", interval, str(b.n))
    return table


def _learn(net: RoadNetwork, recorded: History, settings: Settings, out: Path) -> Learnt:
    """Learn seconds from the period's routine drives, and write the network that has them."""
    matcher, zone = Matcher(net), ZoneInfo(settings.units.time_zone)
    drives = [drive for track in routine_drives(recorded) for drive in matcher.match(track)]
    learnt = learn(net, passes_of(net, drives, [hours_of_week(d.at_s, zone) for d in drives]))
    source = f"simulated: {TRACKS}" if recorded.simulated else TRACKS
    net.retimed(net.edge_ms / 1000 * learnt.edge_factor, learnt=source).save(out)
    return learnt


def _learnt_line(learnt: Learnt) -> str:
    """Sum up what was learnt."""
    hours = np.flatnonzero(np.abs(learnt.hour_factor - 1) > 0.05)  # noqa: PLR2004 - worth a word
    return (
        f"seconds learnt from {learnt.drives:,} drives over {learnt.edges:,} edges; "
        f"they took {learnt.overall:.2f} of what was reckoned; "
        f"{len(hours)} of 168 hours of the week differ by more than 5 %"
    )


def _as_json(
    found: Calibration, learnt: Learnt | None, left_out: int, *, simulated: bool
) -> dict[str, Any]:
    """Write a calibration."""
    learnt_json = None
    if learnt:
        learnt_json = {
            "overall": learnt.overall,
            "drives": learnt.drives,
            "edges": learnt.edges,
            "hour_factor": learnt.hour_factor.tolist(),
        }
    return {
        "schema": "rollby.calibrate/1",
        "simulated": simulated,
        "left_out": left_out,
        **asdict(found),
        "learnt": learnt_json,
    }

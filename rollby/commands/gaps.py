"""``rollby gaps``: where and when the first and the second car were too far away."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.table import Table

from data import words
from data.past_gaps import CARS
from geo.past_gaps import gap_cells, gap_hours
from rollby import __version__
from rollby.files import write_cells, write_text
from rollby.gaps import WORST, gaps_answer, what_if
from rollby.inputs import load_roads, load_settings
from rollby.output import console, json_text, manner_of
from rollby.past import gaps_of_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from data.past_gaps import PastGaps
    from rollby.cluster import Cluster

WORST_HOURS = 5


def show_gaps(
    *,
    roads: Path,
    history: Path,
    settings: Path | None,
    every_s: float,
    split: datetime | None,
    posts: Sequence[tuple[str, float, float]],
    cluster: str | None,
    as_json: bool,
    cells: Path | None,
    hours: Path | None,
    map_path: Path | None,
    report: Path | None,
    tiles: bool,
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
    cluster : str or None
        A Dask scheduler's address, or ``local``, to spread the work; None for this process.
    as_json : bool
        Print JSON.
    cells, hours : Path or None
        Write H3 cells, and those by hour of the week.
    map_path, report : Path or None
        Write a map, a printable report.
    tiles : bool
        Lay online tiles beneath it.
    """
    chosen, beats = load_settings(settings)
    net = load_roads(roads)
    with _workers(cluster) as workers:
        gaps, agencies = gaps_of_folder(
            roads,
            history,
            settings=chosen,
            beats=beats,
            every_s=every_s,
            split=split,
            posts=posts,
            cluster=workers,
        )
    if as_json:
        click.echo(json_text(gaps_answer(gaps)))
    else:
        _print(gaps)
    if cells:
        write_cells(cells, gap_cells(gaps), what="cells")
    if hours:
        write_cells(hours, gap_hours(gaps), what="hours")
    if map_path:
        from maps.gaps_map import gaps_page

        page = gaps_page(net.table, gaps, manner_of(chosen, tiles=tiles))
        write_text(map_path, page.render(), what="map")
    if report:
        from maps.gaps_report import ReportFacts, gaps_report

        facts = ReportFacts(
            agencies=agencies,
            every_s=every_s,
            split=split,
            notes=[what_if(posts)] if posts else [],
            version=__version__,
            speed_unit=chosen.units.speed_unit,
        )
        write_text(report, gaps_report(net.table, gaps, facts), what="report")


@contextmanager
def _workers(address: str | None) -> Iterator[Cluster | None]:
    """Join a cluster where one is named; only then is Dask imported."""
    if address is None:
        yield None
        return
    from rollby.cluster import joined

    with joined(address) as found:
        yield found


def _print(gaps: PastGaps) -> None:
    """Say it in words."""
    console().print(_table(gaps))
    console().print(_hours_table(gaps))
    for shares, where in (
        (gaps.all_road, "of all road"),
        (gaps.where_stops, "where and when stops began"),
    ):
        if shares is not None:
            pairs = zip(CARS, shares.tolist(), strict=True)
            cars = ", ".join(f"{car} car {words.percent(one)}" for car, one in pairs)
            click.echo(f"Share of time beyond T, {where}: {cars}")
    for car, one in zip(CARS, gaps.changes, strict=False):
        moved = f"{words.percent(one.before)} before, {words.percent(one.after)} after"
        click.echo(f"{car} car beyond T: {moved}; {words.chance(one.p)}")
    for car, found in zip(CARS, gaps.trend, strict=True):
        if found.a_week is not None and found.p is not None:
            slope = words.points(found.a_week)
            click.echo(f"{car} car beyond T, week by week: {slope}; {words.chance(found.p)}")


def _table(gaps: PastGaps) -> Table:
    """Lay out the worst cells."""
    simulated = "SIMULATED. " if gaps.simulated else ""
    seen = f"{gaps.snapshots:,} snapshots in {gaps.hours.sum():,} hours"
    table = Table(title=f"{simulated}Where the second car was beyond T: {seen}")
    for column in ("Street", "Cell", "First beyond T", "Second beyond T", "Stops a week, second"):
        table.add_column(column)
    for i in gaps.worst[:WORST].tolist():
        name, cell = gaps.street[i], str(gaps.cell[i])
        table.add_row(name, cell, gaps.share(i, 0), gaps.share(i, 1), gaps.exposed(i))
    return table


def _hours_table(gaps: PastGaps) -> Table:
    """Lay out the worst hours of the week."""
    simulated = "SIMULATED. " if gaps.simulated else ""
    table = Table(title=f"{simulated}The hours of the week with most such stops")
    for column in ("Hour", "Looked at", "Second beyond T", "Stops a week, second", "Most at"):
        table.add_column(column)
    for hour in gaps.worst_hours[:WORST_HOURS].tolist():
        table.add_row(
            words.week_hour(hour),
            words.count(int(gaps.hours[hour]), "time"),
            gaps.hour_share(hour, 1),
            f"{gaps.stops_by_hour[hour, :, 1].sum():.2f}",
            gaps.street[gaps.worst_cell(hour)] or "road without a name",
        )
    return table

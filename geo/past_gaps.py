"""From hours of coverage to what is said: by cell, by hour of week, and how it changed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from data.past_gaps import CARS, PastGaps, Trend
from data.settings import Settings
from geo.cells import with_outlines
from geo.demand import WEIGHT_OF_ROAD
from geo.gap_days import alike_days, by_week, change, day_spread, days_alike, trend
from geo.gap_figures import (
    by_cell,
    by_hour_of_week,
    exposed_bounds,
    exposed_per_week,
    interval,
    percentile_interval_s,
    percentile_s,
    stops_per_hour,
    two_car_preparedness,
    variance_of,
)
from geo.gaps import past_cover
from geo.hours import HOUR_S, WEEK_HOURS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas

    from data.beats import Beat
    from data.events import History
    from data.past_gaps import PeriodChange
    from data.road_table import FloatArray
    from geo.gap_figures import Shares
    from geo.gaps import PastCover
    from geo.network import RoadNetwork


def past_gaps(
    net: RoadNetwork,
    history: History,
    *,
    settings: Settings | None = None,
    beats: Sequence[Beat] = (),
    every_s: float = 60.0,
    split: datetime | None = None,
    posts: Sequence[tuple[str, float, float]] = (),
    progress: Callable[[float], None] | None = None,
) -> PastGaps:
    """
    Tell where and when the first and the second car were too far away, over a recorded period.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    history : History
        Positions, statuses and stops.
    settings : Settings or None
        None for the defaults.
    beats : sequence of Beat
        With a T of their own.
    every_s : float
        From snapshot to snapshot, seconds.
    split : datetime or None
        Hold what was from here on against what was before.
    posts : sequence of (unit_id, lon_deg, lat_deg)
        These units stand there whenever they are available, in place of where they were.
    progress : callable or None
        Told after each day what share of them is done.

    Returns
    -------
    gaps : PastGaps
        What ``rollby gaps`` prints, and its map and its report show.
    """
    settings = settings or Settings()
    past = past_cover(
        net,
        history,
        settings=settings,
        beats=beats,
        every_s=every_s,
        posts=posts,
        progress=progress,
    )
    simulated = history.simulated or settings.units.simulated
    return gaps_of(past, settings=settings, simulated=simulated, split=split)


def gaps_of(
    past: PastCover, *, settings: Settings, simulated: bool, split: datetime | None = None
) -> PastGaps:
    """
    Sum up hours of coverage.

    Parameters
    ----------
    past : PastCover
        Hour by hour.
    settings : Settings
        That it was worked out with.
    simulated : bool
        Nobody was there.
    split : datetime or None
        Hold what was from here on against what was before.

    Returns
    -------
    gaps : PastGaps
        Summed up.
    """
    zone = ZoneInfo(settings.units.time_zone)
    hours, days = by_hour_of_week(past), len(np.unique(past.day))
    everywhere = past.all_road
    road: FloatArray = past.snapshots @ everywhere / past.snapshots.sum()
    alike = np.array([days_alike(past, everywhere[:, car]) for car in range(2)])
    variance = day_spread(past, everywhere, alike)
    cells = by_cell(past, alike)
    all_road = interval(road, np.full(2, days), alike, variance=variance)
    exposed, (stops_low, stops_high) = _exposed(past, days, alike)
    by_hour: FloatArray = np.einsum("hck,c->hk", hours.mean, past.road_km / past.road_km.sum())
    off = everywhere - _hourly_means(past, everywhere)
    of_hours = variance_of(off, len(off) - WEEK_HOURS, days / alike)
    hourly = interval(by_hour, hours.times[:, 0, :], variance=of_hours)
    monday, weeks = by_week(past, everywhere, alike, variance)
    at_stops = _at_stops(past)
    p50, p90 = (percentile_interval_s(past, share, alike) for share in (0.5, 0.9))
    return PastGaps(
        simulated=simulated,
        began=_instant(past.hour[0], zone),
        ended=_instant(past.hour[-1] + 1, zone),
        time_zone=settings.units.time_zone,
        within_s=settings.policy.within_s,
        snapshots=int(past.snapshots.sum()),
        stops=int(past.stops.sum()),
        hours=np.bincount(past.hour_of_week, minlength=WEEK_HOURS),
        days=days,
        days_alike=alike,
        cell=past.cell,
        street=past.street,
        road_km=past.road_km,
        beyond=cells.mean,
        low=cells.low,
        high=cells.high,
        by_hour=hours.mean.astype(np.float32),
        p50_s=percentile_s(past, 0.5),
        p90_s=percentile_s(past, 0.9),
        p50_low_s=p50[0],
        p50_high_s=p50[1],
        p90_low_s=p90[0],
        p90_high_s=p90[1],
        stops_a_week=exposed.sum(axis=0),
        stops_a_week_low=stops_low,
        stops_a_week_high=stops_high,
        stops_by_hour=exposed.astype(np.float32),
        all_road=road,
        all_road_low=all_road.low,
        all_road_high=all_road.high,
        all_by_hour=hourly.mean,
        all_by_hour_low=hourly.low,
        all_by_hour_high=hourly.high,
        where_stops=at_stops.mean if at_stops else None,
        where_stops_low=at_stops.low if at_stops else None,
        where_stops_high=at_stops.high if at_stops else None,
        week=tuple(_instant(day * 24, zone) for day in monday.tolist()),
        by_week=weeks.mean,
        by_week_low=weeks.low,
        by_week_high=weeks.high,
        trend=tuple(_trend(past, everywhere[:, car]) for car in range(2)),
        two_car_preparedness=two_car_preparedness(past, settings.policy),
        changes=_changes(past, everywhere, split, zone) if split else (),
    )


def _exposed(
    past: PastCover, days: int, alike: FloatArray
) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
    """Give the stops a week beyond T, by hour of week, and the interval of all hours."""
    exposed, rate = exposed_per_week(past), stops_per_hour(past).sum(axis=0)
    of_road = WEIGHT_OF_ROAD * past.road_km / past.road_km.sum()
    seen = past.stops.sum(axis=0) + of_road
    return exposed, exposed_bounds(exposed.sum(axis=0), rate, seen, days, alike)


def gap_cells(gaps: PastGaps) -> geopandas.GeoDataFrame:
    """
    Give the cells with their outlines, as ``--cells`` writes them.

    Parameters
    ----------
    gaps : PastGaps
        Summed up.

    Returns
    -------
    cells : GeoDataFrame
        WGS 84, with the columns that docs/formats.md lists; missing where nobody came.
    """
    return with_outlines(gap_columns(gaps)).replace(np.inf, np.nan)


def gap_hours(gaps: PastGaps) -> geopandas.GeoDataFrame:
    """
    Give the cells by hour of the week, as ``--hours`` writes them.

    Parameters
    ----------
    gaps : PastGaps
        Summed up.

    Returns
    -------
    hours : GeoDataFrame
        WGS 84, a row a cell and hour of the week that was looked at, with the columns that
        docs/formats.md lists.
    """
    seen, count = np.flatnonzero(gaps.hours), len(gaps.cell)
    hour, row = np.repeat(seen, count), np.tile(np.arange(count), len(seen))
    times = np.broadcast_to(gaps.hours[seen, None, None], (len(seen), count, 2))
    shares = interval(gaps.by_hour[seen].astype(np.float64), times)
    columns: dict[str, Any] = {
        "street": np.array(gaps.street, object)[row],
        "hour_of_week": hour,
        "looked_at": gaps.hours[hour],
    }
    for car, name in enumerate(CARS):
        columns |= {
            f"{name}_beyond": shares.mean[:, :, car].ravel(),
            f"{name}_beyond_low": shares.low[:, :, car].ravel(),
            f"{name}_beyond_high": shares.high[:, :, car].ravel(),
            f"{name}_stops_a_week": gaps.stops_by_hour[seen, :, car].ravel(),
        }
    outlines = with_outlines({"cell": gaps.cell}).take(row).reset_index(drop=True)
    found = outlines.assign(**columns)
    return found[["cell", *columns, "geometry"]]


def gap_columns(gaps: PastGaps) -> dict[str, Any]:
    """
    Give the figures of each cell.

    Parameters
    ----------
    gaps : PastGaps
        Summed up.

    Returns
    -------
    columns : dict of str to sequence, length c
        As docs/formats.md lists them.
    """
    columns: dict[str, Any] = {
        "cell": gaps.cell,
        "street": list(gaps.street),
        "road_km": gaps.road_km,
        "days": np.full(len(gaps.cell), gaps.days),
    }
    for car, name in enumerate(CARS):
        columns |= {
            f"{name}_beyond": gaps.beyond[:, car],
            f"{name}_beyond_low": gaps.low[:, car],
            f"{name}_beyond_high": gaps.high[:, car],
            f"{name}_p50_s": gaps.p50_s[:, car],
            f"{name}_p90_s": gaps.p90_s[:, car],
            **_ends(gaps, name, car),
            f"{name}_stops_a_week": gaps.stops_a_week[:, car],
            f"{name}_stops_a_week_low": gaps.stops_a_week_low[:, car],
            f"{name}_stops_a_week_high": gaps.stops_a_week_high[:, car],
        }
    if gaps.two_car_preparedness is not None:
        columns["two_car_preparedness"] = gaps.two_car_preparedness
    return columns


def _ends(gaps: PastGaps, name: str, car: int) -> dict[str, Any]:
    """Give the intervals of the percentiles."""
    ends = {
        "p50_low_s": gaps.p50_low_s,
        "p50_high_s": gaps.p50_high_s,
        "p90_low_s": gaps.p90_low_s,
        "p90_high_s": gaps.p90_high_s,
    }
    return {f"{name}_{end}": one[:, car] for end, one in ends.items() if one is not None}


def _instant(hour: int, zone: ZoneInfo) -> datetime:
    """Give the instant that an hour of local time began."""
    return datetime(1970, 1, 1, tzinfo=zone) + timedelta(hours=int(hour))


def _at_stops(past: PastCover) -> Shares | None:
    """
    Give the share beyond T where and when stops began, if any did.

    A day is one observation, and days with many stops weigh more: together they count for as many
    equal ones as vary as much (Kish 1965, Survey Sampling, 11.7), each by how far its stops are off
    the share of all (the ratio's linearised variance, 6.2 there).
    """
    day, row = np.unique(past.day, return_inverse=True)
    per_day = np.bincount(row, past.stops_begun)
    if not per_day.any():
        return None
    days = int(per_day.sum() ** 2 / (per_day**2).sum())
    beyond = np.stack([np.bincount(row, one) for one in past.stops_beyond.T], axis=1)
    share = beyond.sum(axis=0) / per_day.sum()
    some = per_day > 0
    of_days = beyond[some] / per_day[some, None]
    alikes = np.array([alike_days(day[some], one) for one in of_days.T])
    off = (beyond - share * per_day[:, None]) / per_day.sum() * np.sqrt(days * len(per_day))
    variance = variance_of(off, len(per_day) - 1, days / alikes)
    return interval(share, np.full(2, days), alikes, variance=variance)


def _hourly_means(past: PastCover, figures: FloatArray) -> FloatArray:
    """Give for each hour the mean of its hour of the week."""
    hour = past.hour_of_week
    times = np.maximum(np.bincount(hour, minlength=WEEK_HOURS), 1)
    means = [np.bincount(hour, one, minlength=WEEK_HOURS) / times for one in figures.T]
    return np.stack(means, axis=1)[hour]


def _trend(past: PastCover, share: FloatArray) -> Trend:
    """Tell whether a car's share rose or fell."""
    slope, p, days = trend(past, share)
    return Trend(a_week=_known(slope * 7), p=_known(p), days=days)


def _changes(
    past: PastCover, everywhere: FloatArray, split: datetime, zone: ZoneInfo
) -> tuple[PeriodChange, ...]:
    """Hold the hours from an instant on against those before, over all road."""
    local_s = split.astimezone(zone).replace(tzinfo=None) - datetime(1970, 1, 1)  # noqa: DTZ001 - local
    after = past.hour * HOUR_S >= local_s.total_seconds()
    return tuple(change(past, after, everywhere[:, car]) for car in range(2))


def _known(figure: float) -> float | None:
    """Give a figure, or None for no number."""
    return None if np.isnan(figure) else float(figure)

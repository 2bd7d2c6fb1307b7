"""What a recorded period comes to: where and when two cars were too far away."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data import words

if TYPE_CHECKING:
    from datetime import datetime

    import numpy.typing as npt

    from data.road_table import FloatArray, IntArray

CARS = ("first", "second")
_LISTED, _HOURS_LISTED = 15, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodChange:
    """
    The days of two periods, held against each other.

    Parameters
    ----------
    before, after : float
        Mean share of all road beyond T.
    p : float or None
        Chance of a difference as large if days were alike; None where they are too few to tell.
    days_before, days_after : int
        How many.
    """

    before: float
    after: float
    p: float | None
    days_before: int
    days_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """
    Whether a share rose or fell over a period.

    Parameters
    ----------
    a_week : float or None
        By how much it rose from week to week, a share of all road; None of a single day.
    p : float or None
        Chance of a slope as steep if days came in any order; None where they are too few to tell.
    days : int
        How many.
    """

    a_week: float | None
    p: float | None
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PastGaps:
    """
    How much road and time were beyond T, by cell and by hour of week; of shape (.., 2) the first car, then the second.

    Parameters
    ----------
    simulated : bool
        Nobody was there.
    began, ended : datetime
        The first and the last instant looked at.
    time_zone : str
        Of the hours, an IANA name.
    within_s : float
        T, seconds, outside beats that have their own.
    snapshots, stops : int
        Instants looked at, and stops that began meanwhile.
    hours : ndarray of int64, shape (168,)
        How often each hour of the week was looked at; 0 is Monday from midnight.
    days : int
        Local days with anything looked at.
    days_alike : ndarray of float64, shape (2,)
        So many of them count as one independent in the intervals: days go by those before.
    cell : ndarray of str, shape (c,)
        H3 cells with road.
    street : tuple of str, length c
        The name with most road in each; "" where none has one.
    road_km : ndarray of float64, shape (c,)
        Length of road, a two-way street once.
    beyond, low, high : ndarray of float64, shape (c, 2)
        Share of road and time beyond T, with its interval at 95 %.
    by_hour : ndarray of float32, shape (168, c, 2)
        The same by hour of week; NaN where that hour was not looked at.
    p50_s, p90_s : ndarray of float64, shape (c, 2)
        Drive time to the road there, up to 10 s too long; inf above half an hour, or nobody.
    p50_low_s, p50_high_s, p90_low_s, p90_high_s : ndarray of float64, shape (c, 2) or None
        Intervals of the two at 95 %, a day as one observation; 0 and inf where days are too few.
    stops_a_week : ndarray of float64, shape (c, 2)
        Stops expected to begin there a week while a car is beyond T.
    stops_a_week_low, stops_a_week_high : ndarray of float64, shape (c, 2)
        Its interval.
    stops_by_hour : ndarray of float32, shape (168, c, 2)
        The same by hour of week; 0 in an hour not looked at.
    all_road, all_road_low, all_road_high : ndarray of float64, shape (2,)
        Share of all road and time beyond T, with its interval.
    all_by_hour : ndarray of float64, shape (168, 2)
        The same by hour of week; NaN where that hour was not looked at.
    all_by_hour_low, all_by_hour_high : ndarray of float64, shape (168, 2)
        Its interval, a week as one observation.
    where_stops, where_stops_low, where_stops_high : ndarray of float64, shape (2,) or None
        The same where and when stops began, with its interval; None without any.
    week : tuple of datetime
        Local Monday each week began on.
    by_week, by_week_low, by_week_high : ndarray of float64, shape (w, 2)
        Share of all road beyond T in each.
    trend : tuple of Trend
        Of the first and the second car, over the days.
    two_car_preparedness : ndarray of float64, shape (c,), or None
        How ready each cell was by its two nearest cars, mean over its road and time.
    changes : tuple of PeriodChange
        Of the first and the second car; empty where nothing was to be compared.
    """  # noqa: E501 - one sentence of what all of it is

    simulated: bool
    began: datetime
    ended: datetime
    time_zone: str
    within_s: float
    snapshots: int
    stops: int
    hours: IntArray
    days: int
    days_alike: FloatArray
    cell: npt.NDArray[np.str_]
    street: tuple[str, ...]
    road_km: FloatArray
    beyond: FloatArray
    low: FloatArray
    high: FloatArray
    by_hour: npt.NDArray[np.float32]
    p50_s: FloatArray
    p90_s: FloatArray
    stops_a_week: FloatArray
    stops_a_week_low: FloatArray
    stops_a_week_high: FloatArray
    stops_by_hour: npt.NDArray[np.float32]
    all_road: FloatArray
    all_road_low: FloatArray
    all_road_high: FloatArray
    all_by_hour: FloatArray
    all_by_hour_low: FloatArray
    all_by_hour_high: FloatArray
    where_stops: FloatArray | None
    week: tuple[datetime, ...]
    by_week: FloatArray
    by_week_low: FloatArray
    by_week_high: FloatArray
    trend: tuple[Trend, ...]
    changes: tuple[PeriodChange, ...] = ()
    where_stops_low: FloatArray | None = None
    where_stops_high: FloatArray | None = None
    p50_low_s: FloatArray | None = None
    p50_high_s: FloatArray | None = None
    p90_low_s: FloatArray | None = None
    p90_high_s: FloatArray | None = None
    two_car_preparedness: FloatArray | None = None

    @property
    def worst(self) -> IntArray:
        """Rows of cells, most stops a week beyond the second car first; then by share."""
        return np.lexsort((-self.beyond[:, 1] * self.road_km, -self.stops_a_week[:, 1]))

    @property
    def worst_hours(self) -> IntArray:
        """Hours of the week looked at, most stops beyond the second car first; then by share."""
        stops = self.stops_by_hour[:, :, 1].sum(axis=1)
        order = np.lexsort((-np.nan_to_num(self.all_by_hour[:, 1]), -stops))
        return order[self.hours[order] > 0]

    def worst_cell(self, hour: int) -> int:
        """
        Find the cell with most stops beyond the second car in an hour of the week.

        Returns
        -------
        row : int
            Of `cell`; where there are no stops, the one with most road beyond.
        """
        stops, road = self.stops_by_hour[hour, :, 1], self.by_hour[hour, :, 1] * self.road_km
        return int(np.argmax(stops if stops.any() else road))

    def share(self, row: int, car: int) -> str:
        """
        Write a cell's share with its interval.

        Returns
        -------
        text : str
            ``42 % (31 % to 54 %)``.
        """
        low, high = words.percent(self.low[row, car]), words.percent(self.high[row, car])
        return f"{words.percent(self.beyond[row, car])} ({low} to {high})"

    def hour_share(self, hour: int, car: int) -> str:
        """
        Write the share of all road beyond T in an hour of the week, with its interval.

        Returns
        -------
        text : str
            ``42 % (31 % to 54 %)``.
        """
        low, high = self.all_by_hour_low[hour, car], self.all_by_hour_high[hour, car]
        share = words.percent(self.all_by_hour[hour, car])
        return f"{share} ({words.percent(low)} to {words.percent(high)})"

    def exposed(self, row: int) -> str:
        """
        Write a cell's stops a week beyond the second car, with their interval.

        Returns
        -------
        text : str
            ``3.29 (0.23 to 13.43)``.
        """
        low, high = self.stops_a_week_low[row, 1], self.stops_a_week_high[row, 1]
        return f"{self.stops_a_week[row, 1]:.2f} ({low:.2f} to {high:.2f})"

    def _repr_html_(self) -> str:
        """
        Show the worst cells in a notebook.

        Returns
        -------
        html : str
            A table, escaped.
        """
        simulated = "<strong>SIMULATED.</strong> " if self.simulated else ""
        within = words.drive(self.within_s)
        shares = " and ".join(
            f"the {car} car on {words.percent(one)}"
            for car, one in zip(CARS, self.all_road.tolist(), strict=True)
        )
        rows = "".join(
            f"<tr><th>{html.escape(self.street[row] or 'road without a name')}</th>"
            f"<td>{html.escape(str(self.cell[row]))}</td>"
            f"<td>{self.share(row, 0)}</td><td>{self.share(row, 1)}</td>"
            f"<td>{self.exposed(row)}</td></tr>"
            for row in self.worst[:_LISTED].tolist()
        )
        return (
            f"<p>{simulated}Beyond T ({within}): {shares} of all road and time, over "
            f"{words.count(self.days, 'day')}, {self.snapshots:,} snapshots.</p>"
            "<table><thead><tr><th>Street</th><th>Cell</th><th>First car beyond T</th>"
            "<th>Second car beyond T</th><th>Stops a week, second beyond</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>{self._hours_html()}"
        )

    def _hours_html(self) -> str:
        """Show the worst hours of the week."""
        rows = "".join(
            f"<tr><th>{words.week_hour(hour)}</th>"
            f"<td>{words.count(int(self.hours[hour]), 'time')}</td>"
            f"<td>{self.hour_share(hour, 0)}</td><td>{self.hour_share(hour, 1)}</td>"
            f"<td>{self.stops_by_hour[hour, :, 1].sum():.2f}</td>"
            f"<td>{html.escape(street or 'road without a name')}</td></tr>"
            for hour in self.worst_hours[:_HOURS_LISTED].tolist()
            for street in [self.street[self.worst_cell(hour)]]
        )
        return (
            "<table><thead><tr><th>Hour of the week</th><th>Looked at</th>"
            "<th>First car beyond T</th><th>Second car beyond T</th>"
            "<th>Stops a week, second beyond</th><th>Most at</th></tr>"
            f"</thead><tbody>{rows}</tbody></table>"
        )

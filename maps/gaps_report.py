"""The printable report of a period's gaps: what a chief is shown, in one page that needs nothing but itself."""  # noqa: E501 - one sentence

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from data import words
from data.past_gaps import CARS
from data.road_table import OSM_LICENCE
from maps import style
from maps.gaps_map import (
    both_cars,
    matrix,
    of_all_road,
    period,
    rests_on,
    where_stops,
    worst_cells,
)
from maps.page import TEMPLATES, asset
from maps.still_map import still_map

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from data.past_gaps import PastGaps, PeriodChange
    from data.road_table import RoadTable

NUMBERED: Final = 15  # cells that the map numbers and the table lists
WORST_HOURS, STREETS_NAMED = 10, 2
CHART_WIDE, CHART_TALL = 640, 210
CHART_TOPS: Final = (0.05, 0.1, 0.25, 0.5, 1.0)
NO_NAME: Final = "road without a name"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """
    What a report says beside the figures.

    Parameters
    ----------
    agencies : sequence of str
        Whose units these were.
    every_s : float
        From snapshot to snapshot, seconds.
    split : datetime or None
        What `PastGaps.changes` hold against each other is before and after this.
    notes : sequence of str
        What else a reader should know, such as what was left out.
    version : str
        Of the program.
    speed_unit : {"mph", "km/h"}
        Miles go with mph.
    """

    agencies: Sequence[str] = ()
    every_s: float = 60.0
    split: datetime | None = None
    notes: Sequence[str] = ()
    version: str = ""
    speed_unit: words.SpeedUnit = "mph"


def gaps_report(roads: RoadTable, gaps: PastGaps, facts: ReportFacts) -> str:
    """
    Write the report.

    Parameters
    ----------
    roads : RoadTable
        The network.
    gaps : PastGaps
        What is reported.
    facts : ReportFacts
        Whose, and how it was made.

    Returns
    -------
    html : str
        A whole page without any script, that fetches nothing and prints on A4 and Letter; the same
        input gives the same text.
    """
    numbered = gaps.worst[:NUMBERED].tolist()
    return TEMPLATES.get_template("report.html").render(
        css=_css(),
        gaps=gaps,
        facts=facts,
        title="Where a second car was too far away",
        period=period(gaps),
        within=words.drive(gaps.within_s),
        said=in_short(gaps),
        rests_on=rests_on(gaps),
        overall=_overall(gaps),
        map=still_map(roads, gaps, numbered=numbered, speed_unit=facts.speed_unit),
        matrices=[{"car": CARS[car], "days": matrix(gaps, car)} for car in (1, 0)],
        worst=[
            cell | {"road": words.distance(gaps.road_km[cell["row"]] * 1000, facts.speed_unit)}
            for cell in worst_cells(gaps, NUMBERED)
        ],
        hours=_worst_hours(gaps),
        weeks=_weeks(gaps),
        chart=_chart(gaps),
        trend=[_trend(gaps, car) for car in range(2)],
        changes=[_change(*pair) for pair in zip(CARS, gaps.changes, strict=False)],
        split=words.clock(facts.split, gaps.time_zone, day=True) if facts.split else "",
        steps=style.SHARES,
        limits=style.LIMITS,
        credit=style.OSM_CREDIT,
        source=roads.source,
        licence="" if roads.source.licence == OSM_LICENCE else roads.source.licence,
    )


def report_policy(html: str) -> str:
    """
    Give what a browser may do with a report: show it, and nothing else.

    Parameters
    ----------
    html : str
        Of `gaps_report`.

    Returns
    -------
    policy : str
        For the header ``Content-Security-Policy``: its one style, by its hash; no script.
    """
    css = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    allowed = f"style-src 'sha256-{digest}'; img-src data:"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'; sandbox"


def _css() -> str:
    """Give the style: the maps' colours, by night on a screen that is set so, by day on paper."""
    light, mark, dark = asset("palette.css").decode().partition(":root.dark")
    night = f"@media screen and (prefers-color-scheme: dark) {{ :root{dark}}}" if mark else ""
    return "\n".join([light, night, asset("report.css").decode()])


def in_short(gaps: PastGaps) -> list[str]:
    """
    Say the key figures in sentences.

    Parameters
    ----------
    gaps : PastGaps
        Summed up.

    Returns
    -------
    sentences : list of str
        Each with its interval, where it has one.
    """
    within = words.drive(gaps.within_s)
    first, second = of_all_road(gaps)
    return [
        (
            f"On {second} of all road and time no second car was within {within}; "
            f"on {first} not even a first."
        ),
        _at_stops(gaps, within),
        *_expected(gaps, within),
        *_at_worst(gaps, within),
        *_moved(gaps),
    ]


def _expected(gaps: PastGaps, within: str) -> list[str]:
    """Say how many stops begin beyond T."""
    if not gaps.stops:
        return []
    first, second = map(_stops, gaps.stops_a_week.sum(axis=0).tolist())
    return [
        (
            f"Of the stops of a week, {second} are to be expected to begin where and when the "
            f"second car is beyond {within}, and {first} where the first one is too."
        )
    ]


def _at_worst(gaps: PastGaps, within: str) -> list[str]:
    """Name the worst hour of the week."""
    return [
        f"The worst hour of the week, by the stops to be expected, is {one['name']}: "
        f"{one['second']} of all road without a second car within {within}, seen {one['times']}."
        for one in _worst_hours(gaps)[:1]
    ]


def _moved(gaps: PastGaps) -> list[str]:
    """Say how the second car's share moved."""
    said, trend = [], gaps.trend[1]
    if trend.a_week is not None and trend.p is not None:
        moved = f"{words.points(trend.a_week)} ({words.chance(trend.p)})"
        said.append(f"From week to week the second car's share moved by {moved}.")
    if gaps.changes:
        one = gaps.changes[1]
        moved = f"{words.percent(one.before)} to {words.percent(one.after)}"
        said.append(
            f"Before against after: from {moved} for the second car ({words.chance(one.p)})."
        )
    return said


def _at_stops(gaps: PastGaps, within: str) -> str:
    """Say how it was where stops began."""
    shares = where_stops(gaps)
    if shares is None:
        return "No stop with a place near these roads was recorded, so nothing is said of stops."
    return (
        f"Where and when the {words.count(gaps.stops, 'stop')} began, no second car was within "
        f"{within} for {shares[1]} of the road around; no first for {shares[0]}."
    )


def _stops(expected: float) -> str:
    """Write how many stops are expected: no finer than anybody can know."""
    return f"{expected:.1f}" if expected < 10 else f"{expected:.0f}"  # noqa: PLR2004 - two digits


def _overall(gaps: PastGaps) -> list[dict[str, str]]:
    """Lay out the key figures, each car's with its interval."""
    rows = [("Of all road and time", of_all_road(gaps))]
    if at_stops := where_stops(gaps):
        rows.append(("Where and when stops began", at_stops))
    rows.append(("Stops a week, expected", [*map(_stops, gaps.stops_a_week.sum(axis=0).tolist())]))
    return [{"name": name, **dict(zip(CARS, cars, strict=True))} for name, cars in rows]


def _worst_hours(gaps: PastGaps) -> list[dict[str, str]]:
    """List the hours of the week with most stops beyond the second car, and where most road is."""
    return [
        {
            "name": words.week_hour(hour),
            "second": gaps.hour_share(hour, 1),
            "first": gaps.hour_share(hour, 0),
            "stops": f"{gaps.stops_by_hour[hour, :, 1].sum():.2f}",
            "times": words.count(int(gaps.hours[hour]), "time"),
            "streets": ", ".join(_streets_in(gaps, hour)),
        }
        for hour in gaps.worst_hours[:WORST_HOURS].tolist()
        if gaps.all_by_hour[hour, 1] > 0
    ]


def _streets_in(gaps: PastGaps, hour: int) -> list[str]:
    """Name the streets with most road beyond the second car in an hour of the week."""
    late = gaps.by_hour[hour, :, 1] * gaps.road_km
    order = np.argsort(-late, kind="stable")
    named = dict.fromkeys(gaps.street[row] for row in order.tolist() if late[row] > 0)
    return [name for name in named if name][:STREETS_NAMED] or [NO_NAME]


def _weeks(gaps: PastGaps) -> list[dict[str, str]]:
    """List the weeks, each car's share with its interval."""
    by_week = gaps.by_week, gaps.by_week_low, gaps.by_week_high
    return [
        {
            "name": words.clock(monday, gaps.time_zone, day=True).split(",", maxsplit=1)[0],
            **dict(zip(CARS, both_cars(*(one[row] for one in by_week)), strict=True)),
        }
        for row, monday in enumerate(gaps.week)
    ]


def _chart(gaps: PastGaps) -> dict[str, Any] | None:
    """Place the weeks' shares in a chart; None for a single week."""
    if len(gaps.week) < 2:  # noqa: PLR2004 - a line wants two ends
        return None
    highest = float(np.nanmax(gaps.by_week_high))
    top = next(one for one in CHART_TOPS if one >= highest)
    left, right, foot = 44, 8, 24
    x = np.linspace(left + 14, CHART_WIDE - right - 14, len(gaps.week))

    def y(share: float) -> float:
        return round(8 + (1 - share / top) * (CHART_TALL - foot - 8), 1)

    every = -(-len(gaps.week) // 12)
    cars = [
        {
            "car": car,
            "points": [
                {
                    "x": round(x[row] + (4 * i - 2), 1),
                    "y": y(gaps.by_week[row, i]),
                    "low": y(gaps.by_week_low[row, i]),
                    "high": y(gaps.by_week_high[row, i]),
                }
                for row in range(len(gaps.week))
            ],
        }
        for i, car in enumerate(CARS)
    ]
    ticks = np.linspace(0, top, 6).tolist()
    return {
        "wide": CHART_WIDE,
        "tall": CHART_TALL,
        "left": left,
        "right": CHART_WIDE - right,
        "foot": CHART_TALL - foot,
        "cars": cars,
        "ticks": [{"y": y(one), "word": f"{100 * one:g} %"} for one in ticks],
        "weeks": [
            {"x": round(x[row], 1), "word": _day_and_month(gaps, row)}
            for row in range(0, len(gaps.week), every)
        ],
    }


def _day_and_month(gaps: PastGaps, row: int) -> str:
    """Write the Monday that a week began on, short."""
    _, day, month, _ = words.clock(gaps.week[row], gaps.time_zone, day=True).split(",")[0].split()
    return f"{day} {month}"


def _trend(gaps: PastGaps, car: int) -> str:
    """Say how a car's share moved over the period."""
    one = gaps.trend[car]
    if one.a_week is None:
        return f"{CARS[car].capitalize()} car: a single day shows no trend."
    moved = f"{words.points(one.a_week)} a week over {words.count(one.days, 'day')}"
    return f"{CARS[car].capitalize()} car: {moved}; {words.chance(one.p)}."


def _change(car: str, one: PeriodChange) -> dict[str, str]:
    """Lay out what was before and what was after."""
    return {
        "car": car,
        "before": f"{words.percent(one.before)} on {words.count(one.days_before, 'day')}",
        "after": f"{words.percent(one.after)} on {words.count(one.days_after, 'day')}",
        "moved": words.points(one.after - one.before),
        "chance": words.chance(one.p),
    }

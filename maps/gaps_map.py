"""The gaps map: where and when two cars were too far away, by the hours of a week."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from folium.elements import JSCSSMixin
from folium.map import Layer
from folium.template import Template

from data import words
from data.past_gaps import CARS
from maps import style
from maps.cells import week_payload
from maps.layers import RoadData, Script, page_of, road_base, road_names
from maps.page import TEMPLATES, PageFacts, script_json

if TYPE_CHECKING:
    from data.past_gaps import PastGaps
    from data.road_table import FloatArray, RoadTable
    from maps.page import Page
    from maps.style import Manner

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LISTED: Final = 30


class WeekData(JSCSSMixin, Script):
    """
    Cells and their shares as a page carries them: once, for both cars.

    Parameters
    ----------
    gaps : PastGaps
        What is shown.
    """

    _template = Template(
        """
        {% macro script(this, kwargs) %}
var {{ this.get_name() }} = rollby.weekOfCells({{ this.json }});
        {%- endmacro %}
        """
    )
    default_js = [("gaps.js", "asset:gaps.js")]  # noqa: RUF012 - folium declares it so
    default_css = [("gaps.css", "asset:gaps.css")]  # noqa: RUF012 - as above

    def __init__(self, gaps: PastGaps) -> None:
        super().__init__()
        self.json = script_json(week_payload(gaps))


class CellShares(Layer):
    """
    One car's shares by cell.

    Parameters
    ----------
    week : WeekData
        What it draws; on the map before it.
    car : {0, 1}
        The first or the second.
    show : bool
        On when the page opens.
    """

    _template = Template(
        """
        {% macro script(this, kwargs) %}
var {{ this.get_name() }} = new rollby.CellShares({{ this.week.get_name() }}, {"car": {{ this.car }}});
        {%- endmacro %}
        """  # noqa: E501 - one statement of the page
    )

    def __init__(self, week: WeekData, car: int, *, show: bool) -> None:
        super().__init__(name=f"{CARS[car].capitalize()} car", overlay=False, show=show)
        self._name = "CellShares"
        self.week = week
        self.car = car


class OpenGaps(Script):
    """
    Wakes the slider, the matrix and the cells.

    Parameters
    ----------
    week : WeekData
        What they choose from.
    """

    _template = Template(
        """
        {% macro script(this, kwargs) %}
rollby.openGaps({{ this._parent.get_name() }}, {{ this.week.get_name() }});
        {%- endmacro %}
        """
    )

    def __init__(self, week: WeekData) -> None:
        super().__init__()
        self.week = week


def gaps_page(roads: RoadTable, gaps: PastGaps, manner: Manner = style.PLAIN) -> Page:
    """
    Draw how often the first and the second car were beyond T, for each cell and hour of the week.

    Parameters
    ----------
    roads : RoadTable
        The network.
    gaps : PastGaps
        What is drawn.
    manner : Manner
        How figures are written, and what the page offers.

    Returns
    -------
    page : Page
        It fetches nothing; ``render`` gives one document, ``parts`` what a server sends apart.
    """
    data, week = RoadData(roads), WeekData(gaps)
    within = words.drive(gaps.within_s)
    facts = PageFacts(
        title="Gaps",
        subtitle=period(gaps),
        at=None,
        summary=(
            f"Second car beyond {within} on {words.percent(gaps.all_road[1])} of road and time, "
            f"first on {words.percent(gaps.all_road[0])}"
        ),
        panel=_panel(gaps),
        simulated=gaps.simulated,
        source=roads.source,
        manner=manner,
    )
    layers = [
        road_base(data),
        road_names(data, show=False),
        CellShares(week, 0, show=False),
        CellShares(week, 1, show=True),
    ]
    return page_of(facts, data, layers, before=[week], after=[OpenGaps(week)])


def period(gaps: PastGaps) -> str:
    """
    Write the days of a period.

    Returns
    -------
    text : str
        ``Sun 1 Mar 2026 to Sun 31 May 2026``.
    """
    days = [
        words.clock(one, gaps.time_zone, day=True).split(",", maxsplit=1)[0]
        for one in (gaps.began, gaps.ended - timedelta(seconds=1))
    ]
    return days[0] if days[0] == days[1] else " to ".join(days)


def overall(gaps: PastGaps) -> list[dict[str, str]]:
    """
    Say what holds over all road: shares with intervals, where stops began, and how it moved.

    Returns
    -------
    rows : list of dict
        ``name``, ``first`` and ``second``.
    """
    rows = [("Of all road", of_all_road(gaps))]
    if at_stops := where_stops(gaps):
        rows.append(("Where and when stops began", at_stops))
    if gaps.changes:
        rows.append(("Before", [words.percent(one.before) for one in gaps.changes]))
        rows.append(("After", [words.percent(one.after) for one in gaps.changes]))
        rows.append(("Before against after", [words.chance(one.p) for one in gaps.changes]))
    if all(one.a_week is not None and one.p is not None for one in gaps.trend):
        moved = [f"{words.points(one.a_week or 0)}, {words.chance(one.p)}" for one in gaps.trend]
        rows.append(("From week to week", moved))
    return [{"name": name, **dict(zip(CARS, cars, strict=True))} for name, cars in rows]


def of_all_road(gaps: PastGaps) -> list[str]:
    """Write each car's share of all road and time, with its interval."""
    return both_cars(gaps.all_road, gaps.all_road_low, gaps.all_road_high)


def where_stops(gaps: PastGaps) -> list[str] | None:
    """Write each car's share where and when stops began, with its interval, if any did."""
    ends = gaps.where_stops, gaps.where_stops_low, gaps.where_stops_high
    known = [one for one in ends if one is not None]
    return both_cars(*known) if len(known) == len(ends) else None


def both_cars(mean: FloatArray, low: FloatArray, high: FloatArray) -> list[str]:
    """
    Write the share of each car with its interval.

    Returns
    -------
    shares : list of str
        ``42 % (31 % to 54 %)``.
    """
    ends = zip(mean.tolist(), low.tolist(), high.tolist(), strict=True)
    return [f"{words.percent(m)} ({words.percent(a)} to {words.percent(b)})" for m, a, b in ends]


def worst_cells(gaps: PastGaps, listed: int) -> list[dict[str, Any]]:
    """
    Put the worst cells into words.

    Returns
    -------
    cells : list of dict
        Most stops a week beyond the second car first.
    """
    return [
        {
            "row": row,
            "street": gaps.street[row] or "road without a name",
            "cell": str(gaps.cell[row]),
            "first": gaps.share(row, 0),
            "second": gaps.share(row, 1),
            "p90": percentile(gaps, row, 1),
            "stops": gaps.exposed(row),
            "ready": ready(gaps, row),
        }
        for row in gaps.worst[:listed].tolist()
    ]


def ready(gaps: PastGaps, row: int) -> str:
    """
    Write how ready a cell was.

    Returns
    -------
    text : str
        Its preparedness by two cars; "" where it was not worked out.
    """
    found = gaps.two_car_preparedness
    return "" if found is None else f"{found[row]:.3g}"


def percentile(gaps: PastGaps, row: int, car: int) -> str:
    """
    Write within what nine of ten drives to a cell would have been, with its interval.

    Parameters
    ----------
    gaps : PastGaps
        Summed up.
    row : int
        Of the cell.
    car : {0, 1}
        The first or the second.

    Returns
    -------
    text : str
        ``3:40 (3:10 to over 30:00)``; an end that too few days bound is open.
    """
    found = drive_or_nobody(gaps.p90_s[row, car])
    if gaps.p90_low_s is None or gaps.p90_high_s is None:
        return found
    ends = (drive_or_nobody(one[row, car]) for one in (gaps.p90_low_s, gaps.p90_high_s))
    return f"{found} ({' to '.join(ends)})"


def drive_or_nobody(seconds: float) -> str:
    """
    Write a drive time of a cell.

    Returns
    -------
    text : str
        As `data.words.drive`; above half an hour nobody counts.
    """
    return words.drive(seconds) if np.isfinite(seconds) else "over 30:00"


def rests_on(gaps: PastGaps) -> str:
    """
    Say what the figures rest on.

    Returns
    -------
    text : str
        Snapshots, days and stops.
    """
    days, stops = words.count(gaps.days, "day"), words.count(gaps.stops, "stop")
    return f"{gaps.snapshots:,} snapshots in {gaps.hours.sum():,} hours of {days}, {stops}"


def _panel(gaps: PastGaps) -> str:
    """
    Write the panel: the same as the map, in figures.

    Returns
    -------
    html : str
        Escaped.
    """
    return TEMPLATES.get_template("gaps.html").render(
        matrix=matrix(gaps, 1),
        within=words.drive(gaps.within_s),
        time_zone=gaps.time_zone,
        overall=overall(gaps),
        rests_on=rests_on(gaps),
        worst=worst_cells(gaps, _LISTED),
        steps=style.SHARES,
    )


def matrix(gaps: PastGaps, car: int) -> list[dict[str, Any]]:
    """
    Lay out a week by hours.

    Parameters
    ----------
    gaps : PastGaps
        Summed up.
    car : {0, 1}
        The first or the second.

    Returns
    -------
    days : list of dict
        ``name`` and ``hours``; of each hour its ``row``, ``css`` class, ``share`` of all road in
        words, and ``figure``, whole percent, "" where nobody looked.
    """
    hours = [_hour(row, share) for row, share in enumerate(gaps.all_by_hour[:, car].tolist())]
    return [{"name": name, "hours": hours[24 * i : 24 * i + 24]} for i, name in enumerate(DAYS)]


def _hour(row: int, share: float) -> dict[str, Any]:
    """Put an hour of the week into the matrix."""
    if not np.isfinite(share):
        return {"row": row, "css": "share-none", "share": "not looked at", "figure": ""}
    css, figure = style.SHARES[step_of(share)].css, f"{100 * share:.0f}"
    return {"row": row, "css": css, "share": words.percent(share), "figure": figure}


def step_of(share: float) -> int:
    """
    Choose the step a share is shown in.

    Returns
    -------
    row : int
        Of `style.SHARES`; a share on a bound belongs to the lower step.
    """
    return next(i for i, step in enumerate(style.SHARES) if share <= step.up_to)

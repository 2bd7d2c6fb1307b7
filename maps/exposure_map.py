"""The exposure map: how long each stop of a recorded period was short of officers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from data import words
from maps import style
from maps.layers import RoadData, page_of, road_base, road_names
from maps.page import TEMPLATES, PageFacts
from maps.signs import Sign, sign_layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.answers import ExposedStop
    from data.road_table import RoadTable
    from maps.style import Look, Manner


def exposure_map(
    roads: RoadTable,
    stops: Sequence[ExposedStop],
    *,
    simulated: bool,
    manner: Manner = style.PLAIN,
) -> str:
    """
    Draw every stop of a period by how long it was short of officers.

    Parameters
    ----------
    roads : RoadTable
        The base map.
    stops : sequence of ExposedStop
        In the order of the list beside the map.
    simulated : bool
        Said on the page.
    manner : Manner
        How figures are written, and what the page offers.

    Returns
    -------
    html : str
        A whole page that fetches nothing; the same input gives the same text.
    """
    data = RoadData(roads)
    counts = Counter(_look(stop).word for stop in stops)
    minutes = sum(stop.exposed_min for stop in stops)
    began = min((stop.began for stop in stops), default=None)
    facts = PageFacts(
        title="Exposure",
        subtitle=f"{words.count(len(stops), 'stop')}, short of officers for {minutes:.0f} min",
        at=None,
        badges=[(look, str(counts[look.word]), look.word) for look in style.EXPOSURES.values()],
        summary=f"from {words.clock(began, manner.time_zone, day=True)}"
        if began
        else "No stop was made",
        panel=TEMPLATES.get_template("exposure.html").render(
            stops=[_view(stop, f"stop-{i}", manner.time_zone) for i, stop in enumerate(stops)],
            looks=list(style.EXPOSURES.values()),
        ),
        simulated=simulated,
        source=roads.source,
        manner=manner,
    )
    places = {
        f"stop-{i}": (stop.lat_deg, stop.lon_deg)
        for i, stop in enumerate(stops)
        if stop.lat_deg is not None and stop.lon_deg is not None
    }
    signs = [
        Sign(
            places[anchor],
            kind="stop",
            look=_look(stop),
            tag=_minutes(stop.exposed_min),
            label=f"stop {stop.stop_id} of unit {stop.unit_id}, short of officers for so long",
            panel=anchor,
        )
        for i, stop in enumerate(stops)
        if (anchor := f"stop-{i}") in places
    ]
    layers = [road_base(data), road_names(data), sign_layer("Stops", signs)]
    return page_of(facts, data, layers, places=list(places.values())).render()


def _look(stop: ExposedStop) -> Look:
    """
    Choose how a stop is shown.

    Returns
    -------
    look : Look
        By its minutes short of officers.
    """
    if stop.exposed_min <= 0:
        return style.EXPOSURES["never"]
    return style.EXPOSURES["long" if stop.exposed_min >= style.LONG_MIN else "brief"]


def _minutes(minutes: float) -> str:
    """
    Write minutes.

    Returns
    -------
    text : str
        A tenth below ten.
    """
    return f"{minutes:.0f} min" if minutes >= 10 or minutes == 0 else f"{minutes:.1f} min"  # noqa: PLR2004


def _view(stop: ExposedStop, anchor: str, time_zone: str) -> dict[str, object]:
    """
    Put a stop into words.

    Returns
    -------
    view : dict
        For the template.
    """
    return {
        "anchor": anchor,
        "placed": stop.lat_deg is not None,
        "look": _look(stop),
        "stop_id": stop.stop_id,
        "unit_id": stop.unit_id,
        "began": words.clock(stop.began, time_zone),
        "lasted": _minutes(stop.lasted_min),
        "exposed": _minutes(stop.exposed_min),
        "came": ", ".join(stop.came) or "nobody",
    }

"""The exposure map: how long each stop of a recorded period was short of officers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from data import words
from maps import style
from maps.layers import RoadData, bounds_of, page_of, road_base, road_names
from maps.page import TEMPLATES, PageFacts
from maps.signs import Sign, sign_layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.answers import ExposedStop
    from data.road_table import RoadTable
    from data.words import SpeedUnit
    from maps.style import Look, Theme


def exposure_map(
    roads: RoadTable,
    stops: Sequence[ExposedStop],
    *,
    simulated: bool,
    tiles: bool = False,
    theme: Theme = "auto",
    time_zone: str = "UTC",
    speed_unit: SpeedUnit = "mph",
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
    tiles : bool
        Adds OpenStreetMap's tiles, which are fetched when the page is viewed.
    theme : {"auto", "light", "dark"}
        "auto" follows the device; a button in the page switches.
    time_zone : str
        The agency's, an IANA name.
    speed_unit : {"mph", "km/h"}
        Miles go with mph.

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
        summary=f"from {words.clock(began, time_zone, day=True)}" if began else "No stop was made",
        panel=TEMPLATES.get_template("exposure.html").render(
            stops=[_view(stop, f"stop-{i}", time_zone) for i, stop in enumerate(stops)],
            looks=list(style.EXPOSURES.values()),
        ),
        simulated=simulated,
        theme=theme,
        source=roads.source,
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
    return page_of(
        facts,
        data,
        [road_base(data), road_names(data), sign_layer("Stops", signs)],
        bounds=bounds_of(list(places.values()), roads),
        tiles=tiles,
        imperial=speed_unit == "mph",
    ).render()


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

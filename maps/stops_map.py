"""The stops map: who is alone, who is near, and who should roll by."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import folium

from data import words
from maps import style, views
from maps.layers import RoadData, page_of, road_base, road_names
from maps.page import TEMPLATES, PageFacts
from maps.signs import draw_route, sign_layer

if TYPE_CHECKING:
    from data.answers import Advice
    from data.road_table import RoadTable
    from maps.signs import LatLon
    from maps.style import Manner


def stops_map(roads: RoadTable, advice: Advice, manner: Manner = style.PLAIN) -> str:
    """
    Draw every open stop by its flag, every unit, and the suggested ways.

    Parameters
    ----------
    roads : RoadTable
        The base map.
    advice : Advice
        What is drawn.
    manner : Manner
        How figures are written, and what the page offers.

    Returns
    -------
    html : str
        A whole page that fetches nothing; the same input gives the same text.
    """
    data = RoadData(roads)
    facts = PageFacts(
        title="Stops",
        at=advice.at,
        badges=_badges(advice),
        summary=_summary(advice),
        panel=_panel(advice, manner),
        simulated=advice.simulated,
        source=roads.source,
        manner=manner,
    )
    units = [views.unit_sign(unit, f"unit-{i}") for i, unit in enumerate(advice.units)]
    stops = [
        views.stop_sign(stop, f"stop-{i}", place)
        for i, stop in enumerate(advice.stops)
        if (place := views.place_of(stop))
    ]
    layers = [
        road_base(data),
        road_names(data),
        _routes(advice),
        sign_layer("Stops", stops),
        sign_layer("Units", units),
    ]
    return page_of(facts, data, layers, places=_places(advice)).render()


def _routes(advice: Advice) -> folium.FeatureGroup:
    """
    Draw the suggested ways.

    Returns
    -------
    layer : folium.FeatureGroup
        A line and a label each.
    """
    group = folium.FeatureGroup(name="Suggested routes")
    for stop in advice.stops:
        if stop.suggestion and stop.suggestion.route.lon_deg:
            minutes = words.drive(stop.suggestion.drive_time_s)
            draw_route(group, stop.suggestion.route, who=stop.suggestion.unit_id, minutes=minutes)
    return group


def _places(advice: Advice) -> list[LatLon]:
    """
    Gather what the map should open on: stops and who is on the way, else the units.

    Returns
    -------
    places : list of (float, float)
        Latitudes and longitudes.
    """
    stops = [place for stop in advice.stops if (place := views.place_of(stop))]
    if not stops:
        return views.unit_places(advice.units)
    near = {near.unit_id for stop in advice.stops for near in stop.nearest[:2]}
    shown = [state for state in advice.units if state.unit.unit_id in near]
    routes = [stop.suggestion.route for stop in advice.stops if stop.suggestion]
    ways = [(lat, lon) for r in routes for lat, lon in zip(r.lat_deg, r.lon_deg, strict=True)]
    return [*stops, *ways, *views.unit_places(shown)]


def _badges(advice: Advice) -> list[tuple[style.Look, str, str]]:
    """
    Count stops by flag, the most urgent first.

    Returns
    -------
    badges : list of (Look, str, str)
        Symbol, number and word of each flag.
    """
    flags = Counter(stop.flag for stop in advice.stops)
    return [(look, str(flags[flag]), look.word) for flag, look in style.FLAGS.items()]


def _summary(advice: Advice) -> str:
    """
    Say what the badges leave to say.

    Returns
    -------
    summary : str
        How many units should roll by.
    """
    asked = sum(stop.suggestion is not None for stop in advice.stops)
    summary = "Nobody is suggested" if advice.stops else "No stop is open"
    if asked:
        summary = f"{words.count(asked, 'unit')} should roll by"
    return summary + (views.LEFT_OUT if advice.left_out else "")


def _panel(advice: Advice, manner: Manner) -> str:
    """
    Write the panel: the same as the map, in words.

    Returns
    -------
    html : str
        Escaped.
    """
    return TEMPLATES.get_template("stops.html").render(
        stops=[views.stop_view(s, f"stop-{i}", manner) for i, s in enumerate(advice.stops)],
        units=[views.unit_view(u, f"unit-{i}", manner) for i, u in enumerate(advice.units)],
        looks=views.legend_looks(),
        limits=style.LIMITS,
        left_out=advice.left_out,
    )

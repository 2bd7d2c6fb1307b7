"""The route map: one way by road, with its minutes and its streets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import folium

from data import words
from maps import style
from maps.layers import RoadData, page_of, road_base, road_names
from maps.page import TEMPLATES, PageFacts
from maps.signs import Sign, draw_route, sign_layer

if TYPE_CHECKING:
    from data.answers import Route
    from data.road_table import RoadTable
    from maps.style import Manner


def route_map(
    roads: RoadTable,
    route: Route,
    *,
    from_label: str,
    to_label: str,
    manner: Manner = style.PLAIN,
) -> str:
    """
    Draw one way by road.

    Parameters
    ----------
    roads : RoadTable
        The base map.
    route : Route
        What is drawn.
    from_label, to_label : str
        What its ends are called.
    manner : Manner
        How figures are written, and what the page offers.

    Returns
    -------
    html : str
        A whole page that fetches nothing; the same input gives the same text.
    """
    data = RoadData(roads)
    minutes = words.drive(route.drive_time_s)
    distance = words.distance(route.distance_m, manner.speed_unit)
    facts = PageFacts(
        title="Route",
        subtitle=f"{from_label} to {to_label}",
        at=None,
        summary=f"{minutes} by road, {distance}",
        panel=TEMPLATES.get_template("route.html").render(
            from_label=from_label,
            to_label=to_label,
            drive=minutes,
            distance=distance,
            steps=[
                {
                    "street": street or "road without a name",
                    "length": words.distance(metres, manner.speed_unit),
                }
                for street, metres in route.streets
            ],
            start=style.MARKS["start"],
            finish=style.MARKS["finish"],
        ),
        source=roads.source,
        manner=manner,
    )
    way = folium.FeatureGroup(name="Route")
    draw_route(way, route, who="", minutes=minutes)
    layers = [
        road_base(data),
        road_names(data),
        way,
        sign_layer("Ends", _ends(route, from_label, to_label)),
    ]
    places = list(zip(route.lat_deg, route.lon_deg, strict=True))
    return page_of(facts, data, layers, places=places).render()


def _ends(route: Route, from_label: str, to_label: str) -> list[Sign]:
    """
    Mark both ends.

    Returns
    -------
    signs : list of Sign
        A ring where it starts, a square where it ends.
    """
    ends = ((0, "start", "from", from_label), (-1, "finish", "to", to_label))
    return [
        Sign(
            (route.lat_deg[row], route.lon_deg[row]),
            kind="end",
            look=style.MARKS[mark],
            tag=label,
            label=f"the way leads {word} here",
            panel=f"route-{word}",
        )
        for row, mark, word, label in ends
        if route.lon_deg
    ]

"""Signs on the map: a shape with a tag, and the line of a route with its minutes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import folium
from folium.template import Template

from maps.page import TEMPLATES, script_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.answers import Route
    from maps.style import Look

LatLon = tuple[float, float]

_PolyLine: Any = folium.PolyLine  # folium leaves it untyped

_DIGITS: Final = 6
_LABEL_AT: Final = 0.5


class Sign(folium.Marker):
    """
    A sign on the map: a shape with a tag, kept clear of other signs by assets/signs.js.

    Parameters
    ----------
    place : tuple of float
        Latitude and longitude, degrees.
    kind : {"stop", "unit", "route", "gap", "end"}
        Its class and its rank where room is short.
    look : Look or None
        Its shape; None for a tag alone.
    tag, detail : str
        What is written beside it.
    label : str
        What a screen reader says after the tag.
    panel : str
        Id of the explanation it opens; "" for a sign that opens nothing.
    freshness : Look or None
        How the age of the fix shows.
    heading_deg : float or None
        Where its pointer points.
    """

    _template = Template(
        """
        {% macro script(this, kwargs) %}
rollby.sign({{ this.location|tojson }}, {{ this.json }}).addTo({{ this._parent.get_name() }});
        {%- endmacro %}
        """
    )

    def __init__(
        self,
        place: LatLon,
        *,
        kind: str,
        look: Look | None,
        tag: str,
        detail: str = "",
        label: str,
        panel: str = "",
        freshness: Look | None = None,
        heading_deg: float | None = None,
    ) -> None:
        super().__init__((round(place[0], _DIGITS), round(place[1], _DIGITS)))
        self._name = "Sign"
        macros: Any = TEMPLATES.get_template("macros.html").module
        html = str(macros.sign(kind, look, tag, detail, freshness, heading_deg))
        seen = f"{tag} \N{MIDDLE DOT} {detail}" if detail else tag
        self.json = script_json(
            {"html": html, "label": f"{seen}, {label}", "kind": kind, "panel": panel}
        )


def sign_layer(name: str, signs: Sequence[Sign], *, show: bool = True) -> folium.FeatureGroup:
    """
    Gather signs in a layer that can be switched.

    Parameters
    ----------
    name : str
        In the layer control.
    signs : sequence of Sign
        In the order in which the tab key visits them.
    show : bool
        On when the page opens.

    Returns
    -------
    layer : folium.FeatureGroup
        The layer.
    """
    group = folium.FeatureGroup(name=name, show=show)
    for sign in signs:
        group.add_child(sign)
    return group


def draw_route(group: folium.FeatureGroup, route: Route, *, who: str, minutes: str) -> None:
    """
    Draw a route with its casing, and its minutes where half the way is done.

    Parameters
    ----------
    group : folium.FeatureGroup
        The layer that takes it.
    route : Route
        The way.
    who : str
        Who drives it; "" for nobody in particular.
    minutes : str
        Drive time as it is written.
    """
    line = [
        (round(lat, _DIGITS), round(lon, _DIGITS))
        for lon, lat in zip(route.lon_deg, route.lat_deg, strict=True)
    ]
    for css, weight in (("route-case", 10), ("route", 6)):
        group.add_child(_PolyLine(line, className=css, weight=weight, opacity=1))
    tag, detail = (who, minutes) if who else (minutes, "")
    place, label = _along(line, _LABEL_AT), "on foot" if route.on_foot else "by road"
    sign = Sign(place, kind="route", look=None, tag=tag, detail=detail, label=label)
    group.add_child(sign)


def _along(line: Sequence[LatLon], share: float) -> LatLon:
    """
    Find the place on a line where a share of its length is done, near enough for a label.

    Returns
    -------
    place : tuple of float
        Latitude and longitude.
    """
    legs = [abs(b[0] - a[0]) + abs(b[1] - a[1]) for a, b in pairwise(line)]
    rest = share * sum(legs)
    for (a, b), leg in zip(pairwise(line), legs, strict=True):
        if leg >= rest > 0:
            part = rest / leg
            return a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])
        rest -= leg
    return line[0]

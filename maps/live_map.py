"""The live map: the roads, and signs that a page moves as it hears of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from branca.element import Figure
from folium.template import Template

from maps import style
from maps.layers import RoadData, Script, bounds_of, road_base, road_names
from maps.page import OfflineMap, Parts, asset, parts_of

if TYPE_CHECKING:
    from data.road_table import RoadTable
    from maps.layers import Bounds


class LiveMap(OfflineMap):
    """An offline map with the script that moves signs, in place of the one around a still map."""

    default_js = [  # noqa: RUF012 - folium declares it so
        *(pair for pair in OfflineMap.default_js if pair[0] not in {"signs.js", "page.js"}),
        ("live.js", "asset:live.js"),
    ]


class _OpenLive(Script):
    """Sets the view, and makes the signs' layer."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
rollby.openLive({{ this._parent.get_name() }}, {{ this.options|tojson }});
        {%- endmacro %}
        """
    )

    def __init__(self, bounds: Bounds, *, imperial: bool) -> None:
        super().__init__()
        self.options = {
            "bounds": bounds,
            "imperial": imperial,
            "credit": style.OSM_CREDIT,
            "statuses": {
                status.value: {"word": look.word, "symbol": look.symbol, "css": look.css}
                for status, look in style.STATUSES.items()
            },
            "freshness": {
                fresh.value: {"word": look.word, "symbol": look.symbol, "css": look.css}
                for fresh, look in style.FRESHNESS.items()
            },
            "flags": {
                flag.value: {
                    "word": look.word,
                    "symbol": look.symbol,
                    "css": look.css,
                    "letter": look.letter,
                }
                for flag, look in style.FLAGS.items()
            },
        }


def live_map(roads: RoadTable, *, imperial: bool = True) -> Parts:
    """
    Draw the map that a live page fills: without anybody on it yet.

    Parameters
    ----------
    roads : RoadTable
        The base map.
    imperial : bool
        The scale bar has miles beside kilometres.

    Returns
    -------
    parts : Parts
        ``rollby.live.show(units, stops, now_ms)`` of its script draws who is where; nothing is
        fetched, and no script or style stands within the page.
    """
    view, data = LiveMap(), RoadData(roads)
    for layer in (data, road_base(data), road_names(data)):
        view.add_child(layer)
    view.add_child(_OpenLive(bounds_of([], roads), imperial=imperial))
    figure = Figure()
    figure.add_child(view)
    parts = parts_of(figure)
    return Parts(parts.html + asset("symbols.svg").decode("utf-8"), parts.script, parts.style)

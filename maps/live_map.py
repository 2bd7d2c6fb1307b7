"""The live map: the roads, and signs that a page moves as it hears of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from branca.element import Figure
from folium.template import Template

from data.bands import bands
from maps import style
from maps.encode import slower_codes
from maps.layers import RoadData, Script, bounds_of, road_bands, road_base, road_names
from maps.page import OfflineMap, Parts, asset, parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

    from data.road_table import RoadTable
    from maps.layers import Bounds, RoadLayer
    from maps.streets import Streets


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
rollby.openLive(
  {{ this._parent.get_name() }}, {{ this.bands.get_name() }}, {{ this.options|tojson }}
);
        {%- endmacro %}
        """
    )

    def __init__(self, bounds: Bounds, bands: RoadLayer, *, imperial: bool) -> None:
        super().__init__()
        self.bands = bands
        self.options = {
            "bounds": bounds,
            "imperial": imperial,
            "credit": style.OSM_CREDIT,
            "statuses": _looks(style.STATUSES),
            "freshness": _looks(style.FRESHNESS),
            "flags": _looks(style.FLAGS),
        }


def _looks(looks: Mapping[Any, style.Look]) -> dict[str, dict[str, str]]:
    """Give a script the looks of values, by value."""
    names = ("word", "symbol", "css", "letter")
    return {
        value.value: {name: getattr(look, name) for name in names} for value, look in looks.items()
    }


@dataclass(frozen=True, slots=True)
class Drawn:
    """
    The live map.

    Parameters
    ----------
    parts : Parts
        For a page.
    streets : Streets
        The lines that it draws.
    """

    parts: Parts
    streets: Streets


def live_map(roads: RoadTable, *, imperial: bool = True) -> Drawn:
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
    drawn : Drawn
        ``rollby.live.show(units, stops, now_ms)`` of its script draws who is where, and
        ``rollby.live.bands(codes)`` how soon a car is on each line; nothing is fetched, and no
        script or style stands within the page.
    """
    view, data = LiveMap(), RoadData(roads)
    coverage = road_bands(data, None, name="Coverage", show=False, overlay=True)
    for layer in (data, road_base(data), coverage, road_names(data)):
        view.add_child(layer)
    view.add_child(_OpenLive(bounds_of([], roads), coverage, imperial=imperial))
    figure = Figure()
    figure.add_child(view)
    parts = parts_of(figure)
    html = parts.html + asset("symbols.svg").decode("utf-8")
    return Drawn(Parts(html, parts.script, parts.style), data.streets)


def band_codes(
    streets: Streets, drive_time_s: npt.NDArray[np.float64], limit_s: npt.NDArray[np.float64]
) -> str:
    """
    Write the band of every line, by the worse of its directions.

    Parameters
    ----------
    streets : Streets
        Of the live map.
    drive_time_s, limit_s : ndarray of float64, shape (m,)
        Of every edge: how soon a car is on it, inf for never; and T there.

    Returns
    -------
    codes : str
        A row of `style.BANDS` for each line; a time on a bound belongs to the nearer band.
    """
    return slower_codes(streets, bands(drive_time_s, limit_s))

"""The layers drawn from the road network, and the page that holds all layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import folium
from branca.element import MacroElement
from folium.map import Layer
from folium.template import Template
from folium.utilities import JsCode

from maps import style
from maps.encode import encode_roads, slower_codes
from maps.page import OfflineMap, Page, script_json
from maps.streets import Streets, streets

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from data.road_table import RoadTable
    from maps.page import PageFacts
    from maps.signs import LatLon

Bounds = tuple[tuple[float, float], tuple[float, float]]

_LayerControl: Any = folium.LayerControl  # takes JsCode, which its annotation does not say

_DIGITS: Final = 6
_OSM_TILES: Final = "https://tile.openstreetmap.org/{z}/{x}/{y}.png"


class Script(MacroElement):
    """A statement of the page's script; subclasses bring the template."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca leaves it untyped
        self._name = type(self).__name__.strip("_")


class RoadData(Script):
    """
    The road network as a page carries it: once, whatever is drawn from it.

    Parameters
    ----------
    roads : RoadTable
        The network.
    """

    _template = Template(
        """
        {% macro script(this, kwargs) %}
var {{ this.get_name() }} = rollby.decodeRoads({{ this.json }});
        {%- endmacro %}
        """
    )

    def __init__(self, roads: RoadTable) -> None:
        super().__init__()
        self.roads = roads
        self.streets: Streets = streets(roads)
        self.json = script_json(encode_roads(roads, self.streets))


class RoadLayer(Layer):
    """
    A layer drawn on canvas from a page's road data.

    Parameters
    ----------
    data : RoadData
        What it draws; on the map before it.
    drawn_by : str
        Class in assets/roads.js or assets/names.js that draws it.
    name : str
        In the layer control.
    overlay : bool
        A check box there; otherwise one of the radio buttons.
    show : bool
        On when the page opens.
    options : dict
        For that class.
    """

    _template = Template(
        """
        {% macro script(this, kwargs) %}
var {{ this.get_name() }} = new rollby.{{ this.drawn_by }}({{ this.data.get_name() }}, {{ this.options|tojson }});
        {%- endmacro %}
        """  # noqa: E501 - one statement of the page
    )

    def __init__(
        self,
        data: RoadData,
        drawn_by: str,
        *,
        name: str,
        overlay: bool = True,
        show: bool = True,
        options: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(name=name, overlay=overlay, show=show)
        self._name = drawn_by
        self.data = data
        self.drawn_by = drawn_by
        self.options = options or {}


def road_base(data: RoadData) -> RoadLayer:
    """
    Make the base map: the roads, by class.

    Parameters
    ----------
    data : RoadData
        The network.

    Returns
    -------
    layer : RoadLayer
        On when the page opens.
    """
    return RoadLayer(data, "RoadBase", name="Roads", options={"zIndex": 2})


def road_names(data: RoadData, *, show: bool = True) -> RoadLayer:
    """
    Make the names written along the roads.

    Parameters
    ----------
    data : RoadData
        The network.
    show : bool
        On when the page opens.

    Returns
    -------
    layer : RoadLayer
        The layer.
    """
    return RoadLayer(data, "RoadNames", name="Street names", show=show)


def road_bands(
    data: RoadData,
    rows: npt.NDArray[np.integer] | None,
    *,
    name: str,
    show: bool,
    overlay: bool = False,
) -> RoadLayer:
    """
    Make a layer of drive-time bands on the roads.

    Parameters
    ----------
    data : RoadData
        The network.
    rows : ndarray of integer, shape (m,), or None
        Row of `style.BANDS` for every edge; None: of none yet.
    name : str
        In the layer control.
    show : bool
        On when the page opens.
    overlay : bool
        Whatever else is on; otherwise only one such layer is on at a time.

    Returns
    -------
    layer : RoadLayer
        The layer.
    """
    looks = [{"css": b.css, "width_px": b.width_px, "dash_px": b.dash_px} for b in style.BANDS]
    codes = "" if rows is None else slower_codes(data.streets, rows)
    options = {"codes": codes, "bands": looks, "zIndex": 4}
    return RoadLayer(data, "RoadBands", name=name, overlay=overlay, show=show, options=options)


def road_gaps(data: RoadData, gap: npt.NDArray[np.integer]) -> RoadLayer:
    """
    Make the hatching under roads that lie in a gap.

    Parameters
    ----------
    data : RoadData
        The network.
    gap : ndarray of integer, shape (m,)
        1 for every edge that lies in a gap, else 0.

    Returns
    -------
    layer : RoadLayer
        On when the page opens.
    """
    options = {"codes": slower_codes(data.streets, gap), "zIndex": 3}
    return RoadLayer(data, "RoadGaps", name="Gaps", options=options)


class _OpenPage(Script):
    """
    Sets the view when all layers are there, and wakes the panel.

    Parameters
    ----------
    options : dict
        For ``rollby.openPage`` in assets/page.js.
    groups : sequence of folium.FeatureGroup
        Layers that hold signs.
    """

    _template = Template(
        """
        {% macro script(this, kwargs) %}
rollby.openPage({{ this._parent.get_name() }}, {
    ...{{ this.options|tojson }},
    groups: [{% for group in this.groups %}{{ group.get_name() }}, {% endfor %}]
});
        {%- endmacro %}
        """
    )

    def __init__(self, options: dict[str, Any], groups: Sequence[folium.FeatureGroup]) -> None:
        super().__init__()
        self.options = options
        self.groups = groups


def bounds_of(places: Sequence[LatLon], roads: RoadTable) -> Bounds:
    """
    Choose what a map opens on.

    Parameters
    ----------
    places : sequence of (float, float)
        Latitudes and longitudes that matter.
    roads : RoadTable
        Shown whole where nothing matters.

    Returns
    -------
    bounds : tuple of tuple of float
        South-west and north-east.
    """
    if not places:
        west, south, east, north = roads.bounds_deg
    else:
        south, north = min(p[0] for p in places), max(p[0] for p in places)
        west, east = min(p[1] for p in places), max(p[1] for p in places)
    return (
        (round(south, _DIGITS), round(west, _DIGITS)),
        (round(north, _DIGITS), round(east, _DIGITS)),
    )


def page_of(
    facts: PageFacts,
    data: RoadData,
    layers: Sequence[Layer],
    *,
    places: Sequence[LatLon] = (),
    before: Sequence[Script] = (),
    after: Sequence[Script] = (),
) -> Page:
    """
    Make a page with its layers, lowest first, and a control that switches them.

    Parameters
    ----------
    facts : PageFacts
        What the page says around the map.
    data : RoadData
        The network the layers draw from.
    layers : sequence of Layer
        In the order of the layer control.
    places : sequence of (float, float)
        What it opens on, latitudes and longitudes; none: the whole network.
    before, after : sequence of Script
        What the layers draw from beside the network, and what wakes when they are there.

    Returns
    -------
    page : Page
        To be drawn, once.
    """
    page, view = Page(facts), OfflineMap()
    page.add_child(view)
    for one in (data, *before):
        view.add_child(one)
    if facts.manner.tiles:
        view.add_child(
            folium.TileLayer(
                _OSM_TILES,
                attr=style.OSM_CREDIT,
                name="OpenStreetMap tiles (online)",
                overlay=True,
                max_zoom=19,
                zIndex=1,
                className="online-tiles",
            )
        )
    for layer in layers:
        view.add_child(layer)
    view.add_child(
        _LayerControl(
            collapsed=JsCode('window.matchMedia("(max-width: 760px)").matches'),
            autoZIndex=False,
        )
    )
    groups = [layer for layer in layers if isinstance(layer, folium.FeatureGroup)]
    options = {
        "bounds": bounds_of(places, data.roads),
        "imperial": facts.manner.speed_unit == "mph",
        "credit": style.OSM_CREDIT,
    }
    for one in (*after, _OpenPage(options, groups)):
        view.add_child(one)
    return page

"""
Pages that are complete in themselves: a folium figure whose every script and style is inside.

folium names its scripts and styles by address and makes up an id for every element. Here an address
stands for a file in assets/, which is written into the page, and ids are numbered in the order
of drawing, so that the same input gives the same bytes.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import folium
from branca.element import Element, Figure, JavascriptLink, Link
from folium.template import Template
from jinja2 import Environment, FunctionLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps

from data import words
from data.errors import RollbyError
from data.road_table import OSM_LICENCE
from maps.style import LIMITS, OSM_CREDIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from data.road_table import RoadSource
    from maps.style import Look, Manner

_ASSETS: Final = files("maps") / "assets"
_SCHEME: Final = "asset:"
_ID: Final = re.compile(r"[0-9a-f]{32}")
_TAG: Final = re.compile(r"\{(?=[{%#])")
_CSS_IMAGE: Final = re.compile(r"url\((images/[\w.-]+)\)")
_SOURCE_MAP: Final = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


class MissingAssetError(RollbyError, LookupError):
    """A page asks for a script, style or image that is not vendored in maps/assets."""


@cache
def asset(name: str) -> bytes:
    """
    Read a vendored file.

    Parameters
    ----------
    name : str
        Path below maps/assets.

    Returns
    -------
    data : bytes
        Its content.

    Raises
    ------
    MissingAssetError
        If there is none of that name.
    """
    try:
        return (_ASSETS / name).read_bytes()
    except OSError as error:
        raise MissingAssetError(
            f"{name}: not in maps/assets; vendor it there with its licence, pages fetch nothing"
        ) from error


def _template_source(name: str) -> str:
    """
    Read a template for jinja.

    Returns
    -------
    source : str
        Its text.
    """
    return asset(f"templates/{name}").decode("utf-8")


TEMPLATES: Final = Environment(
    loader=FunctionLoader(_template_source),
    autoescape=True,
    trim_blocks=True,
    undefined=StrictUndefined,
)
"""Every value is escaped; a value that is missing is an error."""


def script_json(value: object) -> str:
    """
    Write a value into a script that branca reads as a template once more.

    Parameters
    ----------
    value : object
        Plain values, names among them.

    Returns
    -------
    json : str
        Safe within HTML, and without anything that begins a template's tag.
    """
    return _TAG.sub(r"\\u007b", str(htmlsafe_json_dumps(value)))


class Inline(Element):
    """
    Text that is written as it is.

    Parameters
    ----------
    text : str
        HTML.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self._name = "Inline"
        self.text = text

    def render(self, **_: Any) -> str:
        """
        Give the text.

        Returns
        -------
        html : str
            As it came in.
        """
        return self.text


def inline(link: Link) -> Inline:
    """
    Write a linked script or style into the page.

    Parameters
    ----------
    link : Link
        A script or style by address.

    Returns
    -------
    element : Inline
        The same with its content.

    Raises
    ------
    MissingAssetError
        If the address is not that of a vendored file.
    """
    text = linked(link)
    if isinstance(link, JavascriptLink):
        text = text.replace("</script", r"<\/script")
        return Inline(f"<script>\n{text}\n</script>")
    return Inline(f"<style>\n{text}\n</style>")


def linked(link: Link) -> str:
    """
    Read what a link stands for.

    Parameters
    ----------
    link : Link
        A script or style by address.

    Returns
    -------
    text : str
        Its content, with the images that it names.

    Raises
    ------
    MissingAssetError
        If the address is not that of a vendored file.
    """
    if not link.url.startswith(_SCHEME):
        raise MissingAssetError(
            f"{link.url}: no vendored file stands for this address; add it to maps/assets"
        )
    text = asset(link.url.removeprefix(_SCHEME)).decode("utf-8")
    if isinstance(link, JavascriptLink):
        return _SOURCE_MAP.sub("", text).strip()
    return _CSS_IMAGE.sub(lambda match: f"url({_data_uri(match[1])})", text).strip()


def _data_uri(name: str) -> str:
    """
    Write an image that Leaflet's style names as a data address.

    Returns
    -------
    uri : str
        The image itself.
    """
    return "data:image/png;base64," + base64.b64encode(asset(f"leaflet/{name}")).decode("ascii")


def _children(element: Element) -> dict[str, Element]:
    """
    Give an element's children, which branca keeps to itself.

    Returns
    -------
    children : dict of str to Element
        The dict itself, to be changed in place.
    """
    return element._children  # noqa: SLF001 - branca offers no other way to them


def _family(element: Element) -> Iterator[Element]:
    """
    Walk an element and all below it, in the order of drawing.

    Yields
    ------
    element : Element
        Each once.
    """
    yield element
    for child in tuple(_children(element).values()):
        yield from _family(child)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """
    What a page says around its map.

    Parameters
    ----------
    title : str
        What it is a map of.
    subtitle : str
        Shown where there is no instant.
    at : datetime or None
        The instant it holds for.
    badges : sequence of (Look, str, str)
        The answer as symbols, figures and words.
    summary : str
        What the badges leave to say.
    panel : str
        HTML of the panel, escaped already.
    simulated : bool
        Says so in the bar and in the title.
    source : RoadSource
        Of the road base, for the attribution.
    manner : Manner
        How figures are written, and what the page offers.
    """

    title: str
    subtitle: str = ""
    at: datetime | None
    badges: Sequence[tuple[Look, str, str]] = ()
    summary: str
    panel: str
    simulated: bool = False
    source: RoadSource
    manner: Manner

    def as_context(self) -> dict[str, object]:
        """
        Give the variables of the page's template.

        Returns
        -------
        context : dict
            Plain values.
        """
        at, zone = self.at, self.manner.time_zone
        return {
            "title": self.title,
            "subtitle": self.subtitle,
            "instant": words.clock(at, zone, day=True) if at else "",
            "instant_utc": words.clock(at, "UTC") if at and zone != "UTC" else "",
            "instant_iso": at.astimezone(UTC).isoformat() if at else "",
            "badges": self.badges,
            "summary": self.summary,
            "panel": self.panel,
            "simulated": self.simulated,
            "theme": self.manner.theme,
            "source": self.source,
            "credit": OSM_CREDIT,
            "licence": "" if self.source.licence == OSM_LICENCE else self.source.licence,
            "limits": LIMITS,
            "sprite": asset("symbols.svg").decode("utf-8"),
        }


class Page(Figure):
    """
    A folium figure that needs nothing but itself.

    Parameters
    ----------
    facts : PageFacts
        What it says around the map.
    """

    def __init__(self, facts: PageFacts) -> None:
        super().__init__(title=facts.title)
        self.facts = facts
        _children(self.header).clear()

    def render(self, **kwargs: Any) -> str:
        """
        Draw the page.

        Returns
        -------
        html : str
            The whole document; the same input gives the same text.
        """
        for child in tuple(_children(self).values()):
            child.render(**kwargs)
        links = _children(self.header)
        for name, child in tuple(links.items()):
            if isinstance(child, Link):
                links[name] = inline(child)
        html = TEMPLATES.get_template("page.html").render(
            self.facts.as_context(),
            header=self.header.render(**kwargs),
            html=self.html.render(**kwargs),
            script=self.script.render(**kwargs),
        )
        return numbered(self, html)

    def parts(self) -> Parts:
        """
        Draw the page in parts, for a server whose pages have no script or style within.

        Returns
        -------
        parts : Parts
            What stands within ``<body>``, the script and the style.
        """
        drawn = parts_of(self)
        html = TEMPLATES.get_template("body.html").render(self.facts.as_context(), html=drawn.html)
        return Parts(html=html, script=drawn.script, style=drawn.style)


@dataclass(frozen=True, slots=True)
class Parts:
    """
    A folium figure in parts, for a page whose scripts and styles are files of their own.

    Parameters
    ----------
    html : str
        What stands where the map is to be.
    script, style : str
        The files.
    """

    html: str
    script: str
    style: str


def parts_of(figure: Figure) -> Parts:
    """
    Draw a figure in parts.

    Parameters
    ----------
    figure : Figure
        With its map.

    Returns
    -------
    parts : Parts
        The same input gives the same text.
    """
    _children(figure.header).clear()
    for child in tuple(_children(figure).values()):
        child.render()
    links = [one for one in _children(figure.header).values() if isinstance(one, Link)]
    scripts = [linked(one) for one in links if isinstance(one, JavascriptLink)]
    styles = [linked(one) for one in links if not isinstance(one, JavascriptLink)]
    return Parts(
        html=numbered(figure, figure.html.render()),
        script=numbered(figure, ";\n".join([*scripts, figure.script.render()])),
        style="\n".join(styles),
    )


def numbered(figure: Figure, text: str) -> str:
    """
    Replace the random ids of a figure's elements by numbers; other texts stay.

    Parameters
    ----------
    figure : Figure
        That was drawn.
    text : str
        Some of what was drawn.

    Returns
    -------
    text : str
        The same for every process.
    """
    numbers: dict[str, str] = {}
    for element in _family(figure):
        numbers.setdefault(element._id, str(len(numbers)))  # noqa: SLF001 - branca's only handle
    return _ID.sub(lambda match: numbers.get(match[0], match[0]), text)


class OfflineMap(folium.Map):
    """
    folium's map with the vendored Leaflet and our scripts, without jQuery, Bootstrap or icons.

    Its view is set by the page, when all layers are there.
    """

    _template = Template(
        """
        {% macro html(this, kwargs) %}
<div class="folium-map" id="{{ this.get_name() }}"></div>
        {%- endmacro %}
        {% macro script(this, kwargs) %}
var {{ this.get_name() }} = L.map({{ this.get_name()|tojson }}, {
    fadeAnimation: false, minZoom: 5, maxZoom: 19, zoomSnap: 0.5,
    zoomAnimation: !window.matchMedia("(prefers-reduced-motion: reduce)").matches
});
        {%- endmacro %}
        """
    )
    default_js = [  # noqa: RUF012 - folium declares it so
        (name, f"{_SCHEME}{name}")
        for name in (
            "theme.js",
            "leaflet/leaflet.js",
            "roads.js",
            "names.js",
            "signs.js",
            "page.js",
        )
    ]
    default_css = [  # noqa: RUF012 - as above
        (name, f"{_SCHEME}{name}") for name in ("leaflet/leaflet.css", "palette.css", "page.css")
    ]

    def __init__(self) -> None:
        super().__init__(tiles=None)

from __future__ import annotations

import re

import folium
import pytest
from branca.element import CssLink, JavascriptLink
from folium.plugins import Fullscreen

from data.errors import RollbyError
from data.road_table import RoadSource
from maps.page import MissingAssetError, OfflineMap, Page, PageFacts, asset, inline
from maps.style import PLAIN

FACTS = PageFacts(
    title="A map",
    at=None,
    summary="nothing",
    panel="",
    source=RoadSource(name="nowhere"),
    manner=PLAIN,
)


def page_with(*children: object) -> str:
    page, view = Page(FACTS), OfflineMap()
    page.add_child(view)
    for child in children:
        view.add_child(child)  # type: ignore[arg-type]
    return page.render()


def test_an_address_without_a_vendored_file_is_an_error() -> None:
    for link in (JavascriptLink("https://example.org/x.js"), CssLink("asset:none.css")):
        with pytest.raises(MissingAssetError, match=r"x\.js|none\.css"):
            inline(link)
    assert issubclass(MissingAssetError, RollbyError)
    assert issubclass(MissingAssetError, LookupError)


def test_links_that_a_plugin_adds_while_it_is_drawn_are_found() -> None:
    with pytest.raises(MissingAssetError, match="https://"):
        page_with(Fullscreen())  # type: ignore[no-untyped-call]  # folium leaves it untyped


def test_styles_carry_their_images() -> None:
    style = inline(CssLink("asset:leaflet/leaflet.css")).render()
    assert "url(images/" not in style
    assert style.count("data:image/png;base64,") == 3


def test_scripts_ask_for_no_source_map() -> None:
    assert "sourceMappingURL" not in inline(JavascriptLink("asset:leaflet/leaflet.js")).render()


def test_a_page_links_to_nothing() -> None:
    html = page_with()
    assert not re.search(r"<(?:script|img|iframe|link)[^>]+(?:src|href)=\"(?!data:)", html)
    assert "jquery" not in html.lower()
    assert "user-scalable" not in html


def test_ids_are_numbered_but_a_name_that_looks_like_one_stays() -> None:
    name = "0123456789abcdef" * 2
    html = page_with(folium.FeatureGroup(name=name), folium.LayerControl())
    assert name in html
    assert not re.search(r"(?:map|group)_[0-9a-f]{32}", html)
    assert html == page_with(folium.FeatureGroup(name=name), folium.LayerControl())


def test_a_missing_asset_names_what_to_do() -> None:
    with pytest.raises(MissingAssetError, match="vendor it there with its licence"):
        asset("leaflet/none.js")

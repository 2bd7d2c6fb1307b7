"""The pages as a browser without network shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from maps.coverage_map import coverage_map
from maps.route_map import route_map
from maps.stops_map import stops_map
from maps.style import Manner
from tests.maps.visits import BASE, PIXELS

if TYPE_CHECKING:
    from data.answers import Advice, Coverage, Route
    from data.road_table import RoadTable

BOXES = """signs => signs.map(sign => {
    const box = sign.getBoundingClientRect();
    return [box.left, box.top, box.right, box.bottom];
})"""
LETTERS = "all => all.map(e => getComputedStyle(e, '::before').content.slice(1, -1))"
SHAPES = "all => all.map(e => e.querySelector('.shape use').getAttribute('href'))"
TONES = f"""selector => {{
    const tones = new Set();
    for (const data of ({PIXELS})(selector)) {{
        for (let i = 0; i < data.length; i += 4) {{
            if (data[i + 3] === 255) tones.add([data[i], data[i + 1], data[i + 2]].join());
        }}
    }}
    return Array.from(tones);
}}"""


@pytest.fixture(scope="session")
def stops_html(roads: RoadTable, advice: Advice) -> str:
    return stops_map(roads, advice, Manner(time_zone="America/Denver"))


def test_stops_map_shows_every_sign_layer_and_road(
    open_page: Any, stops_html: str, advice: Advice
) -> None:
    with open_page(stops_html) as visit:
        assert visit.texts(".leaflet-control-layers label") == [
            "Roads",
            "Street names",
            "Suggested routes",
            "Stops",
            "Units",
        ]
        assert visit.page.locator(".sign.stop").count() == 5
        assert visit.page.locator(".sign.unit").count() == len(advice.units)
        assert visit.texts(".sign.route .tag") == [
            "4A12 \N{MIDDLE DOT} 1:40",
            "4A15 \N{MIDDLE DOT} 2:23",
        ]
        assert visit.page.locator("path.route").count() == 2
        assert visit.ink() > 5000
        assert visit.ink("canvas.road-names") > 500
        assert visit.page.locator(".leaflet-control-scale-line").count() == 2
        assert "OpenStreetMap contributors, ODbL" in visit.texts(".leaflet-control-attribution")[0]
        assert visit.page.title() == "Stops: Sat 14 Feb 2026, 02:15:07 MST (simulated)"
        assert visit.texts(".simulated") == ["SIMULATED"]


def test_legend_explains_every_look(open_page: Any, stops_html: str) -> None:
    with open_page(stops_html) as visit:
        legend = " ".join(visit.texts(".legend"))
        for word in (
            "alone",
            "thin",
            "covered",
            "available",
            "dispatched",
            "en route",
            "on scene",
            "on a stop",
            "busy",
            "out of service",
            "dashed ring",
            "hollow",
            "struck through",
            "suggested route",
        ):
            assert word in legend


def test_flags_and_statuses_differ_by_shape_and_letter(open_page: Any, stops_html: str) -> None:
    with open_page(stops_html) as visit:
        shapes = visit.page.eval_on_selector_all(".legend .symbol", SHAPES)
        assert len(set(shapes)) >= 10
        assert sorted(set(visit.page.eval_on_selector_all(".sign.stop .letter", LETTERS))) == [
            "A",
            "C",
            "T",
        ]
        assert (
            visit.page.locator(
                ".sign.unit.sign .symbol.fix-silent .over use[href='#s-query']"
            ).count()
            == 1
        )
        assert (
            visit.page.locator(".sign.unit .symbol.fix-parked .over use[href='#s-ring']").count()
            == 1
        )
        assert (
            visit.page.locator(".sign.unit .symbol.fix-stale .over use[href='#s-strike']").count()
            == 1
        )


def test_popup_explains_the_stop_and_escape_gives_the_focus_back(
    open_page: Any, stops_html: str
) -> None:
    with open_page(stops_html) as visit:
        entry = visit.page.locator("button[data-sign=stop-0]")
        entry.focus()
        visit.page.keyboard.press("Enter")
        popup = visit.page.locator(".leaflet-popup")
        popup.wait_for()
        said = popup.inner_text()
        for words in (
            "S-101",
            "contact",
            "1 present, 2 wanted",
            "42\N{NO-BREAK SPACE}%",
            "4A12 should roll by",
            "1:40 by road",
            "0.8 mi",
            "4A12 is the nearest idle unit",
            "Next best: 4A15, 2:51 away",
            "1:32\N{EN DASH}1:52",
            "8 s",
            "A suggestion, never an order; the dispatcher overrides.",
        ):
            assert words in said
        assert popup.get_attribute("role") == "dialog"
        assert visit.page.evaluate("document.activeElement.classList.contains('leaflet-popup')")
        visit.page.keyboard.press("Escape")
        popup.wait_for(state="detached")
        assert visit.page.evaluate("document.activeElement.dataset.sign") == "stop-0"


def test_signs_open_from_the_keyboard_and_say_what_they_are(
    open_page: Any, stops_html: str
) -> None:
    with open_page(stops_html) as visit:
        signs = visit.page.locator(".sign-anchor[role=button]")
        assert signs.count() == 19
        labels = signs.evaluate_all("s => s.map(e => e.getAttribute('aria-label'))")
        assert "S-101 \N{MIDDLE DOT} alone, stop of unit 4A10" in labels
        assert "4A17 \N{MIDDLE DOT} 2:51 min, unit, available, fix 2:51 min old, silent" in labels
        visit.page.locator("[aria-label^='4A17']").focus()
        visit.page.keyboard.press("Enter")
        assert "silent" in visit.page.locator(".leaflet-popup").inner_text()


def test_no_symbol_covers_another_and_every_one_can_be_clicked(
    open_page: Any, stops_html: str
) -> None:
    with open_page(stops_html) as visit:
        boxes = visit.page.eval_on_selector_all(".sign .symbol", BOXES)
        for i, a in enumerate(boxes):
            for b in boxes[:i]:
                w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
                assert w <= 0 or h <= 0 or w * h < 120
        tags = visit.page.eval_on_selector_all(".sign .tag:not(.no-room)", "s => s.length")
        assert tags >= 19
        visit.page.locator("[aria-label^='4A32'] .symbol").click()
        assert "4A32" in visit.page.locator(".leaflet-popup .title").inner_text()


def test_layers_switch(open_page: Any, stops_html: str) -> None:
    with open_page(stops_html) as visit:
        visit.page.get_by_label("Units").uncheck()
        assert visit.page.locator(".sign.unit").count() == 0
        visit.page.get_by_label("Roads").uncheck()
        assert visit.page.locator(BASE).count() == 0
        visit.page.locator("summary", has_text="Units (14)").click()
        visit.page.locator("button[data-sign=unit-3]").click()
        assert "parked, quiet" in visit.page.locator(".leaflet-popup").inner_text()
        assert visit.page.locator(".sign.unit").count() == 14


def test_roads_are_as_fine_as_the_screen_between_whole_zooms(
    open_page: Any, stops_html: str
) -> None:
    with open_page(stops_html) as visit:
        for zoom in (14.5, 15, 15.5):
            visit.page.evaluate("zoom => rollby.map.setZoom(zoom, {animate: false})", zoom)
            pixels, shown = visit.page.eval_on_selector(
                BASE, "tile => [tile.width, tile.getBoundingClientRect().width]"
            )
            assert pixels == pytest.approx(shown, abs=1)


def test_theme_follows_the_device_and_the_button_switches_it(
    open_page: Any, stops_html: str
) -> None:
    with open_page(stops_html, scheme="dark") as visit:
        dark = set(visit.page.evaluate(TONES, BASE))
        assert (
            visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
            == "rgb(21, 27, 34)"
        )
        visit.page.get_by_role("button", name="Light theme").click()
        assert (
            visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
            == "rgb(255, 255, 255)"
        )
        light = set(visit.page.evaluate(TONES, BASE))
        assert "255,255,255" in light - dark
        assert visit.page.get_by_role("button", name="Dark theme").is_visible()


@pytest.mark.parametrize(("theme", "dark"), [("light", False), ("dark", True)])
def test_a_fixed_theme_ignores_the_device(
    open_page: Any, roads: RoadTable, empty_advice: Advice, theme: Any, *, dark: bool
) -> None:
    with open_page(
        stops_map(roads, empty_advice, Manner(theme=theme)), scheme="light" if dark else "dark"
    ) as visit:
        assert visit.page.evaluate("document.documentElement.classList.contains('dark')") is dark


def test_a_phone_shows_the_map_first_and_the_list_as_a_sheet(
    open_page: Any, stops_html: str
) -> None:
    with open_page(stops_html, width=390, height=844) as visit:
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 390
        assert not visit.page.locator("#panel").is_visible()
        tags = visit.page.eval_on_selector_all(".sign.stop .tag", BOXES)
        assert all(left >= 0 and right <= 390 for left, _, right, _ in tags)
        button = visit.page.get_by_role("button", name="List")
        assert button.get_attribute("aria-expanded") == "false"
        button.click()
        visit.page.locator("button[data-sign=stop-2]").click()
        assert not visit.page.locator("#panel").is_visible()
        box = visit.page.locator(".leaflet-popup").bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


def test_paper_is_light_unfolded_and_without_buttons(open_page: Any, stops_html: str) -> None:
    with open_page(stops_html, scheme="dark") as visit:
        visit.page.emulate_media(media="print")
        visit.page.wait_for_selector("html.printing")
        assert (
            visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
            == "rgb(255, 255, 255)"
        )
        assert not visit.page.locator("#theme-button").is_visible()
        assert not visit.page.locator(".leaflet-control-layers").is_visible()
        assert visit.page.locator("#stop-0").is_visible()
        assert visit.page.locator(".legend").is_visible()
        visit.page.emulate_media(media="screen")
        visit.page.wait_for_selector("html:not(.printing)")
        assert not visit.page.locator("#stop-0").is_visible()


TILES_ON_PAPER = """() => {
  dispatchEvent(new Event("beforeprint"));
  const shown = Array.from(document.querySelectorAll(".leaflet-tile")).map((tile) => {
    const style = getComputedStyle(tile);
    return style.visibility === "visible" && style.opacity === "1";
  });
  dispatchEvent(new Event("afterprint"));
  return shown;
}"""


def test_paper_shows_the_roads_without_another_frame(open_page: Any, stops_html: str) -> None:
    """Emulated paper lets frames run that a printer never sees; this looks within one."""
    with open_page(stops_html, scheme="dark") as visit:
        shown = visit.page.evaluate(TILES_ON_PAPER)
        assert shown
        assert all(shown)


def test_printed_coverage_shows_its_bands(
    open_page: Any, roads: RoadTable, coverage: Coverage
) -> None:
    with open_page(coverage_map(roads, coverage), scheme="dark") as visit:
        assert visit.page.pdf(print_background=True).count(b"/Subtype /Image") > 0


def test_names_that_look_like_scripts_stay_names(
    open_page: Any, roads: RoadTable, advice: Advice
) -> None:
    name = "<script>alert(1)</script>"
    unit = replace(advice.units[1], unit=replace(advice.units[1].unit, unit_id=name))
    stop = replace(
        advice.stops[0],
        stop_id=name,
        street="</script>\N{CJK UNIFIED IDEOGRAPH-6771}\"'\\",
        notes=(name,),
    )
    with open_page(stops_map(roads, replace(advice, stops=(stop,), units=(unit,)))) as visit:
        assert name in visit.texts(".sign.unit .tag")
        visit.page.locator("button[data-sign=stop-0]").click()
        said = visit.page.locator(".leaflet-popup").inner_text()
        assert said.count(name) >= 2
        assert "</script>\N{CJK UNIFIED IDEOGRAPH-6771}\"'\\" in said


def test_nothing_to_show_still_shows_the_roads(
    open_page: Any, roads: RoadTable, empty_advice: Advice
) -> None:
    with open_page(stops_map(roads, empty_advice)) as visit:
        assert visit.ink() > 5000
        assert "No stop is open" in visit.page.locator(".summary").inner_text()


def test_coverage_map_switches_between_cars_and_marks_gaps(
    open_page: Any, roads: RoadTable, coverage: Coverage
) -> None:
    with open_page(coverage_map(roads, coverage)) as visit:
        assert visit.texts(".leaflet-control-layers-base label") == ["First car", "Second car"]
        assert visit.texts(".leaflet-control-layers-overlays label") == [
            "Street names",
            "Gaps",
            "Longest gaps",
            "Units",
        ]
        visit.page.get_by_label("Gaps", exact=True).uncheck()
        second = set(visit.page.evaluate(TONES, BASE))
        visit.page.get_by_label("First car").check()
        first = set(visit.page.evaluate(TONES, BASE))
        assert {"59,150,210", "11,92,156"} <= first
        assert "46,16,4" in second - first
        bare = visit.ink()
        visit.page.get_by_label("Gaps", exact=True).check()
        assert visit.ink() > bare
        assert visit.page.eval_on_selector_all(".sign.gap .letter", LETTERS) == ["1", "2"]
        rows = visit.texts(".bands tbody th")
        assert rows == [
            "up to 1:30",
            "1:30 to 3:00",
            "3:00 to 6:00",
            "over 6:00",
            "no way",
            "gap: second car past 3:00",
        ]
        visit.page.locator("button[data-sign=gap-0]").press("Enter")
        assert "7.1 mi" in visit.page.locator(".leaflet-popup").inner_text()


def test_route_map_names_ends_minutes_and_streets(
    open_page: Any, roads: RoadTable, route: Route
) -> None:
    with open_page(route_map(roads, route, from_label="4A12", to_label="S-101")) as visit:
        assert visit.texts(".sign.end .tag") == ["4A12", "S-101"]
        assert visit.texts(".sign.route .tag") == ["1:40"]
        assert visit.page.locator(".steps li").count() == 3
        assert "road without a name" in visit.texts(".steps li")[1]
        assert visit.page.title() == "Route: 4A12 to S-101"


def test_only_the_tile_option_asks_for_anything(
    open_page: Any, roads: RoadTable, route: Route
) -> None:
    html = route_map(roads, route, from_label="a", to_label="b", manner=Manner(tiles=True))
    with open_page(html, quiet=False) as visit:
        visit.page.wait_for_timeout(200)
        outside = [url for url in visit.requests if not url.startswith(("file:", "data:"))]
        assert outside
        assert all(url.startswith("https://tile.openstreetmap.org/") for url in outside)
        assert "OpenStreetMap tiles (online)" in visit.texts(".leaflet-control-layers label")

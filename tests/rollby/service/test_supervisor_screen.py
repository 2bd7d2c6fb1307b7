"""The supervisor's page and the wallboard, in a browser, fed by a real service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from data.settings import Settings
from rollby.service.intake import DoorHealth
from tests.rollby.service.served import PLACE, wait_until
from tests.rollby.service.visits import NASTY, nasty_unit, opened
from tests.servers import chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.rollby.service.served import Service

MOVED = """before =>
    document.querySelector("[data-unit='4A14']").getBoundingClientRect().x > before"""


COVERING_NAMES = """() => {
    const names = [...document.querySelectorAll("section.map .tag")];
    const boxes = names.filter((one) => getComputedStyle(one).visibility === "visible")
        .map((one) => one.getBoundingClientRect());
    return boxes.filter((a, i) => boxes.slice(i + 1).some((b) =>
        Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.2 * a.width
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.5 * a.height)).length;
}"""


# No longer than this file: while Playwright waits, no other test of the process may run a loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.mark.parametrize("path", ["/supervisor", "/wallboard"])
def test_units_and_stops_are_on_the_map_and_in_the_list(
    browser: Browser, service: Service, path: str
) -> None:
    service.on_duty()
    service.stop("S1", "4A12").raise_for_status()
    with opened(browser, service, path) as page:
        stops = page.locator("#stops li")
        expect(page.locator("#no-stops")).to_be_hidden()
        expect(stops).to_have_count(1)
        expect(stops.first.locator(".who")).to_have_text("4A12 ")
        expect(page.locator("#units li")).to_have_count(len(PLACE))
        expect(page.locator("[data-unit='4A13'] .tag")).to_have_text("4A13")
        expect(page.locator("[data-stop='S1'] .symbol")).to_be_visible()
        expect(page.locator("#units li .fix").first).to_contain_text(" old")


def test_no_stop_is_said_in_words(browser: Browser, service: Service) -> None:
    service.on_duty()
    with opened(browser, service, "/supervisor") as page:
        expect(page.locator("#no-stops")).to_be_visible()
        expect(page.locator("#no-stops")).to_have_text("Nobody is on a stop.")
        service.stop("S1", "4A12").raise_for_status()
        expect(page.locator("#no-stops")).to_be_hidden()


@pytest.mark.parametrize(
    "settings", [Settings.model_validate({"agencies": {"kinds": {"County": "sheriff"}}})]
)
def test_a_helper_that_is_no_police_says_so(
    browser: Browser, service: Service, settings: Settings
) -> None:
    assert settings.agencies.kinds
    service.on_duty()
    service.shows("4A13", agency="County").raise_for_status()
    service.stop("S1", "4A12").raise_for_status()
    with opened(browser, service, "/supervisor") as page:
        expect(page.locator("#units li .who", has_text="4A13")).to_have_text("4A13 (sheriff) ")
        expect(page.locator("#stops li").first).to_contain_text("4A13 (sheriff)")


def test_a_fix_moves_its_marker_and_no_other_unit_goes(browser: Browser, service: Service) -> None:
    service.on_duty()
    with opened(browser, service, "/supervisor") as page:
        marker = page.locator("[data-unit='4A14']")
        before = marker.evaluate("one => one.getBoundingClientRect().x")
        service.seen("4A14", lon=-104.980).raise_for_status()
        page.wait_for_function(MOVED, arg=before)
        expect(page.locator("#units li")).to_have_count(len(PLACE))


def test_names_give_way_to_each_other_and_a_stops_to_none(
    browser: Browser, service: Service
) -> None:
    service.on_duty()
    for number in range(8):
        service.seen(f"9Z{number}", lon=-104.985 + number * 1e-5).raise_for_status()
        service.shows(f"9Z{number}").raise_for_status()
    service.stop("S1", "9Z0", lon=-104.9852, lat=39.745).raise_for_status()
    with opened(browser, service, "/supervisor") as page:
        page.locator("[data-unit='9Z7'] .symbol").wait_for()
        expect(page.locator("[data-stop='S1'] .tag")).to_be_visible()
        expect(page.locator("[data-unit='9Z7'] .tag")).to_be_hidden()
        expect(page.locator("[data-unit='4A13'] .tag")).to_be_visible()
        assert page.evaluate(COVERING_NAMES) == 0
        page.locator("[data-unit='9Z7'] .symbol").hover(force=True)
        expect(page.locator("[data-unit='9Z7'] .tag")).to_be_visible()


def test_a_name_is_text_wherever_it_stands(browser: Browser, service: Service) -> None:
    service.on_duty()
    nasty_unit(service)
    with opened(browser, service, "/supervisor") as page:
        expect(page.locator("#units li .who", has_text=NASTY)).to_have_count(1)
        expect(page.locator(".sign.unit .tag", has_text=NASTY)).to_have_count(1)


def test_what_is_said_is_listed_as_it_happens(browser: Browser, service: Service) -> None:
    service.on_duty()
    with opened(browser, service, "/supervisor") as page:
        service.stop("S1", "4A12").raise_for_status()
        expect(page.locator("#said li", has_text="is asked to roll by 4A12,")).to_have_count(
            1, timeout=30_000
        )


def test_a_lost_connection_cannot_be_missed(browser: Browser, service: Service) -> None:
    service.on_duty()
    with opened(browser, service, "/wallboard") as page:
        expect(page.locator("#lost")).to_be_hidden()
        page.context.set_offline(True)
        expect(page.locator("#lost")).to_contain_text("NO CONNECTION")
        cover = "getComputedStyle(document.querySelector('section.map'), '::after').content"
        assert page.evaluate(cover) == '"NOT LIVE"'


def test_an_entry_of_the_list_shows_its_place_by_keyboard(
    browser: Browser, service: Service
) -> None:
    service.on_duty()
    with opened(browser, service, "/supervisor") as page:
        entry = page.locator("#units li", has_text="4A14").locator("button")
        entry.focus()
        page.keyboard.press("Enter")
        centre = page.evaluate("[rollby.map.getCenter().lng, rollby.map.getCenter().lat]")
        assert centre == pytest.approx(PLACE["4A14"], abs=0.001)


def test_night_and_day_are_chosen_and_kept(browser: Browser, service: Service) -> None:
    with opened(browser, service, "/supervisor", color_scheme="light") as page:
        page.locator("#theme").click()
        assert page.evaluate("document.documentElement.classList.contains('dark')")
        page.reload()
        page.wait_for_selector("html.ready")
        assert page.evaluate("document.documentElement.classList.contains('dark')")
        expect(page.locator("#theme")).to_have_text("Day")


def test_the_maps_files_are_not_sent_twice(service: Service) -> None:
    first = service.http.get("/live-map.js")
    again = service.http.get("/live-map.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_one_click_shows_why_and_an_override_wants_a_reason(
    browser: Browser, service: Service
) -> None:
    service.on_duty()
    service.stop("S1", "4A12").raise_for_status()
    wait_until(service.asked, 30)
    asked = service.asked()["unit_id"]
    with opened(browser, service, "/supervisor") as page:
        page.locator("#stops button.entry").click()
        why = page.locator("#stops .why")
        expect(why.locator("tbody th")).to_have_count(len(PLACE) - 1)
        again = why.get_by_role("button", name=f"Ask somebody else than {asked}")
        again.click()
        expect(why.locator(".reason")).to_have_attribute("aria-invalid", "true")
        why.locator(".reason").fill("has a prisoner in the car")
        again.click()
        expect(why).to_contain_text("Noted; somebody else is asked")
    notes = [one.about for one in service.running.access.audit.notes()]
    assert any(note.endswith(f"cant for {asked}: has a prisoner in the car") for note in notes)


def test_a_check_is_noted_by_a_click(browser: Browser, service: Service) -> None:
    service.on_duty()
    service.stop("S1", "4A12").raise_for_status()
    with opened(browser, service, "/supervisor") as page:
        page.locator("#stops button.entry").click()
        page.get_by_role("button", name="I checked on 4A12").click()
        expect(page.locator("#stops .why")).to_contain_text("Noted: checked.")


def test_a_wallboard_does_nothing_but_look(browser: Browser, service: Service) -> None:
    service.on_duty()
    service.stop("S1", "4A12").raise_for_status()
    with opened(browser, service, "/wallboard") as page:
        page.locator("#stops button.entry").click()
        expect(page.locator("#stops .why")).to_have_count(0)


def test_why_of_no_stop_is_refused(service: Service) -> None:
    found = service.http.get("/api/why/S9")
    assert found.status_code == 404
    assert found.json()["detail"] == "stop_id=S9: is not open; it may be over"


def moved_by(page: Page, unit: str, east_px: float) -> None:
    """Drag a unit's sign."""
    box = page.locator(f"[data-unit='{unit}'] .symbol").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + east_px, y, steps=5)
    page.mouse.up()


def ghost_x(page: Page, unit: str) -> float:
    found: float = page.evaluate(
        "unit => rollby.live.ghosts.get(unit).marker.getLatLng().lng", unit
    )
    return found


def test_coverage_is_told_and_drawn(browser: Browser, service: Service) -> None:
    service.on_duty()
    with opened(browser, service, "/supervisor") as page:
        row = page.locator("#cover-rows tr")
        expect(row).to_have_count(1)
        expect(row.locator("th")).to_have_text("The whole area, within 3:00")
        expect(row.locator(".first")).to_have_text(re.compile(r"^\d+ %$"))
        before = page.locator("#cover-at").text_content()
        expect(page.locator("#cover-at")).not_to_have_text(before or "", timeout=30_000)
        assert page.evaluate("rollby.map.hasLayer(rollby.live.bandLayer)") is False
        page.locator("#cover-car").select_option("second")
        page.wait_for_function("() => rollby.map.hasLayer(rollby.live.bandLayer)")
        expect(page.locator("#cover-key li")).to_have_count(5)
        page.locator("#cover-car").select_option("")
        page.wait_for_function("() => !rollby.map.hasLayer(rollby.live.bandLayer)")


def test_a_unit_is_dragged_as_a_thought_and_nobody_moves(
    browser: Browser, service: Service
) -> None:
    service.on_duty()
    with opened(browser, service, "/supervisor") as page:
        page.locator("#cover-rows tr").wait_for()
        moved_by(page, "4A14", 90)  # the map is dragged, no unit: nobody asked what if
        assert page.locator("[data-ghost]").count() == 0
        place = page.evaluate("rollby.live.signs.get('unit:4A14').marker.getLatLng().lng")
        page.locator("#what-if").click()
        expect(page.locator("#what-if-banner")).to_contain_text("Nobody has moved")
        moved_by(page, "4A14", 90)
        expect(page.locator("[data-ghost='4A14'] .tag")).to_have_text("4A14 ?")
        expect(page.locator("#what-if-said")).to_contain_text("With 4A14 there, a second car")
        expect(page.locator("#cover-rows .second")).to_have_text(
            re.compile(r"^\d+ % \u2192 \d+ %$")
        )
        expect(page.locator("#cover-at")).to_contain_text("WHAT IF, reckoned from")
        assert ghost_x(page, "4A14") > place
        now = page.evaluate("rollby.live.signs.get('unit:4A14').marker.getLatLng().lng")
        assert now == place
        page.locator("#what-if-end").click()
        expect(page.locator("#what-if-banner")).to_be_hidden()
        assert page.locator("[data-ghost]").count() == 0
        expect(page.locator("#cover-rows .second")).to_have_text(re.compile(r"^\d+ %$"))
    assert {one["unit_id"]: one["lon"] for one in service.live()["units"]}["4A14"] == -104.985


def test_what_if_needs_no_dragging(browser: Browser, service: Service) -> None:
    service.on_duty()
    with opened(browser, service, "/supervisor") as page:
        page.locator("#what-if").focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "what-if-unit"
        page.locator("#what-if-unit").select_option("4A13")
        page.locator(".folium-map").click(position={"x": 300, "y": 300})
        by_click = ghost_x(page, "4A13")
        page.locator("#what-if-put").focus()
        page.keyboard.press("Enter")
        middle = page.evaluate("rollby.map.getCenter().lng")
        assert ghost_x(page, "4A13") == pytest.approx(middle)
        assert by_click != pytest.approx(middle)
        page.keyboard.press("ArrowRight")
        right = ghost_x(page, "4A13")
        assert right > middle
        moved_by(page, "4A14", 40)  # the end of a drag is no click: the one chosen stays
        assert ghost_x(page, "4A13") == right
        expect(page.locator("#what-if-said")).to_contain_text("With 4A13 there")
        page.keyboard.press("Escape")
        expect(page.locator("#what-if-banner")).to_be_hidden()


def test_a_thought_ends_by_itself_and_with_the_line(browser: Browser, service: Service) -> None:
    service.on_duty()
    with opened(browser, service, "/supervisor") as page:
        page.locator("#what-if").click()
        moved_by(page, "4A14", 60)
        expect(page.locator("#what-if-left")).to_have_text(re.compile(r"ends in (60|5\d) s"))
        page.evaluate(
            "() => { const now = performance.now.bind(performance);"
            " performance.now = () => now() + 61000; }"
        )
        expect(page.locator("#what-if-banner")).to_be_hidden()
        assert page.locator("[data-ghost]").count() == 0
    with opened(browser, service, "/supervisor") as page:
        page.locator("#what-if").click()
        moved_by(page, "4A14", 60)
        page.context.set_offline(True)
        expect(page.locator("#lost")).to_be_visible()
        expect(page.locator("#what-if-banner")).to_be_hidden()


def test_a_unit_of_ones_own_choice_is_asked(browser: Browser, service: Service) -> None:
    service.on_duty()
    service.stop("S1", "4A12").raise_for_status()
    (other,) = {"4A13", "4A14"} - {wait_until(service.asked, 30)["unit_id"]}
    with opened(browser, service, "/supervisor") as page:
        page.locator("#stops button.entry").click()
        why = page.locator("#stops .why")
        expect(why.locator(".choice option")).to_have_count(1)
        why.get_by_role("button", name="Ask this unit").click()
        expect(why.locator(".reason")).to_have_attribute("aria-invalid", "true")
        why.locator(".reason").fill("knows the driver")
        why.get_by_role("button", name="Ask this unit").click()
        expect(why).to_contain_text(f"Noted; {other} is asked.")
        expect(page.locator("#stops .go")).to_have_text(
            re.compile(f"^Asked by dispatch: {other}, ")
        )


def test_a_unit_is_silenced_from_its_entry(browser: Browser, service: Service) -> None:
    service.on_duty()
    with opened(browser, service, "/supervisor") as page:
        entry = page.locator("#units li", has_text="4A14")
        entry.locator("button.entry").click()
        entry.locator(".reason").fill("court at nine")
        entry.get_by_role("button", name="Ask 4A14 nothing for 15 min").click()
        expect(entry.locator(".status")).to_have_text("available, muted")
    assert [one.about for one in service.running.access.audit.notes()][-1] == (
        "mute for 4A14: court at nine"
    )


def test_an_open_why_stays_when_the_record_of_a_stop_comes(
    browser: Browser, service: Service
) -> None:
    service.on_duty()
    service.shows("4A12", "on_stop").raise_for_status()
    with opened(browser, service, "/supervisor") as page:
        page.locator("#stops button.entry").click()
        page.locator("#stops .why tbody").wait_for()
        page.locator("#stops .why .reason").fill("half a reason")
        before = page.locator("#stops > li").get_attribute("data-name")
        service.stop("CAD-7", "4A12").raise_for_status()
        expect(page.locator("#stops > li")).to_have_attribute("data-name", "CAD-7")
        assert before != "CAD-7"
        expect(page.locator("#stops .why .reason")).to_have_value("half a reason")
        page.get_by_role("button", name="I checked on 4A12").click()
        expect(page.locator("#stops .why")).to_contain_text("Noted: checked.")
    notes = [(one.action, one.about) for one in service.running.access.audit.notes()]
    assert ("check", "CAD-7") in notes


def test_feeds_and_sounds_are_told(browser: Browser, service: Service) -> None:
    service.on_duty()
    service.running.doors["cars"] = DoorHealth(
        since=service.running.now(), up=False, error="the port is taken"
    )
    with opened(browser, service, "/supervisor") as page:
        door = page.locator("#doors li")
        osmand = door.filter(has_text="OsmAnd")
        expect(osmand.locator(".state")).to_have_text("well")
        expect(osmand.locator(".counts")).to_have_text("3 accepted, 0 refused")
        expect(osmand.locator(".last")).to_have_text(re.compile(r"^last message \d+ s ago$"))
        expect(door.filter(has_text="cars").locator(".state")).to_have_text(
            "FAILS: the port is taken"
        )
        expect(page.locator("#summary")).to_contain_text("LOOK AT 1 FEED")
        expect(page.locator("#load")).to_have_text(
            "0 sounds in the last hour: within the target. Target 6, at most 12."
        )
        service.http.get("/feeds/osmand", params={"id": "4A12", "lat": 999, "lon": 0})
        expect(osmand.locator(".state")).to_have_text(
            "REFUSES: 1 in the last minutes", timeout=30_000
        )


def test_a_wallboard_thinks_of_nothing_and_knows_no_feeds(
    browser: Browser, service: Service
) -> None:
    service.on_duty()
    with opened(browser, service, "/wallboard") as page:
        page.locator("#cover-rows tr").wait_for()
        expect(page.locator("#what-if")).to_be_hidden()
        assert page.locator("#feeds").count() == 0

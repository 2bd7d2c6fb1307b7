"""The supervisor's page and the wallboard, in a browser, fed by a real service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.rollby.service.served import PLACE, wait_until
from tests.rollby.service.visits import NASTY, nasty_unit, opened
from tests.servers import chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.rollby.service.served import Service

MOVED = """before =>
    document.querySelector("[data-unit='4A14']").getBoundingClientRect().x > before"""


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
        expect(stops).to_have_count(1)
        expect(stops.first.locator(".who")).to_have_text("4A12 ")
        expect(page.locator("#units li")).to_have_count(len(PLACE))
        expect(page.locator("[data-unit='4A13'] .tag")).to_have_text("4A13")
        expect(page.locator("[data-stop='S1'] .symbol")).to_be_visible()
        expect(page.locator("#units li .fix").first).to_contain_text(" old")


def test_a_fix_moves_its_marker_and_no_other_unit_goes(browser: Browser, service: Service) -> None:
    service.on_duty()
    with opened(browser, service, "/supervisor") as page:
        marker = page.locator("[data-unit='4A14']")
        before = marker.evaluate("one => one.getBoundingClientRect().x")
        service.seen("4A14", lon=-104.980).raise_for_status()
        page.wait_for_function(MOVED, arg=before)
        expect(page.locator("#units li")).to_have_count(len(PLACE))


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

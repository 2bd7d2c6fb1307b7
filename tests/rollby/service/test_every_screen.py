"""What is asked of every screen, in a browser: WCAG 2.2, keys, names as text, installable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from shapely.geometry import box

from data.beats import Beat
from data.settings import Settings, settings_of
from tests.accessible import faults, walk
from tests.rollby.service.served import PLACE, serving, wait_until
from tests.rollby.service.visits import NASTY, PATIENT, PHONE, SCREENS, WIDE, busy_evening, opened
from tests.servers import chromium

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from geo.network import RoadNetwork
    from tests.rollby.service.served import Service

LEAST = {"/sign-in": 4, "/officer": 8, "/supervisor": 28, "/wallboard": 12}
SPEAKS = "() => { window.said = []; speechSynthesis.speak = (one) => said.push(one.text); }"


# No longer than this file: while Playwright waits, no other test of the process may run a loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def settings() -> Settings:
    return PATIENT


def as_unit(page: Page, unit: str) -> None:
    """Choose one's unit on the officer's page."""
    page.locator("#units").select_option(unit)
    expect(page.locator("#unit")).to_have_text(unit)


def in_use(page: Page, path: str, service: Service) -> None:
    """Bring a screen to where all of it shows."""
    if path == "/officer":
        as_unit(page, service.asked()["unit_id"])
        expect(page.locator("#asked")).to_be_visible()
    if path == "/supervisor":
        page.locator("#stops button.entry").first.click()
        page.get_by_role("button", name="Ask this unit").wait_for()
        page.locator("#units button.entry").first.click()
        page.locator("#cover-rows tr").first.wait_for()
        page.locator("#doors li").first.wait_for()
        page.locator("#cover-car").select_option("second")
        page.locator("#what-if").click()
        page.locator("#what-if-unit").select_option("4A14")
        page.locator("#what-if-put").click()
        expect(page.locator("#what-if-said")).not_to_be_empty()
        # Anywhere else something is half under the links that stay on top.
        page.locator("#panel").evaluate("one => one.scrollTo(0, 0)")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", SCREENS)
def test_axe_finds_nothing(
    browser: Browser, service: Service, path: str, scheme: str, size: Any
) -> None:
    busy_evening(service)
    wait_until(service.asked, 30)
    with opened(browser, service, path, color_scheme=scheme, viewport=size) as page:
        in_use(page, path, service)
        assert faults(page, enhanced=path in {"/officer", "/sign-in"}) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/officer", "/supervisor", "/wallboard"])
def test_axe_finds_nothing_where_the_line_is_lost(
    browser: Browser, service: Service, path: str, scheme: str
) -> None:
    busy_evening(service)
    with opened(browser, service, path, color_scheme=scheme) as page:
        page.context.set_offline(True)
        expect(page.locator("#lost")).to_contain_text("NOT LIVE")
        assert faults(page, enhanced=path == "/officer") == []


def test_axe_sees_what_is_wrong(browser: Browser, service: Service) -> None:
    with opened(browser, service, "/sign-in") as page:
        page.evaluate("document.querySelector('h1').style.color = '#eeeeee'")
        page.evaluate(
            "document.querySelector('label').replaceWith('Name', document.querySelector('input'))"
        )
        found = faults(page)
    assert [one.split(":")[0] for one in found] == ["color-contrast", "label"]


@pytest.mark.parametrize("path", SCREENS)
def test_the_tab_key_reaches_everything_and_is_seen(
    browser: Browser, service: Service, path: str
) -> None:
    busy_evening(service)
    wait_until(service.asked, 30)
    with opened(browser, service, path) as page:
        in_use(page, path, service)
        assert len(walk(page)) >= LEAST[path]


def test_an_officer_answers_by_the_keyboard_alone(browser: Browser, service: Service) -> None:
    busy_evening(service)
    asked = wait_until(service.asked, 30)
    with opened(browser, service, "/officer") as page:
        as_unit(page, asked["unit_id"])
        expect(page.locator("#asked")).to_be_visible()
        page.locator("#units").focus()
        for _ in range(10):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.dataset.answer") == "en_route":
                break
        page.keyboard.press("Enter")
        expect(page.locator("#going")).to_be_visible()
    (stop,) = service.live()["stops"]
    assert [one["unit_id"] for one in stop["promised"]] == [asked["unit_id"]]


@pytest.mark.parametrize("path", ["/officer", "/supervisor", "/wallboard"])
def test_a_name_is_text_wherever_it_stands(browser: Browser, service: Service, path: str) -> None:
    busy_evening(service)
    service.stop("S1", "4A12", phase="cleared").raise_for_status()
    service.stop("S2", NASTY, needs=3).raise_for_status()
    asked = wait_until(service.asked, 30)
    with opened(browser, service, path) as page:
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        if path == "/officer":
            page.evaluate(SPEAKS)
            as_unit(page, asked["unit_id"])
            expect(page.locator("#ask-unit")).to_have_text(NASTY)
            assert page.evaluate("said.length") == 1
        else:
            expect(page.locator("#stops li .who", has_text=NASTY)).to_have_count(1)
            expect(page.locator("[data-stop='S2'] .tag")).to_have_text(NASTY)
        assert page.locator("script:not([src])").count() == 0


def test_it_can_be_installed(browser: Browser, service: Service) -> None:
    with opened(browser, service, "/officer") as page:
        page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        wire = page.context.new_cdp_session(page)
        manifest = wire.send("Page.getAppManifest")
        assert manifest["errors"] == []
        assert json.loads(manifest["data"])["start_url"] == "/officer"
        errors = wire.send("Page.getInstallabilityErrors")["installabilityErrors"]
        # A context of Playwright's is one; apart from that nothing stands in the way.
        assert [one["errorId"] for one in errors if one["errorId"] != "in-incognito"] == []
        for icon in json.loads(manifest["data"])["icons"]:
            answer = service.http.get(icon["src"])
            assert answer.headers["content-type"] == icon["type"]
            if icon["type"] == "image/png":
                width = int.from_bytes(answer.content[16:20], "big")
                assert f"{width}x{width}" == icon["sizes"]


@pytest.fixture
def own_ways(tmp_path: Path, denver: RoadNetwork) -> Iterator[Service]:
    """An agency with its own codes, time zone, units and beats."""
    raw = Settings().model_dump(by_alias=True)
    units = {
        **raw["units"],
        "status": {"10-8": "available", "10-6": "busy"},
        "speed_unit": "km/h",
        "time_zone": "Asia/Kathmandu",
    }
    settings = settings_of({**raw, "units": units}, "a test")
    lon, lat = PLACE["4A12"]
    beats = (
        Beat(name="North & <b>", within_s=240.0, area=box(lon - 1, lat - 0.001, lon + 1, lat + 1)),
        Beat(name="South", within_s=180.0, area=box(lon - 1, lat - 1, lon + 1, lat - 0.001)),
    )
    with serving(f"sqlite:///{tmp_path}/own.db", denver, settings, beats) as one:
        yield one


def test_an_agency_reads_its_own_codes_beats_units_and_time(
    browser: Browser, own_ways: Service
) -> None:
    own_ways.on_duty()
    own_ways.shows("4A14", "10-8").raise_for_status()
    own_ways.seen("4A14", speed=20).raise_for_status()  # knots
    own_ways.stop("S1", "4A12").raise_for_status()
    with opened(browser, own_ways, "/supervisor") as page:
        moving = page.locator("#units li", has_text="4A14").locator(".status")
        expect(moving).to_have_text("available (10-8), 37 km/h")
        expect(page.locator("#stops .where")).to_contain_text(", North & <b>, first contact")
        expect(page.locator("#cover-rows th")).to_have_text(
            ["All beats and between, within 3:00", "North & <b>, within 4:00", "South, within 3:00"]
        )
        expect(page.locator("#cover-key li").first).to_have_text("up to half of T")
        shown, at = page.evaluate(
            "() => [document.querySelector('#clock').textContent, Date.now()]"
        )
        kathmandu_s = at // 1000 % 86400 + 5 * 3600 + 45 * 60
        hours, minutes, _ = map(int, shown.split(":"))
        assert abs(hours * 60 + minutes - kathmandu_s // 60 % 1440) in {0, 1, 1439}
    with opened(browser, own_ways, "/officer") as page:
        as_unit(page, "4A14")
        expect(page.locator("#own-state")).to_have_text("You are shown available (10-8).")


def test_a_sign_in_whose_script_has_not_come_cannot_be_pressed(
    browser: Browser, service: Service
) -> None:
    page = browser.new_page()
    page.route("**/static/sign_in.js", lambda route: route.abort())
    page.goto(str(service.http.base_url.join("/sign-in")))
    expect(page.get_by_role("button", name="Sign in")).to_be_disabled()
    page.unroute_all()
    page.route("**/api/me", lambda route: route.fulfill(status=401, json={"detail": "nobody"}))
    page.reload()
    expect(page.get_by_role("button", name="Sign in")).to_be_enabled()
    expect(page.get_by_label("Name")).to_be_focused()
    page.close()


@pytest.mark.parametrize("wanted", ["https://example.org/", "//example.org", "/api/openapi.json"])
def test_after_the_sign_in_no_other_site_is_gone_to(
    browser: Browser, service: Service, wanted: str
) -> None:
    with opened(browser, service, f"/sign-in?next={quote(wanted, safe='')}") as page:
        page.wait_for_url("**/supervisor")

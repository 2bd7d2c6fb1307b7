"""The analyst's pages in a browser, from the sign-in to what is printed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pypdfium2
import pytest
from playwright.sync_api import expect

from data.history import read_history, write_history
from data.store.accounts import Account
from geo.network import RoadNetwork
from rollby.service.administration import add_account
from rollby.service.guard import caller
from rollby.service.rights import Role
from tests.accessible import faults
from tests.rollby.service.conftest import CHIEF
from tests.rollby.service.served import PLACE, serving
from tests.rollby.service.studying import ROADS, settings_for, simulated
from tests.rollby.service.test_access import GOOD
from tests.servers import chromium

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.rollby.service.served import Service

NASTY = "<script>alert(1)</script>"
LIVE = ("/api/live", "/api/stream", "/api/why/S1", "/metrics", "/api/health")
DONE_MS = 120_000


# No longer than this file: while Playwright waits, no other test of the process may run a loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("analyst")


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Service]:
    """One service for all: a study is worked out once, and looked at often."""
    simulated(folder / "past")
    network = RoadNetwork.load(ROADS)
    with serving(f"sqlite:///{folder}/live.db", network, settings_for(folder)) as one:
        for unit_id in PLACE:
            one.seen(unit_id).raise_for_status()
        access = one.running.access
        for role in (Role.ANALYST, Role.OFFICER, Role.WALLBOARD, Role.ADMINISTRATOR):
            units = ("4A12",) if role is Role.OFFICER else ()
            made = Account(name=role, role=role, unit_ids=units, created_ms=access.now_ms())
            add_account(access, CHIEF, made, GOOD)
        del one.app.dependency_overrides[caller]
        yield one


@contextmanager
def signed_in(
    browser: Browser, service: Service, name: str = "analyst", path: str = "/", **more: Any
) -> Iterator[Page]:
    """Sign in by hand; leaving it checks that nobody else was asked, and nothing complained."""
    context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **more})
    page = context.new_page()
    page.set_default_timeout(15_000)
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    base = str(service.http.base_url).rstrip("/")
    page.goto(f"{base}{path}")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(GOOD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    yield page
    context.close()
    assert [url for url in asked if not url.startswith((f"{base}/", "data:", "blob:"))] == []
    assert complaints == []


def api(page: Page, path: str, **options: Any) -> dict[str, Any]:
    """Ask as the page does; give status and body."""
    found: dict[str, Any] = page.evaluate(
        """async ([path, options]) => {
            const me = await (await fetch("/api/me")).json();
            const headers = {"X-Rollby-CSRF": me.csrf, "Content-Type": "application/json"};
            const answer = await fetch(path, {headers, ...options});
            return {status: answer.status, text: await answer.text()};
        }""",
        [path, options],
    )
    return found


def desk(page: Page) -> None:
    """Wait until the page of all studies works."""
    page.wait_for_url("**/analyst")
    page.wait_for_selector("html.ready")


def done(page: Page) -> None:
    """Wait until the study that is open has its map."""
    page.wait_for_selector(".folium-map, .faults", timeout=DONE_MS)
    page.wait_for_selector("html.ready")


@pytest.fixture(scope="module", autouse=True)  # before any other study is begun
def studied(browser: Browser, service: Service) -> str:
    """Have gaps worked out as an analyst does; give their address."""
    with signed_in(browser, service) as page:
        desk(page)
        expect(page.get_by_role("heading", name="Analyst")).to_be_visible()
        expect(page.locator("#studies .empty")).to_contain_text("None yet.")
        page.get_by_role("button", name="Work out the gaps").click()
        page.wait_for_url("**/analyst/*")
        expect(page.get_by_role("status")).to_be_visible()
        done(page)
        return page.url.rpartition("/")[2]


def test_a_period_becomes_a_map_and_a_matrix(
    browser: Browser, service: Service, studied: str
) -> None:
    with signed_in(browser, service, path=f"/analyst/{studied}") as page:
        done(page)
        assert page.url.endswith(studied)  # led to the sign-in, and back
        expect(page.locator("#matrix td")).to_have_count(168)
        expect(page.locator("header .simulated")).to_have_text("SIMULATED")
        expect(page.locator(".entries.gaps li").first).to_contain_text("nine times of ten")
        page.get_by_role("slider", name="Hour of the week").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator(".hour-said")).to_contain_text("Mon 00:00 to 01:00")
        page.locator(".entries.gaps button").first.click()
        expect(page.locator(".leaflet-popup")).to_contain_text("Second car beyond T")
        page.get_by_role("link", name="All studies").click()
        desk(page)
        listed = page.locator("#studies li", has=page.locator(f'a[href$="{studied}"]'))
        expect(listed).to_have_count(1)
        expect(listed.locator(".state")).to_have_text("done")


def test_it_is_exported_and_printed(
    browser: Browser, service: Service, studied: str, folder: Path
) -> None:
    with signed_in(browser, service, path=f"/analyst/{studied}") as page:
        done(page)
        page.get_by_text("Export", exact=True).click()
        for name, content in (
            ("JSON, all figures", b'{\n  "schema": "rollby.gaps/1"'),
            ("CSV, a row a cell", b"cell,street,road_km"),
            ("CSV, a row a cell and hour of the week", b"cell,street,hour_of_week"),
            ("GeoJSON, cells", b'{\n"type": "FeatureCollection"'),
            ("GeoPackage, cells", b"SQLite format 3"),
        ):
            with page.expect_download() as taken:
                page.get_by_role("link", name=name, exact=True).click()
            taken.value.save_as(folder / "taken")
            assert (folder / "taken").read_bytes().startswith(content)
        with page.context.expect_page() as opened:
            page.get_by_role("link", name="Report to print").click()
        report = opened.value
        report.wait_for_load_state()
        expect(report.locator("h1")).to_have_text("Where a second car was too far away")
        assert report.locator("main").evaluate("one => getComputedStyle(one).maxWidth") != "none"
        report.pdf(path=folder / "report.pdf", format="A4")
    document = pypdfium2.PdfDocument(folder / "report.pdf")
    texts = [sheet.get_textpage().get_text_range() for sheet in document]
    document.close()
    assert len(texts) > 1
    assert all("SIMULATED" in text for text in texts)


def test_posts_are_chosen_and_moved_by_hand(browser: Browser, service: Service) -> None:
    with signed_in(browser, service) as page:
        desk(page)
        posts = page.locator("#posts")
        posts.get_by_label("How many").fill("2")
        posts.get_by_label("Posts of today").fill("-104.98721,39.75312\n")
        posts.get_by_role("button", name="Choose the posts").click()
        page.wait_for_url("**/analyst/*")
        done(page)
        hand = page.locator(".hand")
        rows = hand.locator("tbody tr")
        expect(rows).to_have_count(2)
        plans = page.locator("table", has_text="Today's").locator("tr", has_text="These posts")
        solvers = plans.locator("td").all_inner_texts()
        assert rows.nth(0).locator("td").all_inner_texts() == solvers  # the page reckons alike
        assert rows.nth(1).locator("td").all_inner_texts() == solvers
        before = rows.nth(1).inner_text()
        choose = hand.get_by_label("Place of post H1")
        choose.focus()
        choose.select_option("0")  # the post of today
        expect(choose).to_be_focused()
        moved = rows.nth(1).inner_text()
        assert moved != before
        hand.get_by_role("button", name="Add a post").click()
        expect(hand.locator("li")).to_have_count(3)
        assert rows.nth(1).inner_text() != moved
        hand.get_by_role("button", name="Remove post H3").click()
        expect(hand.locator("li")).to_have_count(2)
        assert rows.nth(1).inner_text() == moved
        sign = page.locator(".hand-post").first
        box = sign.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 17, box["y"] + 17)
        page.mouse.down()
        page.mouse.move(box["x"] + 90, box["y"] + 120, steps=6)
        page.mouse.up()
        expect(rows.nth(1)).not_to_have_text(moved.replace("\t", ""))
        hand.get_by_role("button", name="As chosen").click()
        assert rows.nth(1).inner_text() == before


def test_a_broken_upload_says_line_and_remedy(
    browser: Browser, service: Service, folder: Path
) -> None:
    bad = folder / "fixes.csv"
    bad.write_text("unit_id,fixed_at,lon,lat\n4A1,2026-03-13 02:13,-104.9,39.7\n")
    with signed_in(browser, service) as page:
        desk(page)
        page.get_by_text("Upload a history").click()
        form = page.locator("#upload")
        form.get_by_label("Name").fill(NASTY)
        form.get_by_label("Files").set_input_files([bad])
        form.get_by_role("button", name="Upload and check").click()
        page.wait_for_url("**/analyst/*")
        page.wait_for_selector(".faults", timeout=DONE_MS)
        expect(page.locator(".faults li")).to_contain_text(
            "fixes.csv:2 fixed_at=2026-03-13 02:13: must have an offset or Z; add the time zone"
        )
        expect(page.locator("h1")).to_have_text(NASTY)
        page.get_by_role("link", name="All studies").click()
        desk(page)
        broken = page.locator(".source", has_text=NASTY)
        expect(broken.get_by_role("radio")).to_have_count(0)
        broken.get_by_role("button", name=f"Delete {NASTY}").click()
        expect(page.locator(".source", has_text=NASTY)).to_have_count(0)
        desk(page)
        page.get_by_text("Upload a history").click()
        form.get_by_label("Name").fill("units")
        form.get_by_label("Files").set_input_files(
            {"name": "units.xlsx", "mimeType": "text/plain", "buffer": b""}
        )
        form.get_by_role("button", name="Upload and check").click()
        expect(page.locator("#fault")).to_contain_text("units.xlsx: must be a .zip of a history")


def test_a_name_is_text_wherever_it_stands(
    browser: Browser, service: Service, folder: Path
) -> None:
    """A unit and an agency that look like a script, from an uploaded history."""
    past = read_history(folder / "past")
    own = past.statuses[0].unit_id
    statuses = tuple(
        replace(one, agency=NASTY, unit_id=NASTY if one.unit_id == own else one.unit_id)
        for one in past.statuses
    )
    ids = tuple(NASTY if one == own else one for one in past.fixes.unit_ids)
    fixes = replace(past.fixes, unit_ids=ids)
    write_history(folder / "nasty", replace(past, statuses=statuses, fixes=fixes))
    files: list[Path] = []
    for name in ("fixes", "statuses"):
        (found,) = (folder / "nasty" / name).rglob("*.parquet")
        files.append(found.rename(folder / f"{name}.parquet"))
    with signed_in(browser, service) as page:
        desk(page)
        page.get_by_text("Upload a history").click()
        form = page.locator("#upload")
        form.get_by_label("Name").fill("nasty")
        form.get_by_label("Files").set_input_files(files)
        form.get_by_role("button", name="Upload and check").click()
        page.wait_for_selector("#ready-title", timeout=DONE_MS)
        page.get_by_role("link", name="Choose what is to be worked out").click()
        desk(page)
        page.locator(".source", has_text="nasty").get_by_role("radio").check()
        page.get_by_label("What if units stood elsewhere").fill(f"{NASTY}@-104.987,39.753")
        page.get_by_role("button", name="Work out the gaps").click()
        page.wait_for_url("**/analyst/*")
        done(page)
        expect(page.locator(".study-note")).to_contain_text(NASTY)
        page.goto(f"{page.url}/report")
        expect(page.locator(".facts")).to_contain_text(NASTY)


@pytest.mark.parametrize("role", [Role.OFFICER, Role.WALLBOARD, Role.ADMINISTRATOR])
def test_nobody_else_may(browser: Browser, service: Service, studied: str, role: Role) -> None:
    with signed_in(browser, service, role, path="/sign-in?next=/officer") as page:
        for path in ("/analyst", f"/analyst/{studied}", f"/analyst/{studied}/report"):
            page.goto(f"{service.http.base_url}{path}".replace("//analyst", "/analyst"))
            expect(page.locator("h1")).to_have_text("Not allowed")
            expect(page.get_by_role("alert")).to_contain_text(f"the role {role} lacks it")
        assert api(page, "/api/studies")["status"] == 403


def test_nothing_live_is_to_be_had(browser: Browser, service: Service) -> None:
    with signed_in(browser, service) as page:
        desk(page)
        for path in LIVE:
            assert api(page, path)["status"] == 403, path
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.reload()
        page.wait_for_selector("html.ready")
        assert not [url for url in asked if "live" in url or "stream" in url]


def test_what_cannot_be_asked_is_a_sentence_and_its_field_is_marked(
    browser: Browser, service: Service
) -> None:
    with signed_in(browser, service) as page:
        desk(page)
        page.get_by_label("What if units stood elsewhere").fill("4A12")
        page.get_by_role("button", name="Work out the gaps").click()
        expect(page.locator("#fault")).to_contain_text("stand: '4A12': must be LON,LAT")
        field = page.get_by_label("What if units stood elsewhere")
        expect(field).to_have_attribute("aria-invalid", "true")


def test_a_study_is_cancelled_and_deleted(browser: Browser, service: Service) -> None:
    with signed_in(browser, service) as page:
        desk(page)
        before = page.locator("#studies > li[data-study]").count()
        page.get_by_label("Look every").select_option("60")
        page.get_by_role("button", name="Work out the gaps").click()
        page.wait_for_url("**/analyst/*")
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("main")).to_contain_text("It was cancelled.", timeout=30_000)
        page.get_by_role("link", name="All studies").click()
        desk(page)
        item = page.locator("#studies > li").first
        expect(item.locator(".state")).to_have_text("cancelled")
        item.get_by_role("button", name="Delete").click()
        expect(page.locator("#studies > li[data-study]")).to_have_count(before)


def test_without_a_recorded_past_the_page_says_what_to_set(
    browser: Browser, service: Service, folder: Path
) -> None:
    own = service.running.settings.service
    own.__dict__["history"] = ""
    try:
        with signed_in(browser, service) as page:
            desk(page)
            expect(page.locator(".sources .empty")).to_contain_text("set service.history")
            expect(page.locator("details.upload")).to_be_visible()
    finally:
        own.__dict__["history"] = str(folder / "past")


def test_a_phone_and_the_keyboard_are_enough(
    browser: Browser, service: Service, studied: str
) -> None:
    phone: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
    with signed_in(browser, service, **phone) as page:
        for path in ("/analyst", f"/analyst/{studied}"):
            page.goto(str(service.http.base_url).rstrip("/") + path)
            page.wait_for_selector("html.ready")
            wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            assert page.evaluate(wide), path
            assert page.evaluate("document.documentElement.classList.contains('dark')")
        page.goto(str(service.http.base_url).rstrip("/") + "/analyst")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to your studies")).to_be_focused()
        page.get_by_role("button", name="Day").press("Enter")
        page.reload()
        assert not page.evaluate("document.documentElement.classList.contains('dark')")
        page.get_by_role("button", name="Sign out").press("Enter")
        page.wait_for_url("**/sign-in*")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", ["list", "study"])
def test_axe_finds_nothing(
    browser: Browser, service: Service, studied: str, place: str, scheme: str
) -> None:
    with signed_in(browser, service, color_scheme=scheme) as page:
        desk(page)
        if place == "study":
            page.goto(f"{page.url}/{studied}")
            done(page)
        assert faults(page) == []

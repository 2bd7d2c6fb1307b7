"""The officer's page in a browser: without a line, with a dead one, and on a terminal of many."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from fastapi import Request  # noqa: TC002 - FastAPI reads the annotation
from playwright.sync_api import expect

from data.store.accounts import Account
from rollby.service.administration import add_account
from rollby.service.guard import caller, guard_of
from rollby.service.rights import Role
from tests.rollby.service.conftest import CHIEF
from tests.rollby.service.line import Line, line_to
from tests.rollby.service.served import everybody
from tests.rollby.service.test_access import GOOD
from tests.servers import chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

    from rollby.service.callers import Caller
    from tests.rollby.service.served import Service

KEPT = "navigator.serviceWorker.ready.then(() => caches.match('/static/live.js')).then(Boolean)"
LATE = "addEventListener('pagehide', () => { localStorage['rollby-of/picture/ada'] = '{}'; })"
LOST = "NOT LIVE. NO CONNECTION"


# No longer than this file: while Playwright waits, no other test of the process may run a loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def line(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """Lay a line to a service with two officers, who sign in; its beat is quick."""
    monkeypatch.setattr("rollby.service.watching.EVERY_S", 0.2)
    access = service.running.access
    for name, unit in (("ada", "4A12"), ("bob", "4A13")):
        made = Account(name=name, role=Role.OFFICER, unit_ids=(unit,), created_ms=access.now_ms())
        add_account(access, CHIEF, made, GOOD)

    def who(request: Request) -> Caller:
        guard = guard_of(request)
        ours = request.headers["user-agent"].startswith("python-httpx")  # `service.http`
        known = guard.cookie in request.cookies
        return everybody() if ours and not known else guard.caller(request)

    service.app.dependency_overrides[caller] = who
    service.on_duty()
    with line_to(service.http.base_url.port or 0) as line:
        yield line


@contextmanager
def terminal(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 400, "height": 800})
    context.set_default_timeout(20_000)
    yield context
    context.close()


def signed_in(context: BrowserContext, line: Line, name: str) -> Page:
    context.clear_cookies()
    answer = context.request.post(f"{line.base}/api/sign-in", data={"name": name, "password": GOOD})
    assert answer.ok, answer.text()
    page = context.new_page()
    page.goto(f"{line.base}/officer")
    live(page)
    return page


def live(page: Page) -> None:
    expect(page.locator("#lost")).to_be_hidden(timeout=20_000)


def lost(page: Page) -> None:
    expect(page.locator("#lost")).to_contain_text(LOST, timeout=20_000)


def test_opened_without_a_line_it_shows_what_was_last_known_and_goes_on(
    browser: Browser, line: Line
) -> None:
    with terminal(browser) as context:
        page = signed_in(context, line, "ada")
        expect(page.locator("#unit")).to_have_text("4A12")
        page.evaluate(KEPT)
        line.cut()
        page.reload()
        lost(page)
        expect(page.locator("#unit")).to_have_text("4A12")
        expect(page.locator("#own-state")).to_contain_text("available")
        line.mend()
        live(page)


def test_a_line_that_dies_without_a_word_is_noticed_and_comes_back(
    browser: Browser, line: Line
) -> None:
    with terminal(browser) as context:
        page = signed_in(context, line, "ada")
        line.freeze()
        lost(page)
        line.mend()
        live(page)


def test_it_comes_back_where_only_the_browser_thought_it_was_gone(
    browser: Browser, line: Line
) -> None:
    with terminal(browser) as context:
        page = signed_in(context, line, "ada")
        page.evaluate("dispatchEvent(new Event('offline'))")
        lost(page)
        live(page)


def test_another_account_on_the_terminal_neither_sends_nor_sees_what_was_left(
    browser: Browser, line: Line, service: Service
) -> None:
    with terminal(browser) as context:
        page = signed_in(context, line, "ada")
        line.cut()
        lost(page)
        page.locator("[data-word=on_stop]").click()
        expect(page.locator("#said")).to_contain_text("waits to be sent")
        page.close()
        line.mend()
        page = signed_in(context, line, "bob")
        expect(page.locator("#unit")).to_have_text("4A13")
        expect(page.locator("#said")).to_be_empty()
        assert service.live()["stops"] == []
        assert "4A12" not in str(page.evaluate("localStorage['rollby-of/picture/bob']"))
        assert page.evaluate("localStorage['rollby-of/picture/ada']") is None
        page.close()
        page = signed_in(context, line, "ada")
        expect(page.locator("#said")).to_contain_text("sent")
        expect(page.locator("[data-word=clear]")).to_be_visible()
        (stop,) = service.live()["stops"]
        assert stop["unit_id"] == "4A12"


def test_who_signs_out_leaves_nothing_on_the_terminal(
    browser: Browser, line: Line, service: Service
) -> None:
    with terminal(browser) as context:
        page = signed_in(context, line, "ada")
        (cookie,) = context.cookies()
        assert page.evaluate("localStorage['rollby-of/picture/ada']") is not None
        page.evaluate(LATE)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Password")).to_be_visible()
        assert page.evaluate("localStorage['rollby-of/picture/ada']") is None
        assert context.cookies() == []
        old = {"Cookie": f"{cookie['name']}={cookie['value']}"}
        assert service.http.get("/api/me", headers=old).status_code == 401


def test_signed_out_is_only_said_where_it_is_so(browser: Browser, line: Line) -> None:
    with terminal(browser) as context:
        page = signed_in(context, line, "ada")
        line.cut()
        page.get_by_role("button", name="Sign out").click()
        expect(page.locator("#fault")).to_contain_text("Not signed out")


def test_an_old_fix_neither_locks_nor_unlocks(
    browser: Browser, line: Line, service: Service
) -> None:
    with terminal(browser) as context:
        page = signed_in(context, line, "ada")
        button = page.locator("[data-word=on_stop]")
        expect(button).to_be_enabled()
        service.seen("4A12", speed=40, lon=-104.991, timestamp=time.time()).raise_for_status()
        expect(button).to_be_disabled()
        expect(page.locator("#unlock")).to_be_hidden()
        line.cut()
        lost(page)
        page.evaluate("() => { const now = Date.now; Date.now = () => now() + 60000; }")
        expect(page.locator("#unlock")).to_be_visible()
        expect(button).to_be_disabled()
        page.locator("#unlock").click()
        expect(button).to_be_enabled()


def test_the_stream_beats(service: Service) -> None:
    with service.http.stream("GET", "/api/stream") as answer:
        lines = answer.iter_lines()
        assert "event: beat" in lines
        body = json.loads(next(lines).removeprefix("data: "))
    assert body["every_s"] == pytest.approx(5)
    assert set(body) == {"at", "every_s"}

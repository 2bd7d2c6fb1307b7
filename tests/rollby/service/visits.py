"""The screens in a browser, as people of each role open them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from data.settings import Settings
from tests.rollby.service.served import PLACE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.rollby.service.served import Service

NASTY = "<script>alert(1)</script>"
PATIENT = Settings.model_validate({"policy": {"answer_within_s": 600}})  # on a busy machine too
SCREENS = ("/sign-in", "/officer", "/supervisor", "/wallboard")
WIDE, PHONE = {"width": 1400, "height": 900}, {"width": 390, "height": 844}


@contextmanager
def opened(browser: Browser, service: Service, path: str, **more: Any) -> Iterator[Page]:
    """Open a page; leaving it checks that it asked nobody else for anything, and complained not."""
    context = browser.new_context(**{"viewport": WIDE, **more})
    page = context.new_page()
    page.set_default_timeout(20_000)
    asked: list[str] = []
    complaints: list[str] = []
    # Of the context: what a service worker fetches is among it.
    context.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
    base = str(service.http.base_url).rstrip("/")
    if path == "/sign-in":  # who is somebody already is led on
        page.route("**/api/me", lambda route: route.fulfill(status=401, json={"detail": "nobody"}))
    page.goto(f"{base}{path}")
    if path in {"/supervisor", "/wallboard"}:
        page.wait_for_selector("html.ready")
        page.wait_for_selector("#clock:not(:text-is('\u2026'))")
    if path == "/officer":
        page.wait_for_selector("#own-state:not(:empty), #units:not([hidden])")
    yield page
    context.close()
    assert asked
    assert [url for url in asked if not url.startswith((f"{base}/", "data:"))] == []
    assert complaints == []


def nasty_unit(service: Service) -> None:
    """Put a unit up whose name is markup."""
    lon, lat = PLACE["4A12"]
    fix: dict[str, str | float] = {
        "id": NASTY,
        "lon": lon + 0.002,
        "lat": lat,
        "timestamp": time.time(),
        "speed": 0,
    }
    service.http.get("/feeds/osmand", params=fix).raise_for_status()
    service.shows(NASTY).raise_for_status()


def busy_evening(service: Service) -> None:
    """All on duty, one of them of an odd name, and a stop about which somebody is asked."""
    service.on_duty()
    nasty_unit(service)
    service.stop("S1", "4A12").raise_for_status()

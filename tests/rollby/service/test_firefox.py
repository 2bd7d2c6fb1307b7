"""The screens in Debian's Firefox: alive, quiet, answered, dragged, and held to WCAG by axe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from maps.coverage_map import coverage_map
from maps.stops_map import stops_map
from tests.accessible import AXE, LEVELS, RUN
from tests.firefox import firefox
from tests.maps.conftest import make_advice, make_coverage, make_roads
from tests.rollby.service.served import PLACE, wait_until
from tests.rollby.service.visits import NASTY, PATIENT, busy_evening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.settings import Settings
    from tests.firefox import Firefox
    from tests.rollby.service.served import Service

READY = {
    "/officer": "document.querySelector('#units').options.length > 3",
    "/supervisor": "document.querySelectorAll('#units li').length > 3",
    "/wallboard": "document.querySelectorAll('#units li').length > 3",
}
MARKER = "[data-unit='4A14']"
TAB = "\ue004"


# No longer than this file, as the other browser.
@pytest.fixture(scope="module")
def fox() -> Iterator[Firefox]:
    with firefox() as one:
        yield one


@pytest.fixture
def settings() -> Settings:
    return PATIENT


def opened(fox: Firefox, service: Service, path: str) -> None:
    busy_evening(service)
    wait_until(service.asked, 30)
    fox.open(f"{str(service.http.base_url).rstrip('/')}{path}")
    fox.wait(READY[path])


def check_quiet(fox: Firefox, base: str) -> None:
    """It complained of nothing and asked nobody else."""
    fox.run("1")
    assert fox.said == []
    assert fox.requested
    assert [url for url in fox.requested if not url.startswith((base, "data:"))] == []


def base_of(service: Service) -> str:
    return str(service.http.base_url)


def x_of(fox: Firefox, selector: str) -> float:
    found = json.dumps(selector)
    return float(fox.run(f"document.querySelector({found}).getBoundingClientRect().x"))


@pytest.mark.parametrize("path", READY)
def test_every_screen_is_alive_and_axe_finds_nothing(
    fox: Firefox, service: Service, path: str
) -> None:
    opened(fox, service, path)
    script = (AXE / "axe.min.js").read_text()
    fox.run(f"(() => {{ {script}; window.axe = axe; return 1; }})()")
    passed, found = fox.run(f"({RUN})({json.dumps([LEVELS, path == '/officer'])})")
    assert passed > 5
    assert found == []
    check_quiet(fox, base_of(service))


def test_signing_in_is_shown(fox: Firefox, service: Service) -> None:
    fox.open(f"{base_of(service)}/sign-in")  # whoever is somebody already is led on
    fox.wait("location.pathname === '/supervisor'")


def test_an_officer_is_asked_and_answers(fox: Firefox, service: Service) -> None:
    opened(fox, service, "/officer")
    asked = service.asked()["unit_id"]
    fox.run(
        "(units => { units.value = " + json.dumps(asked) + ";"
        " units.dispatchEvent(new Event('change', {bubbles: true})); units.focus(); return 1; })"
        "(document.querySelector('#units'))"
    )
    fox.wait("!document.querySelector('#asked').hidden")
    assert fox.text("#ask-unit") == "4A12"
    for _ in range(10):
        fox.press(TAB)
        if fox.run("document.activeElement.dataset.answer ?? ''") == "en_route":
            break
    assert fox.run("document.activeElement.dataset.answer ?? ''") == "en_route"
    # A key that BiDi presses comes to the page, but this Firefox presses no button by it.
    fox.click("[data-answer='en_route']")
    fox.wait("!document.querySelector('#going').hidden")
    (stop,) = service.live()["stops"]
    assert [one["unit_id"] for one in stop["promised"]] == [asked]
    check_quiet(fox, base_of(service))


def test_a_fix_moves_its_marker(fox: Firefox, service: Service) -> None:
    opened(fox, service, "/supervisor")
    before = x_of(fox, MARKER)
    service.seen("4A14", lon=-104.980).raise_for_status()
    selector = json.dumps(MARKER)
    fox.wait(f"document.querySelector({selector}).getBoundingClientRect().x > {before}")
    assert fox.run("document.querySelectorAll('.sign .tag').length") >= len(PLACE)
    assert NASTY in fox.run(
        "[...document.querySelectorAll('#units .who')].map(e => e.textContent.trim())"
    )


def test_why_is_shown_and_a_unit_is_dragged_as_a_thought(fox: Firefox, service: Service) -> None:
    opened(fox, service, "/supervisor")
    fox.click("#stops button.entry")
    fox.wait("document.querySelectorAll('#stops .why tbody tr').length")
    fox.click("#what-if")
    fox.run("(rollby.map.setView([39.743, -104.987], 15, {animate: false}), 1)")
    fox.click(f"{MARKER} .symbol", drag_px=80)
    fox.wait("document.querySelector('#what-if-said').textContent")
    assert fox.text("[data-ghost='4A14'] .tag") == "4A14 ?"
    assert fox.text("#what-if-said").startswith("With 4A14 there, a second car could be on ")
    assert {one["unit_id"]: one["lon"] for one in service.live()["units"]}["4A14"] == -104.985
    check_quiet(fox, base_of(service))


@pytest.mark.parametrize("kind", ["stops", "coverage"])
def test_a_folium_map_opens_and_asks_nobody(fox: Firefox, tmp_path: Path, kind: str) -> None:
    roads = make_roads()
    drawn: dict[str, Any] = {
        "stops": lambda: stops_map(roads, make_advice()),
        "coverage": lambda: coverage_map(roads, make_coverage(roads)),
    }
    path = tmp_path / "map.html"
    path.write_text(drawn[kind](), "utf-8")
    fox.open(path.as_uri())
    fox.wait("document.documentElement.classList.contains('ready')")
    assert fox.run("document.querySelectorAll('.sign').length") > 5
    check_quiet(fox, "file:")

"""
A day in its life: from the first fix to the chief's report, through every kind of door.

`make day` runs it, some minutes; the shift is simulated, and nothing else is.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import expect

from data.history import read_history
from data.said import Suggested, Withdrawn
from data.settings import AccessRules
from data.store.accounts import Account
from data.store.opening import prepared
from geo.exposed import exposed_stops
from geo.network import RoadNetwork
from geo.shift.plan import ShiftPlan
from geo.shift.world import World
from rollby.cli import main
from rollby.service.access import Access
from rollby.service.administration import add_account
from rollby.service.clock import SteadyClock
from rollby.service.rights import Role
from tests.day.radios import DOORS, UNHEARD, Radios
from tests.day.service import COUNTED, PASSWORD, Day, Serve, accounts, ended
from tests.rollby.service.served import wait_until
from tests.rollby.service.test_serve_command import CHIEF, bearer
from tests.servers import chromium, free_port, mosquitto, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from data.events import Answer

UNITS = {"denver": 25, "columbus_oh": 300}  # so that some are near each other
DAY_S = float(os.environ.get("ROLLBY_DAY_S", "0"))
ACL = "user rollby\ntopic read owntracks/#\n\nuser phones\ntopic write owntracks/phones/#\n"
NONSENSE = {
    "taip": "checksum",
    "nmea": "checksum",
    "cot": "cot ",
    "phones": "must be JSON",
    "osmand": "timestamp",
}
"""What is wrong with what `Radios.nonsense` sends, by the doors' names."""
PLACE = """unit => {
    const at = rollby.live.signs.get("unit:" + unit).marker.getLatLng();
    return [at.lat, at.lng];
}"""
MOVED = f"([unit, lat, lng]) => rollby.map.distance(({PLACE})(unit), [lat, lng]) > 30"
DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def serve(day: Day) -> Iterator[Serve]:
    made = Serve(day)
    yield made
    made.end(signal.SIGKILL)


@pytest.fixture(params=["denver", "columbus_oh"])
def roads(request: pytest.FixtureRequest, sample_dir: Path, tmp_path: Path) -> Path:
    if not DAY_S:
        pytest.skip("a day takes minutes: make day")
    if request.param == "denver":
        return sample_dir / "denver.roads"
    extract = DATA / f"{request.param}.osm.pbf"
    if not extract.exists():
        pytest.skip(f"no {extract.name}: the day is lived in the embedded city only")
    built = tmp_path / f"{request.param}.roads"
    assert main(["roads", "build", "--osm", str(extract), "-o", str(built)]) == 0
    return built


@pytest.fixture
def day(roads: Path, tmp_path: Path) -> Iterator[Day]:
    ports = {name: free_port() for name in ("taip", "nmea", "cot")}
    with postgres() as server, mosquitto({"rollby": "r0", "phones": "p0"}, ACL) as broker:
        ports["owntracks"] = broker.port
        (tmp_path / "r0").write_text("r0")
        (tmp_path / "settings.toml").write_text(
            f"""
[units]
simulated = true
[agencies]
kinds = {{ county = "sheriff" }}
[service]
history = "{tmp_path}/history"
[service.access]
totp_for = []
[feeds.taip]
kind = "taip"
listen = "127.0.0.1:{ports["taip"]}"
[feeds.nmea]
kind = "nmea"
transport = "tcp"
listen = "127.0.0.1:{ports["nmea"]}"
[feeds.cot]
kind = "cot"
transport = "tcp"
listen = "127.0.0.1:{ports["cot"]}"
[feeds.phones]
kind = "mqtt"
broker = "127.0.0.1:{broker.port}"
topics = ["owntracks/phones/{{device}}"]
transport = "tcp"
user = "rollby"
password_file = "{tmp_path}/r0"
"""
        )
        keys = accounts(server.address)
        base = f"http://127.0.0.1:{free_port()}"
        yield Day(roads, server.address, tmp_path / "settings.toml", base, keys, ports)


def listen(day: Day, radios: Radios, over: threading.Event) -> None:
    """Hear what the service says, and go on after it was gone."""
    number, headers = "", bearer(day.keys["supervisor"])
    while not over.is_set():
        more = {"Last-Event-ID": number} if number else {}
        try:
            with httpx.stream(
                "GET", f"{day.base}/api/stream", headers={**headers, **more}, timeout=20
            ) as answer:
                event = ""
                for line in answer.iter_lines():
                    name, _, text = line.partition(": ")
                    if name == "event":
                        event = text
                    elif name == "id":
                        number = text
                    elif name == "data" and event in {"suggested", "withdrawn"}:
                        day.heard.append((time.time(), body := json.loads(text)))
                        radios.hear(said_of(event, body))
                    if over.is_set():
                        return
        except httpx.TransportError:
            time.sleep(0.3)


def said_of(event: str, body: dict[str, Any]) -> Suggested | Withdrawn:
    """Read what was said."""
    at_s = datetime.fromisoformat(body["at"]).timestamp()
    named = {name: body[name] for name in ("suggestion_id", "stop_id", "unit_id")}
    if event == "withdrawn":
        return Withdrawn(at_s=at_s, **named, why=body["why"])
    return Suggested(at_s=at_s, **named, drive_time_s=body["drive_time_s"], tau_s=0, score=0)


def signed_in(browser: Browser, day: Day, name: str, path: str) -> Page:
    """Sign in at a screen, as somebody would."""
    page = browser.new_page(viewport={"width": 400 if path == "/officer" else 1400, "height": 850})
    page.set_default_timeout(30_000)
    page.goto(f"{day.base}{path}")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{path}")
    expect(page.locator("#lost")).to_be_hidden(timeout=30_000)
    return page


def officer_answers(browser: Browser, day: Day, asked: Suggested) -> None:
    """Have the officer who is asked say so at the page, as on a phone in the car."""
    engine = prepared(day.address)
    access = Access(engine, AccessRules(totp_for=[]), lambda: int(time.time() * 1000))
    made = Account(name=asked.unit_id, role=Role.OFFICER, unit_ids=(asked.unit_id,), created_ms=0)
    add_account(access, CHIEF, made, PASSWORD)
    engine.dispose()
    page = signed_in(browser, day, asked.unit_id, "/officer")
    expect(page.locator("#asked")).to_be_visible()
    expect(page.locator("#ask-drive")).to_contain_text("min")
    page.locator("[data-answer=en_route]").click()
    expect(page.locator("#going")).to_be_visible()
    page.close()


def test_a_day_in_its_life(day: Day, serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    net, units = RoadNetwork.load(day.roads), UNITS[day.roads.stem]
    plan = ShiftPlan(
        start=datetime.now(UTC).replace(microsecond=0),
        hours=DAY_S / 3600,
        units=units,
        stops_per_unit_hour=min(10.0, 9 * 3600 / DAY_S / units),
        weekly=False,
        comes=1.0,
        answer_s=12.0,
        answer_spread=0.1,
        moving_s=5.0,
        parked_s=15.0,
    )
    over, clicked = threading.Event(), threading.Event()

    def at_the_screen(answer: Answer) -> bool:
        first = asked_first(day)
        return (
            first is not None and first.suggestion_id == answer.suggestion_id and clicked.wait(60)
        )

    serve.start()
    with chromium() as browser:
        radios = Radios(SteadyClock(), day.base, day.keys, day.ports, at_the_screen)
        threading.Thread(target=listen, args=(day, radios, over), daemon=True).start()
        desk = signed_in(browser, day, "desk", "/supervisor")
        world = World(net, plan, 3, radios)
        shift = threading.Thread(target=world.run, daemon=True)
        shift.start()
        radios.nonsense()
        asked: Suggested = wait_until(lambda: asked_first(day), DAY_S)
        officer_answers(browser, day, asked)
        clicked.set()
        stop = desk.locator("#stops li", has_text=asked.unit_id).first
        expect(stop).to_be_visible()
        before = place_of(desk, asked.unit_id)
        with radios.silence():
            wait_until(lambda: all(day.became(one) == radios.sent[one] for one in UNHEARD), 30)
            serve.end(signal.SIGKILL)
            expect(desk.locator("#lost")).to_be_visible(timeout=30_000)
            killed_s = time.monotonic()
            serve.start()
            back_s = time.monotonic() - killed_s
        expect(desk.locator("#lost")).to_be_hidden(timeout=60_000)
        desk.wait_for_function(MOVED, arg=[asked.unit_id, *before], timeout=60_000)
        wait_until(lambda: arrived(day, asked), DAY_S)
        shift.join(DAY_S + 60)
        assert not shift.is_alive()
        wait_until(lambda: all(day.became(door) >= radios.sent[door] for door in DOORS), 60)
        counts, refused = day.counts(), day.refused()
        over.set()
        serve.end()
    radios.close()
    assert {door: ended(counts, door) for door in DOORS} == dict(radios.sent)
    assert_nonsense(refused)
    serve.start()  # what came since the last part is recorded as it begins
    recorded(day, sum(counts[COUNTED.get(door, door)]["accepted"] for door in DOORS))
    serve.end()
    said, tally = analysed(day, capsys)
    assert [one["suggestion_id"] for one in said if one["kind"] == "suggested"] == [
        body["suggestion_id"] for _, body in day.heard if body["kind"] == "suggested"
    ]
    lines = [f"A day of {DAY_S / 60:g} min on {day.roads.stem}; its units are simulated"]
    lines += figures(day, radios, counts, tally)
    lines += [f"killed; all doors open again after {back_s:.1f} s"]
    with capsys.disabled():
        sys.stdout.write("\n" + "\n  ".join(lines) + "\n")


def assert_nonsense(refused: list[tuple[str, str]]) -> None:
    """Hold that nothing else was refused, once by each door, for what was wrong with it."""
    found = dict(refused)
    assert (len(refused), found.keys()) == (len(NONSENSE), NONSENSE.keys()), refused
    assert {door for door, word in NONSENSE.items() if word not in found[door]} == set(), refused


def asked_first(day: Day) -> Suggested | None:
    """Give the first suggestion of a unit that can be there this day; it is answered at a page."""
    asked = (said_of("suggested", body) for _, body in day.heard if body["kind"] == "suggested")
    near = (one for one in asked if isinstance(one, Suggested) and one.drive_time_s < DAY_S / 3)
    return next(near, None)


def place_of(page: Page, unit_id: str) -> list[float]:
    """Tell where the map has a unit: latitude, longitude."""
    found: list[float] = page.evaluate(PLACE, unit_id)
    return found


def arrived(day: Day, asked: Suggested) -> bool:
    """Whether the unit is beside the stop, or the stop was over before."""
    stops = [one for one in day.look("/api/live")["stops"] if one["stop_id"] == asked.stop_id]
    return not stops or asked.unit_id in stops[0]["there"]


def recorded(day: Day, fixes: int) -> None:
    """Wait until the history holds all of them."""
    folder = day.settings.parent / "history"
    wait_until(lambda: folder.exists() and len(read_history(folder).fixes) == fixes, 60)


def analysed(day: Day, capsys: pytest.CaptureFixture[str]) -> tuple[list[Any], dict[str, int]]:
    """Make the chief's report and posts of the day; replay it; give what was said and its tally."""
    out = day.settings.parent
    roads, settings = ["--roads", str(day.roads)], ["--settings", str(day.settings)]
    period = [*roads, "--history", str(out / "history")]
    assert main(["gaps", *period, "--report", str(out / "report.html")]) == 0
    assert "simulated" in (out / "report.html").read_text().lower()
    assert main(["posts", *period, "--count", "5"]) == 0
    lived = ["replay", *roads, *settings, "--store", day.address, "--json"]
    capsys.readouterr()
    assert main(lived) == 0
    told = capsys.readouterr()
    assert "as the service said it, word for word" in told.err
    answer = json.loads(told.out)
    for one in [one for one in answer["said"] if one["kind"] == "suggested"]:
        assert main([*lived, "--why", f"{one['unit_id']}@{one['at']}"]) == 0
        assert json.loads(capsys.readouterr().out)["suggested"] == one
    return answer["said"], answer["tally"]


def figures(
    day: Day, radios: Radios, counts: dict[str, dict[str, int]], tally: dict[str, int]
) -> Iterator[str]:
    """Write what the day came to."""
    for door in DOORS:
        row = {"refused": 0, "late": 0, "duplicate": 0, **counts[COUNTED.get(door, door)]}
        yield (
            f"{door}: sent {radios.sent[door]} = stored {row['accepted']} + refused "
            f"{row['refused']}; late {row['late']}, twice {row['duplicate']}"
        )
    yield f"by HTTP, acknowledged after, ms: {quantiles(radios.acknowledged_ms)}"
    heard_s: dict[str, float] = {}
    for at_s, body in day.heard:
        if body["kind"] == "suggested":
            heard_s.setdefault(body["stop_id"], at_s)
    took_ms = [
        1000 * (heard_s[stop_id] - at_s)
        for stop_id, at_s in radios.stopped_s.items()
        if stop_id in heard_s
    ]
    yield f"stop reported, suggestion heard after, ms: {quantiles(took_ms)}"
    yield f"{tally['suggestions']} asks, {tally['alone']} alarms, {tally['sounds']} sounds"
    exposed = exposed_stops(read_history(day.settings.parent / "history"))
    minutes = sum(one.exposed_min for one in exposed)
    yield f"{minutes:.1f} min short of officers, at {len(exposed)} stops"


def quantiles(values_ms: list[float]) -> str:
    """Median and 99th percentile."""
    p50, p99 = np.quantile(values_ms, [0.5, 0.99]).tolist()
    return f"{p50:.0f} / {p99:.0f} (median / 99 % of {len(values_ms)})"

"""
The screens under load, in Debian's Chromium: how soon a marker moves, and what a first load costs.

    python -m bench.screens --roads CITY.roads --units 500 --stops 100 --seconds 60

Made-up units report to a real `rollby serve` every 5 s, as simulated load; the browser, the senders
and the service share the machine. Prints one JSON object. Chromium draws without a graphics card
here: its frames are slower than on a desk.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from bench.service import Fleet, Service, latency, prepare, put_stop, quantiles, report
from data.settings import AccessRules
from data.store.accounts import Account
from data.store.opening import prepared
from geo.live_coverage import Covering, Idle
from geo.network import RoadNetwork
from geo.snap import snap
from geo.starts import starts_of
from rollby.service.access import Access
from rollby.service.administration import add_account
from rollby.service.callers import Caller
from rollby.service.rights import Role

PASSWORD = "a password for the bench"  # noqa: S105 - of a store that goes with the process
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
PROBES = 20
COVERAGES = 20
LINKS = {  # bits a second and milliseconds of delay a request
    "slow 4G": (1.6e6, 150),
    "slow 3G": (4e5, 400),
}
WATCH = """() => {
  window.moved = []; window.frames = []; window.longTasks = [];
  const setLatLng = L.Marker.prototype.setLatLng;
  L.Marker.prototype.setLatLng = function (place) {
    const lon = L.latLng(place).lng;
    requestAnimationFrame(() => moved.push([lon, Date.now()]));
    return setLatLng.call(this, place);
  };
  let before = performance.now();
  const frame = (now) => { frames.push(now - before); before = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) longTasks.push(one.duration);
  }).observe({ entryTypes: ["longtask"] });
}"""
PAINT = """() => new Promise((done) => {
  const seen = () => performance.getEntriesByName("first-contentful-paint")[0];
  const look = () => seen() ? done(seen().startTime) : setTimeout(look, 20);
  look();
})"""


def let_in(store: str) -> None:
    """Make the accounts that the pages sign in by."""
    engine = prepared(store)
    access = Access(engine, AccessRules(totp_for=()), lambda: int(time.time() * 1000))
    chief = Caller(name="bench", role=Role.ADMINISTRATOR, how="command")
    for role, units in ((Role.SUPERVISOR, ()), (Role.OFFICER, ("U0",))):
        made = Account(name=role, role=role, unit_ids=units, created_ms=int(time.time() * 1000))
        add_account(access, chief, made, PASSWORD)
    engine.dispose()


async def signed_in(browser: Browser, service: Service, name: str) -> BrowserContext:
    """A browser of its own, with a session."""
    context = await browser.new_context(viewport={"width": 1600, "height": 1000})
    answer = await context.request.post(
        f"{service.base}/api/sign-in", data={"name": name, "password": PASSWORD}
    )
    assert answer.ok, await answer.text()
    return context


async def first_load(browser: Browser, service: Service) -> dict[str, Any]:
    """Bytes and first paint of the officer's page, with nothing kept, over slow links."""
    found: dict[str, Any] = {}
    for link, (bits, delay_ms) in {"none": (0, 0), **LINKS}.items():
        context = await signed_in(browser, service, Role.OFFICER)
        page = await context.new_page()
        wire = await context.new_cdp_session(page)
        sizes: dict[str, float] = {}
        wire.on(
            "Network.loadingFinished",
            lambda one, sizes=sizes: sizes.update({one["requestId"]: one["encodedDataLength"]}),
        )
        await wire.send("Network.enable")
        if bits:
            speed = {"downloadThroughput": bits / 8, "uploadThroughput": bits / 16}
            told = {"offline": False, "latency": delay_ms, **speed}
            await wire.send("Network.emulateNetworkConditions", told)
        await page.goto(f"{service.base}/officer", wait_until="commit")
        paint_ms = await page.evaluate(PAINT)
        await page.wait_for_function("() => document.querySelector('#own-state').textContent")
        live_ms = await page.evaluate("performance.now()")
        found[link] = {
            "first_paint_ms": round(paint_ms),
            "live_ms": round(live_ms),
            "bytes": round(sum(sizes.values())),
        }
        await context.close()
    return found


async def probe(service: Service, page: Page, net: RoadNetwork, seconds: float) -> list[float]:
    """Send fixes one by one; milliseconds from their HTTP 200 until their marker has moved."""
    chance = random.Random(2)  # noqa: S311 - no secret
    nodes = chance.sample(range(len(net.table.lon_deg)), k=PROBES)
    sent: dict[float, float] = {}
    end_s, number = time.monotonic() + seconds, 0
    async with service.sender() as client:
        while time.monotonic() < end_s:
            node = nodes[number % PROBES]
            lon = round(float(net.table.lon_deg[node]) + (number // PROBES) * 1e-4, 6)
            point = {"type": "Point", "coordinates": [lon, float(net.table.lat_deg[node])]}
            told = {"unit_id": f"P{number % PROBES}", "fixed_at": datetime.now(UTC).isoformat()}
            body = {"type": "Feature", "geometry": point, "properties": told}
            (await client.post("/feeds/geojson", json=body)).raise_for_status()
            sent[lon] = 1000 * time.time()
            number += 1
            await asyncio.sleep(chance.uniform(0.1, 0.3))
    await asyncio.sleep(5)
    moved: dict[float, float] = {}
    for lon, at_ms in await page.evaluate("moved"):
        moved.setdefault(round(lon, 6), at_ms)
    last = list(sent)[PROBES:]  # the first of each makes its marker, which moves from then on
    print(f"{sum(lon not in moved for lon in last)} of {len(last)} never moved", file=sys.stderr)
    return [moved[lon] - sent[lon] for lon in last if lon in moved]


async def frames(page: Page) -> dict[str, Any]:
    """What the page did meanwhile."""
    took_ms, long_ms = await page.evaluate("[frames, longTasks]")
    return {
        "frame_ms": quantiles(took_ms),
        "worst_frame_ms": round(max(took_ms), 1),
        "long_tasks": len(long_ms),
        "longest_task_ms": round(max(long_ms, default=0), 1),
    }


async def drag_thoughts(page: Page, units: int, net: RoadNetwork, over: asyncio.Event) -> int:
    """Think of one unit elsewhere, again and again, as a dragged one does; how many answers."""
    chance, count = random.Random(3), 0  # noqa: S311 - no secret
    await page.click("#what-if")
    while not over.is_set():
        node = chance.randrange(len(net.table.lon_deg))
        place = [float(net.table.lat_deg[node]), float(net.table.lon_deg[node])]
        unit = f"U{chance.randrange(units)}"
        await page.evaluate("([unit, at]) => rollby.live.putGhost(unit, ...at)", [unit, place])
        await asyncio.sleep(0.2)
        count += 1
    await page.keyboard.press("Escape")
    return count


def coverage_beside(net: RoadNetwork, idle_units: int, seed: int) -> dict[str, Any]:
    """How long coverage takes, and how long another thread waits meanwhile for Python's lock."""
    chance = np.random.default_rng(seed)
    nodes = chance.integers(0, net.table.node_count, idle_units)
    places = [
        snap(net, lon, lat)
        for lon, lat in zip(net.table.lon_deg[nodes], net.table.lat_deg[nodes], strict=True)
    ]
    names = tuple(f"U{i}" for i in range(idle_units))
    idle = Idle(at=datetime.now(UTC), unit_ids=names, starts=starts_of(net, places))
    covering = Covering(net, 180.0, ())
    covering.shares(idle, covering.drive_times_s(idle))
    waited_ms: list[float] = []
    over = threading.Event()

    def wait() -> None:
        before_s = time.monotonic()
        while not over.wait(0.001):
            waited_ms.append(1000 * (time.monotonic() - before_s) - 1)
            before_s = time.monotonic()

    thread = threading.Thread(target=wait)
    thread.start()
    took_ms = []
    for _ in range(COVERAGES):
        began_s = time.monotonic()
        covering.shares(idle, covering.drive_times_s(idle))
        took_ms.append(1000 * (time.monotonic() - began_s))
    over.set()
    thread.join()
    facts = {"edges": len(net.edge_ms), "idle": idle_units}
    return {**facts, "took_ms": quantiles(took_ms), "another_waits_ms": quantiles(waited_ms)}


async def measured(given: argparse.Namespace, service: Service, net: RoadNetwork) -> dict[str, Any]:
    """Measure under load."""
    fleet = Fleet(net, given.units, given.seed)
    answer: dict[str, Any] = {"units": given.units, "stops": given.stops}
    async with service.sender() as client, async_playwright() as playwright:
        await prepare(client, fleet, given.stops)
        for number in range(PROBES):
            status = {"unit_id": f"P{number}", "status": "out_of_service"}
            (await client.post("/api/statuses", json=status)).raise_for_status()
        answer["alone"] = await latency(service, fleet, given.stops, given.seconds / 2)
        program = shutil.which("chromium") or sys.exit("apt install chromium")
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        answer["officer_first_load"] = await first_load(browser, service)
        context = await signed_in(browser, service, Role.SUPERVISOR)
        page = await context.new_page()
        await page.goto(f"{service.base}/supervisor")
        await page.wait_for_selector("#lost[hidden]", state="attached")
        await page.wait_for_timeout(3000)
        await page.evaluate(WATCH)
        reporting = asyncio.create_task(report(client, fleet, 5.0, given.seconds))
        answer["fix_to_marker_ms"] = quantiles(await probe(service, page, net, given.seconds))
        await reporting
        answer["page"] = await frames(page)
        over = asyncio.Event()
        thoughts = asyncio.create_task(drag_thoughts(page, given.units, net, over))
        answer["while_dragging"] = await latency(service, fleet, given.stops, given.seconds / 2)
        over.set()
        answer["while_dragging"]["thoughts"] = await thoughts
        for i in range(given.stops):
            await put_stop(client, f"S{i}", i, phase="cleared")
        await browser.close()
    return answer


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--roads", type=Path, required=True)
    parser.add_argument("--units", type=int, default=500)
    parser.add_argument("--stops", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rollby-bench-") as folder:
        store = f"sqlite:///{folder}/rollby.db"
        settings = Path(folder) / "settings.toml"
        settings.write_text("[service.access]\ntotp_for = []\n")
        service = Service(given.roads, store, "--settings", str(settings))
        let_in(store)
        service.start()
        try:
            net = RoadNetwork.load(given.roads)
            answer = asyncio.run(measured(given, service, net))
        finally:
            service.end()
    answer["coverage"] = coverage_beside(net, 300, given.seed)
    print(json.dumps(answer, indent=2))


if __name__ == "__main__":
    main()

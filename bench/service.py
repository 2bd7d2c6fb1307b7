"""
The live service under load, from outside: what it takes in, how soon it speaks, what a kill costs.

    python -m bench.service --roads CITY.roads --units 500 --stops 100 --seconds 20
    python -m bench.service --roads CITY.roads --store postgresql://USER@HOST/EMPTY
    python -m bench.service --roads CITY.roads --kills 10
    python -m bench.service --roads CITY.roads --soak-minutes 10 --offered 10000

Senders and the service share the machine: what is printed is what both can do together. Units stand
at random places of the roads and are made up.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from data.settings import AccessRules
from data.store.opening import prepared
from geo.network import RoadNetwork
from rollby.service.access import Access
from rollby.service.administration import add_key
from rollby.service.callers import Caller
from rollby.service.rights import Role

BATCH = 100
FOREVER = httpx.Timeout(None)  # a stream has no end


class Service:
    """A `rollby serve` of our own."""

    def __init__(self, roads: Path, store: str, *words: str) -> None:
        self.feed, self.watch = (_key(store, role) for role in (Role.FEED, Role.SUPERVISOR))
        with socket.create_server(("127.0.0.1", 0)) as one:
            self.port = one.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self._words = [sys.executable, "-m", "rollby", "serve", "--roads", str(roads)]
        self._words += ["--store", store, "--listen", f"127.0.0.1:{self.port}", *words]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start; seconds until it is ready."""
        began_s = time.monotonic()
        self.process = subprocess.Popen(self._words, stderr=subprocess.DEVNULL)  # noqa: S603 - us
        while True:
            try:
                if httpx.get(f"{self.base}/readyz").status_code == httpx.codes.OK:
                    return time.monotonic() - began_s
            except httpx.TransportError:
                if self.process.poll() is not None:
                    sys.exit("the service did not start")
                time.sleep(0.02)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop, or kill."""
        assert self.process
        self.process.send_signal(how)
        self.process.wait(60)

    def sender(self) -> httpx.AsyncClient:
        """Speak to it as a feed."""
        return httpx.AsyncClient(base_url=self.base, timeout=60, headers=self.feed)

    def memory_mb(self) -> float:
        """Resident memory now."""
        assert self.process
        text = Path(f"/proc/{self.process.pid}/statm").read_text()
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _key(store: str, role: Role) -> dict[str, str]:
    """Make an API key; the headers that carry it."""
    engine = prepared(store)
    access = Access(engine, AccessRules(), lambda: int(time.time() * 1000))
    chief = Caller(name="bench", role=Role.ADMINISTRATOR, how="command")
    key = add_key(access, chief, name=f"{role}", role=role, unit_ids=("*",), agency="")
    engine.dispose()
    return {"Authorization": f"Bearer {key.text}"}


class Fleet:
    """Made-up units on real roads."""

    def __init__(self, net: RoadNetwork, units: int, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - no secret
        nodes = self.chance.choices(range(len(net.table.lon_deg)), k=units)
        self.place = [(float(net.table.lon_deg[n]), float(net.table.lat_deg[n])) for n in nodes]
        self.sent = 0

    def features(self, first: int, count: int) -> bytes:
        """Fixes of some units, now, as GeoJSON."""
        now = datetime.now(UTC).isoformat()
        found = []
        for i in range(first, first + count):
            lon, lat = self.place[i % len(self.place)]
            shift = self.chance.uniform(-1e-4, 1e-4)
            point = {"type": "Point", "coordinates": [lon + shift, lat]}
            told = {"unit_id": f"U{i % len(self.place)}", "fixed_at": now, "speed_mps": 0}
            found.append({"type": "Feature", "geometry": point, "properties": told})
        self.sent += count
        return json.dumps({"type": "FeatureCollection", "features": found}).encode()


async def prepare(client: httpx.AsyncClient, fleet: Fleet, stops: int) -> None:
    """Put all units up, and some of them on stops that stay."""
    for first in range(0, len(fleet.place), BATCH):
        count = min(BATCH, len(fleet.place) - first)
        (
            await client.post("/feeds/geojson", content=fleet.features(first, count))
        ).raise_for_status()
    for i in range(len(fleet.place)):
        status = {"unit_id": f"U{i}", "status": "available"}
        (await client.post("/api/statuses", json=status)).raise_for_status()
    for i in range(stops):
        await put_stop(client, f"S{i}", i)


async def put_stop(client: httpx.AsyncClient, stop_id: str, unit: int, **more: Any) -> None:
    """Begin or end a stop."""
    body = {"unit_id": f"U{unit}", "started_at": datetime.now(UTC).isoformat(), **more}
    (await client.put(f"/api/stops/{stop_id}", json=body)).raise_for_status()


async def report(
    client: httpx.AsyncClient, fleet: Fleet, every_s: float, seconds: float
) -> list[float]:
    """Have every unit report as in-car routers do, in batches of a gateway; milliseconds each."""
    took_ms, began_s, first = [], time.monotonic(), 0
    per_s = len(fleet.place) / every_s
    while (now_s := time.monotonic() - began_s) < seconds:
        due = int(now_s * per_s) - first
        if due < 1:
            await asyncio.sleep(0.02)
            continue
        sent_s = time.monotonic()
        body = fleet.features(first, min(due, BATCH))
        (await client.post("/feeds/geojson", content=body)).raise_for_status()
        took_ms.append(1000 * (time.monotonic() - sent_s))
        first += min(due, BATCH)
    return took_ms


async def listen(service: Service, heard_s: dict[str, float], ready: asyncio.Event) -> None:
    """Note when suggestions come, by stop."""
    async with (
        httpx.AsyncClient(base_url=service.base, timeout=FOREVER, headers=service.watch) as client,
        client.stream("GET", "/api/stream") as answer,
    ):
        event = ""
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                event = line[7:]
                ready.set()
            elif line.startswith("data: ") and event == "suggested":
                heard_s.setdefault(json.loads(line[6:])["stop_id"], time.monotonic())


async def latency(service: Service, fleet: Fleet, stops: int, seconds: float) -> dict[str, Any]:
    """From a stop's report to its suggestion on the stream, while everybody reports."""
    heard_s: dict[str, float] = {}
    sent_s: dict[str, float] = {}
    ready = asyncio.Event()
    async with service.sender() as client:
        listener = asyncio.create_task(listen(service, heard_s, ready))
        await ready.wait()
        reporting = asyncio.create_task(report(client, fleet, 5.0, seconds))
        number = 0
        while not reporting.done():
            unit = stops + number % (len(fleet.place) - stops)
            stop_id = f"N{number}"
            sent_s[stop_id] = time.monotonic()
            await put_stop(client, stop_id, unit)
            await asyncio.sleep(0.3)
            await put_stop(client, stop_id, unit, phase="cleared")
            number += 1
        took_ms = await reporting
        listener.cancel()
    found = [1000 * (heard_s[name] - at_s) for name, at_s in sent_s.items() if name in heard_s]
    return {
        "fixes_per_s": round(len(fleet.place) / 5, 1),
        "new_stops": len(sent_s),
        "suggested": len(found),
        "stop_to_suggestion_ms": quantiles(found),
        "fix_batch_acknowledged_ms": quantiles(took_ms),
    }


async def flood(service: Service, fleet: Fleet, seconds: float, senders: int) -> dict[str, Any]:
    """As many fixes as are taken, in batches."""
    taken, end_s = 0, time.monotonic() + seconds
    began_s = time.monotonic()

    async def send(number: int) -> None:
        nonlocal taken
        async with service.sender() as client:
            first = number * BATCH
            while time.monotonic() < end_s:
                body = fleet.features(first, BATCH)
                answer = await client.post("/feeds/geojson", content=body)
                if answer.status_code == httpx.codes.OK:
                    taken += answer.json()["accepted"]
                first += senders * BATCH

    await asyncio.gather(*(send(number) for number in range(senders)))
    return {"fixes_per_s": round(taken / (time.monotonic() - began_s))}


async def soak(
    service: Service, fleet: Fleet, minutes: int, offered: float, senders: int
) -> list[dict[str, Any]]:
    """Offer so many fixes a second, minute after minute; what became of them, and its memory."""
    rows, began_s, batches, taken = [], time.monotonic(), 0, 0
    took_ms: list[float] = []

    async def send(until_s: float) -> None:
        nonlocal batches, taken
        async with service.sender() as client:
            while (now_s := time.monotonic()) < until_s:
                if batches * BATCH > (now_s - began_s) * offered:
                    await asyncio.sleep(0.005)
                    continue
                batches += 1
                body = fleet.features(batches * BATCH, BATCH)
                answer = await client.post("/feeds/geojson", content=body)
                took_ms.append(1000 * (time.monotonic() - now_s))
                if answer.status_code == httpx.codes.OK:
                    taken += answer.json()["accepted"]

    for minute in range(1, minutes + 1):
        before, took_ms[:] = taken, []
        await asyncio.gather(*(send(began_s + 60 * minute) for _ in range(senders)))
        row = {
            "minute": minute,
            "fixes_per_s": round((taken - before) / 60),
            "acknowledged_ms": quantiles(took_ms),
            "memory_mb": round(service.memory_mb()),
        }
        rows.append(row)
        print(row, file=sys.stderr, flush=True)
    return rows


def quantiles(values: list[float]) -> dict[str, float] | None:
    """Median and 99th percentile."""
    if not values:
        return None
    p50, p99 = np.quantile(values, [0.5, 0.99]).tolist()
    return {"p50": round(p50, 1), "p99": round(p99, 1), "n": len(values)}


def kill_loop(service: Service, fleet: Fleet, kills: int, seed: int) -> dict[str, Any]:
    """Kill it again and again under load; count what was acknowledged and is not there."""
    chance, acknowledged, recovery_s = random.Random(seed), 0, []  # noqa: S311 - no secret
    for kill in range(kills):
        recovery_s.append(service.start())
        die_s = time.monotonic() + chance.uniform(0.2, 2.0)
        with httpx.Client(base_url=service.base, timeout=10, headers=service.feed) as client:
            number = 0
            while time.monotonic() < die_s:
                stop_id = f"K{kill}-{number}"
                body = {
                    "unit_id": f"U{number % len(fleet.place)}",
                    "started_at": "2026-01-01T00:00:00Z",
                }
                client.put(f"/api/stops/{stop_id}", json=body | {"phase": "cleared"})
                client.post("/feeds/geojson", content=fleet.features(number, 20)).raise_for_status()
                number += 1
            acknowledged += number
        service.end(signal.SIGKILL)
    recovery_s.append(service.start())
    health = httpx.get(f"{service.base}/api/health", headers=service.watch)
    doors = health.json()["doors"]
    lost = acknowledged - doors["cad"]["accepted"], 20 * acknowledged - doors["geojson"]["accepted"]
    return {
        "kills": kills,
        "acknowledged": {"stops": acknowledged, "fixes": 20 * acknowledged},
        "lost": {"stops": max(0, lost[0]), "fixes": max(0, lost[1])},
        "recovery_s": quantiles(recovery_s),
    }


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--roads", type=Path, required=True)
    parser.add_argument("--store", default="")
    parser.add_argument("--units", type=int, default=500)
    parser.add_argument("--stops", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--soak-minutes", type=int, default=0)
    parser.add_argument("--offered", type=float, default=10_000.0, help="fixes a second of a soak")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    fleet = Fleet(RoadNetwork.load(given.roads), given.units, given.seed)
    with tempfile.TemporaryDirectory(prefix="rollby-bench-") as folder:
        store = given.store or f"sqlite:///{folder}/rollby.db"
        service = Service(given.roads, store)
        answer: dict[str, Any] = {"store": store.split(":")[0], "units": given.units}
        if given.kills:
            answer["kill_loop"] = kill_loop(service, fleet, given.kills, given.seed)
        else:
            answer["start_s"] = round(service.start(), 2)
            asyncio.run(_measured(service, fleet, given, answer))
        service.end()
        answer["again_s"] = round(service.start(), 2)
        service.end()
    print(json.dumps(answer, indent=2))


async def _measured(
    service: Service, fleet: Fleet, given: argparse.Namespace, answer: dict[str, Any]
) -> None:
    """Measure under load."""
    async with service.sender() as client:
        await prepare(client, fleet, given.stops)
    answer["stops"] = given.stops
    if given.soak_minutes:
        minutes, offered = given.soak_minutes, given.offered
        answer["soak"] = await soak(service, fleet, minutes, offered, given.senders)
        return
    answer["steady"] = await latency(service, fleet, given.stops, given.seconds)
    answer["memory_mb"] = [round(service.memory_mb())]
    answer["flood"] = await flood(service, fleet, given.seconds, given.senders)
    answer["memory_mb"].append(round(service.memory_mb()))


if __name__ == "__main__":
    main()

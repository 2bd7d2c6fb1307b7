"""The service on a real socket."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from data.errors import SourceUnreachableError
from data.store.store import Store
from geo.board import Board
from rollby.service.callers import Caller
from rollby.service.guard import caller
from rollby.service.rights import Right, Role
from rollby.service.server import begin, make_server, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from data.beats import Beat
    from data.settings import Settings
    from geo.network import RoadNetwork
    from rollby.service.running import Running

PLACE = {"4A12": (-104.990, 39.744), "4A13": (-104.990, 39.746), "4A14": (-104.985, 39.742)}


@dataclass
class Service:
    """A service, and who talks to it."""

    running: Running
    app: Any
    http: httpx.Client
    failed: list[BaseException] = field(default_factory=list)

    def seen(self, unit_id: str, **more: Any) -> httpx.Response:
        """Report where a unit stands, as a phone would; who is none of ours is where 4A14 is."""
        lon, lat = PLACE.get(unit_id, PLACE["4A14"])
        told: dict[str, Any] = {
            "id": unit_id,
            "lon": lon,
            "lat": lat,
            "timestamp": time.time(),
            "speed": 0,
        }
        return self.http.get("/feeds/osmand", params={**told, **more})

    def shows(self, unit_id: str, status: str = "available", **more: Any) -> httpx.Response:
        """Report what it does."""
        return self.http.post("/api/statuses", json={"unit_id": unit_id, "status": status, **more})

    def on_duty(self) -> None:
        """Put all units up."""
        for unit_id in PLACE:
            self.seen(unit_id).raise_for_status()
            self.shows(unit_id).raise_for_status()

    def stop(self, stop_id: str, unit_id: str, **more: Any) -> httpx.Response:
        """Report a stop."""
        headers = more.pop("headers", {})
        started = more.pop("started_at", (datetime.now(UTC) - timedelta(seconds=1)).isoformat())
        told = {"unit_id": unit_id, "started_at": started, **more}
        return self.http.put(f"/api/stops/{stop_id}", json=told, headers=headers)

    def live(self) -> dict[str, Any]:
        """Look."""
        found: dict[str, Any] = self.http.get("/api/live").json()
        return found

    def asked(self) -> dict[str, Any]:
        """Tell who is asked about the one stop."""
        (stop,) = self.live()["stops"]
        found: dict[str, Any] = stop["asked"]
        return found


class Everybody(Caller):
    """One who may do everything; no role may."""

    def may(self, right: Right) -> bool:
        return bool(right)


def everybody() -> Caller:
    return Everybody(name="everybody", role=Role.SUPERVISOR, unit_ids=("*",), how="loopback")


@contextmanager
def serving(
    address: str, roads: RoadNetwork, settings: Settings, beats: Sequence[Beat] = ()
) -> Iterator[Service]:
    """Serve from a thread, on a port of its own."""
    store = Store(address)
    running = begin(store, Board(roads, settings, beats), settings)
    server = make_server(running)
    listening = socket.create_server(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    app: Any = server.config.app
    app.dependency_overrides[caller] = everybody
    with httpx.Client(base_url=base, timeout=10) as http:
        service = Service(running, app, http)

        def work() -> None:
            try:
                serve(running, server, listening)
            except SourceUnreachableError as error:
                service.failed.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        wait_until(lambda: server.started)
        yield service
        server.should_exit = True
        thread.join(10)
    store.close()


def wait_until(there: Callable[[], Any], seconds: float = 10) -> Any:
    """Wait for something to come true."""
    deadline = time.monotonic() + seconds
    while not (found := there()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found

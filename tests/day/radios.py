"""The units of a simulated shift, each with a radio of its kind: all goes through sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from data.events import Answer, StatusChange, StopChange
from data.feeds.cot_fake import STALE_S, write_cot
from data.feeds.nmea_fake import write_nmea
from data.feeds.owntracks_fake import write_owntracks
from data.feeds.taip_fake import write_taip
from data.reports import FixReport
from rollby.service.simulation import Simulation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from data.records import UnitFix
    from data.reports import Report
    from rollby.service.clock import SteadyClock

DOORS = ("taip", "nmea", "owntracks", "traccar", "cot")
"""What a unit has in its car, by its row in the roster: all kinds, in turn."""
UNHEARD = ("taip", "nmea", "cot")
"""Those whose senders cannot tell whether they were heard."""


class Radios(Simulation):
    """
    A shift's units, and the dispatch system that they talk to.

    Parameters
    ----------
    clock : SteadyClock
        Real time.
    base : str
        Address of the service.
    keys : dict of str to str
        API keys of ``feed`` and ``officer``.
    ports : dict of str to int
        Where ``taip`` (UDP), ``nmea`` and ``cot`` (TCP) listen, and the broker, ``owntracks``.
    answered_elsewhere : callable
        Told an answer before it is given: True where somebody gives it at a screen.
    """

    def __init__(
        self,
        clock: SteadyClock,
        base: str,
        keys: dict[str, str],
        ports: dict[str, int],
        answered_elsewhere: Callable[[Answer], bool],
    ) -> None:
        super().__init__(clock)
        self.sent: Counter[str] = Counter()
        self.again, self.stopped_s = 0, dict[str, float]()
        self.acknowledged_ms: list[float] = []
        self._ports, self._elsewhere = ports, answered_elsewhere
        self._door_of: dict[str, str] = {}
        self._http = httpx.Client(base_url=base, timeout=10)
        self._bearer = {name: {"Authorization": f"Bearer {key}"} for name, key in keys.items()}
        self._air = threading.Lock()  # held by who keeps radios that get no answer silent
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._lines: dict[tuple[str, str], socket.socket] = {}
        self._phone = Client(CallbackAPIVersion.VERSION2, client_id="phones")
        self._phone.username_pw_set("phones", "p0")
        self._phone.connect("127.0.0.1", ports["owntracks"])
        self._phone.loop_start()

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Keep the radios still that cannot tell whether they were heard: TAIP, NMEA, CoT."""
        with self._air:
            yield
            for line in self._lines.values():
                line.close()
            self._lines.clear()

    def close(self) -> None:
        """Switch off."""
        self._phone.disconnect()
        self._phone.loop_stop()
        self._udp.close()
        self._http.close()
        for line in self._lines.values():
            line.close()

    def nonsense(self) -> None:
        """Send what no door can take, each with a reason of its own; counted with all that is."""
        with self._air:
            self._udp.sendto(b">RPV00000+3974400-1049900000000012;ID=1A01;*00<", self._to("taip"))
            self._line("nmea", "1A02").sendall(b"$GPRMC,sideways*00\r\n")
            self._line("cot", "1A05").sendall(b"<event type='a-f-G' uid='1A05'></event>")
        self._phone.publish("owntracks/phones/1A03", b"{not json", qos=1)
        self._post("/feeds/osmand", params={"id": "1A04", "lat": 39.74, "lon": -104.99})
        self.sent.update(DOORS)

    def _send(self, reports: Sequence[Report]) -> None:
        """Report, whatever becomes of the service meanwhile."""
        for report in reports:
            if isinstance(report, FixReport):
                self._fix(report.unit_id, report.fix)
            elif isinstance(report, StatusChange):
                self._status(report)
            elif isinstance(report, StopChange):
                self._stop(report)
            elif isinstance(report, Answer):
                self._answer(report)

    def _fix(self, unit_id: str, fix: UnitFix) -> None:
        """Send a position by the unit's own door."""
        turn = len(self._door_of) % len(DOORS)
        door = self._door_of.setdefault(unit_id, DOORS[turn])
        if door in UNHEARD:
            with self._air:
                old_s = time.time() - fix.fixed_at.timestamp()
                if door != "cot" or old_s < STALE_S:  # ATAK sends none out of a dead zone
                    self._on_air(door, unit_id, fix)
                    self.sent[door] += 1
            return
        if door == "owntracks":
            self._phone.publish(f"owntracks/phones/{unit_id}", write_owntracks(fix), qos=1)
        else:
            told = {"id": unit_id, "lat": fix.lat_deg, "lon": fix.lon_deg}
            at = {"timestamp": fix.fixed_at.timestamp(), "bearing": fix.heading_deg}
            self._post("/feeds/osmand", params={**told, **at})
        self.sent[door] += 1

    def _on_air(self, door: str, unit_id: str, fix: UnitFix) -> None:
        """Send a position, and never learn whether it was heard."""
        if door == "taip":
            self._udp.sendto(write_taip("LN", fix, device=unit_id), self._to("taip"))
        elif door == "nmea":
            named = f"{unit_id}\r\n".encode() + write_nmea("RMC", fix)
            self._line("nmea", unit_id).sendall(named)
        else:
            self._line("cot", unit_id).sendall(write_cot(fix, uid=unit_id))

    def _status(self, change: StatusChange) -> None:
        """Have dispatch tell what a unit does."""
        body = {"unit_id": change.unit_id, "status": change.status.value, "at": _text(change.at)}
        more = {"officers": change.officers, "agency": change.agency}
        self._post("/api/statuses", json={**body, **more})

    def _stop(self, change: StopChange) -> None:
        """Have dispatch tell of a stop."""
        stop = change.stop
        if stop.stop_id not in self.stopped_s:
            self.stopped_s[stop.stop_id] = time.time()
        self._stops.add(stop.stop_id)
        body: dict[str, Any] = {
            "unit_id": stop.unit_id,
            "started_at": _text(stop.started_at),
            "ended_at": _text(stop.ended_at),
            "phase": stop.phase.value,
            "lon": stop.lon_deg,
            "lat": stop.lat_deg,
            "heading_deg": stop.heading_deg,
            "at": _text(change.at),
        }
        self._post(f"/api/stops/{stop.stop_id}", method="PUT", json=body)

    def _answer(self, answer: Answer) -> None:
        """Have an officer answer, unless it is done at a screen."""
        if not self._elsewhere(answer) and answer.answer:
            body = {"suggestion_id": answer.suggestion_id, "answer": answer.answer.value}
            self._post("/api/answers", role="officer", json=body)

    def _post(self, path: str, *, method: str = "POST", role: str = "feed", **what: Any) -> None:
        """Ask until there is an answer: a service that is down comes back."""
        while True:
            began_s = time.monotonic()
            try:
                answer = self._http.request(method, path, headers=self._bearer[role], **what)
            except httpx.TransportError:
                self.again += 1
            else:
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    self.acknowledged_ms.append(1000 * (time.monotonic() - began_s))
                    late = httpx.codes.NOT_FOUND, httpx.codes.CONFLICT  # an answer too late
                    assert answer.is_success or answer.status_code in late, answer.text
                    return
            time.sleep(0.2)

    def _to(self, door: str) -> tuple[str, int]:
        return "127.0.0.1", self._ports[door]

    def _line(self, door: str, unit_id: str) -> socket.socket:
        """Call a port, and stay on the line."""
        line = self._lines.get((door, unit_id))
        if line is None:
            line = self._lines[door, unit_id] = socket.create_connection(self._to(door), 10)
        return line


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()

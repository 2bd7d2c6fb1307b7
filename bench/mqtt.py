"""
Phones that send by a real mosquitto: what came of what was sent, how fast, and what ends cost.

    python -m bench.mqtt --roads CITY.roads --count 50000

`rollby serve` on one core, to a SQLite store on disk; the broker and the publisher share the other
cores. Messages are made up, of QoS 1, from as many devices as there are senders, each a fix of its
own. Then the same again while the broker is ended, killed, and the service killed, in their midst.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from bench.service import Service
from data.feeds.owntracks_fake import write_owntracks
from data.records import UnitFix
from geo.network import RoadNetwork
from tests.servers import Mosquitto, mosquitto

if TYPE_CHECKING:
    from collections.abc import Callable

USERS = {"rollby": "r0", "phones": "p0"}
ACL = "user rollby\ntopic read owntracks/#\n\nuser phones\ntopic write owntracks/#\n"
OUTCOMES = ("accepted", "late", "duplicate", "refused")
STILL_S, LONGEST_S = 15.0, 300.0
ENDS = ("none", "broker ended", "broker killed", "service killed")


def messages(net: RoadNetwork, senders: int, count: int) -> list[tuple[str, bytes]]:
    """Give made-up messages, each with its topic: every one a fix of its own."""
    began, told = datetime.now(UTC) - timedelta(hours=1), []
    for number in range(count):
        sender, turn = number % senders, number // senders
        node = (sender * 7919) % len(net.table.lon_deg)
        fix = UnitFix(
            fixed_at=began + timedelta(seconds=turn),
            lon_deg=float(net.table.lon_deg[node]),
            lat_deg=float(net.table.lat_deg[node]),
            speed_mps=9.0,
            heading_deg=90.0,
        )
        told.append((f"owntracks/{sender:04d}/phone", write_owntracks(fix)))
    return told


class Publisher:
    """All phones in one, and what the broker has acknowledged to them."""

    def __init__(self, port: int) -> None:
        self.acknowledged = 0
        version = CallbackAPIVersion.VERSION2
        self._client = client = Client(version, client_id="phones", clean_session=False)
        client.username_pw_set("phones", USERS["phones"])
        client.max_inflight_messages_set(1000)
        client.reconnect_delay_set(1, 1)
        client.on_publish = self._counted
        client.connect("127.0.0.1", port)
        client.loop_start()

    def _counted(self, *_: object) -> None:
        self.acknowledged += 1

    def send(self, told: list[tuple[str, bytes]]) -> float:
        """Send all, and wait until the broker has them; seconds that it took."""
        began_s = time.monotonic()
        for topic, data in told:
            self._client.publish(topic, data, qos=1)
        while self.acknowledged < len(told) and time.monotonic() - began_s < LONGEST_S:
            time.sleep(0.01)
        return time.monotonic() - began_s

    def end(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.loop_stop()


def settle(look: Callable[[], dict[str, Any]], sent: int) -> tuple[dict[str, Any], float]:
    """Wait until all has come or nothing more does; the last counts, and when they changed."""
    counts, changed_s = look(), time.monotonic()
    began_s = changed_s
    while time.monotonic() - changed_s < STILL_S and time.monotonic() - began_s < LONGEST_S:
        if counts.get("accepted", 0) >= sent:
            break
        time.sleep(0.1)
        if (now := look()) != counts:
            counts, changed_s = now, time.monotonic()
    return counts, changed_s


def interrupt(end: str, broker: Mosquitto, service: Service) -> None:
    """End one of the two as it is asked, and start it again."""
    if end == "service killed":
        service.end(signal.SIGKILL)
        service.start()
    elif end != "none":
        broker.end(signal.SIGKILL if end == "broker killed" else signal.SIGTERM)
        time.sleep(1)
        broker.start()


def on_one_core(start: Callable[[], object]) -> None:
    """Start something that has one core to itself, as far as we go."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        start()
    finally:
        os.sched_setaffinity(0, cores)


def measure(end: str, words: argparse.Namespace, folder: Path, net: RoadNetwork) -> None:
    """Measure once, and print its line."""
    folder.mkdir()
    with mosquitto(USERS, ACL, at_every_change=not words.every_second) as broker:
        (folder / "password").write_text(USERS["rollby"])
        (folder / "s.toml").write_text(
            f'[feeds.cars]\nkind = "mqtt"\nbroker = "127.0.0.1:{broker.port}"\n'
            f'transport = "tcp"\nuser = "rollby"\npassword_file = "{folder}/password"\n'
        )
        store = f"sqlite:///{folder}/live.db"
        service = Service(words.roads, store, "--settings", str(folder / "s.toml"))
        on_one_core(service.start)

        def look() -> dict[str, Any]:
            answer = httpx.get(f"{service.base}/api/health", headers=service.watch, timeout=60)
            got = answer.raise_for_status().json()
            state = got["listening"].get("cars", {})
            return {**got["doors"].get("cars", {}), "dropped": state.get("dropped", 0), **state}

        try:
            while not look().get("up"):
                time.sleep(0.1)
            told, publisher = messages(net, words.senders, words.count), Publisher(broker.port)
            began_s, took_s = time.monotonic(), [0.0]
            sending = threading.Thread(target=lambda: took_s.append(publisher.send(told)))
            sending.start()
            if end != "none":
                while publisher.acknowledged < words.count / 2:
                    time.sleep(0.01)
                on_one_core(lambda: interrupt(end, broker, service))
            sending.join()
            counts, done_s = settle(look, len(told))
            publisher.end()
        finally:
            service.end()
    figures = "  ".join(f"{name} {counts.get(name, 0):>7,}" for name in (*OUTCOMES, "dropped"))
    came = counts.get("accepted", 0)  # late ones too
    print(
        f"{end:<15} acknowledged {publisher.acknowledged:>7,} at {len(told) / took_s[-1]:>6,.0f}/s"
        f"  {figures}  lost {len(told) - came:>5,}  taken {came / (done_s - began_s):>6,.0f}/s",
        flush=True,
    )


def main() -> None:
    """Print a line for each way to end."""
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    ask.add_argument("--roads", type=Path, required=True)
    ask.add_argument("--count", type=int, default=50_000, help="messages each time")
    ask.add_argument("--senders", type=int, default=500)
    ask.add_argument("--ends", nargs="+", choices=ENDS, default=list(ENDS))
    ask.add_argument(
        "--every-second", action="store_true", help="the broker writes once a second, not at once"
    )
    words = ask.parse_args()
    net = RoadNetwork.load(words.roads)
    with tempfile.TemporaryDirectory() as name:
        for number, end in enumerate(words.ends):
            measure(end, words, Path(name) / str(number), net)


if __name__ == "__main__":
    main()

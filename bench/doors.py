"""
The doors that listen, with real senders at the other end: what came of what was sent, and how fast.

    python -m bench.doors --roads CITY.roads --count 50000 --rate 10000

Each kind on its own, through `rollby serve` to a SQLite store on disk, from as many addresses of
the loopback as there are senders. Senders and the service share the machine. Made-up units.
"""

from __future__ import annotations

import argparse
import socket
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from bench.doors_fetched import FETCHED
from bench.service import Service
from data.feeds.cot_fake import write_cot
from data.feeds.nmea_fake import write_nmea
from data.feeds.taip_fake import write_taip
from data.records import UnitFix
from geo.network import RoadNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KINDS = {
    "taip udp": ("taip", "udp"),
    "nmea udp": ("nmea", "udp"),
    "nmea tcp": ("nmea", "tcp"),
    "cot udp": ("cot", "udp"),
    "cot tcp": ("cot", "tcp"),
    "cot protobuf udp": ("cot", "udp"),
    "cot protobuf tcp": ("cot", "tcp"),
}
STILL_S = 10.0
LONGEST_S = 300.0


@dataclass(frozen=True)
class Offer:
    """A door's settings, and what is done at its other end: seconds that offering took."""

    settings: str
    begin: Callable[[], float]
    end: Callable[[], object] = lambda: None


def messages(label: str, net: RoadNetwork, senders: int, count: int) -> Iterator[tuple[int, bytes]]:
    """Give made-up messages, each with its sender: every one a fix of its own."""
    kind, transport = KINDS[label]
    wire = {"udp": "mesh", "tcp": "stream"}[transport] if "protobuf" in label else "xml"
    began = datetime.now(UTC) - timedelta(hours=1)
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
        name = f"{sender:04d}"
        if kind == "taip":
            yield sender, write_taip("LN", fix, device=name)
        elif kind == "cot":
            yield sender, write_cot(fix, uid=name, callsign=name, wire=wire, stale_s=7200.0)
        else:
            yield sender, name.encode() + b"," + write_nmea("RMC", fix)


def open_senders(transport: str, senders: int, port: int) -> list[socket.socket]:
    """Open one socket a sender, each at its own address."""
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    opened = []
    for number in range(senders):
        one = socket.socket(socket.AF_INET, kind)
        one.bind((f"127.1.{number // 250}.{number % 250 + 1}", 0))
        one.connect(("127.0.0.1", port))
        opened.append(one)
    return opened


def send(told: Iterator[tuple[int, bytes]], out: list[socket.socket], rate: float) -> float:
    """Send as fast as asked, or as it goes; seconds that it took."""
    began_s = time.monotonic()
    for number, (sender, data) in enumerate(told):
        out[sender].sendall(data)
        if number % 100 == 0 and (ahead_s := number / rate - (time.monotonic() - began_s)) > 0:
            time.sleep(ahead_s)
    return time.monotonic() - began_s


def settle(look: Callable[[], dict[str, Any]], sent: int) -> tuple[dict[str, Any], float]:
    """Wait until nothing more comes; the last counts, and when they last changed."""
    counts, changed_s = look(), time.monotonic()
    began_s = changed_s
    while time.monotonic() - changed_s < STILL_S and time.monotonic() - began_s < LONGEST_S:
        if sum(counts.values()) >= sent:
            break
        time.sleep(0.1)
        if (now := look()) != counts:
            counts, changed_s = now, time.monotonic()
    return counts, changed_s


def pushed(label: str, words: argparse.Namespace, net: RoadNetwork) -> Offer:
    """Prepare a door that devices call at."""
    kind, transport = KINDS[label]
    free = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, free) as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    lines = [f'kind = "{kind}"\nlisten = "127.0.0.1:{port}"']
    lines += [f'transport = "{transport}"'] if kind != "taip" else []
    told = list(messages(label, net, words.senders, words.count))

    def offer() -> float:
        out = open_senders(transport, words.senders, port)
        took_s = send(iter(told), out, words.rate)
        out_of_use.extend(out)
        return took_s

    out_of_use: list[socket.socket] = []
    return Offer("\n".join(lines), offer, lambda: [one.close() for one in out_of_use])


def measure(label: str, words: argparse.Namespace, folder: Path, offer: Offer) -> None:
    """Measure one kind, and print its line."""
    settings = folder / f"{label.replace(' ', '_')}.toml"
    settings.write_text(f"[feeds.cars]\n{offer.settings}\n")
    store = f"sqlite:///{folder}/{settings.stem}.db"
    service = Service(words.roads, store, "--settings", str(settings))
    service.start()
    try:

        def health() -> dict[str, Any]:
            answer = httpx.get(f"{service.base}/api/health", headers=service.watch, timeout=60)
            return dict(answer.raise_for_status().json())

        def look() -> dict[str, Any]:
            got = health()
            return {**got["doors"].get("cars", {}), "dropped": got["listening"]["cars"]["dropped"]}

        while not health()["listening"].get("cars", {}).get("up"):
            time.sleep(0.1)
        began_s = time.monotonic()
        took_s = offer.begin()
        counts, done_s = settle(look, words.count)
        offer.end()
    finally:
        service.end()
    figures = "  ".join(
        f"{name} {counts.get(name, 0):>7,}"
        for name in ("accepted", "late", "duplicate", "refused", "dropped")
    )
    # Those accepted late are among the accepted.
    taken = sum(counts.get(name, 0) for name in ("accepted", "duplicate", "refused"))
    print(
        f"{label:<16} sent {words.count:>7,} at {words.count / took_s:>7,.0f}/s  {figures}  "
        f"lost {words.count - taken - counts.get('dropped', 0):>5,}  "
        f"taken {taken / (done_s - began_s):>7,.0f}/s",
        flush=True,
    )


def main() -> None:
    """Print a line for each kind."""
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    ask.add_argument("--roads", type=Path, required=True)
    ask.add_argument("--count", type=int, default=50_000, help="messages of each kind")
    ask.add_argument("--rate", type=float, default=10_000, help="messages a second, at most")
    ask.add_argument("--senders", type=int, default=500)
    kinds = [*KINDS, *FETCHED]
    ask.add_argument("--kinds", nargs="+", choices=kinds, default=kinds)
    words = ask.parse_args()
    net = RoadNetwork.load(words.roads)
    with tempfile.TemporaryDirectory() as name:
        for label in words.kinds:
            folder = Path(name)
            if label in KINDS:
                measure(label, words, folder, pushed(label, words, net))
                continue
            with FETCHED[label](folder, net, words.senders, words.count) as offer:
                measure(label, words, folder, Offer(*offer))


if __name__ == "__main__":
    main()

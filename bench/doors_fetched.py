"""The other ends of doors that fetch: a server that plays Traccar's part, files, a layer."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from data.events import StatusChange
from data.feeds.cad_fake import write_csv
from data.feeds.traccar_fake import traccar_device, traccar_position, write_traccar
from data.records import UnitFix, UnitStatus
from tests.data.feeds.web_peers import FakeLayer, FakeTraccar, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from geo.network import RoadNetwork

    Told = tuple[str, Callable[[], float]]

TOGETHER = 100
LOOKS = (UnitStatus.AVAILABLE, UnitStatus.BUSY)


@contextmanager
def traccar(folder: Path, net: RoadNetwork, senders: int, count: int) -> Iterator[Told]:
    """Say positions by the WebSocket, a hundred a message."""
    server = FakeTraccar(devices=[traccar_device(n, f"{n:04d}", f"{n}") for n in range(senders)])
    (folder / "token").write_text(server.token)
    began = datetime.now(UTC) - timedelta(hours=1)
    lon_deg, lat_deg = (float(one[0]) for one in (net.table.lon_deg, net.table.lat_deg))
    told = [
        traccar_position(
            UnitFix(
                fixed_at=began + timedelta(seconds=number // senders),
                lon_deg=lon_deg,
                lat_deg=lat_deg,
                speed_mps=9.0,
                heading_deg=90.0,
            ),
            number % senders,
        )
        for number in range(count)
    ]
    parts = [write_traccar(*told[first : first + TOGETHER]) for first in range(0, count, TOGETHER)]

    def begin() -> float:
        began_s = time.monotonic()
        for part in parts:
            server.say(part)
        return time.monotonic() - began_s

    with listening(server.app()) as port:
        lines = f'kind = "traccar"\nserver = "http://127.0.0.1:{port}"\ncatch_up_min = 0\n'
        yield lines + f'token_file = "{folder}/token"\nuser_id = {server.user_id}', begin


def statuses(senders: int, count: int) -> list[StatusChange]:
    """Make up statuses, every one of its own instant."""
    began = datetime.now(UTC) - timedelta(milliseconds=count)
    return [
        StatusChange(
            unit_id=f"{number % senders:04d}",
            at=began + timedelta(milliseconds=number),
            status=LOOKS[number // senders % 2],
        )
        for number in range(count)
    ]


@contextmanager
def files(folder: Path, _net: RoadNetwork, senders: int, count: int) -> Iterator[Told]:
    """Drop files of a hundred statuses."""
    watched = folder / "cad"
    watched.mkdir()
    told = statuses(senders, count)

    def begin() -> float:
        began_s = time.monotonic()
        for first in range(0, count, TOGETHER):
            (watched / ".next").write_bytes(write_csv(told[first : first + TOGETHER]))
            (watched / ".next").rename(watched / f"{first:07d}.csv")
        return time.monotonic() - began_s

    yield f'kind = "cad_folder"\nfolder = "{watched}"\nevery_s = 0.1\nstill_s = 0.1', begin


@contextmanager
def layer(_folder: Path, _net: RoadNetwork, senders: int, count: int) -> Iterator[Told]:
    """Have rows of statuses in a layer, a thousand a page."""
    there = FakeLayer()
    rows: list[dict[str, Any]] = [
        {
            "OBJECTID": number,
            "unit_id": one.unit_id,
            "status": one.status.value,
            "EditDate": round(one.at.timestamp() * 1000),
        }
        for number, one in enumerate(statuses(senders, count), 1)
    ]

    def begin() -> float:
        began_s = time.monotonic()
        there.rows = rows
        return max(time.monotonic() - began_s, 1e-3)

    with listening(there.app()) as port:
        url = f"http://127.0.0.1:{port}/FeatureServer/0"
        yield f'kind = "cad_layer"\nsource = "esri"\nurl = "{url}"\nevery_s = 0.5', begin


FETCHED = {"traccar": traccar, "cad files": files, "cad layer": layer}

"""`rollby serve` killed while phones send by way of a broker: nothing is lost, all counts once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from data.feeds.owntracks_fake import write_owntracks
from data.records import UnitFix
from data.reports import FixReport
from data.store.store import Store
from rollby.service.rights import Role
from tests.rollby.service.served import wait_until
from tests.rollby.service.test_serve_command import keys, running
from tests.servers import free_port, mosquitto

if TYPE_CHECKING:
    from pathlib import Path

TOTAL = 1500
ACL = "user rollby\ntopic read owntracks/#\n\npattern write owntracks/%u/#\n"


def test_a_kill_under_traffic_loses_nothing_and_counts_all_once(
    sample_dir: Path, tmp_path: Path
) -> None:
    address, port = f"sqlite:///{tmp_path}/live.db", free_port()
    watcher = {"Authorization": f"Bearer {keys(address)[Role.SUPERVISOR]}"}
    began = datetime.now(UTC) - timedelta(hours=1)
    told = [
        write_owntracks(
            UnitFix(fixed_at=began + timedelta(seconds=number), lon_deg=-104.99, lat_deg=39.74)
        )
        for number in range(TOTAL)
    ]
    (tmp_path / "p").write_text("r0")

    def counts() -> dict[str, int]:
        found: dict[str, int] = health(port, watcher).get("doors", {}).get("phones", {})
        return found

    def up() -> Any:
        return health(port, watcher).get("listening", {}).get("phones", {}).get("up")

    with mosquitto({"rollby": "r0", "4A12": "p0"}, ACL) as broker:
        (tmp_path / "s.toml").write_text(
            f'[feeds.phones]\nkind = "mqtt"\nbroker = "127.0.0.1:{broker.port}"\n'
            f'transport = "tcp"\nuser = "rollby"\npassword_file = "{tmp_path}/p"\n'
        )
        words = ("--settings", str(tmp_path / "s.toml"))
        phone = Client(CallbackAPIVersion.VERSION2, client_id="phone")
        phone.username_pw_set("4A12", "p0")
        phone.connect("127.0.0.1", broker.port)
        phone.loop_start()
        with running(sample_dir, address, *words, port=port) as process:
            wait_until(up, 60)  # a broker keeps messages from when they are first asked for
            sending = threading.Thread(
                target=lambda: [phone.publish("owntracks/4A12/phone", one, qos=1) for one in told]
            )
            sending.start()
            wait_until(lambda: counts().get("accepted", 0) > TOTAL / 10, 60)
            process.kill()
            process.wait(10)
        with running(sample_dir, address, *words, port=port):
            wait_until(lambda: counts().get("accepted", 0) >= TOTAL, 90)
            sending.join()
            assert counts()["accepted"] == TOTAL
        phone.disconnect()
        phone.loop_stop()
    store = Store(address)
    kept = [event.report for event in store.events() if isinstance(event.report, FixReport)]
    store.close()
    assert len(kept) == len(set(kept)) == TOTAL


def health(port: int, watcher: dict[str, str]) -> dict[str, Any]:
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/api/health", headers=watcher, timeout=5)
    except httpx.TransportError:
        return {}
    found: dict[str, Any] = answer.json()
    return found

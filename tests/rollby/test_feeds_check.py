"""`rollby feeds check`: what came is summed up, and every fault has its word of what to change."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from paho.mqtt import publish
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from data.feeds.cot_fake import write_cot
from data.feeds.owntracks_fake import write_owntracks
from data.feeds.taip_fake import write_taip
from data.feeds.traccar_fake import traccar_device, traccar_position
from data.records import UnitFix
from rollby.feed_report import FeedHeard, Source, feed_report
from tests.data.feeds.web_peers import FakeLayer, FakeTraccar, document_of, listening, row_of
from tests.servers import free_port, mosquitto

if TYPE_CHECKING:
    from pathlib import Path

    from geo.network import RoadNetwork

AT = datetime(2026, 3, 13, 2, tzinfo=UTC)


def fixes(
    count: int = 12,
    *,
    every_s: float = 5.0,
    age_s: float = 0.4,
    lon_deg: float = -104.98765,
    lat_deg: float = 39.7400,
    speed_mps: float | None = 9.0,
    heading_deg: float | None = 90.0,
) -> Source:
    source = Source("4A12")
    for number in range(count):
        fixed_at = AT + timedelta(seconds=number * every_s)
        fix = UnitFix(
            fixed_at=fixed_at,
            lon_deg=lon_deg,
            lat_deg=lat_deg,
            speed_mps=speed_mps,
            heading_deg=heading_deg,
        )
        source.fixes.append(fix)
        source.arrived_at.append(fixed_at + timedelta(seconds=age_s))
    return source


def report(net: RoadNetwork | None, **sources: Source) -> dict[str, Any]:
    return feed_report(FeedHeard("cars", "taip", up=True, sources=sources), net, 60.0)


def test_what_came_is_summed_up_by_source(denver: RoadNetwork) -> None:
    table = denver.table
    lon_deg, lat_deg = float(table.lon_deg[0]), float(table.lat_deg[0])
    source = fixes(lon_deg=lon_deg, lat_deg=lat_deg)
    source.fixes.append(source.fixes[-1])
    source.arrived_at.append(source.arrived_at[-1] + timedelta(seconds=7))
    told = report(denver, **{"0012": source})
    (one,) = told["sources"]
    assert told["advice"] == []
    assert (one["source"], one["unit_id"], one["fixes"], one["duplicates"]) == (
        "0012",
        "4A12",
        13,
        1,
    )
    assert (one["every_s"], one["age_p50_s"], one["age_max_s"]) == (5.0, 0.4, 7.4)
    assert (one["off_road_p50_m"], one["off_road"], one["no_road"]) == (0.0, 0, 0)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (fixes(every_s=30.0), "0012: reports every 30 s while driving: set 5 s"),
        (fixes(age_s=-18.2), "0012: is 18 s ahead: it sends GPS time, not UTC"),
        (fixes(age_s=-60.0), "0012: is 60 s ahead of this machine"),
        (fixes(age_s=40.0), "0012: fixes are 40 s old when they come"),
        (
            fixes(lon_deg=39.74, lat_deg=-84.0),
            "0012: 12 of 12 fixes lie over 250 m from every road",
        ),
        (fixes(speed_mps=None), "0012: tells no speed"),
        (fixes(heading_deg=None), "0012: 12 of 12 fixes in motion have no heading"),
    ],
)
def test_each_fault_of_a_source_has_its_advice(
    source: Source, why: str, denver: RoadNetwork
) -> None:
    source.fixes = [
        UnitFix(
            fixed_at=one.fixed_at,
            lon_deg=float(denver.table.lon_deg[0]) if one.lat_deg > 0 else one.lon_deg,
            lat_deg=float(denver.table.lat_deg[0]) if one.lat_deg > 0 else one.lat_deg,
            speed_mps=one.speed_mps,
            heading_deg=one.heading_deg,
        )
        for one in source.fixes
    ]
    told = report(denver, **{"0012": source})
    assert [one[: len(why)] for one in told["advice"]] == [why]


def test_a_fix_beside_every_road_is_said(denver: RoadNetwork) -> None:
    table = denver.table
    west = int(table.lon_deg.argmin())
    source = fixes(lon_deg=float(table.lon_deg[west]) - 0.0012, lat_deg=float(table.lat_deg[west]))
    (advice,) = report(denver, **{"0012": source})["advice"]
    assert advice.startswith("0012: 12 of 12 fixes lie over 50 m from a road")


def test_a_car_that_stands_may_report_seldom_and_without_a_heading() -> None:
    source = fixes(every_s=60.0, speed_mps=0.0, heading_deg=None)
    assert report(None, **{"0012": source})["advice"] == []


def test_one_unit_by_two_names_is_said() -> None:
    (advice,) = report(None, a=fixes(), b=fixes())["advice"]
    assert advice.startswith("4A12 is sent by a and b")


def test_silence_losses_and_refusals_are_said() -> None:
    silent = feed_report(FeedHeard("cars", "taip", up=True), None, 60.0)
    assert silent["advice"][0].startswith("nothing came in 60 s: ")
    noted = FeedHeard("phones", "mqtt", up=True, noted=Counter({"status": 2}))
    (advice,) = feed_report(noted, None, 60.0)["advice"]
    assert advice.startswith("messages came in 60 s, and no position: is reporting switched off")
    lossy = FeedHeard("cars", "taip", up=True, dropped=7, reasons=Counter({"no": 3}))
    told = feed_report(lossy, None, 60.0)
    assert told["advice"][0].startswith("7 came faster than they were taken")
    assert told["refusals"] == [{"reason": "no", "count": 3}]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("cad_folder", "has the CAD written no file meanwhile"),
        ("cad_layer", "are there rows, does `where` or `only` leave any?"),
        ("traccar", "does this user see the devices"),
    ],
)
def test_the_silence_of_each_kind_has_its_own_advice(kind: str, why: str) -> None:
    (advice,) = feed_report(FeedHeard("x", kind, up=True), None, 60.0)["advice"]
    assert advice.startswith(f"nothing came in 60 s: {why}")


def check(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "rollby", "feeds", "check", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def settings_file(folder: Path, port: int, more: str = "") -> str:
    text = f'[feeds.cars]\nkind = "taip"\nlisten = "127.0.0.1:{port}"\n'
    (folder / "s.toml").write_text(text + more)
    return str(folder / "s.toml")


def send_until(process: subprocess.Popen[str], port: int) -> tuple[str, str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        while process.poll() is None:
            fix = UnitFix(
                fixed_at=datetime.now(UTC), lon_deg=-104.98765, lat_deg=39.74, speed_mps=9
            )
            for device in ("0012", "0013"):
                out.sendto(write_taip("LN", fix, device=device), ("127.0.0.1", port))
            time.sleep(0.05)
    return process.communicate()


def test_real_senders_are_told_apart(tmp_path: Path, sample_dir: Path) -> None:
    port = free_port()
    settings = settings_file(tmp_path, port, '[feeds.cars.devices]\n0012 = "4A12"\n')
    process = check(
        "--settings", settings, "--listen", "1.5", "--roads", str(sample_dir / "denver.roads")
    )
    out, err = send_until(process, port)
    assert process.returncode == 0, err
    assert err == "listening for 1.5 s; Ctrl-C ends it sooner\n"
    assert re.match(r"cars \(taip\): \d+ fixes, \d+ refused\n", out)
    assert re.search(r"^0012 +4A12 +\d+", out, re.MULTILINE)
    assert re.search(r"  refused \d+ x  device=0013: is no device of this feed", out)


def test_json_and_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        settings = settings_file(tmp_path, other.getsockname()[1])
        process = check("--settings", settings, "--listen", "0.5", "--json")
        out, err = process.communicate()
    assert process.returncode == 4
    assert "cannot be listened on" in err
    (feed,) = json.loads(out)["feeds"]
    assert (feed["up"], feed["fixes"]) == (False, 0)
    assert "cannot be listened on" in feed["advice"][0]


def test_phones_with_atak_are_told_apart(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "s.toml").write_text(
        f'[feeds.tak]\nkind = "cot"\nlisten = "127.0.0.1:{port}"\nnamed_by = "callsign"\n'
        f'[feeds.tak.devices]\n"CAR 12" = "4A12"\n'
    )
    process = check("--settings", str(tmp_path / "s.toml"), "--listen", "1.5")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        while process.poll() is None:
            fix = UnitFix(fixed_at=datetime.now(UTC), lon_deg=-104.98765, lat_deg=39.74)
            for data in (
                write_cot(fix, uid="ANDROID-1", callsign="CAR 12"),
                write_cot(fix, uid="ANDROID-1", callsign="CAR 12", kind="b-m-p-s-m"),
                write_cot(fix, uid="ANDROID-2", callsign="CAR 13", how="h-e"),
            ):
                out.sendto(data, ("127.0.0.1", port))
            time.sleep(0.05)
    told, err = process.communicate()
    assert process.returncode == 0, err
    assert re.match(r"tak \(cot\): \d+ fixes, \d+ refused, \d+ of marker, no position\n", told)
    assert re.search(r"^CAR 12 +4A12 +\d+", told, re.MULTILINE)
    assert re.search(r"  refused \d+ x  cot how=h-e: must be measured", told)


def test_a_look_at_a_broker_leaves_the_services_session_alone(tmp_path: Path) -> None:
    """The same client id would end the other's connection, and take its messages."""
    acl = "user rollby\ntopic readwrite owntracks/#\n"
    auth = {"username": "rollby", "password": "r0"}
    (tmp_path / "p").write_text("r0")
    with mosquitto({"rollby": "r0"}, acl) as broker:
        service = Client(
            CallbackAPIVersion.VERSION2, client_id="rollby-phones", clean_session=False
        )
        service.username_pw_set("rollby", "r0")
        got: list[bytes] = []
        ended: list[object] = []

        def subscribe(*_: object) -> None:
            service.subscribe("owntracks/+/+", 1)

        service.on_connect = subscribe
        service.on_message = lambda _client, _data, message: got.append(bytes(message.payload))
        service.on_disconnect = lambda *_: ended.append(1)
        service.connect("127.0.0.1", broker.port)
        service.loop_start()
        (tmp_path / "s.toml").write_text(
            f'[feeds.phones]\nkind = "mqtt"\nbroker = "127.0.0.1:{broker.port}"\n'
            f'transport = "tcp"\nuser = "rollby"\npassword_file = "{tmp_path}/p"\n'
        )
        process = check("--settings", str(tmp_path / "s.toml"), "--listen", "3")
        sent = 0
        while process.poll() is None:
            sent += 1
            at = datetime.now(UTC) - timedelta(seconds=1000 - sent)
            message = write_owntracks(UnitFix(fixed_at=at, lon_deg=-104.99, lat_deg=39.74))
            to = {"hostname": "127.0.0.1", "port": broker.port, "auth": auth, "qos": 1}
            publish.single("owntracks/4A12/phone", message, **to)  # type: ignore[arg-type]
            publish.single("owntracks/4A12/phone", b'{"_type": "card"}', **to)  # type: ignore[arg-type]
            time.sleep(0.05)
        out, err = process.communicate()
        deadline = time.monotonic() + 10
        while len(got) < 2 * sent and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not ended
        service.disconnect()
        service.loop_stop()
    assert process.returncode == 0, err
    assert re.match(r"phones \(mqtt\): \d+ fixes, \d+ of card, no position\n", out)
    assert re.search(r"^4A12 +4A12 +\d+", out, re.MULTILINE)
    assert len(got) == 2 * sent


def test_a_look_at_dispatch_systems_and_a_traccar_server_takes_nothing_away(
    tmp_path: Path, sample_dir: Path
) -> None:
    folder, layer, server = tmp_path / "cad", FakeLayer(), FakeTraccar()
    folder.mkdir()
    now = datetime.now(UTC) - timedelta(seconds=30)
    codes = f"unit_id,status,at\n4A12,10-8,{now.isoformat()}\n4A13,10-97,{now.isoformat()}\n"
    (folder / "units.csv").write_text(codes)
    layer.document = document_of(row_of(1, "T-1", 1773367273123))
    server.devices = [traccar_device(3, "4A12", "352")]
    fix = UnitFix(fixed_at=now, lon_deg=-104.98765, lat_deg=39.74, speed_mps=9.0, heading_deg=90.0)
    server.positions = [traccar_position(fix, 3)]
    (tmp_path / "t").write_text(server.token)
    with listening(layer.app()) as port, listening(server.app()) as traccar_port:
        (tmp_path / "s.toml").write_text(
            f'[units.status]\n"10-8" = "available"\n'
            f'[feeds.files]\nkind = "cad_folder"\nfolder = "{folder}"\nstill_s = 0.1\n'
            f'[feeds.calls]\nkind = "cad_layer"\nurl = "http://127.0.0.1:{port}/calls.geojson"\n'
            'instants = "epoch_ms"\n'
            f'[feeds.cars]\nkind = "traccar"\nserver = "http://127.0.0.1:{traccar_port}"\n'
            f'token_file = "{tmp_path}/t"\nuser_id = {server.user_id}\n'
        )
        roads = str(sample_dir / "denver.roads")
        words = ("--settings", str(tmp_path / "s.toml"), "--listen", "4", "--roads", roads)
        out, err = check(*words).communicate()
    assert err == "listening for 4 s; Ctrl-C ends it sooner\n"
    assert "files (cad_folder): 0 fixes, 1 statuses, 1 refused\n" in out
    assert "refused 1 x  units.csv:3 status=10-97: must be one of 10-8, available" in out
    assert "calls (cad_layer): 0 fixes, 1 stops\n" in out
    assert re.search(r"^cars \(traccar\): [12] fixes\n", out, re.MULTILINE)
    assert re.search(r"^4A12 +4A12 +[12]", out, re.MULTILINE)
    assert [path.name for path in folder.iterdir()] == ["units.csv"]


def test_settings_without_feeds_are_no_check(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("")
    process = check("--settings", str(tmp_path / "s.toml"))
    _, err = process.communicate()
    assert process.returncode == 3
    assert "s.toml: has no table feeds.NAME" in err

"""`rollby serve` as it is started, killed, started again, and stood by for."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import warnings
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest
import trustme

from data.feeds.taip_fake import write_taip
from data.records import UnitFix
from data.settings import AccessRules
from data.store.audit import Audit, Head
from data.store.opening import prepared
from rollby.cli import main
from rollby.service.access import Access
from rollby.service.administration import add_key
from rollby.service.callers import Caller
from rollby.service.rights import Role
from tests.rollby.service.served import wait_until
from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHIEF = Caller(name="chief", role=Role.ADMINISTRATOR, how="command")


def keys(address: str) -> dict[Role, str]:
    """Make keys, before or while it runs."""
    engine = prepared(address)
    access = Access(engine, AccessRules(), lambda: int(time.time() * 1000))
    made = {
        role: add_key(access, CHIEF, name=role, role=role, unit_ids=("*",), agency="").text
        for role in (Role.FEED, Role.SUPERVISOR)
    }
    engine.dispose()
    return made


@contextmanager
def running(sample: Path, address: str, *words: str, port: int) -> Iterator[subprocess.Popen[str]]:
    """Start it; kill it in the end."""
    command = [sys.executable, "-m", "rollby", "serve", "--roads", str(sample / "denver.roads")]
    command += ["--store", address, "--listen", f"127.0.0.1:{port}", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        try:
            yield process
        finally:
            process.kill()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def answers(base: str, *, verify: ssl.SSLContext | bool = True) -> bool:
    """Whether it is there."""
    try:
        return httpx.get(f"{base}/readyz", verify=verify).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def send(base: str, key: str, number: int) -> None:
    """Report a fix, and a stop of its own each time."""
    sends = bearer(key)
    fix: dict[str, str | float] = {
        "id": "4A12",
        "lat": 39.744,
        "lon": -104.99,
        "timestamp": time.time(),
    }
    httpx.get(f"{base}/feeds/osmand", params=fix, headers=sends).raise_for_status()
    body = {"unit_id": "4A12", "started_at": "2026-01-01T00:00:00Z", "phase": "cleared"}
    httpx.put(f"{base}/api/stops/K{number}", json=body, headers=sends).raise_for_status()


def test_what_was_acknowledged_is_there_after_every_kill(
    address: str, sample_dir: Path, tmp_path: Path
) -> None:
    made, port, sent = keys(address), free_port(), 0
    base = f"http://127.0.0.1:{port}"
    looks = bearer(made[Role.SUPERVISOR])
    for _ in range(3):
        with running(sample_dir, address, port=port) as process:
            wait_until(lambda: answers(base), 60)
            for _ in range(5):
                send(base, made[Role.FEED], sent)
                sent += 1
            process.send_signal(signal.SIGKILL)
            process.wait()
    with running(sample_dir, address, port=port) as process:
        wait_until(lambda: answers(base), 60)
        doors = httpx.get(f"{base}/api/health", headers=looks).json()["doors"]
        assert (doors["osmand"]["accepted"], doors["cad"]["accepted"]) == (sent, sent)
        (unit,) = httpx.get(f"{base}/api/live", headers=looks).json()["units"]
        assert (unit["unit_id"], unit["freshness"]) == ("4A12", "fresh")
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    told = [json.loads(line) for line in said.splitlines()]
    assert [one["event"] for one in told] == ["started", "stopped"]
    # Its latitude is nowhere; seconds of a timestamp may look like one.
    assert not any("39.7" in json.dumps(one | {"timestamp": ""}) for one in told)
    assert tmp_path.exists()
    seq, _, digest = json.loads(said.splitlines()[0])["audit_head"].partition(":")
    engine = prepared(address)
    audit = Audit(engine)
    assert audit.faults(Head(int(seq), digest)) == []
    settings = [note.facts["set"] for note in audit.notes() if note.action == "settings"]
    assert settings == [{"service.listen": f"127.0.0.1:{port}"}]
    engine.dispose()


def test_replay_says_what_the_service_said_and_why_through_a_kill(
    address: str, sample_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, port = keys(address), free_port()
    base, roads = f"http://127.0.0.1:{port}", str(sample_dir / "denver.roads")
    looks = bearer(made[Role.SUPERVISOR])
    places = {"4A12": (-104.990, 39.744), "4A13": (-104.990, 39.746), "4A14": (-104.985, 39.742)}

    def asked() -> set[str]:
        stops = httpx.get(f"{base}/api/live", headers=looks).json()["stops"]
        return {stop["asked"]["suggestion_id"] for stop in stops if stop["asked"]}

    with httpx.Client(base_url=base, headers=bearer(made[Role.FEED])) as feed:

        def report(unit_id: str, status: str) -> None:
            lon, lat = places[unit_id]
            fix: dict[str, str | float] = {"id": unit_id, "lon": lon, "lat": lat, "speed": 0}
            fix["timestamp"] = time.time()
            feed.get("/feeds/osmand", params=fix).raise_for_status()
            feed.post("/api/statuses", json={"unit_id": unit_id, "status": status})

        def stop(stop_id: str, unit_id: str) -> None:
            body = {"unit_id": unit_id, "started_at": datetime.now(UTC).isoformat()}
            feed.put(f"/api/stops/{stop_id}", json=body).raise_for_status()

        with running(sample_dir, address, port=port) as process:
            wait_until(lambda: answers(base), 60)
            for unit_id in places:
                report(unit_id, "available")
            stop("T-1", "4A12")
            wait_until(lambda: asked() == {"T-1/1"})
            process.send_signal(signal.SIGKILL)
            process.wait()
        with running(sample_dir, address, port=port) as process:
            wait_until(lambda: answers(base), 60)
            report("4A14", "available")
            stop("T-2", "4A13")
            (after,) = wait_until(lambda: asked() - {"T-1/1"})
            assert main(["replay", "--roads", roads, "--store", address, "--json"]) == 0
            told = capsys.readouterr()
            said = json.loads(told.out)["said"]
            process.send_signal(signal.SIGTERM)
            process.wait()
    assert "as the service said it, word for word: " in told.err
    (first, second) = [one for one in said if one["kind"] == "suggested"][:2]
    assert (first["suggestion_id"], second["suggestion_id"]) == ("T-1/1", after)
    ask = ["--why", f"{second['unit_id']}@{second['at']}"]
    assert main(["replay", "--roads", roads, "--store", address, *ask]) == 0
    assert "by road" in capsys.readouterr().out
    assert main(["replay", "--roads", roads, "--store", f"{address}x"]) != 0
    assert "there" in capsys.readouterr().err


def test_who_stands_by_takes_over_with_the_same_state(address: str, sample_dir: Path) -> None:
    made, first, second = keys(address), free_port(), free_port()
    looks = bearer(made[Role.SUPERVISOR])
    bases = [f"http://127.0.0.1:{port}" for port in (first, second)]
    with running(sample_dir, address, port=first) as leader:
        wait_until(lambda: answers(bases[0]), 60)
        with running(sample_dir, address, "--standby", port=second):
            send(bases[0], made[Role.FEED], 0)
            before = httpx.get(f"{bases[0]}/api/live", headers=looks).json()["units"]
            time.sleep(5)  # it has read its roads, and waits
            assert not answers(bases[1])
            leader.send_signal(signal.SIGKILL)
            leader.wait()
            wait_until(lambda: answers(bases[1]), 10)
            after = httpx.get(f"{bases[1]}/api/live", headers=looks).json()["units"]
    assert after == before


def test_a_second_one_does_not_start(tmp_path: Path, sample_dir: Path) -> None:
    address, port = f"sqlite:///{tmp_path}/live.db", free_port()
    with running(sample_dir, address, port=port):
        wait_until(lambda: answers(f"http://127.0.0.1:{port}"), 60)
        with running(sample_dir, address, port=free_port()) as other:
            _, said = other.communicate(timeout=60)
            assert other.returncode == 4
            assert "another rollby writes to it" in said
        with running(sample_dir, f"sqlite:///{tmp_path}/b.db", port=port) as other:
            _, said = other.communicate(timeout=60)
            assert other.returncode == 4
            assert f"service.listen=127.0.0.1:{port}: cannot be listened on; is it taken?" in said


def test_it_listens_at_the_doors_of_its_settings(tmp_path: Path, sample_dir: Path) -> None:
    address, port, door = f"sqlite:///{tmp_path}/live.db", free_port(), free_port()
    made = keys(address)
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'[feeds.cars]\nkind = "taip"\nlisten = "127.0.0.1:{door}"\nfrom = ["127.0.0.0/8"]\n'
        '[feeds.cars.devices]\n0012 = "4A12"\n'
    )
    looks = bearer(made[Role.SUPERVISOR])
    base = f"http://127.0.0.1:{port}"
    with running(sample_dir, address, "--settings", str(settings), port=port):
        wait_until(lambda: answers(base), 60)
        fix = UnitFix(fixed_at=datetime.now(UTC), lon_deg=-104.99, lat_deg=39.744, speed_mps=9.0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(write_taip("LN", fix, device="0012"), ("127.0.0.1", door))
        found = wait_until(lambda: httpx.get(f"{base}/api/live", headers=looks).json()["units"])
        assert [one["unit_id"] for one in found] == ["4A12"]


def test_it_speaks_tls_where_it_has_a_certificate(tmp_path: Path, sample_dir: Path) -> None:
    authority = trustme.CA()
    issued, port = authority.issue_cert("127.0.0.1"), free_port()
    issued.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'[service]\ntls_certificate = "{tmp_path}/cert.pem"\ntls_key = "{tmp_path}/key.pem"\n'
    )
    address = f"sqlite:///{tmp_path}/live.db"
    with running(sample_dir, address, "--settings", str(settings), port=port):
        trusted = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        wait_until(lambda: answers(f"https://127.0.0.1:{port}", verify=trusted), 60)
        answer = httpx.get(f"https://127.0.0.1:{port}/healthz", verify=trusted)
        assert "max-age" in answer.headers["strict-transport-security"]
        assert agreed(port, trusted, ssl.TLSVersion.TLSv1_3)[1] == "TLSv1.3"
        name, version, _ = agreed(port, trusted, ssl.TLSVersion.TLSv1_2)
        assert (version, name.startswith("ECDHE-")) == ("TLSv1.2", True)
        assert "GCM" in name or "CHACHA20" in name
        weak = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        weak.set_ciphers("ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0")
        with pytest.raises(ssl.SSLError):
            agreed(port, weak, ssl.TLSVersion.TLSv1_2)
        weak.set_ciphers("ALL:@SECLEVEL=0")
        weak.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.raises(ssl.SSLError), warnings.catch_warnings(action="ignore"):
            agreed(port, weak, ssl.TLSVersion.TLSv1_1)


def agreed(port: int, context: ssl.SSLContext, newest: ssl.TLSVersion) -> tuple[str, str, int]:
    """Agree on a cipher and a version with the service, no newer than one."""
    context.maximum_version = newest
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as line,
        context.wrap_socket(line, server_hostname="127.0.0.1") as secret,
    ):
        cipher = secret.cipher()
        assert cipher
        return cipher[0], str(secret.version()), cipher[2]


@pytest.mark.parametrize(
    ("listen", "why"),
    [
        ("0.0.0.0:8340", "others could read along"),
        ("8340", "rollby serve service.listen=8340: must be HOST:PORT"),
    ],
)
def test_it_does_not_listen_where_it_must_not(
    tmp_path: Path, sample_dir: Path, listen: str, why: str
) -> None:
    command = [sys.executable, "-m", "rollby", "serve", "--roads", f"{sample_dir}/denver.roads"]
    command += ["--store", f"sqlite:///{tmp_path}/x.db", "--listen", listen]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert why in done.stderr

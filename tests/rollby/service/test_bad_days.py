"""Bad days of the live service, each with the real thing: a full disk, a dead database, a clock."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from data.feeds.senders import AT_A_STRETCH
from data.settings import Settings
from rollby.service.rights import Role
from tests.rollby.service.served import wait_until
from tests.rollby.service.test_serve_command import answers, bearer, keys, running, send
from tests.servers import free_port, missing, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rollby.service.served import Service


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """Give a folder that holds no more than so much."""
    place.mkdir()
    if os.geteuid() != 0 or not mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", place):
        missing("no small disk: only root may mount one")
    try:
        yield place
    finally:
        subprocess.run(["/usr/bin/umount", str(place)], check=True)


def mount(*words: str | Path) -> bool:
    return not subprocess.run(
        ["/usr/bin/mount", *words], check=False, capture_output=True
    ).returncode


def batch(count: int) -> dict[str, Any]:
    """Fixes that no parser minds, each of a unit of its own."""
    at = datetime.now(UTC).isoformat()
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [-104.99, 39.744]},
            "properties": {"unit_id": f"U{number}-{at}", "fixed_at": at},
        }
        for number in range(count)
    ]
    return {"type": "FeatureCollection", "features": features}


def doors(base: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{base}/api/health", headers=bearer(key)).json()["doors"]
    return found


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path, sample_dir: Path) -> None:
    with small_disk(tmp_path / "small", 3) as place:
        address, port = f"sqlite:///{place}/live.db", free_port()
        made, base, taken = keys(address), f"http://127.0.0.1:{port}", 0
        with running(sample_dir, address, port=port) as process:
            wait_until(lambda: answers(base), 60)
            feed = bearer(made[Role.FEED])
            with httpx.Client(base_url=base, headers=feed, timeout=30) as http:
                for _ in range(1000):
                    answer = http.post("/feeds/geojson", json=batch(100))
                    if answer.status_code != httpx.codes.OK:
                        break
                    taken += answer.json()["accepted"]
            assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
            assert int(answer.headers["retry-after"]) > 0
            _, said = process.communicate(timeout=30)
            assert process.returncode == 4
            assert "service.store: failed (OperationalError" in said
            assert "nothing that was acknowledged is lost, start again" in said
        assert mount("-o", "remount,size=64m", place)
        with running(sample_dir, address, port=port):
            wait_until(lambda: answers(base), 60)
            assert taken > 0
            assert doors(base, made[Role.SUPERVISOR])["geojson"]["accepted"] == taken


def test_a_database_that_goes_and_comes_back(sample_dir: Path) -> None:
    with postgres() as server:
        made, port = keys(server.address), free_port()
        base, feed = f"http://127.0.0.1:{port}", made[Role.FEED]
        with running(sample_dir, server.address, port=port) as process:
            wait_until(lambda: answers(base), 60)
            for number in range(3):
                send(base, feed, number)
            server.stop()
            fix: dict[str, Any] = {"id": "4A12", "lat": 39.7, "lon": -105, "timestamp": time.time()}
            answer = httpx.get(f"{base}/feeds/osmand", params=fix, headers=bearer(feed), timeout=30)
            assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
            _, said = process.communicate(timeout=30)
            assert process.returncode == 4
            assert "service.store: failed" in said
        with running(sample_dir, server.address, port=port) as process:
            _, said = process.communicate(timeout=60)
            assert process.returncode == 4
            assert "service.store" in said
        server.start()
        with running(sample_dir, server.address, port=port):
            wait_until(lambda: answers(base), 60)
            send(base, feed, 3)
            found = doors(base, made[Role.SUPERVISOR])
            assert (found["osmand"]["accepted"], found["cad"]["accepted"]) == (4, 4)


def test_a_clock_put_back_an_hour_is_said_and_turns_nothing_round(
    tmp_path: Path, sample_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        missing("no libfaketime on this machine (Debian, Ubuntu: apt install libfaketime)")
    hands = tmp_path / "hands"
    hands.write_text("+0")
    address, port = f"sqlite:///{tmp_path}/live.db", free_port()
    made, base = keys(address), f"http://127.0.0.1:{port}"
    looks = bearer(made[Role.SUPERVISOR])
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(hands))
    monkeypatch.setenv("FAKETIME_NO_CACHE", "1")
    monkeypatch.setenv("DONT_FAKE_MONOTONIC", "1")
    with running(sample_dir, address, port=port) as process:
        monkeypatch.delenv("LD_PRELOAD")
        wait_until(lambda: answers(base), 60)
        send(base, made[Role.FEED], 0)
        before = httpx.get(f"{base}/api/live", headers=looks).json()
        hands.write_text("-3600")
        send(base, made[Role.FEED], 1)
        after = httpx.get(f"{base}/api/live", headers=looks).json()
        health = httpx.get(f"{base}/api/health", headers=looks).json()
        assert before["at"] < after["at"]
        assert 3590 < health["clock_fast_by_s"] < 3610
        (unit,) = after["units"]
        assert unit["freshness"] == "fresh"
        assert unit["fixed_at"] > before["units"][0]["fixed_at"]
        time.sleep(2.5)  # it looks once a second
        process.terminate()
        _, said = process.communicate(timeout=30)
    told = [json.loads(line) for line in said.splitlines()]
    (warned,) = [one for one in told if one["event"] == "clock was put back"]
    assert (warned["level"], round(warned["fast_by_s"], -1)) == ("warning", 3600)


@pytest.mark.parametrize(
    "settings", [Settings.model_validate({"service": {"most_hz": 1.0}})], ids=["one a second"]
)
def test_a_phone_gone_mad_is_slowed_and_refused_and_no_other(
    service: Service, settings: Settings
) -> None:
    assert settings.service.most_hz == 1
    service.on_duty()
    many = batch(2 * AT_A_STRETCH)["features"]
    for number, one in enumerate(many):
        at = datetime.now(UTC) - timedelta(hours=8) + timedelta(seconds=number)
        one["properties"] |= {"unit_id": "4A12", "fixed_at": at.isoformat()}
    half = len(many) // 2

    def send(features: list[Any]) -> httpx.Response:
        told = {"type": "FeatureCollection", "features": features}
        return service.http.post("/feeds/geojson", json=told, timeout=60)

    for first in range(0, half, 5000):  # a shift out of a dead zone
        assert send(many[first : first + 5000]).json()["accepted"] == 5000
    began_s = time.monotonic()
    assert send(many[half : half + 2]).status_code == httpx.codes.OK
    assert time.monotonic() - began_s > 0.5
    service.running.pace.wait_s("4A12", 30)
    refused = send(many[half + 2 : half + 4])
    assert refused.status_code == httpx.codes.TOO_MANY_REQUESTS
    assert refused.json()["detail"] == (
        "unit_id=4A12: must be at most 1 fixes a second; "
        "have it send less often, or see service.most_hz"
    )
    assert int(refused.headers["retry-after"]) > 5
    began_s = time.monotonic()
    service.seen("4A13").raise_for_status()
    assert time.monotonic() - began_s < 5


@pytest.mark.parametrize(
    "settings", [Settings.model_validate({"service": {"most_hz": 1.0}})], ids=["one a second"]
)
def test_what_is_answered_slowly_is_safe_before_the_wait(
    service: Service, settings: Settings
) -> None:
    """Who gives up meanwhile and tries again would else be charged each time, and never heard."""
    assert settings.service.most_hz == 1
    service.on_duty()
    told = batch(3)
    for number, one in enumerate(told["features"]):
        at = datetime.now(UTC) - timedelta(seconds=number)
        one["properties"] |= {"unit_id": "4A12", "fixed_at": at.isoformat()}
    service.running.pace.wait_s("4A12", AT_A_STRETCH)
    sending = Thread(target=lambda: service.http.post("/feeds/geojson", json=told))
    sending.start()
    time.sleep(1)
    safe = service.running.store.counters().get("geojson", {}).get("accepted", 0)
    assert sending.is_alive()
    sending.join()
    assert safe == 3

"""Dispatch systems and a Traccar server at a running service: real sockets, files and store."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from data.errors import InputError
from data.events import StatusChange
from data.feeds.cad_fake import write_csv
from data.feeds.traccar_fake import traccar_device, traccar_position, write_traccar
from data.records import UnitFix, UnitStatus
from data.settings import Settings, read_settings, settings_toml
from data.store.store import Store
from rollby.service import keeping
from rollby.service.doors import door_of
from rollby.service.rights import Role
from tests.data.feeds.web_peers import FakeLayer, FakeTraccar, listening, row_of
from tests.rollby.service.served import serving, wait_until
from tests.rollby.service.test_serve_command import keys, running
from tests.rollby.service.test_serve_mqtt import health as health_at
from tests.servers import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from geo.network import RoadNetwork
    from tests.rollby.service.served import Service

QUICK = {"every_s": 0.02, "still_s": 0.02}


def settings_of(feed: dict[str, Any], **more: Any) -> Settings:
    return Settings.model_validate({"feeds": {"dispatch": feed}, **more})


def drop(folder: Path, name: str, content: bytes) -> None:
    """Write a file as a careful dispatch system does."""
    (folder / f".{name}").write_bytes(content)
    (folder / f".{name}").rename(folder / name)


def door(service: Service, name: str = "dispatch") -> dict[str, Any]:
    found: dict[str, Any] = service.http.get("/api/health").json()["listening"].get(name, {})
    return found


def counts(service: Service, name: str = "dispatch") -> dict[str, int]:
    found: dict[str, int] = service.http.get("/api/health").json()["doors"].get(name, {})
    return found


def stops(service: Service) -> list[str]:
    return [one["stop_id"] for one in service.live()["stops"]]


def test_a_stop_begins_and_ends_by_a_units_status_alone_in_a_dropped_file(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    folder = tmp_path / "cad"
    folder.mkdir()
    feed = {"kind": "cad_folder", "folder": str(folder), "agency": "City", **QUICK}
    codes = {"10-38": "on_stop", "10-8": "available", "10-4": "none"}
    settings = settings_of(feed, agencies={"status": {"City": codes}})
    with serving(f"sqlite:///{tmp_path}/live.db", denver, settings) as service:
        service.seen("4A12")
        now = datetime.now(UTC)
        drop(folder, "1.csv", f"unit_id,status,at\n4A12,10-38,{now.isoformat()}\n".encode())
        wait_until(lambda: stops(service) == ["status:4A12"])
        (stop,) = service.live()["stops"]
        assert stop["from_status"] is True
        unknown = f"unit_id,status\n4A12,10-4\n4A12,10-97\n4A12,10-8,{now.isoformat()}\n"
        drop(folder, "2.csv", unknown.encode())
        letters = wait_until(
            lambda: len(found := service.http.get("/api/dead-letters").json()) == 2 and found
        )
        assert stops(service) == ["status:4A12"]
        drop(folder, "3.csv", b"unit_id,status\n4A12,10-8\n")
        wait_until(lambda: stops(service) == [])
        assert letters[0]["sender"] == "2.csv"
        assert letters[0]["reason"].startswith("2.csv:3 status=10-97: must be one of 10-38, 10-8")
        assert 'map the agency\'s codes in [agencies.status."City"]' in letters[0]["reason"]
        assert counts(service) == {"accepted": 2, "refused": 2}
        assert door(service)["noted"] == {"changes no status": 1}
        assert service.live()["units"][0]["agency"] == "City"


def test_the_same_file_twice_and_a_snapshot_every_minute_count_once(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    folder = tmp_path / "cad"
    folder.mkdir()
    settings = settings_of({"kind": "cad_folder", "folder": str(folder), **QUICK})
    begun = datetime.now(UTC) - timedelta(minutes=3)
    snapshot = f"stop_id,unit_id,started_at\nT-1,4A12,{begun.isoformat()}\n".encode()
    with serving(f"sqlite:///{tmp_path}/live.db", denver, settings) as service:
        service.seen("4A12")
        service.shows("4A12")
        for number in range(3):
            drop(folder, "open.csv", snapshot)
            wait_until(lambda: sum(counts(service).values()) == number + 1)  # noqa: B023
        assert counts(service) == {"accepted": 1, "duplicate": 2}
        custody = {"phase": "custody", "needs": 3}
        service.http.patch("/api/stops/T-1", json=custody).raise_for_status()
        drop(folder, "open.csv", snapshot.replace(b"4A12", b"4A14"))
        wait_until(lambda: counts(service)["accepted"] == 2)
        (stop,) = service.live()["stops"]
        assert (stop["unit_id"], stop["phase"], stop["needs"]) == ("4A14", "custody", 3)


def test_a_layer_that_fails_is_said_and_comes_back_by_itself(
    tmp_path: Path, denver: RoadNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(keeping, "LONGEST_WAIT_S", 0.2)
    layer, port = FakeLayer(), free_port()
    url = f"http://127.0.0.1:{port}/FeatureServer/0"
    feed = {"kind": "cad_layer", "url": url, "source": "esri", "every_s": 0.05}
    edited_ms = round(datetime.now(UTC).timestamp() * 1000)
    layer.rows = [row_of(1, "T-1", edited_ms, started_at=edited_ms)]
    with serving(f"sqlite:///{tmp_path}/live.db", denver, settings_of(feed)) as service:
        service.seen("4A12")
        service.shows("4A12")
        wait_until(lambda: "cannot be reached" in door(service).get("error", ""))
        with listening(layer.app(), port):
            wait_until(lambda: stops(service) == ["T-1"])
            assert door(service)["up"] is True
            assert door(service)["error"] == ""
        wait_until(lambda: door(service)["up"] is False)
        ended = row_of(1, "T-1", edited_ms + 1000, started_at=edited_ms, ended_at=edited_ms + 1000)
        layer.rows = [ended]
        with listening(layer.app(), port):
            wait_until(lambda: stops(service) == [])
        assert counts(service) == {"accepted": 2}


def test_a_layer_of_statuses_begins_and_ends_a_stop(tmp_path: Path, denver: RoadNetwork) -> None:
    layer = FakeLayer()
    now_ms = round(datetime.now(UTC).timestamp() * 1000) - 10_000
    layer.rows = [{"OBJECTID": 1, "Unit": "4A12", "Code": "on_stop", "EditDate": now_ms}]
    with listening(layer.app()) as port:
        url = f"http://127.0.0.1:{port}/FeatureServer/0"
        fields = {"unit_id": "Unit", "status": "Code"}
        feed = {"kind": "cad_layer", "url": url, "source": "esri", "every_s": 0.05}
        settings = settings_of({**feed, "fields": fields})
        with serving(f"sqlite:///{tmp_path}/live.db", denver, settings) as service:
            service.seen("4A12")
            wait_until(lambda: stops(service) == ["status:4A12"])
            layer.rows = [
                {"OBJECTID": 1, "Unit": "4A12", "Code": "AVAILABLE", "EditDate": now_ms + 5000}
            ]
            wait_until(lambda: stops(service) == [])
            assert counts(service) == {"accepted": 2}


def test_a_restart_reads_a_layer_whole_and_counts_nothing_twice(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    layer = FakeLayer()
    now_ms = round(datetime.now(UTC).timestamp() * 1000) - 10_000
    layer.rows = [row_of(number, f"T-{number}", now_ms, started_at=now_ms) for number in (1, 2)]
    with listening(layer.app()) as port:
        url = f"http://127.0.0.1:{port}/FeatureServer/0"
        feed = {"kind": "cad_layer", "url": url, "source": "esri", "every_s": 0.05}
        for times in range(2):
            address = f"sqlite:///{tmp_path}/live.db"
            with serving(address, denver, settings_of(feed)) as service:
                wait_until(lambda: counts(service).get("duplicate", 0) == 2 * times)  # noqa: B023
                wait_until(lambda: counts(service).get("accepted", 0) == 2)


def test_a_traccar_server_shows_units_and_comes_back_by_itself(
    tmp_path: Path, denver: RoadNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(keeping, "LONGEST_WAIT_S", 0.2)
    server, port = FakeTraccar(devices=[traccar_device(3, "Car 12", "352")]), free_port()
    (tmp_path / "token").write_text(f"{server.token}\n")
    feed = {
        "kind": "traccar",
        "server": f"http://127.0.0.1:{port}/",
        "token_file": str(tmp_path / "token"),
        "user_id": server.user_id,
        "devices": {"Car 12": "4A12"},
    }
    at = datetime.now(UTC).replace(microsecond=0)
    told = [
        UnitFix(
            fixed_at=at - timedelta(seconds=5 * (60 - number)),
            lon_deg=-104.99,
            lat_deg=39.744,
            speed_mps=0.0,
        )
        for number in range(60)
    ]
    with serving(f"sqlite:///{tmp_path}/live.db", denver, settings_of(feed)) as service:
        osmand: dict[str, str | float] = {"id": "4A12", "lat": 39.744, "lon": -104.99, "speed": 0}
        seen = {**osmand, "timestamp": told[-1].fixed_at.timestamp()}
        service.http.get("/feeds/osmand", params=seen).raise_for_status()
        wait_until(lambda: "cannot be reached" in door(service).get("error", ""))
        with listening(server.app(), port):
            wait_until(lambda: door(service).get("up"))
            server.say(write_traccar(traccar_position(told[-1], 3)))
            wait_until(lambda: counts(service).get("duplicate") == 1)  # by two doors, once
            # What a dead zone has stored: all of it older than what is known.
            server.positions = [traccar_position(one, 3) for one in told]
            server.hang_up()
            wait_until(lambda: counts(service).get("accepted", 0) >= len(told) - 1)
        assert [one["unit_id"] for one in service.live()["units"]] == ["4A12"]
        found = counts(service)
        assert found["accepted"] == found["late"] == len(told) - 1
    store = Store(f"sqlite:///{tmp_path}/live.db")
    reports: Any = [one.report for one in store.events()]
    store.close()
    instants = [one.fix.fixed_at for one in reports if hasattr(one, "fix")]
    assert instants[1:] == [one.fixed_at for one in told[:-1]]


def test_killed_in_the_midst_of_files_nothing_is_lost_and_nothing_doubled(
    sample_dir: Path, tmp_path: Path
) -> None:
    address, port, folder = f"sqlite:///{tmp_path}/live.db", free_port(), tmp_path / "cad"
    folder.mkdir()
    watcher = {"Authorization": f"Bearer {keys(address)[Role.SUPERVISOR]}"}
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    told = [
        StatusChange(
            unit_id=f"4A{number % 7}",
            at=began + timedelta(seconds=number),
            status=(UnitStatus.AVAILABLE, UnitStatus.BUSY)[number % 2],
        )
        for number in range(1200)
    ]
    (tmp_path / "s.toml").write_text(
        f'[feeds.dispatch]\nkind = "cad_folder"\nfolder = "{folder}"\n'
        "every_s = 0.01\nstill_s = 0.01\n"
    )
    words = ("--settings", str(tmp_path / "s.toml"))

    def accepted() -> int:
        found: int = (
            health_at(port, watcher).get("doors", {}).get("dispatch", {}).get("accepted", 0)
        )
        return found

    def write() -> None:
        for first in range(0, len(told), 20):
            drop(folder, f"{first:05d}.csv", write_csv(told[first : first + 20]))

    with running(sample_dir, address, *words, port=port) as process:
        writing = threading.Thread(target=write)
        writing.start()
        wait_until(lambda: accepted() > len(told) / 10, 120)
        process.kill()
        process.wait(10)
    with running(sample_dir, address, *words, port=port):
        wait_until(lambda: accepted() >= len(told), 180)
        writing.join()
        wait_until(lambda: len(list((folder / "done").iterdir())) == len(told) / 20, 30)
        assert accepted() == len(told)
    store = Store(address)
    kept = [one.report for one in store.events() if isinstance(one.report, StatusChange)]
    letters = store.dead_letters()
    store.close()
    assert len(kept) == len(told)
    assert set(kept) == set(told)
    assert letters == []


SECRETS = {"token_file": "t", "user_id": 7}


@pytest.mark.parametrize(
    ("feed", "why"),
    [
        ({"kind": "cad_folder"}, "folder"),
        ({"kind": "cad_folder", "folder": "x", "time_zone": "Mars"}, "must be an IANA name"),
        ({"kind": "cad_folder", "folder": "x", "fields": {"stopid": "x"}}, "stop_id"),
        ({"kind": "cad_layer", "url": "http://cad.example.gov/x"}, "must begin with https://"),
        ({"kind": "cad_layer", "url": "https://a:b@x/"}, "must be an address without a name or"),
        ({"kind": "cad_layer", "url": "https:///x"}, "must be an address without a name or"),
        ({"kind": "traccar", "server": "https://x"}, "token_file and user_id must be set, or els"),
        (
            {"kind": "traccar", "server": "https://x", "user": "a", "user_id": 7},
            "token_file and user_id must be set, or else user and password_file",
        ),
    ],
)
def test_a_feed_that_cannot_be_says_why(feed: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        settings_of(feed)


@pytest.mark.parametrize(
    ("feed", "why"),
    [
        ({"kind": "traccar", "server": "https://x", **SECRETS}, "feeds.a.token_file=t: must be a"),
        (
            {"kind": "traccar", "server": "https://x", "user": "a", "password_file": "EMPTY"},
            "feeds.a.password_file=EMPTY: must hold it on one line, and nothing else",
        ),
        (
            {"kind": "cad_layer", "url": "https://x/y", "authority": "none/such"},
            "feeds.a.authority=none/such: must be a readable PEM file",
        ),
        (
            {"kind": "cad_layer", "url": "https://x/y", "source": "esri", "token_file": "t"},
            "feeds.a.token_file=t: must be a file with it and nothing else",
        ),
    ],
)
def test_a_secret_that_cannot_be_read_is_said(
    feed: dict[str, Any], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "EMPTY").write_text("\n")
    with pytest.raises(InputError, match=why):
        door_of("a", settings_of(feed).feeds["dispatch"], lambda: datetime.now(UTC))


@pytest.mark.parametrize("name", ["cad", "osmand", "service"])
def test_a_feed_is_not_called_like_what_comes_by_http(name: str) -> None:
    feed = {"kind": "cad_folder", "folder": "x"}
    with pytest.raises(ValueError, match=f"must not be called {name}: that is what comes by HTTP"):
        Settings.model_validate({"feeds": {name: feed}})


def test_settings_of_these_feeds_are_written_and_read_again(tmp_path: Path) -> None:
    feeds = {
        "a": {
            "kind": "cad_folder",
            "folder": "/var/cad",
            "fields": {"stop_id": "Incident No."},
            "only": {"Call Type": ["T", "TS"]},
            "phases": {"CUST": "custody"},
            "time_zone": "America/Denver",
        },
        "b": {"kind": "cad_layer", "url": "https://x/FeatureServer/0", "source": "esri"},
        "c": {"kind": "traccar", "server": "https://x", **SECRETS},
    }
    settings = Settings.model_validate({"feeds": feeds})
    (tmp_path / "s.toml").write_text(settings_toml(settings))
    assert read_settings(tmp_path / "s.toml") == settings

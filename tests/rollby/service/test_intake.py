"""In-car routers send to a running service: a real port, a real store."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from paho.mqtt import publish
from structlog.testing import capture_logs

from data.errors import FieldError, InputError, SettingError, SourceUnreachableError
from data.events import StatusChange, StopChange
from data.feeds.heard import Noted, Refusal, Sighting, Told
from data.feeds.nmea_fake import write_nmea
from data.feeds.owntracks_fake import write_owntracks
from data.feeds.taip_fake import write_taip
from data.records import Stop, UnitFix, UnitStatus
from data.settings import Settings, read_settings, settings_toml
from data.settings import settings_of as checked_settings
from rollby.service import keeping
from rollby.service.core import BusyError
from rollby.service.doors import door_of
from rollby.service.intake import DoorHealth, Intake
from rollby.service.keeping import keep_going
from tests.rollby.service.served import serving, wait_until
from tests.servers import free_port, mosquitto

if TYPE_CHECKING:
    from pathlib import Path

    from data.reports import Report
    from geo.network import RoadNetwork
    from tests.rollby.service.served import Service


AT = datetime(2026, 3, 13, 2, tzinfo=UTC)


def settings_of(port: int, **more: Any) -> Settings:
    feed = {"kind": "taip", "listen": f"127.0.0.1:{port}", **more}
    return Settings.model_validate({"feeds": {"cars": feed}})


def send(port: int, *devices: str) -> None:
    fix = UnitFix(fixed_at=datetime.now(UTC), lon_deg=-104.99, lat_deg=39.744, speed_mps=9.0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for device in devices:
            out.sendto(write_taip("LN", fix, device=device), ("127.0.0.1", port))


def up(service: Service) -> Any:
    return service.http.get("/api/health").json()["listening"].get("cars", {}).get("up")


def test_a_routers_positions_are_on_the_map_and_its_mistakes_are_kept(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    port = free_port()
    settings = settings_of(port, devices={"0012": "4A12", "0099": "9Z9"}, units=["4A*"])
    with serving(f"sqlite:///{tmp_path}/live.db", denver, settings) as service:
        wait_until(lambda: up(service))
        send(port, "0012", "0013", "0099")
        letters = wait_until(
            lambda: len(found := service.http.get("/api/dead-letters").json()) == 2 and found
        )
        reasons = [letter["reason"] for letter in letters]
        assert reasons == [
            "device=0013: is no device of this feed; add it to feeds.cars.devices",
            "unit_id=9Z9: must be one of 4A*; see feeds.cars.units",
        ]
        assert [one["unit_id"] for one in service.live()["units"]] == ["4A12"]
        health = service.http.get("/api/health").json()
        assert health["doors"]["cars"] == {"accepted": 1, "refused": 2}
        assert health["listening"]["cars"]["heard_at"]
        assert 'rollby_door_up{door="cars"} 1.0' in service.http.get("/metrics").text


def test_the_same_fix_by_two_doors_counts_once(tmp_path: Path, denver: RoadNetwork) -> None:
    port = free_port()
    with serving(f"sqlite:///{tmp_path}/live.db", denver, settings_of(port)) as service:
        wait_until(lambda: up(service))
        at = datetime.now(UTC).replace(microsecond=0)
        fix = UnitFix(fixed_at=at, lon_deg=-104.99, lat_deg=39.744, speed_mps=None)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(write_taip("CP", fix, device="4A12"), ("127.0.0.1", port))
        wait_until(lambda: service.live()["units"])
        told: dict[str, str | float] = {
            "id": "4A12",
            "lat": 39.744,
            "lon": -104.99,
            "timestamp": at.timestamp(),
        }
        service.http.get("/feeds/osmand", params=told)
        doors = service.http.get("/api/health").json()["doors"]
        assert doors["osmand"]["duplicate"] == 1


def files_of(authority: trustme.CA, folder: Path) -> dict[str, str]:
    """Write what a port with TLS needs; name the files by their settings."""
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    own = authority.issue_cert("localhost")
    own.cert_chain_pems[0].write_to_path(str(folder / "c.pem"))
    own.private_key_pem.write_to_path(str(folder / "k.pem"))
    files = {"certificate": "c.pem", "key": "k.pem", "clients": "ca.pem"}
    return {key: str(folder / name) for key, name in files.items()}


def test_nmea_by_tls_from_a_car_with_a_certificate(tmp_path: Path, denver: RoadNetwork) -> None:
    authority, port = trustme.CA(), free_port()
    tls = files_of(authority, tmp_path)
    settings = settings_of(port, kind="nmea", transport="tls", devices={"0012": "4A12"}, **tls)
    client = ssl.create_default_context(cafile=tls["clients"])
    authority.issue_cert("car").configure_cert(client)
    with serving(f"sqlite:///{tmp_path}/live.db", denver, settings) as service:
        wait_until(lambda: up(service))
        fix = UnitFix(fixed_at=datetime.now(UTC), lon_deg=-104.99, lat_deg=39.744, speed_mps=9.0)
        with (
            socket.create_connection(("127.0.0.1", port)) as bare,
            client.wrap_socket(bare, server_hostname="localhost") as out,
        ):
            out.sendall(b"0012," + write_nmea("RMC", fix) + b"0013," + write_nmea("RMC", fix))
            (letter,) = wait_until(lambda: service.http.get("/api/dead-letters").json())
        assert letter["reason"].startswith("device=0013: is no device of this feed")
        assert [one["unit_id"] for one in service.live()["units"]] == ["4A12"]


def test_a_car_speaks_for_the_unit_of_its_certificate_and_for_no_other(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    authority, port = trustme.CA(), free_port()
    tls = files_of(authority, tmp_path)
    more = {"named_by": "certificate", "devices": {"car-12": "4A12"}}
    settings = settings_of(port, kind="nmea", transport="tls", **tls, **more)
    fix = UnitFix(fixed_at=datetime.now(UTC), lon_deg=-104.99, lat_deg=39.744, speed_mps=9.0)

    def call(**subject: str) -> None:
        client = ssl.create_default_context(cafile=tls["clients"])
        authority.issue_cert("a.example", **subject).configure_cert(client)  # type: ignore[arg-type]
        with (
            socket.create_connection(("127.0.0.1", port)) as bare,
            client.wrap_socket(bare, server_hostname="localhost") as out,
        ):
            out.sendall(b"4A14," + write_nmea("RMC", fix) + b"&&broken\x00\r\n")
            out.settimeout(0.3)
            try:
                out.recv(1)
            except (TimeoutError, OSError):
                return

    with serving(f"sqlite:///{tmp_path}/live.db", denver, settings) as service:
        wait_until(lambda: up(service))
        call(common_name="car-12")
        call(common_name="car-13")
        call()
        letters = wait_until(
            lambda: len(found := service.http.get("/api/dead-letters").json()) >= 4 and found
        )
        reasons = "\n".join(letter["reason"] for letter in letters)
        assert "device=car-13: is no device of this feed" in reasons
        assert "peer=127.0.0.1: must show a certificate with a common name" in reasons
        assert reasons.count("must be a sentence such as") == 2
        assert [one["unit_id"] for one in service.live()["units"]] == ["4A12"]
        assert service.http.get("/api/health").json()["doors"]["cars"]["accepted"] == 1


def test_a_certificate_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_text("none")
    name = str(tmp_path / "c.pem")
    feed = {"kind": "nmea", "listen": "[::]:1", "transport": "tls"}
    settings = Settings.model_validate({"feeds": {"a": {**feed, "certificate": name, "key": name}}})
    with pytest.raises(InputError, match=r"feeds.a: .*c.pem must be readable PEM files"):
        door_of("a", settings.feeds["a"], lambda: AT)


def test_a_door_that_fails_is_opened_again(
    tmp_path: Path, denver: RoadNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "FIRST_WAIT_S", 0.1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with serving(f"sqlite:///{tmp_path}/live.db", denver, settings_of(port)) as service:
            wait_until(lambda: up(service) is False)
            health = service.http.get("/api/health").json()["listening"]["cars"]
            assert "cannot be listened on" in health["error"]
            assert health["heard_at"] is None
            other.close()
            wait_until(lambda: up(service))
            send(port, "4A12")
            wait_until(lambda: service.live()["units"])


def test_a_phone_sends_by_a_broker_and_its_last_will_is_shown(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    acl = "user rollby\ntopic read owntracks/#\n\npattern write owntracks/%u/#\n"
    (tmp_path / "password").write_text("r0\n")
    with mosquitto({"rollby": "r0", "p1": "p0"}, acl) as broker:
        feed = {
            "kind": "mqtt",
            "broker": f"127.0.0.1:{broker.port}",
            "transport": "tcp",
            "user": "rollby",
            "password_file": str(tmp_path / "password"),
            "devices": {"p1": "4A12"},
        }
        settings = Settings.model_validate({"feeds": {"cars": feed}})

        def say(payload: bytes) -> None:
            publish.single(
                "owntracks/p1/phone",
                payload,
                qos=1,
                port=broker.port,
                hostname="127.0.0.1",
                auth={"username": "p1", "password": "p0"},
            )

        with serving(f"sqlite:///{tmp_path}/live.db", denver, settings) as service:

            def listening() -> Any:
                return service.http.get("/api/health").json()["listening"]["cars"]

            wait_until(lambda: up(service))
            say(b'{"_type": "lwt", "tst": 1}')
            wait_until(lambda: "p1" in listening()["gone"])
            assert listening()["noted"] == {"lwt": 1}
            assert service.live()["units"] == []
            fix = UnitFix(fixed_at=datetime.now(UTC), lon_deg=-104.99, lat_deg=39.744)
            say(write_owntracks(fix))
            say(write_owntracks(fix))
            wait_until(lambda: service.live()["units"])
            assert [one["unit_id"] for one in service.live()["units"]] == ["4A12"]
            assert listening()["gone"] == {}
            say(b"no JSON")
            (letter,) = wait_until(lambda: service.http.get("/api/dead-letters").json())
            assert letter["reason"].startswith("body=no JSON: must be JSON")
            doors = service.http.get("/api/health").json()["doors"]
            assert doors["cars"] == {"accepted": 1, "duplicate": 1, "refused": 1}


def test_who_is_gone_is_remembered_so_long_as_it_is_bearable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rollby.service.intake.MOST_GONE", 2)

    class Quiet:
        """Takes nothing."""

        def __init__(self) -> None:
            self.doors = {"cars": DoorHealth(since=AT)}

    quiet = Quiet()
    door = Intake(quiet, settings_of(1).feeds["cars"])  # type: ignore[arg-type]
    wills = [Noted(kind="lwt", device=name, raw=b"", gone=True) for name in ("a", "b", "a", "c")]
    asyncio.run(door.take(wills, door="cars", peer="x", arrived_at=AT))
    assert list(quiet.doors["cars"].gone) == ["a", "c"]
    assert quiet.doors["cars"].noted == {"lwt": 4}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"password_file": "none/such", "user": "a"}, "feeds.a.password_file=none/such: must be a"),
        ({"transport": "tls", "authority": "none/such"}, "none/such must be readable PEM files"),
    ],
)
def test_a_file_of_a_broker_that_cannot_be_read_is_said(more: dict[str, str], why: str) -> None:
    feed = {"kind": "mqtt", "broker": "[::1]:1883", "transport": "tcp", **more}
    settings = Settings.model_validate({"feeds": {"a": feed}})
    with pytest.raises(InputError, match=why):
        door_of("a", settings.feeds["a"], lambda: AT)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"topics": ["a/#/b"]}, "must be topics such as owntracks/{device}/+, not a/#/b"),
        ({"topics": ["{device}/{device}"]}, "must be topics such as"),
        ({"topics": ["a/x{device}"]}, "must be topics such as"),
        ({"topics": []}, "at least 1"),
        ({"certificate": "a"}, "certificate and key must name files together"),
        ({"transport": "tcp", "authority": "a"}, "transport must be tls where there is an auth"),
        ({"password_file": "a"}, "user must be set where there is a password_file"),
    ],
)
def test_a_broker_that_cannot_be_says_why(more: dict[str, Any], why: str) -> None:
    feed = {"kind": "mqtt", "broker": "localhost:8883", **more}
    with pytest.raises(ValueError, match=re.escape(why)):
        Settings.model_validate({"feeds": {"phones": feed}})


def test_a_door_waits_while_the_service_can_take_no_more() -> None:
    taken: list[str] = []

    class Full:
        """Takes the third time."""

        def __init__(self) -> None:
            self.doors = {"cars": DoorHealth(since=AT)}

        async def accept(self, door: str, *_: Any, **__: Any) -> None:
            taken.append(door)
            if len(taken) < 3:
                raise BusyError("too much is waiting")

    feed = settings_of(1).feeds["cars"]
    fix = UnitFix(fixed_at=AT, lon_deg=-104.99, lat_deg=39.744)
    heard = [Sighting(device="4A12", fix=fix, raw=b"")]
    full = Full()
    door = Intake(full, feed)  # type: ignore[arg-type]
    door.lost(7, door="cars")
    asyncio.run(door.take(heard, door="cars", peer="x", arrived_at=AT))
    assert len(taken) == 3
    assert (full.doors["cars"].dropped, full.doors["cars"].heard_at) == (7, AT)


def test_what_a_dispatch_system_tells_is_of_the_units_that_the_feed_speaks_for() -> None:
    accepted: list[Report] = []
    refused: list[Refusal] = []

    class Taking:
        """Keeps all."""

        def __init__(self) -> None:
            self.doors = {"cad": DoorHealth(since=AT)}
            self.store = self

        def about(self, _kind: str, _subject: str, **_: Any) -> list[Report]:
            return []

        async def accept(
            self, _door: str, reports: list[Report], _caller: Any, *, duplicates: int
        ) -> None:
            assert duplicates == 0
            accepted.extend(reports)

        async def refuse(self, _door: str, _peer: str, letters: list[Refusal]) -> None:
            refused.extend(letters)

    feed = settings_of(1, devices={"0012": "4A12", "0099": "9Z9"}, units=["4A*"]).feeds["cars"]
    shown = StatusChange(unit_id="0012", at=AT, status=UnitStatus.ON_STOP, officers=1, agency="")
    backup = ("0012", "0099", "4A13")
    stop = StopChange(stop=Stop(stop_id="T-1", unit_id="0012", started_at=AT, backup=backup), at=AT)
    other = replace(shown, unit_id="0099")
    heard = [Told(report=one, raw=b"x") for one in (shown, stop, other)]
    intake = Intake(Taking(), feed)  # type: ignore[arg-type]
    asyncio.run(intake.take(heard, door="cad", peer="stops.csv", arrived_at=AT))
    assert accepted == [
        replace(shown, unit_id="4A12"),
        replace(stop, stop=replace(stop.stop, unit_id="4A12", backup=("9Z9", "4A13"))),
    ]
    why = "unit_id=9Z9: must be one of 4A*; see feeds.cad.units"
    assert refused == [Refusal(raw=b"x", reason=why)]


def test_whatever_fails_goes_on_with_pauses_that_grow_and_are_short_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeping, "LONGEST_WAIT_S", 10.0)
    pauses: list[float] = []
    now_s, failures = [0.0], [0]

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def work() -> None:
        failures[0] += 1
        if failures[0] == 6:
            now_s[0] += 11
        if failures[0] == 8:
            raise asyncio.CancelledError
        raise ZeroDivisionError

    monkeypatch.setattr("rollby.service.keeping.asyncio.sleep", sleep)
    monkeypatch.setattr("rollby.service.keeping.random.uniform", lambda _low, high: high)
    monkeypatch.setattr("rollby.service.keeping.time.monotonic", lambda: now_s[0])
    told: list[Exception] = []
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(keep_going("work", work, told.append))
    assert pauses == [1, 2, 4, 8, 10, 1, 2]
    assert {type(one) for one in told} == {ZeroDivisionError}


@pytest.mark.parametrize(
    ("error", "why", "traced"),
    [
        (ConnectionResetError(104, "Connection reset by peer"), "Connection reset by peer", False),
        (TimeoutError("timed out"), "timed out", False),
        (SourceUnreachableError("feeds.cars.broker=b:1: is away"), "is away", False),
        (BusyError("too much is waiting"), "too much is waiting", False),
        (FieldError("lat", "39.7", "must be from -90 to 90"), "", False),
        (ZeroDivisionError("of ours"), "", True),
    ],
)
def test_a_peer_that_is_away_is_one_line_and_a_fault_of_ours_has_its_traceback(
    error: Exception, why: str, *, traced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sleep(_seconds: float) -> None:
        raise asyncio.CancelledError

    async def work() -> None:
        raise error

    monkeypatch.setattr("rollby.service.keeping.asyncio.sleep", sleep)
    with capture_logs() as lines, pytest.raises(asyncio.CancelledError):
        asyncio.run(keep_going("door cars", work))
    (line,) = lines
    assert (line["what"], line["error"]) == ("door cars", type(error).__name__)
    assert bool(line["exc_info"]) == traced
    assert why in line.get("why", "")
    assert "39.7" not in str(line.get("why"))


def test_settings_of_feeds_are_written_and_read_again(tmp_path: Path) -> None:
    feed = {"kind": "taip", "listen": "[::]:21000", "from": ["10.8.0.0/16"]}
    settings = Settings.model_validate({"feeds": {"in-car": feed}})
    (tmp_path / "s.toml").write_text(settings_toml(settings))
    assert read_settings(tmp_path / "s.toml") == settings


@pytest.mark.parametrize(
    ("feed", "why"),
    [
        ({"listen": "21000"}, "must be HOST:PORT"),
        ({"listen": "[::]:21000", "from": ["10.8.0.1/16"]}, "must be networks such as 10.8.0.0/16"),
        ({"listen": "[::]:21000", "kind": "fax"}, "taip"),
        ({"listen": "[::]:1", "kind": "nmea", "transport": "tls"}, "certificate and key must name"),
        ({"listen": "[::]:1", "kind": "nmea", "clients": "a"}, "transport must be tls where"),
        (
            {"listen": "[::]:1", "kind": "nmea", "named_by": "certificate"},
            "clients must name a file where named_by is certificate",
        ),
    ],
)
def test_a_feed_that_cannot_be_says_why(feed: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Settings.model_validate({"feeds": {"cars": {"kind": "taip", **feed}}})


def test_a_fault_of_a_feed_is_named_as_the_file_names_it() -> None:
    raw = {"feeds": {"cars": {"kind": "nmea", "listen": "[::]:1", "transport": "fax"}}}
    with pytest.raises(
        SettingError, match=r"^s.toml feeds\.cars\.transport=fax: must be 'udp', 'tcp' or"
    ):
        checked_settings(raw, "s.toml")
    raw = {"feeds": {"cars": {"kind": "fax"}}}
    with pytest.raises(SettingError, match=r"^s.toml feeds\.cars=.*: must be .*'taip', 'nmea'"):
        checked_settings(raw, "s.toml")

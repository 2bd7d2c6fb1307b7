"""A running service tells TAK's part who should roll by, and an officer's client hears it."""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from data.errors import InputError
from data.feeds.cot_fake import write_cot
from data.records import UnitFix
from data.settings import Settings
from rollby.service import cot_out, keeping
from rollby.service.doors import door_of
from tests.rollby.service.served import serving, wait_until
from tests.servers import free_port
from tests.tak import TakPart, phone, tak_part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo.network import RoadNetwork
    from tests.rollby.service.served import Service

NASTY = '<script>&"'


def settings_of(port: int, feeds: dict[str, Any] | None = None, **more: Any) -> Settings:
    out = {"server": f"127.0.0.1:{port}", "transport": "tcp", **more}
    return Settings.model_validate({"cot": {"maps": out}, "feeds": feeds or {}})


@contextmanager
def served(folder: Path, roads: RoadNetwork, settings: Settings) -> Iterator[Service]:
    with serving(f"sqlite:///{folder}/live.db", roads, settings) as service:
        yield service


def health(service: Service) -> Any:
    return service.http.get("/api/health").json()["telling"]["maps"]


def of_kind(part: TakPart, kind: str) -> list[Any]:
    return [one for one in part.seen() if one.get("type") == kind]


def spots(part: TakPart) -> list[Any]:
    return of_kind(part, "b-m-p-s-m")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "FIRST_WAIT_S", 0.1)


def test_who_is_asked_is_told_and_what_is_over_is_taken_off(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    with tak_part() as part, served(tmp_path, denver, settings_of(part.port)) as service:
        wait_until(lambda: health(service)["up"])
        service.on_duty()
        service.stop("T-1", "4A12")
        spot = wait_until(lambda: spots(part))[0]
        asked = service.asked()
        who = asked["unit_id"]
        assert spot.get("uid") == f"rollby.maps.ask.{asked['suggestion_id']}"
        assert spot.find("detail/contact").get("callsign") == f"{who}: roll by 4A12?"
        assert [one.get("callsign") for one in spot.iterfind("detail/marti/dest")] == [who]
        (stop,) = service.live()["stops"]
        point = spot.find("point")
        assert float(point.get("lon")) == pytest.approx(stop["lon"])
        assert float(point.get("lat")) == pytest.approx(stop["lat"])
        at, stale = (datetime.fromisoformat(spot.get(name)) for name in ("time", "stale"))
        assert (stale - at).total_seconds() == 60.0
        assert abs((datetime.now(UTC) - at).total_seconds()) < 20
        service.http.patch("/api/stops/T-1", json={"phase": "cleared"})
        (gone,) = wait_until(lambda: of_kind(part, "t-x-d-d"))
        assert gone.find("detail/link").get("uid") == spot.get("uid")
        assert [one.get("callsign") for one in gone.iterfind("detail/marti/dest")] == [who]
        wait_until(lambda: health(service)["noted"].get("deletes") == 1)
        assert health(service)["noted"]["markers"] >= 1
        assert of_kind(part, "b-t-f") == []
        assert 'rollby_cot_up{name="maps"} 1.0' in service.http.get("/metrics").text


def test_what_stands_is_sent_again_and_again(
    tmp_path: Path, denver: RoadNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cot_out, "REPEAT_S", 0.0)
    monkeypatch.setattr("rollby.service.watching.STOPS_EVERY", 1)
    with tak_part() as part, served(tmp_path, denver, settings_of(part.port)) as service:
        service.on_duty()
        service.stop("T-1", "4A12")
        wait_until(lambda: len(spots(part)) >= 3)
        assert len({one.get("uid") for one in spots(part)}) == 1
        assert len({one.get("stale") for one in spots(part)}) >= 3


def test_a_server_that_was_away_is_told_all_that_stands_and_what_is_over(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    with tak_part() as part, served(tmp_path, denver, settings_of(part.port)) as service:
        port = part.port
        service.on_duty()
        service.stop("T-1", "4A12")
        wait_until(lambda: spots(part))
        part.end()
        wait_until(lambda: "cannot be reached" in health(service)["error"])
        assert not health(service)["up"]
        service.http.patch("/api/stops/T-1", json={"phase": "cleared"})
        service.stop("T-2", "4A14")
        wait_until(service.asked)
        with tak_part(port=port) as again:
            wait_until(lambda: of_kind(again, "t-x-d-d") and spots(again), 20)
            (gone,) = of_kind(again, "t-x-d-d")
            assert "T-1" in gone.find("detail/link").get("uid")
            assert all("T-2" in one.get("uid") for one in spots(again))
            wait_until(lambda: health(service)["up"])


def test_a_line_of_chat_once_and_another_when_it_is_over(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    feeds = {
        "tak": {
            "kind": "cot",
            "listen": f"127.0.0.1:{free_port()}",
            "devices": {f"ANDROID-{number}": f"4A{number}" for number in (12, 13, 14)},
        }
    }
    with tak_part() as part:
        settings = settings_of(part.port, feeds, chat=True, watchers=["WATCH"])
        with served(tmp_path, denver, settings) as service:
            service.on_duty()
            service.stop("T-1", "4A12")
            wait_until(lambda: len(of_kind(part, "b-t-f")) == 2)
            who = service.asked()["unit_id"]
            line, watched = of_kind(part, "b-t-f")
            chat = line.find("detail/__chat")
            assert (chat.get("chatroom"), chat.get("id")) == (who, f"ANDROID-{who[2:]}")
            assert line.find("detail/remarks").text.startswith(f"{who} is asked to roll by 4A12")
            assert watched.find("detail/__chat").get("id") == "WATCH"
            before = len(spots(part))
            part.hang_up()
            wait_until(lambda: len(spots(part)) > before, 5)  # what stands, at once
            assert part.called == 2
            service.http.patch("/api/stops/T-1", json={"phase": "cleared"})
            wait_until(lambda: len(of_kind(part, "b-t-f")) == 4)
            over = of_kind(part, "b-t-f")[2].find("detail/remarks").text
            assert over == f"{who} is asked no more to roll by 4A12: stop over."
            time.sleep(1.5)
            assert len(of_kind(part, "b-t-f")) == 4


def test_chat_to_all_is_simulated_where_nobody_is_there(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    with tak_part() as part:
        out = settings_of(part.port, chat=True, audience="all").cot["maps"]
        raw = {"units": {"simulated": True}, "cot": {"maps": out}}
        with served(tmp_path, denver, Settings.model_validate(raw)) as service:
            service.on_duty()
            service.stop("T-1", "4A12")
            (line,) = wait_until(lambda: of_kind(part, "b-t-f"))
            assert line.find("detail/marti") is None
            assert line.find("detail/remarks").text.startswith("SIMULATED. 4A1")


def test_no_more_is_remembered_of_chat_than_is_bearable(
    tmp_path: Path, denver: RoadNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cot_out, "MOST_CHATTED", 0)
    with tak_part() as part:
        with served(tmp_path, denver, settings_of(part.port, chat=True)) as service:
            service.on_duty()
            service.stop("T-1", "4A12")
            wait_until(lambda: of_kind(part, "b-t-f"))
            service.http.patch("/api/stops/T-1", json={"phase": "cleared"})
            wait_until(lambda: of_kind(part, "t-x-d-d"))
        assert all(
            "asked to roll" in one.find("detail/remarks").text for one in of_kind(part, "b-t-f")
        )


def test_a_servers_ping_is_answered(tmp_path: Path, denver: RoadNetwork) -> None:
    ping = b'<event type="t-x-c-t" uid="p"></event>'
    with tak_part() as part, served(tmp_path, denver, settings_of(part.port)):
        wait_until(lambda: part.clients)
        part.say(ping)
        wait_until(lambda: of_kind(part, "t-x-c-t-r"))


class Files:
    """An authority, and certificates of it as files."""

    def __init__(self, folder: Path) -> None:
        self.authority, self.folder = trustme.CA(), folder
        self.authority.cert_pem.write_to_path(self.path("ca"))

    def path(self, name: str) -> str:
        return str(self.folder / f"{name}.pem")

    def of(self, name: str) -> tuple[str, str]:
        own = self.authority.issue_cert(f"{name}.example", common_name=name)
        own.cert_chain_pems[0].write_to_path(self.path(name))
        own.private_key_pem.write_to_path(self.path(f"{name}_key"))
        return self.path(name), self.path(f"{name}_key")

    def server(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert("127.0.0.1").configure_cert(context)
        self.authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def ours(self) -> dict[str, str]:
        certificate, key = self.of("rollby")
        return {
            "transport": "tls",
            "authority": self.path("ca"),
            "certificate": certificate,
            "key": key,
        }


@pytest.mark.filterwarnings("ignore:ssl.OP_NO:DeprecationWarning")  # PyTAK sets them
def test_an_officers_client_sends_its_position_by_tls_and_sees_who_to_roll_by(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    """One real client, by a server that plays TAK's part, both ways and with certificates."""
    files = Files(tmp_path)
    certificate, key = files.of("phone")
    config = {
        "PYTAK_TLS_CLIENT_CERT": certificate,
        "PYTAK_TLS_CLIENT_KEY": key,
        "PYTAK_TLS_CLIENT_CAFILE": files.path("ca"),
        "PYTAK_TLS_SERVER_EXPECTED_HOSTNAME": "127.0.0.1",
    }
    with tak_part(files.server()) as part:
        server = {"server": f"127.0.0.1:{part.port}", **files.ours()}
        feed = {"kind": "cot", **server, "devices": {"ANDROID-13": "4A13"}}
        callsigns = {"4A13": "CAR 13", "4A14": "CAR 14"}
        settings = Settings.model_validate(
            {"cot": {"maps": {**server, "callsigns": callsigns}}, "feeds": {"tak": feed}}
        )

        async def officer(service: Service) -> Any:
            fix = UnitFix(fixed_at=datetime.now(UTC), lon_deg=-104.990, lat_deg=39.746)
            async with phone(f"tls://127.0.0.1:{part.port}", **config) as one:
                await one.send(write_cot(fix, uid="ANDROID-13", callsign="CAR 13"))
                await asyncio.to_thread(stop, service)
                spot = await one.hears(lambda event: event.get("type") == "b-m-p-s-m")
                service.http.patch("/api/stops/T-1", json={"phase": "cleared"})
                gone = await one.hears(lambda event: event.get("type") == "t-x-d-d")
                return spot, gone

        def stop(service: Service) -> None:
            wait_until(lambda: any(one["unit_id"] == "4A13" for one in service.live()["units"]))
            service.seen("4A12").raise_for_status()
            for unit_id in ("4A12", "4A13"):
                service.shows(unit_id).raise_for_status()
            service.stop("T-1", "4A12")

        with served(tmp_path, denver, settings) as service:
            wait_until(lambda: part.called >= 2 and health(service)["up"])
            spot, gone = asyncio.run(officer(service))
            doors = service.http.get("/api/health").json()
            assert doors["listening"]["tak"]["noted"].get("marker") is None  # not for rollby's eyes
            assert doors["doors"]["tak"] == {"accepted": 1}
    assert spot.find("detail/contact").get("callsign") == "4A13: roll by 4A12?"
    assert gone.find("detail/link").get("uid") == spot.get("uid")


def test_a_unit_that_is_called_like_a_script_is_a_name_there_too(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    with tak_part() as part, served(tmp_path, denver, settings_of(part.port)) as service:
        service.on_duty()
        told: dict[str, str | float] = {"id": NASTY, "lon": -104.990, "lat": 39.744}
        told |= {"timestamp": time.time(), "speed": 0}
        service.http.get("/feeds/osmand", params=told).raise_for_status()
        service.shows(NASTY).raise_for_status()
        service.stop("T-1", NASTY)
        spot = wait_until(lambda: spots(part))[0]
        assert spot.find("detail/contact").get("callsign").endswith(f": roll by {NASTY}?")
        assert f"to roll by {NASTY} at stop T-1" in spot.find("detail/remarks").text


def test_by_datagrams_to_an_officers_client(tmp_path: Path, denver: RoadNetwork) -> None:
    port = free_port()
    settings = settings_of(port, transport="udp", audience="all")

    async def officer(service: Service) -> Any:
        async with phone(f"udp+ro://127.0.0.1:{port}") as one:
            service.on_duty()
            service.stop("T-1", "4A12")
            return await one.hears(lambda event: event.get("type") == "b-m-p-s-m")

    with served(tmp_path, denver, settings) as service:
        wait_until(lambda: health(service)["up"])
        spot = asyncio.run(officer(service))
    assert spot.find("detail/marti") is None


@pytest.mark.parametrize("table", ["cot", "feeds"])
def test_a_certificate_that_is_none_is_said(tmp_path: Path, table: str) -> None:
    (tmp_path / "c.pem").write_text("none")
    name = str(tmp_path / "c.pem")
    one = {"server": "127.0.0.1:1", "transport": "tls", "certificate": name, "key": name}
    kind = {"kind": "cot"} if table == "feeds" else {}
    settings = Settings.model_validate({table: {"a": {**kind, **one}}})

    def make() -> object:
        if table == "cot":
            return cot_out.line_of("a", settings.cot["a"], lambda: datetime.now(UTC))
        return door_of("a", settings.feeds["a"], lambda: datetime.now(UTC))

    with pytest.raises(InputError, match=rf"{table}.a: .*c.pem must be readable PEM files"):
        make()


def test_a_key_with_a_password_is_said_and_nobody_is_asked(tmp_path: Path) -> None:
    """As those that TAK Server's own script makes."""
    certificate, key = Files(tmp_path).of("rollby")
    plain = load_pem_private_key(Path(key).read_bytes(), None)
    encrypted = plain.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"atakatak")
    )
    Path(key).write_bytes(encrypted)
    out = {"server": "127.0.0.1:1", "certificate": certificate, "key": key}
    settings = Settings.model_validate({"cot": {"a": out}})
    with pytest.raises(InputError, match=r"cot\.a: .*the key has a password: write it out without"):
        cot_out.line_of("a", settings.cot["a"], lambda: datetime.now(UTC))

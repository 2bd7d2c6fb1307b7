"""What a door refused is read again as that door would, once what was wrong is mended."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from data.events import StatusChange
from data.feeds.cot_fake import write_cot
from data.feeds.heard import Heard, Refusal, Sighting, Told
from data.feeds.nmea_fake import write_nmea
from data.feeds.owntracks_fake import write_owntracks
from data.feeds.taip_fake import write_taip
from data.feeds.traccar_fake import traccar_position
from data.records import UnitFix, UnitStatus
from data.settings import Settings
from data.store.reading import DeadLetter
from rollby.service.problems import ProblemError
from rollby.service.reading_again import read_again
from tests.rollby.service.served import serving, wait_until
from tests.rollby.service.test_intake import send, settings_of, up
from tests.servers import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from geo.network import RoadNetwork

AT = datetime(2026, 3, 13, 2, tzinfo=UTC)
FIX = UnitFix(fixed_at=AT - timedelta(seconds=5), lon_deg=-104.98765, lat_deg=39.74)
LISTENING = {"listen": "127.0.0.1:1"}
TLS = {"transport": "tls", "certificate": "c", "key": "k", "clients": "a"}
BY_CERTIFICATE = {**LISTENING, **TLS, "named_by": "certificate"}
MQTT = {"broker": "127.0.0.1:1"}
TRACCAR = {"server": "https://x.example", "token_file": "t", "user_id": 1}
CAD = {"agency": "PD", "fields": {"unit_id": "Unit", "status": "Code", "at": "Seen"}}
STATUS = {"unit_id": "4A12", "status": "busy", "at": "2026-03-13T01:59:00Z"}


def again(kind: str, feed: dict[str, Any], raw: bytes, sender: str = "") -> Heard | Told:
    settings = Settings.model_validate({"feeds": {"cars": {"kind": kind, **feed}}})
    letter = DeadLetter(
        received_ms=round(1000 * AT.timestamp()),
        door="cars",
        sender=sender,
        reason="why",
        raw=raw,
    )
    (heard,) = read_again(letter, settings)
    return heard


@pytest.mark.parametrize(
    ("kind", "feed", "raw", "sender", "device"),
    [
        ("taip", LISTENING, write_taip("LN", FIX, device="0012"), "10.8.0.1", "0012"),
        ("taip", LISTENING, write_taip("LN", FIX, device=""), "10.8.0.1", ""),
        ("nmea", LISTENING, b"0012," + write_nmea("RMC", FIX), "10.8.0.1", "0012"),
        (
            "nmea",
            {**LISTENING, **TLS, "named_by": "certificate"},
            write_nmea("RMC", FIX),
            "c1",
            "c1",
        ),
        ("cot", LISTENING, write_cot(FIX, uid="u1", callsign="4A12", wire="xml"), "10.8.0.1", "u1"),
        (
            "cot",
            {**LISTENING, "named_by": "callsign"},
            write_cot(FIX, uid="u1", callsign="4A12", wire="mesh"),
            "10.8.0.1",
            "4A12",
        ),
        ("mqtt", MQTT, write_owntracks(FIX, tid="t1"), "owntracks/p1/phone", "p1"),
        ("mqtt", MQTT, write_owntracks(FIX, tid="t1"), "p1", "p1"),
        ("mqtt", {**MQTT, "named_by": "tid"}, write_owntracks(FIX, tid="t1"), "p1", "t1"),
        ("traccar", TRACCAR, json.dumps(traccar_position(FIX, 3)).encode(), "Car 12", "Car 12"),
    ],
)
def test_positions_are_read_as_their_door_reads_them(
    kind: str, feed: dict[str, Any], raw: bytes, sender: str, device: str
) -> None:
    heard = again(kind, feed, raw, sender)
    assert isinstance(heard, Sighting)
    assert (heard.device, heard.fix.fixed_at) == (device, FIX.fixed_at)
    assert heard.raw in raw


def test_who_may_not_send_is_asked_again_too() -> None:
    raw = write_taip("LN", FIX, device="0012")
    refused = again("taip", {**LISTENING, "from": ["10.8.0.0/16"]}, raw, "10.9.0.1")
    assert isinstance(refused, Refusal)
    assert refused.reason == "peer=10.9.0.1: must be in 10.8.0.0/16; see feeds.cars.from"
    assert isinstance(
        again("taip", {**LISTENING, "from": ["10.9.0.0/16"]}, raw, "10.9.0.1"), Sighting
    )


@pytest.mark.parametrize(
    ("kind", "feed", "raw"),
    [
        ("traccar", TRACCAR, json.dumps(traccar_position(FIX, 3)).encode()),
        ("nmea", BY_CERTIFICATE, write_nmea("RMC", FIX)),
    ],
)
def test_what_nobody_can_name_any_more_is_said(kind: str, feed: dict[str, Any], raw: bytes) -> None:
    with pytest.raises(ProblemError, match="does not say which device it was") as caught:
        again(kind, feed, raw)
    assert caught.value.status == 409


@pytest.mark.parametrize(
    ("raw", "sender"),
    [
        (json.dumps(STATUS).encode(), "s.csv"),
        (b"Unit,Code,Seen\n4A12,busy,2026-03-13T01:59:00Z\n", "s.csv"),
        (b'[{"Unit": "4A12", "Code": "busy", "Seen": "2026-03-13T01:59:00Z"}]', "s.json"),
    ],
)
def test_a_dispatch_systems_row_or_file_is_read_as_its_folder_reads_it(
    raw: bytes, sender: str
) -> None:
    heard = again("cad_folder", {"folder": "x", "only": {"Kind": ["T"]}, **CAD}, raw, sender)
    if b"[" in raw or b"Unit" in raw:
        assert isinstance(heard, Refusal)  # a row without what was asked for
        heard = again("cad_folder", {"folder": "x", **CAD}, raw, sender)
    assert isinstance(heard, Told)
    assert heard.report == StatusChange(
        unit_id="4A12", at=AT - timedelta(minutes=1), status=UnitStatus.BUSY, agency="PD"
    )


def test_a_row_of_a_layer_has_its_instants_in_milliseconds() -> None:
    feed = {"url": "https://x.example/0", "source": "esri", **CAD}
    row = {**STATUS, "at": str(round(1000 * AT.timestamp()))}
    heard = again("cad_layer", feed, json.dumps(row).encode())
    assert isinstance(heard, Told)
    assert heard.report.at == AT


def test_a_datagram_of_an_unknown_device_lands_once_the_device_is_known(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    port, address = free_port(), f"sqlite:///{tmp_path}/live.db"
    with serving(address, denver, settings_of(port, devices={"0013": "4A13"})) as service:
        wait_until(lambda: up(service))
        send(port, "0012")
        (letter,) = wait_until(lambda: service.http.get("/api/dead-letters").json())
        path = f"/api/dead-letters/{letter['letter_id']}/replay"
        reason = "device=0012: is no device of this feed; add it to feeds.cars.devices"
        assert (letter["sender"], letter["reason"]) == ("0012", reason)
        assert service.http.post(path).json() == {"accepted": 0, "refused": [reason]}
    with serving(address, denver, settings_of(port, devices={"0012": "4A12"})) as service:
        wait_until(lambda: up(service))
        assert service.http.post(path).json() == {"accepted": 1, "refused": []}
        assert [one["unit_id"] for one in service.live()["units"]] == ["4A12"]
        assert service.http.get("/api/health").json()["doors"]["cars"]["accepted"] == 1
    with serving(address, denver, Settings()) as service:
        answer = service.http.post(path)
        assert (answer.status_code, answer.json()["detail"]) == (
            409,
            "door=cars: is no feed of the settings any more",
        )

"""A Traccar server: what its positions mean, and a gap in the line that loses none of them."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from data.errors import SourceUnreachableError
from data.feeds.heard import Noted, Refusal, Sighting
from data.feeds.nmea import KNOT_TO_MPS
from data.feeds.senders import Senders
from data.feeds.traccar import Traccar, TraccarDoor
from data.feeds.traccar_fake import traccar_device, traccar_position, write_traccar
from data.feeds.traccar_positions import names_of, parse_position, parse_traccar
from data.feeds.web import connecting
from data.records import UnitFix
from tests.data.feeds.keeper import Keeper, during
from tests.data.feeds.web_peers import FakeTraccar, listening
from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLES = (Path(__file__).parent / "samples_traccar.jsonl").read_bytes().splitlines()
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def fix(seconds_ago: float = 0.0, **more: Any) -> UnitFix:
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=seconds_ago)
    told: dict[str, Any] = {"lon_deg": -104.98765, "lat_deg": 39.74, "speed_mps": 9.0, **more}
    return UnitFix(fixed_at=at, **told)


def position(fix: UnitFix, device_id: int = 3, **more: Any) -> dict[str, Any]:
    return {**traccar_position(fix, device_id), **more}


def only(body: dict[str, Any]) -> Any:
    (one,) = parse_position(json.dumps(body).encode(), NOW)
    return one


def test_a_message_of_a_real_kind() -> None:
    (seen,) = parse_traccar(SAMPLES[0], NOW)
    assert isinstance(seen, Sighting)
    assert seen.device == "3"
    assert seen.fix == UnitFix(
        fixed_at=datetime(2026, 11, 24, 11, 59, 58, tzinfo=UTC),
        lon_deg=-104.98765,
        lat_deg=39.74,
        heading_deg=271.5,
        speed_mps=19.438444924406047 * KNOT_TO_MPS,
        accuracy_m=4.0,
    )
    assert seen.fix.speed_mps == pytest.approx(10.0, abs=1e-9)
    for sample in SAMPLES[1:4]:
        assert parse_traccar(sample, NOW) == []
    (repeated,) = parse_traccar(SAMPLES[4], NOW)
    assert isinstance(repeated, Noted)
    assert (repeated.kind, repeated.device) == ("outdated", "4")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"valid": False}, "valid=False: must be true; the receiver has no fix"),
        ({"valid": None}, "valid=: must be true"),
        ({"fixTime": None}, "fixTime=: must be a text"),
        ({"fixTime": "2026-11-24T11:59:58"}, "fixTime=2026-11-24T11:59:58: must be ISO 8601 with"),
        ({"fixTime": "soon"}, "fixTime=soon: must be ISO 8601 with an offset or Z"),
        ({"latitude": 0.0, "longitude": 0.0}, "lon,lat=0,0: must be a real position"),
        ({"latitude": "39"}, "latitude=39: must be a number"),
        ({"latitude": 91.0}, "lat=91.0: must be from -90 to 90"),
        ({"deviceId": None}, "deviceId=: must be a text"),
        (
            {"attributes": {"approximate": True}},
            "accuracy=0.0: must be there for a place that was worked out from the mobile network",
        ),
    ],
)
def test_a_position_that_is_no_fix_is_refused_with_its_reason(
    more: dict[str, Any], why: str
) -> None:
    refusal = only(position(fix(), **more))
    assert isinstance(refusal, Refusal)
    assert refusal.reason.startswith(why)


def test_zero_means_unknown_where_traccar_has_nothing_else() -> None:
    seen = only(position(fix(speed_mps=0.0)))
    assert isinstance(seen, Sighting)
    assert (seen.fix.heading_deg, seen.fix.accuracy_m, seen.fix.speed_mps) == (None, None, 0.0)


@given(
    st.builds(
        UnitFix,
        fixed_at=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001
            lambda one: one.replace(tzinfo=UTC, microsecond=one.microsecond // 1000 * 1000)
        ),
        lon_deg=st.floats(-180, 180).filter(bool),
        lat_deg=st.floats(-90, 90),
        heading_deg=st.floats(1, 360),
        speed_mps=st.floats(1, 100),
        accuracy_m=st.floats(1, 5000),
    )
)
def test_what_the_fake_writes_is_read_back(told: UnitFix) -> None:
    (seen,) = parse_traccar(write_traccar(traccar_position(told, 3)), NOW)
    assert isinstance(seen, Sighting)
    assert seen.fix.speed_mps == pytest.approx(told.speed_mps)
    assert (seen.fix.fixed_at, seen.fix.lon_deg, seen.fix.heading_deg, seen.fix.accuracy_m) == (
        told.fixed_at,
        told.lon_deg,
        told.heading_deg,
        told.accuracy_m,
    )


@given(st.data())
def test_damaged_messages_never_raise_and_never_vanish(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(SAMPLES))
    first = data.draw(st.integers(0, len(whole)))
    last = data.draw(st.integers(first, len(whole)))
    message = whole[:first] + data.draw(st.binary(max_size=6)) + whole[last:]
    heard = parse_traccar(message, NOW)
    assert heard or message.strip().startswith((b"{", b"["))


@pytest.mark.parametrize("message", [b"", b"7", b"\xff", b'{"positions": 7}', b"[[]]", b"[" * 5000])
def test_what_is_no_message_is_refused_with_its_bytes(message: bytes) -> None:
    (refusal,) = parse_traccar(message, NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.raw == (b"[]" if message == b"[[]]" else message)


def test_names_of_devices() -> None:
    devices = [traccar_device(3, " 4A12 ", "352"), traccar_device(4, "", "353"), {"id": "x"}, 7]
    assert names_of(devices, "name") == {"3": "4A12"}
    assert names_of(devices, "unique_id") == {"3": "352", "4": "353"}
    assert names_of({"error": 1}, "name") == {}


# -- the door ----------------------------------------------------------------------------------


def door_of(
    server: FakeTraccar, port: int, *, password: bool = False, hz: float = 1e5, **more: Any
) -> TraccarDoor:
    headers = {} if password else {"Authorization": f"Bearer {server.token}"}
    who: dict[str, Any] = {"user_id": server.user_id}
    if password:
        who = {"user": server.user, "password": server.password}
    told: dict[str, Any] = {"address": f"http://127.0.0.1:{port}", **who, **more}
    tls = told.get("tls") or ssl.create_default_context()
    senders = Senders("door", lambda: parse_position, (), hz)
    return TraccarDoor("door", Traccar(**told), connecting(tls, headers), senders)


def a_server(*positions: dict[str, Any]) -> FakeTraccar:
    devices = [traccar_device(3, "4A12", "352"), traccar_device(4, "4A13", "353")]
    return FakeTraccar(devices=devices, positions=list(positions))


def fails(door: TraccarDoor) -> str:
    async def forever() -> None:
        await asyncio.sleep(60)

    with pytest.raises(SourceUnreachableError) as caught:
        during(door, Keeper(), forever)
    return str(caught.value)


async def say(server: FakeTraccar, message: bytes) -> None:
    await asyncio.to_thread(server.say, message)


@pytest.mark.parametrize("password", [False, True])
def test_what_was_missed_comes_first_and_then_what_is_said(*, password: bool) -> None:
    old, new, live = fix(600), fix(5), fix(0)
    server, keeper = a_server(position(fix(9000)), position(old), position(new)), Keeper()

    async def work() -> None:
        await keeper.until(lambda: bool(server.sockets) and len(keeper.seen) >= 3)
        await say(server, write_traccar(position(live), position(fix(1), 4)))
        await keeper.until(lambda: len(keeper.seen) == 5)

    with listening(server.app()) as port:
        during(door_of(server, port, password=password), keeper, work)
    mine = [one.fix.fixed_at for one in keeper.seen if one.device == "4A12"]
    # The socket begins with the newest: it comes twice, and counts once.
    assert mine == [one.fixed_at for one in (old, new, new, live)]
    assert [one.device for one in keeper.seen].count("4A13") == 1
    assert keeper.opened_times == 1
    for secret in (server.token, server.password):
        assert not any(secret in address for address in server.asked)


def test_the_line_breaks_and_nothing_is_missed_not_even_out_of_a_dead_zone() -> None:
    """A car sends, during the gap, what it stored before the gap: older than the gap is long."""
    before, during_it = fix(300), [fix(240), fix(120), fix(60)]
    server, keeper = a_server(position(before)), Keeper()

    async def first() -> None:
        await keeper.until(lambda: bool(server.sockets) and len(keeper.seen) >= 2)
        await say(server, write_traccar(position(fix(1), 4)))
        await keeper.until(lambda: len(keeper.seen) >= 3)
        await asyncio.to_thread(server.hang_up)
        await asyncio.sleep(60)

    async def second() -> None:
        missed = {one.fixed_at for one in during_it}
        await keeper.until(lambda: {one.fix.fixed_at for one in keeper.seen} >= missed)

    with listening(server.app()) as port:
        door = door_of(server, port)
        with pytest.raises(SourceUnreachableError, match=r"the connection was lost \("):
            during(door, keeper, first)
        server.positions += [position(one) for one in during_it]
        keeper.heard.clear()
        during(door, keeper, second)
    found = [one.fix.fixed_at for one in keeper.seen if one.device == "4A12"]
    assert found[:4] == [before.fixed_at, *(one.fixed_at for one in during_it)]


def test_a_long_gap_is_fetched_an_hour_at_a_time_and_its_newest_positions_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("data.feeds.senders.AT_A_STRETCH", 10)
    told = [fix(60 * number) for number in range(170, 0, -1)]
    server, keeper = a_server(*map(position, told)), Keeper()

    async def work() -> None:
        await keeper.until(lambda: keeper.opened_times == 1)

    with listening(server.app()) as port:
        during(door_of(server, port, hz=0.001, catch_up=timedelta(hours=3)), keeper, work)
    assert sorted({one.fix.fixed_at for one in keeper.seen}) == [one.fixed_at for one in told]
    assert (keeper.dropped, keeper.reasons) == (0, [])
    asked = [parse_qs(urlsplit(one).query) for one in server.asked if "/positions" in one]
    spans = [
        [datetime.fromisoformat(one[name][0]) for name in ("from", "to")]
        for one in asked
        if one["deviceId"] == ["3"]
    ]
    assert len(spans) == 4
    assert all(last - first <= timedelta(hours=1) for first, last in spans)
    assert [last for _, last in spans[:-1]] == [first for first, _ in spans[1:]]


def test_a_burst_lands_in_its_order() -> None:
    server, keeper = a_server(), Keeper()
    told = [fix(2000 - number) for number in range(2000)]

    async def work() -> None:
        await keeper.until(lambda: bool(server.sockets) and keeper.opened_times == 1)
        for first in range(0, 2000, 100):
            await say(server, write_traccar(*map(position, told[first : first + 100])))
        await keeper.until(lambda: len(keeper.seen) == 2000)

    with listening(server.app()) as port:
        during(door_of(server, port), keeper, work)
    assert [one.fix.fixed_at for one in keeper.seen] == [one.fixed_at for one in told]


def test_a_device_that_sends_too_much_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.feeds.senders.AT_A_STRETCH", 10)
    server, keeper = a_server(), Keeper()

    async def work() -> None:
        await keeper.until(lambda: bool(server.sockets) and keeper.opened_times == 1)
        mad = [position(fix(number), 3) for number in range(50)]
        await say(server, write_traccar(*mad, position(fix(1), 4)))
        await keeper.until(lambda: keeper.dropped > 0)

    with listening(server.app()) as port:
        during(door_of(server, port, hz=0.001), keeper, work)
    assert sum(one.device == "4A12" for one in keeper.seen) == 10
    assert sum(one.device == "4A13" for one in keeper.seen) == 1
    assert keeper.dropped == 40
    assert "must be at most 0.001 messages a second" in keeper.reasons[0]


def test_a_new_device_is_asked_for_its_name_and_a_renamed_one_has_the_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("data.feeds.traccar.NAMES_AGAIN", timedelta(0))
    server, keeper = a_server(), Keeper()

    async def work() -> None:
        await keeper.until(lambda: bool(server.sockets) and keeper.opened_times == 1)
        server.devices.append(traccar_device(5, "4A14", "354"))
        await say(server, write_traccar(position(fix(3), 5)))
        await say(server, write_traccar(position(fix(2), 9)))
        await keeper.until(lambda: len(keeper.heard) == 2)
        renamed = [traccar_device(5, "4A99", "354")]
        await say(server, write_traccar(position(fix(1), 5), devices=renamed))
        await keeper.until(lambda: len(keeper.heard) == 3)

    with listening(server.app()) as port:
        during(door_of(server, port), keeper, work)
    assert [one.device for one in keeper.seen] == ["4A14", "4A99"]
    assert keeper.reasons == [
        "deviceId=9: is no device that this user sees at Traccar; let him see it"
    ]


def test_tls_and_a_server_of_another_name() -> None:
    authority = trustme.CA()
    own, server, keeper = authority.issue_cert("127.0.0.1"), a_server(position(fix(5))), Keeper()
    client = ssl.create_default_context()
    authority.configure_trust(client)

    async def work() -> None:
        # All it fetches is fetched: httpcore leaves a call open that ends amid its handshake.
        await keeper.until(lambda: bool(keeper.seen) and keeper.opened_times == 1)

    with (
        own.private_key_and_cert_chain_pem.tempfile() as pem,
        listening(server.app(), ssl_certfile=pem, ssl_keyfile=pem) as port,
    ):
        address = f"https://127.0.0.1:{port}"
        during(door_of(server, port, address=address, tls=client), keeper, work)
        stranger = door_of(server, port, address=address, tls=ssl.create_default_context())
        assert "does it run, is its certificate right?" in fails(stranger)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda one: setattr(one, "token", "x"), "will not let us in (401); look at token_file"),
        (lambda one: setattr(one, "user_id", 8), "answers 400 to /api/session/7"),
        (lambda one: setattr(one, "devices", float("nan")), "answers 500"),
    ],
)
def test_what_a_server_says_no_to_is_told_and_no_secret_is(
    spoil: Callable[[FakeTraccar], None], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = a_server()
    with listening(server.app()) as port:
        door = door_of(server, port)
        secret = server.token
        spoil(server)
        told = fails(door)
    assert why in told
    logged = [one for one in caplog.records if "uvicorn" not in one.name]
    assert secret not in told + "".join(one.getMessage() for one in logged)


def test_a_busy_server_is_said_and_one_that_is_not_there() -> None:
    server = a_server()
    server.refuse = 503
    with listening(server.app()) as port:
        assert "answers 503 to /api/session" in fails(door_of(server, port, password=True))
    assert "cannot be reached (" in fails(door_of(server, free_port()))


def test_the_line_is_led_to_no_other_server() -> None:
    """Who answers for Traccar is held to its settings: positions of another are none of ours."""
    server, called = a_server(), []
    app = server.app()

    async def elsewhere(scope: Any, _receive: Any, _send: Any) -> None:
        if scope["type"] == "websocket":
            called.append(scope["headers"])

    with listening(elsewhere) as other:

        async def leading(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "websocket":
                await app(scope, receive, send)
                return
            start = {"type": "websocket.http.response.start", "status": 302}
            location = f"ws://127.0.0.1:{other}/api/socket".encode()
            await send({**start, "headers": [(b"location", location)]})
            await send({"type": "websocket.http.response.body", "body": b""})

        with listening(leading) as port:
            assert "the connection was lost (server rejected WebSocket connection: HTTP 302)" in (
                fails(door_of(server, port))
            )
    assert called == []

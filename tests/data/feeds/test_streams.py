"""A TCP port: lines that come in pieces, who may not call, one that waits for itself alone, TLS."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from data.errors import SourceUnreachableError
from data.feeds import streams
from data.feeds.cot import CotReader, whole_events
from data.feeds.heard import Heard, Noted, Refusal, Sighting, Told
from data.feeds.nmea import NmeaReader
from data.feeds.nmea_fake import write_nmea
from data.feeds.senders import Senders
from data.feeds.streams import Talk, TcpDoor
from data.records import UnitFix

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def line(number: int = 0) -> bytes:
    fixed_at = NOW - timedelta(seconds=number)
    return write_nmea("RMC", UnitFix(fixed_at=fixed_at, lon_deg=-104.98765, lat_deg=39.74))


class Keeper:
    """Takes what is heard; holds up one device, if told to."""

    def __init__(self, slow: str = "") -> None:
        self.slow = slow
        self.heard: list[Heard | Told] = []
        self.opened_at: list[str] = []

    def opened(self, *, door: str) -> None:
        self.opened_at.append(door)

    def lost(self, count: int, *, door: str) -> None:
        raise NotImplementedError

    async def take(
        self, heard: Sequence[Heard | Told], *, door: str, peer: str, arrived_at: datetime
    ) -> None:
        assert (door, peer, arrived_at) == ("cars", "127.0.0.1", NOW)
        if self.slow and any(isinstance(h, Sighting) and h.device == self.slow for h in heard):
            await asyncio.sleep(3600)
        self.heard += heard

    def refused(self) -> list[str]:
        return [one.reason for one in self.heard if isinstance(one, Refusal)]

    def turned_away(self) -> int:
        return sum(isinstance(one, Noted) for one in self.heard)

    def devices(self) -> list[str]:
        return [one.device for one in self.heard if isinstance(one, Sighting)]

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not true():  # noqa: ASYNC110 - the keeper tells nobody
                await asyncio.sleep(0.005)


def door_on(
    *allowed: str, port: int = 0, hz: float = 1e5, tls: ssl.SSLContext | None = None, **more: Any
) -> TcpDoor:
    senders = Senders("cars", NmeaReader, allowed, hz)
    return TcpDoor("cars", "127.0.0.1", port, senders, tls=tls, now=lambda: NOW, **more)


def talk(door: TcpDoor, keeper: Keeper, work: Callable[[], Awaitable[None]]) -> None:
    """Run a door as long as something is done."""

    async def both() -> None:
        running = asyncio.create_task(door.run(keeper))
        await keeper.until(lambda: bool(keeper.opened_at) or running.done())
        try:
            await work()
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    asyncio.run(both())


async def call(door: TcpDoor, tls: ssl.SSLContext | None = None) -> asyncio.StreamWriter:
    name = "localhost" if tls else None
    return (await asyncio.open_connection("127.0.0.1", door.port, ssl=tls, server_hostname=name))[1]


def test_lines_in_pieces_are_put_together_and_the_name_holds() -> None:
    keeper, door = Keeper(), door_on()
    sent = b"4A12\r\n" + line(0) + line(1)

    async def work() -> None:
        out = await call(door)
        for byte in range(0, len(sent), 7):
            out.write(sent[byte : byte + 7])
            await out.drain()
            await asyncio.sleep(0.001)
        await keeper.until(lambda: len(keeper.heard) == 2)
        out.close()

    talk(door, keeper, work)
    assert keeper.devices() == ["4A12", "4A12"]


def test_a_burst_of_ten_thousand_lines_lands_in_its_order() -> None:
    keeper, door = Keeper(), door_on()

    async def work() -> None:
        out = await call(door)
        out.write(b"".join(line(10_000 - number) for number in range(10_000)))
        await out.drain()
        out.close()
        await keeper.until(lambda: len(keeper.heard) == 10_000)

    talk(door, keeper, work)
    instants = [one.fix.fixed_at for one in keeper.heard if isinstance(one, Sighting)]
    assert instants == sorted(instants)
    assert len(instants) == 10_000


def test_the_rest_of_a_line_is_told_when_the_other_end_goes() -> None:
    keeper, door = Keeper(), door_on()

    async def work() -> None:
        out = await call(door)
        out.write(line()[:-9])
        out.close()
        await keeper.until(lambda: bool(keeper.heard))

    talk(door, keeper, work)
    (refusal,) = keeper.heard
    assert isinstance(refusal, Refusal | Sighting)
    assert refusal.raw == line()[:-9]


def test_a_sender_who_is_held_up_holds_up_no_other() -> None:
    keeper, door = Keeper(slow="slow"), door_on()

    async def work() -> None:
        one, other = await call(door), await call(door)
        one.write(b"slow\r\n" + line())
        await one.drain()
        await asyncio.sleep(0.05)
        other.write(b"4A12\r\n" + line())
        await keeper.until(lambda: keeper.devices() == ["4A12"])
        one.close()
        other.close()

    talk(door, keeper, work)


def test_who_sends_more_than_he_may_is_read_more_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.feeds.senders.AT_A_STRETCH", 5)
    waited: list[float] = []
    monkeypatch.setattr(
        Senders,
        "wait_s",
        lambda *_: (waited.append(1), 0.0)[1],  # type: ignore[func-returns-value]
    )
    keeper, door = Keeper(), door_on()

    async def work() -> None:
        out = await call(door)
        out.write(line())
        await keeper.until(lambda: bool(keeper.heard))
        await keeper.until(lambda: bool(waited))
        out.close()

    talk(door, keeper, work)


def test_who_may_not_call_is_refused() -> None:
    keeper, door = Keeper(), door_on("10.8.0.0/16")

    async def work() -> None:
        out = await call(door)
        out.write(line())
        await keeper.until(lambda: bool(keeper.heard))
        out.close()

    talk(door, keeper, work)
    assert keeper.refused() == ["peer=127.0.0.1: must be in 10.8.0.0/16; see feeds.cars.from"]
    assert keeper.turned_away() == 1


def test_a_line_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LONGEST_LINE", 100)
    keeper, door = Keeper(), door_on()

    async def work() -> None:
        out = await call(door)
        out.write(b"x" * 1000)
        await keeper.until(lambda: bool(keeper.heard))
        out.close()

    talk(door, keeper, work)
    (refusal,) = keeper.heard
    assert isinstance(refusal, Refusal)
    assert "must be messages of at most 100 bytes; the connection was ended" in refusal.reason


def test_what_drips_into_a_long_message_is_not_read_anew_byte_by_byte() -> None:
    """One client stood all still: a megabyte was searched for its end with each byte."""
    splits = 0

    def split(data: bytes) -> tuple[bytes, bytes]:
        nonlocal splits
        splits += 1
        return whole_events(data)

    keeper = Keeper()
    door = TcpDoor(
        "cars",
        "127.0.0.1",
        0,
        Senders("cars", CotReader),
        talk=Talk(split, 1_000_000),
        now=lambda: NOW,
    )

    async def work() -> None:
        writer = await call(door)
        writer.write(b"<event>" + b" " * 300_000)
        for _ in range(300):
            await writer.drain()
            await asyncio.sleep(0.001)
            writer.write(b" ")
        writer.write(b"</event>")
        await keeper.until(lambda: len(keeper.heard) == 1)
        writer.close()

    talk(door, keeper, work)
    assert splits < 100


def test_more_connections_than_can_be_borne_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_CONNECTIONS", 1)
    keeper, door = Keeper(), door_on()

    async def work() -> None:
        one = await call(door)
        await asyncio.sleep(0.05)
        other = await call(door)
        await keeper.until(lambda: bool(keeper.heard))
        one.close()
        other.close()

    talk(door, keeper, work)
    assert keeper.refused() == ["peer=127.0.0.1: must be one of at most 1 connections"]


def test_one_address_has_so_many_connections_and_is_told_once() -> None:
    keeper, door = Keeper(), door_on(most_of_one=2)

    async def work() -> None:
        two = [await call(door), await call(door)]
        await asyncio.sleep(0.05)
        more = [await call(door) for _ in range(5)]
        await keeper.until(lambda: keeper.turned_away() == 5)
        two[1].write(line())
        await keeper.until(lambda: keeper.devices() == [""])
        two[0].close()
        await asyncio.sleep(0.05)
        more.append(await call(door))
        more[-1].write(line(1))
        await keeper.until(lambda: len(keeper.devices()) == 2)
        for one in (*two, *more):
            one.close()

    talk(door, keeper, work)
    assert keeper.refused() == [
        "peer=127.0.0.1: must have at most 2 connections at a time; see feeds.cars.most_connections"
    ]
    assert keeper.turned_away() == 5


def test_what_all_connections_hold_without_an_end_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "LONGEST_LINE", 100)
    monkeypatch.setattr(streams, "MOST_HELD", 1500)
    keeper = Keeper()
    senders = Senders("cars", CotReader)
    door = TcpDoor(
        "cars", "127.0.0.1", 0, senders, talk=Talk(whole_events, 10_000), now=lambda: NOW
    )

    async def work() -> None:
        callers = []
        for _ in range(2):
            callers.append(await call(door))
            callers[-1].write(b"<event>" + b" " * 900)
            await asyncio.sleep(0.05)
        await keeper.until(lambda: bool(keeper.heard))
        # What the one held that was ended is free for another.
        callers.append(await call(door))
        callers[-1].write(b"<event>" + b" " * 200)
        await asyncio.sleep(0.1)
        for one in callers:
            one.close()

    talk(door, keeper, work)
    reasons = [one for one in keeper.refused() if "wait for their end" in one]
    assert len(reasons) == 1
    assert "must be sent whole: 1500 bytes of many connections wait for their end" in reasons[0]


def test_a_connection_that_says_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "IDLE_S", 0.05)
    keeper, door = Keeper(), door_on()

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()

    talk(door, keeper, work)


def test_a_port_that_is_taken_is_said() -> None:
    keeper, door = Keeper(), door_on()

    async def work() -> None:
        with pytest.raises(SourceUnreachableError, match="cannot be listened on"):
            await door_on(port=door.port).run(Keeper())

    talk(door, keeper, work)


def test_what_fails_within_is_raised_and_not_lost() -> None:
    class Failing(Keeper):
        async def take(self, *_: object, **__: object) -> None:
            raise ZeroDivisionError

    keeper, door = Failing(), door_on()

    async def both() -> None:
        running = asyncio.create_task(door.run(keeper))
        await keeper.until(lambda: bool(keeper.opened_at))
        out = await call(door)
        out.write(line())
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(running, 10)
        out.close()

    asyncio.run(both())


def test_tls_and_a_certificate_of_the_senders() -> None:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(server)
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context()
    authority.configure_trust(client)
    keeper, door = Keeper(), door_on(tls=server)

    async def work() -> None:
        stranger = await call(door, client)  # in TLS 1.3 a client learns of it when it reads
        stranger.write(line())
        with contextlib.suppress(OSError):
            await stranger.drain()
            await stranger.wait_closed()
        authority.issue_cert("car").configure_cert(client)
        out = await call(door, client)
        out.write(line())
        await keeper.until(lambda: len(keeper.heard) == 1)
        out.close()

    talk(door, keeper, work)
    assert len(keeper.heard) == 1

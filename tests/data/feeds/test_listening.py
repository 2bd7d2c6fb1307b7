"""A UDP port: what comes is handed on, whoever may not send is refused, a taken port is said."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from data.errors import SourceUnreachableError
from data.feeds.heard import Heard, Refusal, Sighting, Told
from data.feeds.listening import UdpDoor
from data.feeds.senders import Senders
from data.feeds.taip import parse_taip
from data.feeds.taip_fake import write_taip
from data.records import UnitFix

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 11, 23, 2, 13, tzinfo=UTC)
FIX = UnitFix(fixed_at=NOW, lon_deg=-104.99, lat_deg=39.74, speed_mps=9.0)


class Keeper:
    """Takes what is heard; slowly, if told to."""

    def __init__(self, slow_s: float = 0.0) -> None:
        self.slow_s = slow_s
        self.heard: list[Heard | Told] = []
        self.told: list[tuple[str, int]] = []

    def opened(self, *, door: str) -> None:
        self.told.append((door, -1))

    def lost(self, count: int, *, door: str) -> None:
        self.told.append((door, count))

    async def take(
        self, heard: Sequence[Heard | Told], *, door: str, peer: str, arrived_at: datetime
    ) -> None:
        together = all(isinstance(one, Sighting) for one in heard)
        assert (door, peer, arrived_at) == ("cars", "" if together else "127.0.0.1", NOW)
        await asyncio.sleep(self.slow_s)
        self.heard += heard


def sent(
    door: UdpDoor, keeper: Keeper, datagrams: list[bytes], want: int, pause_s: float = 0.0
) -> None:
    """Run a door for as long as it takes."""

    async def work() -> None:
        running = asyncio.create_task(door.run(keeper))
        while door.port == 0:  # noqa: ASYNC110 - the door tells nobody
            await asyncio.sleep(0.001)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for one in datagrams:
                out.sendto(one, ("127.0.0.1", door.port))
                await asyncio.sleep(pause_s)
        async with asyncio.timeout(10):
            while len(keeper.heard) < want and not running.done():  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.005)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(work())


def door_on(*allowed: str, port: int = 0) -> UdpDoor:
    senders = Senders("cars", lambda: parse_taip, allowed)
    return UdpDoor("cars", "127.0.0.1", port, senders, now=lambda: NOW)


def test_every_datagram_is_heard_in_its_order_however_slow_the_taker() -> None:
    names = [f"{number:04d}" for number in range(2500)]
    keeper, door = Keeper(slow_s=0.02), door_on("127.0.0.0/8")
    sent(door, keeper, [write_taip("LN", FIX, device=name) for name in names], len(names))
    assert [one.device for one in keeper.heard if isinstance(one, Sighting)] == names
    assert door.dropped == 0
    assert keeper.told == [("cars", -1)]


def test_several_sentences_and_what_is_none_in_one_datagram() -> None:
    keeper = Keeper()
    one = write_taip("PV", FIX, device="4A12")
    sent(door_on(), keeper, [one + b"\r\n" + one + b"noise"], 3)
    assert [type(heard) for heard in keeper.heard] == [Sighting, Sighting, Refusal]


def test_who_may_not_send_is_refused() -> None:
    keeper = Keeper()
    sent(door_on("10.8.0.0/16", "::1/128"), keeper, [b">RPV<"], 1)
    (refusal,) = keeper.heard
    assert isinstance(refusal, Refusal)
    assert refusal.reason == (
        "peer=127.0.0.1: must be in 10.8.0.0/16, ::1/128; see feeds.cars.from"
    )


def test_a_port_that_is_taken_is_said() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(SourceUnreachableError, match=f"feeds.cars.listen=127.0.0.1:{port}: c"):
            asyncio.run(door_on(port=port).run(Keeper()))


def test_who_takes_is_told_what_came_too_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A buffer of few datagrams, and a taker who is slower than they come."""
    monkeypatch.setattr("data.feeds.listening.BUFFER", 2048)
    keeper, door = Keeper(slow_s=0.02), door_on()
    one = write_taip("LN", FIX, device="4A12")
    sent(door, keeper, [one] * 400, 20, pause_s=0.001)
    assert keeper.told[-1] == ("cars", door.dropped)
    assert door.dropped > 0


def test_an_ipv4_sender_is_one_on_a_port_of_ipv6_too() -> None:
    keeper = Keeper()
    senders = Senders("cars", lambda: parse_taip, ["127.0.0.0/8"])
    door = UdpDoor("cars", "::", 0, senders, now=lambda: NOW)
    sent(door, keeper, [write_taip("LN", FIX, device="4A12")], 1)
    assert [type(heard) for heard in keeper.heard] == [Sighting]


def test_a_device_without_a_name_is_called_by_its_address() -> None:
    keeper = Keeper()
    sent(door_on(), keeper, [write_taip("LN", FIX)], 1)
    assert [one.device for one in keeper.heard if isinstance(one, Sighting)] == ["127.0.0.1"]

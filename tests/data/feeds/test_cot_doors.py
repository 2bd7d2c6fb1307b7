"""Doors for Cursor-on-Target with real peers: PyTAK's client, and one that plays TAK's part."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from defusedxml.ElementTree import fromstring

from data.errors import SourceUnreachableError
from data.feeds import tak_server
from data.feeds.cot import CotReader, whole_events
from data.feeds.cot_fake import write_cot
from data.feeds.cot_writing import pong_for, write_ping
from data.feeds.heard import Heard, Noted, Refusal, Sighting, Told
from data.feeds.listening import UdpDoor
from data.feeds.senders import Senders
from data.feeds.streams import Talk, TcpDoor
from data.feeds.tak_server import LONGEST_EVENT, TakDoor, TakLine, TakServer
from data.feeds.tak_udp import UdpLine
from data.records import UnitFix
from tests.servers import free_port
from tests.tak import phone, tak_part

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from data.feeds.door import Door

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GROUP = "239.2.3.1"  # TAK's own
PYTAK_TLS = pytest.mark.filterwarnings("ignore:ssl.OP_NO:DeprecationWarning")  # it sets them


def position(uid: str = "ANDROID-1", **more: Any) -> bytes:
    fix = UnitFix(fixed_at=NOW, lon_deg=-104.98765, lat_deg=39.74, speed_mps=9.0, heading_deg=90.0)
    return write_cot(fix, **{"uid": uid, "callsign": "4A12", **more})


class Keeper:
    """Takes what is heard."""

    def __init__(self) -> None:
        self.heard: list[Heard | Told] = []
        self.peers: list[str] = []
        self.open = 0

    def opened(self, *, door: str) -> None:
        assert door == "tak"
        self.open += 1

    def lost(self, count: int, *, door: str) -> None:
        raise NotImplementedError

    async def take(
        self, heard: Sequence[Heard | Told], *, door: str, peer: str, arrived_at: datetime
    ) -> None:
        assert (door, arrived_at) == ("tak", NOW)
        self.heard += heard
        self.peers.append(peer)

    def devices(self) -> list[str]:
        return [one.device for one in self.heard if isinstance(one, Sighting)]


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


def talk(door: Door, keeper: Keeper, work: Callable[[], Awaitable[None]]) -> None:
    """Run a door as long as something is done."""

    async def both() -> None:
        running = asyncio.create_task(door.run(keeper))
        await until(lambda: keeper.open or running.done())
        try:
            await work()
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    asyncio.run(both())


def senders(*allowed: str) -> Senders:
    return Senders("tak", CotReader, allowed, 1e5)


def tcp_door(tls: ssl.SSLContext | None = None, *, by_certificate: bool = False) -> TcpDoor:
    how = Talk(whole_events, LONGEST_EVENT, pong_for, by_certificate)
    return TcpDoor("tak", "127.0.0.1", 0, senders(), tls=tls, talk=how, now=lambda: NOW)


@pytest.mark.parametrize("protobuf", ["0", "1"])
def test_pytak_by_udp(protobuf: str) -> None:
    keeper, door = Keeper(), UdpDoor("tak", "127.0.0.1", 0, senders(), lambda: NOW)

    async def work() -> None:
        async with phone(f"udp+wo://127.0.0.1:{door.port}", TAK_PROTO=protobuf) as one:
            await one.send(position(), position("ANDROID-2"))
            await until(lambda: len(keeper.heard) == 2)

    talk(door, keeper, work)
    assert sorted(keeper.devices()) == ["ANDROID-1", "ANDROID-2"]


@pytest.mark.allow_hosts(["127.0.0.1", GROUP])  # sent by the loopback's interface alone
@pytest.mark.parametrize("protobuf", ["0", "1"])
def test_pytak_by_multicast(protobuf: str) -> None:
    """With protobuf it is the header of the mesh."""
    port, keeper = free_port(), Keeper()
    door = UdpDoor("tak", GROUP, port, senders(), lambda: NOW, "127.0.0.1")

    async def work() -> None:
        config = {"TAK_PROTO": protobuf, "PYTAK_MULTICAST_LOCAL_ADDR": "127.0.0.1"}
        async with phone(f"udp+wo://{GROUP}:{port}", **config) as one:
            await one.send(position())
            await until(lambda: keeper.heard)

    talk(door, keeper, work)
    assert keeper.devices() == ["ANDROID-1"]
    (sighting,) = keeper.heard
    assert isinstance(sighting, Sighting)
    assert sighting.raw.startswith(b"\xbf\x01\xbf" if protobuf == "1" else b"<?xml")


def test_a_group_that_cannot_be_joined_is_said() -> None:
    door = UdpDoor("tak", GROUP, 0, senders(), lambda: NOW, "203.0.113.9")
    with pytest.raises(SourceUnreachableError, match=r"listen=239.2.3.1:0: cannot be listened"):
        asyncio.run(door.run(Keeper()))


@pytest.mark.parametrize("protobuf", ["0", "1"])
def test_pytak_by_tcp(protobuf: str) -> None:
    keeper, door = Keeper(), tcp_door()

    async def work() -> None:
        async with phone(f"tcp://127.0.0.1:{door.port}", TAK_PROTO=protobuf) as one:
            await one.send(*(position(f"ANDROID-{number}") for number in range(500)))
            await until(lambda: len(keeper.heard) == 500)

    talk(door, keeper, work)
    assert keeper.devices() == [f"ANDROID-{number}" for number in range(500)]


def test_a_ping_is_answered() -> None:
    keeper, door = Keeper(), tcp_door()

    async def work() -> None:
        async with phone(f"tcp://127.0.0.1:{door.port}") as one:
            await one.send(position(), write_ping(NOW))
            pong = await one.hears(lambda event: bool(event.get("type")))
            assert pong.get("type") == "t-x-c-t-r"

    talk(door, keeper, work)
    assert [one.kind for one in keeper.heard if isinstance(one, Noted)] == ["ping"]


def test_one_that_never_listens_is_read_and_not_answered_for_ever() -> None:
    keeper, answered = Keeper(), list[int]()

    def answer(heard: Sequence[Heard], _at: datetime) -> bytes:
        answered.append(len(heard))
        return b" " * 20_000_000

    how = Talk(whole_events, LONGEST_EVENT, answer)
    door = TcpDoor("tak", "127.0.0.1", 0, senders(), talk=how, now=lambda: NOW)

    async def work() -> None:
        _, out = await asyncio.open_connection("127.0.0.1", door.port, limit=1)
        for number in range(20):
            out.write(position())
            await until(lambda number=number: len(keeper.heard) > number)  # type: ignore[misc]
        out.close()

    talk(door, keeper, work)
    assert len(answered) < 5


def test_a_message_of_the_mesh_by_tcp_goes_to_the_end_of_its_connection() -> None:
    keeper, door = Keeper(), tcp_door()

    async def work() -> None:
        _, out = await asyncio.open_connection("127.0.0.1", door.port)
        out.write(position(wire="mesh"))
        out.close()
        await until(lambda: keeper.heard)

    talk(door, keeper, work)
    assert keeper.devices() == ["ANDROID-1"]


def test_an_event_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.data.feeds.test_cot_doors.LONGEST_EVENT", 1000)
    keeper, door = Keeper(), tcp_door()

    async def work() -> None:
        reader, out = await asyncio.open_connection("127.0.0.1", door.port)
        out.write(b"<event" + b" " * 2000)
        assert await asyncio.wait_for(reader.read(), 20) == b""
        out.close()

    talk(door, keeper, work)
    (refusal,) = keeper.heard
    assert isinstance(refusal, Refusal)
    assert "must be messages of at most 1000 bytes; the connection was ended" in refusal.reason


class Certificates:
    """An authority, and its certificates as files and as contexts."""

    def __init__(self, folder: Path) -> None:
        self.authority, self._folder = trustme.CA(), folder
        self.authority.cert_pem.write_to_path(str(folder / "ca.pem"))

    def server(self, name: str = "127.0.0.1") -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert(name).configure_cert(context)
        self.authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self, name: str = "") -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self._folder / "ca.pem"))
        if name:
            self.authority.issue_cert(f"{name}.example", common_name=name).configure_cert(context)
        return context

    def pytak(self, name: str) -> dict[str, str]:
        """Write a client's certificate as PyTAK takes it."""
        own = self.authority.issue_cert(f"{name}.example", common_name=name)
        own.private_key_and_cert_chain_pem.write_to_path(str(self._folder / f"{name}.pem"))
        return {
            "PYTAK_TLS_CLIENT_CERT": str(self._folder / f"{name}.pem"),
            "PYTAK_TLS_CLIENT_KEY": str(self._folder / f"{name}.pem"),
            "PYTAK_TLS_CLIENT_CAFILE": str(self._folder / "ca.pem"),
            "PYTAK_TLS_SERVER_EXPECTED_HOSTNAME": "127.0.0.1",
        }


@PYTAK_TLS
def test_pytak_by_tls_is_called_by_its_certificate(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    keeper, door = Keeper(), tcp_door(certificates.server(), by_certificate=True)

    async def work() -> None:
        url = f"tls://127.0.0.1:{door.port}"
        async with phone(url, **certificates.pytak("4A12")) as one:
            await one.send(position("somebody else"), write_ping(NOW))
            await one.hears(lambda event: event.get("type") == "t-x-c-t-r")

    talk(door, keeper, work)
    assert keeper.devices() == ["4A12"]


def test_who_has_no_certificate_is_not_let_in(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    keeper, door = Keeper(), tcp_door(certificates.server())

    async def work() -> None:
        reader, out = await asyncio.open_connection(
            "127.0.0.1", door.port, ssl=certificates.client()
        )
        with contextlib.suppress(OSError):  # in TLS 1.3 a client learns of it when it reads
            out.write(position())
            await reader.read()
        out.close()
        with contextlib.suppress(OSError):
            await out.wait_closed()

    talk(door, keeper, work)
    assert keeper.heard == []


def test_a_certificate_that_names_nobody_speaks_for_nobody(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    keeper, door = Keeper(), tcp_door(certificates.server(), by_certificate=True)
    context = certificates.client()
    certificates.authority.issue_cert("phone.example").configure_cert(context)

    async def work() -> None:
        reader, out = await asyncio.open_connection("127.0.0.1", door.port, ssl=context)
        out.write(position())
        assert await asyncio.wait_for(reader.read(), 20) == b""
        out.close()

    talk(door, keeper, work)
    _, refusal = keeper.heard
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "peer=127.0.0.1: must show a certificate with a common name"


def server_at(port: int, tls: ssl.SSLContext | None = None) -> TakServer:
    return TakServer(where="feeds.tak.server", host="127.0.0.1", port=port, tls=tls)


def door_to(port: int, tls: ssl.SSLContext | None = None) -> TakDoor:
    return TakDoor("tak", server_at(port, tls), CotReader(), lambda: NOW)


@PYTAK_TLS
def test_a_tak_server_hands_on_what_its_clients_send(tmp_path: Path) -> None:
    certificates, keeper = Certificates(tmp_path), Keeper()
    with tak_part(certificates.server()) as part:

        async def work() -> None:
            url = f"tls://127.0.0.1:{part.port}"
            async with phone(url, **certificates.pytak("4A12")) as one:
                await until(lambda: len(part.clients) == 2)
                await one.send(position(), position(kind="b-m-p-s-m"))
                await until(lambda: len(keeper.heard) == 2)

        talk(door_to(part.port, certificates.client("rollby")), keeper, work)
    assert keeper.devices() == ["ANDROID-1"]
    assert keeper.peers[0].startswith("127.0.0.1:")


def test_a_certificate_of_another_name_counts_where_that_name_is_set(tmp_path: Path) -> None:
    certificates, keeper = Certificates(tmp_path), Keeper()
    ours = certificates.client("rollby")
    with tak_part(certificates.server("takserver")) as part:
        with pytest.raises(SourceUnreachableError, match="are the certificates right"):
            asyncio.run(door_to(part.port, ours).run(keeper))
        server = replace(server_at(part.port, ours), called="takserver")

        async def work() -> None:
            await until(lambda: part.clients)
            part.say(position())
            await until(lambda: keeper.heard)

        talk(TakDoor("tak", server, CotReader(), lambda: NOW), keeper, work)


def test_a_tak_servers_own_ping_is_answered() -> None:
    keeper = Keeper()
    with tak_part() as part:

        async def work() -> None:
            await until(lambda: part.clients)
            part.say(write_ping(NOW))
            await until(lambda: part.events)

        talk(door_to(part.port), keeper, work)
        assert fromstring(part.events[0]).get("type") == "t-x-c-t-r"


def test_a_silent_server_is_asked_and_kept_and_a_dead_one_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tak_server, "PING_S", 0.05)
    monkeypatch.setattr(tak_server, "LOST_S", 0.15)

    async def follow(port: int) -> None:
        await asyncio.wait_for(door_to(port).run(Keeper()), 20)

    async def kept(part: Any) -> None:
        running = asyncio.create_task(follow(part.port))
        await until(lambda: len(part.events) >= 5)
        assert not running.done()
        part.deaf = True
        with pytest.raises(
            SourceUnreachableError,
            match=r"feeds.tak.server=127.0.0.1:\d+: it has said nothing for 0.15 s, and answers no",
        ):
            await running

    with tak_part() as part:
        asyncio.run(kept(part))


def test_a_server_that_hangs_up_or_never_ends_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tak_server, "LONGEST_EVENT", 1000)

    async def follow(part: Any, then: Callable[[], None]) -> None:
        await until(lambda: not part.clients)
        running = asyncio.create_task(door_to(part.port).run(Keeper()))
        await until(lambda: part.clients)
        then()
        await asyncio.wait_for(running, 20)

    with tak_part() as part:
        with pytest.raises(SourceUnreachableError, match="it hung up; does it know our cert"):
            asyncio.run(follow(part, part.hang_up))
        with pytest.raises(SourceUnreachableError, match="more than 1000 bytes without an end"):
            asyncio.run(follow(part, lambda: part.say(b"<event" + b" " * 2000)))


def test_a_server_that_is_not_there_or_will_not_have_us_is_said(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    with pytest.raises(SourceUnreachableError, match=r"cannot be reached .*is the TAK server run"):
        asyncio.run(door_to(free_port()).run(Keeper()))
    with tak_part(certificates.server()) as part:
        for context in (ssl.create_default_context(), certificates.client()):
            with pytest.raises(SourceUnreachableError, match=r"feeds.tak.server=127.0.0.1:\d+"):
                asyncio.run(door_to(part.port, context).run(Keeper()))


def test_a_server_that_takes_nothing_any_more_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tak_server, "LOST_S", 0.2)

    async def flood(port: int) -> None:
        async with TakLine(server_at(port), lambda: NOW) as line:
            while True:
                await line.send(b" " * 1_000_000)

    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        pytest.raises(SourceUnreachableError, match=r"the connection was lost \(TimeoutError\)"),
    ):
        asyncio.run(asyncio.wait_for(flood(listening.getsockname()[1]), 20))


def test_a_connection_that_breaks_is_said() -> None:
    async def hear(line: TakLine) -> None:
        async for _ in line.pieces():
            raise AssertionError

    async def tell(line: TakLine) -> None:
        for _ in range(100):
            await line.send(write_ping(NOW))

    async def broken(part: Any) -> None:
        async with TakLine(server_at(part.port), lambda: NOW) as line:
            await until(lambda: part.clients)
            reset = b"\1\0\0\0\0\0\0\0"
            part.clients[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            part.clients[0].shutdown(socket.SHUT_RD)  # wakes who reads there, and closes it
            for work in (hear, tell):
                with pytest.raises(SourceUnreachableError, match="the connection was lost"):
                    await work(line)

    with tak_part() as part:
        asyncio.run(broken(part))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", GROUP])
def test_datagrams_are_sent_to_an_address_or_a_group(host: str) -> None:
    keeper, port = Keeper(), free_port()
    own = GROUP if host == GROUP else "127.0.0.1"
    door = UdpDoor("tak", own, port, senders(), lambda: NOW, "127.0.0.1" if own == GROUP else "")

    async def work() -> None:
        async with UdpLine("cot.x.server", host, port, "127.0.0.1") as line:
            for _ in range(2):
                await line.send(position())
            await until(lambda: len(keeper.heard) == 2)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(aiter(line.pieces())), 0.05)

    talk(door, keeper, work)


@pytest.mark.parametrize(
    ("host", "data"), [("nowhere.invalid", b""), ("127.0.0.1", b" " * 100_000)]
)
def test_datagrams_that_cannot_be_sent_are_said(host: str, data: bytes) -> None:
    async def work() -> None:
        async with UdpLine("cot.x.server", host, 9) as line:
            await line.send(data)

    with pytest.raises(SourceUnreachableError, match=rf"cot.x.server={host}:9: cannot be sent to"):
        asyncio.run(work())

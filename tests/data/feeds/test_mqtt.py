"""A real mosquitto: what it has handed over is on disk before it is told so, and counts once."""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from data.errors import SourceUnreachableError
from data.feeds.heard import Heard, Noted, Refusal, Sighting, Told
from data.feeds.mqtt import Broker, MqttDoor, parse_message
from data.feeds.owntracks_fake import write_owntracks
from data.feeds.senders import Senders
from data.records import UnitFix
from tests.servers import Mosquitto, free_port, mosquitto

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
USERS = {"rollby": "r0", "4A12": "p0"}
ACL = "user rollby\ntopic read owntracks/#\n\npattern write owntracks/%u/#\n"
TOPIC = "owntracks/4A12/phone"


def message(number: int = 0, *, tid: str = "") -> bytes:
    fixed_at = NOW - timedelta(seconds=number)
    return write_owntracks(
        UnitFix(fixed_at=fixed_at, lon_deg=-104.99, lat_deg=39.74, speed_mps=10.0), tid=tid
    )


class Keeper:
    """Takes what is heard; fails to, if told to."""

    def __init__(self) -> None:
        self.heard: list[Heard | Told] = []
        self.peers: list[str] = []
        self.open = 0
        self.over = 0
        self.failing = False

    def opened(self, *, door: str) -> None:
        assert door == "phones"
        self.open += 1

    def lost(self, count: int, *, door: str) -> None:
        assert door == "phones"
        self.over = count

    async def take(
        self, heard: Sequence[Heard | Told], *, door: str, peer: str, arrived_at: datetime
    ) -> None:
        assert (door, arrived_at) == ("phones", NOW)
        if self.failing:
            raise ZeroDivisionError
        self.heard += heard
        self.peers.append(peer)

    def instants(self) -> list[datetime]:
        return [one.fix.fixed_at for one in self.heard if isinstance(one, Sighting)]


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


def door_to(port: int, *, hz: float = 1e5, user: str = "rollby", **more: Any) -> MqttDoor:
    known = {
        "host": "127.0.0.1",
        "client_id": "rollby-phones",
        "topics": ("owntracks/{device}/+",),
        "user": user,
        "password": USERS.get(user, "wrong"),
    }
    senders = Senders("phones", lambda: parse_message, (), hz)
    return MqttDoor("phones", Broker(port=port, **{**known, **more}), senders, now=lambda: NOW)


class Phone:
    """Publishes, and knows what the broker has acknowledged."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.acknowledged = 0
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="phone", clean_session=False)
        self._client.username_pw_set("4A12", "p0")
        if tls:
            self._client.tls_set_context(tls)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_publish = self._counted
        self._client.connect("127.0.0.1" if tls is None else "localhost", port)
        self._client.loop_start()

    def _counted(self, *_: object) -> None:
        self.acknowledged += 1

    def say(self, *payloads: bytes, topic: str = TOPIC, qos: int = 1, retain: bool = False) -> None:
        for one in payloads:
            self._client.publish(topic, one, qos=qos, retain=retain)

    def end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def phone_at(port: int, tls: ssl.SSLContext | None = None) -> Iterator[Phone]:
    phone = Phone(port, tls)
    try:
        yield phone
    finally:
        phone.end()


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    with mosquitto(USERS, ACL) as one:
        yield one


def talk(door: MqttDoor, keeper: Keeper, work: Callable[[], Awaitable[None]]) -> None:
    """Run a door, as a service does: again when it is lost."""

    async def always() -> None:
        while True:
            try:
                await door.run(keeper)
            except SourceUnreachableError:
                await asyncio.sleep(0.05)

    async def both() -> None:
        running = asyncio.create_task(always())
        try:
            await until(lambda: keeper.open)
            await work()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(both())


def test_positions_wills_and_what_is_none_are_told_apart(broker: Mosquitto) -> None:
    keeper = Keeper()
    sealed = b'{"_type": "encrypted", "data": "x"}'

    async def work() -> None:
        with phone_at(broker.port) as phone:
            phone.say(message(), b'{"_type": "lwt", "tst": 1}', b'{"_type": "poem"}', sealed)
            phone.say(b"\xff\x00")
            await until(lambda: len(keeper.heard) == 5)

    talk(door_to(broker.port), keeper, work)
    (seen,) = [one for one in keeper.heard if isinstance(one, Sighting)]
    assert (seen.device, seen.fix.fixed_at, seen.fix.speed_mps) == ("4A12", NOW, 10.0)
    assert [one for one in keeper.heard if isinstance(one, Noted)] == [
        Noted(kind="lwt", device="4A12", raw=b'{"_type": "lwt", "tst": 1}', gone=True),
        Noted(kind="other", device="4A12", raw=b'{"_type": "poem"}'),
    ]
    refused = [one for one in keeper.heard if isinstance(one, Refusal)]
    assert [one.raw for one in refused] == [sealed, b"\xff\x00"]
    assert "remove the app's encryption key" in refused[0].reason
    assert set(keeper.peers) == {"", TOPIC}


def test_what_is_retained_is_as_old_as_it_says_and_a_cleared_topic_is_no_fault(
    broker: Mosquitto,
) -> None:
    keeper = Keeper()
    with phone_at(broker.port) as phone:
        phone.say(message(7200), retain=True)
        asyncio.run(until(lambda: phone.acknowledged == 1))

        async def work() -> None:
            await until(lambda: len(keeper.heard) == 1)
            phone.say(b"", retain=True)
            await until(lambda: len(keeper.heard) == 2)

        talk(door_to(broker.port), keeper, work)
    assert keeper.instants() == [NOW - timedelta(hours=2)]
    assert keeper.heard[1] == Noted(kind="cleared", device="4A12", raw=b"")


def test_a_message_names_its_device_only_where_that_is_wanted(broker: Mosquitto) -> None:
    keeper = Keeper()

    async def work() -> None:
        with phone_at(broker.port) as phone:
            phone.say(message(tid="12"), message())
            await until(lambda: len(keeper.heard) == 2)

    talk(door_to(broker.port, named_by="tid"), keeper, work)
    assert [one.device for one in keeper.heard if isinstance(one, Sighting)] == ["12"]
    (refusal,) = [one for one in keeper.heard if isinstance(one, Refusal)]
    assert refusal.reason == "tid=: must be set in the app, or feeds.phones.named_by be topic"


def test_without_a_level_for_it_the_whole_topic_is_the_name(broker: Mosquitto) -> None:
    keeper = Keeper()

    async def work() -> None:
        with phone_at(broker.port) as phone:
            phone.say(message())
            await until(lambda: keeper.heard)

    talk(door_to(broker.port, topics=("owntracks/#",)), keeper, work)
    assert [one.device for one in keeper.heard if isinstance(one, Sighting)] == [TOPIC]


def test_what_comes_while_nobody_listens_is_kept_and_a_look_takes_none_of_it(
    broker: Mosquitto,
) -> None:
    async def nothing() -> None:
        return

    talk(door_to(broker.port), Keeper(), nothing)
    looker, keeper = Keeper(), Keeper()
    with phone_at(broker.port) as phone:

        async def look() -> None:
            phone.say(*(message(number) for number in range(50)))
            await until(lambda: len(looker.heard) == 50)

        talk(door_to(broker.port, client_id="look", kept=False), looker, look)

    async def work() -> None:
        await until(lambda: len(keeper.heard) == 50)

    talk(door_to(broker.port), keeper, work)
    assert keeper.instants() == [NOW - timedelta(seconds=number) for number in range(50)]


def test_what_was_not_kept_is_not_acknowledged_and_comes_again(broker: Mosquitto) -> None:
    failing, keeper = Keeper(), Keeper()
    failing.failing = True

    async def fail() -> None:
        running = asyncio.create_task(door_to(broker.port).run(failing))
        await until(lambda: failing.open)
        with phone_at(broker.port) as phone:
            phone.say(*(message(number) for number in range(20)))
            with pytest.raises(ZeroDivisionError):
                await asyncio.wait_for(running, 20)
            await until(lambda: phone.acknowledged == 20)

    asyncio.run(fail())
    assert failing.heard == []

    async def work() -> None:
        await until(lambda: len(keeper.heard) >= 20)

    talk(door_to(broker.port), keeper, work)
    assert keeper.instants() == [NOW - timedelta(seconds=number) for number in range(20)]


@pytest.mark.parametrize(("sign", "most"), [(signal.SIGTERM, 0), (signal.SIGKILL, 40)])
def test_a_broker_that_ends_under_traffic_loses_nothing(
    broker: Mosquitto, sign: signal.Signals, most: int
) -> None:
    """Killed, mosquitto may have acknowledged before it wrote: at most the 20 in flight a kill."""
    keeper, total = Keeper(), 2000

    async def work() -> None:
        with phone_at(broker.port) as phone:
            sending = threading.Thread(
                target=phone.say, args=[message(number) for number in range(total)]
            )
            sending.start()
            for share in (3, 2):
                await until(lambda share=share: len(set(keeper.instants())) > total / 2 / share)  # type: ignore[misc]
                before = keeper.open
                await asyncio.to_thread(broker.end, sign)
                broker.start()
                await until(lambda before=before: keeper.open > before)  # type: ignore[misc]
            sending.join()
            await until(lambda: phone.acknowledged == total)
            phone.say(message(total))  # what comes in order comes before it
            await until(lambda: NOW - timedelta(seconds=total) in keeper.instants())

    talk(door_to(broker.port), keeper, work)
    sent = {NOW - timedelta(seconds=number) for number in range(total)}
    assert len(sent - set(keeper.instants())) <= most
    assert keeper.open == 3


def test_who_sends_too_much_is_counted_and_no_other_is(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.feeds.senders.AT_A_STRETCH", 5)
    keeper = Keeper()
    door = door_to(broker.port, hz=0.001, topics=("owntracks/+/{device}",))

    async def work() -> None:
        with phone_at(broker.port) as phone:
            phone.say(*(message(number) for number in range(9)))
            phone.say(message(), topic="owntracks/4A12/tablet")
            await until(lambda: len(keeper.instants()) == 6 and keeper.over)

    talk(door, keeper, work)
    assert keeper.over == 4
    (refusal,) = [one for one in keeper.heard if isinstance(one, Refusal)]
    assert "must be at most 0.001 messages a second" in refusal.reason


def test_topics_of_earlier_settings_are_refused(broker: Mosquitto) -> None:
    keeper = Keeper()

    async def nothing() -> None:
        return

    talk(door_to(broker.port, topics=("owntracks/#",)), Keeper(), nothing)

    async def work() -> None:
        with phone_at(broker.port) as phone:
            phone.say(message())
            await until(lambda: keeper.heard)

    talk(door_to(broker.port, topics=("other/{device}",)), keeper, work)
    (refusal,) = keeper.heard
    assert isinstance(refusal, Refusal)
    assert refusal.reason.startswith(f"topic={TOPIC}: is not subscribed to any more")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls_with_certificates_of_both(tmp_path: Path) -> None:
    """The library leaves the socket of a failed handshake to the collector, hence the filter."""
    authority = trustme.CA()
    files = {name: tmp_path / f"{name}.pem" for name in ("cafile", "certfile", "keyfile")}
    own = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(files["cafile"]))
    own.cert_chain_pems[0].write_to_path(str(files["certfile"]))
    own.private_key_pem.write_to_path(str(files["keyfile"]))
    client = ssl.create_default_context(cafile=str(files["cafile"]))
    bare = ssl.create_default_context(cafile=str(files["cafile"]))
    stranger = ssl.create_default_context()
    authority.issue_cert("rollby").configure_cert(client)
    keeper = Keeper()
    with mosquitto(USERS, ACL, files) as one:

        async def work() -> None:
            with phone_at(one.port, client) as phone:
                phone.say(message())
                await until(lambda: keeper.heard)

        talk(door_to(one.port, tls=client), keeper, work)
        for context in (bare, stranger):
            with pytest.raises(SourceUnreachableError, match=r"feeds.phones.broker=127.0.0.1:\d+"):
                asyncio.run(door_to(one.port, tls=context).run(keeper))
    assert keeper.instants() == [NOW]


def test_a_wrong_password_is_said(broker: Mosquitto) -> None:
    with pytest.raises(SourceUnreachableError, match=r"will not have us \(Not authorized\); look"):
        asyncio.run(door_to(broker.port, user="nobody").run(Keeper()))


def test_the_acl_lets_no_phone_speak_for_another(broker: Mosquitto) -> None:
    keeper = Keeper()

    async def work() -> None:
        with phone_at(broker.port) as phone:
            phone.say(message(), topic="owntracks/4A13/phone")
            phone.say(message())
            await until(lambda: keeper.heard)

    talk(door_to(broker.port), keeper, work)
    assert [one.device for one in keeper.heard if isinstance(one, Sighting)] == ["4A12"]


def test_a_broker_that_is_not_there_is_said() -> None:
    with pytest.raises(
        SourceUnreachableError, match=r"cannot be reached .*; is the broker running"
    ):
        asyncio.run(door_to(free_port()).run(Keeper()))


@given(
    st.binary()
    | st.builds(
        lambda body: json.dumps(body).encode(),
        st.dictionaries(
            st.sampled_from(["_type", "tst", "lat", "lon", "vel", "cog", "acc", "tid"]),
            st.none() | st.floats() | st.text() | st.sampled_from(["location", "lwt"]),
        ),
    )
)
def test_whatever_comes_is_a_fix_a_note_or_kept(payload: bytes) -> None:
    (heard,) = parse_message(payload, NOW)
    assert heard.raw == payload

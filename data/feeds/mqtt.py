"""Positions by way of an MQTT broker, as OwnTracks sends them: acknowledged when they are safe."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from paho.mqtt.client import Client, MQTTv311, topic_matches_sub
from paho.mqtt.enums import CallbackAPIVersion

from data.errors import SourceUnreachableError
from data.feeds.heard import Noted, Refusal, Sighting
from data.feeds.owntracks import read_owntracks

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence

    from paho.mqtt.client import MQTTMessage

    from data.feeds.door import Receiver
    from data.feeds.heard import Heard
    from data.feeds.senders import Senders

AT_ONCE = 1000
MOST_WAITING = 20_000
ANSWER_S = 10.0
KEEPALIVE_S = 30
REFUSED = 128
DEVICE = "{device}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """
    Whom to call, and for what.

    Parameters
    ----------
    host, port
        Of the broker.
    client_id : str
        The name under which it keeps what comes while nobody listens.
    topics : tuple of str
        What is subscribed to; ``{device}`` is the level that names the device.
    named_by : str
        ``topic``, or ``tid``: what names the device.
    kept : bool
        Whether the broker is to keep what comes meanwhile.
    user, password : str
        Empty for none.
    tls : ssl.SSLContext or None
        None: as it comes.
    """

    host: str
    port: int
    client_id: str
    topics: tuple[str, ...]
    named_by: str = "topic"
    kept: bool = True
    user: str = ""
    password: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = None


def parse_message(data: bytes, arrived_at: datetime) -> list[Heard]:  # noqa: ARG001 - a Parser
    """
    Read what a message holds.

    Parameters
    ----------
    data : bytes
        OwnTracks' JSON; empty where a topic is cleared.
    arrived_at : datetime
        It stands for no fix's own instant: what a broker has retained is as old as it says.

    Returns
    -------
    heard : list of Heard
        One; its device is its ``tid``, else empty.
    """
    return [read_owntracks(data, ("tid",)) if data else Noted(kind="cleared", device="", raw=b"")]


def device_of(topic: str, topics: Sequence[str]) -> str | None:
    """
    Tell which device a topic names.

    Parameters
    ----------
    topic : str
        Of a message.
    topics : sequence of str
        What is subscribed to, as the settings have it.

    Returns
    -------
    device : str or None
        The topic itself where no level names one; None where it is not subscribed to.
    """
    place = next((one for one in topics if topic_matches_sub(_filter(one), topic)), None)
    if place is None:
        return None
    levels = place.split("/")
    return topic.split("/")[levels.index(DEVICE)] if DEVICE in levels else topic


class MqttDoor:
    """
    A subscription at a broker.

    Parameters
    ----------
    name : str
        The door's.
    broker : Broker
        Whom to call.
    senders : Senders
        How much each device may send.
    now : callable
        Tells the time.
    """

    def __init__(
        self,
        name: str,
        broker: Broker,
        senders: Senders,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = name
        self._broker, self._senders, self._now = broker, senders, now
        self._missed = 0

    @property
    def dropped(self) -> int:
        """Messages that are gone: sent without acknowledgement, or more of one than he may."""
        return self._missed + self._senders.over

    async def run(self, receiver: Receiver) -> None:
        """
        Listen until cancelled.

        Parameters
        ----------
        receiver : Receiver
            What it has taken is acknowledged to the broker, and nothing else is: the broker sends
            the rest again.

        Raises
        ------
        SourceUnreachableError
            If the broker cannot be reached, will not have us, or is lost.
        """
        line = _Line(self._broker, asyncio.get_running_loop())
        try:
            if reason := await line.opened():
                raise SourceUnreachableError(f"{self._where}: {reason}")
            receiver.opened(door=self.name)
            while messages := await line.came():
                before = self.dropped
                await self._hand_on(messages, receiver)
                line.acknowledge(messages)
                self._missed = line.missed
                if self.dropped != before:
                    receiver.lost(self.dropped, door=self.name)
            raise SourceUnreachableError(f"{self._where}: the connection was lost ({line.lost})")
        finally:
            await asyncio.to_thread(line.close)

    @property
    def _where(self) -> str:
        return f"feeds.{self.name}.broker={self._broker.host}:{self._broker.port}"

    async def _hand_on(self, messages: list[MQTTMessage], receiver: Receiver) -> None:
        """Have all of it kept; positions together, what else came by its topic."""
        arrived_at = self._now()
        together: list[Heard] = []
        apart: dict[str, list[Heard]] = defaultdict(list)
        for message in messages:
            topic = message.topic
            for one in self._read(topic, bytes(message.payload), arrived_at):
                (together if isinstance(one, Sighting) else apart[topic]).append(one)
        parts = [*apart.items(), *([("", together)] if together else [])]
        await asyncio.gather(
            *(
                receiver.take(heard, door=self.name, peer=peer, arrived_at=arrived_at)
                for peer, heard in parts
            )
        )

    def _read(self, topic: str, payload: bytes, arrived_at: datetime) -> list[Heard]:
        """Read a message, and say whose it is."""
        device = device_of(topic, self._broker.topics)
        if device is None:
            rule = "is not subscribed to any more; let the broker forget this, or set a client_id"
            return [Refusal(raw=payload, reason=f"topic={topic}: {rule} of another name")]
        heard = self._senders.read(device, [payload], arrived_at)
        return [self._named(one, device, payload) for one in heard]

    def _named(self, heard: Heard, device: str, payload: bytes) -> Heard:
        """Call what was heard by its device: one that a message names itself counts by choice."""
        if isinstance(heard, Refusal):
            return heard
        if self._broker.named_by == "topic":
            return replace(heard, device=device)
        if heard.device or isinstance(heard, Noted):
            return heard
        rule = f"must be set in the app, or feeds.{self.name}.named_by be topic"
        return Refusal(raw=payload, reason=f"tid=: {rule}")


class _Line:
    """One connection: the library's own thread on one side, the event loop on the other."""

    def __init__(self, broker: Broker, loop: asyncio.AbstractEventLoop) -> None:
        self.missed, self.lost = 0, ""
        self._broker, self._loop = broker, loop
        self._waiting: deque[MQTTMessage] = deque()
        self._something = asyncio.Event()
        self._answer: asyncio.Future[str] = loop.create_future()
        self._client = client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            clean_session=not broker.kept,
            protocol=MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        if broker.user:
            client.username_pw_set(broker.user, broker.password or None)
        if broker.tls:
            client.tls_set_context(broker.tls)
        client.on_connect, client.on_subscribe = self._connected, self._subscribed
        client.on_disconnect, client.on_message = self._disconnected, self._message

    async def opened(self) -> str:
        """Call, and subscribe; give why not, or nothing."""
        broker = self._broker
        try:
            await asyncio.to_thread(self._client.connect, broker.host, broker.port, KEEPALIVE_S)
        except (OSError, ValueError) as error:
            return f"cannot be reached ({error}); is the broker running, and the certificate right?"
        self._client.loop_start()
        try:
            return await asyncio.wait_for(self._answer, ANSWER_S)
        except TimeoutError:
            return f"must answer within {ANSWER_S:g} s; is it an MQTT broker?"

    async def came(self) -> list[MQTTMessage]:
        """Wait for messages; none when the connection is lost and all of it has been given."""
        while not self._waiting and not self.lost:
            self._something.clear()
            if not self._waiting and not self.lost:
                await self._something.wait()
        return [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]

    def acknowledge(self, messages: list[MQTTMessage]) -> None:
        """Say that they need not be sent again."""
        for one in messages:
            if one.qos:
                self._client.ack(one.mid, one.qos)

    def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: Client, _data: Any, _flags: Any, code: Any, _more: Any) -> None:
        if code.is_failure:
            self._tell(f"will not have us ({code}); look at user, password_file and certificate")
            return
        client.subscribe([(_filter(one), 1) for one in self._broker.topics])

    def _subscribed(self, _client: Client, _data: Any, _mid: int, codes: Any, _more: Any) -> None:
        refused = [
            topic
            for topic, code in zip(self._broker.topics, codes, strict=False)
            if code.value >= REFUSED
        ]
        self._tell(f"will not let us read {', '.join(refused)}; see its ACL" if refused else "")

    def _disconnected(
        self, _client: Client, _data: Any, _flags: Any, code: Any, _more: Any
    ) -> None:
        self.lost = str(code)
        self._tell(f"hung up ({code})")
        self._wake()

    def _message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if not message.qos and len(self._waiting) >= MOST_WAITING:
            self.missed += 1
            return
        self._waiting.append(message)
        if len(self._waiting) == 1 or not self._something.is_set():
            self._wake()

    def _wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._something.set)

    def _tell(self, reason: str) -> None:
        def answer() -> None:
            if not self._answer.done():
                self._answer.set_result(reason)

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(answer)


def _filter(topic: str) -> str:
    """Give what a broker is asked for."""
    return topic.replace(DEVICE, "+")

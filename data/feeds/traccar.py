"""A Traccar server: positions as it has them, by its WebSocket, and by REST after a gap."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from data.errors import FieldError, SourceUnreachableError
from data.feeds.heard import Refusal, Sighting
from data.feeds.json_values import parsed
from data.feeds.traccar_positions import names_of, parts_of
from data.feeds.web import Server

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Sequence

    import httpx
    from websockets.asyncio.client import ClientConnection

    from data.feeds.door import Receiver
    from data.feeds.heard import Heard
    from data.feeds.senders import Senders
    from data.feeds.web import Connect

COOKIE = "JSESSIONID"
AT_ONCE = 1000
MOST_WAITING = 50_000
FETCHES = 4  # devices whose positions are asked for at a time
BACKLOG = timedelta(minutes=15)
SPAN = timedelta(hours=1)  # of positions that are asked for at a time
NAMES_AGAIN = timedelta(seconds=30)
PING_S = 20.0
LARGEST_MESSAGE = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Traccar:
    """
    Whom to call, and as whom.

    Parameters
    ----------
    address : str
        Of the server, as its web app has it.
    user_id : int
        Whose token `connect` of the door sends; 0 where there is none.
    user, password : str
        To sign in with, where there is no token.
    named_by : str
        ``name`` or ``unique_id``: what names a device.
    catch_up : timedelta
        After a gap positions are fetched from at most so long ago.
    tls : SSLContext or None
        Of the WebSocket; None where the address is no https.
    """

    address: str
    user_id: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    named_by: str = "name"
    catch_up: timedelta = timedelta(hours=1)
    tls: ssl.SSLContext | None = None


class _Connect(connect):
    """Calls whom it is told to call: a redirect is a fault, as it is for the REST."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """
        Follow none.

        Returns
        -------
        exc : Exception
            To be raised.
        """
        return exc


class TraccarDoor:
    """
    A Traccar server that is listened to.

    Parameters
    ----------
    name : str
        The door's.
    traccar : Traccar
        Whom to call.
    connect : callable
        Opens the client of its REST; a token is among its headers.
    senders : Senders
        How much each device may send.
    now : callable
        Tells the time.
    """

    def __init__(
        self,
        name: str,
        traccar: Traccar,
        connect: Connect,
        senders: Senders,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name, self._traccar, self._connect = name, traccar, connect
        self._senders, self._now = senders, now
        secrets = "token_file and user_id, or user and password_file"
        self._server = Server(f"feeds.{name}.server={traccar.address}", secrets)
        self._names: dict[str, str] = {}
        self._named_at = datetime.min.replace(tzinfo=UTC)
        self._last: dict[str, datetime] = {}

    async def run(self, receiver: Receiver) -> None:
        """
        Listen until cancelled.

        Parameters
        ----------
        receiver : Receiver
            While it takes what came, more waits at the server.

        Raises
        ------
        SourceUnreachableError
            If the server does not answer, will not have us, or is lost.
        """
        await self._server.patience()
        async with self._connect() as client:
            headers = {"Cookie": f"{COOKIE}={await self._session(client)}"}
            await self._ask_names(client)
            try:
                # Opened before the gap is filled: what comes meanwhile waits in it.
                async with _Connect(
                    _socket_address(self._traccar.address),
                    additional_headers=headers,
                    ssl=self._traccar.tls,
                    ping_interval=PING_S,
                    ping_timeout=PING_S,
                    max_size=LARGEST_MESSAGE,
                    max_queue=MOST_WAITING,
                    proxy=None,
                ) as socket:
                    await self._catch_up(client, receiver)
                    receiver.opened(door=self.name)
                    await self._listen(socket, client, receiver)
            except SourceUnreachableError:
                raise
            except (WebSocketException, OSError) as error:
                why = str(error) or type(error).__name__
                rule = f"the connection was lost ({why})"
                raise SourceUnreachableError(f"{self._server.where}: {rule}") from error

    async def _session(self, client: httpx.AsyncClient) -> str:
        """
        Sign in; no secret stands in an address.

        Raises
        ------
        SourceUnreachableError
            If it will not have us, or gives no session.
        """
        told = self._traccar
        if told.user_id:
            await self._ask(client, f"/api/session/{told.user_id}")
        else:
            form = {"email": told.user, "password": told.password}
            await self._server.ask(client, "POST", f"{told.address}/api/session", data=form)
        cookie = client.cookies.get(COOKIE)
        if not cookie:
            rule = f"must answer a sign-in with the cookie {COOKIE}; is it Traccar 5 or later?"
            raise SourceUnreachableError(f"{self._server.where}: {rule}")
        return cookie

    async def _ask(self, client: httpx.AsyncClient, path: str, **query: str) -> bytes:
        """Ask by REST."""
        address = f"{self._traccar.address}{path}"
        answer = await self._server.ask(client, "GET", address, params=query or None)
        return answer.content

    async def _ask_names(self, client: httpx.AsyncClient) -> None:
        """
        Ask what its devices are called.

        Raises
        ------
        SourceUnreachableError
            If it answers something else.
        """
        self._named_at = self._now()
        try:
            devices = parsed(await self._ask(client, "/api/devices"))
        except FieldError as error:
            raise SourceUnreachableError(f"{self._server.where}: {error}") from error
        self._names |= names_of(devices, self._traccar.named_by)

    async def _catch_up(self, client: httpx.AsyncClient, receiver: Receiver) -> None:
        """
        Fetch what was missed.

        Of each device from some time before its last position on, and not from the beginning of
        the gap: what a dead zone has stored is older, and some devices send it after newer ones.
        However many there are, all of them are read: they were asked for.
        """
        now, limit = self._now(), asyncio.Semaphore(FETCHES)
        earliest, until = now - self._traccar.catch_up, now + timedelta(minutes=1)

        async def fetch(device: str) -> None:
            since = max(earliest, self._last.get(device, earliest) - BACKLOG)
            async with limit:
                while since < until:
                    end = min(since + SPAN, until)
                    span = {"from": _iso(since), "to": _iso(end)}
                    missed = await self._ask(client, "/api/positions", deviceId=device, **span)
                    await self._hand_on([missed], client, receiver, self._all_of)
                    since = end

        try:
            async with asyncio.TaskGroup() as group:
                for device in self._names:
                    group.create_task(fetch(device))
        except* SourceUnreachableError as errors:
            raise errors.exceptions[0] from errors

    async def _listen(
        self, socket: ClientConnection, client: httpx.AsyncClient, receiver: Receiver
    ) -> None:
        """Hand on what comes, as much of it together as there is."""
        while True:
            messages = [await socket.recv(decode=False)]
            while len(messages) < AT_ONCE:
                try:
                    async with asyncio.timeout(0):
                        messages.append(await socket.recv(decode=False))
                except TimeoutError:
                    break
            await self._hand_on(messages, client, receiver)

    def _all_of(self, _device: str, parts: Sequence[bytes], arrived_at: datetime) -> list[Heard]:
        """Read positions, however many."""
        parse = self._senders.reader()
        return [one for part in parts for one in parse(part, arrived_at)]

    async def _hand_on(
        self,
        messages: Iterable[bytes],
        client: httpx.AsyncClient,
        receiver: Receiver,
        read: Callable[[str, Sequence[bytes], datetime], list[Heard]] | None = None,
    ) -> None:
        """Have kept what messages hold, by the names of the devices."""
        read = read or self._senders.read
        arrived_at, before = self._now(), self._senders.over
        by_device: dict[str, list[bytes]] = defaultdict(list)
        for message in messages:
            positions, devices = parts_of(message)
            self._names |= names_of(devices, self._traccar.named_by)
            for device, part in positions:
                by_device[device].append(part)
        unknown = by_device.keys() - self._names.keys() - {""}
        if unknown and arrived_at - self._named_at > NAMES_AGAIN:
            await self._ask_names(client)
        heard = [
            self._named(one)
            for device, parts in by_device.items()
            for one in read(device, parts, arrived_at)
        ]
        if heard:
            await receiver.take(heard, door=self.name, peer="", arrived_at=arrived_at)
        if self._senders.over != before:
            receiver.lost(self._senders.over, door=self.name)

    def _named(self, heard: Heard) -> Heard:
        """Call a device by its name, and remember how far it has come."""
        if isinstance(heard, Refusal):
            return heard
        if isinstance(heard, Sighting):
            before = self._last.get(heard.device, heard.fix.fixed_at)
            self._last[heard.device] = min(max(heard.fix.fixed_at, before), self._now())
        name = self._names.get(heard.device)
        if name:
            return replace(heard, device=name)
        rule = "is no device that this user sees at Traccar; let him see it"
        return Refusal(raw=heard.raw, reason=f"deviceId={heard.device}: {rule}")


def _iso(instant: datetime) -> str:
    """Write an instant as Traccar reads it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _socket_address(address: str) -> str:
    """Give the address of the WebSocket."""
    url = urlsplit(address)
    scheme = "wss" if url.scheme == "https" else "ws"
    return urlunsplit((scheme, url.netloc, f"{url.path}/api/socket", "", ""))

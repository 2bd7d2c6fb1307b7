"""A dispatch system's (CAD's) stops on the web: asked again and again, each row told once."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from data.errors import SourceUnreachableError
from data.events import StopChange
from data.feeds.cad_rows import checked, read_cad
from data.feeds.heard import Refusal, Told
from data.feeds.web import NOT_MODIFIED, UnreadError
from data.records import StopPhase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx

    from data.feeds.cad_rows import CadForm
    from data.feeds.door import Receiver
    from data.feeds.heard import Heard
    from data.feeds.web import Connect, Server

FEW = 2  # stops that may go from a list at once without a second thought
LONGER = 10  # so many times as long is waited where more than half are gone at once
AGAIN = timedelta.resolution  # not in the answer that lacks it first
AS_IT_WAS = frozenset(
    {"started_at", "lon_deg", "lat_deg", "heading_deg", "phase", "backup", "needs"}
)


class Source(Protocol):
    """What is asked."""

    server: Server

    async def changed(self, client: httpx.AsyncClient) -> bytes | None:
        """Ask for its rows, at least for all that have changed; None where none has."""

    def taken(self, at: datetime) -> None:
        """Be told that the last answer is safe: what has not changed need not come again."""

    def form(self, form: CadForm) -> CadForm:
        """Say how it writes, as far as it says so itself."""


class Document:
    """
    A GeoJSON document, or an array of JSON objects.

    Parameters
    ----------
    server : Server
        Whose.
    url : str
        Of the document.
    """

    def __init__(self, server: Server, url: str) -> None:
        self.server, self._url = server, url
        self._known: dict[str, str] = {}
        self._new: dict[str, str] = {}

    async def changed(self, client: httpx.AsyncClient) -> bytes | None:
        """
        Ask for it.

        Returns
        -------
        content : bytes or None
            None where it says that it is as it was.
        """
        answer = await self.server.ask(client, "GET", self._url, headers=self._known)
        if answer.status_code == NOT_MODIFIED:
            return None
        tags = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}
        told = answer.headers
        self._new = {ours: told[theirs] for ours, theirs in tags.items() if theirs in told}
        return answer.content

    def taken(self, at: datetime) -> None:  # noqa: ARG002 - a Source
        """Ask from now on for what differs from the last answer."""
        self._known = self._new

    def form(self, form: CadForm) -> CadForm:
        """
        Give it as it is: a document says nothing of itself.

        Returns
        -------
        form : CadForm
            The same.
        """
        return form


class LayerDoor:
    """
    A source that is asked again and again.

    Parameters
    ----------
    name : str
        The door's.
    source : Source
        What is asked.
    form : CadForm
        How the agency writes.
    connect : callable
        Opens the client that asks.
    every_s : float
        So often.
    absent : timedelta or None
        A stop that is not listed for so long is over, and the source must list all that go on, each
        time; None: it tells nothing.
    check : callable
        Raises `FieldError` where the door may not speak for a unit.
    now : callable
        Tells the time.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        form: CadForm,
        connect: Connect,
        *,
        every_s: float = 10.0,
        absent: timedelta | None = None,
        check: Callable[[Told], object] = lambda _told: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name, self._source, self._form, self._connect = name, source, form, connect
        self._every_s, self._check, self._now = every_s, check, now
        self._listed = None if absent is None else _Listed(absent)
        self._rows: list[Heard | Told] = []
        self._before: frozenset[bytes] = frozenset()

    async def run(self, receiver: Receiver) -> None:
        """
        Ask until cancelled.

        Parameters
        ----------
        receiver : Receiver
            What it has taken is not handed on again, unless it changes.

        Raises
        ------
        SourceUnreachableError
            If the server does not answer, refuses, or answers what cannot be read.
        """
        server, opened = self._source.server, False
        await server.patience()
        async with self._connect() as client:
            while True:
                try:
                    content = await self._source.changed(client)
                    arrived_at = self._now()
                    await self._hand_on(content, receiver, arrived_at)
                except UnreadError as error:
                    await self._keep_unread(error, receiver)
                    rule = "answers what cannot be read; see the dead letters"
                    raise SourceUnreachableError(f"{server.where}: {rule}") from error
                self._source.taken(arrived_at)
                if not opened:
                    opened = True
                    receiver.opened(door=self.name)
                await asyncio.sleep(self._every_s)

    async def _keep_unread(self, error: UnreadError, receiver: Receiver) -> None:
        """Have an answer kept that is none: once, as long as it stays the same."""
        refusal = Refusal(raw=error.content, reason=f"{self.name}: {error}")
        if _sign(refusal) not in self._before:
            await receiver.take([refusal], door=self.name, peer="", arrived_at=self._now())
            self._before |= {_sign(refusal)}

    async def _hand_on(
        self, content: bytes | None, receiver: Receiver, arrived_at: datetime
    ) -> None:
        """
        Have kept what is new.

        Raises
        ------
        UnreadError
            If an answer is none.
        """
        if content is not None:
            rows = await asyncio.to_thread(self._read, content, arrived_at)
            for one in rows:
                if isinstance(one, Refusal) and one.raw == content:
                    raise UnreadError(content, one.reason)
            self._rows = rows
        signs = [_sign(one) for one in self._rows]
        pairs = zip(self._rows, signs, strict=True)
        new = [one for one, sign in pairs if sign not in self._before]
        if self._listed and not any(isinstance(one, Refusal) for one in self._rows):
            new += self._listed.ended(self._rows, arrived_at)
        if new:
            await receiver.take(new, door=self.name, peer="", arrived_at=arrived_at)
        self._before = frozenset(signs)

    def _read(self, content: bytes, arrived_at: datetime) -> list[Heard | Told]:
        """Read an answer."""
        form = self._source.form(self._form)
        rows = read_cad(content, ".json", form, self.name, clock=arrived_at, written_at=arrived_at)
        return [checked(one, self._check) for one in rows]


class _Listed:
    """The stops that go on, as the last answers list them; how long one must be absent."""

    def __init__(self, absent: timedelta) -> None:
        self._absent = absent
        self._open: dict[str, StopChange] = {}
        self._since: dict[str, datetime] = {}

    def ended(self, rows: Sequence[Heard | Told], at: datetime) -> list[Told]:
        """
        End what has been absent for long enough, in two answers or more: one may be a mistake.

        An answer without more than half of the stops looks like half a list, and is believed only
        when it has been so for much longer.
        """
        told = [one.report for one in rows if isinstance(one, Told)]
        stops = {one.stop.stop_id: one for one in told if isinstance(one, StopChange)}
        gone = self._open.keys() - stops.keys()
        half = len(gone) > max(FEW, len(self._open) / 2)
        wanted = self._absent * (LONGER if half else 1)
        self._since = {stop_id: self._since.get(stop_id, at) for stop_id in gone}
        over = [one for one in sorted(gone) if at - self._since[one] >= max(wanted, AGAIN)]
        ended = [_over(self._open.pop(stop_id), self._since.pop(stop_id)) for stop_id in over]
        for stop_id, change in stops.items():
            self._open.pop(stop_id, None)
            if change.stop.ended_at is None and change.stop.phase is not StopPhase.CLEARED:
                self._open[stop_id] = change
        return ended


def _over(change: StopChange, at: datetime) -> Told:
    """Say that a stop is over."""
    begun = change.stop.started_at
    at = max(at, begun) if begun else at
    raw = json.dumps({"stop_id": change.stop.stop_id, "listed": False}).encode()
    over = replace(change, stop=replace(change.stop, ended_at=at), at=at)
    return Told(report=over, raw=raw, untold=AS_IT_WAS)


def _sign(one: Heard | Told) -> bytes:
    """Give what two rows that say the same have in common; a reason may tell the time."""
    return hashlib.sha256(type(one).__name__.encode() + one.raw).digest()

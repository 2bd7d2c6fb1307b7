"""The service while it runs: what every route works with."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, HTTPException, Request

from data.store.reading import DeadLetter
from data.store.store import Entry, Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from data.feeds.heard import Refusal
    from data.feeds.senders import Pace
    from data.reports import Report
    from data.settings import Settings
    from data.store.audit import Action
    from data.store.reading import Event
    from data.store.store import Store
    from geo.board import Board
    from geo.live import Live
    from geo.live_coverage import Covering
    from rollby.service.access import Access
    from rollby.service.callers import Caller
    from rollby.service.clock import SteadyClock
    from rollby.service.core import Core
    from rollby.service.intake import DoorHealth
    from rollby.service.stream import Stream

    Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """
    The service.

    Parameters
    ----------
    core : Core
        The one who writes.
    store : Store
        For reading.
    access : Access
        Who may do what.
    live : Live
        The picture of the core's board; used in the core's thread.
    stream : Stream
        Those who listen.
    settings : Settings
        Of the agency.
    clock : SteadyClock
        The core's.
    pace : Pace
        How many fixes a unit may send by HTTP.
    covering : Covering
        Works out coverage, beside the core.
    agency_of : dict of str to str
        Whose each unit is, as of the last picture.
    doors : dict of str to DoorHealth
        How the doors that listen are.
    telling : dict of str to DoorHealth
        How the TAK networks are that are told.
    stops : list of dict
        Those of the last picture.
    refusals : Counter of str
        Requests that were refused, by status, since the start.
    """

    core: Core
    store: Store
    access: Access
    live: Live
    stream: Stream
    settings: Settings
    clock: SteadyClock
    pace: Pace
    covering: Covering
    agency_of: dict[str, str] = field(default_factory=dict)
    doors: dict[str, DoorHealth] = field(default_factory=dict)
    telling: dict[str, DoorHealth] = field(default_factory=dict)
    stops: list[dict[str, Any]] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)

    def now(self) -> datetime:
        """Give the service's time."""
        return datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC)

    async def picture(self) -> dict[str, Any]:
        """
        Look at the whole board.

        Returns
        -------
        live : dict
            ``rollby.live/1``.
        """
        live = await self.look(lambda _board: self.live.json())
        self.agency_of.update((unit["unit_id"], unit["agency"]) for unit in live["units"])
        self.stops[:] = live["stops"]
        return live

    async def units(self) -> dict[str, Any]:
        """
        Look at the units alone.

        Returns
        -------
        units : dict
            ``at`` and ``units`` of ``rollby.live/1``.
        """
        return await self.look(lambda _board: self.live.units_json())

    async def look(self, at: Callable[[Board], Result]) -> Result:
        """
        Ask something about the board.

        Returns
        -------
        result : any
            What `at` returns; it runs in the core's thread and must not change the board.
        """
        return await asyncio.wrap_future(self.core.look(at))

    async def accept(
        self,
        door: str,
        reports: Sequence[Report],
        caller: Caller,
        *,
        key: str = "",
        content: bytes = b"",
        expects: tuple[str, int | None] | None = None,
        duplicates: int = 0,
    ) -> Taken:
        """
        Have reports accepted: when this returns, they are on disk.

        Parameters
        ----------
        door : str
            By which they came.
        reports : sequence of Report
            All of them or none.
        caller : Caller
            Whose idempotency key it is.
        key : str
            Idempotency key; empty for none.
        content : bytes
            What the key was sent with.
        expects : (str, int or None) or None
            A stop, and the `seq` of its last change.
        duplicates : int
            How many more came, and are left out as repetitions.

        Returns
        -------
        taken : Taken
            The `seq` of the last of them.

        Raises
        ------
        HTTPException
            412 where the stop is not as expected, 422 where the key was used for something else.
        """
        entry = Entry(
            door=door,
            reports=tuple(reports),
            sender=caller.name if key else "",
            key=key,
            digest=hashlib.sha256(content).digest() if key else b"",
            duplicates=duplicates,
        )
        taken = await asyncio.wrap_future(self.core.submit(entry, expects))
        taken = taken or await self.repeated(caller, key, content)
        if taken is None:
            raise HTTPException(412, "the stop has changed meanwhile; read it again")
        return _unless_clash(taken, key)

    async def repeated(self, caller: Caller, key: str, content: bytes) -> Taken | None:
        """
        Tell what a request came to that was sent before: its answer may have been lost on its way.

        Parameters
        ----------
        caller : Caller
            Whose idempotency key it is.
        key : str
            Idempotency key; empty for none.
        content : bytes
            What the key is sent with.

        Returns
        -------
        taken : Taken or None
            None where the key was not used.

        Raises
        ------
        HTTPException
            422 where the key was used for something else.
        """
        found = await asyncio.to_thread(self.store.key_taken, caller.name, key) if key else None
        if found is None:
            return None
        clash = found[0] != hashlib.sha256(content).digest()
        return _unless_clash(Taken(found[1], fresh=False, clash=clash), key)

    async def note(self, caller: Caller, action: Action, about: str = "") -> None:
        """Write down in the audit log what somebody does: when this returns, it is on disk."""
        await asyncio.to_thread(self.access.note, caller, action, about)

    async def refuse(self, door: str, sender: str, refusals: Sequence[Refusal]) -> None:
        """Keep what cannot be accepted: when this returns, it is on disk."""
        letters = [
            DeadLetter(
                received_ms=self.clock.now_ms(),
                door=door,
                sender=sender,
                reason=one.reason,
                raw=one.raw,
            )
            for one in refusals
        ]
        await asyncio.gather(*(asyncio.wrap_future(self.core.refuse(one)) for one in letters))

    async def newest(self, kind: str, subject: str, before: int | None = None) -> Event | None:
        """
        Read the last report about something, and keep nobody else waiting.

        Returns
        -------
        event : Event or None
            As `Store.newest`.
        """
        return await asyncio.to_thread(self.store.newest, kind, subject, before)


def _unless_clash(taken: Taken, key: str) -> Taken:
    """
    Refuse a key that was used for something else.

    Raises
    ------
    HTTPException
        422 where it was.
    """
    if taken.clash:
        raise HTTPException(422, f"Idempotency-Key={key}: was used for something else")
    return taken


def running_of(request: Request) -> Running:
    """
    Find the service.

    Returns
    -------
    running : Running
        Of the request's application.
    """
    running: Running = request.app.state.running
    return running


InService = Annotated[Running, Depends(running_of)]

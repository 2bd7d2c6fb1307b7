"""What a store holds, for whoever reads: any thread, and beside the process that writes."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, select

from data.store.codec import OTHER_KINDS, decoded, instant_text
from data.store.schema import COUNTERS, DEAD_LETTERS, EVENTS, KEYS_TAKEN, SAID

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from sqlalchemy import Engine, Select

    from data.reports import Report
    from data.said import Said

PART = 10_000
_ABOUT = (
    select(EVENTS)
    .where(
        # The planner takes the index only where the query says that it wants no fixes.
        EVENTS.c.kind != "fix",
        EVENTS.c.kind == bindparam("kind"),
        EVENTS.c.subject == bindparam("subject"),
        EVENTS.c.body.like(bindparam("text")),
        EVENTS.c.door.not_in(bindparam("but", expanding=True)),
    )
    .order_by(EVENTS.c.seq.desc())
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """
    What was refused.

    Parameters
    ----------
    received_ms : int
        When it came, milliseconds since the epoch.
    door, sender, reason : str
        By which door, from whom, and what is wrong with it.
    raw : bytes
        As it came.
    """

    received_ms: int
    door: str
    sender: str
    reason: str
    raw: bytes


class Event(NamedTuple):
    """A report, as it was accepted."""

    seq: int
    received_ms: int
    report: Report


class Reading:
    """
    A look into a store; any number may look at once.

    Parameters
    ----------
    engine : Engine
        Reaches the store from any thread.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def events(self, after: int = 0) -> Iterator[Event]:
        """
        Read what was accepted, in its order.

        Parameters
        ----------
        after : int
            The `seq` to go on from.

        Yields
        ------
        event : Event
            By `seq`.
        """
        while True:
            rows = select(EVENTS).where(EVENTS.c.seq > after).order_by(EVENTS.c.seq).limit(PART)
            with self.engine.connect() as reader:
                part = reader.execute(rows).all()
            for row in part:
                yield _event(row)
            if len(part) < PART:
                return
            after = part[-1].seq

    def before(self, received_ms: int) -> int:
        """
        Find where an instant lies among what was accepted.

        Parameters
        ----------
        received_ms : int
            Milliseconds since the epoch; the later it is, the sooner it is found.

        Returns
        -------
        seq : int
            Of the last event before it; 0 where there is none.
        """
        older = select(EVENTS.c.seq).where(EVENTS.c.received_ms < received_ms)
        with self.engine.connect() as reader:
            found = reader.execute(older.order_by(EVENTS.c.seq.desc()).limit(1))
            return found.scalar_one_or_none() or 0

    def events_but_fixes(self, until: int) -> list[Event]:
        """
        Read what was accepted up to an event, but for positions, of which there are far more.

        Parameters
        ----------
        until : int
            The `seq` of the last.

        Returns
        -------
        events : list of Event
            By `seq`.
        """
        # The planner takes the index only where the query says that it wants no fixes.
        others = EVENTS.c.kind.in_(OTHER_KINDS) & (EVENTS.c.kind != "fix")
        with self.engine.connect() as reader:
            rows = reader.execute(select(EVENTS).where(others, EVENTS.c.seq <= until)).all()
        return sorted(map(_event, rows), key=attrgetter("seq"))

    def said(self, after: int = 0, most: int = PART) -> list[tuple[int, Said]]:
        """
        Read what was said.

        Parameters
        ----------
        after : int
            The number to go on from.
        most : int
            How many at most.

        Returns
        -------
        said : list of (int, Said)
            Numbered, in order.
        """
        rows = select(SAID).where(SAID.c.number > after).order_by(SAID.c.number).limit(most)
        return self._said(rows)

    def all_said(self) -> Iterator[tuple[int, Said]]:
        """
        Read all that was said, a part at a time.

        Yields
        ------
        said : (int, Said)
            Numbered, in order.
        """
        number = 0
        while part := self.said(number):
            yield from part
            number = part[-1][0]

    def said_about(self, subject: str) -> list[tuple[int, Said]]:
        """
        Read what was said about something.

        Parameters
        ----------
        subject : str
            A suggestion's name, or a stop's for all but its suggestions.

        Returns
        -------
        said : list of (int, Said)
            Numbered, in order.
        """
        rows = select(SAID).where(SAID.c.subject == subject).order_by(SAID.c.number)
        return self._said(rows)

    def _said(self, rows: Select[Any]) -> list[tuple[int, Said]]:
        """Read some of what was said."""
        with self.engine.connect() as reader:
            found = reader.execute(rows)
            return [(row.number, decoded(row.kind, row.subject, row.body)) for row in found]

    def newest(self, kind: str, subject: str, before: int | None = None) -> Event | None:
        """
        Give the last report about something.

        Parameters
        ----------
        kind : str
            ``status``, ``stop``, ``answer`` or ``check``; fixes have no index.
        subject : str
            As `data.reports.subject` gives it.
        before : int or None
            Only those of a smaller `seq`; None for all.

        Returns
        -------
        event : Event or None
            None where there is none.
        """
        # The planner takes the index only where the query says that it wants no fixes.
        mine = (EVENTS.c.kind != "fix") & (EVENTS.c.kind == kind) & (EVENTS.c.subject == subject)
        if before is not None:
            mine &= EVENTS.c.seq < before
        return self._first(select(EVENTS).where(mine).order_by(EVENTS.c.seq.desc()))

    def key_taken(self, sender: str, key: str) -> tuple[bytes, int] | None:
        """
        Tell what an idempotency key was used for.

        Returns
        -------
        digest, seq : bytes, int
            Of what came with it, and the last event of that; None where it was not used.
        """
        mine = (KEYS_TAKEN.c.sender == sender) & (KEYS_TAKEN.c.key == key)
        with self.engine.connect() as connection:
            row = connection.execute(select(KEYS_TAKEN).where(mine)).first()
        return (bytes(row.digest), row.seq) if row else None

    def about(
        self,
        kind: str,
        subject: str,
        *,
        at: datetime | None = None,
        but: Collection[str] = (),
        most: int = 20,
    ) -> list[Event]:
        """
        Read the last reports about something.

        Parameters
        ----------
        kind, subject : str
            As for `newest`.
        at : datetime or None
            Only those of this instant, in UTC; None for all.
        but : collection of str
            Doors whose reports are left out.
        most : int
            So many at most.

        Returns
        -------
        events : list of Event
            The newest first.
        """
        text = "%" if at is None else f'%"at": "{instant_text(at)}"%'
        told = {"kind": kind, "subject": subject, "text": text, "but": [*but], "most": most}
        with self.engine.connect() as reader:
            return [_event(row) for row in reader.execute(_ABOUT, told)]

    def at(self, seq: int) -> Event | None:
        """
        Give one event.

        Returns
        -------
        event : Event or None
            None where there is none of this `seq`.
        """
        return self._first(select(EVENTS).where(EVENTS.c.seq == seq))

    def _first(self, rows: Select[Any]) -> Event | None:
        """Read the first of some events."""
        with self.engine.connect() as reader:
            row = reader.execute(rows.limit(1)).first()
        return None if row is None else _event(row)

    def counters(self) -> dict[str, dict[str, int]]:
        """
        Count what came by each door.

        Returns
        -------
        counters : dict of str to (dict of str to int)
            By door and outcome: accepted (late ones too), late, duplicate, refused, and unkept: how
            many of those refused are not among the dead letters.
        """
        found: dict[str, dict[str, int]] = {}
        with self.engine.connect() as reader:
            for door, outcome, count in reader.execute(select(COUNTERS)):
                found.setdefault(door, {})[outcome] = count
        return found

    def dead_letters(self, after: int = 0, most: int = PART) -> list[tuple[int, DeadLetter]]:
        """
        List what was refused.

        Parameters
        ----------
        after : int
            The number to go on from.
        most : int
            How many at most.

        Returns
        -------
        letters : list of (int, DeadLetter)
            Numbered, in order.
        """
        number = DEAD_LETTERS.c.letter_id
        rows = select(DEAD_LETTERS).where(number > after).order_by(number).limit(most)
        with self.engine.connect() as reader:
            return [
                (row.letter_id, DeadLetter(**{n: getattr(row, n) for n in DeadLetter.__slots__}))
                for row in reader.execute(rows)
            ]


def _event(row: Any) -> Event:
    """Read an event."""
    return Event(row.seq, row.received_ms, decoded(row.kind, row.subject, row.body))

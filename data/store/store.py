"""
The store: reports in one order of acceptance are the truth, all else follows from them.

One process writes (`opening.lead`), and within it one thread. Whatever is appended together shares
one commit, and nothing is said to be accepted before that commit is on disk.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import delete, func, insert, select, tuple_, update

from data.reports import subject as subject_of
from data.store.codec import encoded
from data.store.opening import engine_of, lead, migrate, reach, turn_of
from data.store.reading import PART, DeadLetter, Reading
from data.store.schema import (
    COUNTERS,
    DEAD_LETTERS,
    EVENTS,
    KEYS_TAKEN,
    MEMORIES,
    READERS,
    SAID,
)
from data.words import whole_characters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.reports import Report
    from data.said import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    Reports that are accepted together or not at all.

    Parameters
    ----------
    door : str
        By which they came.
    reports : tuple of Report
        At least one.
    sender, key : str
        Idempotency key, and whose; an empty key is none.
    digest : bytes
        SHA-256 of what was sent with the key.
    late : int
        How many of them are late.
    duplicates : int
        How many more came, and are left out as repetitions.
    """

    door: str
    reports: tuple[Report, ...]
    sender: str = ""
    key: str = ""
    digest: bytes = b""
    late: int = 0
    duplicates: int = 0


class Taken(NamedTuple):
    """What became of an entry: the `seq` of its last event, and whether it was there before."""

    seq: int
    fresh: bool
    clash: bool = False  # the key was used for something else


class Store(Reading):
    """
    The one writer's hold on a store.

    Parameters
    ----------
    address : str
        ``sqlite:///FILE`` or ``postgresql://USER@HOST/NAME``; made if it holds nothing yet.

    Attributes
    ----------
    seq : int
        Of the last event; 0 before the first.
    received_ms : int
        When it was accepted.
    number : int
        Of the last saying.

    Raises
    ------
    InputError
        If the address or the layout cannot be used.
    SourceUnreachableError
        If the database does not answer, or another process writes to it.
    """

    def __init__(self, address: str) -> None:
        super().__init__(engine_of(address))
        self._turn = turn_of(self.engine)
        self._connection = reach(self.engine)
        self._lock: Any = None
        try:
            self._lock = lead(self.engine, self._connection)
            migrate(self._connection)
        except BaseException:
            self.close()
            raise
        with self._connection.begin():
            newest = select(EVENTS.c.seq, EVENTS.c.received_ms).order_by(EVENTS.c.seq.desc())
            row = self._connection.execute(newest.limit(1)).first()
            self.seq: int = row.seq if row else 0
            self.received_ms: int = row.received_ms if row else 0
            said = self._connection.execute(select(func.max(SAID.c.number)))
            self.number: int = said.scalar_one() or 0

    def close(self) -> None:
        """Let another process write."""
        self._connection.close()
        self.engine.dispose()
        if self._lock is not None:
            self._lock.close()

    # -- reports in ----------------------------------------------------------------------------

    def append(self, entries: Sequence[Entry], received_ms: int) -> list[Taken]:
        """
        Accept entries: when this returns they are on disk, all of them in one commit.

        Parameters
        ----------
        entries : sequence of Entry
            In order.
        received_ms : int
            Later than that of the last append.

        Returns
        -------
        taken : list of Taken
            Entry by entry. One whose key was used before is not accepted again.
        """
        with self._turn, self._connection.begin():
            known = self._keys_known(entries)
            seq, taken, events, keys, counts = self.seq, [], [], [], Counter[tuple[str, str]]()
            for entry in entries:
                name = entry.sender, entry.key
                if entry.key and name in known:
                    digest, last = known[name]
                    taken.append(Taken(last, fresh=False, clash=digest != entry.digest))
                    if digest == entry.digest:
                        counts[entry.door, "duplicate"] += len(entry.reports)
                    continue
                for report in entry.reports:
                    seq += 1
                    events.append(_event_row(seq, received_ms, entry.door, report))
                if entry.key:
                    known[name] = entry.digest, seq
                    row = {"sender": entry.sender, "key": entry.key, "digest": entry.digest}
                    keys.append({**row, "seq": seq, "received_ms": received_ms})
                counts[entry.door, "accepted"] += len(entry.reports)
                counts[entry.door, "late"] += entry.late
                counts[entry.door, "duplicate"] += entry.duplicates
                taken.append(Taken(seq, fresh=True))
            self._insert(EVENTS, events)
            self._insert(KEYS_TAKEN, keys)
            self._count(counts)
        self.seq, self.received_ms = seq, received_ms
        return taken

    def _keys_known(self, entries: Sequence[Entry]) -> dict[tuple[str, str], tuple[bytes, int]]:
        """Find which keys were used before: what with, and the last event."""
        names = [(entry.sender, entry.key) for entry in entries if entry.key]
        known = {}
        for first in range(0, len(names), 1000):
            columns = KEYS_TAKEN.c.sender, KEYS_TAKEN.c.key
            found = select(KEYS_TAKEN).where(tuple_(*columns).in_(names[first : first + 1000]))
            for row in self._connection.execute(found):
                known[row.sender, row.key] = bytes(row.digest), row.seq
        return known

    def _insert(self, table: Any, rows: list[dict[str, Any]]) -> None:
        """Add rows, if there are any."""
        if rows:
            self._connection.execute(insert(table), rows)

    def _count(self, counts: Counter[tuple[str, str]]) -> None:
        """Add to the counters."""
        for (door, outcome), count in sorted(counts.items()):
            where = (COUNTERS.c.door == door) & (COUNTERS.c.outcome == outcome)
            more = update(COUNTERS).where(where).values(count=COUNTERS.c.count + count)
            if count and not self._connection.execute(more).rowcount:
                row = {"door": door, "outcome": outcome, "count": count}
                self._connection.execute(insert(COUNTERS), row)

    def refuse(
        self, letters: Sequence[DeadLetter], unkept: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        """
        Keep what cannot be accepted.

        Parameters
        ----------
        letters : sequence of DeadLetter
            Any number.
        unkept : mapping of str to int
            By door, how many more were refused and are only counted.
        """
        with self._turn, self._connection.begin():
            names = DeadLetter.__slots__
            rows = [{name: getattr(one, name) for name in names} for one in letters]
            for row in rows:
                row["reason"] = whole_characters(row["reason"])
            self._insert(DEAD_LETTERS, rows)
            counts = Counter((letter.door, "refused") for letter in letters)
            for door, count in unkept.items():
                counts[door, "refused"] += count
                counts[door, "unkept"] += count
            self._count(counts)

    # -- what the board said ------------------------------------------------------------------

    def say(self, said: Sequence[Said]) -> None:
        """
        Keep what the board said, numbered on from the last.

        Parameters
        ----------
        said : sequence of Said
            In order.
        """
        rows = []
        for number, one in enumerate(said, self.number + 1):
            kind, body = encoded(one)
            about = getattr(one, "suggestion_id", one.stop_id)
            rows.append({"number": number, "kind": kind, "subject": about, "body": body})
        with self._turn, self._connection.begin():
            self._insert(SAID, rows)
        self.number += len(rows)

    # -- what the board remembers ------------------------------------------------------------------

    def save(self, body: bytes) -> None:
        """
        Keep what the board remembers after the last event and the last saying.

        Parameters
        ----------
        body : bytes
            For `saved`; the one before it is kept too, others go.
        """
        with self._turn, self._connection.begin():
            kept = select(MEMORIES.c.seq).order_by(MEMORIES.c.seq.desc())
            newest = list(self._connection.execute(kept.limit(1)).scalars())
            self._connection.execute(delete(MEMORIES).where(MEMORIES.c.seq.not_in(newest)))
            self._connection.execute(delete(MEMORIES).where(MEMORIES.c.seq == self.seq))
            self._insert(MEMORIES, [{"seq": self.seq, "number": self.number, "body": body}])

    def saved(self) -> list[tuple[int, int, bytes]]:
        """
        Give what was kept.

        Returns
        -------
        saved : list of (int, int, bytes)
            `seq` and `number` at that time, and the body; the newest first.
        """
        with self._turn, self._connection.begin():
            rows = select(MEMORIES).order_by(MEMORIES.c.seq.desc())
            return [
                (row.seq, row.number, bytes(row.body)) for row in self._connection.execute(rows)
            ]

    def delivered(self, name: str, new: int | None = None) -> int:
        """
        Tell how far a reader has come.

        Parameters
        ----------
        name : str
            Whose; one that is not known yet is from now on.
        new : int or None
            Where a new reader begins; None for after the last saying there is.

        Returns
        -------
        number : int
            Of the last saying or event it was given.
        """
        with self._turn, self._connection.begin():
            known = select(READERS.c.number).where(READERS.c.name == name)
            number = self._connection.execute(known).scalar_one_or_none()
            if number is None:
                number = self.number if new is None else new
                self._insert(READERS, [{"name": name, "number": number}])
            return int(number)

    def deliver(self, name: str, number: int) -> None:
        """
        Note how far a reader has come.

        Parameters
        ----------
        name : str
            One that `delivered` knows.
        number : int
            Of the last saying it was given.
        """
        with self._turn, self._connection.begin():
            mine = update(READERS).where(READERS.c.name == name)
            self._connection.execute(mine.values(number=number))

    def thin(self, before_ms: int, most: int = PART) -> int:
        """
        Forget old positions, and what was refused; all else stays.

        Parameters
        ----------
        before_ms : int
            Fixes accepted and messages refused before this go, milliseconds since the epoch.
        most : int
            So many of each at most at once: it is not to hold up what comes in.

        Returns
        -------
        count : int
            How many went.
        """
        old = (EVENTS.c.kind == "fix") & (EVENTS.c.received_ms < before_ms)
        rows = select(EVENTS.c.seq).where(old).order_by(EVENTS.c.seq).limit(most)
        number = DEAD_LETTERS.c.letter_id
        letters = select(number).where(DEAD_LETTERS.c.received_ms < before_ms)
        letters = letters.order_by(number).limit(most)
        with self._turn, self._connection.begin():
            gone = (
                delete(EVENTS).where(EVENTS.c.seq.in_(rows.scalar_subquery())),
                delete(DEAD_LETTERS).where(number.in_(letters.scalar_subquery())),
            )
            return sum(int(self._connection.execute(one).rowcount) for one in gone)


def _event_row(seq: int, received_ms: int, door: str, report: Report) -> dict[str, Any]:
    """Make the row of a report."""
    kind, body = encoded(report)
    return {
        "seq": seq,
        "received_ms": received_ms,
        "door": door,
        "kind": kind,
        "subject": subject_of(report),
        "body": body,
    }

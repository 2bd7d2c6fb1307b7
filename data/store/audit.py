"""
The audit log: rows that are only ever added, each hashed together with the one before.

Whoever changes, removes or reorders rows would have to hash all that follow anew; who noted the
last row's hash elsewhere (`Audit.head`) finds that too.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import insert, select

from data.store.access_schema import AUDIT
from data.store.opening import writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

FIRST = "0" * 64
PART = 5000


class Action(StrEnum):
    """What is written down."""

    SIGN_IN = "sign_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_OUT = "sign_out"
    LOOK_LIVE = "look_live"
    LOOK_HISTORY = "look_history"
    UPLOAD = "upload"
    REMOVE = "remove"
    ANSWER = "answer"
    MUTE = "mute"
    CHECK = "check"
    OVERRIDE = "override"
    SETTINGS = "settings"
    EXPORT = "export"
    READ_AUDIT = "read_audit"
    ACCOUNT = "account"
    KEY = "key"
    BACKUP = "backup"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """
    One row of the log.

    Parameters
    ----------
    seq : int
        Rises by one, from 1.
    at_ms : int
        When, milliseconds since the epoch.
    who, how : str
        The caller's name, and by what it was known.
    action, about : str
        What was done (`Action`), and to what: ids, never positions.
    facts : dict of str to Any
        More of it, as JSON holds it.
    previous, hash : str
        SHA-256, hexadecimal: of the row before, and of this one with it.
    """

    seq: int
    at_ms: int
    who: str
    how: str
    action: str
    about: str
    facts: dict[str, Any]
    previous: str
    hash: str


class Head(NamedTuple):
    """The last row, by which later a log is known to hold it still."""

    seq: int
    hash: str


class Audit:
    """
    The audit log.

    Parameters
    ----------
    engine : Engine
        Of a store whose layout is the newest. Any thread may call.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(
        self, at_ms: int, who: str, how: str, action: Action, about: str = "", **facts: Any
    ) -> Head:
        """
        Add a row; when this returns it is on disk.

        Parameters
        ----------
        at_ms, who, how, action, about : int, str, str, Action, str
            As in `Note`.
        **facts : Any
            What JSON can hold.

        Returns
        -------
        head : Head
            The row written.
        """
        row: dict[str, Any] = {"at_ms": at_ms, "who": who, "how": how, "action": str(action)}
        row |= {"about": about, "facts": json.dumps(facts, sort_keys=True)}
        with writing(self._engine) as connection:
            newest = select(AUDIT.c.seq, AUDIT.c.hash).order_by(AUDIT.c.seq.desc()).limit(1)
            last = connection.execute(newest).first()
            row["seq"] = last.seq + 1 if last else 1
            row["previous"] = last.hash if last else FIRST
            row["hash"] = _digest(row)
            connection.execute(insert(AUDIT), row)
        return Head(row["seq"], row["hash"])

    def notes(self, after: int = 0, most: int | None = None) -> Iterator[Note]:
        """
        Read the log.

        Parameters
        ----------
        after : int
            The row to go on from.
        most : int or None
            How many rows at most; None for all.

        Yields
        ------
        note : Note
            By `seq`.
        """
        for row in self._rows(after, most):
            yield Note(**{**row, "facts": json.loads(row["facts"])})

    def head(self) -> Head:
        """
        Give the last row, to be noted elsewhere.

        Returns
        -------
        head : Head
            Row 0 where there is none.
        """
        newest = select(AUDIT.c.seq, AUDIT.c.hash).order_by(AUDIT.c.seq.desc()).limit(1)
        with self._engine.begin() as connection:
            last = connection.execute(newest).first()
        return Head(last.seq, last.hash) if last else Head(0, FIRST)

    def newest(self, action: Action) -> Note | None:
        """
        Give the last row of a kind.

        Parameters
        ----------
        action : Action
            The kind.

        Returns
        -------
        note : Note or None
            None where there is none.
        """
        rows = select(AUDIT).where(AUDIT.c.action == str(action))
        with self._engine.begin() as connection:
            row = connection.execute(rows.order_by(AUDIT.c.seq.desc()).limit(1)).mappings().first()
        return Note(**{**row, "facts": json.loads(row["facts"])}) if row else None

    def faults(self, noted: Head | None = None) -> list[str]:
        """
        Find rows that were changed, removed or reordered.

        Parameters
        ----------
        noted : Head or None
            A row that was the last at some time; without it, rows removed at the end are not found.

        Returns
        -------
        faults : list of str
            A sentence each; none where all is as it was written.
        """
        faults, before = [], Head(0, FIRST)
        altered: dict[int, dict[str, Any]] = {}
        missing: set[int] = set()
        for row in self._rows(0, None):
            if row["seq"] != before.seq + 1:
                gap = range(before.seq + 1, row["seq"])
                missing.update(gap[:PART])
                faults.append(f"{_named(gap)}: removed")
            elif row["previous"] != before.hash:
                faults.append(f"row {row['seq']}: does not follow from the row before it")
            if row["hash"] != _digest(row):
                altered[row["seq"]] = row
            if noted and row["seq"] == noted.seq and row["hash"] != noted.hash:
                faults.append(f"row {noted.seq}: is not the row that was noted")
            before = Head(row["seq"], row["hash"])
        places = [*sorted(missing | altered.keys())][:PART]
        faults += [_what_of(row, places) for row in altered.values()]
        if noted and before.seq < noted.seq:
            faults.append(f"{_named(range(before.seq + 1, noted.seq + 1))}: removed at the end")
        return faults

    def _rows(self, after: int, most: int | None) -> Iterator[dict[str, Any]]:
        """Read rows in parts."""
        while most is None or most > 0:
            count = PART if most is None else min(most, PART)
            rows = select(AUDIT).where(AUDIT.c.seq > after).order_by(AUDIT.c.seq).limit(count)
            with self._engine.begin() as connection:
                part = [dict(row) for row in connection.execute(rows).mappings()]
            yield from part
            if len(part) < count:
                return
            after = part[-1]["seq"]
            most = None if most is None else most - count


def _digest(row: dict[str, Any]) -> str:
    """Hash a row with the one before it, as canonical JSON: sorted keys, no spaces, UTF-8."""
    content = {name: value for name, value in row.items() if name != "hash"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _what_of(row: dict[str, Any], places: list[int]) -> str:
    """Say what became of a row whose hash is not that of its content."""
    for place in places:
        if row["hash"] == _digest({**row, "seq": place}):
            return f"row {row['seq']}: reordered, it was row {place}"
    return f"row {row['seq']}: changed ({row['action']} by {row['who']})"


def _named(rows: range) -> str:
    """Name rows."""
    return f"row {rows[0]}" if len(rows) == 1 else f"rows {rows[0]} to {rows[-1]}"

"""
The heart of the live service: one thread that accepts, decides and says.

It takes whatever has queued, gives it one instant, commits it, acknowledges it, feeds it to the
board, keeps what the board says, and passes that on. Nothing else writes to the store or touches
the board, so there is one order of everything and no lock.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter, deque
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from data.errors import FieldError
from data.reports import FixReport, Resumed, subject
from data.store.reading import DeadLetter
from data.store.store import Entry, Taken
from rollby.service.feeding import feed, feed_all
from rollby.service.room import Room
from rollby.service.saving import restore, saved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from data.records import UnitFix
    from data.said import Said
    from data.store.reading import Event
    from data.store.store import Store
    from geo.board import Board
    from rollby.service.clock import SteadyClock

MOST_AT_ONCE = 2000
MOST_WAITING = 20_000
IDLE_S = 1.0
NAME_MOST = 240
READ_AGAIN = 10_000
MOST_RECENT = 50_000  # a broker sends again what it was not told in time, up to some thousands
SAVE_EVERY_MS = 60_000
PAST_MS = 900_000  # without a memory, older positions are passed over: a parked car's are sooner
SILENTLY = -(1 << 62)


class BusyError(Exception):
    """More is waiting than can be accepted soon; nothing was accepted, try again."""


@dataclass(slots=True)
class _Asked:
    """Something for the thread to do, and where its result goes."""

    what: Any  # an Entry, a DeadLetter, or a function of the board
    expects: tuple[str, int | None] | None = None  # a stop, and the seq of its last change
    done: Future[Any] = field(default_factory=Future)


class Core:
    """
    The one who writes.

    Parameters
    ----------
    store : Store
        Held by this process.
    board : Board
        Fresh; it is brought to where the store's events lead.
    clock : SteadyClock
        Later than the store's last event.
    publish : callable
        Called in the thread with what was said, numbered, once it is kept.

    Attributes
    ----------
    failed : BaseException or None
        Why the thread has ended on its own; whatever waited was told.
    heard_ms : dict of str to int
        When something was last accepted or refused by each door, since the start; milliseconds
        since the epoch.
    """

    def __init__(
        self,
        store: Store,
        board: Board,
        clock: SteadyClock,
        publish: Callable[[list[tuple[int, Said]]], None],
    ) -> None:
        self._store, self._board, self._clock, self._publish = store, board, clock, publish
        self._queue: queue.Queue[_Asked | None] = queue.Queue(MOST_WAITING)
        self._fixes: dict[str, UnitFix] = {}
        self._recent: dict[FixReport, None] = {}
        self._room = Room()
        self._at_ms: int = store.received_ms
        self._saved = store.seq, self._at_ms
        self._thread = threading.Thread(target=self._run, name="core", daemon=True)
        self.failed: BaseException | None = None
        self.heard_ms: dict[str, int] = {}

    # -- any thread ----------------------------------------------------------------------------

    def submit(
        self, entry: Entry, expects: tuple[str, int | None] | None = None
    ) -> Future[Taken | None]:
        """
        Ask for reports to be accepted.

        Parameters
        ----------
        entry : Entry
            What came.
        expects : (str, int or None) or None
            A stop, and the `seq` of its last change (None: there is no such stop), without which
            nothing is to be accepted.

        Returns
        -------
        taken : Future
            Done when it is on disk; None where the stop is not as expected.

        Raises
        ------
        FieldError
            If a name in it is none that a store can keep; no other entry suffers from it.
        BusyError
            If more is waiting than can be accepted soon.
        """
        for report in entry.reports:
            name = subject(report)
            if not (name.isprintable() and len(name) <= NAME_MOST):
                rule = f"must be one line of at most {NAME_MOST} characters"
                raise FieldError("id", name, rule)
        return self._put(_Asked(entry, expects))

    def refuse(self, letter: DeadLetter) -> Future[None]:
        """
        Ask for what cannot be accepted to be kept, or counted where there is no room for more.

        Returns
        -------
        kept : Future
            Done when it is.
        """
        return self._put(_Asked(letter))

    def look(self, at: Callable[[Board], Any]) -> Future[Any]:
        """
        Ask for something about the board, at its present instant.

        Returns
        -------
        seen : Future
            What `at` returns; it must not change the board.
        """
        return self._put(_Asked(at))

    @property
    def waiting(self) -> int:
        """How much waits to be done."""
        return self._queue.qsize()

    def _put(self, asked: _Asked) -> Future[Any]:
        """
        Queue.

        Raises
        ------
        BusyError
            If too much is waiting, or nothing is accepted any more.
        """
        if self.failed is not None or not self._thread.is_alive():
            raise BusyError("the service is stopping")
        try:
            self._queue.put_nowait(asked)
        except queue.Full:
            raise BusyError("too much is waiting") from None
        return asked.done

    def start(self) -> None:
        """Build the board again from what it remembered and what came since; begin to accept."""
        self._rebuild()
        self._thread.start()

    def stop(self) -> None:
        """Accept what is queued, then end."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        if self.failed is None:
            self._save()

    # -- the thread ----------------------------------------------------------------------------

    def _rebuild(self) -> None:
        """Come to where the events lead; say what had not been said when the last one ended."""
        seq, said_before = self._remember() or self._begin_anew()
        for _ in islice(self._noted(self._store.events(max(0, seq - READ_AGAIN))), READ_AGAIN):
            pass
        for said in feed_all(self._board, self._noted(self._store.events(seq))):
            unsaid = max(0, self._store.number - said_before)
            said_before += len(said)
            self._say(said[unsaid:])
        if self._store.seq:
            at_ms = self._tick_ms()
            resumed = Resumed(at=datetime.fromtimestamp(at_ms / 1000, UTC))
            self._store.append([Entry(door="service", reports=(resumed,))], at_ms)
            self._say(feed(self._board, at_ms, [resumed]))

    def _remember(self) -> tuple[int, int] | None:
        """Bring the board to the newest memory that can be read; give its event and saying."""
        for seq, number, body in self._store.saved():
            if restore(self._board, body):
                for unit_id in self._board.seen.unit_ids:
                    if fix := self._board.seen.fix_of(unit_id):
                        self._fixes[unit_id] = fix
                return seq, number
        return None

    def _begin_anew(self) -> tuple[int, int]:
        """
        Come without a memory to where only the newest positions are missing.

        Another release may have laid memories out in another way, at an orderly end, when all had
        been said. Where a unit was long ago nobody needs to know, and to decide a week anew
        takes long.
        """
        seq = self._store.before(self._store.received_ms - PAST_MS)
        if not seq:
            return 0, 0
        for _ in feed_all(self._board, self._store.events_but_fixes(seq)):
            pass
        return seq, SILENTLY

    def _save(self) -> None:
        """Keep what the board remembers."""
        self._saved = self._store.seq, self._at_ms
        self._store.save(saved(self._board))

    def _noted(self, events: Iterable[Event]) -> Iterable[Event]:
        """Pass events on, and note each unit's newest fix."""
        for event in events:
            if isinstance(event.report, FixReport):
                self._note(event.report)
            yield event

    def _note(self, report: FixReport) -> None:
        """Remember a unit's newest fix, and what came of late by all."""
        self._recent[report] = None
        if len(self._recent) > MOST_RECENT:
            del self._recent[next(iter(self._recent))]
        before = self._fixes.get(report.unit_id)
        if before is None or before.fixed_at <= report.fix.fixed_at:
            self._fixes[report.unit_id] = report.fix

    def _tick_ms(self) -> int:
        """Come to an instant that is later than all before."""
        self._at_ms = max(self._clock.now_ms(), self._at_ms + 1)
        return self._at_ms

    def _run(self) -> None:
        """Accept, decide and say until told to end."""
        waiting: deque[_Asked] = deque()
        try:
            while self._fill(waiting):
                self._serve(waiting)
        except BaseException as error:  # noqa: BLE001 - told to whoever waits, and to the program
            self.failed = error
            while not self._queue.empty():
                if (asked := self._queue.get()) is not None:
                    waiting.append(asked)
            _end(waiting)

    def _fill(self, waiting: deque[_Asked]) -> bool:
        """Wait for something to do, at most until the board wishes to decide; False to end."""
        wish_s = (self._board.wish_s() - self._clock.now_ms() / 1000) / self._clock.rate
        try:
            asked = self._queue.get(timeout=min(max(wish_s, 0.0), IDLE_S))
            while asked is not None:
                waiting.append(asked)
                if len(waiting) >= MOST_AT_ONCE:
                    break
                asked = self._queue.get_nowait()
        except queue.Empty:
            return True
        if asked is None and waiting:
            self._serve(waiting)
        return asked is not None

    def _serve(self, waiting: deque[_Asked]) -> None:
        """Do what was asked, as much as can be done in one commit at a time."""
        at_ms = self._tick_ms()
        self._say(self._board.advance(at_ms / 1000))
        while waiting:
            first = waiting[0]
            if isinstance(first.what, DeadLetter):
                letters = _run_of(waiting, DeadLetter)
                kept = [asked.what for asked in letters if self._room.take(asked.what)]
                came = Counter(asked.what.door for asked in letters)
                with _or_told(letters):
                    self._store.refuse(kept, came - Counter(letter.door for letter in kept))
                self.heard_ms.update((asked.what.door, at_ms) for asked in letters)
                _tell(letters, [None] * len(letters))
            elif isinstance(first.what, Entry):
                self._accept(_run_of(waiting, Entry))
            else:
                _look(waiting.popleft(), self._board)
        seq, saved_ms = self._saved
        if self._store.seq > seq and self._at_ms >= saved_ms + SAVE_EVERY_MS:
            self._save()

    def _accept(self, asked: list[_Asked]) -> None:
        """Commit entries, acknowledge them, and let the board decide."""
        if asked[0].expects is not None:
            stop_id, seq = asked[0].expects
            newest = self._store.newest("stop", stop_id)
            if (newest.seq if newest else None) != seq:
                _tell(asked, [None])
                return
        at_ms = self._tick_ms()
        entries = [self._judged(one.what) for one in asked]
        with _or_told(asked):
            taken = self._store.append(entries, at_ms)
        self.heard_ms.update((entry.door, at_ms) for entry in entries)
        _tell(asked, taken)
        reports = [
            report
            for entry, one in zip(entries, taken, strict=True)
            if one.fresh
            for report in entry.reports
        ]
        self._say(feed(self._board, at_ms, reports))

    def _judged(self, entry: Entry) -> Entry:
        """Leave out fixes that came twice, and count those that are late."""
        kept, late = [], 0
        for report in entry.reports:
            if isinstance(report, FixReport):
                before = self._fixes.get(report.unit_id)
                if before == report.fix or report in self._recent:
                    continue
                late += before is not None and report.fix.fixed_at < before.fixed_at
                self._note(report)
            kept.append(report)
        repeated = len(entry.reports) - len(kept)
        return replace(
            entry, reports=tuple(kept), late=late, duplicates=entry.duplicates + repeated
        )

    def _say(self, said: list[Said]) -> None:
        """Keep what the board said, then pass it on."""
        if said:
            first = self._store.number + 1
            self._store.say(said)
            self._publish(list(enumerate(said, first)))


def _run_of(waiting: deque[_Asked], kind: type) -> list[_Asked]:
    """Take those of a kind that come first; one that expects something goes alone."""
    taken = [waiting.popleft()]
    while (
        waiting
        and isinstance(waiting[0].what, kind)
        and taken[0].expects is None
        and waiting[0].expects is None
    ):
        taken.append(waiting.popleft())
    return taken


def _end(asked: Iterable[_Asked]) -> None:
    """Tell those who wait that nothing of theirs was accepted, as far as is known."""
    for one in asked:
        if one.done.set_running_or_notify_cancel():
            one.done.set_exception(BusyError("the service is stopping"))


@contextmanager
def _or_told(asked: Iterable[_Asked]) -> Iterator[None]:
    """Have whoever waits know of a failure."""
    try:
        yield
    except BaseException:
        _end(asked)
        raise


def _tell(asked: list[_Asked], results: list[Any]) -> None:
    """Give results to those who wait and have not gone."""
    for one, result in zip(asked, results, strict=True):
        if one.done.set_running_or_notify_cancel():
            one.done.set_result(result)


def _look(asked: _Asked, board: Board) -> None:
    """Answer a question about the board; an error in it is the asker's."""
    if not asked.done.set_running_or_notify_cancel():
        return
    try:
        asked.done.set_result(asked.what(board))
    except Exception as error:  # noqa: BLE001 - passed on
        asked.done.set_exception(error)

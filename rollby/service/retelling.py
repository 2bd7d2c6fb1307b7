"""What a dispatch system tells again and again, held against what is known already."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from data.errors import FieldError
from data.events import StatusChange, StopChange
from data.feeds.heard import Refusal
from data.reports import subject

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from data.feeds.heard import Told
    from data.store.store import Store

AT = "at"
_AT = attrgetter(AT)
OFFICER = "officer"  # the door of officers' own words
NEWEST = 20
AHEAD = timedelta(minutes=2)  # an instant later than this is refused
Change = StatusChange | StopChange


async def news_of(told: Sequence[Told], store: Store) -> tuple[list[Change], list[Refusal]]:
    """
    Leave out what was told before, and fill in what was not told.

    Parameters
    ----------
    told : sequence of Told
        By our units' names, in order.
    store : Store
        For reading.

    Returns
    -------
    news : list of StatusChange or StopChange
        Each as it is now: a field that the sender did not tell is as the newest report has it. One
        that says what an earlier one said, at the same instant, is none; nor is one without an
        instant that says what the newest says that is no officer's own: a listing that is written
        again and again does not put back what an officer has said meanwhile.
    refused : list of Refusal
        What does not fit what was told before.
    """
    return await asyncio.to_thread(_news, told, store)


def _news(told: Sequence[Told], store: Store) -> tuple[list[Change], list[Refusal]]:
    """Do the work of `news_of`."""
    known: dict[tuple[str, str], _Known] = {}
    news, refused = [], []
    for one in told:
        name = "status" if isinstance(one.report, StatusChange) else "stop", subject(one.report)
        if name not in known:
            known[name] = _Known(store, *name)
        mine = known[name]
        try:
            fresh = _fresh(
                one.report, one.untold, mine.reports, mine.older(one.report.at), mine.listed
            )
        except FieldError as error:
            refused.append(Refusal(raw=one.raw, reason=str(error)))
            continue
        if fresh is not None:
            news.append(fresh)
            mine.reports.insert(0, fresh)
            mine.listed = fresh if mine.listed is None else max(mine.listed, fresh, key=_AT)
    return news, refused


class _Known:
    """What is known of one unit's status, or of one stop: the newest reports, and older ones."""

    def __init__(self, store: Store, kind: str, name: str) -> None:
        self._store, self._name = store, (kind, name)
        events = store.about(kind, name, most=NEWEST)
        self.reports: list[Any] = [one.report for one in events]
        others = [one.report for one in store.about(kind, name, but=OFFICER, most=NEWEST)]
        self.listed: Any = max(others, key=_AT, default=None)
        self._all = len(events) < NEWEST
        self._since_ms = events[-1].received_ms if events else 0

    def older(self, at: datetime) -> list[Any]:
        """Read older reports of an instant; nothing is accepted long before its instant."""
        if self._all or 1000 * (at - AHEAD).timestamp() > self._since_ms:
            return []
        return [one.report for one in self._store.about(*self._name, at=at)]


def _fresh(
    told: Change,
    untold: frozenset[str],
    before: Sequence[Change],
    older: Sequence[Change],
    listed: Change | None,
) -> Change | None:
    """Give a change as it is now; None where it is known."""
    if any(one.at == told.at and _filled(told, untold, one) == one for one in (*before, *older)):
        return None
    if AT in untold and listed and _filled(replace(told, at=listed.at), untold, listed) == listed:
        return None
    newest = max(before, key=_AT, default=None)
    return told if newest is None else _filled(told, untold, newest)


def _filled(told: Change, untold: frozenset[str], before: Change) -> Change:
    """Fill in what was not told."""
    if isinstance(told, StopChange) and isinstance(before, StopChange):
        return replace(told, stop=replace(told.stop, **_kept(before.stop, untold)))
    return replace(told, **_kept(before, untold))


def _kept(before: object, untold: frozenset[str]) -> dict[str, Any]:
    """Take single fields of a record."""
    return {name: getattr(before, name) for name in untold - {AT}}

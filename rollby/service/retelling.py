"""What a dispatch system tells again and again, held against what is known already."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from data.errors import FieldError
from data.events import StatusChange, StopChange
from data.feeds.heard import Refusal
from data.records import Stop, StopPhase
from data.reports import subject

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from data.feeds.heard import Told
    from data.store.store import Store

AT = "at"
_AT = attrgetter(AT)
HAND = frozenset({"officer", "desk"})  # the doors of what officers and dispatchers say themselves
NEWEST = 20
AHEAD = timedelta(minutes=2)  # of an instant later than this a row tells none
OVER = ("phase", "ended_at")
TOGETHER = (OVER, ("lon_deg", "lat_deg"), *(
    (name,) for name in ("unit_id", "started_at", "heading_deg", "backup", "needs")
))  # fmt: skip
"""Fields of a stop that are said together or not at all."""
Change = StatusChange | StopChange


class _Said(NamedTuple):
    """A report that was accepted; whether an officer or a dispatcher said it himself."""

    report: Any
    by_hand: bool


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
            fresh = _fresh(one.report, one.untold, mine)
        except FieldError as error:
            refused.append(Refusal(raw=one.raw, reason=str(error)))
            continue
        if fresh is not None:
            news.append(fresh)
            mine.said.insert(0, _Said(fresh, by_hand=False))
            mine.listed = fresh if mine.listed is None else max(mine.listed, fresh, key=_AT)
    return news, refused


class _Known:
    """What is known of one unit's status, or of one stop: the newest reports, and older ones."""

    def __init__(self, store: Store, kind: str, name: str) -> None:
        self._store, self._name = store, (kind, name)
        events = store.about(kind, name, most=NEWEST)
        others = store.about(kind, name, but=HAND, most=NEWEST)
        rows = {one.seq for one in others}
        self.said = [_Said(one.report, by_hand=one.seq not in rows) for one in events]
        self.listed: Any = max((one.report for one in others), key=_AT, default=None)
        self._all = len(events) < NEWEST
        self._since_ms = events[-1].received_ms if events else 0

    def older(self, at: datetime) -> list[Any]:
        """Read older reports of an instant; nothing is accepted long before its instant."""
        if self._all or 1000 * (at - AHEAD).timestamp() > self._since_ms:
            return []
        return [one.report for one in self._store.about(*self._name, at=at)]


def _fresh(told: Change, untold: frozenset[str], known: _Known) -> Change | None:
    """Give a change as it is now; None where it is known."""
    before = [one.report for one in known.said]
    for one in (*before, *known.older(told.at)):
        if one.at == told.at and _filled(told, untold, one) == one:
            return None
    listed = known.listed
    if AT in untold and listed and _filled(replace(told, at=listed.at), untold, listed) == listed:
        return None
    newest = max(before, key=_AT, default=None)
    if newest is None:
        return told
    if isinstance(told, StopChange):
        return _beside_words(told, untold, known.said)
    return _filled(told, untold, newest)


def _beside_words(
    told: StopChange, untold: frozenset[str], accepted: Sequence[_Said]
) -> Change | None:
    """Give a stop's change as it is beside what was said of it by hand; None where it is known."""
    said = sorted(accepted, key=lambda one: one.report.at, reverse=True)
    newest: StopChange = said[0].report
    held = [names for names in TOGETHER if _says_what_was(told, untold, names, said)]
    fresh = _filled(told, untold.union(*held), newest)
    ended = OVER in held and _is_over(newest.stop)
    if ended and not _is_over(told.stop):
        return None
    agrees = ended and said[0].by_hand  # kept: what it begins again from now on is news
    same = replace(fresh, at=newest.at) == newest
    return None if held and same and not agrees else fresh


def _says_what_was(
    told: StopChange, untold: frozenset[str], names: tuple[str, ...], said: Sequence[_Said]
) -> bool:
    """Tell whether a row says of some fields what was so before somebody's word by hand."""
    values, new = attrgetter(*names), [name for name in names if name not in untold]
    changes = (
        pair for pair in pairwise(said) if len({values(one.report.stop) for one in pair}) > 1
    )
    after, before = next(changes, (None, None))
    if not new or after is None or before is None or not after.by_hand:
        return False
    if names == OVER and _is_over(after.report.stop):
        if _is_over(told.stop):
            return True  # an end is an end, and his stands
        if not said[0].by_hand:
            return False  # ended by both, and now begun again
    return all(getattr(told.stop, name) == getattr(before.report.stop, name) for name in new)


def _is_over(stop: Stop) -> bool:
    """Tell whether a stop was ended."""
    return stop.ended_at is not None or stop.phase is StopPhase.CLEARED


def _filled(told: Change, untold: frozenset[str], before: Change) -> Change:
    """Fill in what was not told."""
    if isinstance(told, StopChange) and isinstance(before, StopChange):
        return replace(told, stop=replace(told.stop, **_kept(before.stop, untold)))
    return replace(told, **_kept(before, untold))


def _kept(before: object, untold: frozenset[str]) -> dict[str, Any]:
    """Take single fields of a record."""
    return {name: getattr(before, name) for name in untold - {AT}}

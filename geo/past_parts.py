"""
A history in parts that can be worked out apart: a local day each, with what it rests on.

A part reads whole UTC days, for that is how a history lies in its folder. Of earlier days it is
given what is still in force: each unit's status, each open stop. Positions need no more than the
tail of the day before: what arrived earlier is too old to be asked by, whoever looks.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from data.errors import InputError
from data.events import Fixes, History, StatusChange
from data.records import StopPhase, UnitStatus
from geo.hours import local_hours
from geo.sightings import FUTURE_S
from geo.snapshots import with_places
from geo.what_if import with_post

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from data.events import StopChange
    from data.road_table import FloatArray
    from data.settings import Policy

DAY_S = 86_400
SILENCE_S = 3600.0
"""With no fix from anybody for so long, nothing was recorded."""
_NONE = np.empty(0)
NO_FIXES = Fixes(
    unit_ids=(),
    unit_row=np.empty(0, np.int32),
    fixed_at_s=_NONE,
    received_at_s=_NONE,
    lon_deg=_NONE,
    lat_deg=_NONE,
    heading_deg=_NONE,
    speed_mps=_NONE,
    accuracy_m=_NONE,
)
NOTHING = History(fixes=NO_FIXES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """
    A local day to look at.

    Parameters
    ----------
    day : int
        Local days since 1970-01-01.
    begins_s, ends_s : float
        From local midnight to the next, seconds since 1970, UTC.
    at_s : ndarray of float64, shape (s,)
        Its instants, rising; of them those count that fixes came shortly before.
    days : tuple of int
        The days to read, UTC, since 1970-01-01: from the tail of the day before to the day after,
        which may tell of a stop that began in this one.
    before : History
        What of earlier days is in force; no fixes.
    """

    day: int
    begins_s: float
    ends_s: float
    at_s: FloatArray
    days: tuple[int, ...]
    before: History

    def reads_s(self, policy: Policy) -> tuple[float, float]:
        """Tell from when to when fixes must have arrived to matter: to instants, and to stops."""
        return self.begins_s - tail_s(policy), self.ends_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """
    A unit that stands at a post whenever it is available.

    Parameters
    ----------
    unit_id : str
        Who.
    lon_deg, lat_deg : float
        Where.
    known : bool
        It has statuses of its own; else it is one more, and available all the time.
    """

    unit_id: str
    lon_deg: float
    lat_deg: float
    known: bool

    @classmethod
    def of(cls, post: tuple[str, float, float], known: Collection[str]) -> Posted:
        """
        Tell a unit of the period's own from one more.

        Parameters
        ----------
        post : (unit_id, lon_deg, lat_deg)
            Who stands where.
        known : collection of str
            Units with statuses.

        Returns
        -------
        posted : Posted
            For `load`.
        """
        unit_id, lon_deg, lat_deg = post
        return cls(unit_id=unit_id, lon_deg=lon_deg, lat_deg=lat_deg, known=unit_id in known)


def tail_s(policy: Policy) -> float:
    """
    Tell how long before an instant a fix may have arrived and still matter.

    Returns
    -------
    tail_s : float
        What arrived earlier was taken at most `FUTURE_S` later, and is stale.
    """
    return max(policy.stale_parked_s, policy.stale_moving_s, SILENCE_S) + FUTURE_S


def parts_of(
    days: Sequence[int],
    fix_days: Sequence[int],
    told: Callable[[int], History],
    *,
    zone: ZoneInfo,
    policy: Policy,
    every_s: float,
    last_s: float,
    first_s: float = -np.inf,
) -> Iterator[Part]:
    """
    Part a history by local days.

    Parameters
    ----------
    days, fix_days : sequence of int
        Days with anything, and with fixes: UTC, since 1970-01-01, rising.
    told : callable
        Gives the statuses and stops of a day, or `latest` of them. Asked once for each.
    zone : ZoneInfo
        Whose days.
    policy : Policy
        How old a fix may be.
    every_s : float
        Seconds from snapshot to snapshot, > 0: whole multiples of it since the epoch.
    last_s : float
        When the last fix arrived; nothing is looked at after it.
    first_s : float
        Nor before this.

    Yields
    ------
    part : Part
        In order.

    Raises
    ------
    InputError
        After the last, if nothing tells which units were idle.
    """
    before, upto, anybody = NOTHING, 0, False
    for day in _local_days(fix_days, zone):
        at_s = _instants(day, zone, every_s, last_s)
        at_s = at_s[at_s >= first_s]
        if not len(at_s):
            continue
        begins_s, ends_s = (_midnight_s(one, zone) for one in (day, day + 1))
        first, last = int((begins_s - tail_s(policy)) // DAY_S), int(at_s[-1] // DAY_S)
        while upto < len(days) and days[upto] < first:
            new = told(days[upto])
            anybody |= bool(new.statuses)
            before, upto = in_force(before, new, (days[upto] + 1) * DAY_S), upto + 1
        own = tuple(days[bisect_left(days, first) : bisect_left(days, last + 2)])
        yield Part(day=day, begins_s=begins_s, ends_s=ends_s, at_s=at_s, days=own, before=before)
    if not anybody and not any(told(day).statuses for day in days[upto:]):
        raise InputError("statuses: a history must hold some, to know which units were idle")


def latest(told: History) -> History:
    """
    Keep each unit's last status of a day and each stop's last change.

    Parameters
    ----------
    told : History
        Of a day.

    Returns
    -------
    latest : History
        Without fixes; for `parts_of` it says as much as the whole day.
    """
    statuses = {one.unit_id: one for one in told.statuses}
    stops = {one.stop.stop_id: one for one in told.stops}
    return History(fixes=NO_FIXES, statuses=tuple(statuses.values()), stops=tuple(stops.values()))


def in_force(before: History, told: History, at_s: float) -> History:
    """
    Tell what is in force after a day, from what was before it.

    Parameters
    ----------
    before, told : History
        In force before the day, and told on it.
    at_s : float
        When it ends.

    Returns
    -------
    after : History
        Without fixes: each unit's status, and the stops that are open.
    """
    both = History(
        fixes=NO_FIXES,
        statuses=(*before.statuses, *told.statuses),
        stops=(*before.stops, *told.stops),
    )
    found = latest(both)
    return replace(found, stops=tuple(one for one in found.stops if _is_open(one, at_s)))


def load(
    part: Part,
    read: Callable[[Sequence[int], float, float], History],
    policy: Policy,
    posts: Sequence[Posted] = (),
) -> tuple[FloatArray, History]:
    """
    Read a part.

    Parameters
    ----------
    part : Part
        From `parts_of`.
    read : callable
        Gives days, of their fixes those that arrived from one instant to another.
    policy : Policy
        How old a fix may be.
    posts : sequence of Posted
        What if.

    Returns
    -------
    at_s : ndarray of float64, shape (s,)
        The instants to look at: none with no fix from anybody in the hour before.
    history : History
        All they rest on; stops that did not say where they are have their places.
    """
    first_s, last_s = part.reads_s(policy)
    found = read(part.days, first_s, last_s)
    arrived_s = found.fixes.received_at_s
    newest = np.searchsorted(arrived_s, part.at_s, side="right") - 1
    at_s = part.at_s[newest >= 0]
    at_s = at_s[at_s - arrived_s[newest[newest >= 0]] < SILENCE_S]
    history = with_places(
        replace(
            found,
            statuses=(*part.before.statuses, *found.statuses),
            stops=(*part.before.stops, *found.stops),
        )
    )
    for post in posts:
        history = _with_post(history, post, first_s, last_s)
    return at_s, history


class Recorded:
    """
    A history in memory, a day at a time.

    Parameters
    ----------
    history : History
        All of it.

    Raises
    ------
    InputError
        If it holds no fixes or no statuses.
    """

    def __init__(self, history: History) -> None:
        if not len(history.fixes) or not history.statuses:
            missing = "statuses" if len(history.fixes) else "fixes"
            raise InputError(f"{missing}: a history must hold some, to know which units were idle")
        self._history = history
        self._status_s = [one.at.timestamp() for one in history.statuses]
        self._stop_s = [one.at.timestamp() for one in history.stops]
        self.last_s = float(history.fixes.received_at_s[-1])
        self.fix_days: list[int] = (
            np.unique(history.fixes.received_at_s // DAY_S).astype(int).tolist()
        )
        events = np.array(self._status_s + self._stop_s)
        self.days: list[int] = sorted({*self.fix_days, *(events // DAY_S).astype(int).tolist()})

    def told(self, day: int) -> History:
        """Give the statuses and stops of a day."""
        return self.read((day,), 0.0, -1.0)

    def read(self, days: Sequence[int], first_s: float, last_s: float) -> History:
        """Give days, as `load` asks for them."""
        begin_s, end_s = days[0] * DAY_S, (days[-1] + 1) * DAY_S
        fixes = self._history.fixes
        row = slice(
            int(np.searchsorted(fixes.received_at_s, first_s, side="left")),
            max(0, int(np.searchsorted(fixes.received_at_s, last_s, side="right"))),
        )
        columns = {name: getattr(fixes, name)[row] for name in fixes.__slots__[1:]}
        return replace(
            self._history,
            fixes=Fixes(unit_ids=fixes.unit_ids, **columns),
            statuses=self._history.statuses[_within(self._status_s, begin_s, end_s)],
            stops=self._history.stops[_within(self._stop_s, begin_s, end_s)],
        )


def _within(at_s: list[float], begin_s: float, end_s: float) -> slice:
    """Find the rows from one instant to before another."""
    return slice(bisect_left(at_s, begin_s), bisect_left(at_s, end_s))


def _local_days(fix_days: Sequence[int], zone: ZoneInfo) -> list[int]:
    """List the local days in which fixes arrived, or had until an hour before."""
    begin_s = np.array(fix_days, np.float64) * DAY_S
    ends = local_hours(np.concatenate([begin_s, begin_s + DAY_S + SILENCE_S]), zone) // 24
    found: set[int] = set()
    for first, last in zip(*np.split(ends, 2), strict=True):
        found |= set(range(int(first), int(last) + 1))
    return sorted(found)


def _instants(day: int, zone: ZoneInfo, every_s: float, last_s: float) -> FloatArray:
    """List the instants of a local day, up to the last fix."""
    begin_s, end_s = (day - 1) * DAY_S, min((day + 2) * DAY_S, last_s)
    at_s = np.arange(np.ceil(begin_s / every_s), np.floor(end_s / every_s) + 1) * every_s
    found: FloatArray = at_s[local_hours(at_s, zone) // 24 == day]
    return found


def _midnight_s(day: int, zone: ZoneInfo) -> float:
    """Tell when a local day begins."""
    return (datetime(1970, 1, 1, tzinfo=zone) + timedelta(days=day)).timestamp()


def _is_open(change: StopChange, at_s: float) -> bool:
    """Tell whether a stop goes on."""
    stop = change.stop
    goes_on = stop.ended_at is None or stop.ended_at.timestamp() > at_s
    return goes_on and stop.phase is not StopPhase.CLEARED


def _with_post(history: History, post: Posted, first_s: float, last_s: float) -> History:
    """Post a unit for a part of a history, as it would be for all of it."""
    if post.known and not any(one.unit_id == post.unit_id for one in history.statuses):
        began = datetime.fromtimestamp(first_s, UTC)
        off = StatusChange(unit_id=post.unit_id, at=began, status=UnitStatus.OUT_OF_SERVICE)
        history = replace(history, statuses=(off, *history.statuses))
    span_s = first_s, last_s
    return with_post(history, post.unit_id, post.lon_deg, post.lat_deg, span_s=span_s)

"""The stops that go on: where each is, who is with it, and the drive times to it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from data.records import StopPhase
from geo.alarms import Alarm
from geo.asking import Asking
from geo.attendance import Attendance
from geo.backup import horizon_s
from geo.exposure import beat_at, on_road
from geo.roster import open_stops, stop_place
from geo.standing import StandingStops

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from data.beats import Beat
    from data.events import StopChange
    from data.records import Stop, Unit
    from data.settings import Policy
    from geo.network import RoadNetwork
    from geo.sightings import Sightings
    from geo.snap import Position


@dataclass(slots=True)
class OpenStop:
    """
    A stop that goes on, and what the board remembers of it.

    Attributes
    ----------
    stop : Stop
        With all backup that is listed, promised or there.
    seen_s : float
        When the board first heard of it, seconds since the epoch.
    place : tuple of float or None
        lon_deg, lat_deg.
    position : Position or None
        On the road.
    within_s : float
        T here.
    beat : str
        Its name; "" for none.
    placed_by : object
        What its place was worked out from.
    made_of : object
        What `stop` was written from, where somebody was added to the record.
    asking : Asking
        The asks.
    alarm : Alarm
        Its alarm.
    """

    stop: Stop
    seen_s: float
    place: tuple[float, float] | None = None
    position: Position | None = None
    within_s: float = 0.0
    beat: str = ""
    placed_by: object = None
    made_of: object = None
    asking: Asking = field(default_factory=Asking)
    alarm: Alarm = field(default_factory=Alarm)

    @property
    def began_s(self) -> float:
        """When it began, or was first heard of; seconds since the epoch."""
        started = self.stop.started_at
        return started.timestamp() if started else self.seen_s


class Scene:
    """
    All stops that go on.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    policy : Policy
        Constants.
    beats : sequence of Beat
        With a T of their own.
    seen : Sightings
        Where units are.

    Attributes
    ----------
    open : dict of str to OpenStop
        By stop_id.
    standing : StandingStops
        Those of them that are on the road, each searched once.
    attendance : Attendance
        Who is beside which.
    changes : dict of str to StopChange
        The newest of each stop that is not over.
    over : dict of str to datetime
        When the last change of each stop that is over was.
    touched : bool
        Something other than time has happened to a stop, or to who is with it, since `refresh`.
    turns_s : float
        When the next stop begins or ends by itself, seconds since the epoch; inf for never.
    by_fix : set of str
        Units whose positions or status say where a stop is, or whether there is one.
    """

    def __init__(
        self, net: RoadNetwork, policy: Policy, beats: Sequence[Beat], seen: Sightings
    ) -> None:
        self._net, self._policy, self._beats, self._seen = net, policy, beats, seen
        widest_s = max([policy.within_s, *(beat.within_s for beat in beats)])
        self.open: dict[str, OpenStop] = {}
        self.standing = StandingStops(net, within_s=float(horizon_s(widest_s, policy)))
        self.attendance = Attendance(policy)
        self.changes: dict[str, StopChange] = {}
        self.over: dict[str, datetime] = {}
        self.touched = True
        self.by_fix: set[str] = set()
        self.turns_s = math.inf

    def take(self, change: StopChange) -> None:
        """
        Take what became of a stop.

        Parameters
        ----------
        change : StopChange
            The newest by its instant counts, whenever it arrived.
        """
        stop_id = change.stop.stop_id
        known_at = self.known_at(stop_id)
        if known_at is None or known_at <= change.at:
            self.changes[stop_id] = change
            self.over.pop(stop_id, None)
            self.touched = True

    def known_at(self, stop_id: str) -> datetime | None:
        """
        Tell of which instant the newest change of a stop is.

        Returns
        -------
        known_at : datetime or None
            None where nothing is known of it.
        """
        held = self.changes.get(stop_id)
        return held.at if held else self.over.get(stop_id)

    def there(self, stop_id: str) -> set[str]:
        """
        Name the units that positions show beside a stop.

        Returns
        -------
        unit_ids : set of str
            Arrived and not left.
        """
        rows = self.attendance.at(stop_id)
        return {self._seen.unit_ids[row] for row in rows} if rows else set()

    def refresh(
        self, now: datetime, shown: Collection[str], unit_of: Callable[[str], Unit | None]
    ) -> tuple[dict[str, OpenStop], list[tuple[str, int]]]:
        """
        Open, close and place stops by what is known now.

        Parameters
        ----------
        now : datetime
            The instant.
        shown : collection of str
            Units that show themselves on a stop.
        unit_of : callable
            Gives a unit as it stands, by its id.

        Returns
        -------
        closed : dict of str to OpenStop
            Those that go on no more.
        gone : list of (str, int)
            Stop and unit's row, where the unit was beside a stop that is no more.
        """
        if not self.touched and now.timestamp() < self.turns_s:
            return {}, []
        self.touched = False
        for stop_id, change in list(self.changes.items()):
            if _is_over(change.stop, now):
                self.over[stop_id] = self.changes.pop(stop_id).at
        recorded = [
            self._with_company(self._with_place(change.stop, unit_of))
            for change in self.changes.values()
            if change.stop.is_open(now)
        ]
        self.turns_s = min(
            (at.timestamp() for change in self.changes.values() for at in _turns(change.stop, now)),
            default=math.inf,
        )
        # Who shows itself on a stop of its own that is on record tells no more than the record.
        self.by_fix = set(shown).difference(stop.unit_id for stop in recorded)
        self.by_fix.update(
            change.stop.unit_id for change in self.changes.values() if change.stop.lon_deg is None
        )
        units = [unit for name in sorted(self.by_fix) if (unit := unit_of(name)) is not None]
        going_on = {
            stop.stop_id: self._with_company(stop) if stop.from_status else stop
            for stop in open_stops(units, recorded, now=now, policy=self._policy)
        }
        closed = {
            stop_id: self.open.pop(stop_id)
            for stop_id in sorted(self.open.keys() - going_on.keys())
        }
        for stop_id in closed:
            self.standing.clear(stop_id)
        moved = bool(closed)
        for stop_id, stop in going_on.items():
            one = self.open.setdefault(stop_id, OpenStop(stop, now.timestamp()))
            one.stop = stop
            moved |= self._place(one, unit_of)
        if not moved:
            return closed, []
        places = {i: one.place for i, one in self.open.items() if one.place is not None}
        return closed, self.attendance.put(places)

    def _with_place(self, stop: Stop, unit_of: Callable[[str], Unit | None]) -> Stop:
        """Put a stop where its unit was seen, where that has sent positions and no status yet."""
        if stop.lon_deg is not None or unit_of(stop.unit_id) is not None:
            return stop
        fix = self._seen.fix_of(stop.unit_id)
        return replace(stop, lon_deg=fix.lon_deg, lat_deg=fix.lat_deg) if fix else stop

    def _with_company(self, stop: Stop) -> Stop:
        """Add who is promised, and who is there, to the backup that is listed."""
        one = self.open.get(stop.stop_id)
        if one is None:
            return stop
        there = self.there(stop.stop_id)
        if not there and not one.asking.promised:
            one.made_of = None
            return stop
        company = {*one.asking.promised, *there} - {stop.unit_id}
        if company <= set(stop.backup):
            one.made_of = None
            return stop
        if one.made_of == (stop, company):
            return one.stop
        one.made_of = stop, company
        return replace(stop, backup=tuple(sorted(company.union(stop.backup))))

    def _place(self, one: OpenStop, unit_of: Callable[[str], Unit | None]) -> bool:
        """Put a stop where it is now; tell whether that is elsewhere than before."""
        stop = one.stop
        by: object = stop.lon_deg, stop.lat_deg
        if stop.lon_deg is None:
            by = own.fix if (own := unit_of(stop.unit_id)) else None
        if one.placed_by == (by, stop.heading_deg):
            return False
        own = unit_of(stop.unit_id)
        one.placed_by = (by, stop.heading_deg)
        one.place = stop_place(stop, own)
        one.position = on_road(self._net, stop, one.place, own)
        beat = beat_at(one.place, self._beats)
        one.within_s = beat.within_s if beat else self._policy.within_s
        one.beat = beat.name if beat else ""
        if one.position is None:
            self.standing.clear(stop.stop_id)
        else:
            self.standing.put(stop.stop_id, one.position)
        return True


def _is_over(stop: Stop, now: datetime) -> bool:
    """Tell whether a stop has ended, rather than not begun."""
    ended = stop.ended_at is not None and stop.ended_at <= now
    return ended or stop.phase is StopPhase.CLEARED


def _turns(stop: Stop, now: datetime) -> list[datetime]:
    """List the instants to come at which a stop begins or ends by itself."""
    return [at for at in (stop.started_at, stop.ended_at) if at is not None and at > now]

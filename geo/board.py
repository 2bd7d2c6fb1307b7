"""
The live state: fixes, statuses, stops and answers in; flags, suggestions and prompts out.

Without I/O and without a clock of its own: the live service and a replay run the same code, and
what it says is a function of the events that it was given, in their order. It decides whenever
something but a fix happens, when one of its timers runs out, and at every whole multiple of
`Policy.tick_s`.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from data.events import AnswerKind
from data.records import Flag, StopPhase, Unit, UnitFix, UnitStatus
from data.said import Attended, Escalated, Flagged, Prompted, Suggested
from geo.asking import Asking, withdrawn
from geo.attendance import Attendance
from geo.backup import horizon_s, reach_s
from geo.coverage import edge_within_s
from geo.crew import Crew, crew_of
from geo.demand import demand_points
from geo.exposure import beat_within_s, on_road
from geo.policies import Candidates, ours
from geo.roster import open_stops, stop_place
from geo.sightings import ACCURACY, AT, HEADING, LAT, LON, SPEED, Sightings
from geo.snap import middle_of
from geo.snapshot import Snapshot, take_snapshot
from geo.standing import StandingStops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.beats import Beat
    from data.events import Answer, Fixes, StatusChange, StopChange
    from data.records import Stop
    from data.road_table import FloatArray
    from data.said import Said
    from data.settings import Settings
    from geo.demand import Demand
    from geo.network import RoadNetwork
    from geo.policies import Choose
    from geo.snap import Position

HOUR_S = 3600.0


@dataclass(slots=True)
class OpenStop:
    """
    A stop that goes on, and what the board remembers of it.

    Attributes
    ----------
    stop : Stop
        With all backup that is listed, promised or there.
    seen_s : float
        When the board first heard of it.
    place : tuple of float or None
        lon_deg, lat_deg.
    position : Position or None
        On the road.
    within_s : float
        T here.
    placed_by : object
        What its place was worked out from.
    asking : Asking
        The asks.
    alone_since_s : float or None
        Since when it would be flagged alone; None where it would not.
    raised : bool
        The alarm is up.
    prompts : int
        Checks asked for so far.
    prompt_due_s : float or None
        When an unanswered one goes to the supervisor.
    """

    stop: Stop
    seen_s: float
    place: tuple[float, float] | None = None
    position: Position | None = None
    within_s: float = 0.0
    placed_by: object = None
    asking: Asking = field(default_factory=Asking)
    alone_since_s: float | None = None
    raised: bool = False
    prompts: int = 0
    prompt_due_s: float | None = None


class Board:
    """
    Who is alone now, and who is asked to roll by.

    Events are given in the order in which they arrived. None is refused for being late: fixes
    count by when they were taken, statuses and changes of stops by their own instants.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    settings : Settings
        Policy, sharing.
    beats : sequence of Beat
        With a T of their own.
    choose : callable
        Whom to ask; ours, or one to measure it against (`geo.policies`).
    """

    def __init__(
        self,
        net: RoadNetwork,
        settings: Settings,
        beats: Sequence[Beat] = (),
        choose: Choose = ours,
    ) -> None:
        self.net, self.settings, self._beats, self._choose = net, settings, beats, choose
        self.policy = settings.policy
        widest_s = max([self.policy.within_s, *(beat.within_s for beat in beats)])
        self.horizon_s = horizon_s(widest_s, self.policy)
        self.seen = Sightings(net, self.policy)
        self.standing = StandingStops(net, within_s=self.horizon_s)
        self.statuses: dict[str, StatusChange] = {}
        self._changes: dict[str, StopChange] = {}
        self._over: dict[str, datetime] = {}
        self.open: dict[str, OpenStop] = {}
        self.asked_s: dict[str, deque[float]] = defaultdict(deque)
        self.muted_until_s: dict[str, float] = {}
        self._attendance = Attendance(self.policy)
        self._sounds: deque[float] = deque()
        self._crew: Crew | None = None
        self._units: dict[str, tuple[tuple[float, ...], Unit]] = {}
        self._said: list[Said] = []
        self._stale = True
        self.now_s = -np.inf

    @cached_property
    def demand(self) -> Demand:
        """The points that stand for where stops may begin."""
        return demand_points(self.net.table.road_m)

    @cached_property
    def zones(self) -> StandingStops:
        """The way to each of them, held as that to a stop is."""
        limit_s = reach_s(float(self.zone_within_s.max()), self.policy)
        zones = StandingStops(self.net, within_s=limit_s)
        for i, edge in enumerate(self.demand.edge.tolist()):
            zones.put(str(i), middle_of(self.net, edge))
        return zones

    @cached_property
    def zone_within_s(self) -> FloatArray:
        """T at each of them."""
        return edge_within_s(self.net, self._beats, self.policy.within_s)[self.demand.edge]

    # -- events in ---------------------------------------------------------------------------

    def take_fixes(self, fixes: Fixes, rows: slice) -> None:
        """
        Take fixes, in the order in which they arrived.

        Parameters
        ----------
        fixes : Fixes
            Many.
        rows : slice
            Which of them.
        """
        first, last, _ = rows.indices(len(fixes))
        while first < last:
            tick_s = self._tick_after(fixes.received_at_s[first])
            until = first + int(np.searchsorted(fixes.received_at_s[first:last], tick_s))
            self._run(float(fixes.received_at_s[first]))
            self._take_fixes(fixes, slice(first, until))
            self.now_s = max(self.now_s, float(fixes.received_at_s[until - 1]))
            first = until

    def _take_fixes(self, fixes: Fixes, rows: slice) -> None:
        """Take fixes between which nothing is decided."""
        known = self.seen.seen_count
        row, fix = self.seen.take(fixes, rows)
        if self.seen.seen_count > known:
            self._crew = None
        owners = {self.seen.row(one.stop.unit_id) for one in self.open.values()}
        # A unit on a stop of its own is in no other's company.
        others = ~np.isin(row, list(owners)) if owners else np.ones(len(row), np.bool_)
        row, fix = row[others], fix[others]
        for stop_id, unit, since_s, arrived in self._attendance.look(
            row, fix[:, AT], fix[:, LON], fix[:, LAT]
        ):
            self._attend(stop_id, unit, since_s, arrived=arrived)

    def take_status(self, change: StatusChange) -> None:
        """
        Take what a unit shows.

        Parameters
        ----------
        change : StatusChange
            The newest by its instant counts, whenever it arrived.
        """
        self._begin(change.at)
        before = self.statuses.get(change.unit_id)
        if before is None or (before.at, before.status.value) < (change.at, change.status.value):
            self.statuses[change.unit_id] = change
            self._crew = None
            self.seen.row(change.unit_id)
        self._decide()

    def take_stop(self, change: StopChange) -> None:
        """
        Take what became of a stop.

        Parameters
        ----------
        change : StopChange
            The newest by its instant counts, whenever it arrived.
        """
        self._begin(change.at)
        stop_id = change.stop.stop_id
        before = self._changes.get(stop_id)
        known_at = before.at if before else self._over.get(stop_id)
        if known_at is None or known_at <= change.at:
            self._changes[stop_id] = change
            self._over.pop(stop_id, None)
            self._stale = True
        self._decide()

    def take_answer(self, answer: Answer) -> None:
        """
        Take what an officer says to a suggestion.

        Parameters
        ----------
        answer : Answer
            One to a suggestion that stands no more changes nothing, but a mute and a refusal.
        """
        if answer.answer is None or answer.answered_at is None:
            return
        self._begin(answer.answered_at)
        one = self.open.get(answer.stop_id)
        if answer.answer is AnswerKind.MUTE:
            self.muted_until_s[answer.unit_id] = self.now_s + 60 * self.policy.mute_min
        if one is not None:
            asking = one.asking
            own = asking.pending and asking.pending.suggestion_id == answer.suggestion_id
            if answer.answer in {AnswerKind.CANT, AnswerKind.MUTE}:
                asking.refused.add(answer.unit_id)
                asking.promised.pop(answer.unit_id, None)
                asking.pending = None if own else asking.pending
            elif own:
                asking.promise(self.now_s, self.policy)
            self._stale = True
        self._decide()

    def take_check(self, stop_id: str, at: datetime) -> None:
        """
        Take dispatch's word that an officer was checked on.

        Parameters
        ----------
        stop_id : str
            Which stop.
        at : datetime
            When.
        """
        self._begin(at)
        if one := self.open.get(stop_id):
            one.prompt_due_s = None
        self._decide()

    def advance(self, now_s: float) -> list[Said]:
        """
        Let time pass.

        Parameters
        ----------
        now_s : float
            Seconds since the epoch; whatever came before it has been given.

        Returns
        -------
        said : list of Said
            All that was said since the last time, in order.
        """
        self._run(now_s)
        said, self._said = self._said, []
        return said

    # -- time ---------------------------------------------------------------------------------

    def wish_s(self) -> float:
        """
        Give the next instant at which the board would decide, if nothing happens before.

        Returns
        -------
        wish_s : float
            Seconds since the epoch; inf where it waits for nothing.
        """
        if not self.open:
            return np.inf
        timers = [one.asking.next_s(self.policy) for one in self.open.values()]
        return min(self._tick_after(self.now_s), *timers)

    def _tick_after(self, at_s: float) -> float:
        """Give the first whole tick past an instant."""
        return float((at_s // self.policy.tick_s + 1) * self.policy.tick_s)

    def _run(self, now_s: float) -> None:
        """Decide at every instant up to one that the board wished for."""
        while (wish_s := self.wish_s()) <= now_s:
            self.now_s = max(self.now_s, wish_s)
            self._decide()
        self.now_s = max(self.now_s, now_s)

    def _begin(self, at: datetime) -> None:
        """Come to the instant of an event."""
        self._run(at.timestamp())

    def _now(self) -> datetime:
        """Give the instant as a record has it."""
        return datetime.fromtimestamp(self.now_s, UTC)

    # -- what is there --------------------------------------------------------------------------

    def unit(self, unit_id: str) -> Unit | None:
        """
        Give a unit as it stands.

        Returns
        -------
        unit : Unit or None
            None where it has no status, or was never seen.
        """
        change = self.statuses.get(unit_id)
        fix = self.seen.fix[self.seen.row(unit_id)]
        if change is None or not np.isfinite(fix[AT]):
            return None
        key = (*fix.tolist(), change.at.timestamp())
        known = self._units.get(unit_id)
        if known is None or known[0] != key:
            known = key, _unit(change, fix.tolist())
            self._units[unit_id] = known
        return known[1]

    def crew(self) -> Crew:
        """
        Give all units that have a status and were seen, as columns.

        Returns
        -------
        crew : Crew
            By unit_id.
        """
        if self._crew is None:
            self._crew = crew_of(self.statuses, self.seen)
        return self._crew

    def units(self) -> list[Unit]:
        """
        Give all units that have a status and were seen.

        Returns
        -------
        units : list of Unit
            By unit_id.
        """
        found = (self.unit(unit_id) for unit_id in sorted(self.statuses))
        return [unit for unit in found if unit is not None]

    def stops(self) -> list[Stop]:
        """
        Give the stops that go on, with all backup that is listed, promised or there.

        Returns
        -------
        stops : list of Stop
            By stop_id, also those that only a status tells of.
        """
        self._refresh()
        return [one.stop for _, one in sorted(self.open.items())]

    def _refresh(self) -> None:
        """Open, close and place stops by what is known now."""
        now = self._now()
        shown = {
            unit_id
            for unit_id, change in self.statuses.items()
            if change.status is UnitStatus.ON_STOP
        }
        for stop_id, change in list(self._changes.items()):
            if _is_over(change.stop, now):
                self._over[stop_id] = self._changes.pop(stop_id).at
        recorded = [
            self._with_company(change.stop)
            for change in self._changes.values()
            if change.stop.is_open(now)
        ]
        involved = shown.union(*({stop.unit_id, *stop.backup} for stop in recorded))
        units = [unit for name in sorted(involved) if (unit := self.unit(name)) is not None]
        going_on = {
            stop.stop_id: stop for stop in open_stops(units, recorded, now=now, policy=self.policy)
        }
        for stop_id in sorted(self.open.keys() - going_on.keys()):
            self._close(stop_id)
        places_changed = False
        for stop_id, stop in going_on.items():
            one = self.open.get(stop_id)
            if one is None:
                one = self.open[stop_id] = OpenStop(stop, self.now_s)
            one.stop = stop
            places_changed |= self._place(one)
        if self._stale or places_changed:
            places = {i: one.place for i, one in self.open.items() if one.place is not None}
            for stop_id, row in self._attendance.put(places):
                self._attend(stop_id, row, self.now_s, arrived=False)
        self._stale = False

    def _with_company(self, stop: Stop) -> Stop:
        """Add who is promised, and who is there, to the backup that is listed."""
        one = self.open.get(stop.stop_id)
        if one is None:
            return stop
        there = [self.seen.unit_ids[row] for row in self._attendance.at(stop.stop_id)]
        backup = sorted({*stop.backup, *one.asking.promised, *there} - {stop.unit_id})
        return replace(stop, backup=tuple(backup)) if backup else stop

    def _place(self, one: OpenStop) -> bool:
        """Put a stop where it is now; tell whether that is elsewhere than before."""
        own = self.unit(one.stop.unit_id)
        if one.placed_by == (
            key := (one.stop.lon_deg, one.stop.lat_deg, one.stop.heading_deg, own)
        ):
            return False
        one.placed_by = key
        place = stop_place(one.stop, own)
        position = on_road(self.net, one.stop, place, own)
        if place == one.place and position == one.position and one.within_s:
            return False
        one.place, one.position = place, position
        one.within_s = beat_within_s(place, self._beats, self.policy)
        if position is None:
            self.standing.clear(one.stop.stop_id)
        else:
            self.standing.put(one.stop.stop_id, position)
        return True

    def _close(self, stop_id: str) -> None:
        """Take a stop off the board: whoever is asked or under way is told."""
        asking = self.open.pop(stop_id).asking
        self._said += asking.withdraw(self.now_s, "stop over")
        self._said += [
            withdrawn(suggested, self.now_s, "stop over")
            for _, (suggested, _) in sorted(asking.promised.items())
        ]
        self.standing.clear(stop_id)
        self._stale = True

    def _attend(self, stop_id: str, row: int, since_s: float, *, arrived: bool) -> None:
        """Note who is there and who has left."""
        said = Attended(
            at_s=self.now_s,
            stop_id=stop_id,
            unit_id=self.seen.unit_ids[row],
            since_s=since_s,
            arrived=arrived,
        )
        self._said.append(said)
        if (one := self.open.get(stop_id)) is not None:
            one.asking.promised.pop(said.unit_id, None)
        self._stale = True

    # -- decisions -----------------------------------------------------------------------------

    def _decide(self) -> None:
        """Weigh everything anew and say what follows from it."""
        self._expire()
        self._refresh()
        if not self.open:
            return
        snapshot = take_snapshot(self, self._now())
        for column, stop_id in enumerate(snapshot.stop_ids):
            one = self.open[stop_id]
            self._flag(one, snapshot, column)
            self._prompt(one)
        self._ask(snapshot)

    def _expire(self) -> None:
        """Let answers and promises run out."""
        for one in self.open.values():
            there = {self.seen.unit_ids[row] for row in self._attendance.at(one.stop.stop_id)}
            said, broken = one.asking.expire(self.now_s, self.policy, there)
            self._said += said
            self._stale |= bool(broken)

    def _flag(self, one: OpenStop, snapshot: Snapshot, column: int) -> None:
        """Raise the alarm of a stop after its grace; clear it where backup is likely again."""
        cover = snapshot.cover
        probability = float(cover.probability[column])
        short = snapshot.needs.short[column] > 0
        if cover.alone[column]:
            if one.alone_since_s is None:
                one.alone_since_s = self.now_s
            if not one.raised and self.now_s - one.alone_since_s >= self.policy.alone_after_s:
                one.raised = True
                self._said.append(
                    Flagged(
                        at_s=self.now_s,
                        stop_id=one.stop.stop_id,
                        flag=Flag.ALONE,
                        probability=probability,
                        aloud=self._sound(),
                    )
                )
            return
        one.alone_since_s = None
        if one.raised and not (short and probability <= self.policy.alone_until):
            one.raised = False
            one.prompt_due_s = None
            self._said.append(
                Flagged(
                    at_s=self.now_s,
                    stop_id=one.stop.stop_id,
                    flag=Flag.COVERED if cover.covered[column] else Flag.THIN,
                    probability=probability,
                    aloud=False,
                )
            )

    def _prompt(self, one: OpenStop) -> None:
        """Have dispatch check on an officer who is alone; tell the supervisor if it does not."""
        stop_id = one.stop.stop_id
        if one.prompt_due_s is not None and self.now_s >= one.prompt_due_s:
            one.prompt_due_s = None
            self._escalate(stop_id, "check not answered")
        started = one.stop.started_at
        age_min = (self.now_s - (started.timestamp() if started else one.seen_s)) / 60
        due = _prompts_due(age_min, self.policy.prompts_min, self.policy.prompt_every_min)
        if due > one.prompts:
            one.prompts = due
            if one.raised:
                self._said.append(Prompted(at_s=self.now_s, stop_id=stop_id, count=due))
                one.prompt_due_s = self.now_s + self.policy.prompt_within_s

    def _escalate(self, stop_id: str, why: str) -> None:
        """Tell the supervisor."""
        said = Escalated(at_s=self.now_s, stop_id=stop_id, why=why, aloud=self._sound())
        self._said.append(said)

    def _sound(self) -> bool:
        """Tell whether one more sound is allowed this hour, and count it."""
        while self._sounds and self._sounds[0] <= self.now_s - HOUR_S:
            self._sounds.popleft()
        if len(self._sounds) >= self.policy.sounds_per_hour_max:
            return False
        self._sounds.append(self.now_s)
        return True

    def _ask(self, snapshot: Snapshot) -> None:
        """Take back suggestions that no longer hold, and ask whom the policy names."""
        stops = [self.open[stop_id] for stop_id in snapshot.stop_ids]
        for column, one in enumerate(stops):
            if one.asking.pending is None:
                continue
            row = snapshot.unit_row.get(one.asking.pending.unit_id)
            if snapshot.needs.short[column] <= 0:
                self._said += one.asking.withdraw(self.now_s, "enough officers")
            elif row is None or not snapshot.askable[row]:
                self._said += one.asking.withdraw(self.now_s, "unit not free")
        allowed = self._allowed(snapshot, stops)
        rows = np.flatnonzero(allowed.any(axis=1))
        columns = np.flatnonzero(allowed.any(axis=0))
        # Idle units that may go nowhere matter to the reserve: ours counts all that could be asked.
        idle = np.flatnonzero(snapshot.askable)
        if not len(rows) or not len(columns):
            return
        unit_ids = tuple(snapshot.unit_ids[row] for row in idle.tolist())
        pick = np.ix_(idle, columns)
        candidates = Candidates(
            unit_ids=unit_ids,
            stop_ids=tuple(snapshot.stop_ids[column] for column in columns.tolist()),
            allowed=allowed[pick],
            tau_s=snapshot.cover.tau_s[pick],
            crow_m=snapshot.crow_m(idle, columns),
            score=snapshot.score()[pick],
            alone=snapshot.cover.alone[columns],
            waiting_s=np.array([self.now_s - stops[c].seen_s for c in columns.tolist()]),
            asked_s=np.array([self._last_asked(unit_id) for unit_id in unit_ids]),
        )
        for unit, stop in sorted(self._choose(candidates, self.policy), key=lambda pair: pair[1]):
            self._suggest(snapshot, int(idle[unit]), int(columns[stop]))

    def _allowed(self, snapshot: Snapshot, stops: list[OpenStop]) -> np.ndarray:
        """Tell which pairs no rule forbids."""
        pending = {one.asking.pending.unit_id for one in stops if one.asking.pending}
        free = snapshot.askable.copy()
        for unit_id in pending & snapshot.unit_row.keys():
            free[snapshot.unit_row[unit_id]] = False
        allowed = snapshot.allowed & free[:, None]
        for column, one in enumerate(stops):
            asking = one.asking
            if not asking.may_ask(self.now_s, self.policy):
                allowed[:, column] = False
                continue
            for unit_id in (asking.refused | asking.unanswered) & snapshot.unit_row.keys():
                allowed[snapshot.unit_row[unit_id], column] = False
            if asking.pending:
                # It stays unless another is clearly sooner, and worth no less.
                row = snapshot.unit_row[asking.pending.unit_id]
                tau_s, score = snapshot.cover.tau_s[:, column], snapshot.score()[:, column]
                allowed[:, column] &= tau_s <= tau_s[row] - self.policy.switch_saves_s
                allowed[:, column] &= score >= score[row]
        return allowed

    def _last_asked(self, unit_id: str) -> float:
        """Give when a unit was last asked, seconds since the epoch; -inf for never."""
        asked_s = self.asked_s.get(unit_id)
        return asked_s[-1] if asked_s else -np.inf

    def _suggest(self, snapshot: Snapshot, row: int, column: int) -> None:
        """Ask a unit."""
        stop_id = snapshot.stop_ids[column]
        asking = self.open[stop_id].asking
        self._said += asking.withdraw(self.now_s, "nearer unit")
        suggested = Suggested(
            at_s=self.now_s,
            suggestion_id=f"{stop_id}/{asking.count + 1}",
            stop_id=stop_id,
            unit_id=snapshot.unit_ids[row],
            drive_time_s=float(snapshot.drive_time_s[row, column]),
            tau_s=float(snapshot.cover.tau_s[row, column]),
            score=float(snapshot.score()[row, column]),
        )
        asking.ask(suggested)
        self.asked_s[suggested.unit_id].append(self.now_s)
        self._said.append(suggested)

    def asks_last_hour(self, unit_id: str) -> int:
        """
        Count a unit's asks of the last hour.

        Returns
        -------
        asks : int
            Older ones but the last are forgotten.
        """
        asked_s = self.asked_s.get(unit_id)
        if not asked_s:
            return 0
        while len(asked_s) > 1 and asked_s[0] <= self.now_s - HOUR_S:
            asked_s.popleft()
        return sum(at_s > self.now_s - HOUR_S for at_s in asked_s)


def _is_over(stop: Stop, now: datetime) -> bool:
    """Tell whether a stop has ended, rather than not begun."""
    ended = stop.ended_at is not None and stop.ended_at <= now
    return ended or stop.phase is StopPhase.CLEARED


def _prompts_due(age_min: float, first_min: tuple[float, ...], every_min: float) -> int:
    """Count the checks that are due at an age: at the first ones, then every so many minutes."""
    due = sum(age_min >= minute for minute in first_min)
    past_min = age_min - max(first_min, default=0.0)
    return due + max(0, int(past_min // every_min))


def _unit(change: StatusChange, fix: list[float]) -> Unit:
    """Write a unit as a record."""
    known = [None if math.isnan(figure) else figure for figure in fix]
    return Unit(
        unit_id=change.unit_id,
        fix=UnitFix(
            fixed_at=datetime.fromtimestamp(fix[AT], UTC),
            lon_deg=fix[LON],
            lat_deg=fix[LAT],
            heading_deg=known[HEADING],
            speed_mps=known[SPEED],
            accuracy_m=known[ACCURACY],
        ),
        status=change.status,
        officers=change.officers,
        agency=change.agency,
    )

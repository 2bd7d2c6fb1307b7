"""
The live state: fixes, statuses, stops and answers in; flags, suggestions and prompts out.

Without I/O and without a clock of its own: the live service and a replay run the same code, and
what it says is a function of the events that it was given, in their order. It decides whenever
something but a fix has happened, on all events of that instant together, when one of its timers
runs out, and at every whole multiple of `Policy.tick_s`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from data.events import AnswerKind
from data.records import Flag, Unit, UnitStatus
from data.said import Attended, Suggested
from geo.alarms import Sounds, escalated
from geo.crew import Crew, crew_of
from geo.demand import Zones
from geo.picking import pickable
from geo.policies import Candidates, ours
from geo.scene import Scene
from geo.sightings import AT, LAT, LON, Sightings, among
from geo.snapshot import Snapshot, take_snapshot
from geo.staleness import WORKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from data.beats import Beat
    from data.events import Answer, Fixes, StatusChange, StopChange
    from data.records import Stop, UnitFix
    from data.said import Said
    from data.settings import Settings
    from geo.network import RoadNetwork
    from geo.policies import Choose
    from geo.scene import OpenStop

HOUR_S = 3600.0
ELSEWHERE = {UnitStatus.BUSY, UnitStatus.OUT_OF_SERVICE}


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
    watch : callable or None
        Called with the board and each suggestion just before it is made.
    """

    def __init__(
        self,
        net: RoadNetwork,
        settings: Settings,
        beats: Sequence[Beat] = (),
        choose: Choose = ours,
        watch: Callable[[Board, Suggested], None] | None = None,
    ) -> None:
        self._watch = watch
        self.net, self.settings, self._beats, self._choose = net, settings, beats, choose
        self.policy = settings.policy
        self.seen = Sightings(net, self.policy)
        self.scene = Scene(net, self.policy, beats, self.seen)
        self.statuses: dict[str, StatusChange] = {}
        self.asked_s: dict[str, deque[float]] = defaultdict(deque)
        self.muted_until_s: dict[str, float] = {}
        self.now_s = -np.inf
        self.shown: set[str] = set()
        self.sounds = Sounds(self.policy.sounds_per_hour_max)
        self._crew: Crew | None = None
        self._units: dict[str, Unit | None] = {}
        self._said: list[Said] = []
        self._picks: dict[str, str] = {}
        self._due = False
        self._runs_out_s: float | None = None

    @property
    def open(self) -> dict[str, OpenStop]:
        """The stops that go on, by stop_id."""
        return self.scene.open

    @property
    def beats(self) -> Sequence[Beat]:
        """Those with a T of their own."""
        return self._beats

    @cached_property
    def zones(self) -> Zones:
        """Where stops may begin."""
        return Zones(self.net, self.policy, self._beats)

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
            self._run(float(fixes.received_at_s[first]))
            next_s = self.wish_s()
            until = first + int(np.searchsorted(fixes.received_at_s[first:last], next_s))
            self._take_fixes(fixes, slice(first, until))
            self.now_s = max(self.now_s, float(fixes.received_at_s[until - 1]))
            first = until

    def _take_fixes(self, fixes: Fixes, rows: slice) -> None:
        """Take fixes between which nothing is decided."""
        known = self.seen.seen_count
        row, fix = self.seen.take(fixes, rows)
        if self.seen.seen_count > known:
            self._crew = None
        for i in row.tolist():
            self._forget(self.seen.unit_ids[i])
        if not self.open:
            return
        owners = {self.seen.row(one.stop.unit_id) for one in self.open.values()}
        # A unit on a stop of its own is in no other's company.
        others = ~among(row, owners)
        row, fix = row[others], fix[others]
        for stop_id, unit, seen_s, since_s, arrived in self.scene.attendance.look(
            row, fix[:, AT], fix[:, LON], fix[:, LAT]
        ):
            self._attend(stop_id, unit, seen_s, since_s, arrived=arrived)

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
            on_stop = change.status is UnitStatus.ON_STOP
            if on_stop is not (change.unit_id in self.shown):
                (self.shown.add if on_stop else self.shown.discard)(change.unit_id)
                self.scene.touched = True
            if self._crew is not None and change.unit_id in self._crew.row_of and before:
                self._crew = self._crew.showing(before, change)
            else:
                self._crew = None
            self._forget(change.unit_id)
            self.seen.row(change.unit_id)
        self._due = True

    def _forget(self, unit_id: str) -> None:
        """Write a unit anew, and see to stops anew that go by it."""
        self._units.pop(unit_id, None)
        if unit_id in self.scene.by_fix:
            self.scene.touched = True

    def take_stop(self, change: StopChange) -> None:
        """
        Take what became of a stop.

        Parameters
        ----------
        change : StopChange
            The newest by its instant counts, whenever it arrived.
        """
        self._begin(change.at)
        self.scene.take(change)
        self._due = True

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
            one.asking.answer(answer, self.now_s, self.policy)
            self._asks_changed()
        self._due = True

    def take_undo(self, answer: Answer, at: datetime) -> None:
        """
        Take an officer's answer back.

        Parameters
        ----------
        answer : Answer
            As it was given.
        at : datetime
            When it is taken back: the officer is free to be asked, and asked again at once where
            the suggestion was accepted.
        """
        self._begin(at)
        if answer.answer is AnswerKind.MUTE:
            self.muted_until_s.pop(answer.unit_id, None)
        if one := self.open.get(answer.stop_id):
            one.asking.undo(answer, self.now_s)
            self._asks_changed()
        self._due = True

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
            one.alarm.prompt_due_s = None
        self._due = True

    def take_pick(self, stop_id: str, unit_id: str, at: datetime) -> None:
        """
        Take a dispatcher's word about who is to be asked.

        Parameters
        ----------
        stop_id, unit_id : str
            About which stop, and whom; nothing changes where that one cannot be asked.
        at : datetime
            When.
        """
        self._begin(at)
        self._picks[stop_id] = unit_id
        self._due = True

    def take_silence(self, unit_id: str, at: datetime, *, on: bool) -> None:
        """
        Take a dispatcher's word that a unit is to be asked nothing, or may be asked again.

        Parameters
        ----------
        unit_id : str
            Who.
        at : datetime
            When.
        on : bool
            True for `Policy.mute_min` of silence.
        """
        self._begin(at)
        self.muted_until_s.pop(unit_id, None)
        if on:
            self.muted_until_s[unit_id] = self.now_s + 60 * self.policy.mute_min
        self._due = True

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
        self._catch_up()
        said, self._said = self._said, []
        return said

    def skip(self, now_s: float) -> None:
        """
        Come to an instant before which nobody was there to decide: the service was down.

        Parameters
        ----------
        now_s : float
            Seconds since the epoch. What ran out meanwhile has run out, and nothing is asked in
            arrears.
        """
        self._catch_up()
        self.now_s = max(self.now_s, now_s)

    # -- time ---------------------------------------------------------------------------------

    def wish_s(self) -> float:
        """
        Give the next instant at which the board would decide, if nothing happens before.

        Returns
        -------
        wish_s : float
            Seconds since the epoch; inf where it waits for nothing.
        """
        if not self.open and not self.shown:
            return self.scene.turns_s
        return min(self._tick_after(self.now_s), self._timer_s(), self.scene.turns_s)

    def _timer_s(self) -> float:
        """Give the next instant at which an ask or a promise runs out."""
        if self._runs_out_s is None:
            timers = (one.asking.next_s(self.policy) for one in self.open.values())
            self._runs_out_s = min(timers, default=np.inf)
        return self._runs_out_s

    def _asks_changed(self) -> None:
        """Note that asks or promises are other ones: timers, and who is with a stop, follow."""
        self._runs_out_s, self.scene.touched = None, True

    def _tick_after(self, at_s: float) -> float:
        """Give the first whole tick past an instant."""
        return float((at_s // self.policy.tick_s + 1) * self.policy.tick_s)

    def _run(self, now_s: float) -> None:
        """Decide at every instant up to one that the board wished for."""
        if now_s > self.now_s:
            self._catch_up()
        while (wish_s := self.wish_s()) <= now_s:
            self.now_s = max(self.now_s, wish_s)
            self._decide()
        self.now_s = max(self.now_s, now_s)

    def _catch_up(self) -> None:
        """Decide on what has happened at this instant, all of it together."""
        if self._due:
            self._due = False
            self._decide()

    def _begin(self, at: datetime) -> None:
        """Come to the instant of an event."""
        self._run(at.timestamp())

    def now(self) -> datetime:
        """
        Give the instant as a record has it.

        Returns
        -------
        now : datetime
            UTC.
        """
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
        if unit_id not in self._units:
            change = self.statuses.get(unit_id)
            fix = self.seen.fix_of(unit_id)
            self._units[unit_id] = None if change is None or fix is None else _unit(change, fix)
        return self._units[unit_id]

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

    def _attend(
        self, stop_id: str, row: int, seen_s: float, since_s: float, *, arrived: bool
    ) -> None:
        """Note who is there and who has left."""
        said = Attended(
            at_s=seen_s,
            stop_id=stop_id,
            unit_id=self.seen.unit_ids[row],
            since_s=since_s,
            arrived=arrived,
        )
        self._said.append(said)
        if (one := self.open.get(stop_id)) is not None:
            one.asking.promised.pop(said.unit_id, None)
        self._asks_changed()

    # -- decisions -----------------------------------------------------------------------------

    def _decide(self) -> None:
        """Weigh everything anew and say what follows from it."""
        if self._timer_s() <= self.now_s:
            self._expire()
        self._refresh()
        picks, self._picks = self._picks, {}
        if not self.open:
            return
        snapshot = take_snapshot(self, to_decide=True)
        column_of = {stop_id: column for column, stop_id in enumerate(snapshot.stop_ids)}
        for stop_id, one in sorted(self.open.items()):
            self._alarm(one, snapshot, column_of.get(stop_id))
        for stop_id, unit_id in sorted(picks.items()):
            self._pick(snapshot, stop_id, unit_id)
        self._ask(snapshot)
        self._runs_out_s = None

    def _expire(self) -> None:
        """Take back asks that nobody answered, and promises that nobody kept."""
        for stop_id, one in self.open.items():
            if one.asking.next_s(self.policy) > self.now_s:
                continue
            there = self.scene.there(stop_id) | {
                unit_id for unit_id in one.asking.promised if self._is_on_scene(unit_id)
            }
            self._said += one.asking.expire(self.now_s, self.policy, there)
        self._asks_changed()

    def _pick(self, snapshot: Snapshot, stop_id: str, unit_id: str) -> None:
        """Ask whom a dispatcher has chosen, and let go who was asked before."""
        if stop_id not in snapshot.stop_ids:  # it is over, or nobody is missing there
            return
        asking = self.open[stop_id].asking
        drive_time_s = pickable(self, snapshot, stop_id).get(unit_id)
        again = asking.pending is not None and asking.pending.unit_id == unit_id
        if drive_time_s is None or again or unit_id in asking.promised:
            return
        row, column = snapshot.unit_row[unit_id], snapshot.stop_ids.index(stop_id)
        self._said += asking.withdraw(self.now_s, "dispatch chose another")
        self._suggest(snapshot, row, column, drive_time_s)

    def _is_on_scene(self, unit_id: str) -> bool:
        """Tell whether a unit shows itself on scene: its word, where positions are missing."""
        change = self.statuses.get(unit_id)
        return change is not None and change.status is UnitStatus.ON_SCENE

    def _is_by_word(self, unit_id: str) -> bool:
        """Tell whether a unit shows itself on scene, and was not seen since."""
        if not self._is_on_scene(unit_id):
            return False
        fix = self.seen.fix_of(unit_id)
        return fix is None or fix.fixed_at <= self.statuses[unit_id].at

    def _refresh(self) -> None:
        """Open, close and place stops by what is known now."""
        closed, gone = self.scene.refresh(self.now(), self.shown, self.unit)
        if closed:
            self._runs_out_s = None
        for one in closed.values():
            self._said += one.asking.over(self.now_s)
        # By name: rows follow the order in which units were first heard of.
        for stop_id, row in sorted(gone, key=lambda one: (one[0], self.seen.unit_ids[one[1]])):
            self._attend(stop_id, row, self.now_s, self.now_s, arrived=False)

    def _alarm(self, one: OpenStop, snapshot: Snapshot, column: int | None) -> None:
        """Raise and clear the alarm of a stop, and see to its checks; None: nobody is missing."""
        now_s, policy, sounds = self.now_s, self.policy, self.sounds
        stop_id, flag, probability, short = one.stop.stop_id, Flag.COVERED, 1.0, False
        if column is not None:
            flag, short = snapshot.cover.flag(column), snapshot.needs.short.item(column) > 0
            probability = snapshot.cover.probability.item(column)
        self._said += one.alarm.flag(
            stop_id, flag, probability, short=short, now_s=now_s, policy=policy, sounds=sounds
        )
        self._said += one.alarm.prompt(
            stop_id, one.began_s, now_s=now_s, policy=policy, sounds=sounds
        )
        if short and one.asking.in_vain(policy):
            self._said.append(escalated(stop_id, "nobody came", now_s, sounds))

    def _ask(self, snapshot: Snapshot) -> None:
        """Take back suggestions that no longer hold, and ask whom the policy names."""
        stops = [self.open[stop_id] for stop_id in snapshot.stop_ids]
        for column, one in enumerate(stops):
            if one.asking.promised:
                self._let_go_engaged(one)
                self._release(one, snapshot, column)
            if one.asking.pending is None:
                continue
            row = snapshot.unit_row.get(one.asking.pending.unit_id)
            if snapshot.needs.short[column] <= 0:
                self._said += one.asking.withdraw(self.now_s, "enough officers")
            elif row is None or not snapshot.askable[row]:
                self._said += one.asking.withdraw(self.now_s, "unit not free")
        allowed = self._allowed(snapshot, stops)
        columns = np.flatnonzero(allowed.any(axis=0))
        if not len(columns):
            return
        # Idle units that may go nowhere matter to the reserve: ours counts all that could be asked.
        idle = np.flatnonzero(snapshot.askable)
        unit_ids = tuple(snapshot.unit_ids[row] for row in idle.tolist())
        pick = np.ix_(idle, columns)
        candidates = Candidates(
            unit_ids=unit_ids,
            stop_ids=tuple(snapshot.stop_ids[column] for column in columns.tolist()),
            allowed=allowed[pick],
            tau_s=snapshot.cover.tau_s[pick],
            crow_m=lambda: snapshot.crow_m(idle, columns),
            gain=snapshot.gain()[pick],
            score=lambda: snapshot.score()[pick],
            alone=snapshot.cover.alone[columns],
            waiting_s=np.array([self.now_s - stops[c].seen_s for c in columns.tolist()]),
            asked_s=np.array([self._last_asked(unit_id) for unit_id in unit_ids]),
            now_s=self.now_s,
        )
        for unit, stop in sorted(self._choose(candidates, self.policy), key=lambda pair: pair[1]):
            self._suggest(snapshot, int(idle[unit]), int(columns[stop]))

    def _let_go_engaged(self, one: OpenStop) -> None:
        """Believe no promise of who is on a stop of its own since, or does something else."""
        own = {
            other.stop.unit_id
            for other in self.open.values()
            if not self._by_status_just_now(other)
        }
        for unit_id, (asked, _) in list(one.asking.promised.items()):
            change = self.statuses.get(unit_id)
            elsewhere = (
                change is not None
                and change.status in ELSEWHERE
                and change.at.timestamp() > asked.at_s
            )
            if unit_id in own or elsewhere:
                self._said.append(one.asking.release(unit_id, self.now_s, "unit not free"))
                self._asks_changed()

    def _by_status_just_now(self, one: OpenStop) -> bool:
        """Tell whether only a status speaks of a stop, and for seconds: it may mean another's."""
        early = self.now_s - one.seen_s < self.policy.status_stop_after_s
        return one.stop.from_status and early

    def _release(self, one: OpenStop, snapshot: Snapshot, column: int) -> None:
        """Let go who is on the way, where enough are there or others will be there sooner."""
        missing = short = self._missing(one, snapshot, column)
        under_way = [
            (unit_id not in one.asking.picked, float(snapshot.cover.tau_s[row, column]), unit_id)
            for unit_id in self._not_there(one, snapshot, column)
            if not self._is_on_scene(unit_id)
            if (row := snapshot.unit_row.get(unit_id)) is not None
        ]
        for _, tau_s, unit_id in sorted(under_way):
            if short <= 0:
                sooner = "dispatch chose another" if one.asking.picked else "nearer unit"
                why = "enough officers" if missing <= 0 else sooner
                self._said.append(one.asking.release(unit_id, self.now_s, why))
                self._asks_changed()
            elif np.isfinite(tau_s):
                short -= self._officers(unit_id)

    def _missing(self, one: OpenStop, snapshot: Snapshot, column: int) -> int:
        """
        Count the officers that somebody is still to be asked for.

        Who promised and shows on scene is there by its word, until a later fix tells otherwise.
        That clears no alarm: only positions do. But another car is not sent for it.
        """
        short = int(snapshot.needs.short[column])
        if not one.asking.promised:
            return short
        by_word = filter(self._is_by_word, self._not_there(one, snapshot, column))
        return short - sum(map(self._officers, by_word))

    def _not_there(self, one: OpenStop, snapshot: Snapshot, column: int) -> list[str]:
        """List the units that promised to come and that no position shows there."""
        there = snapshot.there[column] | self.scene.there(one.stop.stop_id)
        return [unit_id for unit_id in one.asking.promised if unit_id not in there]

    def _officers(self, unit_id: str) -> int:
        """Count the officers in a car."""
        change = self.statuses.get(unit_id)
        return change.officers if change else 1

    def _allowed(self, snapshot: Snapshot, stops: list[OpenStop]) -> np.ndarray:
        """Tell which pairs no rule forbids."""
        may_ask = {one.stop.stop_id for one in self.open.values() if self._may_ask(one)}
        missing = {
            column: short
            for column, stop_id in enumerate(snapshot.stop_ids)
            if stop_id in may_ask and (short := self._missing(stops[column], snapshot, column)) > 0
        }
        allowed = np.zeros(snapshot.allowed.shape, np.bool_)
        if not missing:
            return allowed
        pending = {one.asking.pending.unit_id for one in stops if one.asking.pending}
        free = snapshot.askable.copy()
        for unit_id in pending & snapshot.unit_row.keys():
            free[snapshot.unit_row[unit_id]] = False
        for column, short in missing.items():
            may = snapshot.allowed[:, column] & free
            asking, tau_s = stops[column].asking, snapshot.cover.tau_s[:, column]
            for unit_id in (asking.refused | asking.unanswered) & snapshot.unit_row.keys():
                may[snapshot.unit_row[unit_id]] = False
            coming_s = snapshot.coming_s[column]
            if short <= len(coming_s):
                if asking.picked & asking.promised.keys():
                    continue
                # Enough are on the way: only one that is clearly sooner is worth another question.
                may &= tau_s <= coming_s[short - 1] - self.policy.switch_saves_s
            if asking.pending and asking.pending.unit_id in asking.picked:
                continue
            if asking.pending:
                # It stays unless another is clearly sooner, and worth no less.
                row = snapshot.unit_row[asking.pending.unit_id]
                may &= tau_s <= tau_s[row] - self.policy.switch_saves_s
                if may.any():
                    score = snapshot.score()[:, column]
                    may &= score >= score[row]
            allowed[:, column] = may
        return allowed

    def _may_ask(self, one: OpenStop) -> bool:
        """Tell whether somebody may be asked about a stop now."""
        # The record of a stop follows its unit's status: not asked about twice.
        return not self._by_status_just_now(one) and one.asking.may_ask(self.now_s, self.policy)

    def _last_asked(self, unit_id: str) -> float:
        """Give when a unit was last asked, seconds since the epoch; -inf for never."""
        asked_s = self.asked_s.get(unit_id)
        return asked_s[-1] if asked_s else -np.inf

    def _suggest(
        self, snapshot: Snapshot, row: int, column: int, picked_s: float | None = None
    ) -> None:
        """Ask a unit; `picked_s` is the drive time of one whom a dispatcher has chosen."""
        stop_id = snapshot.stop_ids[column]
        asking = self.open[stop_id].asking
        self._said += asking.withdraw(self.now_s, "nearer unit")
        drive_time_s = float(snapshot.drive_time_s[row, column]) if picked_s is None else picked_s
        score = float(snapshot.score()[row, column])
        suggested = Suggested(
            at_s=self.now_s,
            suggestion_id=f"{stop_id}/{asking.count + 1}",
            stop_id=stop_id,
            unit_id=snapshot.unit_ids[row],
            drive_time_s=drive_time_s,
            tau_s=drive_time_s + WORKING * float(snapshot.effective_age_s[row]),
            score=score if np.isfinite(score) else 0.0,
        )
        if self._watch:
            self._watch(self, suggested)
        if picked_s is None:
            asking.ask(suggested)
        else:
            asking.pick(suggested)
        self.asked_s[suggested.unit_id].append(self.now_s)
        self._said.append(suggested)

    def is_muted(self, unit_id: str) -> bool:
        """
        Tell whether a unit wants to be left alone for now.

        Returns
        -------
        muted : bool
            For `Policy.mute_min` after it said so.
        """
        return self.now_s < self.muted_until_s.get(unit_id, -np.inf)

    def asks_last_hour(self, unit_id: str) -> int:
        """
        Count a unit's asks of the last hour.

        Returns
        -------
        asks : int
            Older ones but the last are forgotten.
        """
        asked_s = self.asked_s.get(unit_id, deque[float]())
        while len(asked_s) > 1 and asked_s[0] <= self.now_s - HOUR_S:
            asked_s.popleft()
        return sum(at_s > self.now_s - HOUR_S for at_s in asked_s)


def _unit(change: StatusChange, fix: UnitFix) -> Unit:
    """Write a unit as a record."""
    return Unit(
        unit_id=change.unit_id,
        fix=fix,
        status=change.status,
        officers=change.officers,
        agency=change.agency,
    )

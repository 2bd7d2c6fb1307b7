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
from data.records import Unit, UnitStatus
from data.said import Attended
from geo.alarms import Sounds
from geo.crew import Crew, crew_of
from geo.deciding import decide, is_on_scene
from geo.demand import Zones
from geo.policies import ours
from geo.scene import Scene
from geo.sightings import AT, LAT, LON, Sightings, among

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from data.beats import Beat
    from data.events import Answer, Fixes, StatusChange, StopChange
    from data.records import Stop, UnitFix
    from data.said import Said, Suggested
    from data.settings import Settings
    from geo.network import RoadNetwork
    from geo.policies import Choose
    from geo.scene import OpenStop

HOUR_S = 3600.0


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
        self.net, self.settings, self.beats = net, settings, beats
        self.choose, self.watch = choose, watch
        self.policy = settings.policy
        self.seen = Sightings(net, self.policy)
        self.scene = Scene(net, self.policy, beats, self.seen)
        self.open: dict[str, OpenStop] = self.scene.open
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

    @cached_property
    def zones(self) -> Zones:
        """Where stops may begin."""
        return Zones(self.net, self.policy, self.beats)

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
        tick_s = float((self.now_s // self.policy.tick_s + 1) * self.policy.tick_s)
        return min(tick_s, self._timer_s(), self.scene.turns_s)

    def _timer_s(self) -> float:
        """Give the next instant at which an ask or a promise runs out."""
        if self._runs_out_s is None:
            timers = (one.asking.next_s(self.policy) for one in self.open.values())
            self._runs_out_s = min(timers, default=np.inf)
        return self._runs_out_s

    def _asks_changed(self) -> None:
        """Note that asks or promises are other ones: timers, and who is with a stop, follow."""
        self._runs_out_s, self.scene.touched = None, True

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
        """Come to the instant of an event; whatever happens then is decided on together."""
        self._run(at.timestamp())
        self._due = True

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
        self._said += decide(self, picks)
        self._runs_out_s = None

    def _expire(self) -> None:
        """Take back asks that nobody answered, and promises that nobody kept."""
        for stop_id, one in self.open.items():
            if one.asking.next_s(self.policy) > self.now_s:
                continue
            there = self.scene.there(stop_id) | {
                unit_id for unit_id in one.asking.promised if is_on_scene(self, unit_id)
            }
            self._said += one.asking.expire(self.now_s, self.policy, there)
        self._asks_changed()

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


def _unit(change: StatusChange, fix: UnitFix) -> Unit:
    """Write a unit as a record."""
    return Unit(
        unit_id=change.unit_id,
        fix=fix,
        status=change.status,
        officers=change.officers,
        agency=change.agency,
    )

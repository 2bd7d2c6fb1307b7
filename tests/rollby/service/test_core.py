"""A service that was killed and begun again says what one says that never died."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from data.errors import FieldError
from data.events import StatusChange, StopChange
from data.records import Stop, UnitFix, UnitStatus
from data.reports import Checked, FixReport
from data.said import Flagged, Prompted, Said
from data.settings import Settings
from data.store.reading import DeadLetter, Event
from data.store.store import Entry, Store, Taken
from geo.as_json import said_json
from geo.board import Board
from geo.replay import events_of
from geo.shift.plan import ShiftPlan
from geo.shift.world import simulate
from rollby.service.clock import SteadyClock
from rollby.service.core import BusyError, Core, _Asked
from rollby.service.feeding import feed, feed_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from data.events import History
    from data.reports import Report
    from geo.network import RoadNetwork

AT = datetime(2026, 3, 13, 18, tzinfo=UTC)


@dataclass
class Hands:
    """A clock that is set by hand."""

    s: float = 0.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture(scope="module")
def shift(denver: RoadNetwork) -> History:
    plan = ShiftPlan(hours=0.4, units=12, stops_per_unit_hour=4.0)
    board = Board(denver, Settings())
    return simulate(denver, plan, seed=3, dispatcher=board).history


def arrivals(history: History) -> list[tuple[float, Report]]:
    """List fixes and events of a period by when they came."""
    fixes, found = history.fixes, []
    for i in range(len(fixes)):
        fix = UnitFix(
            fixed_at=datetime.fromtimestamp(float(fixes.fixed_at_s[i]), UTC),
            lon_deg=float(fixes.lon_deg[i]),
            lat_deg=float(fixes.lat_deg[i]),
            speed_mps=float(fixes.speed_mps[i]),
        )
        report = FixReport(unit_id=fixes.unit_ids[fixes.unit_row[i]], fix=fix)
        found.append((float(fixes.received_at_s[i]), report))
    return sorted([*found, *events_of(history)], key=lambda one: one[0])


def core_on(
    address: str, denver: RoadNetwork, clock: Hands, said: list[tuple[int, Said]]
) -> tuple[Core, Store]:
    """Begin, without the thread: the test does its work."""
    store = Store(address)
    steady = SteadyClock(0, wall_s=clock, steady_s=clock)
    core = Core(store, Board(denver, Settings()), steady, said.extend)
    core._rebuild()
    return core, store


def run(path: Path, denver: RoadNetwork, history: History, deaths: set[int], most: int = 40) -> Any:
    """Give a shift to a service, in batches, that dies at some of them."""
    clock, said = Hands(), list[tuple[int, Said]]()
    address, chance = f"sqlite:///{path}", random.Random(5)  # noqa: S311 - no secret
    waiting = deque(arrivals(history))
    clock.s = waiting[0][0]
    core, store = core_on(address, denver, clock, said)
    batch = 0
    while waiting:
        count = chance.randint(1, most)
        asked = [waiting.popleft() for _ in range(min(count, len(waiting)))]
        batch += 1
        if batch in deaths:
            store.close()
            core, store = core_on(address, denver, clock, said)
        clock.s = asked[-1][0] + 0.05  # a report takes its time
        work = deque(_Asked(Entry(door="cad", reports=(report,))) for _, report in asked)
        core._serve(work)
    numbered = store.said(most=10**9)
    open_stops = sorted(core._board.open)
    kept = store.seq
    store.close()
    return said, numbered, open_stops, kept


def test_dying_changes_nothing(tmp_path: Path, denver: RoadNetwork, shift: History) -> None:
    whole = run(tmp_path / "whole.db", denver, shift, set())
    deaths = {4, 7, 8, 15, 24}
    died = run(tmp_path / "died.db", denver, shift, deaths)
    said, numbered, _, kept = whole
    assert kept > 500
    assert len({type(one) for _, one in numbered}) > 2
    assert [number for number, _ in numbered] == list(range(1, len(numbered) + 1))
    assert said == numbered
    # Each start is an event of its own, and nothing follows from it.
    assert died == (*whole[:3], kept + len(deaths))


def test_what_is_in_the_store_says_it_again_to_the_millisecond(
    tmp_path: Path, denver: RoadNetwork, shift: History
) -> None:
    run(tmp_path / "live.db", denver, shift, {7}, most=2)
    store = Store(f"sqlite:///{tmp_path}/live.db")
    again = [one for said in feed_all(Board(denver, Settings()), store.events()) for one in said]
    assert again == [one for _, one in store.all_said()]
    store.close()


def test_what_had_not_been_said_is_said_after_a_kill(
    tmp_path: Path, denver: RoadNetwork, shift: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the commit of the events, before that of what follows from them."""
    clock, said = Hands(), list[tuple[int, Said]]()
    arrived = arrivals(shift)
    clock.s = arrived[0][0]
    address = f"sqlite:///{tmp_path}/x.db"
    core, store = core_on(address, denver, clock, said)
    monkeypatch.setattr(store, "say", lambda _said: None)
    monkeypatch.setattr(core, "_save", lambda: None)
    monkeypatch.setattr("rollby.service.core.PAST_MS", 86_400_000)
    clock.s = arrived[-1][0]
    for at_s, report in arrived:
        clock.s = at_s
        core._serve(deque([_Asked(Entry(door="cad", reports=(report,)))]))
    store.close()
    said.clear()
    _, store = core_on(address, denver, clock, said)
    assert said == store.said(most=10**9)
    assert len(said) > 10
    assert said_json(said[0][1])
    store.close()


def test_without_a_memory_a_long_past_is_passed_over_in_silence(
    tmp_path: Path, denver: RoadNetwork, shift: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "live.db", denver, shift, set())
    address = f"sqlite:///{tmp_path}/live.db"
    store = Store(address)
    numbered, end_ms, kept = store.said(most=10**9), store.received_ms, store.seq
    store.close()
    clock, read = Hands(end_ms / 1000), list[Event]()

    def noting(board: Board, events: Iterable[Event]) -> Iterator[list[Said]]:
        read.extend(events := list(events))
        return feed_all(board, events)

    monkeypatch.setattr("rollby.service.core.feed_all", noting)
    core, store = core_on(address, denver, clock, [])
    open_stops, read[:] = sorted(core._board.open), []
    store.close()
    monkeypatch.setattr(Store, "saved", lambda _store: [])
    monkeypatch.setattr("rollby.service.core.PAST_MS", 600_000)
    core, store = core_on(address, denver, clock, [])
    fixes = [one for one in read if isinstance(one.report, FixReport)]
    assert min(one.received_ms for one in fixes) >= end_ms - 600_000
    assert min(one.received_ms for one in read) < end_ms - 600_000
    assert [one.seq for one in read] == sorted({one.seq for one in read})
    assert (read[-1].seq, store.seq) == (kept + 1, kept + 2)  # each start is an event
    assert sorted(core._board.open) == open_stops
    assert store.said(most=10**9) == numbered
    store.close()


def test_nobody_is_asked_in_arrears_for_the_time_the_service_was_down(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    clock, said = Hands(AT.timestamp()), list[tuple[int, Said]]()
    address = f"sqlite:///{tmp_path}/down.db"
    core, store = core_on(address, denver, clock, said)
    here = FixReport(unit_id="2A11", fix=UnitFix(fixed_at=AT, lon_deg=-104.99, lat_deg=39.74))
    core._serve(deque([_Asked(Entry(door="osmand", reports=(here,))), _Asked(stop(0))]))
    store.close()
    clock.s += 3600
    core, store = core_on(address, denver, clock, said)
    began_s, clock.s = clock.s, clock.s + 20
    core._serve(deque())
    store.close()
    assert [type(one) for _, one in said] == [Flagged, Prompted]
    assert all(one.at_s >= began_s for _, one in said)


def fix(second: int, lon_deg: float = -104.99) -> FixReport:
    fixed_at = AT + timedelta(seconds=second)
    return FixReport(unit_id="2A11", fix=UnitFix(fixed_at=fixed_at, lon_deg=lon_deg, lat_deg=39.74))


def stop(phase_s: int) -> Entry:
    at = AT + timedelta(seconds=phase_s)
    change = StopChange(stop=Stop(stop_id="T-1", unit_id="2A11", started_at=AT), at=at)
    return Entry(door="cad", reports=(change,))


@pytest.fixture
def live(tmp_path: Path, denver: RoadNetwork) -> Any:
    store = Store(f"sqlite:///{tmp_path}/live.db")
    said: list[tuple[int, Said]] = []
    core = Core(store, Board(denver, Settings()), SteadyClock(), said.extend)
    core.start()
    yield core, store, said
    core.stop()
    store.close()


def test_fixes_that_come_twice_or_late_are_counted(live: Any) -> None:
    core, store, _ = live
    for report in (fix(10), fix(10), fix(5), fix(10, -104.98)):
        core.submit(Entry(door="osmand", reports=(report,))).result(10)
    assert store.counters() == {"osmand": {"accepted": 3, "late": 1, "duplicate": 1}}
    assert len(list(store.events())) == 3


def test_what_a_broker_sends_again_after_a_kill_counts_once(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    clock, said = Hands(AT.timestamp() + 60), list[tuple[int, Said]]()
    address = f"sqlite:///{tmp_path}/again.db"
    burst = Entry(door="phones", reports=tuple(fix(second) for second in range(20)))
    for keeps in (True, False):  # what the board remembers is written just before, or is not
        core, store = core_on(address, denver, clock, said)
        core._serve(deque([_Asked(burst)]))
        if keeps:
            core._save()
        store.close()
    core, store = core_on(address, denver, clock, said)
    core._serve(deque([_Asked(burst)]))
    assert store.counters()["phones"] == {"accepted": 20, "duplicate": 40}
    store.close()


def test_what_came_of_late_is_remembered_so_long_as_it_is_bearable(
    live: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollby.service.core.MOST_RECENT", 3)
    core, store, _ = live
    for second in (1, 2, 3, 4, 2, 1):
        core.submit(Entry(door="phones", reports=(fix(second),))).result(10)
    assert store.counters()["phones"] == {"accepted": 5, "late": 1, "duplicate": 1}


def test_a_stop_told_by_a_clock_that_is_ahead_begins_at_once(denver: RoadNetwork) -> None:
    ahead = StopChange(
        stop=Stop(stop_id="T1", unit_id="2A11", started_at=AT + timedelta(seconds=40)),
        at=AT + timedelta(seconds=40),
    )
    board = Board(denver, Settings())
    feed(board, int(AT.timestamp() * 1000), [ahead])
    assert board.open["T1"].stop.started_at == AT


def test_a_change_of_a_stop_that_expects_another_is_not_accepted(live: Any) -> None:
    core, store, _ = live
    waits = [
        core.submit(stop(0), expects=("T-1", None)),
        core.submit(stop(1), expects=("T-1", None)),
        core.submit(stop(2), expects=("T-1", 1)),
        core.submit(stop(3), expects=("T-1", 1)),
    ]
    assert [wait.result(10) for wait in waits] == [
        Taken(1, fresh=True),
        None,
        Taken(2, fresh=True),
        None,
    ]
    assert store.seq == 2


@pytest.mark.parametrize("name", ["a\0", "\udc80", "x" * 241])
def test_a_name_that_cannot_be_kept_is_its_senders_fault_alone(live: Any, name: str) -> None:
    core, store, _ = live
    with pytest.raises(FieldError, match="must be one line of at most 240 characters"):
        core.submit(Entry(door="cad", reports=(Checked(stop_id=name, at=AT),)))
    core.submit(stop(0)).result(10)
    letter = DeadLetter(received_ms=1, door="cad", sender="x", reason=f"id={name}", raw=b"")
    core.refuse(letter).result(10)
    assert store.dead_letters()[0][1].reason.startswith("id=")


def test_the_thread_decides_without_being_given_anything(live: Any) -> None:
    core, _, _ = live
    status = StatusChange(unit_id="2A11", at=AT, status=UnitStatus.ON_STOP)
    core.submit(Entry(door="cad", reports=(fix(0), status))).result(10)
    assert core.look(lambda board: sorted(board.open)).result(10) == ["status:2A11"]
    with pytest.raises(KeyError):
        core.look(lambda board: board.open["none"]).result(10)
    core.refuse(DeadLetter(received_ms=1, door="cad", sender="x", reason="y", raw=b"")).result(10)


def test_a_store_that_fails_acknowledges_nothing(
    live: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    core, store, _ = live

    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(store, "append", full)
    wait: Future[Taken] = core.submit(stop(0))
    with pytest.raises(BusyError, match="stopping"):
        wait.result(10)
    core._thread.join(10)
    assert isinstance(core.failed, OSError)
    with pytest.raises(BusyError, match="stopping"):
        core.submit(stop(1))


def test_the_clock_never_goes_back() -> None:
    wall, steady = Hands(1000.0), Hands(5.0)
    clock = SteadyClock(0, wall, steady)
    assert (clock.now_ms(), clock.fast_by_s()) == (1_000_000, 0.0)
    wall.s, steady.s = 1000.0 - 3600 + 1, 6.0
    assert (clock.now_ms(), clock.fast_by_s()) == (1_001_000, 3600.0)
    wall.s, steady.s = 2000.0, 7.0
    assert (clock.now_ms(), clock.fast_by_s()) == (2_000_000, 0.0)
    assert SteadyClock(9_000_000, wall, steady).now_ms() == 9_000_000

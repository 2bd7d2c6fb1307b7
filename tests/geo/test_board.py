"""The live board: equal to working everything out anew, whatever happened and in any order."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from data.events import Answer, AnswerKind, Fixes, StatusChange, StopChange
from data.records import Ask, Flag, Stop, StopPhase, UnitStatus
from data.said import Attended, Escalated, Flagged, Prompted, Suggested, Withdrawn
from data.settings import Settings
from geo.board import Board
from geo.crew import crew_of
from geo.deciding import is_on_scene, not_there
from geo.dispatch import weigh_up
from geo.memory import recall, remember
from geo.replay import picture
from geo.snapshot import take_snapshot
from tests.geo.towns import NOW, TEN_MPS, at, town
from tests.prove import examples

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.said import Said
    from geo.network import RoadNetwork

NODES = {f"{x}{y}": (700.0 * x, 700.0 * y) for x in range(5) for y in range(4)}
STREETS = [
    *({"ends": [f"{x}{y}" for x in range(5)], "name": f"{y} Street"} for y in range(4)),
    *({"ends": [f"{x}{y}" for y in range(4)], "name": f"{x} Avenue"} for x in range(5)),
]
UNITS = ("1A1", "1A2", "1A3", "1A4", "2B1")


def make_town() -> RoadNetwork:
    """Nine streets, driven at 10 m/s."""
    return town(NODES, [{"maxspeed": TEN_MPS} | street for street in STREETS])


TOWN = make_town()


def fixes_of(*rows: tuple[str, float, tuple[float, float], float], delay_s: float = 0) -> Fixes:
    """Fixes of (unit, seconds from now, metres east and north, speed), in order of arrival."""
    count = len(rows)
    lon, lat = np.array([at(*place) for _, _, place, _ in rows]).T
    at_s = np.array([NOW.timestamp() + second for _, second, _, _ in rows])
    return Fixes(
        unit_ids=tuple(unit for unit, _, _, _ in rows),
        unit_row=np.arange(count, dtype=np.int32),
        fixed_at_s=at_s,
        received_at_s=np.maximum.accumulate(at_s + delay_s),
        lon_deg=lon,
        lat_deg=lat,
        heading_deg=np.full(count, np.nan),
        speed_mps=np.array([speed for _, _, _, speed in rows]),
        accuracy_m=np.full(count, 5.0),
    )


def since(second: float) -> float:
    """Seconds since the epoch."""
    return NOW.timestamp() + second


def later(seconds: float) -> datetime:
    """An instant."""
    return NOW + timedelta(seconds=seconds)


class Day:
    """A board and short words for what happens to it."""

    def __init__(self, **policy: Any) -> None:
        self.board = Board(TOWN, Settings.model_validate({"policy": policy}))
        self.said: list[Any] = []
        self.answers: list[Answer] = []

    def seen(self, unit: str, second: float, place: tuple[float, float], speed: float = 0) -> None:
        """Take one fix."""
        fixes = fixes_of((unit, second, place, speed))
        self.board.take_fixes(fixes, slice(0, 1))

    def shows(self, unit: str, second: float, status: str = "available", **more: Any) -> None:
        """Take a status."""
        change = StatusChange(unit_id=unit, at=later(second), status=UnitStatus(status), **more)
        self.board.take_status(change)

    def stop(self, stop_id: str, unit: str, second: float, **more: Any) -> None:
        """Take a change of a stop."""
        place = more.pop("place", None)
        lon, lat = at(*place) if place else (None, None)
        more.setdefault("started_at", later(second))
        stop = Stop(stop_id=stop_id, unit_id=unit, lon_deg=lon, lat_deg=lat, **more)
        self.board.take_stop(StopChange(stop=stop, at=later(second)))

    def answer(self, suggested: Suggested, second: float, kind: str) -> None:
        """Take an answer."""
        answer = Answer(
            suggestion_id=suggested.suggestion_id,
            stop_id=suggested.stop_id,
            unit_id=suggested.unit_id,
            asked_at=datetime.fromtimestamp(suggested.at_s, UTC),
            answer=AnswerKind(kind),
            answered_at=later(second),
        )
        self.answers.append(answer)
        self.board.take_answer(answer)

    def until(self, second: float) -> list[Any]:
        """Let time pass; what is said meanwhile."""
        new = self.board.advance(NOW.timestamp() + second)
        self.said += new
        return new

    def on_duty(self, places: dict[str, tuple[float, float]]) -> None:
        """Put units up, parked and available, at second 0."""
        for unit, place in places.items():
            self.shows(unit, 0)
            self.seen(unit, 0, place)

    def keep_alive(self, places: dict[str, tuple[float, float]], *seconds: float) -> None:
        """Report from where they stand."""
        for second in seconds:
            for unit, place in places.items():
                self.seen(unit, second, place)


def of(kind: type[Any], said: Iterable[Said]) -> list[Any]:
    """Pick what is of one kind."""
    return [one for one in said if isinstance(one, kind)]


def check_kept(board: Board) -> None:
    """Hold what the board keeps from one instant to the next to what it would be made anew."""
    stops = board.stops()
    board.scene.touched = True
    assert board.stops() == stops
    timers = [one.asking.next_s(board.policy) for one in board.open.values()]
    assert board._timer_s() == min(timers, default=np.inf)
    kept, anew = board.crew(), crew_of(board.statuses, board.seen)
    for name in ("unit_ids", "row_of", "agencies", "on_duty"):
        assert getattr(kept, name) == getattr(anew, name)
    for name in ("rows", "available", "officers"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(anew, name))
    whole, few = take_snapshot(board), take_snapshot(board, to_decide=True)
    waiting = [whole.stop_ids.index(stop_id) for stop_id in few.stop_ids]
    np.testing.assert_array_equal(few.score(), whole.score()[:, waiting])
    for name in ("tau_s", "chance", "probability", "without_best", "alone", "covered"):
        expected = getattr(whole.cover, name)[..., waiting]
        np.testing.assert_array_equal(getattr(few.cover, name), expected)
    for column, stop_id in enumerate(whole.stop_ids):
        one = board.open[stop_id]
        wanted = whole.needs.short[column] > 0 or one.alarm.raised
        assert (stop_id in few.stop_ids) or not (wanted or one.asking.pending)


def check_equal(board: Board) -> None:
    """Hold what the board has to what the model makes of the same units and stops anew."""
    check_kept(board)
    now = datetime.fromtimestamp(board.now_s, UTC)
    stops = board.stops()
    anew = picture(board)
    snapshot = take_snapshot(board)
    assert set(snapshot.stop_ids) == {one.stop_id for one in anew.stops}
    by_id = {one.stop_id: one for one in anew.stops}
    for column, stop_id in enumerate(snapshot.stop_ids):
        one = by_id[stop_id]
        assert snapshot.cover.probability[column] == pytest.approx(one.backup_probability, abs=1e-9)
        assert snapshot.cover.alone[column] == (one.flag is Flag.ALONE)
        assert snapshot.cover.covered[column] == (one.flag is Flag.COVERED)
        assert snapshot.needs.short[column] == max(0, one.needs - one.officers_present)
    askable = {state.unit.unit_id for state in anew.units if state.askable}
    assert askable == {u for u, row in snapshot.unit_row.items() if snapshot.askable[row]}
    asked = [
        Ask(stop_id="", unit_id=unit, asked_at=datetime.fromtimestamp(at_s, UTC))
        for unit, asks in board.asked_s.items()
        for at_s in asks
    ]
    units = [state.unit for state in anew.units]
    weighed = weigh_up(TOWN, units, stops, now=now, settings=board.settings, asked=asked)
    rows = [snapshot.unit_row[duty.unit_id] for duty in weighed.idle]
    columns = [snapshot.stop_ids.index(exposure.stop.stop_id) for exposure in weighed.exposures]
    score = snapshot.score()[np.ix_(rows, columns)]
    np.testing.assert_allclose(score, weighed.score, rtol=0, atol=1e-4)


class AnyDay(RuleBasedStateMachine):
    """Anything that can happen, in any order."""

    @initialize(officers=st.lists(st.integers(1, 2), min_size=5, max_size=5))
    def begin(self, officers: list[int]) -> None:
        self.day = Day(within_s=120)
        self.second = 0.0
        for unit, count in zip(UNITS, officers, strict=True):
            self.day.shows(unit, 0, officers=count)

    @rule(
        unit=st.sampled_from(UNITS),
        ago=st.sampled_from([0, 0, 0, 5, 40, 200]),
        east=st.integers(0, 2800),
        north=st.integers(0, 2100),
        speed=st.sampled_from([0.0, 0.0, 12.0]),
    )
    def a_fix(self, unit: str, ago: float, east: int, north: int, speed: float) -> None:
        fixes = fixes_of((unit, self.second - ago, (east, north), speed), delay_s=ago)
        self.day.board.take_fixes(fixes, slice(0, 1))

    @rule(unit=st.sampled_from(UNITS), status=st.sampled_from(list(UnitStatus)))
    def a_status(self, unit: str, status: UnitStatus) -> None:
        self.day.shows(unit, self.second, status.value)

    @rule(
        number=st.integers(1, 3),
        unit=st.sampled_from((*UNITS, "9Z9")),
        phase=st.sampled_from(list(StopPhase)),
        place=st.none() | st.tuples(st.integers(0, 2800), st.integers(0, 2100)),
        backup=st.lists(st.sampled_from(UNITS), max_size=2),
        needs=st.integers(1, 3),
        ago=st.sampled_from([0, 0, 60]),
    )
    def a_stop(
        self,
        number: int,
        unit: str,
        phase: StopPhase,
        place: tuple[float, float] | None,
        backup: list[str],
        needs: int,
        ago: float,
    ) -> None:
        self.day.stop(
            f"S{number}",
            unit,
            self.second - ago,
            place=place,
            phase=phase,
            backup=tuple(backup),
            needs=needs,
        )

    @rule(kind=st.sampled_from(list(AnswerKind)), data=st.data())
    def an_answer(self, kind: AnswerKind, data: st.DataObject) -> None:
        self.day.until(self.second)
        asked = of(Suggested, self.day.said)
        if asked:
            self.day.answer(data.draw(st.sampled_from(asked[-3:])), self.second, kind.value)

    @rule(data=st.data())
    def an_answer_is_taken_back(self, data: st.DataObject) -> None:
        if self.day.answers:
            answer = data.draw(st.sampled_from(self.day.answers[-3:]))
            self.day.board.take_undo(answer, later(self.second))

    @rule(seconds=st.sampled_from([1, 70, 400]))
    def another_goes_on_from_what_it_remembers(self, seconds: float) -> None:
        self.day.until(self.second)
        again = Board(TOWN, self.day.board.settings)
        recall(again, deepcopy(remember(self.day.board)))
        self.second += seconds
        assert again.advance(since(self.second)) == self.day.until(self.second)
        assert asdict(remember(again)) == asdict(remember(self.day.board))
        self.day.board = again

    @rule(seconds=st.sampled_from([1, 9, 31, 70, 400]))
    def time_passes(self, seconds: float) -> None:
        self.second += seconds
        self.day.until(self.second)

    @invariant()
    def equal_to_working_it_out_anew(self) -> None:
        if hasattr(self, "day"):
            check_equal(self.day.board)

    @invariant()
    def no_more_are_on_their_way_than_are_missing(self) -> None:
        if not hasattr(self, "day"):
            return
        board = self.day.board
        board.advance(board.now_s)
        snapshot = take_snapshot(board)
        for column, stop_id in enumerate(snapshot.stop_ids):
            one, tau_s = board.open[stop_id], snapshot.cover.tau_s
            rows = {unit: snapshot.unit_row.get(unit) for unit in one.asking.promised}
            driving = [
                unit
                for unit in not_there(board, one, snapshot, column)
                if not is_on_scene(board, unit)
                and (row := rows[unit]) is not None
                and np.isfinite(tau_s[row, column])
            ]
            short = snapshot.needs.short[column]
            assert len(driving) <= max(0, short)

    @invariant()
    def nobody_is_asked_twice_at_once(self) -> None:
        if hasattr(self, "day"):
            board = self.day.board
            pending = [
                one.asking.pending.unit_id for one in board.open.values() if one.asking.pending
            ]
            driving = [unit for one in board.open.values() for unit in one.asking.promised]
            assert len(set(pending)) == len(pending)
            assert not set(pending) & set(driving)


AnyDay.TestCase.settings = hypothesis_settings(
    max_examples=examples(60), stateful_step_count=25, deadline=None
)
TestAnyDay = AnyDay.TestCase


HOME = {"1A1": (1400.0, 700.0), "1A2": (1400.0, 1400.0), "1A3": (2800.0, 2100.0)}


def alone_day(**policy: Any) -> Day:
    """One car on a stop, and nobody near enough."""
    day = Day(within_s=30, drive_max_s=60, **policy)
    day.on_duty({"1A1": (0, 0), "1A2": (2800, 2100)})
    day.stop("S1", "1A1", 0, place=(0, 0))
    return day


def asking_day(**policy: Any) -> Day:
    """One car on a stop, two that could come."""
    day = Day(**policy)
    day.on_duty(HOME)
    day.stop("S1", "1A1", 1, place=HOME["1A1"])
    return day


def test_the_right_car_is_asked_at_once() -> None:
    (one,) = asking_day().until(2)
    assert isinstance(one, Suggested)
    assert (one.suggestion_id, one.unit_id, one.drive_time_s) == ("S1/1", "1A2", 70.0)
    assert one.at_s == NOW.timestamp() + 1


def test_a_stop_that_begins_later_wakes_the_board_when_it_does() -> None:
    day = Day()
    day.on_duty(HOME)
    day.stop("S1", "1A1", 1, place=HOME["1A1"], started_at=later(8))
    assert day.until(5) == []
    assert day.board.wish_s() == NOW.timestamp() + 8
    (one,) = day.until(9)
    assert (one.suggestion_id, one.at_s) == ("S1/1", NOW.timestamp() + 8)


def test_who_does_not_answer_is_asked_no_more_this_round() -> None:
    day = asking_day()
    said = [one for one in day.until(45) if not isinstance(one, Flagged)]
    assert [(type(one), one.unit_id) for one in said] == [
        (Suggested, "1A2"),
        (Withdrawn, "1A2"),
        (Suggested, "1A3"),
    ]
    assert said[1].why == "no answer"
    assert said[1].at_s == said[2].at_s == NOW.timestamp() + 31
    day.keep_alive(HOME, 60, 120, 180, 240)
    assert not of(Suggested, day.until(309))
    # The next round begins five minutes after the last began, at the next tick.
    assert [one.unit_id for one in of(Suggested, day.until(310))] == ["1A2"]


def test_a_round_is_at_most_so_many_and_then_the_supervisor() -> None:
    day = asking_day(round_units=1)
    (told,) = of(Escalated, day.until(100))
    assert (told.why, told.aloud) == ("nobody came", True)
    assert len(of(Suggested, day.said)) == 1


def test_who_cannot_is_never_asked_again_about_that_stop() -> None:
    day = asking_day()
    (first,) = day.until(2)
    day.answer(first, 3, "cant")
    assert [one.unit_id for one in of(Suggested, day.until(3))] == ["1A3"]
    day.keep_alive(HOME, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600)
    assert all(one.unit_id == "1A3" for one in of(Suggested, day.until(650)))


def test_who_mutes_is_left_alone_for_a_quarter_of_an_hour() -> None:
    day = asking_day()
    (first,) = day.until(2)
    day.answer(first, 3, "mute")
    day.stop("S1", "1A1", 5, ended_at=later(5), started_at=later(1), phase=StopPhase.CLEARED)
    places = {"1A1": (2800.0, 0.0), "1A2": HOME["1A2"], "1A3": (0.0, 0.0)}
    for second in range(60, 840, 60):
        day.keep_alive(places, second)
    day.shows("1A3", 841, "on_stop")
    day.keep_alive(places, 842)
    assert {one.unit_id for one in of(Suggested, day.until(860))} == {"1A3", "1A1"}
    day.keep_alive(places, 895)
    assert "1A2" in {one.unit_id for one in of(Suggested, day.until(950))}


def test_a_mute_taken_back_is_none() -> None:
    day = asking_day()
    (first,) = day.until(2)
    day.answer(first, 3, "mute")
    day.until(3)
    assert day.board.is_muted("1A2")
    day.board.take_undo(day.answers[0], later(9))
    assert not day.board.is_muted("1A2")
    said = day.until(45)
    assert [one.unit_id for one in of(Suggested, said)] == ["1A2"]


def test_a_promise_taken_back_is_a_question_again() -> None:
    day = asking_day()
    (first,) = day.until(2)
    day.answer(first, 3, "en_route")
    day.until(9)
    day.board.take_undo(day.answers[0], later(9))
    day.until(38)
    pending = day.board.open["S1"].asking.pending
    assert pending is not None
    assert (pending.suggestion_id, pending.at_s) == ("S1/1", since(9))
    day.until(39)
    (gone,) = of(Withdrawn, day.said)
    assert (gone.why, gone.at_s) == ("no answer", since(39))


def test_no_question_is_asked_for_a_time_that_was_skipped() -> None:
    day = asking_day(alone_after_s=0)
    day.until(2)
    day.board.skip(since(500))
    said = day.until(520)
    assert [one.at_s for one in of(Withdrawn, said)] == [since(500)]
    assert all(one.at_s >= since(500) for one in said)


def test_a_board_remembers_which_stops_are_over() -> None:
    day = asking_day()
    day.stop("S1", "1A1", 5, ended_at=later(5), started_at=later(1))
    day.until(5)
    again = Day()
    recall(again.board, remember(day.board))
    again.stop("S1", "1A1", 4, started_at=later(1), phase=StopPhase.SECURED)
    assert not again.board.stops()


def test_who_is_en_route_is_believed_for_a_while() -> None:
    day = asking_day()
    (first,) = day.until(2)
    day.answer(first, 3, "en_route")
    (stop,) = day.board.stops()
    assert stop.backup == ("1A2",)
    day.keep_alive(HOME, 60, 120, 180, 240)
    day.until(260)
    # 70 s of drive, doubled, and two minutes more.
    (gone,) = of(Withdrawn, day.until(265))
    assert (gone.unit_id, gone.why) == ("1A2", "did not come")
    assert day.board.stops()[0].backup == ()


def test_while_one_is_on_its_way_only_a_clearly_sooner_one_is_asked_and_the_other_let_go() -> None:
    day = Day()
    day.on_duty({"1A1": HOME["1A1"], "1A3": HOME["1A3"]})
    day.stop("S1", "1A1", 1, place=HOME["1A1"])
    (first,) = of(Suggested, day.until(2))
    assert (first.unit_id, first.drive_time_s) == ("1A3", pytest.approx(281, abs=3))
    day.answer(first, 3, "en_route")
    day.shows("1A4", 10)
    day.seen("1A4", 10, (2800, 1600))  # 230 s: sooner by 50
    assert not of(Suggested, day.until(30))
    day.shows("1A2", 31)
    day.seen("1A2", 31, HOME["1A2"])  # 70 s
    (second,) = of(Suggested, day.until(40))
    assert second.unit_id == "1A2"
    day.answer(second, 41, "en_route")
    (gone,) = of(Withdrawn, day.until(41))
    assert (gone.unit_id, gone.why) == ("1A3", "nearer unit")
    assert day.board.stops()[0].backup == ("1A2",)


def test_who_is_still_on_its_way_is_let_go_once_enough_are_there() -> None:
    day = asking_day(score_min=2)  # nobody is asked for the minute that one beside it would save
    (first,) = day.until(2)
    day.answer(first, 3, "en_route")
    day.until(4)
    for second in (40, 65):
        day.seen("1A3", second, HOME["1A1"])  # another one came by itself
    (gone,) = of(Withdrawn, day.until(70))
    assert (gone.unit_id, gone.why) == ("1A2", "enough officers")


def test_who_makes_a_stop_of_its_own_on_the_way_comes_no_more() -> None:
    day = asking_day()
    (first,) = day.until(2)
    day.answer(first, 3, "en_route")
    day.until(4)
    day.stop("S2", "1A2", 10, place=HOME["1A2"])
    (gone,) = of(Withdrawn, day.until(11))
    assert (gone.stop_id, gone.unit_id, gone.why) == ("S1", "1A2", "unit not free")
    assert not day.board.open["S1"].asking.promised
    assert {one.unit_id for one in of(Suggested, day.said)} == {"1A2", "1A3"}


@pytest.mark.parametrize(("status", "since", "goes"), [("busy", 10, 1), ("busy", 0.5, 0)])
def test_who_does_something_else_since_comes_no_more(status: str, since: float, goes: int) -> None:
    day = asking_day()
    (first,) = day.until(2)
    day.answer(first, 3, "en_route")
    day.until(4)
    day.shows("1A2", since, status)
    assert [one.why for one in of(Withdrawn, day.until(20))] == ["unit not free"] * goes


def test_who_shows_on_stop_as_it_arrives_is_not_taken_to_be_elsewhere_at_once() -> None:
    day = asking_day(score_min=2)
    (first,) = day.until(2)
    day.answer(first, 3, "en_route")
    day.shows("1A2", 60, "on_stop")
    assert of(Withdrawn, day.until(70)) == []
    gone = of(Withdrawn, day.until(90))
    assert [one.why for one in gone if one.unit_id == "1A2"] == ["unit not free"]


def test_who_arrives_is_not_let_go_by_its_own_arrival() -> None:
    day = asking_day()
    (first,) = day.until(2)
    day.answer(first, 3, "en_route")
    for second in (60, 70, 90, 120):
        day.seen("1A2", second, HOME["1A1"])
    day.until(130)
    assert [one.unit_id for one in of(Attended, day.said)] == ["1A2"]
    assert not of(Withdrawn, day.said)


def test_nobody_else_is_sent_where_one_shows_on_scene_and_the_alarm_stays() -> None:
    day = asking_day(alone_below=0.99, alone_until=0.995, covered_from=0.99)
    (first,) = day.until(2)
    day.answer(first, 3, "en_route")
    day.shows("1A2", 90, "on_scene")
    for second in range(30, 600, 30):
        day.keep_alive({"1A1": HOME["1A1"], "1A3": (1400, 900)}, second)
    day.until(600)
    assert [one.unit_id for one in of(Suggested, day.said)] == ["1A2"]
    assert day.board.open["S1"].alarm.raised


def test_who_shows_on_scene_and_is_seen_elsewhere_later_is_not_there() -> None:
    day = asking_day()
    (first,) = day.until(2)
    day.answer(first, 3, "en_route")
    day.shows("1A2", 90, "on_scene")
    day.seen("1A2", 100, (0, 2100))
    day.keep_alive({"1A1": HOME["1A1"], "1A3": HOME["1A3"]}, 100)
    assert [one.unit_id for one in of(Suggested, day.until(320))[-1:]] == ["1A3"]


def test_who_shows_on_scene_came_where_positions_are_missing() -> None:
    day = asking_day()
    (first,) = day.until(2)
    day.answer(first, 3, "en_route")
    day.shows("1A2", 90, "on_scene")
    day.until(600)
    assert "did not come" not in [one.why for one in of(Withdrawn, day.said)]


def test_a_stop_known_by_status_alone_is_asked_about_when_no_record_follows() -> None:
    day = Day()
    day.on_duty(HOME)
    day.shows("1A1", 1, "on_stop")
    assert not of(Suggested, day.until(15))
    assert [one.stop_id for one in of(Suggested, day.until(20))] == ["status:1A1"]


def test_a_stop_of_a_unit_that_never_said_its_status_is_where_it_was_seen() -> None:
    day = Day()
    day.on_duty({"1A2": HOME["1A2"]})
    day.seen("1A1", 0, HOME["1A1"])
    day.stop("S1", "1A1", 1)
    (asked,) = of(Suggested, day.until(2))
    assert (asked.unit_id, asked.drive_time_s) == ("1A2", 70.0)
    check_equal(day.board)


def test_a_second_car_that_stays_beside_closes_it_by_itself() -> None:
    day = asking_day(answer_within_s=200)
    day.until(2)
    there = HOME["1A1"]
    day.seen("1A3", 60, there, speed=8)
    assert not of(Attended, day.until(61))
    day.seen("1A3", 79, there)
    assert not of(Attended, day.until(79))
    day.seen("1A3", 80, there)
    (arrived,) = of(Attended, day.until(80))
    assert (arrived.unit_id, arrived.since_s, arrived.arrived) == ("1A3", since(60), True)
    assert [one.why for one in of(Withdrawn, day.until(90))] == ["enough officers"]
    day.seen("1A3", 100, HOME["1A3"])
    assert not of(Attended, day.until(101))
    day.seen("1A3", 120, HOME["1A3"])
    (left,) = of(Attended, day.until(122))
    assert (left.since_s, left.arrived) == (since(100), False)


def test_who_leaves_with_the_stop_is_named_in_one_order_whoever_was_heard_of_first() -> None:
    for names in (("1A2", "1A3"), ("1A3", "1A2")):
        day = Day()
        day.on_duty(dict.fromkeys((*names, "1A1"), HOME["1A1"]))
        day.stop("S1", "1A1", 1, place=HOME["1A1"])
        for name in names:
            day.seen(name, 5, HOME["1A1"])
            day.seen(name, 30, HOME["1A1"])
        day.stop("S1", "1A1", 40, ended_at=later(40), started_at=later(1))
        left = [one.unit_id for one in of(Attended, day.until(40)) if not one.arrived]
        assert left == ["1A2", "1A3"]


def test_a_car_that_drives_past_is_not_there() -> None:
    day = asking_day()
    day.seen("1A3", 60, HOME["1A1"], speed=12)
    day.seen("1A3", 75, (1700, 700), speed=12)
    day.seen("1A3", 90, HOME["1A1"], speed=12)
    assert day.board.seen.counts["teleport"] == 0
    assert not of(Attended, day.until(100))


def test_the_end_of_a_stop_withdraws_what_is_asked() -> None:
    day = asking_day()
    day.until(2)
    day.stop("S1", "1A1", 5, ended_at=later(5), started_at=later(1))
    (gone,) = day.until(5)
    assert (gone.why, gone.suggestion_id) == ("stop over", "S1/1")
    assert not day.board.open


def test_a_change_that_comes_late_does_not_open_a_stop_again() -> None:
    day = asking_day()
    day.stop("S1", "1A1", 5, ended_at=later(5), started_at=later(1))
    day.stop("S1", "1A1", 4, started_at=later(1), phase=StopPhase.SECURED)
    assert not day.board.stops()


def test_a_suggestion_gives_way_to_one_clearly_sooner() -> None:
    day = Day()
    places = {"1A1": (0.0, 0.0), "1A2": (2800.0, 2100.0), "1A3": (2800.0, 1800.0)}
    day.on_duty(places)
    day.shows("1A3", 1, "busy")
    day.stop("S1", "1A1", 2, place=(0, 0))
    (first,) = day.until(3)
    assert first.unit_id == "1A2"
    day.shows("1A3", 4)
    assert not of(Suggested, day.until(9))
    day.seen("1A3", 28, (700, 0))
    said = day.until(30)
    assert [one.why for one in of(Withdrawn, said)] == ["nearer unit"]
    assert [one.unit_id for one in of(Suggested, said)] == ["1A3"]


def test_alone_is_raised_after_its_grace_and_cleared_above_its_bound() -> None:
    day = alone_day()
    assert not of(Flagged, day.until(59))
    (raised,) = of(Flagged, day.until(60))
    assert (raised.flag, raised.aloud) == (Flag.ALONE, True)
    day.seen("1A2", 61, (700, 700))
    assert not of(Flagged, day.until(80))
    day.seen("1A2", 81, (0, 60))
    (cleared,) = of(Flagged, day.until(90))
    assert cleared.flag is not Flag.ALONE
    assert cleared.probability > 0.7


def test_dispatch_is_asked_to_check_and_the_supervisor_told_if_it_does_not() -> None:
    day = alone_day()
    for second in range(30, 1130, 30):
        day.keep_alive({"1A1": (0, 0), "1A2": (2800, 2100)}, second)
        if second == 510:
            day.board.take_check("S1", later(510))
    day.until(1200)
    at_s = [one.at_s - NOW.timestamp() for one in of(Prompted, day.said)]
    assert at_s == [180, 480, 1080]
    told = [one.at_s - NOW.timestamp() for one in of(Escalated, day.said)]
    assert told == [240, 1140]


def test_sounds_are_limited_and_the_list_is_not() -> None:
    day = Day(within_s=30, drive_max_s=60, sounds_per_hour_max=2)
    places = {unit: (700.0 * i, 0.0) for i, unit in enumerate(UNITS)}
    day.on_duty(places)
    for i, unit in enumerate(UNITS):
        day.stop(f"S{i}", unit, 1, place=places[unit])
    flags = of(Flagged, day.until(100))
    assert len(flags) == len(day.board.open) == 5
    assert sum(one.aloud for one in flags) == 2


def test_a_storm_of_stops_asks_nobody_more_than_the_cap() -> None:
    day = Day(asks_per_hour_max=2, round_every_s=60)
    day.on_duty(HOME)
    day.stop("S1", "1A1", 1, place=HOME["1A1"])
    for second in range(60, 3600, 60):
        day.keep_alive(HOME, second)
    asked = [one.unit_id for one in of(Suggested, day.until(3600))]
    assert sorted(asked) == ["1A2", "1A2", "1A3", "1A3"]


def test_fixes_late_twice_and_out_of_order_change_nothing() -> None:
    rows = [("1A2", 10.0 * i, (1400.0, 1400.0 - 30 * i), 3.0) for i in range(1, 8)]
    ends = []
    for order in (rows, [*rows[::2], *rows[1::2], *rows]):
        day = asking_day()
        day.board.take_fixes(fixes_of(*order, delay_s=80), slice(0, len(order)))
        day.until(200)
        ends.append(day.board.units())
    assert ends[0] == ends[1]
    assert day.board.seen.counts["late"] + day.board.seen.counts["twice"] == 3 + len(rows)


def test_a_fix_from_the_future_is_kept_and_not_believed() -> None:
    day = Day()
    day.on_duty(HOME)
    day.board.take_fixes(fixes_of(("1A2", 3600, (0, 0), 0), delay_s=-3500), slice(0, 1))
    assert day.board.seen.fix[day.board.seen.row("1A2"), 0] == NOW.timestamp()
    (odd,) = day.board.seen.odd
    assert (odd.unit_id, odd.why) == ("1A2", "future")


def test_a_jump_is_believed_once_a_second_fix_agrees() -> None:
    day = Day()
    day.on_duty(HOME)
    far = (9000.0, 9000.0)
    day.seen("1A2", 15, far)
    assert day.board.seen.counts["teleport"] == 1
    day.seen("1A2", 30, (1400, 1500))
    assert day.board.seen.fix[day.board.seen.row("1A2"), 0] == NOW.timestamp() + 30
    day.seen("1A2", 45, far)
    day.seen("1A2", 60, far)
    assert day.board.seen.fix[day.board.seen.row("1A2"), 0] == NOW.timestamp() + 60


def test_another_idle_unit_never_lowers_g_and_secured_never_lessens_exposure() -> None:
    chances = []
    for phase, places in (
        (StopPhase.CONTACT, {"1A1": HOME["1A1"], "1A2": HOME["1A2"]}),
        (StopPhase.SECURED, {"1A1": HOME["1A1"], "1A2": HOME["1A2"]}),
        (StopPhase.CONTACT, HOME),
    ):
        day = Day()
        day.on_duty(places)
        day.stop("S1", "1A1", 1, place=HOME["1A1"], phase=phase)
        day.until(1)
        snapshot = take_snapshot(day.board)
        chances.append((snapshot.cover.probability[0], snapshot.score()[1, 0]))
    contact, secured, more = chances
    assert more[0] > contact[0] == secured[0]
    assert secured[1] >= contact[1]


def test_who_stands_beside_a_stop_walks_there_whatever_way_a_car_would_take() -> None:
    nodes = {"A": (0.0, 0.0), "B": (4000.0, 0.0), "C": (4000.0, 15.0), "D": (0.0, 15.0)}
    streets = [{"ends": ends, "oneway": True, "maxspeed": TEN_MPS} for ends in ("AB", "BC", "CD")]
    ring = town(nodes, [*streets, {"ends": "DA", "oneway": True, "maxspeed": TEN_MPS}])
    day = Day()
    day.board = Board(ring, Settings())
    for unit, east_m in (("1A1", 2000.0), ("1A2", 2010.0), ("1A3", 2200.0)):
        day.shows(unit, 0)
        day.seen(unit, 1, (east_m, 0.0))
    day.stop("S", "1A1", 2, place=(2000.0, 0.0))
    day.until(3)
    (asked,) = (one for one in day.said if isinstance(one, Suggested))
    assert asked.unit_id == "1A2"
    assert asked.drive_time_s == pytest.approx(10 / 1.4, abs=0.1)
    (advice,) = picture(day.board).stops
    assert [round(near.drive_time_s) for near in advice.nearest] == [7, 783]

"""The live board: equal to working everything out anew, whatever happened and in any order."""

from __future__ import annotations

from dataclasses import replace
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
from geo.dispatch import advise, weigh_up
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


def later(seconds: float) -> datetime:
    """An instant."""
    return NOW + timedelta(seconds=seconds)


class Day:
    """A board and short words for what happens to it."""

    def __init__(self, **policy: Any) -> None:
        self.board = Board(TOWN, Settings.model_validate({"policy": policy}))
        self.said: list[Said] = []

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
        self.board.take_answer(
            Answer(
                suggestion_id=suggested.suggestion_id,
                stop_id=suggested.stop_id,
                unit_id=suggested.unit_id,
                asked_at=datetime.fromtimestamp(suggested.at_s, UTC),
                answer=AnswerKind(kind),
                answered_at=later(second),
            )
        )

    def until(self, second: float) -> list[Said]:
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


def check_equal(board: Board) -> None:
    """Hold what the board has to what the model makes of the same units and stops anew."""
    now = datetime.fromtimestamp(board.now_s, UTC)
    stops, units = board.stops(), board.units()
    muted = {unit for unit, until_s in board.muted_until_s.items() if board.now_s < until_s}
    units = [
        replace(unit, status=UnitStatus.BUSY)
        if unit.unit_id in muted and unit.status is UnitStatus.AVAILABLE
        else unit
        for unit in units
    ]
    asked = [
        Ask(stop_id="", unit_id=unit, asked_at=datetime.fromtimestamp(at_s, UTC))
        for unit, asks in board.asked_s.items()
        for at_s in asks
    ]
    anew = advise(board.net, units, stops, now=now, settings=board.settings, asked=asked)
    snapshot = take_snapshot(board, now)
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
    weighed = weigh_up(board.net, units, stops, now=now, settings=board.settings, asked=asked)
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

    @rule(seconds=st.sampled_from([1, 9, 31, 70, 400]))
    def time_passes(self, seconds: float) -> None:
        self.second += seconds
        self.day.until(self.second)

    @invariant()
    def equal_to_working_it_out_anew(self) -> None:
        if hasattr(self, "day"):
            check_equal(self.day.board)

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

"""Whom a dispatcher chooses is asked, and stays so whoever is sooner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from data.said import Suggested, Withdrawn
from geo.memory import recall, remember
from geo.picking import pickable
from geo.snapshot import take_snapshot
from tests.geo.test_board import Day, check_equal, later, of

if TYPE_CHECKING:
    from data.said import Said

HERE = (0.0, 0.0)
NEAR, FAR = (700.0, 0.0), (2800.0, 2100.0)
PLACES = {"1A1": HERE, "1A2": NEAR, "1A3": FAR}


def day_with_a_stop(**policy: float) -> tuple[Day, Suggested]:
    """A stop of 1A1; 1A2 is asked about it."""
    day = Day(**policy)
    day.on_duty(PLACES)
    day.stop("S", "1A1", 1, place=HERE)
    (asked,) = of(Suggested, day.until(2))
    assert asked.unit_id == "1A2"
    return day, asked


def pick(day: Day, unit_id: str, second: float) -> list[Said]:
    day.board.take_pick("S", unit_id, later(second))
    return day.until(second)


def test_whom_dispatch_chose_is_asked_in_place_of_the_other() -> None:
    day, _ = day_with_a_stop()
    withdrawn, asked = pick(day, "1A3", 3)
    assert isinstance(withdrawn, Withdrawn)
    assert (withdrawn.unit_id, withdrawn.why) == ("1A2", "dispatch chose another")
    assert isinstance(asked, Suggested)
    assert (asked.unit_id, asked.suggestion_id) == ("1A3", "S/2")
    assert asked.drive_time_s == pytest.approx(490, abs=1)
    check_equal(day.board)


def test_nobody_who_is_sooner_takes_its_place_while_asked_or_on_the_way() -> None:
    day, _ = day_with_a_stop(answer_within_s=300)
    _, asked = pick(day, "1A3", 3)
    assert isinstance(asked, Suggested)
    day.keep_alive(PLACES, 30, 60)
    assert of(Suggested, day.until(61)) == []
    day.answer(asked, 62, "en_route")
    day.keep_alive(PLACES, 90, 120)
    assert of(Suggested, day.until(121)) == []
    assert day.board.open["S"].asking.promised.keys() == {"1A3"}


def test_who_was_on_the_way_is_let_go_when_the_chosen_one_is() -> None:
    day, first = day_with_a_stop()
    day.answer(first, 3, "en_route")
    day.until(4)
    (asked,) = pick(day, "1A3", 5)
    assert isinstance(asked, Suggested)
    day.answer(asked, 6, "en_route")
    (gone,) = of(Withdrawn, day.until(7))
    assert (gone.unit_id, gone.why) == ("1A2", "dispatch chose another")


def test_when_the_chosen_one_cannot_another_is_asked() -> None:
    day, _ = day_with_a_stop()
    _, asked = pick(day, "1A3", 3)
    assert isinstance(asked, Suggested)
    day.answer(asked, 4, "cant")
    assert [one.unit_id for one in of(Suggested, day.until(5))] == ["1A2"]


def test_who_could_not_before_can_be_chosen_all_the_same() -> None:
    day, first = day_with_a_stop(reserve_from_units=9)
    day.answer(first, 3, "cant")
    day.until(4)
    asked = of(Suggested, pick(day, "1A2", 5))
    assert [one.unit_id for one in asked] == ["1A2"]
    assert "1A2" not in day.board.open["S"].asking.refused


@pytest.mark.parametrize("unit_id", ["1A1", "9Z9", "1A3"])
def test_who_cannot_be_asked_is_not(unit_id: str) -> None:
    day, _ = day_with_a_stop()
    day.shows("1A3", 2.5, "busy")
    assert pick(day, unit_id, 3) == []
    day.board.take_pick("gone", "1A2", later(4))
    assert day.until(4) == []


def test_the_one_who_is_asked_already_is_not_asked_twice() -> None:
    day, _ = day_with_a_stop()
    assert pick(day, "1A2", 3) == []


def test_a_board_remembers_who_was_chosen() -> None:
    day, _ = day_with_a_stop()
    pick(day, "1A3", 3)
    other = Day()
    recall(other.board, remember(day.board))
    assert other.board.open["S"].asking.picked == {"1A3"}


def test_those_who_could_be_asked_are_listed_soonest_first_however_far() -> None:
    day, _ = day_with_a_stop(drive_max_s=100, within_s=60)
    board = day.board
    found = pickable(board, take_snapshot(board), "S")
    assert list(found) == ["1A2", "1A3"]
    assert list(found.values()) == pytest.approx([70, 490], abs=1)


def test_nobody_is_listed_where_enough_are_there_or_asked_elsewhere() -> None:
    day, _ = day_with_a_stop()
    day.stop("T", "1A3", 3, place=FAR)
    day.until(4)
    board = day.board
    snapshot = take_snapshot(board)
    assert list(pickable(board, snapshot, "S")) == ["1A2"]
    assert list(pickable(board, snapshot, "T")) == []
    day.stop("S", "1A1", 5, place=HERE, needs=1)
    day.until(6)
    assert pickable(board, take_snapshot(board), "S") == {}


def test_a_dispatchers_silence_lasts_as_long_as_a_mute_and_can_be_lifted() -> None:
    day = Day(mute_min=15)
    day.on_duty(PLACES)
    day.board.take_silence("1A2", later(1), on=True)
    day.stop("S", "1A1", 2, place=HERE)
    assert [one.unit_id for one in of(Suggested, day.until(3))] == ["1A3"]
    assert day.board.is_muted("1A2")
    assert day.board.muted_until_s["1A2"] == later(1 + 15 * 60).timestamp()
    day.board.take_silence("1A2", later(4), on=False)
    day.until(5)
    assert not day.board.is_muted("1A2")

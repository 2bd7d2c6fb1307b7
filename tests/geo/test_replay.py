"""A recorded period through the board: the same every time, and asked why."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from data.errors import InputError
from data.events import Answer, AnswerKind, Fixes, History, StatusChange, StopChange
from data.records import Stop, StopPhase, UnitStatus
from data.said import Suggested, Withdrawn
from data.settings import Settings
from geo.board import Board
from geo.policies import nobody
from geo.replay import picture, play, replay, sketch, why
from geo.tally import tally
from geo.what_if import with_post
from tests.geo.test_board import HOME, TOWN, UNITS, fixes_of, later
from tests.geo.towns import NOW, at

SETTINGS = Settings()


def evening() -> History:
    """Three parked cars, one stop of ten minutes, and one refusal."""
    rows = [(unit, 60.0 * i, HOME[unit], 0.0) for i in range(15) for unit in HOME]
    lon, lat = at(*HOME["1A1"])
    begun = Stop(stop_id="S1", unit_id="1A1", started_at=later(65), lon_deg=lon, lat_deg=lat)
    ended = replace(begun, ended_at=later(665), phase=StopPhase.CLEARED)
    return History(
        fixes=named(fixes_of(*rows)),
        statuses=tuple(
            StatusChange(unit_id=unit, at=NOW, status=UnitStatus.AVAILABLE) for unit in HOME
        ),
        stops=(StopChange(stop=begun, at=later(65)), StopChange(stop=ended, at=later(665))),
        answers=(
            Answer(
                suggestion_id="S1/1",
                stop_id="S1",
                unit_id="1A2",
                asked_at=later(65),
                answer=AnswerKind.CANT,
                answered_at=later(75),
            ),
        ),
    )


def named(fixes: Fixes) -> Fixes:
    """Fixes whose units are listed once."""
    names = np.array(fixes.unit_ids)[fixes.unit_row]
    return replace(
        fixes,
        unit_ids=UNITS,
        unit_row=np.array([UNITS.index(name) for name in names], np.int32),
    )


def asked(said: list[Any]) -> list[tuple[str, float]]:
    """Who was asked, and at which second."""
    return [(one.unit_id, one.at_s - NOW.timestamp()) for one in said if isinstance(one, Suggested)]


def test_a_replay_is_the_same_every_time_and_in_any_order_of_rows() -> None:
    history = evening()
    said = replay(TOWN, history, settings=SETTINGS)
    assert asked(said) == [("1A2", 65.0), ("1A3", 75.0), ("1A3", 370.0)]
    assert said == replay(TOWN, history, settings=SETTINGS)
    shuffled = replace(
        history,
        statuses=history.statuses[::-1],
        stops=history.stops[::-1],
    )
    assert said == replay(TOWN, shuffled, settings=SETTINGS)


def test_a_replay_in_pieces_is_that_of_the_whole() -> None:
    history = evening()
    board = Board(TOWN, SETTINGS)
    said: list[Any] = []
    for change in history.statuses:
        board.take_status(change)
    begun, ended = history.stops
    arrived_s = history.fixes.received_at_s
    rest: list[tuple[float, Any]] = [
        *((float(s), slice(i, i + 1)) for i, s in enumerate(arrived_s)),
        (begun.at.timestamp(), begun),
        (later(75).timestamp(), history.answers[0]),
        (ended.at.timestamp(), ended),
    ]
    for at_s, event in sorted(rest, key=lambda one: one[0]):
        if isinstance(event, slice):
            board.take_fixes(history.fixes, event)
        elif isinstance(event, Answer):
            board.take_answer(event)
        else:
            board.take_stop(event)
        said += board.advance(at_s)
    assert said == replay(TOWN, history, settings=SETTINGS)


def test_why_shows_what_the_model_saw() -> None:
    found = why(
        TOWN, partial(play, history=evening()), unit_id="1A3", at=later(80), settings=SETTINGS
    )
    assert found
    assert found.suggested.at_s == later(75).timestamp()
    (stop,) = found.advice.stops
    assert stop.suggestion
    assert found.advice.at == later(75)
    assert {near.unit_id for near in stop.nearest} == {"1A2", "1A3"}


def test_a_sketch_shows_what_was_known_though_the_board_goes_on() -> None:
    board = Board(TOWN, SETTINGS)
    period = evening()
    early = replace(period, stops=period.stops[:1], answers=())
    said = list(play(board, early))
    before, draw = picture(board), sketch(board)
    board.take_stop(period.stops[1])
    list(board.advance(later(700).timestamp()))
    assert said
    assert before.stops
    assert not picture(board).stops
    assert draw() == before


def test_why_of_a_unit_never_asked_is_nothing() -> None:
    assert (
        why(TOWN, partial(play, history=evening()), unit_id="1A1", at=NOW, settings=SETTINGS)
        is None
    )


def test_another_policy_asks_others() -> None:
    assert not asked(replay(TOWN, evening(), settings=SETTINGS, choose=nobody))


def test_one_unit_more_is_there_all_the_time() -> None:
    lon, lat = at(1400, 800)
    more = with_post(evening(), "2B1", lon, lat)
    assert asked(replay(TOWN, more, settings=SETTINGS))[0] == ("2B1", 65.0)


def test_a_unit_posted_elsewhere_stands_there_while_available() -> None:
    lon, lat = at(1400, 800)
    moved = with_post(evening(), "1A3", lon, lat)
    assert asked(replay(TOWN, moved, settings=SETTINGS))[0] == ("1A3", 65.0)
    assert len(moved.fixes) == len(evening().fixes)
    busy = replace(
        evening(),
        statuses=(
            *evening().statuses,
            StatusChange(unit_id="1A3", at=later(30), status=UnitStatus.BUSY),
        ),
    )
    kept = with_post(busy, "1A3", lon, lat).fixes
    own = np.array(kept.unit_ids, object)[kept.unit_row] == "1A3"
    assert (kept.lat_deg[own] == lat).sum() == 1
    assert own.sum() == 15


def test_nobody_can_be_added_to_nothing() -> None:
    nothing = {field.name: np.zeros(0) for field in fields(Fixes)[1:]}
    with pytest.raises(InputError, match="neither statuses nor fixes"):
        with_post(History(fixes=Fixes(unit_ids=(), **nothing)), "1A1", 0, 0)  # type: ignore[arg-type]


def test_a_tally_counts_what_was_said() -> None:
    said = replay(TOWN, evening(), settings=SETTINGS)
    counts = tally(said)
    assert counts.suggestions == 3
    assert counts.withdrawn == {"no answer": 2}
    assert counts.withdrawn["no answer"] == sum(isinstance(one, Withdrawn) for one in said)

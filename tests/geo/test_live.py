"""What the live board shows is what `rollby suggest` would say at the instant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from data.settings import Settings
from geo.as_json import advice_json
from geo.board import Board
from geo.live import Live
from geo.replay import picture, play
from geo.shift.plan import ShiftPlan
from geo.shift.world import simulate
from tests.geo.test_board import HOME, Day, asking_day, later, of

if TYPE_CHECKING:
    from geo.network import RoadNetwork


def figures(stop: dict[str, Any]) -> list[Any]:
    """What both have of a stop."""
    near = [(one["unit_id"], one["status"], one["drive_time_s"]) for one in stop["nearest"]]
    return [stop[name] for name in ("unit_id", "phase", "needs", "flag", "street")] + near


def test_stops_and_their_nearest_are_those_of_suggest(denver: RoadNetwork) -> None:
    plan = ShiftPlan(hours=0.5, units=10, stops_per_unit_hour=4.0)
    history = simulate(denver, plan, seed=4, dispatcher=Board(denver, Settings())).history
    board, compared = Board(denver, Settings()), 0
    live = Live(board)
    for said in play(board, history):
        if said.at_s < board.now_s:
            continue
        board.stops()
        advice = advice_json(picture(board), roads={}, settings=board.settings)
        anew = {one["stop_id"]: one for one in advice["stops"]}
        shown = live.json()
        assert shown["at"] == advice["at"]
        assert {one["stop_id"] for one in shown["stops"]} == anew.keys()
        for one in shown["stops"]:
            other = anew[one["stop_id"]]
            assert figures(one) == figures(other)
            assert one["backup_probability"] == pytest.approx(
                other["backup_probability"], abs=0.002
            )
            assert one["priority"] == pytest.approx(other["priority"], abs=0.02)
            compared += len(one["nearest"])
    assert compared > 100


def test_who_is_asked_and_who_is_there_is_shown() -> None:
    day = asking_day()
    (first,) = day.until(2)
    live = Live(day.board)
    (stop,) = live.json()["stops"]
    assert (stop["asked"]["unit_id"], stop["promised"]) == ("1A2", [])
    day.answer(first, 3, "en_route")
    day.until(3)
    (stop,) = live.json()["stops"]
    assert (stop["asked"], stop["promised"][0]["suggestion_id"]) == (None, "S1/1")
    day.keep_alive(HOME | {"1A2": HOME["1A1"]}, 60, 90)
    day.until(91)
    (stop,) = live.json()["stops"]
    assert (stop["there"], stop["short"], stop["flag"]) == (["1A2"], 0, "covered")


def test_somebody_out_of_all_reach_is_named() -> None:
    day = Day(within_s=5, drive_max_s=5)
    day.on_duty({"1A1": (0, 0), "1A2": (2800, 2100)})
    day.shows("1A3", 0, "out_of_service")
    day.seen("1A3", 0, (700, 0))
    day.stop("S1", "1A1", 1, place=(0, 0))
    day.until(1)
    (stop,) = Live(day.board).json()["stops"]
    (near,) = stop["nearest"]
    assert (near["unit_id"], near["askable"]) == ("1A2", True)
    assert near["drive_time_s"] == pytest.approx(490, abs=0.1)


def test_a_helper_has_an_agency_and_a_kind() -> None:
    day = Day()
    agencies = {"kinds": {"County": "sheriff"}}
    day.board = Board(day.board.net, Settings.model_validate({"agencies": agencies}))
    day.on_duty(HOME)
    day.shows("1A2", 1, agency="County")
    day.stop("S1", "1A1", 1, place=HOME["1A1"])
    day.until(2)
    live = Live(day.board).json()
    kinds = {one["unit_id"]: (one["agency"], one["kind"]) for one in live["units"]}
    assert kinds["1A2"] == ("County", "sheriff")
    assert kinds["1A1"] == ("", "police")
    (stop,) = live["stops"]
    assert [stop["nearest"][0][name] for name in ("unit_id", "kind")] == ["1A2", "sheriff"]
    assert (stop["asked"]["unit_id"], stop["asked"]["kind"]) == ("1A2", "sheriff")


def test_an_old_fix_is_called_old() -> None:
    day = Day()
    day.on_duty(HOME)
    day.until(1000)
    units = {one["unit_id"]: one for one in Live(day.board).json()["units"]}
    assert units["1A1"]["freshness"] == "stale"
    assert datetime.fromisoformat(units["1A1"]["fixed_at"]) == later(0)
    assert not of(object, day.said)
    assert units["1A1"]["muted"] is False
    assert datetime.fromtimestamp(day.board.now_s, UTC) == later(1000)


def test_a_unit_that_never_said_its_status_is_shown_all_the_same() -> None:
    day = Day()
    day.seen("1A1", 0, (0, 0))
    day.shows("1A2", 0)
    day.until(1)
    (unit,) = Live(day.board).json()["units"]
    assert (unit["unit_id"], unit["status"]) == ("1A1", None)


def test_a_board_that_knows_nothing_shows_nothing(denver: RoadNetwork) -> None:
    assert Live(Board(denver, Settings())).json()["at"] is None

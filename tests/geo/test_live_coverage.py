"""Coverage now equals `rollby coverage`; a thought equals units that really stand there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from shapely.geometry import box

from data.beats import Beat
from geo.as_json import coverage_json
from geo.coverage import cover, edge_within_s
from geo.live_coverage import Covering, Idle, idle_units
from geo.starts import starts_of
from maps.live_map import band_codes
from maps.streets import streets
from tests.geo.test_board import TOWN, Day, later
from tests.geo.towns import at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo.board import Board

PLACES = {"1A1": (0.0, 0.0), "1A2": (700.0, 350.0), "1A3": (2800.0, 2100.0), "2B1": (1400.0, 100.0)}
WEST = box(*at(-100, -100), *at(1000, 3000))
BEATS = (
    Beat(name="West", within_s=260.0, area=WEST),
    Beat(name="East", within_s=300.0, area=box(*at(1000, -100), *at(9000, 3000))),
)


def evening(places: dict[str, tuple[float, float]]) -> Board:
    """Four on duty; one is on a stop, one has not reported for long."""
    day = Day(within_s=240)
    day.on_duty(places)
    day.keep_alive({name: place for name, place in places.items() if name != "2B1"}, 1000)
    day.stop("S", "1A1", 1001, place=(0.0, 0.0))
    day.until(1002)
    return day.board


@pytest.mark.parametrize("beats", [(), BEATS])
def test_it_equals_what_is_worked_out_anew(beats: Sequence[Beat]) -> None:
    board = evening(PLACES)
    idle = idle_units(board)
    assert idle.unit_ids == ("1A2", "1A3")
    covering = Covering(TOWN, 240.0, beats)
    drive_time_s = covering.drive_times_s(idle)
    now = board.now()
    anew = cover(TOWN, board.units(), board.stops(), now=now, settings=board.settings, beats=beats)
    np.testing.assert_array_equal(drive_time_s, np.column_stack([anew.first_s, anew.second_s]))
    told, whole = covering.shares(idle, drive_time_s), coverage_json(anew, TOWN, beats)
    for car in ("first", "second"):
        assert told["all"][car] == whole[car]["share_within"]
        for beat, known in zip(told["beats"], whole.get("beats", ()), strict=True):
            assert beat["beat"] == known["beat"]
            assert beat[car] == known[car]["share_within"]
    assert len(told["beats"]) == len(beats)
    assert 0 < told["all"]["second"] < told["all"]["first"] <= 1


def test_a_thought_equals_units_that_stand_there_and_changes_nothing() -> None:
    board, there = evening(PLACES), (1400.0, 1400.0)
    idle = idle_units(board)
    covering = Covering(TOWN, 240.0, BEATS)
    before_s = covering.drive_times_s(idle)
    now_s, then_s = covering.with_moved(idle, {"1A3": at(*there), "1A1": at(0.0, 0.0)})
    np.testing.assert_array_equal(now_s, before_s)
    np.testing.assert_array_equal(covering.drive_times_s(idle), before_s)
    moved = idle_units(evening({**PLACES, "1A3": there}))
    np.testing.assert_array_equal(then_s, covering.drive_times_s(moved))
    assert not np.array_equal(then_s, now_s)


def test_who_is_put_far_from_any_road_covers_nothing() -> None:
    idle = idle_units(evening(PLACES))
    covering = Covering(TOWN, 240.0, ())
    _, then_s = covering.with_moved(idle, {"1A3": at(90_000.0, 0.0)})
    alone = covering.drive_times_s(idle.seen_by(lambda unit_id: unit_id != "1A3"))
    np.testing.assert_array_equal(then_s, alone)
    assert np.isinf(then_s[:, 1]).all()


def test_bands_are_of_the_t_of_each_place_and_the_worse_direction_counts() -> None:
    drawn, limit_s = streets(TOWN.table), edge_within_s(TOWN, BEATS, 240.0)
    nobody = np.full(len(limit_s), np.inf)
    assert set(band_codes(drawn, nobody, limit_s)) == {"4"}
    assert set(band_codes(drawn, limit_s, limit_s)) == {"1"}
    assert set(band_codes(drawn, limit_s / 2, limit_s)) == {"0"}
    one_way_slow = np.where(TOWN.table.reversed, 1.5 * limit_s, 0.0)
    assert set(band_codes(drawn, one_way_slow, limit_s)) <= {"0", "2"}
    assert "2" in band_codes(drawn, one_way_slow, limit_s)


def test_nobody_idle_covers_nothing() -> None:
    idle = Idle(at=later(0), unit_ids=(), starts=starts_of(TOWN, []))
    covering = Covering(TOWN, 240.0, ())
    assert covering.shares(idle, covering.drive_times_s(idle))["all"]["first"] == 0

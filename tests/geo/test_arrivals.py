"""Askings are seen again as the board saw them, with what came of them; the truth is recovered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from data.events import AnswerKind
from data.records import StopPhase
from data.said import Suggested
from data.settings import Settings
from geo.arrivals import read_arrivals, routine_drives, spells
from geo.board import Board
from geo.calibrate import calibrate
from geo.network import RoadNetwork
from geo.shift.plan import ShiftPlan
from geo.shift.world import simulate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from geo.arrivals import Asked
    from geo.calibrate import Fit
    from geo.shift.world import ShiftRecord

# Fixes often and good, and quick answers: what is left is how long drives take.
PLAN = ShiftPlan(
    hours=5,
    units=16,
    stops_per_unit_hour=1.5,
    calls_per_unit_hour=0.2,
    dead_zones=0,
    answer_s=1.0,
    moving_s=5.0,
    parked_s=10.0,
    noise_m=1.0,
)


@pytest.fixture(scope="module")
def net(sample_dir: Path) -> RoadNetwork:
    """Downtown Denver."""
    return RoadNetwork.load(sample_dir / "denver.roads")


@pytest.fixture(scope="module")
def shift(net: RoadNetwork) -> ShiftRecord:
    """An evening with many stops."""
    return simulate(net, PLAN, seed=1, dispatcher=Board(net, Settings()))


@pytest.fixture(scope="module")
def asked(net: RoadNetwork, shift: ShiftRecord) -> list[Asked]:
    """Its askings."""
    return read_arrivals(net, shift.history, settings=Settings())


def test_each_asking_is_seen_as_the_board_saw_it(shift: ShiftRecord, asked: list[Asked]) -> None:
    made = {
        (one.stop_id, one.unit_id, one.at_s): one.tau_s
        for one in shift.said
        if isinstance(one, Suggested)
    }
    seen = {
        (one.answer.stop_id, one.answer.unit_id, one.answer.asked_at.timestamp()): one.tau_s
        for one in asked
    }
    assert len(seen) > 100
    assert seen.keys() <= made.keys()
    assert len(seen) > 0.98 * len(made)
    assert all(tau_s == pytest.approx(made[key]) for key, tau_s in seen.items())


def test_what_came_of_it_is_the_truth(shift: ShiftRecord, asked: list[Asked]) -> None:
    came = shift.truth.came
    for one in asked:
        at_s = one.answer.asked_at.timestamp()
        if one.arrived_s is not None and one.answer.suggestion_id in came:
            assert one.arrived_s <= came[one.answer.suggestion_id] - at_s + 1
        if one.answer.answer is AnswerKind.CANT:
            assert one.comes is False
        if one.anyone_s is not None and one.arrived_s is not None:
            assert one.anyone_s <= one.arrived_s
    assert sum(one.first for one in asked) == len({one.answer.stop_id for one in asked})


def test_who_was_spared_the_answer_did_not_refuse(asked: list[Asked]) -> None:
    assert any(one.comes is None for one in asked)
    assert all(one.answer.answer is None for one in asked if one.comes is None)


def test_askings_that_the_settings_forbid_are_left_out(
    net: RoadNetwork, shift: ShiftRecord
) -> None:
    shy = Settings.model_validate({"policy": {"asks_per_hour_max": 1}})
    assert len(read_arrivals(net, shift.history, settings=shy)) < len(shift.history.answers)


def within(fit: Fit, truth: float) -> bool:
    """Tell whether an interval holds the truth."""
    assert fit.low is not None
    assert fit.high is not None
    return fit.low <= truth <= fit.high


@pytest.mark.parametrize("seed", [2, 3])
def test_how_drives_scatter_is_recovered_on_other_shifts(net: RoadNetwork, seed: int) -> None:
    other = simulate(net, PLAN, seed=seed, dispatcher=Board(net, Settings()))
    found = calibrate(read_arrivals(net, other.history, settings=Settings()), ())
    assert within(found.spread, PLAN.drive_spread)


@pytest.mark.parametrize("city", ["denver", "Helsinki"])
def test_how_drives_scatter_is_recovered_though_fixes_are_old(
    city: str, denver: RoadNetwork, real_roads: Callable[[str], RoadNetwork]
) -> None:
    roads = denver if city == "denver" else real_roads(city)
    usual = ShiftPlan(hours=5, units=16, stops_per_unit_hour=1.5)
    hits = 0
    for seed in range(1, 5):
        other = simulate(roads, usual, seed=seed, dispatcher=Board(roads, Settings()))
        found = calibrate(read_arrivals(roads, other.history, settings=Settings()), ())
        hits += within(found.spread, usual.drive_spread)
    assert hits >= 3  # intervals of 95 %: of four, one may miss


def test_who_was_let_go_and_came_at_another_asking_arrived_at_that_one(
    shift: ShiftRecord, asked: list[Asked]
) -> None:
    again = {
        (one.answer.stop_id, one.answer.unit_id): one
        for one in asked
        if one.comes and one.arrived_s is None
    }
    came = {
        (one.answer.stop_id, one.answer.unit_id)
        for one in asked
        if one.arrived_s is not None and one.answer.suggestion_id in shift.truth.came
    }
    assert again.keys() & came
    assert all(one.arrived_s is None or one.arrived_s <= one.driven_s for one in asked)


def test_the_truth_of_a_simulated_shift_is_recovered(
    shift: ShiftRecord, asked: list[Asked]
) -> None:
    found = calibrate(asked, spells(shift.history))
    assert within(found.spread, PLAN.drive_spread)
    assert within(found.comes, PLAN.comes)
    minutes, go_on = PLAN.phase_min, PLAN.goes_on
    tow = minutes[StopPhase.AWAITING_TOW]
    custody = minutes[StopPhase.CUSTODY] + go_on[StopPhase.CUSTODY] * tow
    secured = minutes[StopPhase.SECURED] + go_on[StopPhase.SECURED] * custody
    contact = minutes[StopPhase.CONTACT] + go_on[StopPhase.CONTACT] * secured
    assert within(found.duration_min["contact"], contact)
    assert within(found.duration_min["secured"], secured)
    assert found.unit.brier is not None
    assert found.unit.reference is not None
    assert found.unit.brier < 0.8 * found.unit.reference


def test_a_stop_still_lasts_from_each_phase_to_its_end(shift: ShiftRecord) -> None:
    found = spells(shift.history)
    assert sum(one.phase is StopPhase.CONTACT for one in found) == len(shift.truth.stops)
    assert all(one.minutes >= 0 for one in found)
    assert {one.ended for one in found} == {True, False}


def test_the_way_to_a_stop_is_a_track(shift: ShiftRecord) -> None:
    tracks = routine_drives(shift.history)
    assert len(tracks) > 50
    assert all((np.diff(track.at_s) > 0).all() for track in tracks)
    assert routine_drives(replace(shift.history, on_scene=())) == []

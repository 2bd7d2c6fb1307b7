"""Minutes short of officers from a record: by hand, and as the simulation's truth has them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from data.events import Fixes, History, OnScene, SeenBy, StatusChange, StopChange
from data.records import Stop, StopPhase, UnitStatus
from data.settings import Settings
from geo.compare import measure, watched
from geo.exposed import exposed_stops
from geo.network import RoadNetwork
from geo.shift.plan import ShiftPlan

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 13, 18, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def was_there(unit_id: str, since: float, until: float | None) -> OnScene:
    return OnScene(
        stop_id="S1",
        unit_id=unit_id,
        arrived_at=after(since),
        left_at=None if until is None else after(until),
        seen_by=SeenBy.REPORT,
    )


def history(
    *on_scene: OnScene, needs: int = 2, ends: float | None = 20, own: int = 1, other: int = 1
) -> History:
    """A stop of 20 minutes, and a last word five minutes later."""
    none = np.zeros(0)
    stop = Stop(stop_id="S1", unit_id="1A1", started_at=START, needs=needs)
    ended = StopChange(
        stop=Stop(
            stop_id="S1",
            unit_id="1A1",
            started_at=START,
            ended_at=after(ends) if ends else None,
            phase=StopPhase.CLEARED if ends else StopPhase.SECURED,
            needs=needs,
        ),
        at=after(ends or 1),
    )
    return History(
        fixes=Fixes(
            unit_ids=(),
            unit_row=np.zeros(0, np.int32),
            **dict.fromkeys(
                (
                    "fixed_at_s",
                    "received_at_s",
                    "lon_deg",
                    "lat_deg",
                    "heading_deg",
                    "speed_mps",
                    "accuracy_m",
                ),
                none,
            ),
        ),
        statuses=tuple(
            StatusChange(unit_id=unit, at=at, status=UnitStatus.BUSY, officers=officers)
            for at, unit, officers in (
                (START, "1A1", own),
                (START, "1A2", other),
                (after(25), "1A2", 1),
            )
        ),
        stops=(StopChange(stop=stop, at=START), ended),
        on_scene=on_scene,
    )


@pytest.mark.parametrize(
    ("given", "minutes"),
    [
        (history(), 20),
        (history(own=2), 0),
        (history(was_there("1A2", 5, 12)), 13),
        (history(was_there("1A2", 5, None)), 5),
        (history(was_there("1A2", 5, 99)), 5),
        (history(was_there("1A2", 5, 12), was_there("1A3", 10, 15)), 10),
        (history(was_there("1A2", 5, 12), needs=3), 20),
        (history(was_there("1A2", 5, 12), needs=3, other=2), 13),
        (history(was_there("1A1", 5, 12)), 20),
        (history(ends=None), 25),
    ],
)
def test_by_hand(given: History, minutes: float) -> None:
    (stop,) = exposed_stops(given)
    assert stop.exposed_min == pytest.approx(minutes)


def test_who_came_is_named_once() -> None:
    twice = history(was_there("1A2", 1, 2), was_there("1A3", 2, 3), was_there("1A2", 4, 5))
    assert exposed_stops(twice)[0].came == ("1A2", "1A3")


def test_a_record_says_what_the_truth_was(sample_dir: Path) -> None:
    net = RoadNetwork.load(sample_dir / "denver.roads")
    plan = ShiftPlan(hours=0.5, units=12, stops_per_unit_hour=1.5)
    record = watched(net, plan, Settings(), "ours", 4)
    stops = exposed_stops(record.history)
    assert len(stops) == len(record.truth.stops) >= 10
    minutes = [stop.exposed_min for stop in stops]
    assert minutes == sorted(minutes, reverse=True)
    # One is counted in steps of ten seconds, and an open stop up to the last that was recorded.
    assert sum(minutes) == pytest.approx(measure(record).exposure_min, abs=len(stops) / 3)


def test_a_stop_cleared_without_an_end_is_over_when_it_is_cleared() -> None:
    given = history(ends=None)
    told = given.stops[0]
    cleared = StopChange(stop=replace(told.stop, phase=StopPhase.CLEARED), at=after(12))
    (found,) = exposed_stops(replace(given, stops=(told, cleared)))
    assert (found.lasted_min, found.exposed_min) == (12, 12)

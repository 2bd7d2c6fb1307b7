"""What holds exactly at a bound, and which figure a bound is held against."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from data.records import Ask, Flag
from data.settings import Policy, Settings
from geo.backup import chance_within, flag_stop
from geo.coverage import cover
from geo.dispatch import advise
from geo.router import search_back
from geo.snap import snap
from tests.geo.towns import NOW, TEN_MPS, at, stop, town, unit

if TYPE_CHECKING:
    from data.answers import StopAdvice
    from data.records import Unit
    from geo.network import RoadNetwork

STREET = {"W": (0.0, 0.0), "E": (30000.0, 0.0)}


@pytest.fixture(scope="module")
def street() -> RoadNetwork:
    """Thirty kilometres of Main Street, driven at 10 m/s."""
    return town(STREET, [{"ends": ["W", "E"], "name": "Main Street", "maxspeed": TEN_MPS}])


def advice_on(net: RoadNetwork, *units: Unit, **more: Any) -> StopAdvice:
    """Advice on a stop at 10 km."""
    first = unit("1A1", at(10000, 0), status="on_stop")
    return advise(net, [first, *units], [stop("S1", "1A1")], now=NOW, **more).stops[0]


@pytest.mark.parametrize(
    ("minutes_ago", "asked"), [(60, False), (59, True), (0, True), (-1, False)]
)
def test_the_last_hour_ends_now_and_begins_after_its_first_instant(
    street: RoadNetwork,
    minutes_ago: float,
    asked: bool,  # noqa: FBT001 - a case
) -> None:
    settings = Settings.model_validate({"policy": {"asks_per_hour_max": 1}})
    asks = [Ask(stop_id="S", unit_id="1A2", asked_at=NOW - timedelta(minutes=minutes_ago))]
    one = advice_on(street, unit("1A2", at(9400, 0)), settings=settings, asked=asks)
    assert (one.suggestion is None) is asked


def test_a_parked_cars_heading_costs_it_no_turn(street: RoadNetwork) -> None:
    away = unit("1A2", at(9400, 0), heading_deg=270)
    parked = advice_on(street, away)
    moving = advice_on(street, replace(away, fix=replace(away.fix, speed_mps=8)))
    assert parked.nearest[0].drive_time_s == pytest.approx(60, abs=0.1)
    assert moving.nearest[0].drive_time_s == pytest.approx(80, abs=0.1)


def test_arriving_from_either_side_costs_no_turn(street: RoadNetwork) -> None:
    for heading in (90, 270):
        end = snap(street, *at(10000, 3), heading, arriving=True)
        start = snap(street, *at(9000, 3))
        assert end
        assert start
        assert search_back(street, end).drive_time_s(start) == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize(
    ("within_s", "east_m", "age_s", "sent"),
    [
        (180, 4100, 0, True),  # 590 s
        (180, 3900, 0, False),  # 610 s, past 600
        (180, 4100, 30, False),  # 590 s, and 612.5 allowing for the age
        (400, 3000, 0, True),  # 700 s, within twice T
        (400, 1900, 0, False),  # 810 s
    ],
)
def test_the_longest_drive_is_held_against_tau(
    street: RoadNetwork,
    within_s: float,
    east_m: float,
    age_s: float,
    sent: bool,  # noqa: FBT001 - a case
) -> None:
    policy = {"within_s": within_s, "coverage_weight": 0}
    settings = Settings.model_validate({"policy": policy})
    one = advice_on(street, unit("1A2", at(east_m, 0), age_s=age_s), settings=settings)
    assert (one.suggestion is not None) is sent


def test_units_out_of_service_make_no_stops(street: RoadNetwork) -> None:
    idle = unit("1A2", at(9400, 0))
    off = [unit(f"1X{i}", at(500, 0), status="out_of_service") for i in range(20)]
    alone, crowded = advice_on(street, idle), advice_on(street, idle, *off)
    assert alone.suggestion
    assert crowded.suggestion
    assert crowded.suggestion.score == alone.suggestion.score


def test_equally_exposed_stops_come_oldest_first_unknown_before_all(street: RoadNetwork) -> None:
    units = [unit(f"1A{i}", at(1000.0 * i, 0), status="on_stop") for i in (1, 2, 3)]
    stops = [stop("young", "1A1", minutes=2), stop("old", "1A2", minutes=20)]
    answers = advise(street, units, stops, now=NOW).stops
    assert [one.stop_id for one in answers] == ["status:1A3", "old", "young"]


def test_alone_begins_below_its_bound() -> None:
    policy = Policy(comes_when_asked=1.0)
    assert flag_stop([0.6], short=1, policy=policy) is Flag.THIN
    assert flag_stop([0.6 - 1e-9], short=1, policy=policy) is Flag.ALONE


def test_a_drive_of_less_than_a_second_counts_as_one() -> None:
    policy = Policy()
    assert chance_within(0.0, 1.5, policy) == chance_within(1.0, 1.5, policy)


def test_a_gap_begins_past_t_and_where_nobody_comes(street: RoadNetwork) -> None:
    units = [unit("1A1", at(14000, 0)), unit("1A2", at(14000, 0))]
    second_s = float(cover(street, units, now=NOW).second_s[0])
    assert second_s == pytest.approx(100, abs=0.1)
    for within_s, is_gap in ((second_s, False), (second_s - 0.001, True)):
        settings = Settings.model_validate({"policy": {"within_s": within_s}})
        assert cover(street, units, now=NOW, settings=settings).gap.all() == is_gap
    nobody_second = cover(street, units[:1], now=NOW)
    assert nobody_second.gap.all()
    assert np.isinf(nobody_second.second_s).all()

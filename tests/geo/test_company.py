"""Backup counts where it is, once, and only if something proves it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from data.records import Flag, Unit
from data.settings import Settings
from geo.dispatch import advise
from tests.geo.towns import NOW, TEN_MPS, at, stop, town, unit

if TYPE_CHECKING:
    from data.answers import StopAdvice
    from geo.network import RoadNetwork

STREET = {"W": (0.0, 0.0), "M": (3000.0, 0.0), "E": (30000.0, 0.0)}


@pytest.fixture(scope="module")
def street() -> RoadNetwork:
    """Thirty kilometres of Main Street, driven at 10 m/s."""
    return town(STREET, [{"ends": ["W", "M", "E"], "name": "Main Street", "maxspeed": TEN_MPS}])


def answers(
    net: RoadNetwork, units: list[Unit], stops: list[Any], **more: Any
) -> dict[str, StopAdvice]:
    """Advice by stop."""
    return {one.stop_id: one for one in advise(net, units, stops, now=NOW, **more).stops}


def on_stop(unit_id: str, east_m: float, **more: Any) -> Unit:
    """A unit on a stop."""
    return unit(unit_id, at(east_m, 0), status="on_stop", **more)


def test_two_that_back_each_other_up_on_stops_of_their_own_are_alone(street: RoadNetwork) -> None:
    units = [on_stop("A", 1000), on_stop("C", 1500)]
    stops = [stop("S1", "A", backup=("C",)), stop("S2", "C", backup=("A",))]
    both = answers(street, units, stops)
    for stop_id, other, on in (("S1", "C", "S2"), ("S2", "A", "S1")):
        note = f"backup {other} is on stop {on}: not counted"
        assert both[stop_id].flag is Flag.ALONE
        assert both[stop_id].backup_probability == 0
        assert both[stop_id].notes == (note,)


@pytest.mark.parametrize("status", ["busy", "on_scene", "out_of_service"])
def test_a_busy_car_is_not_on_its_way(street: RoadNetwork, status: str) -> None:
    units = [on_stop("A", 1000), unit("B", at(1500, 0), status=status)]
    one = answers(street, units, [stop("S1", "A", backup=("B",))])["S1"]
    assert one.flag is Flag.ALONE
    assert one.notes == (f"backup B shows {status.replace('_', ' ')}: not counted",)


def test_a_car_listed_for_two_stops_counts_at_the_nearer(street: RoadNetwork) -> None:
    units = [on_stop("A", 1000), on_stop("C", 1080), unit("B", at(1010, 0), status="on_scene")]
    stops = [stop("S1", "A", backup=("B",)), stop("S2", "C", backup=("B",))]
    both = answers(street, units, stops)
    assert (both["S1"].officers_present, both["S1"].flag) == (2, Flag.COVERED)
    assert (both["S2"].officers_present, both["S2"].flag) == (1, Flag.ALONE)
    assert both["S2"].notes == ("backup B is nearer to S1: not counted",)


def test_a_car_that_went_by_two_minutes_ago_is_not_there(street: RoadNetwork) -> None:
    passing = unit("B", at(1030, 0), status="en_route", age_s=130, speed_mps=25)
    one = answers(street, [on_stop("A", 1000), passing], [stop("S1", "A", backup=("B",))])["S1"]
    assert (one.officers_present, one.flag) == (1, Flag.ALONE)
    assert one.notes == ("backup B was last seen here 2:10 min ago: not counted",)
    waiting = unit("B", at(1030, 0), status="on_scene", age_s=400)
    one = answers(street, [on_stop("A", 1000), waiting], [stop("S1", "A", backup=("B",))])["S1"]
    assert one.officers_present == 2


def test_a_car_in_its_own_backup_list_is_noted(street: RoadNetwork) -> None:
    one = answers(street, [on_stop("A", 1000)], [stop("S1", "A", backup=("A",))])["S1"]
    assert one.officers_present == 1
    assert one.notes == ("A is listed as its own backup: not counted again",)


def test_a_unit_on_two_stops_is_noted_at_both(street: RoadNetwork) -> None:
    stops = [stop("S1", "A"), stop("S2", "A", at(4000, 0))]
    both = answers(street, [on_stop("A", 1000)], stops)
    assert "A is also on S2: check which one goes on" in both["S1"].notes
    assert "A is also on S1: check which one goes on" in both["S2"].notes


def test_out_of_service_beside_the_stop_is_not_there(street: RoadNetwork) -> None:
    units = [on_stop("A", 1000), unit("B", at(1010, 0), status="out_of_service")]
    one = answers(street, units, [stop("S1", "A", backup=("B",))])["S1"]
    assert one.officers_present == 1
    assert one.notes == ("backup B shows out of service: not counted",)


@pytest.mark.parametrize(
    ("east_m", "age_s", "counted"), [(1000, 10, 2), (1000, 1200, 1), (9000, 10, 1)]
)
def test_a_two_officer_car_counts_where_it_is(
    street: RoadNetwork, east_m: float, age_s: float, counted: int
) -> None:
    units = [on_stop("A", east_m, officers=2, age_s=age_s)]
    one = answers(street, units, [stop("S1", "A", at(1000, 0))])["S1"]
    assert one.officers_present == counted
    assert any("counted as one" in note for note in one.notes) is (counted == 1)


def test_backup_far_out_is_shown_with_its_time(street: RoadNetwork) -> None:
    near = [unit(f"N{i}", at(1100 + i, 0), status="busy") for i in range(5)]
    coming = unit("B", at(9000, 0), status="en_route", speed_mps=20)
    units = [on_stop("A", 1000), coming, *near]
    one = answers(street, units, [stop("S1", "A", backup=("B",))])["S1"]
    assert "B is on its way, 13:20 by road" in one.notes
    assert one.why_none
    assert one.why_none.startswith("B is on its way, 13:20 by road")


def test_busy_cars_nearby_change_nothing(street: RoadNetwork) -> None:
    settings = Settings.model_validate({"policy": {"within_s": 300}})
    idle = [on_stop("A", 1000), unit("B", at(7500, 0))]
    alone = answers(street, idle, [stop("S1", "A")], settings=settings)["S1"]
    near = [unit(f"N{i}", at(1100 + i, 0), status="busy") for i in range(5)]
    crowded = answers(street, [*idle, *near], [stop("S1", "A")], settings=settings)["S1"]
    assert alone.backup_probability == crowded.backup_probability > 0
    assert crowded.why_none == "the nearest that could be asked, B, is 10:54 away (limit 10:00)"


def test_a_coarse_fix_is_not_asked(street: RoadNetwork) -> None:
    coarse = unit("B", at(1500, 0))
    coarse = replace(coarse, fix=replace(coarse.fix, accuracy_m=2000))
    one = answers(street, [on_stop("A", 1000), coarse], [stop("S1", "A")])["S1"]
    assert one.suggestion is None
    assert one.why_none
    assert one.why_none.startswith("no unit could be asked: 1 with too coarse a fix")


def test_little_to_gain_is_said(street: RoadNetwork) -> None:
    settings = Settings.model_validate({"policy": {"comes_when_asked": 0.01}})
    units = [on_stop("A", 1000), unit("B", at(1500, 0))]
    one = answers(street, units, [stop("S1", "A")], settings=settings)["S1"]
    assert one.why_none == (
        "B could be there in 0:54, but would bring only 0.1 minutes of a second officer"
    )


def test_a_cut_off_road_that_was_passed_over_is_named() -> None:
    nodes = {"W": (0.0, 0.0), "E": (1000.0, 0.0), "X": (300.0, 60.0), "Y": (700.0, 60.0)}
    streets = [{"ends": ["W", "E"], "name": "Main Street"}, {"ends": ["X", "Y"], "name": "I 83"}]
    one = answers(town(nodes, streets), [on_stop("A", 500)], [stop("S1", "A", at(500, 50))])["S1"]
    assert "I 83 is nearer and cut off from the other roads: Main Street is used" in one.notes
    assert one.street == "Main Street"

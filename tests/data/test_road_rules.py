"""Which ways a patrol car drives, and which way round: every rule of docs/roads.md."""

from __future__ import annotations

import pytest

from data.roads.rules import (
    NODE_TAGS,
    ROAD_CLASSES,
    WAY_TAGS,
    blocks,
    count_left_out,
    directed,
    directions,
    reason_left_out,
    sign,
)

FORWARD, BACKWARD, BOTH = (True, False), (False, True), (True, True)


def reason(**tags: str) -> str:
    return reason_left_out({"highway": "residential"} | tags)


@pytest.mark.parametrize("highway", ROAD_CLASSES)
def test_roads_for_cars_are_driven(highway: str) -> None:
    assert reason(highway=highway) == ""


@pytest.mark.parametrize(
    "highway",
    [
        "track",
        "path",
        "footway",
        "cycleway",
        "pedestrian",
        "steps",
        "raceway",
        "busway",
        "corridor",
    ],
)
def test_ways_for_others_are_left_out(highway: str) -> None:
    assert reason(highway=highway) == "ways not for cars"


@pytest.mark.parametrize("highway", ["construction", "proposed", "planned"])
def test_roads_not_built_yet_are_left_out(highway: str) -> None:
    assert reason(highway=highway) == "roads not built yet"


@pytest.mark.parametrize("service", ["alley", "parking_aisle", "driveway", "drive-through"])
def test_service_roads_may_be_driven(service: str) -> None:
    assert (
        reason(highway="service", service=service) == ""
    )  # `data.roads.joining` has yet to see it
    assert reason(highway="service") == ""


def test_ferries_areas_and_abandoned_roads_are_left_out() -> None:
    assert reason_left_out({"route": "ferry"}) == "ferries"
    assert reason(route="ferry") == "ferries"
    assert reason(area="yes") == "areas"
    assert reason(abandoned="yes") == reason(disused="yes") == "abandoned roads"


def test_a_route_on_a_road_takes_nothing_away() -> None:
    assert reason(route="road") == ""
    assert reason_left_out({"route": "hiking"}) == "ways not for cars"


@pytest.mark.parametrize(
    "value", ["yes", "permissive", "destination", "customers", "designated", "public", "unknown"]
)
def test_roads_open_to_somebody_are_driven(value: str) -> None:
    assert reason(access=value) == ""


@pytest.mark.parametrize(
    "value", ["no", "agricultural", "forestry", "delivery", "military", "permit", "any_other"]
)
@pytest.mark.parametrize("key", ["access", "vehicle", "motor_vehicle", "motorcar"])
def test_closed_roads_are_left_out(key: str, value: str) -> None:
    assert reason(**{key: value}) == "closed roads"


def test_private_roads_are_left_out_and_told_apart() -> None:
    assert reason(access="private") == "private roads"
    assert reason(highway="service", access="private") == "private roads"


def test_the_most_particular_access_decides() -> None:
    assert reason(access="no", motor_vehicle="yes") == ""
    assert reason(access="yes", motor_vehicle="no") == "closed roads"
    assert reason(access="no", vehicle="no", motor_vehicle="no", motorcar="yes") == ""
    assert reason(motorcar="no", motor_vehicle="yes", access="yes") == "closed roads"
    assert reason(access="private", motor_vehicle="unknown") == "private roads"


def test_one_of_several_values_is_enough() -> None:
    assert reason(access="delivery;customers") == ""
    assert reason(access="delivery; destination") == ""
    assert reason(access="forestry;agricultural") == "closed roads"


@pytest.mark.parametrize("value", ["yes", "designated"])
def test_emergency_access_opens_a_closed_road(value: str) -> None:
    assert reason(access="no", emergency=value) == ""
    assert reason(access="private", emergency=value) == ""
    assert reason(access="no", emergency="no") == "closed roads"
    assert reason(access="emergency") == ""


def test_access_may_differ_by_direction() -> None:
    tags = {"highway": "residential", "motor_vehicle:backward": "no"}
    assert directions(tags) == FORWARD
    assert reason(**{"vehicle:forward": "no", "vehicle:backward": "no"}) == "closed roads"
    assert reason(**{"oneway": "yes", "motor_vehicle:forward": "no"}) == "closed roads"


@pytest.mark.parametrize(
    ("oneway", "expected"),
    [
        ("yes", FORWARD),
        ("true", FORWARD),
        ("1", FORWARD),
        ("-1", BACKWARD),
        ("reverse", BACKWARD),
        ("no", BOTH),
        ("false", BOTH),
        ("0", BOTH),
        ("alternating", BOTH),
        ("what is this", BOTH),
    ],
)
def test_oneway(oneway: str, expected: tuple[bool, bool]) -> None:
    assert directions({"highway": "primary", "oneway": oneway}) == expected


def test_streets_are_two_way_unless_tagged() -> None:
    assert directions({"highway": "residential"}) == BOTH


@pytest.mark.parametrize(
    "tags",
    [
        {"highway": "motorway"},
        {"highway": "motorway_link"},
        {"highway": "residential", "junction": "roundabout"},
        {"highway": "tertiary", "junction": "circular"},
    ],
)
def test_motorways_and_roundabouts_are_one_way_unless_tagged(tags: dict[str, str]) -> None:
    assert directions(tags) == FORWARD
    assert directions(tags | {"oneway": "no"}) == BOTH
    assert directions(tags | {"oneway": "-1"}) == BACKWARD


def test_other_links_are_two_way_unless_tagged() -> None:
    assert directions({"highway": "trunk_link"}) == BOTH


def test_reversible_roads_are_left_out() -> None:
    assert reason(oneway="reversible") == "reversible roads"


def test_a_oneway_for_cars_goes_before_the_general_one() -> None:
    assert directions({"highway": "road", "oneway": "yes", "oneway:motor_vehicle": "no"}) == BOTH
    assert directions({"highway": "road", "oneway:vehicle": "yes"}) == FORWARD


def test_maxspeed_is_that_of_the_direction() -> None:
    tags = {"maxspeed": "40 mph", "maxspeed:backward": "25 mph"}
    assert directed(tags, "maxspeed", "forward") == "40 mph"
    assert directed(tags, "maxspeed", "backward") == "25 mph"
    assert directed({}, "maxspeed", "forward") == ""


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"highway": "traffic_signals"}, ("traffic_signals", 0)),
        (
            {"highway": "traffic_signals", "traffic_signals:direction": "forward"},
            ("traffic_signals", 1),
        ),
        ({"highway": "stop", "direction": "backward"}, ("stop", -1)),
        ({"highway": "give_way", "direction": "both"}, ("give_way", 0)),
        ({"highway": "stop", "direction": "NE"}, ("stop", 0)),
        ({"highway": "mini_roundabout", "direction": "clockwise"}, ("mini_roundabout", 0)),
        ({"highway": "turning_circle"}, ("turning_circle", 0)),
        ({"highway": "crossing", "crossing": "traffic_signals"}, ("crossing", 0)),
        ({"highway": "street_lamp"}, ("", 0)),
        ({"barrier": "gate"}, ("gate", 0)),
        ({"barrier": "toll_booth", "highway": "crossing"}, ("toll_booth", 0)),
        ({"barrier": "gate", "highway": "stop", "direction": "forward"}, ("stop", 1)),
        ({"barrier": "gate", "access": "no"}, ("", 0)),
        ({"barrier": "gate", "access": "no", "highway": "crossing"}, ("crossing", 0)),
        ({"barrier": "kerb"}, ("", 0)),
        ({"highway": "bus_stop", "direction": "forward"}, ("", 0)),
        ({}, ("", 0)),
    ],
)
def test_signs_keep_their_text_and_whom_they_face(
    tags: dict[str, str], expected: tuple[str, int]
) -> None:
    assert sign(tags) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"barrier": "bollard"}, True),
        ({"barrier": "jersey_barrier"}, True),
        ({"barrier": "bollard", "access": "yes"}, False),
        ({"barrier": "bollard", "emergency": "yes"}, False),
        ({"barrier": "gate"}, False),
        ({"barrier": "gate", "access": "private"}, True),
        ({"barrier": "lift_gate", "motor_vehicle": "no"}, True),
        ({"barrier": "gate", "access": "private", "emergency": "yes"}, False),
        ({"barrier": "toll_booth"}, False),
        ({"barrier": "cattle_grid"}, False),
        ({"access": "no"}, False),
        ({}, False),
    ],
)
def test_barriers(tags: dict[str, str], *, expected: bool) -> None:
    assert blocks(tags) is expected


def test_what_was_left_out_is_told_the_most_frequent_first() -> None:
    told = count_left_out({"ferries": 1, "service roads": 1204, "areas": 1})
    assert told == "service roads: 1,204; areas: 1; ferries: 1"
    assert count_left_out({}) == ""


def test_every_tag_a_rule_reads_is_asked_of_osmnx() -> None:
    class Recorder(dict[str, str]):
        def __init__(self, **tags: str) -> None:
            super().__init__(tags)
            self.read: set[str] = set()

        def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
            self.read.add(key)
            return super().get(key, default)

        def __contains__(self, key: object) -> bool:
            self.read.add(str(key))
            return super().__contains__(key)

    way = Recorder(highway="primary", access="private")
    reason_left_out(way)
    directions(way)
    directed(way, "maxspeed", "forward")
    directed(way, "maxspeed", "backward")
    assert way.read <= set(WAY_TAGS)
    node = Recorder(highway="stop", barrier="gate")
    sign(node)
    blocks(node)
    assert node.read - {f"{key}:forward" for key in NODE_TAGS} <= set(NODE_TAGS)

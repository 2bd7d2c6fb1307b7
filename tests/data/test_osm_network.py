"""The awkward cases of road data, each through OSMnx (.osm) and through pyosmium (.osm.pbf)."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pytest

from data.osm import build_roads
from data.road_table import EARTH_RADIUS_M
from data.roads.rules import PASSABLE_BARRIERS
from tests.data.osm_texts import PLACES, Relation, Way, bans_of, edges_of, osm_text, to_pbf, turn

if TYPE_CHECKING:
    from pathlib import Path

    from data.road_table import RoadTable

STREET = {"highway": "residential"}
ONE_WAY = {"highway": "residential", "oneway": "yes"}
AISLE = {"highway": "service", "service": "parking_aisle"}
BOLLARD_AT_2 = {2: {"barrier": "bollard"}}


class Read(Protocol):
    def __call__(self, ways: list[Way], **more: Any) -> RoadTable: ...


@pytest.fixture(params=["osmnx", "pyosmium"])
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Read:
    def read_text(ways: list[Way], *, service_roads: bool = False, **more: Any) -> RoadTable:
        osm = tmp_path / "roads.osm"
        osm.write_text(osm_text(ways, **more), encoding="utf-8")
        path = to_pbf(osm) if request.param == "pyosmium" else osm
        return build_roads(osm=path, service_roads=service_roads)

    return read_text


def both_ways(*edges: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    return sorted([*edges, *((head, tail, way) for tail, head, way in edges)])


def reached(table: RoadTable, node_id: int) -> set[int]:
    """Ways that one can drive onto from a node."""
    nodes, ways, before = {node_id}, set[int](), -1
    while len(nodes) != before:
        before = len(nodes)
        for tail, head, way in edges_of(table):
            if tail in nodes:
                nodes.add(head)
                ways.add(way)
    return ways


def distance_m(*node_ids: int) -> float:
    """Sum of great circles by the spherical law of cosines, another formula than ours."""
    total = 0.0
    for here, there in itertools.pairwise(node_ids):
        lon, lat = map(math.radians, PLACES[here])
        to_lon, to_lat = map(math.radians, PLACES[there])
        total += EARTH_RADIUS_M * math.acos(
            math.sin(lat) * math.sin(to_lat)
            + math.cos(lat) * math.cos(to_lat) * math.cos(to_lon - lon)
        )
    return total


def test_a_street_is_two_edges_with_all_columns(read: Read) -> None:
    tags = STREET | {
        "name": 'Böhm & Söhne "Straße"',
        "ref": "PA 34;US 11",
        "maxspeed": "25 mph",
        "lanes": "2",
        "surface": "paving_stones:30",
    }
    table = read([(7, [1, 2, 3], tags)])
    assert edges_of(table) == [(1, 3, 7), (3, 1, 7)]
    assert table.reversed.tolist() == [False, True]
    assert table.oneway.tolist() == [False, False]
    for edge in (0, 1):
        assert {key: table.text(key, edge) for key in ("highway", "junction", *tags)} == {
            "junction": "",
            **tags,
        }
    assert np.array_equal(table.shape(0)[0], [PLACES[node][0] for node in (1, 2, 3)])
    assert np.array_equal(table.shape(1)[1], [PLACES[node][1] for node in (3, 2, 1)])
    assert table.length_m.tolist() == pytest.approx([distance_m(1, 2, 3)] * 2, rel=1e-6)


def test_roads_are_cut_where_they_meet_and_nowhere_else(read: Read) -> None:
    table = read([(1, [1, 2, 3, 4, 5], STREET), (2, [6, 3, 7], STREET)])
    assert edges_of(table) == both_ways((1, 3, 1), (3, 5, 1), (3, 6, 2), (3, 7, 2))


def test_an_edge_stays_within_one_way(read: Read) -> None:
    table = read([(1, [1, 2, 3], STREET | {"maxspeed": "30"}), (2, [3, 4], STREET)])
    assert edges_of(table) == both_ways((1, 3, 1), (3, 4, 2))


@pytest.mark.parametrize("sign", ["traffic_signals", "stop", "give_way", "mini_roundabout"])
def test_signs_cut_a_road_and_keep_whom_they_face(read: Read, sign: str) -> None:
    node_tags = {2: {"highway": sign, "direction": "backward"}}
    table = read([(1, [1, 2, 3], STREET)], node_tags=node_tags)
    assert edges_of(table) == both_ways((1, 2, 1), (2, 3, 1))
    row = table.node_id.tolist().index(2)
    assert table.text("node_highway", row) == sign
    assert table.node_direction.tolist() == [0, -1, 0]


@pytest.mark.parametrize("barrier", sorted(PASSABLE_BARRIERS))
def test_a_barrier_that_cars_pass_cuts_a_road_and_keeps_its_text(read: Read, barrier: str) -> None:
    node_tags = {2: {"barrier": barrier, "highway": "crossing"}}
    table = read([(1, [1, 2, 3], STREET)], node_tags=node_tags)
    assert edges_of(table) == both_ways((1, 2, 1), (2, 3, 1))
    assert [table.text("node_highway", row) for row in range(3)] == ["", barrier, ""]


def test_a_signal_beside_a_gate_is_the_signal(read: Read) -> None:
    node_tags = {2: {"barrier": "gate", "highway": "traffic_signals"}}
    table = read([(1, [1, 2, 3], STREET)], node_tags=node_tags)
    assert table.text("node_highway", 1) == "traffic_signals"


def test_a_gate_closed_to_cars_parts_the_road_and_charges_nothing(read: Read) -> None:
    node_tags = {2: {"barrier": "gate", "access": "private"}}
    table = read([(1, [1, 2, 3], STREET)], node_tags=node_tags)
    assert table.node_id.tolist() == [1, -1, 2, 3]
    assert not table.node_highway.any()


def test_crossings_are_kept_at_nodes_but_cut_nothing(read: Read) -> None:
    node_tags = {2: {"highway": "crossing"}, 3: {"highway": "crossing"}}
    table = read([(1, [1, 2, 3], STREET)], node_tags=node_tags)
    assert edges_of(table) == both_ways((1, 3, 1))
    assert table.text("node_highway", 1) == "crossing"


def test_oneway_runs_one_way(read: Read) -> None:
    table = read([(1, [1, 2, 3], ONE_WAY)])
    assert edges_of(table) == [(1, 3, 1)]
    assert table.oneway.tolist() == [True]
    assert table.reversed.tolist() == [False]


@pytest.mark.parametrize("value", ["-1", "reverse"])
def test_oneway_against_the_drawing_runs_reversed(read: Read, value: str) -> None:
    table = read([(1, [1, 2, 3], STREET | {"oneway": value})])
    assert edges_of(table) == [(3, 1, 1)]
    assert table.oneway.tolist() == [True]
    assert table.reversed.tolist() == [True]
    assert np.array_equal(table.shape(0)[0], [PLACES[node][0] for node in (3, 2, 1)])


def test_oneway_values_that_mean_something_to_osmnx_alone(read: Read) -> None:
    table = read([(1, [1, 2, 3], STREET | {"oneway": "T"})])
    assert edges_of(table) == both_ways((1, 3, 1))
    assert table.reversed.tolist() == [False, True]


def test_alternating_oneway_is_two_way(read: Read) -> None:
    table = read([(1, [1, 2], STREET | {"oneway": "alternating"})])
    assert edges_of(table) == both_ways((1, 2, 1))
    assert not table.oneway.any()


def test_reversible_roads_are_left_out_and_counted(read: Read) -> None:
    table = read([(1, [1, 2], STREET), (2, [2, 3], STREET | {"oneway": "reversible"})])
    assert edges_of(table) == both_ways((1, 2, 1))
    assert table.source.left_out == "reversible roads: 1"


def test_motorways_and_their_links_run_one_way_untagged(read: Read) -> None:
    table = read([(1, [1, 2], {"highway": "motorway"}), (2, [2, 3], {"highway": "motorway_link"})])
    assert edges_of(table) == [(1, 2, 1), (2, 3, 2)]


def test_maxspeed_is_that_of_each_edges_direction(read: Read) -> None:
    tags = STREET | {"maxspeed": "30", "maxspeed:forward": "50"}
    table = read([(1, [1, 2], tags), (2, [3, 4], tags | {"oneway": "-1"})])
    speeds = {edge: table.text("maxspeed", row) for row, edge in enumerate(edges_of(table))}
    assert speeds == {(1, 2, 1): "50", (2, 1, 1): "30", (4, 3, 2): "30"}


def test_a_roundabout_runs_one_way_between_its_roads(read: Read) -> None:
    ring = (1, [1, 2, 3, 4, 1], STREET | {"junction": "roundabout"})
    table = read([ring, (2, [2, 5], STREET), (3, [4, 6], STREET)])
    ring_edges = [edge for edge in edges_of(table) if edge[2] == 1]
    assert ring_edges == [(2, 4, 1), (4, 2, 1)]
    assert {table.text("junction", row) for row in np.flatnonzero(table.oneway).tolist()} == {
        "roundabout"
    }
    rows = [row for row, edge in enumerate(edges_of(table)) if edge[2] == 1]
    assert table.length_m[rows].sum() == pytest.approx(distance_m(1, 2, 3, 4, 1), rel=1e-6)


def test_a_ring_that_meets_nothing_is_a_loop_at_its_smallest_node(read: Read) -> None:
    table = read([(1, [4, 5, 3, 4], STREET), (2, [9, 8, 7, 9], ONE_WAY)])
    assert edges_of(table) == [(3, 3, 1), (3, 3, 1), (7, 7, 2)]
    assert table.reversed.tolist() == [False, True, False]
    assert table.length_m.tolist() == pytest.approx(
        [distance_m(3, 4, 5, 3)] * 2 + [distance_m(7, 9, 8, 7)], rel=1e-6
    )


def test_a_lollipop_is_a_stem_and_a_loop(read: Read) -> None:
    table = read([(1, [1, 2, 3, 4, 5, 3], STREET)])
    assert edges_of(table) == [(1, 3, 1), (3, 1, 1), (3, 3, 1), (3, 3, 1)]
    assert table.length_m.sum() == pytest.approx(2 * distance_m(1, 2, 3, 4, 5, 3), rel=1e-6)


def test_a_way_that_crosses_itself_is_cut_there(read: Read) -> None:
    table = read([(1, [1, 2, 3, 4, 2, 5], ONE_WAY)])
    assert edges_of(table) == [(1, 2, 1), (2, 2, 1), (2, 5, 1)]


def test_parallel_roads_between_the_same_crossings_stay_apart(read: Read) -> None:
    table = read([(1, [1, 2, 5], STREET), (2, [1, 3, 5], STREET), (3, [1, 5], STREET)])
    assert edges_of(table) == sorted([(1, 5, way) for way in (1, 2, 3)]) + [
        (5, 1, way) for way in (1, 2, 3)
    ]


def test_roads_drawn_twice_are_both_kept(read: Read) -> None:
    table = read([(1, [1, 2, 3], STREET), (2, [1, 2, 3], STREET)])
    assert edges_of(table) == both_ways((1, 2, 1), (1, 2, 2), (2, 3, 1), (2, 3, 2))


def test_a_node_repeated_in_a_row_counts_once(read: Read) -> None:
    table = read([(1, [1, 2, 2, 2, 3], STREET), (2, [4, 4], STREET)])
    assert edges_of(table) == both_ways((1, 3, 1))
    assert table.length_m[0] == pytest.approx(distance_m(1, 2, 3), rel=1e-6)


def test_nodes_at_one_place_make_an_edge_without_length(read: Read) -> None:
    places = {1: (10.0, 50.0), 2: (10.0, 50.0), 3: (10.1, 50.0)}
    table = read([(1, [1, 2], STREET), (2, [2, 3], STREET)], places=places)
    assert table.length_m[edges_of(table).index((1, 2, 1))] == 0.0


def test_roads_never_jump_a_gap_that_the_extract_cut(read: Read) -> None:
    table = read([(1, [1, 2, 3, 4, 5], STREET), (2, [5, 6], STREET)], missing=[3])
    assert edges_of(table) == both_ways((1, 2, 1), (4, 5, 1), (5, 6, 2))
    assert table.source.left_out == "roads cut off at the edge of the data: 1"


def test_dead_ends_at_the_boundary_and_loose_pieces_stay(read: Read) -> None:
    table = read([(1, [1, 2, 3], STREET), (2, [7, 8], STREET)], missing=[3])
    assert edges_of(table) == both_ways((1, 2, 1), (7, 8, 2))


def test_ids_below_zero_and_past_forty_bits(read: Read) -> None:
    ids = [-7, -1, 2**53 + 1, 2**62]
    places = {node: (10 + 0.001 * row**2, 50.0) for row, node in enumerate(ids)}
    table = read([(-9, ids[:2], STREET), (2**60, ids[1:], STREET)], places=places)
    assert edges_of(table) == both_ways((-7, -1, -9), (-1, 2**62, 2**60))


def test_a_bollard_parts_a_road(read: Read) -> None:
    table = read([(1, [1, 2, 3], STREET)], node_tags={2: {"barrier": "bollard"}})
    assert edges_of(table) == [(1, 2, 1), (-1, 3, 1), (2, 1, 1), (3, -1, 1)]
    assert table.source.left_out == "roads closed by a barrier: 1"
    assert table.node_id.tolist() == [1, -1, 2, 3]
    assert table.lon_deg[1] == PLACES[2][0]
    assert table.length_m.sum() == pytest.approx(2 * distance_m(1, 2, 3), rel=1e-6)


def test_a_bollard_between_ways_parts_them(read: Read) -> None:
    ways: list[Way] = [(2, [1, 2], STREET), (1, [3, 2], STREET)]
    table = read(ways, node_tags={2: {"barrier": "bollard"}})
    assert edges_of(table) == [(1, -1, 2), (-1, 1, 2), (2, 3, 1), (3, 2, 1)]


def test_a_barrier_at_a_crossing_is_passed_over(read: Read) -> None:
    node_tags = {2: {"barrier": "bollard"}}
    table = read([(1, [1, 2, 3], STREET), (2, [2, 4], STREET)], node_tags=node_tags)
    assert edges_of(table) == both_ways((1, 2, 1), (2, 3, 1), (2, 4, 2))


RING = [2, 6, 9, 2]  # anticlockwise, for PLACES bend left as they rise


@pytest.mark.parametrize(
    ("more", "drives_left"),
    [
        ({}, False),
        ({"refs": RING}, False),
        ({"refs": RING[::-1]}, True),
        ({"refs": RING, "oneway": "-1"}, True),
        ({"refs": RING[::-1], "oneway": "no"}, False),
        ({"refs": [9, 6, 2]}, False),
        ({"node_tags": {2: {"highway": "mini_roundabout", "direction": "clockwise"}}}, False),
        (
            {
                "node_tags": {
                    node: {"highway": "mini_roundabout", "direction": "clockwise"}
                    for node in (1, 2, 3)
                }
            },
            True,
        ),
        ({"node_tags": {2: {"highway": "mini_roundabout", "direction": "anticlockwise"}}}, False),
        ({"node_tags": {2: {"highway": "stop", "direction": "clockwise"}}}, False),
        ({"relation": {"type": "boundary", "driving_side": "left"}}, True),
        ({"relation": {"type": "boundary", "driving_side": "left"}, "refs": RING}, True),
        ({"relation": {"type": "boundary", "driving_side": "right"}, "refs": RING[::-1]}, False),
        ({"relation": {"type": "route", "driving_side": "left"}}, False),
        ({"all_ways": "left", "relation": {"type": "boundary", "driving_side": "right"}}, True),
        ({"all_ways": "right", "refs": RING[::-1]}, False),
        ({"one_way": "left"}, False),
    ],
)
def test_the_side_they_drive_on(read: Read, more: dict[str, Any], *, drives_left: bool) -> None:
    every = {"driving_side": more["all_ways"]} if "all_ways" in more else {}
    one = {"driving_side": more["one_way"]} if "one_way" in more else {}
    ways: list[Way] = [(1, [1, 2, 3], STREET | every | one), (2, [3, 4], STREET | every)]
    if "refs" in more:
        ring = {"junction": "roundabout", "oneway": more.get("oneway", "yes")}
        ways.append((3, more["refs"], STREET | every | ring))
    relations: list[Relation] = [(7, [], more["relation"])] if "relation" in more else []
    table = read(ways, node_tags=more.get("node_tags"), relations=relations)
    assert table.source.drives_left is drives_left


def test_turn_restrictions_are_bans(read: Read) -> None:
    ways: list[Way] = [(1, [1, 5], STREET), (2, [5, 2], STREET), (3, [3, 5], STREET)]
    kinds = {7: "no_left_turn", 8: "only_straight_on", 9: "no_entry", 10: "no_u_turn"}
    relations: list[Relation] = [
        (7, turn(1, 5, 2), {"type": "restriction", "restriction": kinds[7]}),
        (-8, turn(2, 5, 3), {"type": "restriction", "restriction:motorcar": kinds[8]}),
        (2**50, turn(1, 5, 2), {"type": "restriction", "restriction:hgv": kinds[9]}),
        (11, turn(3, 5, 77), {"type": "restriction", "restriction": kinds[10]}),
        (12, turn(3, 5, 1), {"type": "restriction", "restriction:conditional": "no_u_turn @ (x)"}),
        (13, turn(3, 5, 1), {"type": "route", "route": "bus"}),
        (7, turn(1, 5, 2), {"type": "restriction", "restriction": kinds[7]}),
    ]
    table = read(ways, relations=relations)
    assert bans_of(table) == [
        [(1, 5, 1), (5, 2, 2)],
        [(2, 5, 2), (5, 1, 1)],
        [(2, 5, 2), (5, 2, 2)],
    ]
    assert table.source.left_out == (
        "turn restrictions by the hour: 1; turn restrictions with members missing: 1"
    )


def test_turn_restrictions_between_roads_not_driven_are_not_counted(read: Read) -> None:
    ways: list[Way] = [(1, [1, 5], STREET), (2, [5, 2], {"highway": "service"})]
    relation = (7, turn(1, 5, 2), {"type": "restriction", "restriction": "no_left_turn"})
    table = read(ways, relations=[relation])
    assert table.ban_count == 0
    assert table.source.left_out == "service roads: 1"
    assert read(ways, relations=[relation], service_roads=True).ban_count == 1


def test_turn_restrictions_at_the_edge_of_the_data_are_counted(read: Read) -> None:
    ways: list[Way] = [(1, [1, 5], STREET), (2, [5, 2], STREET), (3, [3, 4], STREET)]
    relation = (7, turn(1, 5, 2), {"type": "restriction", "restriction": "no_left_turn"})
    table = read(ways, relations=[relation], missing=[2])
    assert table.ban_count == 0
    assert table.source.left_out == (
        "roads cut off at the edge of the data: 1; turn restrictions with members missing: 1"
    )


def test_turn_restrictions_survive_a_barrier_beside_them(read: Read) -> None:
    ways: list[Way] = [(1, [1, 5], STREET), (2, [5, 6, 2], STREET), (3, [3, 5], STREET)]
    relations: list[Relation] = [
        (7, turn(1, 5, 2), {"type": "restriction", "restriction": "no_left_turn"}),
        (8, turn(2, 6, 2), {"type": "restriction", "restriction": "no_straight_on"}),
    ]
    table = read(ways, relations=relations, node_tags={6: {"barrier": "bollard"}})
    assert bans_of(table) == [[(1, 5, 1), (5, 6, 2)]]
    assert table.source.left_out == "roads closed by a barrier: 1"


def test_turn_restrictions_among_ids_of_any_size(read: Read) -> None:
    ids = [-7, -1, 2**53 + 1, 2**62]
    places = {node: (10 + 0.001 * row**2, 50.0) for row, node in enumerate(ids)}
    ways: list[Way] = [(-9, ids[:2], STREET), (2**60, ids[1:3], STREET), (5, ids[2:], STREET)]
    relations: list[Relation] = [
        (-1, turn(-9, -1, 2**60), {"type": "restriction", "restriction": "no_straight_on"}),
        (
            2**61,
            turn(2**60, 2**53 + 1, 5),
            {"type": "restriction", "restriction": "no_straight_on"},
        ),
    ]
    table = read(ways, places=places, relations=relations)
    assert sorted(bans_of(table)) == [
        [(-7, -1, -9), (-1, 2**53 + 1, 2**60)],
        [(-1, 2**53 + 1, 2**60), (2**53 + 1, 2**62, 5)],
    ]


def test_what_is_left_out_is_counted_by_reason(read: Read) -> None:
    table = read(
        [
            (1, [1, 2], STREET),
            (2, [2, 3], {"highway": "service", "service": "alley"}),
            (3, [3, 4], {"route": "ferry"}),
            (4, [4, 5], STREET | {"access": "private"}),
            (5, [5, 6], {"highway": "construction"}),
            (6, [6, 7], {"highway": "footway"}),
            (7, [7, 8], {"highway": "footway"}),
            (8, [8, 9], {"waterway": "river"}),
        ]
    )
    assert edges_of(table) == both_ways((1, 2, 1))
    assert table.source.left_out == (
        "ways not for cars: 2; ferries: 1; private roads: 1; roads not built yet: 1; "
        "service roads: 1"
    )


def test_service_roads_on_request(read: Read) -> None:
    ways: list[Way] = [(1, [1, 2], {"highway": "service"}), (2, [2, 3], STREET)]
    table = read(ways, service_roads=True)
    assert edges_of(table) == both_ways((1, 2, 1), (2, 3, 2))
    assert table.source.service_roads
    assert table.source.left_out == ""


def test_service_roads_that_join_streets_are_taken_unasked(read: Read) -> None:
    streets: list[Way] = [(1, [1, 2, 3], STREET)]
    lane, drive = {"highway": "service"}, {"highway": "service", "service": "driveway"}
    ways: list[Way] = [*streets, (4, [1, 5, 6], lane), (5, [6, 3], lane), (6, [5, 7], lane)]
    table = read([*ways, (7, [2, 8, 6], drive), (8, [2, 9], lane)])
    assert edges_of(table) == both_ways((1, 3, 1), (1, 6, 4), (3, 6, 5))
    assert not table.source.service_roads
    assert table.source.left_out == "service roads: 3"


def test_a_street_behind_a_car_park_is_reached(read: Read) -> None:
    ways: list[Way] = [(1, [1, 2, 3], STREET), (2, [8, 9], STREET)]
    ways += [(3, [2, 5], AISLE), (4, [5, 8], {"highway": "service"}), (5, [5, 6], AISLE)]
    table = read([*ways, (6, [1, 7, 3], AISLE)])
    # The aisle that leads around by the street alone, and the dead end, are left out.
    roads = [(1, 2, 1), (2, 3, 1), (2, 5, 3), (5, 8, 4), (8, 9, 2)]
    assert edges_of(table) == both_ways(*roads)
    assert table.source.left_out == "service roads: 2"


@pytest.mark.parametrize("oneway", ["yes", "-1"])
def test_a_street_that_one_ways_only_leave_or_enter_is_reached_over_its_aisle(
    read: Read, oneway: str
) -> None:
    ways: list[Way] = [(1, [1, 2, 3], STREET), (2, [8, 9], STREET)]
    ways += [(3, [8, 3], STREET | {"oneway": oneway}), (4, [2, 5, 8], AISLE)]
    table = read(ways)
    one_way = (8, 3, 3) if oneway == "yes" else (3, 8, 3)
    two_way = both_ways((1, 2, 1), (2, 3, 1), (8, 9, 2), (2, 8, 4))
    assert edges_of(table) == sorted([*two_way, one_way])


@pytest.mark.parametrize("aisles", [0, 1])
def test_an_aisle_at_a_barrier_opens_no_street(read: Read, aisles: int) -> None:
    ways: list[Way] = [(1, [1, 2], STREET), (2, [2, 3], STREET), (3, [1, 7, 3], STREET)]
    ways += [(4, [2, 6], AISLE)] * aisles
    table = read(ways, node_tags=BOLLARD_AT_2)
    ends = {edge[:2] for edge in edges_of(table) if edge[2] in {1, 2}}
    assert len({node for pair in ends for node in pair} - {1, 3}) == 2  # the barrier's two sides
    assert "roads closed by a barrier: 1" in table.source.left_out


@pytest.mark.parametrize("aisle", [[2, 6, 3], [3, 6, 2], [1, 7, 2, 6, 3]])
@pytest.mark.parametrize("here", [[1, 2], [2, 1]])
@pytest.mark.parametrize("there", [[2, 3], [3, 2]])
def test_an_aisle_leads_around_no_barrier_however_it_is_drawn(
    read: Read, here: list[int], there: list[int], aisle: list[int]
) -> None:
    table = read([(1, here, STREET), (2, there, STREET), (9, aisle, AISLE)], node_tags=BOLLARD_AT_2)
    assert sorted(edge[2] for edge in edges_of(table)) == [1, 1, 2, 2]
    assert reached(table, 1) == {1}
    assert reached(table, 3) == {2}
    assert table.source.left_out == "roads closed by a barrier: 1; service roads: 1"


@pytest.mark.parametrize("street", [[2, 9], [9, 2]])
@pytest.mark.parametrize(
    "aisles", [[[1, 5, 2]], [[2, 1]], [[1, 2, 3]], [[3, 2, 1]], [[1, 5, 2], [3, 6, 2]]]
)
def test_a_street_that_ends_at_a_barrier_on_an_aisle_is_closed_there(
    read: Read, street: list[int], aisles: list[list[int]]
) -> None:
    ways: list[Way] = [(1, [1, 4, 3], STREET), (2, street, STREET)]
    ways += [(row, refs, AISLE) for row, refs in enumerate(aisles, 3)]
    table = read(ways, node_tags=BOLLARD_AT_2)
    # No aisle is driven, for none leads to a street; the street's own end keeps its node.
    assert edges_of(table) == both_ways((1, 3, 1), (2, 9, 2))
    counts = {"roads closed by a barrier: 1", f"service roads: {len(aisles)}"}
    assert set(table.source.left_out.split("; ")) == counts


def test_an_aisle_goes_on_past_the_end_of_a_street_that_a_barrier_closes(read: Read) -> None:
    ways: list[Way] = [(1, [1, 3], STREET), (2, [2, 9], STREET), (4, [6, 7], STREET)]
    table = read([*ways, (3, [1, 2, 6], AISLE)], node_tags=BOLLARD_AT_2)
    assert reached(table, 1) == {1, 3, 4}
    assert reached(table, 9) == {2}
    assert table.source.left_out == "roads closed by a barrier: 1"


@pytest.mark.parametrize(("arms", "beyond"), [([], set()), ([(7, [5, 9], AISLE)], {2, 3, 4})])
def test_a_barrier_between_two_aisles_closes_them(
    read: Read, arms: list[Way], beyond: set[int]
) -> None:
    ways: list[Way] = [(1, [1, 3], STREET), (2, [6, 8], STREET)]
    ways += [(3, [1, 5], AISLE), (4, [5, 6], AISLE)]
    table = read([*ways, *arms], node_tags={5: {"barrier": "bollard"}})
    assert reached(table, 1) == {1} | beyond
    assert "closed" not in table.source.left_out  # what it parts is driven on no side


def test_with_all_service_roads_a_barrier_parts_aisles_as_it_does_streets(read: Read) -> None:
    ways: list[Way] = [(1, [1, 2], STREET), (2, [2, 3], AISLE), (3, [2, 4], AISLE)]
    passed_over = read(ways, node_tags=BOLLARD_AT_2, service_roads=True)
    assert reached(passed_over, 1) == {1, 2, 3}
    parted = read(ways[:2], node_tags=BOLLARD_AT_2, service_roads=True)
    assert reached(parted, 1) == {1}
    assert parted.source.left_out == "roads closed by a barrier: 1"


def test_what_kind_of_service_road_is_kept(read: Read) -> None:
    ways: list[Way] = [(1, [1, 2], {"highway": "service", "service": "alley"}), (2, [2, 3], STREET)]
    table = read(ways, service_roads=True)
    kinds = {edge[2]: table.text("service", row) for row, edge in enumerate(edges_of(table))}
    assert kinds == {1: "alley", 2: ""}


def test_the_date_is_the_newest_change_of_a_road(read: Read) -> None:
    table = read([(1, [1, 2], STREET), (3, [2, 3], STREET), (8, [3, 4], {"highway": "path"})])
    assert table.source.date == "2024-05-04T00:00:00Z"


def test_ways_in_another_order_give_the_same_table(read: Read) -> None:
    ways: list[Way] = [
        (4, [1, 2, 3, 4, 1], STREET),
        (2, [3, 5], ONE_WAY | {"name": "B"}),
        (3, [9, 8, 7, 9], STREET),
        (1, [5, 6, 1], STREET | {"name": "A"}),
    ]
    here, there = read(ways), read(ways[::-1])
    assert edges_of(here) == edges_of(there)
    assert here.texts == there.texts == ("", "A", "B", "residential")
    for column in ("node_id", "lon_deg", "length_m", "name", "shape_start", "shape_lon_deg"):
        assert np.array_equal(getattr(here, column), getattr(there, column)), column

"""Seconds per turn: angles, sides, signs, and where a car may turn round."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from geo.drive_model import RESPONSE, ROUTINE, DriveModel
from geo.network import RoadNetwork
from geo.turns import bearings_deg, may_turn_round, turn_seconds
from tests.geo.towns import town

CROSS = {
    "W": (-200.0, 0.0),
    "M": (0.0, 0.0),
    "E": (200.0, 0.0),
    "N": (0.0, 200.0),
    "S": (0.0, -200.0),
}
CROSSING: list[dict[str, Any]] = [{"ends": ["W", "M", "E"]}, {"ends": ["S", "M", "N"]}]


def edge(net: RoadNetwork, nodes: dict[str, Any], tail: str, head: str) -> int:
    rows = list(nodes)
    ends = (net.table.tail == rows.index(tail)) & (net.table.head == rows.index(head))
    (found,) = np.flatnonzero(ends)
    return int(found)


def turn_s(
    net: RoadNetwork, names: str, nodes: dict[str, Any] = CROSS, model: DriveModel = ROUTINE
) -> float:
    """Price of the passage over three named nodes."""
    before = np.array([edge(net, nodes, names[0], names[1])])
    after = np.array([edge(net, nodes, names[1], names[2])])
    return float(turn_seconds(net.table, before, after, net.twin[before] == after, model)[0])


def left_hand(net: RoadNetwork) -> RoadNetwork:
    source = replace(net.table.source, drives_left=True)
    return RoadNetwork.from_table(replace(net.table, source=source))


def test_turns_at_a_crossing() -> None:
    net = town(CROSS, CROSSING)
    straight, right, left = (turn_s(net, names) for names in ("WME", "WMS", "WMN"))
    assert straight < 0.05
    assert 2 < right < left < 8.5
    assert turn_s(net, "WMW") == pytest.approx(27.5, abs=0.1)


def test_the_turn_across_traffic_is_the_dearer_one_on_either_side() -> None:
    net = town(CROSS, CROSSING)
    other = left_hand(net)
    assert turn_s(other, "WMS") == pytest.approx(turn_s(net, "WMN"))
    assert turn_s(other, "WMN") == pytest.approx(turn_s(net, "WMS"))
    free = replace(ROUTINE, oncoming_s=0.0)
    wait = turn_s(net, "WMN") - turn_s(net, "WMN", model=free)
    assert 0.9 < wait < ROUTINE.oncoming_s
    assert turn_s(net, "WMS") == turn_s(net, "WMS", model=free)


def test_a_bend_where_nothing_joins_costs_nothing() -> None:
    ell = {"A": (0.0, 0.0), "B": (200.0, 0.0), "C": (200.0, 200.0)}
    assert turn_s(town(ell, [{"ends": ["A", "B", "C"]}]), "ABC", ell) == 0


@pytest.mark.parametrize(
    ("sign", "seconds"),
    [
        ("traffic_signals", ROUTINE.signals_s),
        ("stop", ROUTINE.stop_s),
        ("give_way", ROUTINE.give_way_s),
        ("mini_roundabout", ROUTINE.give_way_s),
        ("toll_booth", ROUTINE.toll_s),
        ("gate", ROUTINE.gate_s),
        ("lift_gate", ROUTINE.gate_s),
        ("crossing", 0.0),
    ],
)
def test_what_stands_at_a_junction_costs(sign: str, seconds: float) -> None:
    plain, signed = town(CROSS, CROSSING), town(CROSS, CROSSING, {"M": sign})
    assert turn_s(signed, "WME") - turn_s(plain, "WME") == pytest.approx(seconds)


LINE = {"A": (0.0, 0.0), "B": (200.0, 0.0), "C": (400.0, 0.0)}


def test_signals_ahead_of_a_junction_cost_less_than_those_in_it() -> None:
    net = town(LINE, [{"ends": ["A", "B", "C"]}], {"B": "traffic_signals"})
    assert turn_s(net, "ABC", LINE) == ROUTINE.signals_ahead_s < ROUTINE.signals_s


def test_a_sign_for_one_direction_costs_only_that() -> None:
    both = town(LINE, [{"ends": ["A", "B", "C"]}], {"B": "stop"})
    faces = np.array([0, 1, 0], np.int8)
    net = RoadNetwork.from_table(replace(both.table, node_direction=faces))
    assert turn_s(net, "ABC", LINE) == ROUTINE.stop_s
    assert turn_s(net, "CBA", LINE) == 0


def test_the_smaller_road_waits_for_the_larger() -> None:
    large = [CROSSING[0] | {"highway": "primary"}, CROSSING[1]]
    net, even = town(CROSS, large), town(CROSS, CROSSING)
    for names in ("SMN", "SMW"):  # across it, and left into it
        assert turn_s(net, names) - turn_s(even, names) == pytest.approx(ROUTINE.yield_s)
    for names in ("SME", "WME", "WMN"):  # away from its traffic, and along it
        assert turn_s(net, names) == pytest.approx(turn_s(even, names))
    lit = town(CROSS, large, {"M": "traffic_signals"})
    assert turn_s(lit, "SMN") == pytest.approx(turn_s(even, "SMN") + ROUTINE.signals_s)
    assert turn_s(left_hand(net), "SMW") == pytest.approx(turn_s(left_hand(even), "SMW"))
    link = [CROSSING[0] | {"highway": "primary"}, CROSSING[1] | {"highway": "primary_link"}]
    assert turn_s(town(CROSS, link), "SMN") == pytest.approx(turn_s(even, "SMN"))


RING = {
    "W": (-60.0, 0.0),
    "a": (-20.0, 0.0),
    "b": (0.0, -20.0),
    "c": (20.0, 0.0),
    "d": (0.0, 20.0),
    "S": (0.0, -60.0),
    "E": (60.0, 0.0),
}


def test_a_roundabout_is_paid_at_the_entry_and_not_inside() -> None:
    ring = {"ends": ["a", "b", "c", "d", "a"], "oneway": True, "junction": "roundabout"}
    arms: list[dict[str, Any]] = [{"ends": ["W", "a"]}, {"ends": ["S", "b"]}, {"ends": ["E", "c"]}]
    net = town(RING, [ring, *arms])
    assert turn_s(net, "abc", RING) == turn_s(net, "bcd", RING) == 0
    assert turn_s(net, "Wab", RING) > 0
    other = left_hand(net)
    across = replace(ROUTINE, oncoming_s=100.0)
    assert turn_s(other, "Wab", RING, across) == turn_s(other, "Wab", RING)


@pytest.mark.parametrize("highway", ["motorway", "motorway_link"])
def test_nobody_turns_round_on_a_motorway(highway: str) -> None:
    net = town(CROSS, [CROSSING[0] | {"highway": highway}, CROSSING[1]])
    assert turn_s(net, "WMW") == np.inf
    assert turn_s(net, "SMS") < np.inf
    may = may_turn_round(net.table)
    assert may.tolist() == [False] * 4 + [True] * 4
    west = edge(net, CROSS, "W", "M")
    onward = net.forward.arcs_of(west)[:, 0]
    assert int(net.twin[west]) not in onward.tolist()
    assert len(onward) == 3


def test_only_two_way_roads_are_turned_round_on() -> None:
    one_way = town(CROSS, [CROSSING[0] | {"oneway": True}, CROSSING[1]])
    assert may_turn_round(one_way.table).tolist() == [False] * 2 + [True] * 4
    ring = town(CROSS, [CROSSING[0] | {"junction": "circular"}, CROSSING[1]])
    assert may_turn_round(ring.table).tolist() == [False] * 4 + [True] * 4


def test_with_lights_and_siren_turning_round_is_quicker_and_signals_slower() -> None:
    net = town(CROSS, CROSSING, {"M": "traffic_signals"})
    assert turn_s(net, "WMW", model=RESPONSE) < turn_s(net, "WMW")
    assert turn_s(net, "WME", model=RESPONSE) > turn_s(net, "WME")


def test_repeated_shape_points_do_not_turn_a_road() -> None:
    plain: list[dict[str, Any]] = [{"ends": ["W", "M", "E"]}, {"ends": ["M", "N"]}]
    nodes = {name: CROSS[name] for name in "WMEN"}
    bent: list[dict[str, Any]] = [
        {"ends": ["W", "M"], "via": [nodes["W"], nodes["W"], nodes["M"], nodes["M"]]},
        {"ends": ["M", "E"], "via": [nodes["M"], nodes["M"], nodes["E"]]},
        {"ends": ["M", "N"]},
    ]
    for names in ("WME", "EMW", "WMN", "NME"):
        expected = turn_s(town(nodes, plain), names, nodes)
        assert turn_s(town(nodes, bent), names, nodes) == pytest.approx(expected, abs=0.002)


def test_an_edge_across_the_date_line_bears_the_short_way() -> None:
    net = RoadNetwork.from_arrays(
        lon_deg=[179.999, -179.999], lat_deg=[0.0, 0.0], tail=[0, 1], head=[1, 0], time_s=[9.0, 9.0]
    )
    leave_deg, reach_deg = bearings_deg(net.table)
    assert leave_deg.tolist() == reach_deg.tolist() == [90.0, 270.0]

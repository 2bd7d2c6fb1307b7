"""Seconds per edge and per turn, and where they come from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from geo.network import RoadNetwork
from geo.speeds import CLASS_KMH, edge_speeds_mps, sign_speed_mps
from tests.geo.towns import town

LINE = {"A": (0.0, 0.0), "B": (3000.0, 0.0), "C": (6000.0, 0.0)}


@pytest.mark.parametrize(
    ("text", "kmh"),
    [
        ("50", 50),
        ("50 km/h", 50),
        ("30 mph", 48.28032),
        ("30mph", 48.28032),
        ("12.5", 12.5),
        ("walk", 7),
        ("none", 130),
        ("DE:urban", 50),
        ("RU:rural", 90),
        ("30 mph;40 mph", 48.28032),
        ("100|80|60", 60),
        ("['25 mph', '20 mph']", 32.18688),
        ("signals", None),
        ("signals;60", 60),
        ("", None),
        ("fast", None),
        ("0", None),
        ("9999", None),
        ("-30", None),
    ],
)
def test_signs(text: str, kmh: float | None) -> None:
    speed = sign_speed_mps(text)
    assert np.isnan(speed) if kmh is None else speed * 3.6 == pytest.approx(kmh, rel=1e-4)


def test_signed_road_is_driven_at_four_fifths() -> None:
    net = town(LINE, [{"ends": ["A", "B"], "maxspeed": "50"}])
    assert edge_speeds_mps(net.table) == pytest.approx(40 / 3.6)
    assert net.edge_ms.tolist() == [270_000, 270_000]


def test_unsigned_road_is_driven_as_its_class_is_where_enough_is_signed() -> None:
    signed = {"ends": ["A", "B"], "maxspeed": "60", "highway": "primary"}
    net = town(LINE, [signed, {"ends": ["B", "C"], "highway": "primary"}])
    assert edge_speeds_mps(net.table) == pytest.approx(48 / 3.6)


def test_what_is_learnt_stays_near_the_table() -> None:
    signed = {"ends": ["A", "B"], "maxspeed": "120", "highway": "motorway_link"}
    net = town(LINE, [signed, {"ends": ["B", "C"], "highway": "motorway_link"}])
    unsigned = net.table.maxspeed == 0
    assert edge_speeds_mps(net.table)[unsigned] == pytest.approx(1.5 * 45 / 3.6)
    assert edge_speeds_mps(net.table)[~unsigned] == pytest.approx(96 / 3.6)


def test_a_handful_of_odd_signs_does_not_decide_for_all() -> None:
    short = LINE | {"D": (3000.0, 400.0)}
    signed = {"ends": ["B", "D"], "maxspeed": "100", "highway": "residential"}
    net = town(short, [signed, {"ends": ["A", "B", "C"], "highway": "residential"}])
    unsigned = net.table.maxspeed == 0
    assert edge_speeds_mps(net.table)[unsigned] == pytest.approx(CLASS_KMH["residential"] / 3.6)


def test_unknown_class_has_a_figure_too() -> None:
    net = town(LINE, [{"ends": ["A", "B"], "highway": "goat_path"}])
    assert edge_speeds_mps(net.table) == pytest.approx(25 / 3.6)


CROSS = {
    "W": (-200.0, 0.0),
    "M": (0.0, 0.0),
    "E": (200.0, 0.0),
    "N": (0.0, 200.0),
    "S": (0.0, -200.0),
}
CROSSING = [{"ends": ["W", "M", "E"]}, {"ends": ["S", "M", "N"]}]


def turn_s(net: RoadNetwork, names: list[str], nodes: dict[str, tuple[float, float]]) -> float:
    """Price of the passage over three named nodes."""
    rows = [list(nodes).index(name) for name in names]
    table = net.table
    (before,) = np.flatnonzero((table.tail == rows[0]) & (table.head == rows[1]))
    (after,) = np.flatnonzero((table.tail == rows[1]) & (table.head == rows[2]))
    arcs = net.forward.arcs_of(int(before))
    ((_, turn_ms),) = arcs[arcs[:, 0] == after]
    return float(turn_ms) / 1000


def test_turns_at_a_crossing() -> None:
    net = town(CROSS, CROSSING)
    straight = turn_s(net, ["W", "M", "E"], CROSS)
    right = turn_s(net, ["W", "M", "S"], CROSS)
    left = turn_s(net, ["W", "M", "N"], CROSS)
    back = turn_s(net, ["W", "M", "W"], CROSS)
    assert straight < 0.05
    assert 2 < right < left < 7.5
    assert back == pytest.approx(27.5, abs=0.1)


def test_a_bend_where_nothing_joins_costs_nothing() -> None:
    ell = {"A": (0.0, 0.0), "B": (200.0, 0.0), "C": (200.0, 200.0)}
    net = town(ell, [{"ends": ["A", "B", "C"]}])
    assert turn_s(net, ["A", "B", "C"], ell) == 0


@pytest.mark.parametrize(
    ("sign", "seconds"), [("traffic_signals", 2), ("stop", 5), ("give_way", 2)]
)
def test_signals_and_signs_cost(sign: str, seconds: float) -> None:
    plain, signed = town(CROSS, CROSSING), town(CROSS, CROSSING, {"M": sign})
    names = ["W", "M", "E"]
    extra = turn_s(signed, names, CROSS) - turn_s(plain, names, CROSS)
    assert extra == pytest.approx(seconds)


def test_a_sign_for_one_direction_costs_only_that() -> None:
    line = {"A": (0.0, 0.0), "B": (200.0, 0.0), "C": (400.0, 0.0)}
    both = town(line, [{"ends": ["A", "B", "C"]}], {"B": "stop"})
    faces = np.array([0, 1, 0], np.int8)
    net = RoadNetwork.from_table(replace(both.table, node_direction=faces))
    assert turn_s(net, ["A", "B", "C"], line) == 5
    assert turn_s(net, ["C", "B", "A"], line) == 0


def test_repeated_shape_points_do_not_turn_a_road() -> None:
    plain: list[dict[str, Any]] = [{"ends": ["W", "M", "E"]}, {"ends": ["M", "N"]}]
    nodes = {name: CROSS[name] for name in "WMEN"}
    bent: list[dict[str, Any]] = [
        {"ends": ["W", "M"], "via": [nodes["W"], nodes["W"], nodes["M"], nodes["M"]]},
        {"ends": ["M", "E"], "via": [nodes["M"], nodes["M"], nodes["E"]]},
        {"ends": ["M", "N"]},
    ]
    for names in (["W", "M", "E"], ["E", "M", "W"], ["W", "M", "N"], ["N", "M", "E"]):
        expected = turn_s(town(nodes, plain), names, nodes)
        assert turn_s(town(nodes, bent), names, nodes) == pytest.approx(expected, abs=0.002)

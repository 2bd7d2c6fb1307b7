"""Seconds per edge, and where they come from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from data.road_table import METRES_PER_DEG
from geo.drive_model import CLASS_KMH, PAVED_KMH, RESPONSE, ROUGH_KMH, ROUTINE
from geo.network import RoadNetwork
from geo.speeds import AROUND_M, edge_speeds_mps, road_density_km_per_km2, sign_speed_mps
from tests.geo.towns import town

LINE = {"A": (0.0, 0.0), "B": (3000.0, 0.0), "C": (6000.0, 0.0)}
SIGN = ROUTINE.sign_factor
CAPS_KMH = {**PAVED_KMH, **ROUGH_KMH}


@pytest.mark.parametrize(
    ("text", "kmh"),
    [
        ("50", 50),
        ("50 km/h", 50),
        ("30 mph", 48.28032),
        ("30mph", 48.28032),
        ("12.5", 12.5),
        ("walk", 7),
        ("none", 120),
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


def driven_kmh(streets: list[dict[str, Any]], nodes: dict[str, tuple[float, float]]) -> np.ndarray:
    return edge_speeds_mps(town(nodes, streets).table) * 3.6


def test_signed_road_is_driven_a_little_below_its_sign() -> None:
    net = town(LINE, [{"ends": ["A", "B"], "maxspeed": "50"}])
    assert edge_speeds_mps(net.table) * 3.6 == pytest.approx(44.7)
    assert net.edge_ms.tolist() == [241_611, 241_611]


def test_every_class_has_a_speed_in_the_country() -> None:
    for name, (_, outside) in CLASS_KMH.items():
        assert driven_kmh([{"ends": ["A", "B"], "highway": name}], LINE) == pytest.approx(outside)


def test_no_class_is_faster_in_town() -> None:
    assert all(in_town <= outside for in_town, outside in CLASS_KMH.values())


def grid(side_m: float, count: int) -> tuple[dict[str, tuple[float, float]], list[dict[str, Any]]]:
    nodes = {f"{i},{j}": (i * side_m, j * side_m) for i in range(count) for j in range(count)}
    streets = [{"ends": [f"{i},{j}" for i in range(count)]} for j in range(count)]
    streets += [{"ends": [f"{i},{j}" for j in range(count)]} for i in range(count)]
    return nodes, streets


def test_dense_roads_make_a_town() -> None:
    nodes, streets = grid(100.0, 61)  # 20 km of road to a km2 in the middle
    net = town(nodes, streets)
    density = road_density_km_per_km2(net.table)
    middle = np.hypot(*(np.array(list(nodes.values()))[net.table.tail].T - 3000)) < 500
    assert density[middle] == pytest.approx(20, rel=0.15)
    in_town, outside = CLASS_KMH["residential"]
    driven = edge_speeds_mps(net.table) * 3.6
    assert driven[middle] == pytest.approx(in_town)
    sparse = town(*grid(500.0, 13))  # 4 km to a km2
    assert edge_speeds_mps(sparse.table) * 3.6 == pytest.approx(outside)


def test_service_roads_make_no_town() -> None:
    nodes, streets = grid(100.0, 61)
    alleys = [street | {"highway": "service"} for street in streets]
    assert not road_density_km_per_km2(town(nodes, alleys).table).any()


@pytest.mark.parametrize("shift_deg", [0.0, 179.0])
def test_density_is_that_of_a_slow_count(shift_deg: float) -> None:
    draw = np.random.default_rng(3)
    nodes = {str(i): tuple(draw.uniform(0, 9000, 2).tolist()) for i in range(400)}
    net = town(nodes, [{"ends": [str(i), str(i + 1)]} for i in range(399)])
    table = replace(net.table, shape_lon_deg=net.table.shape_lon_deg + shift_deg)
    lon = (table.shape_lon_deg[::2] + table.shape_lon_deg[1::2]) / 2
    lat = (table.shape_lat_deg[::2] + table.shape_lat_deg[1::2]) / 2
    fast = road_density_km_per_km2(table)
    north = (lat[:, None] - lat) * METRES_PER_DEG
    east = (lon[:, None] - lon) * METRES_PER_DEG * np.cos(np.radians(lat))
    near = np.hypot(north, east) < AROUND_M
    slow = near @ (table.road_m / 1000) / (np.pi * (AROUND_M / 1000) ** 2)
    assert np.corrcoef(fast, slow)[0, 1] > 0.9
    assert np.median(fast / slow) == pytest.approx(1, abs=0.1)


def test_unsigned_road_leans_to_the_signs_of_its_class() -> None:
    signed = {"ends": ["A", "B"], "maxspeed": "60", "highway": "primary"}
    driven = driven_kmh([signed, {"ends": ["B", "C"], "highway": "primary"}], LINE)
    table, sign = CLASS_KMH["primary"][1], 60 * SIGN
    assert driven[:2] == pytest.approx(sign)
    assert driven[2:] == pytest.approx(table * (sign / table) ** (ROUTINE.learn_weight / 2))


def test_what_is_learnt_stays_near_the_table() -> None:
    signed = {"ends": ["A", "B"], "maxspeed": "200", "highway": "motorway_link"}
    driven = driven_kmh([signed, {"ends": ["B", "C"], "highway": "motorway_link"}], LINE)
    most = 1.5 ** (ROUTINE.learn_weight / 2)
    assert driven[2:] == pytest.approx(CLASS_KMH["motorway_link"][1] * most)


def test_a_handful_of_odd_signs_does_not_decide_for_all() -> None:
    short = LINE | {"D": (3000.0, 400.0)}
    signed = {"ends": ["B", "D"], "maxspeed": "100", "highway": "residential"}
    driven = driven_kmh([signed, {"ends": ["A", "B", "C"], "highway": "residential"}], short)
    assert driven[2:] == pytest.approx(CLASS_KMH["residential"][1])


def test_unknown_class_has_a_figure_too() -> None:
    assert driven_kmh([{"ends": ["A", "B"], "highway": "goat_path"}], LINE) == pytest.approx(15.8)


def test_rough_roads_are_slower_with_a_sign_and_without() -> None:
    rough = {"ends": ["A", "B"], "surface": "gravel"}
    driven = driven_kmh([rough, {"ends": ["B", "C"]}], LINE)
    assert driven[:2] / driven[2:] == pytest.approx(ROUTINE.rough_factor)
    signed = driven_kmh([rough | {"maxspeed": "30"}], LINE)
    assert signed == pytest.approx(30 * SIGN * ROUTINE.rough_sign_factor)


@pytest.mark.parametrize("surface", sorted(CAPS_KMH))
def test_a_sign_does_not_smooth_a_surface(surface: str) -> None:
    fast = [{"ends": ["A", "B"], "surface": surface, "maxspeed": "120"}]
    assert driven_kmh(fast, LINE) == pytest.approx(CAPS_KMH[surface])


def test_an_unsigned_roundabout_is_driven_slowly() -> None:
    ring = {"ends": ["A", "B"], "junction": "roundabout", "oneway": True}
    driven = driven_kmh([ring, {"ends": ["B", "C"]}], LINE)
    assert driven[0] / driven[1] == pytest.approx(ROUTINE.roundabout_factor)
    assert driven_kmh([ring | {"maxspeed": "30"}], LINE) == pytest.approx(30 * SIGN)


def test_with_lights_and_siren_roads_are_driven_faster() -> None:
    net = town(LINE, [{"ends": ["A", "B", "C"], "maxspeed": "50"}])
    ratio = edge_speeds_mps(net.table, RESPONSE) / edge_speeds_mps(net.table)
    assert ratio == pytest.approx(RESPONSE.pace)
    assert ROUTINE.pace == 1
    assert RoadNetwork.from_table(net.table).edge_ms.tolist() == net.edge_ms.tolist()

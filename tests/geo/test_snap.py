"""A position lands on the road that a brute force over shapely finds."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data.road_table import METRES_PER_DEG
from geo.exposure import _side_unsure
from geo.network import RoadNetwork
from geo.snap import FAR_M, UNSURE, opposite, snap, snap_all
from tests.geo.towns import at, town

CROSS = {"W": (0.0, 0.0), "M": (500.0, 0.0), "E": (1000.0, 0.0), "N": (500.0, 500.0)}
CROSSING = [
    {"ends": ["W", "M", "E"], "name": "Main Street"},
    {"ends": ["M", "N"], "name": "Oak Lane"},
]


def brute_force_m(net: RoadNetwork, lon: float, lat: float) -> np.ndarray:
    """Distance to every edge on the plane at the point, one line at a time."""
    scale = np.array([METRES_PER_DEG * np.cos(np.radians(lat)), METRES_PER_DEG])
    return np.array(
        [
            shapely.LineString(
                (np.stack(net.table.shape(edge), axis=1) - [lon, lat]) * scale
            ).distance(shapely.Point(0, 0))
            for edge in range(len(net.edge_ms))
        ]
    )


@settings(max_examples=40, deadline=None)
@given(st.floats(-105.001, -104.972), st.floats(39.740, 39.770))
def test_nearest_road_equals_brute_force(denver: RoadNetwork, lon: float, lat: float) -> None:
    metres = brute_force_m(denver, lon, lat)
    metres[metres > FAR_M] = np.inf
    position = snap(denver, lon, lat)
    if position is None:
        assert np.isinf(metres.min())
        return
    joined = denver.to_main
    on_main = metres[joined].min()
    assert position.offset_m == pytest.approx(metres[position.edge], abs=1e-3)
    # Off the main part only where that saves 100 m or more.
    best = min(on_main, (metres + 100)[~joined].min())
    assert position.offset_m + 100 * (not joined[position.edge]) == pytest.approx(best, abs=1e-3)


def test_snapped_place_lies_on_the_edge_at_the_fraction(denver: RoadNetwork) -> None:
    position = snap(denver, -104.987, 39.753)
    assert position
    lon, lat = denver.table.shape(position.edge)
    scale = np.array([METRES_PER_DEG * np.cos(np.radians(39.753)), METRES_PER_DEG])
    line = shapely.LineString(np.stack([lon, lat], axis=1) * scale)
    point = shapely.Point(np.array([position.snapped_lon_deg, position.snapped_lat_deg]) * scale)
    assert line.distance(point) < 0.01
    assert line.project(point, normalized=True) == pytest.approx(position.fraction, abs=1e-4)


def test_heading_chooses_the_side_of_a_two_way_street() -> None:
    net = town(CROSS, CROSSING)
    east, west = snap(net, *at(250, 2), 90), snap(net, *at(250, 2), 270)
    assert east
    assert west
    assert net.twin[east.edge] == west.edge
    assert east.fraction == pytest.approx(1 - west.fraction)
    assert east.turn_round_s == west.turn_round_s == 20


def test_without_heading_both_sides_are_free() -> None:
    position = snap(town(CROSS, CROSSING), *at(250, 2))
    assert position
    assert position.turn_round_s == 0


def test_heading_chooses_the_carriageway_of_a_divided_road() -> None:
    lanes = {"A": (0.0, 0.0), "B": (1000.0, 0.0), "C": (1000.0, 20.0), "D": (0.0, 20.0)}
    net = town(
        lanes,
        [
            {"ends": ["A", "B"], "oneway": True, "name": "eastbound"},
            {"ends": ["C", "D"], "oneway": True, "name": "westbound"},
            {"ends": ["B", "C"]},
            {"ends": ["D", "A"]},
        ],
    )
    # 4 m nearer to the wrong carriageway, as a fix may well be.
    for heading, street in ((90, "eastbound"), (270, "westbound")):
        north = 12 if heading == 90 else 8
        position = snap(net, *at(500, north), heading)
        assert position
        assert net.table.street(position.edge) == street
        assert position.turn_round_s is None


def test_heading_along_the_avenue_beats_a_nearer_side_street() -> None:
    net = town(CROSS, CROSSING)
    position = snap(net, *at(502, 12), 90)
    assert position
    assert net.table.street(position.edge) == "Main Street"
    without = snap(net, *at(502, 12))
    assert without
    assert net.table.street(without.edge) == "Oak Lane"


def test_main_part_is_preferred_over_a_cut_off_scrap() -> None:
    scrap = CROSS | {
        "P": (200.0, 60.0),
        "Q": (300.0, 60.0),
        "R": (200.0, 220.0),
        "S": (300.0, 220.0),
    }
    net = town(
        scrap,
        [*CROSSING, {"ends": ["P", "Q"], "name": "scrap"}, {"ends": ["R", "S"], "name": "far"}],
    )
    near, far = snap(net, *at(250, 50)), snap(net, *at(250, 210))
    assert near
    assert far
    assert net.table.street(near.edge) == "Main Street"
    assert net.table.street(far.edge) == "far"


def test_a_road_that_leaves_the_area_is_good_to_arrive_on_and_bad_to_set_out_on() -> None:
    away = CROSS | {"X": (300.0, 60.0), "Y": (1500.0, 60.0)}
    ramp = {"ends": ["X", "Y"], "oneway": True, "name": "I 83"}
    net = town(away, [*CROSSING, {"ends": ["W", "X"]}, ramp])
    stop = snap(net, *at(900, 50), arriving=True)
    assert stop
    assert net.table.street(stop.edge) == "I 83"
    assert stop.passed_over is None
    unit = snap(net, *at(900, 50))
    assert unit
    assert net.table.street(unit.edge) == "Main Street"
    assert unit.passed_over is not None
    assert net.table.street(unit.passed_over) == "I 83"


def test_far_from_any_road_is_none() -> None:
    net = town(CROSS, CROSSING)
    assert snap(net, *at(250, -249)) is not None
    assert snap(net, *at(250, -252)) is None
    assert snap(net, 0, 0) is None


def test_batch_equals_single(denver: RoadNetwork) -> None:
    rng = np.random.default_rng(3)
    lon = rng.uniform(-105.01, -104.97, 200)
    lat = rng.uniform(39.735, 39.775, 200)
    heading = np.where(rng.random(200) < 0.5, np.nan, rng.uniform(0, 360, 200))
    batch = snap_all(denver, lon, lat, heading)
    single = [
        snap(denver, x, y, None if np.isnan(h) else h)
        for x, y, h in zip(lon, lat, heading, strict=True)
    ]
    assert batch == single
    assert None in batch


def test_at_a_crossing_the_roads_that_meet_there_are_no_rivals_whatever_the_last_digit() -> None:
    net = town(CROSS, CROSSING)
    lon, lat = at(500, 0)
    for beside_deg in (0.0, 1e-13, -1e-12, 3e-12):
        position = snap(net, lon + beside_deg, lat, 90)
        assert position
        assert position.runner_up is None


def test_the_grid_keeps_openstreetmaps_coordinates_exactly(denver: RoadNetwork) -> None:
    grid, table = denver.grid, denver.table
    assert grid.unit_deg == 1e-11  # a hundredth of a degree
    begin = grid.origin_deg + grid.segment[:, 4:6] * grid.unit_deg
    point = grid.segment[:, 2]
    true = np.stack([table.shape_lon_deg[point], table.shape_lat_deg[point]], axis=1)
    assert np.abs(begin - true).max() < 1e-12


def test_a_fix_across_the_date_line_knows_the_opposite_carriageway() -> None:
    net = RoadNetwork.from_arrays(
        lon_deg=[179.999, -179.999, 179.9999, 179.999],
        lat_deg=[10.0, 10.0, 10.0002, 10.0002],
        tail=[0, 1, 2, 3],
        head=[1, 2, 3, 0],
        time_s=[20.0, 10.0, 10.0, 5.0],
    )
    position = snap(net, 179.9995, 10.00009)
    assert position
    assert (position.edge, position.runner_up) == (0, 2)
    assert opposite(net, position)


def test_nothing_to_snap() -> None:
    empty = np.array([])
    assert snap_all(town(CROSS, CROSSING), empty, empty, empty) == []


def test_between_carriageways_a_snap_says_that_it_is_not_sure() -> None:
    lanes = {"A": (0.0, 0.0), "B": (1000.0, 0.0), "C": (1000.0, 20.0), "D": (0.0, 20.0)}
    net = town(
        lanes,
        [
            {"ends": ["A", "B"], "oneway": True},
            {"ends": ["C", "D"], "oneway": True},
            {"ends": ["B", "C"]},
            {"ends": ["D", "A"]},
        ],
    )
    unsure, sure = snap(net, *at(500, 11)), snap(net, *at(500, 11), 90)
    assert unsure
    assert sure
    assert unsure.runner_up == sure.edge
    assert unsure.confidence < UNSURE
    assert opposite(net, unsure)
    assert sure.confidence > 0.95
    assert not opposite(net, sure)


def test_a_stop_between_carriageways_has_a_note() -> None:
    lanes = {"A": (0.0, 0.0), "B": (1000.0, 0.0), "C": (1000.0, 20.0), "D": (0.0, 20.0)}
    net = town(
        lanes,
        [
            {"ends": ["A", "B"], "oneway": True, "name": "I 83"},
            {"ends": ["C", "D"], "oneway": True, "name": "I 83"},
            {"ends": ["B", "C"]},
            {"ends": ["D", "A"]},
        ],
    )
    note = "which side of I 83 is not sure: the other carriageway is as near"
    assert _side_unsure(net, snap(net, *at(500, 11), arriving=True)) == [note]
    assert _side_unsure(net, snap(net, *at(500, 11), 90, arriving=True)) == []
    assert _side_unsure(net, snap(net, *at(500, 2), arriving=True)) == []
    assert _side_unsure(net, None) == []


def test_turning_round_between_junctions_only_where_one_may_and_at_the_models_price() -> None:
    nodes = {"W": (0.0, 0.0), "E": (1000.0, 0.0)}
    street, motorway = (
        town(nodes, [{"ends": ["W", "E"], "highway": name}]) for name in ("residential", "motorway")
    )
    here = at(400, 3)
    for net, price_s in ((street, 20.0), (motorway, None)):
        heading_east, unknown = snap(net, *here, 90.0), snap(net, *here)
        assert heading_east
        assert unknown
        assert heading_east.turn_round_s == price_s
        assert unknown.turn_round_s == 0.0
    siren = snap(RoadNetwork.from_table(street.table, response=True), *here, 90.0)
    assert siren
    assert siren.turn_round_s == 10.0

"""A network is built, saved, mapped and handed to OSMnx and geopandas without loss."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely

from data.errors import InputError, RoadFileError
from data.road_table import ARRAYS
from data.roadfile import read_roads, write_roads
from geo.network import RoadNetwork
from tests.geo.test_states import banned
from tests.geo.towns import town

if TYPE_CHECKING:
    from pathlib import Path

LOOP = {"A": (0.0, 0.0), "B": (300.0, 0.0), "C": (300.0, 300.0)}
OWN = ("edge_ms", "twin", "ghost_edge", "state_ms", "node_state", "from_main", "to_main")


def test_saved_and_mapped_is_the_same(tmp_path: Path, denver: RoadNetwork) -> None:
    denver.save(tmp_path / "copy.roads")
    again = RoadNetwork.load(str(tmp_path / "copy.roads"))
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(again.table, name), getattr(denver.table, name))
    for name in OWN:
        np.testing.assert_array_equal(getattr(again, name), getattr(denver, name))
    assert (again.table.texts, again.table.source) == (denver.table.texts, denver.table.source)
    assert not again.edge_ms.flags.writeable
    denver.save(str(tmp_path / "twice.roads"))
    assert (tmp_path / "copy.roads").read_bytes() == (tmp_path / "twice.roads").read_bytes()


def test_where_turns_have_a_price_the_times_of_edges_are_kept_once(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    built = town(LOOP, [{"ends": ["A", "B", "C"]}])
    built.save(tmp_path / "loop.roads")
    mapped = RoadNetwork.load(tmp_path / "loop.roads")
    for net in (built, mapped, denver, built.retimed(built.edge_ms / 500)):
        assert np.shares_memory(net.edge_ms, net.state_ms)
        np.testing.assert_array_equal(net.state_ms, net.by_state(net.edge_ms))


def test_a_file_of_format_2_is_read(tmp_path: Path, denver: RoadNetwork) -> None:
    first, then = denver.forward.arc[0, 0], denver.forward.start
    last = denver.forward.arc[then[first], 0]  # 0, first, last: a restriction over a way between
    built = banned(denver, [(0, int(first), int(last))])
    built.save(tmp_path / "new.roads")
    arrays, facts = read_roads(tmp_path / "new.roads")
    edges = np.arange(len(denver.edge_ms), dtype=np.int32)
    arrays["state_edge"] = np.concatenate([edges, arrays.pop("ghost_edge")])
    write_roads(tmp_path / "old.roads", arrays, facts)
    old = RoadNetwork.load(tmp_path / "old.roads")
    np.testing.assert_array_equal(old.ghost_edge, [first])


def test_twins_are_each_others(denver: RoadNetwork) -> None:
    twin = denver.twin
    two_way = twin >= 0
    rows = np.flatnonzero(two_way)
    np.testing.assert_array_equal(twin[twin[rows]], rows)
    np.testing.assert_array_equal(denver.table.tail[twin[rows]], denver.table.head[rows])
    np.testing.assert_array_equal(~denver.table.oneway, two_way)


def test_a_two_way_loop_has_twins_and_a_one_way_loop_has_none() -> None:
    ring = {"ends": ["A", "A"], "via": [LOOP["B"], LOOP["C"]]}
    tail = {"ends": ["A", "B"]}
    assert (town(LOOP, [ring, tail]).twin >= 0).all()
    one_way = town(LOOP, [ring | {"oneway": True}, tail])
    assert (one_way.twin < 0).sum() == 1


def test_main_part_is_the_one_where_all_reach_all() -> None:
    nodes = LOOP | {"X": (0.0, 900.0), "Y": (300.0, 900.0)}
    net = town(nodes, [{"ends": ["A", "B", "C"]}, {"ends": ["X", "Y"]}])
    assert net.main.sum() == 4


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    write_roads(tmp_path / "x.roads", {"edge_ms": np.zeros(3, np.int32)}, {})
    with pytest.raises(RoadFileError, match="must hold a road network, lacks node_id"):
        RoadNetwork.load(tmp_path / "x.roads")


def arrays(**change: Any) -> dict[str, Any]:
    """Arrays of a small network, one of them changed."""
    return {
        "lon_deg": [0, 1],
        "lat_deg": [0, 0],
        "tail": [0, 1],
        "head": [1, 0],
        "time_s": [1.2345, 2],
    } | change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lat_deg": [0]}, "lon_deg, lat_deg: must be flat and of one length"),
        ({"time_s": [1]}, "tail, head, time_s: must be flat and of one length"),
        ({"head": [1, 2]}, "head: must hold node rows from 0 to 1"),
        ({"tail": [-1, 0]}, "tail: must hold node rows from 0 to 1"),
        ({"time_s": [1, -1]}, "time_s: must be finite and >= 0"),
        ({"time_s": [1, np.nan]}, "time_s: must be finite and >= 0"),
        ({"time_s": [1, np.inf]}, "time_s: must be finite and >= 0"),
        ({"resolution_s": 1e-4}, "resolution_s=0.0001: must be from 0.001 to 60"),
        ({"resolution_s": np.inf}, "resolution_s=inf: must be from 0.001 to 60"),
        ({"lon_deg": [0, np.nan]}, "lon_deg, lat_deg: must be degrees"),
        ({"lon_deg": [0, 500]}, "lon_deg, lat_deg: must be degrees"),
    ],
)
def test_plain_arrays_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        RoadNetwork.from_arrays(**arrays(**change))


def test_plain_arrays_keep_milliseconds_or_coarser() -> None:
    assert RoadNetwork.from_arrays(**arrays()).edge_ms.tolist() == [1234, 2000]
    coarse = RoadNetwork.from_arrays(**arrays(resolution_s=0.1))
    assert coarse.edge_ms.tolist() == [1200, 2000]


def test_facts_are_what_people_ask(denver: RoadNetwork) -> None:
    facts = denver.facts()
    assert (facts["nodes"], facts["edges"]) == (482, 1342)
    assert facts["licence"] == "ODbL 1.0, (c) OpenStreetMap contributors"
    assert facts["bounds_deg"] == list(denver.table.bounds_deg)


def test_middles_lie_half_way(denver: RoadNetwork) -> None:
    lon_deg, lat_deg = denver.middle_deg
    for edge in range(0, len(denver.edge_ms), 37):
        lon, lat = denver.table.shape(edge)
        scale = np.cos(np.radians(lat[0]))
        line = shapely.LineString(np.stack([lon * scale, lat], axis=1))
        middle = line.interpolate(0.5, normalized=True)
        assert lon_deg[edge] * scale == pytest.approx(middle.x, abs=1e-7)
        assert lat_deg[edge] == pytest.approx(middle.y, abs=1e-7)


def test_middle_of_a_road_of_no_length_is_on_it() -> None:
    nodes = {"A": (0.0, 0.0), "B": (0.0, 0.0), "C": (100.0, 0.0)}
    net = town(nodes, [{"ends": ["A", "B", "C"]}])
    lon_deg, _ = net.middle_deg
    assert lon_deg[0] == pytest.approx(-105)


def test_osmnx_graph_and_back(denver: RoadNetwork) -> None:
    graph = denver.to_networkx()
    assert graph.graph["crs"] == "epsg:4326"
    seconds = sum(data["travel_time"] for _, _, data in graph.edges(data=True))
    assert seconds == pytest.approx(denver.edge_ms.sum() / 1000)
    again = RoadNetwork.from_networkx(graph)
    assert again.edge_ms.sum() == denver.edge_ms.sum()
    assert again.forward.arc[:, 1].sum() == denver.forward.arc[:, 1].sum()
    assert (again.twin >= 0).sum() == (denver.twin >= 0).sum()


def test_tables_open_in_a_gis(tmp_path: Path, denver: RoadNetwork) -> None:
    nodes, edges = denver.to_geopandas()
    edges.to_file(tmp_path / "roads.gpkg", layer="edges")
    nodes.to_file(tmp_path / "roads.gpkg", layer="nodes")
    assert len(edges) == 1342
    assert edges["travel_time"].sum() == pytest.approx(denver.edge_ms.sum() / 1000)


def test_the_two_halves_of_a_ring_are_two_roads() -> None:
    square = {"S": (50.0, 50.0), "E": (100.0, 0.0), "N": (50.0, -50.0), "W": (0.0, 0.0)}
    ring = town(
        square,
        [
            {"ends": ["W", "E"], "via": [square["S"]]},
            {"ends": ["E", "W"], "via": [square["N"]]},
        ],
    )
    one_way_id = RoadNetwork.from_table(replace(ring.table, way_id=np.zeros(4, np.int64)))
    for edge in range(4):
        line, back = (one_way_id.table.shape(e) for e in (edge, int(one_way_id.twin[edge])))
        assert line[1].tolist() == back[1][::-1].tolist()

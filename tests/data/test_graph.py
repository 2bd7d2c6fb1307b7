"""Roads as OSMnx graphs and back, and as tables for a GIS."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import geopandas
import networkx as nx
import numpy as np
import osmnx
import pytest
import shapely

from data.errors import RoadSourceError
from data.graph import from_networkx, to_geopandas, to_networkx
from data.osm import build_roads
from data.road_table import RoadSource
from tests.data.osm_texts import PLACES, Relation, Way, bans_of, edges_of, osm_text, turn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from data.road_table import RoadTable

STREET = {"highway": "residential"}
WAYS: list[Way] = [
    (1, [1, 2, 3, 4], STREET | {"name": "Main Street", "maxspeed": "25 mph", "lanes": "2"}),
    (2, [4, 5, 6, 4], {"highway": "tertiary", "junction": "roundabout"}),
    (3, [6, 7, 1], STREET | {"ref": "PA 34", "maxspeed:backward": "35 mph", "oneway": "no"}),
    (4, [7, 8], {"highway": "primary", "oneway": "-1"}),
    (5, [9, 10, 11, 9], STREET | {"surface": "gravel"}),
    (-6, [7, 1], STREET),
]
SIGNS = {
    2: {"highway": "stop", "direction": "backward"},
    5: {"highway": "traffic_signals"},
    8: {"barrier": "lift_gate"},
}

NO_TURN = {"type": "restriction", "restriction": "no_left_turn"}
TURNS: list[Relation] = [
    (1, turn(1, 4, 2), NO_TURN),
    (2, turn(-6, 7, 3), NO_TURN),
    (3, turn(1, [2], 3), NO_TURN),
]


@pytest.fixture(scope="module")
def osm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graph") / "roads.osm"
    path.write_text(osm_text(WAYS, node_tags=SIGNS, relations=TURNS), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def table(osm: Path) -> RoadTable:
    return build_roads(osm=osm)


def assert_same(here: RoadTable, there: RoadTable) -> None:
    for field in fields(here):
        mine, other = getattr(here, field.name), getattr(there, field.name)
        same = np.array_equal(mine, other) if isinstance(mine, np.ndarray) else mine == other
        assert same, field.name


def toy(**edge: Any) -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph(crs="epsg:4326")
    graph.add_nodes_from((node, {"x": PLACES[node][0], "y": PLACES[node][1]}) for node in (1, 2))
    graph.add_edge(1, 2, **{"osmid": 5, "highway": "primary"} | edge)
    return graph


def test_there_and_back_is_the_same(table: RoadTable) -> None:
    assert_same(from_networkx(to_networkx(table)), table)


def test_there_and_back_in_another_order_is_the_same(table: RoadTable) -> None:
    graph = to_networkx(table)
    other = nx.MultiDiGraph(**graph.graph)
    other.add_nodes_from(reversed(list(graph.nodes(data=True))))
    other.add_edges_from(reversed(list(graph.edges(keys=True, data=True))))
    assert_same(from_networkx(other), table)


@pytest.mark.parametrize("name", ["Helsinki", "harrisburg_pa"])
def test_there_and_back_on_a_real_city(name: str, extract: Callable[[str], Path]) -> None:
    table = build_roads(osm=extract(name), service_roads=True)
    assert_same(from_networkx(to_networkx(table)), table)


def test_bans_are_noted_by_the_names_of_edges(table: RoadTable) -> None:
    assert table.ban_count == 4
    note = to_networkx(table).graph["turn_bans"]
    assert [[name[:2] for name in ban] for ban in note] == [
        [edge[:2] for edge in ban] for ban in bans_of(table)
    ]
    assert [(1, 7, 0), (7, 6, 0)] in note


def test_bans_of_edges_that_are_gone_are_gone(table: RoadTable) -> None:
    graph = to_networkx(table)
    graph.remove_edge(1, 7, 0)
    left = [ban for ban in bans_of(table) if (1, 7, -6) not in ban]
    assert bans_of(from_networkx(graph)) == left
    assert len(left) == 2
    graph.edges[4, 5, 0]["highway"] = "footway"
    assert from_networkx(graph).ban_count == 0


def test_bans_come_through_a_graphml_file(table: RoadTable, tmp_path: Path) -> None:
    osmnx.save_graphml(to_networkx(table), tmp_path / "roads.graphml")
    back = from_networkx(osmnx.load_graphml(tmp_path / "roads.graphml"))
    assert bans_of(back) == bans_of(table)


def test_bans_come_through_another_projection(table: RoadTable) -> None:
    back = from_networkx(osmnx.project_graph(to_networkx(table)))
    assert sorted(bans_of(back)) == sorted(bans_of(table))


def test_graphs_that_say_nothing_of_bans_have_none(osm: Path) -> None:
    assert from_networkx(osmnx.graph_from_xml(osm, retain_all=True)).ban_count == 0
    assert from_networkx(nx.DiGraph(toy())).ban_count == 0


def test_the_side_they_drive_on_goes_there_and_back(table: RoadTable) -> None:
    left = replace(table, source=replace(table.source, drives_left=True))
    assert_same(from_networkx(to_networkx(left)), left)


def test_the_graph_is_osmnx_conform(table: RoadTable) -> None:
    osmnx.convert.validate_graph(to_networkx(table), strict=True)


def test_the_graph_has_what_the_table_has(table: RoadTable) -> None:
    graph = to_networkx(table, {"travel_time": np.arange(table.edge_count) / 2})
    assert graph.graph["crs"] == "epsg:4326"
    assert graph.nodes[2] == {
        "x": PLACES[2][0],
        "y": PLACES[2][1],
        "street_count": 2,
        "highway": "stop",
        "direction": "backward",
    }
    assert graph.nodes[8]["barrier"] == "lift_gate"
    assert graph.nodes[8].keys().isdisjoint({"highway"})
    assert graph.edges[9, 9, 0]["surface"] == "gravel"
    edge = edges_of(table).index((1, 2, 1))
    given = graph.edges[1, 2, 0]
    assert given["geometry"].equals(shapely.LineString([PLACES[1], PLACES[2]]))
    assert {key: value for key, value in given.items() if key != "geometry"} == {
        "osmid": 1,
        "highway": "residential",
        "name": "Main Street",
        "maxspeed": "25 mph",
        "lanes": "2",
        "oneway": False,
        "reversed": False,
        "length": table.length_m[edge],
        "travel_time": edge / 2,
    }
    assert {type(value) for value in given.values()} == {int, str, bool, float, shapely.LineString}
    assert graph.edges[6, 7, 0].keys().isdisjoint({"maxspeed"})
    assert graph.edges[7, 6, 0]["maxspeed"] == "35 mph"


def test_street_counts_are_those_of_osmnx(table: RoadTable) -> None:
    graph = to_networkx(table)
    counts = dict(graph.nodes(data="street_count"))
    theirs = osmnx.stats.count_streets_per_node(graph)
    loops = {9}  # of a two-way loop's two edges OSMnx may count one or both
    assert {node: counts[node] for node in counts.keys() - loops} == {
        node: theirs[node] for node in theirs.keys() - loops
    }


def test_osmnx_works_on_the_graph(table: RoadTable) -> None:
    graph = to_networkx(table)
    lon, lat = PLACES[2]
    near = osmnx.distance.nearest_edges(osmnx.project_graph(graph), 0, 0)
    assert near in graph.edges
    assert osmnx.routing.shortest_path(graph, 8, 4, weight="length") == [8, 7, 6, 4]
    nodes, edges = osmnx.convert.graph_to_gdfs(graph)
    assert (len(nodes), len(edges)) == (table.node_count, table.edge_count)
    assert (lon, lat) == (graph.nodes[2]["x"], graph.nodes[2]["y"])
    osmnx.stats.basic_stats(graph)


def test_an_edge_column_of_the_wrong_length(table: RoadTable) -> None:
    with pytest.raises(
        RoadSourceError, match=r"^travel_time: must have 16 rows, one an edge; has 1$"
    ):
        to_networkx(table, {"travel_time": np.zeros(1)})


def test_geopandas_tables(table: RoadTable) -> None:
    nodes, edges = to_geopandas(table, {"travel_time": table.length_m / 10})
    assert nodes.index.name == "osmid"
    assert edges.index.names == ["u", "v", "key"]
    assert nodes.crs == edges.crs == "epsg:4326"
    assert edges.index.is_unique
    assert [(u, v) for u, v, _ in edges.index] == [(u, v) for u, v, _ in edges_of(table)]
    assert edges.loc[1, 2, 0]["name"] == "Main Street"
    assert edges["name"].isna().sum() == sum(not table.text("name", e) for e in range(16))
    assert (edges["travel_time"] == table.length_m / 10).all()


def test_geopandas_tables_make_an_osmnx_graph(table: RoadTable) -> None:
    graph = osmnx.convert.graph_from_gdfs(*to_geopandas(table))
    back = from_networkx(graph)
    assert back.ban_count == 0  # GeoDataFrames have no place for bans
    bare = replace(table, ban_start=back.ban_start, ban_edge=back.ban_edge)
    assert_same(replace(back, source=table.source), bare)


def test_geopandas_tables_go_into_a_geopackage(table: RoadTable, tmp_path: Path) -> None:
    path = tmp_path / "roads.gpkg"
    nodes, edges = to_geopandas(table)
    nodes.to_file(path, layer="nodes")
    edges.to_file(path, layer="edges")
    back = geopandas.read_file(path, layer="edges").set_index(["u", "v", "key"])
    assert back.loc[1, 2, 0]["maxspeed"] == "25 mph"
    assert np.allclose(back["length"], table.length_m)


@pytest.mark.parametrize("simplify", [False, True])
def test_a_users_own_graph(osm: Path, table: RoadTable, *, simplify: bool) -> None:
    graph = osmnx.graph_from_xml(osm, simplify=simplify, retain_all=True)
    before = nx.MultiDiGraph(graph)
    taken = from_networkx(graph)
    assert nx.utils.graphs_equal(graph, before)
    assert taken.edge_count == graph.number_of_edges()
    assert taken.source == RoadSource(name="networkx graph")
    assert {taken.text("highway", edge) for edge in range(taken.edge_count)} == {
        "primary",
        "residential",
        "tertiary",
    }
    if not simplify:
        assert taken.length_m.sum() == pytest.approx(table.length_m.sum(), rel=1e-12)
        assert taken.oneway.sum() == 4


def test_a_projected_graph_comes_back_to_degrees(osm: Path) -> None:
    graph = osmnx.graph_from_xml(osm, retain_all=True)
    here, there = from_networkx(graph), from_networkx(osmnx.project_graph(graph))
    assert np.allclose(here.lon_deg, there.lon_deg, atol=1e-9)
    assert np.allclose(here.shape_lat_deg, there.shape_lat_deg, atol=1e-9)
    assert np.array_equal(here.length_m, there.length_m)
    assert np.array_equal(here.oneway, there.oneway)


def test_a_graphml_file(osm: Path, tmp_path: Path) -> None:
    graph = osmnx.graph_from_xml(osm, retain_all=True)
    osmnx.save_graphml(graph, tmp_path / "roads.graphml")
    back = osmnx.load_graphml(tmp_path / "roads.graphml")
    assert_same(from_networkx(back), from_networkx(graph))
    with pytest.raises(RoadSourceError, match=r"must be a whole number.*osmnx\.load_graphml"):
        from_networkx(nx.read_graphml(tmp_path / "roads.graphml"))


def test_values_that_simplifying_listed() -> None:
    graph = toy(
        osmid=[9, 7, 8],
        highway=["primary", "residential", "footway"],
        name=["Oak Street", "Elm Street"],
        maxspeed=["45 mph", "25 mph"],
        lanes=["2", float("nan")],
        reversed=[True, False],
    )
    table = from_networkx(graph)
    assert table.way_id.tolist() == [7]
    texts = {key: table.text(key, 0) for key in ("highway", "name", "maxspeed", "lanes", "ref")}
    assert texts == {
        "highway": "residential",
        "name": "Elm Street;Oak Street",
        "maxspeed": "25 mph;45 mph",
        "lanes": "2",
        "ref": "",
    }
    assert table.reversed.tolist() == [False]


def test_lists_written_as_text() -> None:
    table = from_networkx(toy(osmid="[9, 7]", reversed="True", maxspeed="['50', '30']", lanes=2.0))
    assert table.way_id.tolist() == [7]
    assert table.reversed.tolist() == [True]
    assert (table.text("maxspeed", 0), table.text("lanes", 0)) == ("30;50", "2")
    assert from_networkx(toy(name="[not a list]")).text("name", 0) == "[not a list]"


def test_edges_without_anything_but_their_ends() -> None:
    graph = toy()
    for key in ("osmid", "highway"):
        del graph.edges[1, 2, 0][key]
    table = from_networkx(graph, name="bare")
    assert table.way_id.tolist() == [0]
    assert table.oneway.tolist() == [True]
    assert table.source.name == "bare"
    assert table.length_m[0] == pytest.approx(248.7, abs=0.1)
    assert table.shape(0)[0].tolist() == [PLACES[1][0], PLACES[2][0]]


def test_ways_not_for_cars_are_left_out_and_counted() -> None:
    graph = toy()
    graph.add_edge(2, 1, osmid=6, highway="footway")
    table = from_networkx(graph)
    assert edges_of(table) == [(1, 2, 5)]
    assert table.source.left_out == "ways not for cars: 1"
    assert from_networkx(toy(highway="service")).source.service_roads


def test_a_line_drawn_head_first_is_turned() -> None:
    line = shapely.LineString([PLACES[2], (0.5, 0.5), PLACES[1]])
    lon, _ = from_networkx(toy(geometry=line)).shape(0)
    assert lon.tolist() == [PLACES[1][0], 0.5, PLACES[2][0]]


def test_oneway_is_found_anew() -> None:
    graph = toy(oneway=False)
    assert from_networkx(graph).oneway.tolist() == [True]
    graph.add_edge(2, 1, osmid=5, highway="primary", oneway=True, reversed=True)
    assert from_networkx(graph).oneway.tolist() == [False, False]


def refused(graph: Any, message: str) -> None:
    with pytest.raises(RoadSourceError, match=message):
        from_networkx(graph)


def test_graphs_of_another_kind_are_refused() -> None:
    refused(nx.MultiGraph(toy()), r"^graph: must be a networkx MultiDiGraph, is MultiGraph; make")
    refused("graph.graphml", r"must be a networkx MultiDiGraph, is str")
    refused(nx.relabel_nodes(toy(), {1: "one"}), r"^graph node 'one': must be a whole number")


def test_graphs_without_roads_are_refused() -> None:
    refused(nx.MultiDiGraph(crs="epsg:4326"), r"^networkx graph: must hold at least one road")
    refused(toy(highway="path"), r"^networkx graph: must hold at least one road that cars drive")


def test_places_that_are_none_are_refused() -> None:
    graph = toy()
    del graph.nodes[1]["x"]
    refused(graph, r"^graph node 1: must have numbers x and y")
    graph.nodes[1]["x"] = 500_000.0
    refused(graph, r"^graph node 1: x=500000\.0, y=.* must lie in the graph's crs epsg:4326; set")
    graph.nodes[1]["x"] = float("nan")
    refused(graph, r"must lie in the graph's crs")


@pytest.mark.parametrize("crs", [None, "nonsense", "epsg:999999"])
def test_a_crs_that_is_none_is_refused(crs: str | None) -> None:
    graph = toy()
    graph.graph["crs"] = crs
    refused(graph, rf"^graph\.graph\['crs'\]={crs}: must name the coordinate system of x and y")


def test_geometries_that_are_no_lines_are_refused() -> None:
    refused(toy(geometry="LINESTRING (0 0, 1 1)"), r"^graph edge 1 to 2: geometry must be a shap")
    refused(toy(geometry=shapely.Point(0, 0)), r"LineString, is Point; make the graph with OSMnx")


@pytest.mark.parametrize("note", [7, "turn left", [[7]], [[(1, 2)]], [7], "[[(1, 2, 0)]"])
def test_notes_that_are_none_are_refused(note: object) -> None:
    graph = toy()
    graph.graph["turn_bans"] = note
    refused(
        graph, r"^graph\.graph\['turn_bans'\]: must list bans, each a list of edges \(u, v, key"
    )


def test_a_ban_of_one_edge_is_none() -> None:
    graph = toy()
    graph.graph["turn_bans"] = [[(1, 2, 0)]]
    assert from_networkx(graph).ban_count == 0


@pytest.mark.parametrize("length", [0.23, -1.0, float("nan"), float("inf"), "230", 150])
def test_lengths_that_cannot_be_metres_are_refused(length: object) -> None:
    refused(toy(length=length), r"^graph edge 1 to 2: length=.*: must be metres along the road, he")


def test_a_length_given_is_taken() -> None:
    assert from_networkx(toy(length=400)).length_m.tolist() == [400.0]

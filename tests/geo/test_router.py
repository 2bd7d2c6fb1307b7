"""Every drive time equals what networkx finds on the same graph."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from geo.network import RoadNetwork
from geo.router import (
    many_to_many,
    nearest,
    one_to_many,
    search_back,
    times_from,
    times_to,
    times_to_middles,
)
from geo.snap import Position, snap
from geo.starts import starts_of
from tests.geo import oracle
from tests.geo.towns import TEN_MPS, at, town
from tests.prove import examples

if TYPE_CHECKING:
    from collections.abc import Callable

GRID = [(x * 200.0, y * 200.0) for x in range(3) for y in range(3)]


@st.composite
def towns(draw: st.DrawFn) -> RoadNetwork:
    """Random towns: one-ways, parallels, ties, loops, islands, roads of no length."""
    names = [f"n{i}" for i in range(draw(st.integers(2, 7)))]
    nodes = {name: draw(st.sampled_from(GRID)) for name in names}
    streets = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "ends": st.tuples(st.sampled_from(names), st.sampled_from(names)),
                    "oneway": st.booleans(),
                    "maxspeed": st.sampled_from(["", "30", "25 mph"]),
                }
            ),
            min_size=1,
            max_size=12,
        )
    )
    signs = {name: draw(st.sampled_from(["", "stop", "traffic_signals"])) for name in names}
    return town(nodes, streets, signs)


def somewhere(net: RoadNetwork, edge: int, fraction: float, *, heading_known: bool) -> Position:
    """A position on an edge, without a snap; at its end, and on any road from there."""
    turn_round_s = (20.0 if heading_known else 0.0) if net.twin[edge] >= 0 else None
    return Position(
        lon_deg=0,
        lat_deg=0,
        snapped_lon_deg=0,
        snapped_lat_deg=0,
        offset_m=0,
        edge=edge,
        fraction=fraction,
        turn_round_s=turn_round_s,
        any_way=not heading_known and fraction in {0.0, 1.0},
    )


@settings(max_examples=examples(150), deadline=None)
@given(towns(), st.data())
def test_mid_edge_times_equal_networkx_on_generated_towns(
    net: RoadNetwork, data: st.DataObject
) -> None:
    edges = st.integers(0, len(net.edge_ms) - 1)
    fractions = st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1)
    start, end = (
        somewhere(
            net, data.draw(edges), data.draw(fractions), heading_known=data.draw(st.booleans())
        )
        for _ in range(2)
    )
    times = search_back(net, end)
    expected = oracle.drive_time_s(net, oracle.passages(net), start, end)
    assert times.drive_time_s(start) == expected
    route = times.route(start)
    assert (route is None) == np.isinf(expected)
    if route:
        assert route.drive_time_s == expected
        assert route.distance_m == pytest.approx(sum(metres for _, metres in route.streets))
    horizon_s = data.draw(st.sampled_from([0.0, 10.0, 60.0]))
    near = search_back(net, end, within_s=horizon_s).drive_time_s(start)
    assert near == (expected if expected <= horizon_s else np.inf)


@settings(max_examples=examples(60), deadline=None)
@given(towns(), st.data(), st.sampled_from([np.inf, 30.0, 0.0]))
def test_one_to_many_and_many_to_many_equal_one_search_per_place(
    net: RoadNetwork, data: st.DataObject, within_s: float
) -> None:
    edges = st.integers(0, len(net.edge_ms) - 1)
    fractions = st.sampled_from([0.0, 1.0]) | st.floats(0, 1)
    many = st.lists(
        st.builds(
            lambda edge, fraction: somewhere(net, edge, fraction, heading_known=True),
            edges,
            fractions,
        ),
        max_size=4,
    )
    units, places = data.draw(many), data.draw(many)
    expected = np.array(
        [
            [search_back(net, end, within_s=within_s).drive_time_s(start) for end in places]
            for start in units
        ]
    ).reshape(len(units), len(places))
    starts = starts_of(net, units)
    found = many_to_many(net, starts, places, within_s=within_s)
    np.testing.assert_array_equal(found, expected)
    for row in range(len(units)):
        one = one_to_many(net, starts.row(row), places, within_s=within_s)
        np.testing.assert_array_equal(one, expected[row])


@settings(max_examples=examples(60), deadline=None)
@given(towns(), st.data())
def test_times_to_middles_equal_networkx(net: RoadNetwork, data: st.DataObject) -> None:
    edge = data.draw(st.integers(0, len(net.edge_ms) - 1))
    start = somewhere(net, edge, data.draw(st.floats(0, 1)), heading_known=data.draw(st.booleans()))
    found = times_to_middles(net, start, within_s=np.inf)
    graph = oracle.passages(net)
    for middle in np.flatnonzero(net.edge_ms >= 2).tolist():  # a road of no length has no middle
        half = 0.5
        end = somewhere(net, middle, half, heading_known=False)
        expected = oracle.drive_time_s(net, graph, start, end)
        assert found[middle] == pytest.approx(expected, abs=0.0011)


@settings(max_examples=examples(60), deadline=None)
@given(towns(), st.data())
def test_node_times_equal_networkx_with_turns(net: RoadNetwork, data: st.DataObject) -> None:
    node = data.draw(st.integers(0, net.table.node_count - 1))
    np.testing.assert_array_equal(times_from(net, node), oracle.node_times_s(net, node))
    back = np.array([times_from(net, row)[node] for row in range(net.table.node_count)])
    np.testing.assert_array_equal(times_to(net, node), back)


@st.composite
def plain_graphs(draw: st.DrawFn) -> tuple[int, list[tuple[int, int, int]]]:
    """Random multigraphs with ties, parallels, loops and edges that cost nothing."""
    count = draw(st.integers(1, 9))
    node = st.integers(0, count - 1)
    return count, draw(st.lists(st.tuples(node, node, st.integers(0, 6)), min_size=1, max_size=30))


@settings(max_examples=examples(150), deadline=None)
@given(plain_graphs(), st.sampled_from([np.inf, 0.0, 1.0]), st.integers(1, 3))
def test_plain_arrays_equal_networkx(
    graph: tuple[int, list[tuple[int, int, int]]], within_s: float, k: int
) -> None:
    count, rows = graph
    tail, head, quarter_s = np.array(rows).T
    net = RoadNetwork.from_arrays(
        lon_deg=np.zeros(count),
        lat_deg=np.zeros(count),
        tail=tail,
        head=head,
        time_s=quarter_s / 4,
    )
    slow = nx.MultiDiGraph()
    slow.add_nodes_from(range(count))
    slow.add_weighted_edges_from([(a, b, c / 4) for a, b, c in rows])
    matrix = np.full((count, count), np.inf)
    for node in range(count):
        reached = nx.single_source_dijkstra_path_length(slow, node, weight="weight")
        matrix[node, list(reached)] = list(reached.values())
    matrix[matrix > within_s] = np.inf
    for node in range(count):
        np.testing.assert_array_equal(times_from(net, node, within_s), matrix[node])
        np.testing.assert_array_equal(times_to(net, node, within_s), matrix[:, node])
    sources = [0, count - 1, count // 2]
    index, time_s = nearest(net, sources, k=k, within_s=within_s)
    order = np.argsort(matrix[sources], axis=0, kind="stable")[:k].T
    expected = np.take_along_axis(matrix[sources].T, order, axis=1)
    np.testing.assert_array_equal(time_s, expected)
    np.testing.assert_array_equal(index, np.where(np.isinf(expected), -1, order))


def test_a_tie_pushed_down_stays_before_the_later_source() -> None:
    net = RoadNetwork.from_arrays(
        lon_deg=[0, 0, 0], lat_deg=[0, 0, 0], tail=[0, 1], head=[2, 0], time_s=[1, 0]
    )
    index, time_s = nearest(net, [0, 1, 2], k=2)
    assert index[2].tolist() == [2, 0]
    assert time_s[2].tolist() == [0, 1]


def _assert_pairs_equal(net: RoadNetwork, pairs: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = oracle.passages(net)
    for _ in range(pairs):
        start, end = (
            somewhere(
                net,
                int(rng.integers(len(net.edge_ms))),
                float(rng.random()),
                heading_known=bool(rng.integers(2)),
            )
            for _ in range(2)
        )
        times = search_back(net, end)
        assert times.drive_time_s(start) == oracle.drive_time_s(net, graph, start, end)


def test_embedded_city_equals_networkx(denver: RoadNetwork) -> None:
    _assert_pairs_equal(denver, pairs=60, seed=1)
    for node in (0, 100, 300):
        np.testing.assert_array_equal(times_from(denver, node), oracle.node_times_s(denver, node))


@pytest.mark.parametrize("name", ["Helsinki", "monaco", "harrisburg_pa", "columbus_oh"])
def test_real_extracts_equal_networkx(name: str, real_roads: Callable[[str], RoadNetwork]) -> None:
    _assert_pairs_equal(real_roads(name), pairs=8, seed=2)


def test_triangle_inequality_on_the_embedded_city(denver: RoadNetwork) -> None:
    a, b, c = (times_from(denver, node) for node in (3, 50, 200))
    # A passage at the middle node is not charged when a time is cut in two there.
    dearest_turn_s = denver.forward.arc[:, 1].max() / 1000
    assert a[200] <= a[50] + b[200] + dearest_turn_s
    assert b[3] <= b[200] + c[3] + dearest_turn_s


def test_a_closed_road_never_shortens_a_trip(denver: RoadNetwork) -> None:
    table = denver.table
    rows = np.delete(np.arange(table.edge_count), [10, 400, 900])
    time_s = denver.edge_ms / 1000
    whole, closed = (
        RoadNetwork.from_arrays(
            lon_deg=table.lon_deg,
            lat_deg=table.lat_deg,
            tail=table.tail[kept],
            head=table.head[kept],
            time_s=time_s[kept],
        )
        for kept in (slice(None), rows)
    )
    for node in (5, 77, 240):
        assert (times_from(closed, node) >= times_from(whole, node)).all()


LINE = {"W": (0.0, 0.0), "E": (1000.0, 0.0)}


def _time(net: RoadNetwork, start: tuple[float, ...], end: tuple[float, ...]) -> float:
    """Drive time between places given as metres east, north[, heading]."""
    a = snap(net, *at(*start[:2]), *start[2:])
    b = snap(net, *at(*end[:2]), *end[2:])
    assert a
    assert b
    return search_back(net, b).drive_time_s(a)


def test_ahead_and_behind_on_one_two_way_street() -> None:
    net = town(LINE, [{"ends": ["W", "E"], "maxspeed": TEN_MPS}])
    assert _time(net, (100, 0), (400, 0)) == pytest.approx(30, abs=0.1)
    assert _time(net, (400, 0), (100, 0)) == pytest.approx(30, abs=0.1)
    assert _time(net, (400, 0), (400, 0)) == pytest.approx(0, abs=0.1)


def test_heading_east_a_stop_behind_costs_turning_round() -> None:
    net = town(LINE, [{"ends": ["W", "E"], "maxspeed": TEN_MPS}])
    assert _time(net, (400, 0, 90), (700, 0)) == pytest.approx(30, abs=0.1)
    assert _time(net, (400, 0, 90), (100, 0)) == pytest.approx(30 + 20, abs=0.1)


def test_across_an_undivided_street_is_no_way_at_all() -> None:
    net = town(LINE, [{"ends": ["W", "E"], "maxspeed": TEN_MPS}])
    assert _time(net, (400, 3, 90), (400, -3, 270)) == pytest.approx(0, abs=0.1)


def test_behind_on_a_one_way_goes_round_the_block() -> None:
    block = {"A": (0.0, 0.0), "B": (1000.0, 0.0), "C": (1000.0, 500.0), "D": (0.0, 500.0)}
    ring = {"ends": ["A", "B", "C", "D", "A"], "oneway": True, "maxspeed": TEN_MPS}
    net = town(block, [ring])
    assert _time(net, (100, 0), (400, 0)) == pytest.approx(30, abs=0.1)
    assert _time(net, (400, 0), (100, 0)) == pytest.approx(270, abs=0.5)


def test_out_of_a_dead_end_turns_round() -> None:
    tee = LINE | {"S": (500.0, -300.0), "M": (500.0, 0.0)}
    net = town(
        tee,
        [
            {"ends": ["W", "M", "E"], "maxspeed": TEN_MPS},
            {"ends": ["M", "S"], "maxspeed": TEN_MPS},
        ],
    )
    inward = _time(net, (500, -200, 180), (0, 0))
    assert 70 < inward < 70 + 20 + 8 + 0.1


def test_disconnected_parts_have_no_way_and_say_so() -> None:
    island = LINE | {"I": (0.0, 5000.0), "J": (1000.0, 5000.0)}
    net = town(island, [{"ends": ["W", "E"]}, {"ends": ["I", "J"]}])
    assert _time(net, (500, 5000), (500, 0)) == np.inf
    a, b = snap(net, *at(500, 5000)), snap(net, *at(500, 0))
    assert a
    assert b
    assert search_back(net, b).route(a) is None


def test_route_names_its_streets_and_follows_the_road() -> None:
    ell = {"A": (0.0, 0.0), "B": (1000.0, 0.0), "C": (1000.0, 600.0)}
    net = town(
        ell, [{"ends": ["A", "B"], "name": "Main Street"}, {"ends": ["B", "C"], "name": "Oak Lane"}]
    )
    a, b = snap(net, *at(200, 4)), snap(net, *at(1004, 500))
    assert a
    assert b
    route = search_back(net, b).route(a)
    assert route
    assert [name for name, _ in route.streets] == ["Main Street", "Oak Lane"]
    assert [metres for _, metres in route.streets] == pytest.approx([800, 500], abs=1)
    assert route.turns == ("set out", "left")
    assert route.distance_m == pytest.approx(1300, abs=2)
    assert (route.lon_deg[0], route.lat_deg[0]) == pytest.approx(at(200, 0), abs=1e-6)
    assert (route.lon_deg[-1], route.lat_deg[-1]) == pytest.approx(at(1000, 500), abs=1e-6)
    assert len(route.lon_deg) == 3


@pytest.mark.parametrize(
    ("there", "turn"),
    [
        ((2000, 0), "straight"),
        ((2000, -700), "slight right"),
        ((1000, -900), "right"),
        ((400, -900), "sharp right"),
        ((2000, 700), "slight left"),
        ((400, 900), "sharp left"),
    ],
)
def test_turns_are_said_as_drivers_say_them(there: tuple[float, float], turn: str) -> None:
    ell = {"A": (0.0, 0.0), "B": (1000.0, 0.0), "C": there}
    net = town(ell, [{"ends": ["A", "B"], "name": "Main"}, {"ends": ["B", "C"], "name": "Oak"}])
    start, end = (somewhere(net, edge, 0.5, heading_known=True) for edge in (0, 2))
    route = search_back(net, end).route(start)
    assert route
    assert route.turns == ("set out", turn)


def test_turning_round_is_said() -> None:
    net = town(LINE, [{"ends": ["W", "E"], "name": "Main"}])
    start = replace(somewhere(net, 0, 0.5, heading_known=True), turn_round_s=None)
    end = replace(somewhere(net, 1, 0.5, heading_known=True), turn_round_s=None)
    route = search_back(net, end).route(start)
    assert route
    assert [metres for _, metres in route.streets] == pytest.approx([500, 500])
    assert route.turns == ("set out", "turn round")


def test_a_place_at_a_crossing_is_reached_by_any_of_its_streets() -> None:
    cross = {"W": (-500.0, 0.0), "M": (0.0, 0.0), "E": (500.0, 0.0), "S": (0.0, -500.0)}
    streets = [
        {"ends": ["W", "M", "E"], "maxspeed": TEN_MPS},
        {"ends": ["M", "S"], "maxspeed": TEN_MPS},
    ]
    net = town(cross, streets)
    crossing = snap(net, *at(0, 30))
    assert crossing
    assert crossing.fraction in {0, 1}
    times = search_back(net, crossing)
    for start in ((-300, 0), (300, 0), (0, -300)):
        position = snap(net, *at(*start))
        assert position
        assert times.drive_time_s(position) == pytest.approx(30, abs=0.1)
        route = times.route(position)
        assert route
        assert route.distance_m == pytest.approx(300, abs=1)


def test_at_a_crossing_without_a_heading_one_may_leave_by_any_street() -> None:
    cross = {"W": (-500.0, 0.0), "M": (0.0, 0.0), "E": (500.0, 0.0), "S": (0.0, -500.0)}
    streets: list[dict[str, Any]] = [
        {"ends": ["W", "M"], "maxspeed": TEN_MPS, "oneway": True},
        {"ends": ["M", "E"], "maxspeed": TEN_MPS},
        {"ends": ["M", "S"], "maxspeed": TEN_MPS},
    ]
    net = town(cross, streets)
    for east_m, north_m in ((300, 0), (0, -300)):
        assert _time(net, (0, 0.0), (east_m, north_m)) == pytest.approx(30, abs=0.01)
    # One that came up from the south has the turn before it.
    assert _time(net, (0, -1, 0), (300, 0)) > 31


def test_routes_follow_edges_and_their_times_add_up(denver: RoadNetwork) -> None:
    rng = np.random.default_rng(8)
    table = denver.table
    ends: list[Position] = []
    while len(ends) < 60:
        lon, lat = rng.uniform(-104.999, -104.974), rng.uniform(39.741, 39.769)
        position = snap(denver, lon, lat, float(rng.uniform(0, 360)))
        if position and denver.main[position.edge]:
            ends.append(position)
    segments = {
        (*map(tuple, np.round(np.stack(table.shape(edge), axis=1)[i : i + 2], 7)),)
        for edge in range(table.edge_count)
        for i in range(len(table.shape(edge)[0]) - 1)
    }
    for start, end in zip(ends[::2], ends[1::2], strict=True):
        times = search_back(denver, end)
        route = times.route(start)
        assert route
        assert route.drive_time_s == times.drive_time_s(start)
        points = np.round(np.stack([route.lon_deg, route.lat_deg], axis=1), 7)
        inner = list(zip(map(tuple, points[1:-2]), map(tuple, points[2:-1]), strict=True))
        assert set(inner) <= segments  # driven in a direction that the road allows
        assert points[0] == pytest.approx([start.snapped_lon_deg, start.snapped_lat_deg], abs=1e-6)
        assert points[-1] == pytest.approx([end.snapped_lon_deg, end.snapped_lat_deg], abs=1e-6)
        north = np.diff(points[:, 1]) * 6_371_009 * np.pi / 180
        east = np.diff(points[:, 0]) * 6_371_009 * np.pi / 180 * np.cos(np.radians(39.755))
        assert route.distance_m == pytest.approx(np.hypot(north, east).sum(), rel=2e-3, abs=1)


def test_a_horizon_below_zero_is_said(denver: RoadNetwork) -> None:
    with pytest.raises(InputError, match="within_s=-1: must be seconds, 0 or more"):
        times_to(denver, 1, -1)


@pytest.mark.parametrize("work", [times_to, times_from])
def test_no_such_node_is_said(denver: RoadNetwork, work: object) -> None:
    with pytest.raises(InputError, match="node=482: must be a node row from 0 to 481"):
        work(denver, 482)  # type: ignore[operator]


def test_k_must_be_one_or_more(denver: RoadNetwork) -> None:
    with pytest.raises(InputError, match="k=0: must be at least 1"):
        nearest(denver, [1], k=0)

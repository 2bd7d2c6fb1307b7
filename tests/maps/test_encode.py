"""The encoding, read back by a decoder written apart from it."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from maps.encode import encode_codes, encode_roads, varint, zigzag
from maps.streets import QUANTUM, quantise, road_class, streets
from maps.style import ROAD_CLASSES

if TYPE_CHECKING:
    from data.road_table import RoadTable


def read_varints(data: bytes) -> list[int]:
    numbers, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value = shift = 0
    assert shift == 0
    return numbers


def unzigzag(number: int) -> int:
    return (number >> 1) ^ -(number & 1)


def read_lines(payload: Any) -> list[tuple[str, str, list[tuple[int, int]]]]:
    """Class, name and points of every line, in the order of drawing."""
    counts = iter(read_varints(base64.b64decode(payload["counts"])))
    deltas = iter(read_varints(base64.b64decode(payload["deltas"])))
    chains = [next(counts) for _ in payload["classes"]]
    kinds = [kind for kind, n in zip(payload["classes"], chains, strict=True) for _ in range(n)]
    heads = [(kind, payload["names"][next(counts)], next(counts)) for kind in kinds]
    lines, x, y = [], 0, 0
    for kind, name, size in heads:
        for i in range(size):
            points = [(x, y)] if i else []
            for _ in range(next(counts)):
                x, y = x + unzigzag(next(deltas)), y + unzigzag(next(deltas))
                points.append((x, y))
            lines.append((kind, name, points))
    assert next(counts, None) is None
    assert next(deltas, None) is None
    return lines


@given(st.lists(st.integers(0, 2**40)))
def test_varint_round_trip(numbers: list[int]) -> None:
    assert read_varints(varint(np.array(numbers, np.uint64))) == numbers


@given(st.lists(st.integers(-(2**40), 2**40)))
def test_zigzag_round_trip(numbers: list[int]) -> None:
    assert [unzigzag(int(z)) for z in zigzag(np.array(numbers, np.int64))] == numbers


def test_zigzag_keeps_small_numbers_small() -> None:
    assert zigzag(np.array([0, -1, 1, -2])).tolist() == [0, 1, 2, 3]


def test_codes_are_one_character_each_and_need_no_escape() -> None:
    text = encode_codes(np.arange(64))
    assert len(set(text)) == 64
    assert not set(text) & set("<>&'\"\\")


def test_every_edge_is_drawn_once_whichever_way_it_runs(roads: RoadTable) -> None:
    drawn = streets(roads)
    two_way = int((~roads.oneway).sum()) // 2
    assert len(drawn.edge) == two_way + int(roads.oneway.sum())
    assert sorted(set(drawn.drawn_as.tolist())) == list(range(len(drawn.edge)))
    assert not roads.reversed[drawn.edge].any()
    assert (roads.way_id[drawn.edge[drawn.drawn_as]] == roads.way_id).all()


def test_what_is_decoded_is_what_was_mapped(roads: RoadTable) -> None:
    drawn = streets(roads)
    lines = read_lines(encode_roads(roads, drawn))
    classes = road_class(roads)
    assert len(lines) == len(drawn.edge)
    for (kind, name, points), edge, flipped in zip(
        lines, drawn.edge.tolist(), drawn.flipped.tolist(), strict=True
    ):
        lon, lat = roads.shape(edge)
        expected = list(zip(quantise(lon).tolist(), quantise(lat).tolist(), strict=True))
        assert points == (expected[::-1] if flipped else expected)
        assert kind == ROAD_CLASSES[classes[edge]]
        assert name == roads.street(edge)


def test_a_street_is_one_chain(roads: RoadTable) -> None:
    drawn = streets(roads)
    assert int(drawn.begins.sum()) == len(
        {(roads.street(e), roads.text("highway", e)) for e in range(roads.edge_count)}
    )


def test_rounding_moves_no_point_by_more_than_a_lane(roads: RoadTable) -> None:
    error_deg = np.abs(quantise(roads.shape_lon_deg) / QUANTUM - roads.shape_lon_deg)
    assert error_deg.max() <= 0.5 / QUANTUM + 1e-12


def test_links_count_as_what_they_link_and_the_rest_is_other(roads: RoadTable) -> None:
    texts = tuple(
        {"motorway": "motorway_link", "residential": "living_street"}.get(t, t) for t in roads.texts
    )
    assert (road_class(replace(roads, texts=texts)) == road_class(roads)).all()


def test_a_loop_road_and_a_road_without_length_survive(roads: RoadTable) -> None:
    tail = roads.tail.copy()
    tail[0] = roads.head[0]
    lon, lat = roads.shape_lon_deg.copy(), roads.shape_lat_deg.copy()
    lon[:3], lat[:3] = lon[2], lat[2]
    odd = replace(roads, tail=tail, shape_lon_deg=lon, shape_lat_deg=lat)
    drawn = streets(odd)
    assert len(read_lines(encode_roads(odd, drawn))) == len(drawn.edge)


@settings(deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_the_order_of_edges_does_not_change_what_is_drawn(roads: RoadTable, random: Any) -> None:
    order = list(range(roads.edge_count))
    random.shuffle(order)
    columns = {
        n: getattr(roads, n)[order]
        for n in ("tail", "head", "way_id", "length_m", "oneway", "reversed", "highway", "name")
    }
    shape = (
        roads.shape_lon_deg.reshape(-1, 3)[order].ravel(),
        roads.shape_lat_deg.reshape(-1, 3)[order].ravel(),
    )
    shuffled = replace(roads, **columns, shape_lon_deg=shape[0], shape_lat_deg=shape[1])

    def canonical(table: RoadTable) -> list[Any]:
        lines = read_lines(encode_roads(table, streets(table)))
        return sorted((kind, name, min(points, points[::-1])) for kind, name, points in lines)

    assert canonical(shuffled) == canonical(roads)

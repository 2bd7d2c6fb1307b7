"""Service roads that join streets."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.roads.cut import Segments
from data.roads.joining import joins_streets
from tests.prove import examples

Bit = tuple[int, int, int, int]
STREET, PLAIN, KIND = 0, 1, 2
BOTH, ALONG, AGAINST = 0, 1, 2


def joining(bits: list[Bit]) -> list[bool]:
    tail, head, sort, way = (np.array(column) for column in zip(*bits, strict=True))
    count = int(max(tail.max(), head.max())) + 1
    place = np.zeros(count)
    segments = Segments(
        node_id=np.arange(count),
        lon_deg=place,
        lat_deg=place,
        cut=place > 0,
        tail=tail,
        head=head,
        way=np.zeros(len(bits), np.int64),
    )
    found: list[bool] = joins_streets(
        segments,
        forward=way != AGAINST,
        backward=way != ALONG,
        service=sort != STREET,
        kind=sort == KIND,
    ).tolist()
    return found


def joining_two_way(bits: list[tuple[int, int, int]]) -> list[bool]:
    return joining([(*bit, BOTH) for bit in bits])


def slow(bits: list[Bit]) -> list[bool]:
    """By walking: first with service roads of no kind, then with each group that opens a place."""
    network = {i for i, bit in enumerate(bits) if bit[2] == STREET}
    plain = {i for i, bit in enumerate(bits) if bit[2] != KIND}
    found = groups(bits, plain, network)
    network |= {i for group, met in found.items() if len(met) > 1 for i in group}
    without, opening = reach(bits, network), set[int]()
    for group in groups(bits, set(range(len(bits))), network):
        with_it = reach(bits, network | group)
        if any(with_it[node] & without.keys() > without[node] for node in without):
            opening |= group
    return [i in network | opening for i in range(len(bits))]


def reach(bits: list[Bit], network: set[int]) -> dict[int, set[int]]:
    """Say which nodes one can drive to from each."""
    graph = nx.DiGraph()
    for tail, head, _, way in (bits[i] for i in network):
        graph.add_nodes_from((tail, head))
        graph.add_edges_from([(tail, head)] * (way != AGAINST) + [(head, tail)] * (way != ALONG))
    return {node: {node} | nx.descendants(graph, node) for node in graph}


def groups(bits: list[Bit], there: set[int], network: set[int]) -> dict[frozenset[int], set[int]]:
    """Take dead ends away one by one, then walk from each bit: groups, and nodes they meet."""
    left, met = set(there), {node for i in network for node in bits[i][:2]}

    def at(node: int) -> list[int]:
        return [bit for bit in left for end in bits[bit][:2] if end == node]

    while dead := [b for b in left - network if min(len(at(n)) for n in bits[b][:2]) == 1]:
        left.remove(dead[0])
    left -= network

    def group_of(bit: int) -> frozenset[int]:
        seen, waiting = {bit}, [bit]
        while waiting:
            ends = bits[waiting.pop()][:2]
            onward = {other for node in ends if node not in met for other in at(node)} - seen
            seen |= onward
            waiting += onward
        return frozenset(seen)

    found = {group_of(bit) for bit in left}
    return {group: {n for bit in group for n in bits[bit][:2]} & met for group in found}


NODES = st.integers(0, 9)
SORTS = st.sampled_from([STREET, PLAIN, KIND])
WAYS = st.sampled_from([BOTH, ALONG, AGAINST])
BITS = st.lists(st.tuples(NODES, NODES, SORTS, WAYS).filter(lambda b: b[0] != b[1]), min_size=1)


@settings(max_examples=examples(300), deadline=None)
@given(BITS)
def test_joining_roads_are_those_of_a_walk(bits: list[Bit]) -> None:
    assert joining(bits) == slow(bits)


@settings(max_examples=examples(300), deadline=None)
@given(BITS)
def test_streets_are_reached_as_with_all_service_roads(bits: list[Bit]) -> None:
    driven = {i for i, joins in enumerate(joining(bits)) if joins}
    streets = {node for bit in bits if bit[2] == STREET for node in bit[:2]}
    here, there = reach(bits, driven), reach(bits, set(range(len(bits))))
    for node in streets:
        assert here[node] & streets == there[node] & streets


def test_a_road_behind_a_shop_joins_and_a_driveway_does_not() -> None:
    street, behind = [(0, 1, STREET), (1, 2, STREET)], [(0, 3, PLAIN), (3, 2, PLAIN)]
    driveway, car_park = [(3, 4, PLAIN)], [(1, 5, PLAIN), (5, 6, PLAIN), (6, 1, PLAIN)]
    found = joining_two_way([*street, *behind, *driveway, *car_park])
    assert found == [True, True, True, True, False, False, False, False]


def test_an_aisle_is_driven_where_a_street_is_reached_by_no_other_way() -> None:
    street, behind = [(0, 1, STREET), (1, 2, STREET)], [(5, 6, STREET)]
    aisles = [(1, 3, KIND), (3, 4, PLAIN), (4, 5, KIND), (3, 7, KIND), (0, 8, KIND), (8, 2, KIND)]
    found = joining_two_way([*street, *behind, *aisles])
    assert found == [True, True, True, True, True, True, False, False, False]
    # Once the street is reached otherwise, no aisle is wanted.
    assert joining_two_way([*street, *behind, *aisles, (2, 6, STREET)])[3:9] == [False] * 6


def test_service_roads_alone_join_nothing() -> None:
    assert joining_two_way([(0, 1, PLAIN), (1, 2, KIND), (2, 0, PLAIN)]) == [False] * 3


STREETS = [(0, 1, STREET, BOTH), (5, 6, STREET, BOTH)]
CAR_PARK = [(1, 3, KIND, BOTH), (3, 5, KIND, BOTH)]


@pytest.mark.parametrize("way", [ALONG, AGAINST])
def test_an_aisle_is_driven_where_a_street_can_only_be_left_or_only_be_entered(way: int) -> None:
    one_way = (6, 0, STREET, way)
    assert joining([*STREETS, one_way, *CAR_PARK]) == [True] * 5
    # Not where the aisle leads the same way round, or there is a street for the other.
    for aisle_way in (ALONG, AGAINST):
        aisles = [(tail, head, KIND, aisle_way) for tail, head, _, _ in CAR_PARK]
        assert joining([*STREETS, one_way, *aisles])[3:] == [aisle_way == way] * 2
    assert joining([*STREETS, one_way, (6, 0, STREET, 3 - way), *CAR_PARK])[4:] == [False] * 2


def test_an_aisle_beside_a_one_way_street_is_not_driven() -> None:
    # From 1 to 2 the street leads too; from 2 to 1 nothing does.
    street = [(0, 1, STREET, BOTH), (1, 2, STREET, ALONG)]
    assert joining([*street, (1, 3, KIND, ALONG), (3, 2, KIND, ALONG)])[2:] == [False] * 2
    assert joining([*street, (1, 3, KIND, BOTH), (3, 2, KIND, BOTH)])[2:] == [True] * 2

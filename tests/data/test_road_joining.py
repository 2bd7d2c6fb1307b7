"""Service roads that join streets."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data.roads.cut import Segments
from data.roads.joining import joins_streets
from tests.prove import examples

Bit = tuple[int, int, int]
STREET, PLAIN, KIND = 0, 1, 2


def joining(bits: list[Bit]) -> list[bool]:
    tail, head, sort = (np.array(column) for column in zip(*bits, strict=True))
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
    found: list[bool] = joins_streets(segments, sort != STREET, sort == KIND).tolist()
    return found


def slow(bits: list[Bit]) -> list[bool]:
    """By walking: first with service roads of no kind, then between networks, with all."""
    network = {i for i, bit in enumerate(bits) if bit[2] == STREET}
    nodes = range(max(node for *ends, _ in bits for node in ends) + 1)
    plain = {i for i, bit in enumerate(bits) if bit[2] != KIND}
    network |= between(bits, plain, network, {node: node for node in nodes})
    network |= between(bits, set(range(len(bits))), network, networks(bits, network))
    return [i in network for i in range(len(bits))]


def between(bits: list[Bit], there: set[int], network: set[int], place: dict[int, int]) -> set[int]:
    """Take dead ends away one by one, then walk from each bit to the places it comes to."""
    left, met = set(there), {node for i in network for node in bits[i][:2]}

    def at(node: int) -> list[int]:
        return [bit for bit in left for end in bits[bit][:2] if end == node]

    while dead := [b for b in left - network if min(len(at(n)) for n in bits[b][:2]) == 1]:
        left.remove(dead[0])
    left -= network

    def comes_to(bit: int) -> set[int]:
        seen, waiting = {bit}, [bit]
        nodes: set[int] = set()
        while waiting:
            ends = bits[waiting.pop()][:2]
            nodes.update(ends)
            onward = {other for node in ends if node not in met for other in at(node)} - seen
            seen |= onward
            waiting += onward
        return {place[node] for node in nodes & met}

    return {bit for bit in left if len(comes_to(bit)) > 1}


def networks(bits: list[Bit], network: set[int]) -> dict[int, int]:
    """Name each node's network by its lowest node."""
    graph = nx.Graph([bits[i][:2] for i in network])
    return {node: min(part) for part in nx.connected_components(graph) for node in part}


NODES = st.integers(0, 9)
SORTS = st.sampled_from([STREET, PLAIN, KIND])
BITS = st.lists(st.tuples(NODES, NODES, SORTS).filter(lambda b: b[0] != b[1]), min_size=1)


@settings(max_examples=examples(300), deadline=None)
@given(BITS)
def test_joining_roads_are_those_of_a_walk(bits: list[Bit]) -> None:
    assert joining(bits) == slow(bits)


def test_a_road_behind_a_shop_joins_and_a_driveway_does_not() -> None:
    street, behind = [(0, 1, STREET), (1, 2, STREET)], [(0, 3, PLAIN), (3, 2, PLAIN)]
    driveway, car_park = [(3, 4, PLAIN)], [(1, 5, PLAIN), (5, 6, PLAIN), (6, 1, PLAIN)]
    found = joining([*street, *behind, *driveway, *car_park])
    assert found == [True, True, True, True, False, False, False, False]


def test_an_aisle_is_driven_where_a_street_is_reached_by_no_other_way() -> None:
    street, behind = [(0, 1, STREET), (1, 2, STREET)], [(5, 6, STREET)]
    aisles = [(1, 3, KIND), (3, 4, PLAIN), (4, 5, KIND), (3, 7, KIND), (0, 8, KIND), (8, 2, KIND)]
    found = joining([*street, *behind, *aisles])
    assert found == [True, True, True, True, True, True, False, False, False]
    # Once the street is reached otherwise, no aisle is wanted.
    assert joining([*street, *behind, *aisles, (2, 6, STREET)])[3:9] == [False] * 6


def test_service_roads_alone_join_nothing() -> None:
    assert joining([(0, 1, PLAIN), (1, 2, KIND), (2, 0, PLAIN)]) == [False] * 3

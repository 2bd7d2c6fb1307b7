"""Service roads that join streets."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data.roads.cut import Segments
from data.roads.joining import joins_streets
from tests.prove import examples

Bit = tuple[int, int, bool]


def joining(bits: list[Bit]) -> list[bool]:
    tail, head, service = (np.array(column) for column in zip(*bits, strict=True))
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
    found: list[bool] = joins_streets(segments, service.astype(np.bool_)).tolist()
    return found


def slow(bits: list[Bit]) -> list[bool]:
    """Take dead ends away one by one, then walk from each bit to the streets it comes to."""
    left = set(range(len(bits)))
    street = {node for *ends, service in bits if not service for node in ends}

    def at(node: int) -> list[int]:
        return [bit for bit in left for end in bits[bit][:2] if end == node]

    while dead := [b for b in left if bits[b][2] and min(len(at(n)) for n in bits[b][:2]) == 1]:
        left.remove(dead[0])

    def comes_to(bit: int) -> set[int]:
        seen, waiting = {bit}, [bit]
        nodes: set[int] = set()
        while waiting:
            ends = bits[waiting.pop()][:2]
            nodes.update(ends)
            onward = {other for node in ends if node not in street for other in at(node)} - seen
            seen |= onward
            waiting += onward
        return nodes & street

    return [
        not bits[bit][2] or (bit in left and len(comes_to(bit)) > 1) for bit in range(len(bits))
    ]


NODES = st.integers(0, 7)
BITS = st.lists(st.tuples(NODES, NODES, st.booleans()).filter(lambda b: b[0] != b[1]), min_size=1)


@settings(max_examples=examples(300), deadline=None)
@given(BITS)
def test_joining_roads_are_those_of_a_walk(bits: list[Bit]) -> None:
    assert joining(bits) == slow(bits)


def test_a_road_behind_a_shop_joins_and_a_driveway_does_not() -> None:
    street, behind = [(0, 1, False), (1, 2, False)], [(0, 3, True), (3, 2, True)]
    driveway, car_park = [(3, 4, True)], [(1, 5, True), (5, 6, True), (6, 1, True)]
    found = joining([*street, *behind, *driveway, *car_park])
    assert found == [True, True, True, True, False, False, False, False]


def test_service_roads_alone_join_nothing() -> None:
    assert joining([(0, 1, True), (1, 2, True), (2, 0, True)]) == [False] * 3

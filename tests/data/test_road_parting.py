"""Roads parted at barriers."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data.roads.cut import Segments
from data.roads.parting import part_roads
from tests.prove import examples

Bit = tuple[int, int, bool]  # from a node to another, and whether it is an aisle
End = tuple[int, int]  # a bit, and 0 for its tail or 1 for its head
NODES = st.integers(0, 6)
BITS = st.lists(
    st.tuples(NODES, NODES, st.booleans()).filter(lambda bit: bit[0] != bit[1]), min_size=1
)


def parting(bits: list[Bit], barriers: set[int]) -> tuple[Segments, list[int]]:
    tail, head, aside = (np.array(column) for column in zip(*bits, strict=True))
    places = np.arange(7.0)
    segments = Segments(
        node_id=np.arange(7) * 10,
        lon_deg=places,
        lat_deg=places,
        cut=places > 2,
        tail=tail,
        head=head,
        way=np.zeros(len(bits), np.int64),
    )
    barrier = np.isin(np.arange(7), list(barriers))
    parts, stood_at = part_roads(segments, barrier, aside, np.arange(len(bits)))
    assert segments.tail.tolist() == tail.tolist()
    return parts, stood_at.tolist()


def ends_by_node(segments: Segments) -> dict[int, set[End]]:
    found = defaultdict(set)
    for side, nodes in enumerate((segments.tail.tolist(), segments.head.tolist())):
        for bit, node in enumerate(nodes):
            found[node].add((bit, side))
    return found


def sides(ends: list[End], bits: list[Bit]) -> list[set[End]]:
    """Say which ends at a barrier stay together, by the table of docs/roads.md."""
    roads = [end for end in ends if not bits[end[0]][2]]
    aisles = [end for end in ends if bits[end[0]][2]]
    if len(roads) == 2 or (not roads and len(aisles) == 2):
        return [{end} for end in ends]
    if len(roads) == 1 and aisles:
        return [set(roads), set(aisles)]
    return [set(ends)]


@settings(max_examples=examples(300), deadline=None)
@given(BITS, st.sets(NODES))
def test_barriers_part_what_the_rule_says(bits: list[Bit], barriers: set[int]) -> None:
    parts, stood_at = parting(bits, barriers)
    at = defaultdict(list)
    for bit, (tail, head, _) in enumerate(bits):
        at[tail].append((bit, 0))
        at[head].append((bit, 1))
    expected = [
        side
        for node, ends in at.items()
        for side in (sides(ends, bits) if node in barriers else [set(ends)])
    ]
    found = ends_by_node(parts)
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, expected))
    for node, ends in found.items():
        old = node if node < 7 else stood_at[node - 7]
        assert {bits[bit][side] for bit, side in ends} == {old}
        assert parts.lon_deg[node] == old
        assert parts.cut[node] == (old > 2)
    assert parts.node_id[7:].tolist() == [-1 - row for row in range(len(stood_at))]


@settings(max_examples=examples(300), deadline=None)
@given(BITS, st.sets(NODES))
def test_no_aisle_changes_a_roads_nodes(bits: list[Bit], barriers: set[int]) -> None:
    roads = [bit for bit in bits if not bit[2]]
    if not roads:
        return
    apart, together = parting(roads, barriers)[0], parting(bits, barriers)[0]
    road = np.array([not bit[2] for bit in bits])
    for ends, others in ((apart.tail, together.tail), (apart.head, together.head)):
        assert apart.node_id[ends].tolist() == together.node_id[others[road]].tolist()

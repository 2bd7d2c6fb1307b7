"""Properties of the network, whatever ways are drawn."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import RoadSourceError
from data.roads.draft import RoadDraft
from data.roads.hilbert import hilbert_key
from tests.data.osm_texts import PLACES

if TYPE_CHECKING:
    from data.road_table import RoadTable

Drawn = tuple[list[int], str]
NODES = st.integers(1, 8)
DRAWN = st.tuples(
    st.lists(NODES, min_size=2, max_size=9), st.sampled_from(["", "yes", "-1", "alternating"])
)
WAYS = st.lists(DRAWN, min_size=1, max_size=6).filter(
    lambda ways: any(len(set(refs)) > 1 for refs, _ in ways)
)
SIGNS = st.sets(NODES)


def table_of(ways: list[Drawn], signs: set[int], *, order: list[int] | None = None) -> RoadTable:
    draft = RoadDraft(service_roads=False)
    for number in order or range(len(ways)):
        refs, oneway = ways[number]
        row = draft.add_way(number, {"highway": "road", "oneway": oneway, "name": f"{number % 2}"})
        assert row is not None
        draft.add_path(row, refs)
    for node in draft.wanted_nodes().tolist()[:: -1 if order else 1]:
        draft.add_node(node, *PLACES[node])
        if node in signs:
            draft.add_node_tags(node, {"highway": "stop"})
    return draft.table(name="drawn")


def steps_of(table: RoadTable) -> Counter[tuple[int, float, float]]:
    """Every straight bit of every edge, from its first place to its second, by way."""
    steps: Counter[tuple[int, float, float]] = Counter()
    for edge in range(table.edge_count):
        lon, _ = table.shape(edge)
        for here, there in zip(lon[:-1].tolist(), lon[1:].tolist(), strict=True):
            steps[int(table.way_id[edge]), here, there] += 1
    return steps


@settings(deadline=None)
@given(WAYS, SIGNS)
def test_each_step_of_each_way_is_driven_once_each_way_round(
    ways: list[Drawn], signs: set[int]
) -> None:
    expected: Counter[tuple[int, float, float]] = Counter()
    for number, (refs, oneway) in enumerate(ways):
        for here, there in itertools.pairwise(refs):
            if here != there:
                if oneway != "-1":
                    expected[number, PLACES[here][0], PLACES[there][0]] += 1
                if oneway != "yes":
                    expected[number, PLACES[there][0], PLACES[here][0]] += 1
    assert steps_of(table_of(ways, signs)) == expected


@settings(deadline=None)
@given(WAYS, SIGNS)
def test_no_road_is_touched_but_at_its_ends(ways: list[Drawn], signs: set[int]) -> None:
    table = table_of(ways, signs)
    nodes = set(table.lon_deg.tolist())
    for edge in range(table.edge_count):
        inside = table.shape(edge)[0][1:-1].tolist()
        assert not nodes.intersection(inside)
        assert len(set(inside)) == len(inside)


@settings(deadline=None)
@given(WAYS, SIGNS)
def test_shapes_lead_from_tail_to_head(ways: list[Drawn], signs: set[int]) -> None:
    table = table_of(ways, signs)
    first, last = table.shape_start[:-1], table.shape_start[1:] - 1
    for ends, at in ((table.tail, first), (table.head, last)):
        assert np.array_equal(table.lon_deg[ends], table.shape_lon_deg[at])
        assert np.array_equal(table.lat_deg[ends], table.shape_lat_deg[at])


@settings(deadline=None)
@given(WAYS, SIGNS, st.randoms(use_true_random=False))
def test_the_order_of_the_source_changes_nothing(
    ways: list[Drawn], signs: set[int], shuffle: object
) -> None:
    order = list(range(len(ways)))
    shuffle.shuffle(order)  # type: ignore[attr-defined]
    here, there = table_of(ways, signs), table_of(ways, signs, order=order)
    for field in fields(here):
        mine, other = getattr(here, field.name), getattr(there, field.name)
        same = np.array_equal(mine, other) if isinstance(mine, np.ndarray) else mine == other
        assert same, field.name


@settings(deadline=None)
@given(WAYS, SIGNS)
def test_nodes_follow_the_curve_and_edges_follow_them(ways: list[Drawn], signs: set[int]) -> None:
    table = table_of(ways, signs)
    assert (np.diff(hilbert_key(table.lon_deg, table.lat_deg)) > 0).all()
    ends = table.tail.astype(np.int64) * table.node_count + table.head
    assert (np.diff(ends) >= 0).all()
    assert set(table.tail.tolist()) | set(table.head.tolist()) == set(range(table.node_count))


def test_nothing_to_drive_is_told_with_what_was_left_out() -> None:
    draft = RoadDraft(service_roads=False)
    row = draft.add_way(1, {"highway": "service", "service": "alley"})
    assert row is not None
    draft.add_path(row, [1, 2])
    for node in (1, 2):
        draft.add_node(node, node / 1000, 0.0)
    with pytest.raises(
        RoadSourceError,
        match=r"^here: must hold at least one road a patrol car drives "
        r"\(left out: service roads: 1\); check the area, or try --service-roads$",
    ):
        draft.table(name="here")
    with pytest.raises(RoadSourceError, match="left out: nothing"):
        RoadDraft(service_roads=False).table(name="here")

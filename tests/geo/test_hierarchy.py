"""A hierarchy keeps all times: the sweep over it equals Dijkstra's search."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.hierarchy import Hierarchy
from geo.history import Seeds, nearest_over_time
from geo.kernels.search import UNREACHED
from geo.states import SearchGraph, search_graph
from tests.geo import plain
from tests.prove import examples

if TYPE_CHECKING:
    from pathlib import Path

    from geo.network import RoadNetwork

LONG_MS = UNREACHED // 2


@st.composite
def graphs(draw: st.DrawFn) -> SearchGraph:
    """Any graph: parallels, loops, zero and huge times, closed states, islands."""
    count = draw(st.integers(1, 12))
    states = st.integers(0, count - 1)
    times = st.integers(0, 4) | st.sampled_from([LONG_MS, UNREACHED - 2, UNREACHED - 1])
    arcs = draw(st.lists(st.tuples(states, states, times), max_size=40))
    own = st.integers(0, 2) | st.sampled_from([LONG_MS, UNREACHED])
    state_ms = draw(st.lists(own, min_size=count, max_size=count))
    origin, to, ms = np.array(arcs, np.int64).reshape(-1, 3).T
    return search_graph(count, origin, to, ms, np.array(state_ms, np.int32))


def one_by_one(states: list[tuple[int, int]]) -> Seeds:
    """A snapshot for each seed."""
    place, time_ms = np.array(states, np.int32).reshape(-1, 2).T.copy()
    start = np.arange(len(place) + 1)
    return Seeds(
        place=place, time_ms=time_ms, unit=np.zeros(len(place), np.int32), snapshot_start=start
    )


@settings(max_examples=examples(200), deadline=None)
@given(graphs())
def test_all_times_between_all_states_are_kept(graph: SearchGraph) -> None:
    every = np.arange(graph.count)
    seeds = one_by_one([(state, 0) for state in range(graph.count)])
    (block,) = nearest_over_time(Hierarchy.of(graph), seeds)
    times = block.time_ms(every)[:, :, 0]
    for state in range(graph.count):
        slow = plain.search(graph, [(state, 0)])
        assert times[:, state].tolist() == [slow.get(t, UNREACHED) for t in range(graph.count)]


@settings(max_examples=examples(50), deadline=None)
@given(graphs())
def test_arcs_come_from_rows_above(graph: SearchGraph) -> None:
    hierarchy = Hierarchy.of(graph)
    assert sorted(hierarchy.row.tolist()) == list(range(graph.count))
    for start, other in (
        (hierarchy.up_start, hierarchy.up_row),
        (hierarchy.down_start, hierarchy.down_row),
    ):
        assert (other < np.repeat(np.arange(graph.count), np.diff(start))).all()


def test_it_is_saved_as_its_arrays(denver: RoadNetwork, tmp_path: Path) -> None:
    hierarchy = Hierarchy.of(denver.forward)
    np.savez(tmp_path / "hierarchy.npz", **asdict(hierarchy))
    with np.load(tmp_path / "hierarchy.npz") as arrays:
        again = Hierarchy(**arrays)
    for mine, theirs in zip(asdict(hierarchy).values(), asdict(again).values(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert again.count == denver.forward.count


def test_a_way_up_longer_than_any_time_is_none() -> None:
    none = np.empty(0, np.int32)
    climb = Hierarchy(
        row=np.arange(4, dtype=np.int32),
        up_start=np.array([0, 0, 1, 2, 3], np.int32),
        up_row=np.array([0, 1, 2], np.int32),
        up_ms=np.full(3, UNREACHED - 1, np.int32),
        down_start=np.zeros(5, np.int32),
        down_row=none,
        down_ms=none,
    )
    (block,) = nearest_over_time(climb, one_by_one([(3, 0)]))
    times = block.time_ms(climb.row)[:, 0, 0].tolist()
    assert times == [UNREACHED, UNREACHED, UNREACHED - 1, 0]

"""Many snapshots at once give what each gives alone, to the millisecond and to the unit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from geo.hierarchy import Hierarchy
from geo.history import Middles, Seeds, nearest_over_time, seeds_of
from geo.kernels.search import UNREACHED
from geo.nearest import NearestUnits, nearest
from geo.network import RoadNetwork
from geo.starts import Starts, seeds_ahead, starts_at, starts_of
from tests.geo import plain
from tests.geo.test_router import somewhere, towns
from tests.geo.test_states import banned, restricted
from tests.prove import examples

if TYPE_CHECKING:
    from collections.abc import Callable

    from geo.snap import Position


def snapshots(net: RoadNetwork, units: list[list[Position]]) -> tuple[Starts, np.ndarray]:
    """All snapshots' units in one table, and where each snapshot's begin."""
    start = np.cumsum([0, *map(len, units)])
    return starts_of(net, [unit for snapshot in units for unit in snapshot]), start


@st.composite
def histories(draw: st.DrawFn) -> tuple[RoadNetwork, list[list[Position]]]:
    """Snapshots of a town, some without units, some with two at one place; roads closed."""
    if draw(st.booleans()):
        net = draw(towns())
    else:
        free, bans = draw(restricted())
        net = banned(free, bans)
    edges = st.integers(0, len(net.edge_ms) - 1)
    closed = draw(st.lists(edges, max_size=2))
    if closed:
        net = net.patched(closed=closed)
    fractions = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1)
    places = st.builds(
        lambda edge, fraction, known: somewhere(net, edge, fraction, heading_known=known),
        edges,
        fractions,
        st.booleans(),
    )
    few = draw(st.lists(st.lists(places, max_size=4), min_size=1, max_size=5))
    return net, few * draw(st.sampled_from([1, 8, 20]))


@settings(max_examples=examples(80), deadline=None)
@given(histories(), st.integers(1, 2))
def test_states_equal_the_plain_twin_in_every_snapshot(
    case: tuple[RoadNetwork, list[list[Position]]], k: int
) -> None:
    net, units = case
    seen = 0
    every = np.arange(net.forward.count)
    seeds = seeds_of(net, *snapshots(net, units))
    for block in nearest_over_time(Hierarchy.of(net.forward), seeds, k=k):
        assert block.first == seen
        seen += block.count
        times = block.time_ms(every).tolist()
        owners = block.unit(every).tolist() if k == 2 else None
        for lane in range(block.count)[:5]:
            alone = seeds_ahead(net, starts_of(net, units[block.first + lane]))
            rows = zip(*(column.tolist() for column in alone), strict=True)
            slow = plain.nearest(net.forward, rows, k, UNREACHED - 1)
            for state in every.tolist():
                expected = slow.get(state, [])
                missing = k - len(expected)
                assert times[state][lane] == [ms for ms, _ in expected] + [UNREACHED] * missing
                if owners:
                    assert owners[state][lane] == [who for _, who in expected] + [-1] * missing
    assert seen == len(units)


@settings(max_examples=examples(80), deadline=None)
@given(histories(), st.integers(1, 2))
def test_middles_equal_those_of_each_snapshot_alone(
    case: tuple[RoadNetwork, list[list[Position]]], k: int
) -> None:
    net, units = case
    assert_middles(net, *snapshots(net, units), k, len(units))


def assert_middles(net: RoadNetwork, starts: Starts, start: np.ndarray, k: int, count: int) -> None:
    hierarchy = Hierarchy.of(net.forward)
    middles = Middles(net, hierarchy, starts, start)
    for block in nearest_over_time(hierarchy, seeds_of(net, starts, start), k=k):
        unit, time_s = middles.read(block)
        for lane in range(min(block.count, count)):
            own = slice(start[block.first + lane], start[block.first + lane + 1])
            alone = Starts(
                edge=starts.edge[own], done_ms=starts.done_ms[own], price_ms=starts.price_ms[own]
            )
            expected, expected_s = NearestUnits(net, alone, k=k).at_middles()
            np.testing.assert_array_equal(time_s[:, lane], expected_s)
            assert (unit is None) == (k == 1)
            if unit is not None:
                np.testing.assert_array_equal(unit[:, lane], expected)


def anywhere(net: RoadNetwork, count: int, units: int) -> tuple[Starts, np.ndarray]:
    """Snapshots of units anywhere."""
    rng = np.random.default_rng(8)
    size = count * units
    edge = rng.integers(0, len(net.edge_ms), size).astype(np.int32)
    round_ms = np.full(size, 20_000, np.int32)
    return starts_at(net, edge, rng.random(size), round_ms), np.arange(count + 1) * units


@pytest.mark.parametrize("k", [1, 2])
def test_the_embedded_city_equals_each_snapshot_alone(denver: RoadNetwork, k: int) -> None:
    assert_middles(denver, *anywhere(denver, 70, 12), k, 6)


@pytest.mark.parametrize("name", ["monaco", "columbus_oh"])
@pytest.mark.parametrize("k", [1, 2])
def test_a_real_city_equals_each_snapshot_alone(
    name: str, real_roads: Callable[[str], RoadNetwork], k: int
) -> None:
    net = real_roads(name)
    assert_middles(net, *anywhere(net, 33, 60), k, 3)


@settings(max_examples=examples(40), deadline=None)
@given(st.data())
def test_nodes_without_turns_equal_nearest(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 9))
    nodes = st.integers(0, count - 1)
    rows = st.tuples(nodes, nodes, st.integers(0, 3))
    arcs = data.draw(st.lists(rows, min_size=1, max_size=25))
    tail, head, time_s = np.array(arcs).T
    place = np.arange(count) / 100
    net = RoadNetwork.from_arrays(lon_deg=place, lat_deg=place, tail=tail, head=head, time_s=time_s)
    sources = data.draw(st.lists(nodes, min_size=1, max_size=5))
    seeds = Seeds(
        place=net.node_state[sources],
        time_ms=np.zeros(len(sources), np.int32),
        unit=np.arange(len(sources), dtype=np.int32),
        snapshot_start=np.array([0, len(sources)]),
    )
    (block,) = nearest_over_time(Hierarchy.of(net.forward), seeds, k=2)
    index, drive_time_s = nearest(net, sources, k=2)
    np.testing.assert_array_equal(block.unit(net.node_state)[:, 0], index)
    time_ms = block.time_ms(net.node_state)[:, 0]
    np.testing.assert_array_equal(
        np.where(time_ms == UNREACHED, np.inf, time_ms / 1000), drive_time_s
    )


def test_what_a_sweep_would_not_notice_is_said(denver: RoadNetwork) -> None:
    hierarchy = Hierarchy.of(denver.forward)
    one = np.zeros(1, np.int32)
    good = Seeds(place=one, time_ms=one, unit=one, snapshot_start=np.array([0, 1]))
    last = hierarchy.count - 1
    with pytest.raises(InputError, match="k=3: must be 1 or 2"):
        nearest_over_time(hierarchy, good, k=3)
    for place in (-1, last + 1):
        with pytest.raises(InputError, match=f"place={place}: must be a state from 0 to {last}"):
            nearest_over_time(hierarchy, replace(good, place=one + np.int32(place)))
    with pytest.raises(InputError, match="time_ms=-1: must be 0 or more"):
        nearest_over_time(hierarchy, replace(good, time_ms=one - np.int32(1)))
    for unit in (-1, 1 << 30):
        with pytest.raises(InputError, match=f"unit={unit}: must be from 0 to 1073741823"):
            nearest_over_time(hierarchy, replace(good, unit=one + np.int32(unit)), k=2)
    (block,) = nearest_over_time(hierarchy, good)
    with pytest.raises(InputError, match="k=1: a block of k=2 knows its units"):
        block.unit(one)

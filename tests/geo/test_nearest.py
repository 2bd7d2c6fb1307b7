"""The k nearest units everywhere, from scratch and after every move, equal one search per unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from geo.kernels.search import UNREACHED
from geo.nearest import NearestUnits, nearest
from geo.network import RoadNetwork
from geo.router import times_from, times_to_middles
from geo.starts import Starts, seeds_ahead, starts_at, starts_of
from tests.geo import plain
from tests.geo.test_router import somewhere, towns
from tests.geo.towns import town
from tests.prove import examples

if TYPE_CHECKING:
    from geo.snap import Position


@st.composite
def units_in_towns(draw: st.DrawFn) -> tuple[RoadNetwork, list[Position]]:
    """Units on a town's roads, some at the same place."""
    net = draw(towns())
    edges = st.integers(0, len(net.edge_ms) - 1)
    fractions = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1)
    places = st.builds(
        lambda edge, fraction, known: somewhere(net, edge, fraction, heading_known=known),
        edges,
        fractions,
        st.booleans(),
    )
    return net, draw(st.lists(places, min_size=1, max_size=6))


def expected_at_middles(
    net: RoadNetwork, units: list[Position], k: int, within_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """One search per unit, sorted."""
    times = np.array([times_to_middles(net, unit, within_s=within_s) for unit in units])
    order = np.argsort(times, axis=0, kind="stable")[:k].T
    soonest = np.take_along_axis(times.T, order, axis=1)
    missing = k - soonest.shape[1]
    soonest = np.pad(soonest, ((0, 0), (0, max(0, missing))), constant_values=np.inf)
    order = np.pad(order, ((0, 0), (0, max(0, missing))), constant_values=-1)
    return np.where(np.isinf(soonest), -1, order), soonest


@settings(max_examples=examples(80), deadline=None)
@given(units_in_towns(), st.integers(1, 3), st.sampled_from([np.inf, 30.0]))
def test_the_nearest_of_every_road_equal_one_search_per_unit(
    case: tuple[RoadNetwork, list[Position]], k: int, within_s: float
) -> None:
    net, units = case
    live = NearestUnits(net, starts_of(net, units), k=k, within_s=within_s)
    index, time_s = live.at_middles()
    expected_index, expected_s = expected_at_middles(net, units, k, within_s)
    np.testing.assert_array_equal(time_s, expected_s)
    np.testing.assert_array_equal(index, expected_index)


@settings(max_examples=examples(80), deadline=None)
@given(units_in_towns(), st.integers(1, 3), st.data())
def test_after_any_moves_it_is_as_from_scratch(
    case: tuple[RoadNetwork, list[Position]], k: int, data: st.DataObject
) -> None:
    net, units = case
    live = NearestUnits(net, starts_of(net, units), k=k)
    for _ in range(data.draw(st.integers(1, 5))):
        row = data.draw(st.integers(0, len(units) - 1))
        edge = data.draw(st.integers(0, len(net.edge_ms) - 1))
        units[row] = somewhere(net, edge, data.draw(st.floats(0, 1)), heading_known=True)
        live.move(row, starts_of(net, [units[row]]))
    fresh = NearestUnits(net, starts_of(net, units), k=k)
    np.testing.assert_array_equal(live._label, fresh._label)
    for mine, theirs in zip(live.at_middles(), fresh.at_middles(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@settings(max_examples=examples(60), deadline=None)
@given(units_in_towns(), st.integers(1, 3))
def test_labels_of_states_equal_the_plain_twin(
    case: tuple[RoadNetwork, list[Position]], k: int
) -> None:
    net, units = case
    starts = starts_of(net, units)
    live = NearestUnits(net, starts, k=k)
    seeds = zip(*(column.tolist() for column in seeds_ahead(net, starts)), strict=True)
    slow = plain.nearest(net.forward, seeds, k, UNREACHED - 1)
    for state in range(net.forward.count):
        labels = [(int(one) >> 32, int(one) & 2**32 - 1) for one in live._label[state]]
        assert [one for one in labels if one[0] != UNREACHED] == slow.get(state, [])


def test_moves_on_the_embedded_city_stay_exact(denver: RoadNetwork) -> None:
    rng = np.random.default_rng(5)
    starts = _anywhere(denver, rng, 30)
    live = NearestUnits(denver, starts, k=2)
    for unit in rng.integers(0, 30, 40).tolist():
        to = _anywhere(denver, rng, 1)
        live.move(unit, to)
        starts.edge[unit], starts.done_ms[unit] = to.edge[0], to.done_ms[0]
        starts.price_ms[unit] = to.price_ms[0]
    np.testing.assert_array_equal(live._label, NearestUnits(denver, starts, k=2)._label)


def test_a_unit_taken_off_the_roads_is_nobodys_nearest(denver: RoadNetwork) -> None:
    starts = _anywhere(denver, np.random.default_rng(6), 3)
    live = NearestUnits(denver, starts, k=2)
    off = starts_at(denver, np.full(1, -1, np.int32), np.zeros(1), np.full(1, -1, np.int32))
    live.move(1, off)
    index, _ = live.at_middles()
    assert not (index == 1).any()
    assert (index[denver.main & denver.to_main] >= 0).all()


def test_nodes_with_turns_equal_one_search_per_source(denver: RoadNetwork) -> None:
    sources = [5, 100, 100, 411]
    index, time_s = nearest(denver, sources, k=3, within_s=300)
    times = np.array([times_from(denver, node, 300) for node in sources])
    order = np.argsort(times, axis=0, kind="stable")[:3].T
    expected = np.take_along_axis(times.T, order, axis=1)
    np.testing.assert_array_equal(time_s, expected)
    np.testing.assert_array_equal(index, np.where(np.isinf(expected), -1, order))


def test_nobody_is_nearest_to_nothing(denver: RoadNetwork) -> None:
    index, time_s = nearest(denver, [], k=1)
    assert (index == -1).all()
    assert np.isinf(time_s).all()


def test_no_such_unit_is_said(denver: RoadNetwork) -> None:
    starts = _anywhere(denver, np.random.default_rng(7), 2)
    live = NearestUnits(denver, starts)
    with pytest.raises(InputError, match="unit=2: must be a row from 0 to 1"):
        live.move(2, starts)
    with pytest.raises(InputError, match="k=0: must be at least 1"):
        NearestUnits(denver, starts, k=0)


def _anywhere(net: RoadNetwork, rng: np.random.Generator, count: int) -> Starts:
    edge = rng.integers(0, len(net.edge_ms), count).astype(np.int32)
    return starts_at(net, edge, rng.random(count), np.full(count, 20_000, np.int32))


def test_times_past_the_limit_of_the_clock_are_none_and_never_negative() -> None:
    net = RoadNetwork.from_arrays(
        lon_deg=[0, 1, 2, 3], lat_deg=[0] * 4, tail=[0, 1, 2], head=[1, 2, 3], time_s=[1.2e6] * 3
    )
    index, time_s = nearest(net, [0], k=1)
    assert time_s[:, 0].tolist() == [0, 1.2e6, np.inf, np.inf]
    assert index[:, 0].tolist() == [0, 0, -1, -1]
    names = "ABCDE"
    slow = town(
        {name: (100.0 * i, 0.0) for i, name in enumerate(names)},
        [{"ends": list(names), "oneway": True}],
    ).patched(slowed={0: 1e5, 1: 1e5, 2: 1e5})
    start = starts_of(slow, [somewhere(slow, 0, 0.0, heading_known=True)])
    live = NearestUnits(slow, start, k=1)
    assert (live.at_middles()[1] >= 0).all()
    live.move(0, start)
    assert (live.at_middles()[1] >= 0).all()

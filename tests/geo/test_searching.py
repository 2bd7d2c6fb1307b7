"""The queue of searches: it grows when it must, and says the same however it is laid out."""

from __future__ import annotations

import numpy as np
import pytest

from geo.kernels.nearest import BLANK
from geo.kernels.nearest import nearest as spread_labels
from geo.searching import Buckets, searched, span_ms
from geo.states import SearchGraph, search_graph
from tests.geo import plain

STATES = 3000
LIMIT_MS = 10**7


def _crowd(longest_ms: int) -> SearchGraph:
    """Each state leads to many others at once, so that buckets overflow."""
    rng = np.random.default_rng(5)
    origin = np.concatenate([np.zeros(STATES, np.int64), rng.integers(0, STATES, 4 * STATES)])
    to = np.concatenate([np.arange(STATES), rng.integers(0, STATES, 4 * STATES)])
    ms = rng.integers(0, longest_ms, len(to))
    return search_graph(STATES, origin, to, ms, rng.integers(0, 900, STATES).astype(np.int32))


@pytest.mark.parametrize("longest_ms", [1_000, 100_000, 2_000_000])
def test_a_crowd_in_one_bucket_equals_the_plain_twin_again_and_again(longest_ms: int) -> None:
    graph = _crowd(longest_ms)
    spare: list[object] = []
    for seed in (0, 7, 0):
        state, ms = np.array([seed, 9], np.int32), np.array([0, 40_000], np.int32)
        with searched(spare, graph, state, ms, LIMIT_MS) as found:  # type: ignore[arg-type]
            times = {int(s): int(found.label_ms[s]) for s in found.touched}
        assert times == plain.search(graph, [(seed, 0), (9, 40_000)], LIMIT_MS)
    assert len(spare) == 1


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize(("count", "limit_ms"), [(2, LIMIT_MS), (STATES // 2, 1_500)])
def test_a_crowd_of_labels_equals_the_plain_twin(k: int, count: int, limit_ms: int) -> None:
    graph = _crowd(9_000)
    state = np.arange(count, dtype=np.int32)
    seed = np.arange(count, dtype=np.int64) % 300 << 32 | np.arange(count)
    label = np.full((STATES, k), BLANK, np.int64)
    buckets = Buckets()
    shift = buckets.fit(span_ms(graph, seed >> 32, limit_ms), 15)
    arrays = graph.start, graph.arc, graph.state_ms, state, seed
    spread_labels(*arrays, limit_ms, shift, label, buckets.entry, buckets.size)
    seeds = [(row, row % 300, row) for row in range(count)]
    found = {
        place: [(one >> 32, one & 2**32 - 1) for one in row if one != BLANK]
        for place, row in enumerate(label.tolist())
        if row[0] != BLANK
    }
    assert found == plain.nearest(graph, seeds, k, limit_ms)

"""The networks measured on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csgraph

from bench import graphs

if TYPE_CHECKING:
    from pathlib import Path


def test_the_made_up_city_is_the_same_each_time_and_strongly_connected() -> None:
    one, other = graphs.grid_city(20), graphs.grid_city(20)
    np.testing.assert_array_equal(one.time_ds, other.time_ds)
    assert 300 < one.node_count <= 400
    parts, _ = csgraph.connected_components(one.forward, directed=True, connection="strong")
    assert parts == 1


def test_parallel_edges_leave_the_quickest() -> None:
    graph = graphs.Graph(
        name="two",
        lon_deg=np.zeros(2),
        lat_deg=np.zeros(2),
        tail=np.array([0, 0, 1]),
        head=np.array([1, 1, 0]),
        time_ds=np.array([9, 7, 5]),
    )
    assert graph.forward.toarray().tolist() == [[0, 7], [5, 0]]
    assert graph.backward.toarray().tolist() == [[0, 5], [7, 0]]


def test_copies_are_bridged_both_ways() -> None:
    city = graphs.grid_city(12)
    three = graphs.copies(city, 3)
    assert three.node_count == 3 * city.node_count
    assert three.edge_count == 3 * city.edge_count + 4
    parts, _ = csgraph.connected_components(three.forward, directed=True, connection="strong")
    assert parts == 1


def test_a_graph_is_made_once_and_read_after(tmp_path: Path) -> None:
    made = []

    def make() -> graphs.Graph:
        made.append(1)
        return graphs.grid_city(10)

    first, second = (graphs.cached(tmp_path, "grid", make) for _ in range(2))
    assert len(made) == 1
    assert second.name == first.name
    np.testing.assert_array_equal(first.head, second.head)

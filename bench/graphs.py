"""The networks measured on: the same numbers on every machine, kept in a folder once made."""

from __future__ import annotations

import gzip
import importlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse, spatial
from scipy.sparse import csgraph

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

    from geo.network import RoadNetwork

    FloatArray = npt.NDArray[np.float64]
    IntArray = npt.NDArray[np.int64]

SEED = 1
ONE_WAY_SHARE = 0.15
# USA-road-t's weights are tenths of a metre over 1, 0.8, 0.6 or 0.4 by class of road. With 100 km/h
# on the first class (so 40 km/h on the last) a unit of weight is 3.6 ms.
DIMACS_WEIGHT_MS = 3.6
HIGHWAY_KPH = 80.0
BRIDGE_DS = 600
# Distances from a node to all, added up: the challenge's own check of USA-road-t.NY's ten sources,
# as its reference solver (multi-level buckets, ch9-1.1) prints it; out of the test report of the
# public repository lintang-b-s/Navigatorx.
DIMACS_CHECKSUMS = {
    190295: 124_416_308_119,
    239826: 166_517_133_290,
    33576: 152_442_617_273,
    235576: 164_820_317_516,
    27971: 125_050_312_016,
    129633: 155_464_785_670,
    190618: 118_966_696_718,
    2171: 200_878_670_013,
    12097: 191_321_830_916,
    240412: 146_181_703_161,
}
DOWNTOWN = (-73.9857, 40.7484)  # a place in Manhattan, the middle of the pieces of New York


@dataclass(frozen=True, kw_only=True)
class Graph:
    """
    A network of nodes, strongly connected, with times in whole deciseconds.

    Parameters
    ----------
    name : str
        As reports call it.
    lon_deg, lat_deg : ndarray of float64, shape (n,)
        Nodes.
    tail, head : ndarray of int64, shape (m,)
        Node rows of each directed edge.
    time_ds : ndarray of int64, shape (m,)
        Deciseconds.
    """

    name: str
    lon_deg: FloatArray
    lat_deg: FloatArray
    tail: IntArray
    head: IntArray
    time_ds: IntArray

    @property
    def node_count(self) -> int:
        """Number of nodes."""
        return len(self.lon_deg)

    @property
    def edge_count(self) -> int:
        """Number of directed edges."""
        return len(self.tail)

    @cached_property
    def forward(self) -> sparse.csr_array:
        """Deciseconds from row to column, as scipy searches it."""
        return _fewest(self.tail, self.head, self.time_ds, self.node_count)

    @cached_property
    def backward(self) -> sparse.csr_array:
        """The same, turned round."""
        return _fewest(self.head, self.tail, self.time_ds, self.node_count)

    @cached_property
    def simple(self) -> tuple[IntArray, IntArray, IntArray]:
        """Tail, head and time of the quickest of parallel edges, for peers that want one."""
        found = self.forward.tocoo()
        return found.row.astype(np.int64), found.col.astype(np.int64), found.data.astype(np.int64)

    def near(self, lon: float, lat: float, count: int) -> IntArray:
        """Give the node rows nearest to a place, nearest first."""
        east = (self.lon_deg - lon) * np.cos(np.radians(lat))
        return np.argsort(np.hypot(east, self.lat_deg - lat), kind="stable")[:count]


def _fewest(row: IntArray, column: IntArray, time_ds: IntArray, count: int) -> sparse.csr_array:
    """Assemble a matrix that keeps the quickest of parallel edges (scipy would add them up)."""
    order = np.lexsort((time_ds, column, row))
    key = row[order] * count + column[order]
    first = order[np.unique(key, return_index=True)[1]]
    values = (time_ds[first].astype(np.float64), (row[first], column[first]))
    matrix = sparse.csr_array(values, shape=(count, count))
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return matrix


def strong_part(graph: Graph) -> Graph:
    """Keep the largest part in which every node reaches every other."""
    _, part = csgraph.connected_components(graph.forward, directed=True, connection="strong")
    return keep_nodes(graph, part == np.bincount(part).argmax())


def keep_nodes(graph: Graph, kept: npt.NDArray[np.bool_]) -> Graph:
    """Keep some nodes and the edges between them; rows keep their order."""
    row = np.cumsum(kept) - 1
    edge = kept[graph.tail] & kept[graph.head]
    return Graph(
        name=graph.name,
        lon_deg=graph.lon_deg[kept],
        lat_deg=graph.lat_deg[kept],
        tail=row[graph.tail[edge]],
        head=row[graph.head[edge]],
        time_ds=graph.time_ds[edge],
    )


def same_places(graph: Graph, origin: Graph, rows: IntArray) -> IntArray:
    """Find the nodes of a graph at the places of another graph's nodes."""
    tree = spatial.KDTree(np.stack([graph.lon_deg, graph.lat_deg], axis=1))
    _, found = tree.query(np.stack([origin.lon_deg[rows], origin.lat_deg[rows]], axis=1))
    return np.asarray(found, np.int64)


def grid_city(side: int = 150) -> Graph:
    """Make a city without any data: crooked blocks of 90 m, avenues, 15 % one-way."""
    rng = np.random.default_rng(SEED)
    node = np.arange(side * side).reshape(side, side)
    east = np.stack([node[:, :-1].ravel(), node[:, 1:].ravel()])
    north = np.stack([node[:-1].ravel(), node[1:].ravel()])
    one, other = np.concatenate([east, north], axis=1)
    avenue = ((one // side) % 8 == 0) & ((other // side) % 8 == 0)
    time_ds = np.where(avenue, 54, 81) + rng.integers(0, 40, len(one))
    lon = -104.99 + (node % side) * 0.00105 + rng.normal(0, 1e-4, node.shape)
    lat = 39.74 + (node // side) * 0.00081 + rng.normal(0, 1e-4, node.shape)
    graph = Graph(
        name="grid",
        lon_deg=lon.ravel(),
        lat_deg=lat.ravel(),
        tail=np.concatenate([one, other]),
        head=np.concatenate([other, one]),
        time_ds=np.concatenate([time_ds, time_ds]),
    )
    return strong_part(with_one_ways(graph))


def with_one_ways(graph: Graph) -> Graph:
    """Make a share of the two-way streets one-way, which way drawn by lot too."""
    rng = np.random.default_rng(SEED)
    low, high = np.minimum(graph.tail, graph.head), np.maximum(graph.tail, graph.head)
    _, street = np.unique(low * graph.node_count + high, return_inverse=True)
    count = int(street.max()) + 1
    one_way, upward = rng.random(count) < ONE_WAY_SHARE, rng.random(count) < 0.5
    kept = ~one_way[street] | ((graph.tail < graph.head) == upward[street])
    return Graph(
        name=graph.name,
        lon_deg=graph.lon_deg,
        lat_deg=graph.lat_deg,
        tail=graph.tail[kept],
        head=graph.head[kept],
        time_ds=graph.time_ds[kept],
    )


def published_new_york(data: Path) -> Graph:
    """Read the DIMACS challenge's New York as it is; a unit of weight counts as a decisecond."""
    places = np.array(_rows(data / "USA-road-d.NY.co.gz", "v"), np.int64) / 1e6
    tail, head, weight = np.array(_rows(data / "USA-road-t.NY.gr.gz", "a"), np.int64).T
    return Graph(
        name="New York as published",
        lon_deg=places[:, 1],
        lat_deg=places[:, 2],
        tail=tail - 1,
        head=head - 1,
        time_ds=weight,
    )


def new_york(data: Path) -> Graph:
    """Give the challenge's New York seconds, and make some of its streets one-way."""
    graph = published_new_york(data)
    time_ds = np.maximum(np.rint(graph.time_ds * DIMACS_WEIGHT_MS / 100), 1).astype(np.int64)
    return strong_part(with_one_ways(replace(graph, name="New York", time_ds=time_ds)))


def _rows(path: Path, kind: str) -> list[list[str]]:
    """Split the lines of one kind in a DIMACS file."""
    with gzip.open(path, "rt", encoding="ascii") as lines:
        return [line.split()[1:] for line in lines if line.startswith(kind)]


def piece(graph: Graph, count: int) -> Graph:
    """Cut out about so many nodes round the middle of the city."""
    kept = np.zeros(graph.node_count, np.bool_)
    kept[graph.near(*DOWNTOWN, count)] = True
    part = strong_part(keep_nodes(graph, kept))
    return Graph(**{**_arrays(part), "name": f"{graph.name}, {part.node_count // 1000}k nodes"})


def copies(graph: Graph, count: int) -> Graph:
    """Lay copies of a city side by side, a slow bridge from each to the next."""
    size, width = graph.node_count, float(np.ptp(graph.lon_deg)) + 0.05
    row = np.arange(count) * size
    east, west = int(graph.lon_deg.argmax()), int(graph.lon_deg.argmin())
    from_row, to_row = row[:-1] + east, row[1:] + west
    bridges = np.full(2 * (count - 1), BRIDGE_DS)
    return Graph(
        name=f"{count} x {graph.name}",
        lon_deg=(graph.lon_deg + np.arange(count)[:, None] * width).ravel(),
        lat_deg=np.tile(graph.lat_deg, count),
        tail=np.concatenate([(graph.tail + row[:, None]).ravel(), from_row, to_row]),
        head=np.concatenate([(graph.head + row[:, None]).ravel(), to_row, from_row]),
        time_ds=np.concatenate([np.tile(graph.time_ds, count), bridges]),
    )


def world_highways() -> Graph:
    """Read the world's highways from the package `scgraph-data`; all driven at one speed."""
    module = importlib.import_module("scgraph_data.world_highways")
    places = np.array(module.nodes, np.float64)
    degree = [len(there) for there in module.graph]
    km = np.array([km for there in module.graph for km in there.values()], np.float64)
    graph = Graph(
        name="world highways",
        lon_deg=places[:, 1],
        lat_deg=places[:, 0],
        tail=np.repeat(np.arange(len(degree)), degree),
        head=np.array([to for there in module.graph for to in there], np.int64),
        time_ds=np.maximum(np.rint(km / HIGHWAY_KPH * 36000), 1).astype(np.int64),
    )
    return strong_part(graph)


def of_table(name: str, net: RoadNetwork) -> Graph:
    """Take an extract's roads and seconds, turns free, in deciseconds."""
    table = net.table
    graph = Graph(
        name=name,
        lon_deg=np.asarray(table.lon_deg),
        lat_deg=np.asarray(table.lat_deg),
        tail=table.tail.astype(np.int64),
        head=table.head.astype(np.int64),
        time_ds=np.maximum(np.rint(net.edge_ms / 100), 1).astype(np.int64),
    )
    return strong_part(graph)


def cached(folder: Path, name: str, make: Callable[[], Graph]) -> Graph:
    """Read a graph from the folder; make it first where it is not there, or made otherwise."""
    path = folder / f"{name}.npz"
    recipe = json.dumps([SEED, ONE_WAY_SHARE, DIMACS_WEIGHT_MS, HIGHWAY_KPH, BRIDGE_DS])
    if path.is_file():
        with np.load(path) as kept:
            if str(kept["recipe"]) == recipe:
                arrays = {key: kept[key] for key in kept.files if key not in {"recipe", "name"}}
                return Graph(name=str(kept["name"]), **arrays)
    graph = make()
    folder.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".part").open("wb") as file:
        np.savez(file, recipe=recipe, **_arrays(graph))
    path.with_suffix(".part").replace(path)
    return graph


def _arrays(graph: Graph) -> dict[str, Any]:
    """List the fields."""
    return {name: getattr(graph, name) for name in Graph.__dataclass_fields__}

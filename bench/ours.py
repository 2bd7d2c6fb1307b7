"""
The only file that knows rollby's own calls: what a row asks for, in one place.

A function for which there is nothing in rollby yet raises `NotBuiltError`; its row then says so.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.network import RoadNetwork
from geo.router import nearest, times_from, times_to

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.graphs import FloatArray, Graph, IntArray


ROUTING = "memory of a loaded network, geometry apart"
GEOMETRY = "its geometry"
_SHAPES = ("shape_lon_deg", "shape_lat_deg", "shape_start")


class NotBuiltError(Exception):
    """Rollby has nothing for this row yet."""


def network(graph: Graph) -> RoadNetwork:
    """Build the network of a graph: turns cost nothing."""
    return RoadNetwork.from_arrays(
        lon_deg=graph.lon_deg,
        lat_deg=graph.lat_deg,
        tail=graph.tail,
        head=graph.head,
        time_s=graph.time_ds / 10,
    )


def real_network(path: Path) -> RoadNetwork:
    """Build the network of an OpenStreetMap file: turns have their price."""
    from data.extract import read_pbf  # noqa: PLC0415 - its peers are slow to import

    return RoadNetwork.from_table(read_pbf(path))


def load(path: Path) -> RoadNetwork:
    """Map a network's file into memory."""
    return RoadNetwork.load(path)


def without_turns(net: RoadNetwork) -> RoadNetwork:
    """Give the same roads and times, turns free."""
    return RoadNetwork.from_arrays(
        lon_deg=net.table.lon_deg,
        lat_deg=net.table.lat_deg,
        tail=net.table.tail,
        head=net.table.head,
        time_s=net.edge_ms / 1000,
    )


def stop_search(net: RoadNetwork, units: IntArray, within_s: float) -> Callable[[int], FloatArray]:
    """Prepare: a stop's node -> seconds from 1,000 units' nodes, by one backward search."""
    return lambda stop: times_to(net, stop, within_s)[units]


def all_times_to(net: RoadNetwork) -> Callable[[int], FloatArray]:
    """Prepare: a node -> seconds from every node to it."""
    return lambda node: times_to(net, node)


def all_times_from(net: RoadNetwork) -> Callable[[int], FloatArray]:
    """Prepare: a node -> seconds from it to every node."""
    return lambda node: times_from(net, node)


def nearest_units(net: RoadNetwork, k: int) -> Callable[[IntArray], tuple[IntArray, FloatArray]]:
    """Prepare: units' nodes -> which k are nearest to every node, and their seconds."""
    return lambda units: nearest(net, units, k=k)


def moving_units(net: RoadNetwork, units: IntArray) -> Any:
    """Give something with ``move(row, node)`` and ``answer() -> (index, seconds)``, k = 2."""
    _module("geo.nearest")
    raise NotBuiltError


def standing_stops(net: RoadNetwork, stops: IntArray, within_s: float) -> Any:
    """Give something with ``times_s(nodes) -> (len(nodes), len(stops))``: all drive times of fixes."""
    _module("geo.standing")
    raise NotBuiltError


def snapper(net: RoadNetwork) -> Callable[[FloatArray, FloatArray, FloatArray], Snaps]:
    """Prepare: longitudes, latitudes, headings -> where on the roads they are."""
    from geo.snap import snap_all  # noqa: PLC0415 - to become a batch in arrays

    def snap(lon: FloatArray, lat: FloatArray, heading: FloatArray) -> Snaps:
        found = snap_all(net, lon, lat, heading)
        return Snaps(
            edge=np.array([-1 if one is None else one.edge for one in found]),
            offset_m=np.array([np.inf if one is None else one.offset_m for one in found]),
        )

    return snap


@dataclass(frozen=True, slots=True, kw_only=True)
class Snaps:
    """Directed edges and how far off they are, metres."""

    edge: IntArray
    offset_m: FloatArray


def turn_searches(
    net: RoadNetwork, *, units: int, stops: int, within_s: float
) -> tuple[Callable[[Any], FloatArray], Callable[[Any], FloatArray], list[Any]]:
    """
    Prepare the stop's search with turns and without, from and to the ends of edges.

    Returns
    -------
    with_turns, without : callable
        A stop -> seconds from every unit.
    stops : list
        Nodes.
    """
    rng = np.random.default_rng(3)
    bare = without_turns(net)
    places = rng.choice(net.table.node_count, stops, replace=False).tolist()
    nodes = rng.choice(net.table.node_count, units, replace=False)
    return stop_search(net, nodes, within_s), stop_search(bare, nodes, within_s), places


def memory_parts(net: RoadNetwork) -> dict[str, dict[str, int]]:
    """List the bytes of a network's arrays: what routing and names take, and the lines' geometry."""
    parts: dict[str, int] = {}
    for holder in (net.table, net):
        for name in holder.__dataclass_fields__:
            parts |= _array_bytes(name, getattr(holder, name))
    return {
        ROUTING: {name: size for name, size in parts.items() if name not in _SHAPES},
        GEOMETRY: {name: size for name, size in parts.items() if name in _SHAPES},
    }


def _array_bytes(name: str, value: Any) -> dict[str, int]:
    """Give the bytes of an array, or of the arrays that something holds."""
    if isinstance(value, np.ndarray):
        return {name: value.nbytes}
    fields = getattr(value, "__dataclass_fields__", None) or ("data", "indices", "indptr")
    held = {f"{name}.{field}": getattr(value, field, None) for field in fields}
    return {field: part.nbytes for field, part in held.items() if isinstance(part, np.ndarray)}


def _module(name: str) -> Any:
    """Import a module of rollby's that may not be there yet."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as fault:
        raise NotBuiltError(f"{name} is not built yet") from fault

"""What a `geo.network.RoadNetwork` is made of, worked out from roads and from times."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from data.roads.hilbert import hilbert_key
from geo.assemble import milliseconds, passages, twins
from geo.drive_model import RESPONSE, ROUTINE
from geo.kernels.search import UNREACHED
from geo.speeds import edge_speeds_mps
from geo.states import Passages, main_parts, restrict, search_graph
from geo.turns import turn_seconds

if TYPE_CHECKING:
    from typing import Any

    from data.road_table import BoolArray, FloatArray, Int32Array, RoadTable


def parts_of_roads(table: RoadTable, *, response: bool) -> dict[str, Any]:
    """
    Work out seconds per edge and per turn, and the states and arcs of them.

    Parameters
    ----------
    table : RoadTable
        The roads.
    response : bool
        Times with lights and siren.

    Returns
    -------
    parts : dict of str to object
        What `RoadNetwork` is built from, by its names.
    """
    model = RESPONSE if response else ROUTINE
    twin = twins(table)
    edge_ms = milliseconds(table.length_m / edge_speeds_mps(table, model))
    before, after = passages(table)
    turn_s = turn_seconds(table, before, after, twin[before] == after, model)
    allowed = np.isfinite(turn_s)
    free = Passages(
        origin=before[allowed],
        to=after[allowed],
        time_ms=milliseconds(turn_s[allowed]).astype(np.int64),
    )
    driven, state_edge = restrict(free, table.edge_count, _bans(table))
    state_ms = edge_ms[state_edge]
    forward = search_graph(len(state_edge), driven.origin, driven.to, driven.time_ms, state_ms)
    backward = search_graph(len(state_edge), driven.to, driven.origin, driven.time_ms, state_ms)
    from_main, to_main = main_parts(forward, backward)
    count = table.edge_count
    return {
        "table": table,
        "edge_ms": state_ms[:count],
        "twin": twin,
        "ghost_edge": state_edge[count:],
        "node_state": np.empty(0, np.int32),
        "forward": forward,
        "backward": backward,
        "from_main": _any_state(from_main, state_edge, count),
        "to_main": to_main[:count],
        "response": response,
    }


def parts_of_nodes(table: RoadTable, edge_ms: Int32Array, node_state: Int32Array) -> dict[str, Any]:
    """
    Work out the search graphs of a network whose turns cost nothing.

    Parameters
    ----------
    table : RoadTable
        The roads.
    edge_ms : ndarray of int32, shape (m,)
        To drive each directed edge from end to end; `UNREACHED` where it is closed.
    node_state : ndarray of int32, shape (n,)
        The state of each node.

    Returns
    -------
    parts : dict of str to object
        As `parts_of_roads`.
    """
    tail, head = node_state[table.tail], node_state[table.head]
    count, driven = len(node_state), edge_ms != UNREACHED
    arcs = (tail[driven], head[driven], edge_ms[driven])
    no_ms = np.zeros(count, np.int32)
    forward = search_graph(count, *arcs, no_ms)
    backward = search_graph(count, arcs[1], arcs[0], arcs[2], no_ms)
    from_main, to_main = main_parts(forward, backward)
    return {
        "table": table,
        "edge_ms": edge_ms,
        "twin": np.full(table.edge_count, -1, np.int32),
        "ghost_edge": np.empty(0, np.int32),
        "node_state": node_state,
        "forward": forward,
        "backward": backward,
        "from_main": from_main[tail],
        "to_main": to_main[head],
    }


def along_a_curve(lon_deg: FloatArray, lat_deg: FloatArray) -> Int32Array:
    """
    Give places numbers so that neighbours on the ground are neighbours in memory.

    Parameters
    ----------
    lon_deg, lat_deg : ndarray of float64, shape (n,)
        Places, WGS 84.

    Returns
    -------
    rank : ndarray of int32, shape (n,)
        The number of each.
    """
    rank = np.empty(len(lon_deg), np.int32)
    rank[np.argsort(hilbert_key(lon_deg, lat_deg), kind="stable")] = np.arange(len(lon_deg))
    return rank


def _any_state(reached: BoolArray, state_edge: Int32Array, edge_count: int) -> BoolArray:
    """Tell which edges have a state that was reached."""
    edges = np.zeros(edge_count, np.bool_)
    edges[state_edge[reached]] = True
    return edges


def _bans(table: RoadTable) -> list[tuple[int, ...]]:
    """List what turn restrictions forbid."""
    start = table.ban_start.tolist()
    return [tuple(table.ban_edge[first:last].tolist()) for first, last in pairwise(start)]

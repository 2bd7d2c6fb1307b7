"""A road network as it is now: roads closed or slowed, without building it anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from data.errors import InputError
from geo.kernels.search import UNREACHED
from geo.network_parts import parts_of_nodes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from data.road_table import Int32Array
    from geo.network import RoadNetwork
    from geo.states import SearchGraph


def patch(net: RoadNetwork, closed: npt.ArrayLike, slowed: Mapping[int, float]) -> RoadNetwork:
    """
    Close and slow roads.

    Parameters
    ----------
    net : RoadNetwork
        As it is on other days.
    closed : array_like of int
        Edges that are not driven through.
    slowed : mapping of int to float
        Edges, and what their time is multiplied by, > 0.

    Returns
    -------
    network : RoadNetwork
        Shares all arrays that stay as they are.

    Raises
    ------
    InputError
        If there is no such edge, or a factor is not above 0 or makes a time of 24 days.
    """
    shut = np.asarray(closed)
    if len(shut) and not np.issubdtype(shut.dtype, np.integer):
        raise InputError("closed: must hold edge rows, whole numbers")
    shut = shut.astype(np.int64)
    rows = np.concatenate([shut, np.fromiter(slowed, np.int64, len(slowed))])
    if not ((rows >= 0) & (rows < len(net.edge_ms))).all():
        raise InputError(f"edge: must be an edge row from 0 to {len(net.edge_ms) - 1}")
    edge_ms = net.edge_ms.copy()
    for edge, factor in slowed.items():
        if not 0 < factor * max(int(net.edge_ms[edge]), 1) < UNREACHED:
            raise InputError(
                f"slowed[{edge}]={factor}: must be above 0, and the time below 24 days"
            )
        edge_ms[edge] = round(int(net.edge_ms[edge]) * factor)
    through_ms = edge_ms.copy()
    through_ms[shut] = UNREACHED
    graphs = (
        net.graphs_of(net.by_state(through_ms)) if net.turns else _search_graphs(net, through_ms)
    )
    patched = replace(
        net, edge_ms=edge_ms, closed=frozenset(shut.tolist()), unpatched=net, **graphs
    )
    return with_grid_of(patched, net)


def with_grid_of(patched: RoadNetwork, net: RoadNetwork) -> RoadNetwork:
    """
    Hand on what is worked out of the roads alone, whatever they are like now.

    Parameters
    ----------
    patched : RoadNetwork
        The one that is given it.
    net : RoadNetwork
        The one that has it, of the same roads.

    Returns
    -------
    patched : RoadNetwork
        The same object.
    """
    vars(patched).update(grid=net.grid, shape_share=net.shape_share)
    return patched


def _search_graphs(net: RoadNetwork, through_ms: Int32Array) -> dict[str, SearchGraph]:
    """Build the graphs of a network whose turns cost nothing; its arcs are its edges."""
    parts = parts_of_nodes(net.table, through_ms, net.node_state)
    return {name: parts[name] for name in ("forward", "backward")}

"""
A `RoadTable` as an OSMnx graph and back, and as GeoDataFrames. Imports no osmnx, reads no file.

The graph is what OSMnx's own functions take and give: a MultiDiGraph in WGS 84, nodes with ``x``
and ``y``, edges with ``osmid``, ``length`` and ``geometry``.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import shapely

from data.errors import RoadSourceError
from data.roads.arrange import TEXT_COLUMNS
from data.roads.graph_bans import NOTE, note_bans
from data.roads.graph_reader import WGS84, from_networkx
from data.roads.rules import PASSABLE_BARRIERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import geopandas

    from data.road_table import RoadTable
    from data.roads.arrange import Column

__all__ = ["from_networkx", "to_geopandas", "to_networkx"]

_FACES = {1: "forward", -1: "backward"}


def to_networkx(
    table: RoadTable, edge_columns: Mapping[str, Column] | None = None
) -> nx.MultiDiGraph:
    """
    Make the graph that OSMnx works on.

    Parameters
    ----------
    table : RoadTable
        The roads.
    edge_columns : mapping of str to ndarray, shape (m,), optional
        More attributes of the edges, in the table's order: ``travel_time``, seconds.

    Returns
    -------
    graph : networkx.MultiDiGraph
        Nodes are OSM ids with `x`, `y`, `street_count` and, where known, `highway`, `barrier` and
        `direction`; edges have `osmid`, `length`, `oneway`, `reversed`, `geometry` and, where
        known, `highway`, `name`, `ref`, `maxspeed`, `lanes`, `junction`, `surface` and
        `service`. The graph's attribute `turn_bans` lists sequences of edges ``(u, v, key)`` that
        may not be driven one after the other.
    """
    source = asdict(table.source)
    graph = nx.MultiDiGraph(crs=WGS84, created_with="rollby", simplified=True, source=source)
    node_id = table.node_id.tolist()
    graph.add_nodes_from(zip(node_id, _records(_node_columns(table)), strict=True))
    edges = _edge_columns(table, edge_columns or {}) | {"geometry": _shapes(table)}
    names = []
    for tail, head, record in zip(table.tail, table.head, _records(edges), strict=True):
        ends = node_id[tail], node_id[head]
        names.append((*ends, graph.add_edge(*ends, **record)))
    graph.graph[NOTE] = note_bans(table, names)
    return graph


def to_geopandas(
    table: RoadTable, edge_columns: Mapping[str, Column] | None = None
) -> tuple[geopandas.GeoDataFrame, geopandas.GeoDataFrame]:
    """
    Make the two tables that a GIS opens, and that OSMnx makes a graph of.

    Parameters
    ----------
    table : RoadTable
        The roads.
    edge_columns : mapping of str to ndarray, shape (m,), optional
        More columns of the edges, in the table's order.

    Returns
    -------
    nodes : geopandas.GeoDataFrame
        A row a node, indexed by `osmid`.
    edges : geopandas.GeoDataFrame
        A row an edge in the table's order, indexed by `u`, `v` and `key`.
    """
    import geopandas  # noqa: PLC0415 - takes a second, and graphs do without
    import pandas as pd  # noqa: PLC0415 - as above

    nodes = geopandas.GeoDataFrame(
        _node_columns(table),
        index=pd.Index(table.node_id, name="osmid"),
        geometry=shapely.points(table.lon_deg, table.lat_deg),
        crs=WGS84,
    )
    ends = pd.DataFrame({"u": table.node_id[table.tail], "v": table.node_id[table.head]})
    ends["key"] = ends.groupby(["u", "v"]).cumcount()
    edges = geopandas.GeoDataFrame(
        _edge_columns(table, edge_columns or {}),
        index=pd.MultiIndex.from_frame(ends),
        geometry=_shapes(table),
        crs=WGS84,
    )
    return nodes, edges


def _node_columns(table: RoadTable) -> dict[str, Column]:
    """
    Give the attributes of nodes, by OSMnx's names.

    Returns
    -------
    columns : dict of str to ndarray, shape (n,)
        Unknown texts are None.
    """
    # A two-way street is two edges: each counts half at both its ends.
    half = np.where(table.oneway, 1.0, 0.5)
    streets = np.bincount(table.tail, half, table.node_count)
    streets += np.bincount(table.head, half, table.node_count)
    facing = [_FACES.get(faces) for faces in table.node_direction.tolist()]
    signs = _texts(table, "node_highway")
    barrier = np.isin(signs, list(PASSABLE_BARRIERS))
    nothing = np.full(table.node_count, None)
    return {
        "y": table.lat_deg,
        "x": table.lon_deg,
        "street_count": np.rint(streets).astype(np.int64),
        "highway": np.where(barrier, nothing, signs),
        "barrier": np.where(barrier, signs, nothing),
        "direction": np.array(facing, np.object_),
    }


def _edge_columns(table: RoadTable, more: Mapping[str, Column]) -> dict[str, Column]:
    """
    Give the attributes of edges but for their geometry, by OSMnx's names.

    Returns
    -------
    columns : dict of str to ndarray, shape (m,)
        Unknown texts are None.

    Raises
    ------
    RoadSourceError
        If a column of `more` is not as long as the table.
    """
    for key, column in more.items():
        if len(column) != table.edge_count:
            raise RoadSourceError(
                f"{key}: must have {table.edge_count} rows, one an edge; has {len(column)}"
            )
    return {
        "osmid": table.way_id,
        **{key: _texts(table, key) for key in TEXT_COLUMNS},
        "oneway": table.oneway,
        "reversed": table.reversed,
        "length": table.length_m,
        **more,
    }


def _texts(table: RoadTable, column: str) -> Column:
    """Read a text column, unknown as None."""
    texts: Column = np.array([text or None for text in table.texts], np.object_)
    rows: Column = getattr(table, column)
    return texts[rows]


def _shapes(table: RoadTable) -> Column:
    """Make the edges' lines."""
    edge = np.repeat(np.arange(table.edge_count), np.diff(table.shape_start))
    places = np.column_stack([table.shape_lon_deg, table.shape_lat_deg])
    return np.asarray(shapely.linestrings(places, indices=edge))


def _records(columns: Mapping[str, Column]) -> Iterator[dict[str, Any]]:
    """
    Turn columns into a dict a row, without what is unknown.

    Yields
    ------
    record : dict of str to object
        Plain Python values.
    """
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    for row in rows:
        yield {key: value for key, value in zip(columns, row, strict=True) if value is not None}

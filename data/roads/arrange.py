"""One order for every `RoadTable`: the same roads give the same bytes, whoever read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from data.road_table import RoadTable
from data.roads.bans import pack_bans
from data.roads.hilbert import hilbert_key
from data.roads.lines import pick_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from data.road_table import FloatArray, IntArray, RoadSource

Column = npt.NDArray[Any]
TEXT_COLUMNS = (
    "highway",
    "name",
    "ref",
    "maxspeed",
    "lanes",
    "junction",
    "surface",
    "service",
)


def arrange(
    *,
    nodes: Mapping[str, Column],
    edges: Mapping[str, Column],
    shape_start: IntArray,
    shape_lon_deg: FloatArray,
    shape_lat_deg: FloatArray,
    texts: Sequence[str],
    source: RoadSource,
    bans: Iterable[Sequence[int]] = (),
) -> RoadTable:
    """
    Put nodes along a Hilbert curve, edges by their tail and head, and texts by the alphabet.

    Parameters
    ----------
    nodes : mapping of str to ndarray, shape (n,)
        Columns of a `RoadTable` that start with ``node_``, and its places; ids are unique.
        Nodes of no edge are dropped.
    edges : mapping of str to ndarray, shape (m,)
        The columns of its edges; `tail` and `head` are rows of `nodes`.
    shape_start : ndarray of int64, shape (m + 1,)
        Where each edge's shape starts.
    shape_lon_deg, shape_lat_deg : ndarray of float64, shape (k,)
        WGS 84.
    texts : sequence of str
        What the text columns hold rows of; the first is "".
    source : RoadSource
        Where it comes from.
    bans : iterable of sequence of int
        Rows of `edges` that may not be driven one after the other.

    Returns
    -------
    table : RoadTable
        The same for the same roads, in whatever order they came. Nodes at one place come by id;
        edges that share both ends by way id, then along the way before against it, then by length
        and first bend.

    Raises
    ------
    RoadSourceError
        If there are no edges.
    """
    used = np.unique(np.concatenate([edges["tail"], edges["head"]]))
    along = hilbert_key(nodes["lon_deg"][used], nodes["lat_deg"][used])
    node_order = used[np.lexsort((nodes["node_id"][used], along))]
    row_of = np.zeros(len(nodes["node_id"]), np.int32)
    row_of[node_order] = np.arange(len(node_order))
    tail, head = row_of[edges["tail"]], row_of[edges["head"]]
    bend = shape_start[:-1] + 1
    keys = (edges["length_m"], edges["reversed"], edges["way_id"], head, tail)
    order = np.lexsort((shape_lat_deg[bend], shape_lon_deg[bend], *keys))
    edge_of = np.argsort(order).tolist()
    ban_start, ban_edge = pack_bans(tuple(edge_of[row] for row in ban) for ban in bans)
    points, start = pick_lines(shape_start, order, np.zeros(len(order), np.bool_))
    node_columns = {key: column[node_order] for key, column in nodes.items()}
    edge_columns = {key: column[order] for key, column in edges.items()}
    text_of, texts = _alphabetic(
        texts, [node_columns["node_highway"], *(edge_columns[key] for key in TEXT_COLUMNS)]
    )
    for columns, names in ((node_columns, ("node_highway",)), (edge_columns, TEXT_COLUMNS)):
        columns.update({key: text_of[columns[key]] for key in names})
    return RoadTable(
        **node_columns,
        **(edge_columns | {"tail": tail[order], "head": head[order]}),
        shape_start=start,
        shape_lon_deg=shape_lon_deg[points],
        shape_lat_deg=shape_lat_deg[points],
        ban_start=ban_start,
        ban_edge=ban_edge,
        texts=tuple(texts),
        source=source,
    )


def _alphabetic(texts: Sequence[str], columns: Sequence[Column]) -> tuple[Column, list[str]]:
    """
    Keep the texts in use, "" first and then by the alphabet.

    Returns
    -------
    text_of : ndarray of int32, shape (len(texts),)
        A text's new row by its old one.
    texts : list of str
        Those kept.
    """
    used = np.unique(np.concatenate([[0], *columns]))
    ordered = sorted(used.tolist(), key=lambda row: texts[row])
    text_of = np.zeros(len(texts), np.int32)
    text_of[ordered] = np.arange(len(ordered))
    return text_of, [texts[row] for row in ordered]

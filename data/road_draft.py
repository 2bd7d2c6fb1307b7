"""
Ways and nodes as a source gives them, cut into the edges of a `RoadTable`.

Every reader of OpenStreetMap data fills a `RoadDraft`; what becomes an edge is decided here alone,
so the same roads give the same table, whichever reader they came through.

A road is cut where ways meet, begin or end, where one way passes twice, and at the signs of
`data.road_rules.CUTTING_SIGNS`. Each edge therefore lies within one way and has one value a column.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.lines import lengths_m, pick_lines
from data.road_arrange import arrange
from data.road_rules import (
    CUTTING_SIGNS,
    blocks,
    count_left_out,
    directed,
    directions,
    reason_left_out,
    sign,
)
from data.road_table import RoadSource, TextPool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.road_arrange import Column
    from data.road_table import BoolArray, FloatArray, IntArray, RoadTable

_PLAIN_TEXTS = ("highway", "name", "ref", "lanes", "junction")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segments:
    """
    Straight bits of road from one node to the next of a way, as it was drawn.

    Parameters
    ----------
    node_id : ndarray of int64, shape (n,)
        Ascending.
    lon_deg, lat_deg : ndarray of float64, shape (n,)
        WGS 84.
    cut : ndarray of bool, shape (n,)
        Roads are cut at this node whatever meets there.
    tail, head : ndarray of int64, shape (s,)
        Node rows.
    way : ndarray of int64, shape (s,)
        Way rows.
    """

    node_id: IntArray
    lon_deg: FloatArray
    lat_deg: FloatArray
    cut: BoolArray
    tail: IntArray
    head: IntArray
    way: IntArray


class RoadDraft:
    """
    Collects ways and nodes, in any order, and makes a `RoadTable` of them.

    Parameters
    ----------
    service_roads : bool
        Alleys, car parks and driveways are wanted.
    """

    def __init__(self, *, service_roads: bool) -> None:
        self._service_roads = service_roads
        self._left_out: Counter[str] = Counter()
        self._pool = TextPool()
        self._way_id = array("q")
        self._forward = array("b")
        self._backward = array("b")
        self._way_texts = {key: array("i") for key in _PLAIN_TEXTS}
        self._maxspeed = {"forward": array("i"), "backward": array("i")}
        self._path_way = array("q")
        self._path_size = array("q")
        self._refs = array("q")
        self._node_id = array("q")
        self._lon_deg = array("d")
        self._lat_deg = array("d")
        self._signs: dict[int, tuple[str, int]] = {}
        self._blocked: set[int] = set()

    def add_way(self, way_id: int, tags: Mapping[str, str]) -> int | None:
        """
        Take a way if a patrol car drives it, else count why not.

        Parameters
        ----------
        way_id : int
            OSM id.
        tags : mapping of str to str
            Those of `data.road_rules.WAY_TAGS`, and any others.

        Returns
        -------
        way : int or None
            Row for `add_path`; None if the way is left out.
        """
        reason = reason_left_out(tags, service_roads=self._service_roads)
        if reason:
            self._left_out[reason] += 1
            return None
        forward, backward = directions(tags)
        self._way_id.append(way_id)
        self._forward.append(forward)
        self._backward.append(backward)
        for key, rows in self._way_texts.items():
            rows.append(self._pool.row(tags.get(key)))
        self._maxspeed["forward"].append(self._pool.row(directed(tags, "maxspeed", "forward")))
        self._maxspeed["backward"].append(self._pool.row(directed(tags, "maxspeed", "backward")))
        return len(self._way_id) - 1

    def add_path(self, way: int, node_ids: Sequence[int]) -> None:
        """
        Add a stretch of a way, in the direction it was drawn.

        Parameters
        ----------
        way : int
            Row that `add_way` gave.
        node_ids : sequence of int
            OSM ids of its nodes. One after itself is taken once; stretches through a node
            that is never added end before it, and go on after it.
        """
        self._path_way.append(way)
        self._path_size.append(len(node_ids))
        self._refs.extend(node_ids)

    def wanted_nodes(self) -> IntArray:
        """
        List the nodes of the paths added so far.

        Returns
        -------
        node_id : ndarray of int64, shape (n,)
            Each once, ascending.
        """
        return np.unique(np.frombuffer(self._refs, np.int64))

    def add_node(self, node_id: int, lon_deg: float, lat_deg: float) -> None:
        """
        Add a node's place, once a node.

        Parameters
        ----------
        node_id : int
            OSM id.
        lon_deg, lat_deg : float
            WGS 84.
        """
        self._node_id.append(node_id)
        self._lon_deg.append(lon_deg)
        self._lat_deg.append(lat_deg)

    def add_node_tags(self, node_id: int, tags: Mapping[str, str]) -> None:
        """
        Add what stands at a node.

        Parameters
        ----------
        node_id : int
            OSM id.
        tags : mapping of str to str
            Those of `data.road_rules.NODE_TAGS`, and any others.
        """
        text, faces = sign(tags)
        if text:
            self._signs[node_id] = text, faces
        if blocks(tags):
            self._blocked.add(node_id)

    def table(self, *, name: str, date: str = "") -> RoadTable:
        """
        Cut the roads into edges.

        Parameters
        ----------
        name : str
            The source as the user gave it.
        date : str
            Instant of the data, ISO 8601; "" if unknown.

        Returns
        -------
        table : RoadTable
            In the order of `data.road_arrange.arrange`.

        Raises
        ------
        RoadSourceError
            If there is no road to drive.
        """
        segments = self._block(self._segments())
        chain, chain_start = _chains(segments)
        line, line_start = _lines(segments, chain, chain_start)
        way = segments.way[chain[chain_start[:-1]]]
        forward = np.frombuffer(self._forward, np.bool_)[way]
        backward = np.frombuffer(self._backward, np.bool_)[way]
        lines = np.concatenate([np.flatnonzero(forward), np.flatnonzero(backward)])
        against = np.arange(len(lines)) >= np.count_nonzero(forward)
        length_m = lengths_m(segments.lon_deg[line], segments.lat_deg[line], line_start)
        points, shape_start = pick_lines(line_start, lines, against)
        shape = line[points]
        return arrange(
            nodes=self._node_columns(segments),
            edges={
                "tail": shape[shape_start[:-1]],
                "head": shape[shape_start[1:] - 1],
                "way_id": _ints(self._way_id)[way[lines]],
                "length_m": length_m[lines],
                "oneway": ~(forward & backward)[lines],
                "reversed": against,
                **self._text_columns(way[lines], against),
            },
            shape_start=shape_start,
            shape_lon_deg=segments.lon_deg[shape],
            shape_lat_deg=segments.lat_deg[shape],
            texts=self._pool.texts(),
            source=RoadSource(
                name=name,
                date=date,
                service_roads=self._service_roads,
                left_out=count_left_out(self._left_out),
            ),
        )

    def _segments(self) -> _Segments:
        """
        Join the paths to the nodes; what leads to a node never added is dropped and counted.

        Returns
        -------
        segments : _Segments
            In the order of the paths.
        """
        node_id, first = np.unique(_ints(self._node_id), return_index=True)
        refs, size = _ints(self._refs), _ints(self._path_size)
        row = np.searchsorted(node_id, refs)
        known = np.append(node_id, 0)[row] == refs
        known &= row < len(node_id)
        path = np.repeat(np.arange(len(size)), size)
        way = _ints(self._path_way)[path]
        clipped = len(np.unique(way[~known]))
        if clipped:
            self._left_out["roads cut off at the edge of the data"] = clipped
        keep = (path[1:] == path[:-1]) & (refs[1:] != refs[:-1]) & known[1:] & known[:-1]
        cutting = [node for node, (text, _) in self._signs.items() if text in CUTTING_SIGNS]
        return _Segments(
            node_id=node_id,
            lon_deg=np.frombuffer(self._lon_deg)[first],
            lat_deg=np.frombuffer(self._lat_deg)[first],
            cut=np.isin(node_id, np.array(cutting, np.int64)),
            tail=row[:-1][keep],
            head=row[1:][keep],
            way=way[1:][keep],
        )

    def _block(self, segments: _Segments) -> _Segments:
        """
        Part the roads at barriers: the second of two road ends gets a node of its own.

        A barrier where more than two ends meet is passed over: which arm it bars is unknown.

        Returns
        -------
        segments : _Segments
            With new nodes at the end, whose ids are below every other and below 0.
        """
        tail, head, node_id = segments.tail, segments.head, segments.node_id
        end_node = np.concatenate([head, tail])
        barrier = np.isin(node_id, np.array(sorted(self._blocked), np.int64))
        barrier &= np.bincount(end_node, minlength=len(node_id)) == 2  # noqa: PLR2004 - road ends
        at = np.flatnonzero(barrier[end_node])
        if not len(at):
            return segments
        leaves = at >= len(head)
        way_id = _ints(self._way_id)[segments.way[at % len(head)]]
        far_id = node_id[np.concatenate([tail, head])[at]]
        second = at[np.lexsort((far_id, way_id, leaves, end_node[at]))][1::2]
        old = end_node[second]
        end_node[second] = len(node_id) + np.arange(len(second))
        self._left_out["roads closed by a barrier"] = len(second)
        return _Segments(
            node_id=np.append(node_id, min(0, node_id[0]) - 1 - np.arange(len(second))),
            lon_deg=np.append(segments.lon_deg, segments.lon_deg[old]),
            lat_deg=np.append(segments.lat_deg, segments.lat_deg[old]),
            cut=np.append(segments.cut, segments.cut[old]),
            tail=end_node[len(head) :],
            head=end_node[: len(head)],
            way=segments.way,
        )

    def _node_columns(self, segments: _Segments) -> dict[str, Column]:
        """
        Fill the columns of the nodes.

        Returns
        -------
        columns : dict of str to ndarray, shape (n,)
            By the names of a `RoadTable`.
        """
        signs = [self._signs.get(node_id, ("", 0)) for node_id in segments.node_id.tolist()]
        return {
            "node_id": segments.node_id,
            "lon_deg": segments.lon_deg,
            "lat_deg": segments.lat_deg,
            "node_highway": self._pool.rows([text for text, _ in signs]),
            "node_direction": np.array([faces for _, faces in signs], np.int8),
        }

    def _text_columns(self, way: IntArray, against: BoolArray) -> dict[str, Column]:
        """
        Fill the text columns of edges.

        Returns
        -------
        columns : dict of str to ndarray, shape (m,)
            Rows of the text pool.
        """
        columns = {key: np.frombuffer(rows, np.int32)[way] for key, rows in self._way_texts.items()}
        along, opposite = (np.frombuffer(rows, np.int32)[way] for rows in self._maxspeed.values())
        return columns | {"maxspeed": np.where(against, opposite, along)}


def _ints(numbers: array[int]) -> IntArray:
    """See an array of 8-byte integers as numpy does."""
    return np.frombuffer(numbers, np.int64)


def _chains(segments: _Segments) -> tuple[IntArray, IntArray]:
    """
    Join segments to chains, each from one cut to the next.

    A ring that meets nothing is cut at its node of the lowest row, for it needs an end.

    Returns
    -------
    chain : ndarray of int64, shape (s,)
        Segment rows, chain after chain.
    chain_start : ndarray of int64, shape (c + 1,)
        Where each chain starts.
    """
    tail, head, way = segments.tail, segments.head, segments.way
    nodes = len(segments.node_id)
    leaving, arriving = np.zeros((2, nodes), np.int64)
    leaving[tail] = arriving[head] = np.arange(len(tail))
    passed = ~segments.cut & (way[leaving] == way[arriving])
    passed &= (np.bincount(tail, minlength=nodes) == 1) & (np.bincount(head, minlength=nodes) == 1)
    following = np.where(passed[head], leaving[head], -1).tolist()
    seen = bytearray(len(tail))
    chain: list[int] = []
    chain_start: list[int] = []
    for first in np.lexsort((tail, passed[tail])).tolist():  # those after a cut, then rings
        if seen[first]:
            continue
        chain_start.append(len(chain))
        segment = first
        while segment >= 0 and not seen[segment]:
            seen[segment] = True
            chain.append(segment)
            segment = following[segment]
    return np.array(chain), np.array([*chain_start, len(chain)])


def _lines(
    segments: _Segments, chain: IntArray, chain_start: IntArray
) -> tuple[IntArray, IntArray]:
    """
    List the nodes along each chain, both ends included.

    Returns
    -------
    line : ndarray of int64, shape (s + c,)
        Node rows, chain after chain.
    line_start : ndarray of int64, shape (c + 1,)
        Where each chain's nodes start.
    """
    line_start = chain_start + np.arange(len(chain_start))
    line = np.empty(line_start[-1], np.int64)
    is_first = np.zeros(len(line), np.bool_)
    is_first[line_start[:-1]] = True
    line[is_first] = segments.tail[chain[chain_start[:-1]]]
    line[~is_first] = segments.head[chain]
    return line, line_start

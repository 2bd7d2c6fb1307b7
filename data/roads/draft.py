"""
Ways and nodes as a source gives them, cut into the edges of a `RoadTable`.

Every reader of OpenStreetMap data fills a `RoadDraft`; what becomes an edge is decided here alone,
so the same roads give the same table, whichever reader they came through.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from data.errors import RoadSourceError
from data.road_table import RoadSource, TextPool
from data.roads.arrange import TEXT_COLUMNS, arrange
from data.roads.bans import ban_turns, pack_bans
from data.roads.cut import Segments, cut_lines
from data.roads.driving_side import DrivingSide
from data.roads.joining import joins_streets
from data.roads.lines import lengths_m, pick_lines
from data.roads.parting import part_roads
from data.roads.restrictions import Restriction, read_restriction
from data.roads.rules import (
    CUTTING_SIGNS,
    SERVICE,
    SERVICE_ROADS,
    blocks,
    count_left_out,
    directed,
    directions,
    reason_left_out,
    sign,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from data.road_table import BoolArray, FloatArray, Int32Array, IntArray, RoadTable
    from data.roads.arrange import Column

_PLAIN_TEXTS = tuple(key for key in TEXT_COLUMNS if key != "maxspeed")


class RoadDraft:
    """
    Collects ways and nodes, in any order, and makes a `RoadTable` of them.

    Parameters
    ----------
    service_roads : bool
        All alleys, car parks and driveways are wanted.
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
        self._undriven = array("q")
        self._side = DrivingSide()
        self._restrictions: dict[int, Restriction | str] = {}

    def add_way(self, way_id: int, tags: Mapping[str, str]) -> int | None:
        """
        Take a way if a patrol car drives it, else count why not.

        Parameters
        ----------
        way_id : int
            OSM id.
        tags : mapping of str to str
            Those of `data.roads.rules.WAY_TAGS`, and any others.

        Returns
        -------
        way : int or None
            Row for `add_path`; None if the way is left out.
        """
        reason = reason_left_out(tags)
        if reason:
            self._left_out[reason] += 1
            self._undriven.append(way_id)
            return None
        self._side.hear_way(tags)
        forward, backward = directions(tags)
        self._way_id.append(way_id)
        self._forward.append(forward)
        self._backward.append(backward)
        for key, rows in self._way_texts.items():
            rows.append(self._pool.row(tags.get(key)))
        self._maxspeed["forward"].append(self._pool.row(directed(tags, "maxspeed", "forward")))
        self._maxspeed["backward"].append(self._pool.row(directed(tags, "maxspeed", "backward")))
        return len(self._way_id) - 1

    def leave_out(self, left_out: Mapping[str, int], way_ids: Iterable[int] = ()) -> None:
        """
        Count ways that were left out before they came here.

        Parameters
        ----------
        left_out : mapping of str to int
            How many for each reason.
        way_ids : iterable of int
            OSM ids of theirs, so that turn restrictions between them are known not to be ours.
        """
        self._left_out.update(left_out)
        self._undriven.extend(way_ids)

    def add_relation(
        self, relation_id: int, tags: Mapping[str, str], members: Iterable[tuple[str, str, int]]
    ) -> None:
        """
        Take a relation if it is a turn restriction for cars or says which side they drive on.

        Parameters
        ----------
        relation_id : int
            OSM id; the same one again is passed over.
        tags : mapping of str to str
            The relation's.
        members : iterable of tuple of (str, str, int)
            Role, type (``n``, ``w`` or ``r``) and OSM id of each.
        """
        restriction = read_restriction(tags, members)
        if restriction:
            self._restrictions.setdefault(relation_id, restriction)
        self._side.hear_relation(tags)

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

    def add_nodes(self, node_id: IntArray, lon_deg: FloatArray, lat_deg: FloatArray) -> None:
        """
        Add the places of many nodes.

        Parameters
        ----------
        node_id : ndarray of int64, shape (n,)
            OSM ids.
        lon_deg, lat_deg : ndarray of float64, shape (n,)
            WGS 84.
        """
        self._node_id.frombytes(node_id.tobytes())
        self._lon_deg.frombytes(lon_deg.tobytes())
        self._lat_deg.frombytes(lat_deg.tobytes())

    def add_node_tags(self, node_id: int, tags: Mapping[str, str]) -> None:
        """
        Add what stands at a node.

        Parameters
        ----------
        node_id : int
            OSM id.
        tags : mapping of str to str
            Those of `data.roads.rules.NODE_TAGS`, and any others.
        """
        text, faces = sign(tags)
        if text:
            self._signs[node_id] = text, faces
        self._side.hear_node(tags)
        if blocks(tags):
            self._blocked.add(node_id)

    def table(self, *, name: str, date: str = "", lacks: str = "") -> RoadTable:
        """
        Cut the roads into edges.

        Parameters
        ----------
        name : str
            The source as the user gave it.
        date : str
            Instant of the data, ISO 8601; "" if unknown.
        lacks : str
            What the source cannot give, to be told with what was left out.

        Returns
        -------
        table : RoadTable
            In the order of `data.roads.arrange.arrange`.

        Raises
        ------
        RoadSourceError
            If there is no road to drive.
        """
        segments, stood_at = self._part(self._segments())
        segments = self._joined(segments)
        self._count_parted(segments, stood_at)
        if not len(segments.way):
            left_out = count_left_out(self._left_out) or "nothing"
            raise RoadSourceError(
                f"{name}: must hold at least one road a patrol car drives (left out: {left_out}); "
                "check the area, or try --service-roads"
            )
        line, line_start, way = cut_lines(segments)
        forward = np.frombuffer(self._forward, np.bool_)[way]
        backward = np.frombuffer(self._backward, np.bool_)[way]
        lines = np.concatenate([np.flatnonzero(forward), np.flatnonzero(backward)])
        against = np.arange(len(lines)) >= np.count_nonzero(forward)
        length_m = lengths_m(segments.lon_deg[line], segments.lat_deg[line], line_start)
        points, shape_start = pick_lines(line_start, lines, against)
        shape = line[points]
        table = arrange(
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
            source=RoadSource(name=name, date=date, service_roads=self._service_roads),
        )
        bans = self._bans(table)
        told = filter(None, (count_left_out(self._left_out), lacks))
        return replace(
            table,
            ban_start=bans[0],
            ban_edge=bans[1],
            source=replace(
                table.source, left_out="; ".join(told), drives_left=self._side.is_left(table)
            ),
        )

    def _bans(self, table: RoadTable) -> tuple[IntArray, Int32Array]:
        """
        Find the banned turns, and count the restrictions that cannot be honoured.

        Returns
        -------
        ban_start, ban_edge : ndarray
            Columns of a `RoadTable`.
        """
        read = self._restrictions.values()
        self._left_out.update(one for one in read if isinstance(one, str))
        ours = [one for one in read if isinstance(one, Restriction)]
        bans, passed_over = ban_turns(table, ours, _ints(self._undriven))
        self._left_out.update(passed_over)
        return pack_bans(bans)

    def _segments(self) -> Segments:
        """
        Join the paths to the nodes; what leads to a node never added is dropped and counted.

        Returns
        -------
        segments : Segments
            In the order of the paths.
        """
        node_id, first = np.unique(_ints(self._node_id), return_index=True)
        refs, size = _ints(self._refs), _ints(self._path_size)
        row = np.searchsorted(node_id, refs)
        known = np.append(node_id, 0)[row] == refs
        known &= row < len(node_id)
        path = np.repeat(np.arange(len(size)), size)
        way = _ints(self._path_way)[path]
        clipped = len(np.unique(way[~known & ~self._unasked(way)]))
        if clipped:
            self._left_out["roads cut off at the edge of the data"] = clipped
        keep = (path[1:] == path[:-1]) & (refs[1:] != refs[:-1]) & known[1:] & known[:-1]
        cutting = [node for node, (text, _) in self._signs.items() if text in CUTTING_SIGNS]
        return Segments(
            node_id=node_id,
            lon_deg=np.frombuffer(self._lon_deg)[first],
            lat_deg=np.frombuffer(self._lat_deg)[first],
            cut=np.isin(node_id, np.array(cutting, np.int64)),
            tail=row[:-1][keep],
            head=row[1:][keep],
            way=way[1:][keep],
        )

    def _part(self, segments: Segments) -> tuple[Segments, IntArray]:
        """
        Part the roads at barriers.

        Returns
        -------
        segments : Segments
            With new nodes at the end.
        stood_at : ndarray of int64
            The row of the node that each new one was.
        """
        barrier = np.isin(segments.node_id, np.array(sorted(self._blocked), np.int64))
        way_id = _ints(self._way_id)[segments.way]
        return part_roads(segments, barrier, self._unasked(segments.way), way_id)

    def _count_parted(self, segments: Segments, stood_at: IntArray) -> None:
        """Count the barriers that close a road, of which at least one side is driven."""
        old = len(segments.node_id) - len(stood_at)
        place = np.append(np.arange(old), stood_at)
        driven = place[np.concatenate([segments.tail, segments.head])]
        if parted := len(np.intersect1d(driven, stood_at)):
            self._left_out["roads closed by a barrier"] = parted

    def _joined(self, segments: Segments) -> Segments:
        """
        Leave out service roads that join no streets, unless all are wanted, and count them.

        Returns
        -------
        segments : Segments
            Fewer of them.
        """
        if self._service_roads:
            return segments
        way = segments.way
        joins = joins_streets(
            segments,
            forward=np.frombuffer(self._forward, np.bool_)[way],
            backward=np.frombuffer(self._backward, np.bool_)[way],
            service=self._service(way),
            kind=self._unasked(way),
        )
        kept = replace(
            segments, tail=segments.tail[joins], head=segments.head[joins], way=segments.way[joins]
        )
        left_out = np.setdiff1d(segments.way, kept.way)
        if len(left_out):
            self.leave_out({SERVICE_ROADS: len(left_out)}, _ints(self._way_id)[left_out].tolist())
        return kept

    def _service(self, way: IntArray) -> BoolArray:
        """Tell which ways are service roads."""
        text = np.frombuffer(self._way_texts["highway"], np.int32)
        found: BoolArray = (text == self._pool.row(SERVICE))[way]
        return found

    def _unasked(self, way: IntArray) -> BoolArray:
        """Tell which are alleys, aisles and the like; none of them where all are asked for."""
        if self._service_roads:
            return np.zeros(len(way), np.bool_)
        text = np.frombuffer(self._way_texts["service"], np.int32)
        found: BoolArray = self._service(way) & (text != self._pool.row(""))[way]
        return found

    def _node_columns(self, segments: Segments) -> dict[str, Column]:
        """
        Fill the columns of the nodes.

        Returns
        -------
        columns : dict of str to ndarray, shape (n,)
            By the names of a `RoadTable`.
        """
        node_id = segments.node_id
        text, faces = np.zeros(len(node_id), np.int32), np.zeros(len(node_id), np.int8)
        for row in np.flatnonzero(np.isin(node_id, _ints(array("q", self._signs)))).tolist():
            sign_text, faces[row] = self._signs[int(node_id[row])]
            text[row] = self._pool.row(sign_text)
        return {
            "node_id": node_id,
            "lon_deg": segments.lon_deg,
            "lat_deg": segments.lat_deg,
            "node_highway": text,
            "node_direction": faces,
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

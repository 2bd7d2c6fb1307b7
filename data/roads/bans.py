"""
Turn restrictions on the edges they bind: sequences of edges that may not be driven.

``no_*`` bans its own turn. ``only_*`` bans every other one, turning round included; where several
say ``only`` of one approach, each turn they name stays open.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from data.roads.restrictions import MEMBERS_MISSING, driven_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from data.road_table import FloatArray, Int32Array, IntArray, RoadTable
    from data.roads.restrictions import Restriction

Ban = tuple[int, ...]
APART = "turn restrictions whose roads do not meet"
AGAINST_ONE_WAY = "turn restrictions that only allow a turn against a one-way road"
NO_DRIVE = "turn restrictions without a drive along their via ways"
_MOST_STEPS = 10_000  # along via ways: a relation of real ways takes a few
_SAME_LENGTH_M = 1e-3
_STRAIGHT_DEG = 45.0
_BACK_DEG = 179.9  # back the way it came is neither left nor right


def ban_turns(
    table: RoadTable, restrictions: Iterable[Restriction], undriven: IntArray
) -> tuple[set[Ban], Counter[str]]:
    """
    Find what restrictions ban on a table's edges.

    Parameters
    ----------
    table : RoadTable
        The roads; its own bans are not looked at.
    restrictions : iterable of Restriction
        As they were mapped.
    undriven : ndarray of int64, shape (u,)
        Ids of the ways that were left out; restrictions between them are not ours.

    Returns
    -------
    bans : set of tuple of int
        Edge rows, two or more a ban, that may not be driven one after the other.
    passed_over : Counter of str
        How many restrictions could not be honoured, and why.
    """
    given = list(restrictions)
    named = np.unique(np.array([way for one in given for way in one.ways], np.int64))
    not_ours = set(named[np.isin(named, undriven)].tolist())
    edges = _Edges(table)
    bans: set[Ban] = set()
    open_turns: defaultdict[Ban, set[int]] = defaultdict(set)
    passed_over: Counter[str] = Counter()
    for one in given:
        ours = driven_part(one, not_ours)
        drives = ours if isinstance(ours, str) else edges.drives(ours)
        if isinstance(drives, str):
            passed_over.update({drives} - {""})
        elif one.kind.startswith("no_"):
            bans.update(drives)
        else:
            for drive in drives:
                # Nobody has to take the via way, but who does is held to it.
                for size in range(min(2, len(drive) - 1), len(drive)):
                    open_turns[drive[:size]].add(drive[size])
    for approach, onward in open_turns.items():
        bans.update((*approach, edge) for edge in edges.after(approach[-1]) if edge not in onward)
    return bans, passed_over


def pack_bans(bans: Iterable[Ban]) -> tuple[IntArray, Int32Array]:
    """
    Put bans into the two columns of a `RoadTable`.

    Parameters
    ----------
    bans : iterable of tuple of int
        Edge rows, two or more a ban; any order, and the same one any number of times.

    Returns
    -------
    ban_start : ndarray of int64, shape (r + 1,)
        Where each ban starts.
    ban_edge : ndarray of int32, shape (b,)
        Their edges; bans are unique and rising.
    """
    unique = sorted(set(bans))
    start = np.cumsum([0, *map(len, unique)], dtype=np.int64)
    return start, np.fromiter(chain.from_iterable(unique), np.int32, start[-1])


class _Edges:
    """
    A table's edges by way and by node.

    Parameters
    ----------
    table : RoadTable
        Edges rise by their tails.
    """

    def __init__(self, table: RoadTable) -> None:
        self._table = table
        self._by_way = np.argsort(table.way_id, kind="stable")
        self._way_id = table.way_id[self._by_way]
        self._by_node = np.argsort(table.node_id)
        self._node_id = table.node_id[self._by_node]
        out_count = np.bincount(table.tail, minlength=table.node_count)
        self._out_start = np.concatenate([[0], np.cumsum(out_count)])

    def drives(self, restriction: Restriction) -> list[Ban] | str:
        """
        List the drives that a restriction speaks of.

        Returns
        -------
        drives : list of tuple of int, or str
            Edge rows from a from way to a to way, none where one-ways leave nothing to ban; or why
            the restriction cannot be honoured.
        """
        via = [self._of_way(way) for way in restriction.via_ways]
        into = list(chain.from_iterable(map(self._of_way, restriction.from_ways)))
        onto = list(chain.from_iterable(map(self._of_way, restriction.to_ways)))
        if not into or not onto or not all(via):
            return MEMBERS_MISSING
        if via:
            return self._along(restriction, into, list(chain.from_iterable(via)), onto)
        return self._across(restriction, into, onto)

    def after(self, edge: int) -> range:
        """Edges that leave from where one leads to."""
        node = self._table.head[edge]
        return range(int(self._out_start[node]), int(self._out_start[node + 1]))

    def _across(
        self, restriction: Restriction, into: list[int], onto: list[int]
    ) -> list[Ban] | str:
        """
        List the drives over a via node.

        Returns
        -------
        drives : list of tuple of int, or str
            See `drives`.
        """
        tail, head = self._table.tail, self._table.head
        node = self._node(restriction.via_nodes[0])
        same_way = restriction.from_ways == restriction.to_ways
        if node is None and same_way and restriction.kind == "no_u_turn":
            return []  # within an edge nobody turns round
        if any(
            node not in {*tail[edges].tolist(), *head[edges].tolist()} for edges in (into, onto)
        ):
            return APART
        pairs: list[Ban] = [
            (edge, onward) for edge in into for onward in onto if head[edge] == node == tail[onward]
        ]
        meant = [pair for pair in pairs if self._is_meant(restriction.kind, *pair)]
        by_ways = {tuple(self._table.way_id[list(pair)].tolist()) for pair in pairs}
        if same_way or (meant and len(by_ways) < len(pairs)):  # one of them passes through
            pairs = meant
        only = restriction.kind.startswith("only_")
        if only and not pairs and node in head[into]:
            return AGAINST_ONE_WAY
        return pairs

    def _along(
        self, restriction: Restriction, into: list[int], via: list[int], onto: list[int]
    ) -> list[Ban] | str:
        """
        List the drives along all via ways, over no place twice but where the first may end.

        A ring of via ways comes back to the from way; nobody goes back along a way.

        Returns
        -------
        drives : list of tuple of int, or str
            See `drives`.
        """
        table = self._table
        tail, head = table.tail, table.head
        via_from: defaultdict[int, list[int]] = defaultdict(list)
        onto_from: defaultdict[int, list[int]] = defaultdict(list)
        for edges, by_tail in ((via, via_from), (onto, onto_from)):
            for edge in edges:
                by_tail[int(tail[edge])].append(edge)
        via_nodes = {self._node(node) for node in restriction.via_nodes}
        found: list[Ban] = []
        waiting: list[Ban] = [(edge,) for edge in into]
        for _ in range(_MOST_STEPS):
            if not waiting:
                break
            drive = waiting.pop()
            nodes = head[list(drive)].tolist()
            complete = set(restriction.via_ways) == set(table.way_id[list(drive[1:])].tolist())
            ends = onto_from[nodes[-1]] if complete and via_nodes <= set(nodes) else []
            found += [(*drive, end) for end in ends]
            if not ends:
                onward = via_from[nodes[-1]]
                waiting += [
                    (*drive, edge)
                    for edge in onward
                    if int(head[edge]) not in nodes[1:] and not self._goes_back(drive[-1], edge)
                ]
        return found if found and not waiting else NO_DRIVE

    def _goes_back(self, edge: int, onward: int) -> bool:
        """Say whether two edges are of one way, driven there and back."""
        table = self._table
        there_and_back = table.reversed[edge] != table.reversed[onward]
        return bool(there_and_back and table.way_id[edge] == table.way_id[onward])

    def _is_meant(self, kind: str, edge: int, onward: int) -> bool:
        """
        Say whether a turn is of a restriction's kind.

        Returns
        -------
        meant : bool
            By the way round and, where it does not turn round, the angle.
        """
        table = self._table
        same_way = table.way_id[edge] == table.way_id[onward]
        turns_round = (
            same_way
            and table.tail[edge] == table.head[onward]
            and table.reversed[edge] != table.reversed[onward]
            and abs(table.length_m[edge] - table.length_m[onward]) < _SAME_LENGTH_M
        )
        if turns_round or (same_way and kind.endswith("u_turn")):
            return bool(turns_round and kind.endswith("u_turn"))
        turn_deg = _turn_deg(table.shape(edge), table.shape(onward))
        meant = {
            "left_turn": 0 < turn_deg < _BACK_DEG,
            "right_turn": -_BACK_DEG < turn_deg < 0,
            "straight_on": abs(turn_deg) < _STRAIGHT_DEG,
            "u_turn": abs(turn_deg) > 180 - _STRAIGHT_DEG,
        }
        return meant.get(kind.partition("_")[2], True)

    def _of_way(self, way: int) -> list[int]:
        """List the edges of a way."""
        first, last = np.searchsorted(self._way_id, [way, way + 1])
        return list(map(int, self._by_way[first:last]))

    def _node(self, node_id: int) -> int | None:
        """Give the row of a node, None where the table has none."""
        row = int(np.searchsorted(self._node_id, node_id))
        known = row < len(self._node_id) and self._node_id[row] == node_id
        return int(self._by_node[row]) if known else None


def _turn_deg(first: Sequence[FloatArray], second: Sequence[FloatArray]) -> float:
    """Measure the turn from one line's end into another's start, degrees, left positive."""
    (lon, lat), (to_lon, to_lat) = first, second
    shrunk = np.cos(np.radians(lat[-1]))
    before = complex((lon[-1] - lon[-2]) * shrunk, lat[-1] - lat[-2])
    after = complex((to_lon[1] - to_lon[0]) * shrunk, to_lat[1] - to_lat[0])
    return float(np.degrees(np.angle(after * before.conjugate())))

"""Banned turns by trying all sequences of edges: slow, and plain to see."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from data.road_table import RoadTable
    from data.roads.restrictions import Restriction

Drive = tuple[int, ...]


class SlowBans:
    """For tables of a few edges, and for turns into the same way only where they turn round."""

    def __init__(self, table: RoadTable) -> None:
        self.table = table
        self.tail = table.node_id[table.tail].tolist()
        self.head = table.node_id[table.head].tolist()
        self.way = table.way_id.tolist()

    def bans(self, restrictions: list[Restriction]) -> set[Drive]:
        banned: set[Drive] = set()
        allowed: set[Drive] = set()
        approaches: set[Drive] = set()
        for one in restrictions:
            for drive in self.drives(one):
                if one.kind.startswith("no_"):
                    banned.add(drive)
                    continue
                for last in range(1 if len(drive) == 2 else 2, len(drive)):
                    approaches.add(drive[:last])
                    allowed.add(drive[: last + 1])
        every = {
            (*a, edge) for a in approaches for edge in range(len(self.way)) if self.joins(a, edge)
        }
        return banned | (every - allowed)

    def drives(self, one: Restriction) -> set[Drive]:
        into, via, onto = (
            [edge for edge, way in enumerate(self.way) if way in ways]
            for ways in (one.from_ways, one.via_ways, one.to_ways)
        )
        if not one.via_ways:
            across: set[Drive] = {
                (edge, onward)
                for edge, onward in product(into, onto)
                if self.head[edge] == one.via_nodes[0] == self.tail[onward]
            }
            if one.from_ways == one.to_ways:
                return {drive for drive in across if self.turns_round(*drive)}
            left = 1 if "left" in one.kind else -1
            side = {drive for drive in across if left * self.turn(*drive) > 0}
            return side if len(across) > 1 and side else across
        complete = {
            (*drive, end)
            for size in range(1, 6)
            for drive in self.simple(into, via, size)
            if {self.way[edge] for edge in drive[1:]} == set(one.via_ways)
            for end in onto
            if self.joins(drive, end)
        }
        ended = {drive[:-1] for drive in complete}
        return {
            drive
            for drive in complete
            if not any(drive[:size] in ended for size in range(2, len(drive) - 1))
        }

    def simple(self, into: list[int], via: list[int], size: int) -> list[Drive]:
        drives: list[Drive] = [(edge,) for edge in into]
        for _ in range(size):
            drives = [
                (*drive, edge)
                for drive, edge in product(drives, via)
                if self.joins(drive, edge)
                and self.head[edge] not in {self.head[passed] for passed in drive[1:]}
                and (self.way[edge], not self.table.reversed[edge])
                != (self.way[drive[-1]], self.table.reversed[drive[-1]])
            ]
        return drives

    def joins(self, drive: Drive, edge: int) -> bool:
        return bool(self.head[drive[-1]] == self.tail[edge])

    def turn(self, edge: int, onward: int) -> float:
        """Above 0 to the left, 0 straight on or back."""
        (lon, lat), (to_lon, to_lat) = (self.table.shape(row) for row in (edge, onward))
        east, north = lon[-1] - lon[-2], lat[-1] - lat[-2]
        to_east, to_north = to_lon[1] - to_lon[0], to_lat[1] - to_lat[0]
        return float(east * to_north - north * to_east)

    def turns_round(self, edge: int, other: int) -> bool:
        there, back = (np.column_stack(self.table.shape(row)) for row in (edge, other))
        turned = bool(self.table.reversed[edge] != self.table.reversed[other])
        return turned and np.array_equal(there, back[::-1]) and self.way[edge] == self.way[other]

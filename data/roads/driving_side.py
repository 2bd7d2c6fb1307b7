"""Which side of the road they drive on, from what a source says of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.road_table import RoadTable

_CLOSED_DEG = 1e-9
_CIRCLING = {"clockwise": "left", "anticlockwise": "right", "anti_clockwise": "right"}
SAID_OFTEN = 3
"""Fewer mini-roundabouts said to run clockwise are slips of the pen: one must not turn a city."""


class DrivingSide:
    """
    Hears what ways, boundaries and roundabouts say, and decides.

    Most ways, if they are tagged; else the boundaries in the source; else its roundabouts; else
    right. A few tagged ways do not decide: OSM tags the roads that differ from their country, such
    as the crossed carriageways of a diverging diamond interchange.
    """

    def __init__(self) -> None:
        self._ways: Counter[str] = Counter()
        self._boundaries: Counter[str] = Counter()
        self._mini_roundabouts: Counter[str] = Counter()

    def hear_way(self, tags: Mapping[str, str]) -> None:
        """
        Hear a road.

        Parameters
        ----------
        tags : mapping of str to str
            The way's.
        """
        self._ways[tags.get("driving_side", "")] += 1

    def hear_relation(self, tags: Mapping[str, str]) -> None:
        """
        Hear the boundary of a country or region.

        Parameters
        ----------
        tags : mapping of str to str
            The relation's.
        """
        if tags.get("type") == "boundary":
            self._boundaries[tags.get("driving_side", "")] += 1

    def hear_node(self, tags: Mapping[str, str]) -> None:
        """
        Hear a mini-roundabout.

        Parameters
        ----------
        tags : mapping of str to str
            The node's.
        """
        if tags.get("highway") == "mini_roundabout":
            self._mini_roundabouts[_CIRCLING.get(tags.get("direction", ""), "")] += 1

    def is_left(self, table: RoadTable) -> bool:
        """
        Decide.

        Parameters
        ----------
        table : RoadTable
            The roads that were heard.

        Returns
        -------
        left : bool
            They drive on the left.
        """
        for said in (self._ways, self._boundaries):
            for side in ("left", "right"):
                if 2 * said[side] > said.total():
                    return side == "left"
        clockwise, other_way = _roundabouts(table)
        left, right = self._mini_roundabouts["left"], self._mini_roundabouts["right"]
        said_left = left if left >= SAID_OFTEN else 0
        return clockwise + said_left > other_way + right


def _roundabouts(table: RoadTable) -> tuple[int, int]:
    """
    Count the roundabouts that are one way, closed and driven round.

    Returns
    -------
    clockwise, anticlockwise : int
        By the signed area within.
    """
    if "roundabout" not in table.texts:
        return 0, 0
    rings = table.oneway & (table.junction == table.texts.index("roundabout"))
    edge = np.repeat(np.arange(table.edge_count), np.diff(table.shape_start))
    step = (edge[1:] == edge[:-1]) & rings[edge[1:]]
    _, ring = np.unique(table.way_id[edge[1:][step]], return_inverse=True)
    lon, lat = table.shape_lon_deg - table.lon_deg[0], table.shape_lat_deg - table.lat_deg[0]
    east, north = np.diff(lon)[step], np.diff(lat)[step]
    area = np.bincount(ring, lon[:-1][step] * north - lat[:-1][step] * east)
    gap = np.abs(np.bincount(ring, east)) + np.abs(np.bincount(ring, north))
    closed = gap < _CLOSED_DEG
    return int(np.count_nonzero(closed & (area < 0))), int(np.count_nonzero(closed & (area > 0)))

"""
Service roads that join streets, told from those that lead to a car park or a door.

A drive over a road behind a shop may be the only short one; a driveway is no way to anywhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from data.road_table import BoolArray, IntArray
    from data.roads.cut import Segments

_STREETS_JOINED = 2


def joins_streets(segments: Segments, service: BoolArray) -> BoolArray:
    """
    Find the segments that are a street, or part of a way from one place on a street to another.

    Parameters
    ----------
    segments : Segments
        Streets and service roads.
    service : ndarray of bool, shape (s,)
        Which are service roads.

    Returns
    -------
    joins : ndarray of bool, shape (s,)
        False for service roads with a dead end, and for those that meet streets at one node.
    """
    tail, head, count = segments.tail, segments.head, len(segments.node_id)
    street = np.zeros(count, np.bool_)
    for end in (tail, head):
        street[end[~service]] = True
    live = _without_dead_ends(segments, np.flatnonzero(service))
    # A street's node is another one for each segment, so that nothing is joined by way of it.
    own = count + np.arange(2 * len(live)).reshape(2, -1)
    ends = np.stack([tail[live], head[live]])
    first, second = np.where(street[ends], own, ends)
    size = count + own.size
    links = coo_array((np.ones(len(live), np.int8), (first, second)), shape=(size, size))
    _, group_of = connected_components(links, directed=False)
    group = group_of[first]
    meets = np.stack([np.tile(group, 2), ends.ravel()])[:, street[ends].ravel()]
    meeting = np.bincount(np.unique(meets, axis=1)[0], minlength=len(group_of))
    joins = ~service
    joins[live[meeting[group] >= _STREETS_JOINED]] = True
    return joins


def _without_dead_ends(segments: Segments, live: IntArray) -> IntArray:
    """
    Take away segments that end where nothing goes on, until there are none.

    Returns
    -------
    live : ndarray of int64
        The rows that are left.
    """
    ends = np.stack([segments.tail, segments.head])
    degree = np.bincount(ends.ravel(), minlength=len(segments.node_id))
    while True:
        dead = (degree[ends[:, live]] == 1).any(axis=0)
        if not dead.any():
            return live
        np.subtract.at(degree, ends[:, live[dead]].ravel(), 1)
        live = live[~dead]

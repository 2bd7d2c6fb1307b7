"""
Service roads that join streets, told from those that lead to a car park or a door.

A drive over a road behind a shop may be the only short one; a driveway is no way to anywhere else.
But a street that is reached over a car park alone is a street where somebody can be stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from data.road_table import BoolArray, IntArray
    from data.roads.cut import Segments

_PLACES_JOINED = 2


def joins_streets(segments: Segments, service: BoolArray, kind: BoolArray) -> BoolArray:
    """
    Find the segments that are a street, or part of a way from one place on a street to another.

    Parameters
    ----------
    segments : Segments
        Streets and service roads.
    service : ndarray of bool, shape (s,)
        Which are service roads.
    kind : ndarray of bool, shape (s,)
        Which of them are of a kind: alleys, parking aisles, driveways.

    Returns
    -------
    joins : ndarray of bool, shape (s,)
        True for streets, and for service roads of no kind without dead ends that meet streets at
        two nodes. Of all other service roads, for those without dead ends that meet two networks of
        roads so far: by no other way does one lead to the other.
    """
    tail, head, count = segments.tail, segments.head, len(segments.node_id)
    joins = ~service
    joins[_between(segments, np.flatnonzero(~kind), joins, np.arange(count))] = True
    links = coo_array((np.ones(joins.sum(), np.int8), (tail[joins], head[joins])), (count, count))
    _, network_of = connected_components(links, directed=False)
    joins[_between(segments, np.arange(len(service)), joins, network_of.astype(np.int64))] = True
    return joins


def _between(segments: Segments, rows: IntArray, joins: BoolArray, place_of: IntArray) -> IntArray:
    """
    Find roads between places.

    Parameters
    ----------
    segments : Segments
        Streets and service roads.
    rows : ndarray of int64
        Those that are there.
    joins : ndarray of bool, shape (s,)
        Which of them are in the network already.
    place_of : ndarray of int64, shape (n,)
        The place of each node of the network.

    Returns
    -------
    rows : ndarray of int64
        Of those that are not, those in groups that meet the network at several places.
    """
    tail, head, count = segments.tail, segments.head, len(segments.node_id)
    network = np.zeros(count, np.bool_)
    for end in (tail, head):
        network[end[joins]] = True
    live = _without_dead_ends(segments, rows, joins)
    # A node of the network is another one for each segment, so that nothing is joined by it.
    own = count + np.arange(2 * len(live)).reshape(2, -1)
    ends = np.stack([tail[live], head[live]])
    first, second = np.where(network[ends], own, ends)
    size = count + own.size
    links = coo_array((np.ones(len(live), np.int8), (first, second)), shape=(size, size))
    _, group_of = connected_components(links, directed=False)
    group = group_of[first]
    meets = np.stack([np.tile(group, 2), place_of[ends.ravel()]])[:, network[ends].ravel()]
    meeting = np.bincount(np.unique(meets, axis=1)[0], minlength=len(group_of))
    found: IntArray = live[meeting[group] >= _PLACES_JOINED]
    return found


def _without_dead_ends(segments: Segments, rows: IntArray, joins: BoolArray) -> IntArray:
    """
    Take away segments that end where nothing goes on, until there are none.

    Returns
    -------
    live : ndarray of int64
        The rows that are left, without those that are in the network already.
    """
    ends = np.stack([segments.tail, segments.head])
    degree = np.bincount(ends[:, rows].ravel(), minlength=len(segments.node_id))
    live = rows[~joins[rows]]
    while True:
        dead = (degree[ends[:, live]] == 1).any(axis=0)
        if not dead.any():
            return live
        np.subtract.at(degree, ends[:, live[dead]].ravel(), 1)
        live = live[~dead]

"""
Service roads that join streets, told from those that lead to a car park or a door.

A drive over a road behind a shop may be the only short one; a driveway is no way to anywhere else.
But a street that is reached over a car park alone is a street where somebody can be stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from data.road_table import BoolArray, Int32Array, IntArray
    from data.roads.cut import Segments

_PLACES_JOINED = 2


def joins_streets(
    segments: Segments,
    *,
    forward: BoolArray,
    backward: BoolArray,
    service: BoolArray,
    kind: BoolArray,
) -> BoolArray:
    """
    Find the segments that are a street, or part of a way from one place on a street to another.

    Parameters
    ----------
    segments : Segments
        Streets and service roads.
    forward, backward : ndarray of bool, shape (s,)
        Which are driven as they were drawn, and which against it.
    service : ndarray of bool, shape (s,)
        Which are service roads.
    kind : ndarray of bool, shape (s,)
        Which of them are of a kind: alleys, parking aisles, driveways.

    Returns
    -------
    joins : ndarray of bool, shape (s,)
        True for streets, and for service roads of no kind without dead ends that meet streets at
        two nodes. Of all other service roads, for those without dead ends that lead from one place
        on the roads so far to another that no other way leads to: with them, every place on those
        roads is reached from wherever it would be with all service roads.
    """
    joins = ~service
    at_nodes = np.arange(len(segments.node_id))
    joins[_between(segments, np.flatnonzero(~kind), joins, at_nodes)[0]] = True
    joins[_opening(segments, forward, backward, joins)] = True
    return joins


def _opening(
    segments: Segments, forward: BoolArray, backward: BoolArray, joins: BoolArray
) -> IntArray:
    """
    Find the roads that lead to a place which the network does not lead to.

    Returns
    -------
    rows : ndarray of int64
        Those of the groups that do, of which none is in the network.
    """
    network, ends = _network(segments, joins), np.stack([segments.tail, segments.head])
    driven = ends[:, joins], forward[joins], backward[joins]
    # Nodes from each of which one can drive to each other are one place.
    size, place = connected_components(_graph(*driven, len(network)), connection="strong")
    place_of: IntArray = place.astype(np.int64)
    rows, group = _between(segments, np.arange(len(joins)), joins, place_of)
    # Where a group meets the network, a place is a node of that group alone.
    met = size * group + place_of[ends[:, rows]]
    name, node = np.unique(
        np.where(network[ends[:, rows]], met, -1 - ends[:, rows]), return_inverse=True
    )
    among = _graph(node.reshape(2, -1), forward[rows], backward[rows], len(name))
    places = _graph(place_of[driven[0]], *driven[1:], size)
    leads = _leading(among, places, np.where(name < 0, -1, name % size))
    found: IntArray = rows[np.isin(group, name[leads] // size)]
    return found


def _graph(ends: IntArray, forward: BoolArray, backward: BoolArray, size: int) -> csr_array:
    """Give what leads where, by segments' tails and heads."""
    (tail, head), along, against = ends, *map(np.flatnonzero, (forward, backward))
    steps = np.append(tail[along], head[against]), np.append(head[along], tail[against])
    return coo_array((np.ones(len(steps[0]), np.bool_), steps), (size, size)).tocsr()


def _leading(among: csr_array, places: csr_array, place: IntArray) -> IntArray:
    """
    Find where service roads lead to a place that the network does not lead to.

    Parameters
    ----------
    among : csr_array, shape (k, k)
        What leads where on those roads.
    places : csr_array, shape (p, p)
        What leads where on the network.
    place : ndarray of int64, shape (k,)
        The place of each node of those roads; -1 for none.

    Returns
    -------
    leads : ndarray of int64
        Those of the k nodes, at a place, from which they do.
    """
    leads: list[int] = []
    known: dict[int, Int32Array] = {}
    for start in np.flatnonzero(place >= 0).tolist():
        found = place[breadth_first_order(among, start, return_predecessors=False)]
        others = found[(found >= 0) & (found != place[start])]
        if len(others):
            at = int(place[start])
            if at not in known:
                known[at] = breadth_first_order(places, at, return_predecessors=False)
            if not np.isin(others, known[at]).all():
                leads.append(start)
    return np.array(leads, np.int64)


def _between(
    segments: Segments, rows: IntArray, joins: BoolArray, place_of: IntArray
) -> tuple[IntArray, IntArray]:
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
    group : ndarray of int64
        The group of each.
    """
    tail, head, count = segments.tail, segments.head, len(segments.node_id)
    network = _network(segments, joins)
    live = _without_dead_ends(segments, rows, joins)
    # A node of the network is another one for each segment, so that nothing is joined by it.
    own = count + np.arange(2 * len(live)).reshape(2, -1)
    ends = np.stack([tail[live], head[live]])
    first, second = np.where(network[ends], own, ends)
    size = count + own.size
    links = coo_array((np.ones(len(live), np.int8), (first, second)), shape=(size, size))
    _, group_of = connected_components(links, directed=False)
    group = group_of[first].astype(np.int64)
    meets = np.stack([np.tile(group, 2), place_of[ends.ravel()]])[:, network[ends].ravel()]
    meeting = np.bincount(np.unique(meets, axis=1)[0], minlength=len(group_of))
    several = meeting[group] >= _PLACES_JOINED
    return live[several], group[several]


def _network(segments: Segments, joins: BoolArray) -> BoolArray:
    """Tell which nodes are in the network."""
    network = np.zeros(len(segments.node_id), np.bool_)
    for end in (segments.tail, segments.head):
        network[end[joins]] = True
    return network


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

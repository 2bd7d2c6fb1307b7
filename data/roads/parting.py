"""Roads parted at the barriers that no car passes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from data.road_table import BoolArray, IntArray
    from data.roads.cut import Segments

_TWO = 2  # ends of roads where one goes on as another


def part_roads(
    segments: Segments, barrier: BoolArray, aside: BoolArray, way_id: IntArray
) -> tuple[Segments, IntArray]:
    """
    Give what ends at a barrier nodes of its own, so that nothing leads past it.

    Where two ends of roads meet, they are parted, and so is each aisle from both and from others:
    which side it lies on is unknown. Where one road ends, it is parted from the aisles there, which
    stay together. Where no road does, two ends of aisles are parted. Any other barrier is passed
    over: which arm it bars is unknown.

    Parameters
    ----------
    segments : Segments
        Roads and aisles.
    barrier : ndarray of bool, shape (n,)
        At which nodes there is one.
    aside : ndarray of bool, shape (s,)
        Which are aisles: they say nothing about what bars a road.
    way_id : ndarray of int64, shape (s,)
        OSM id, so that the order of the source decides nothing.

    Returns
    -------
    segments : Segments
        With new nodes at the end, whose ids are below every other and below 0: those of roads
        first, so that no aisle changes them.
    stood_at : ndarray of int64, shape (new,)
        The row of the node that each new one was.
    """
    tail, head, node_id = segments.tail, segments.head, segments.node_id
    end_node, aisle = np.concatenate([head, tail]), np.tile(aside, 2)
    roads, aisles = (np.bincount(end_node[one], minlength=len(node_id)) for one in (~aisle, aisle))
    parted = (roads == _TWO) | ((roads == 1) & (aisles > 0)) | ((roads == 0) & (aisles == _TWO))
    at = np.flatnonzero((barrier & parted)[end_node])
    far_id = node_id[np.concatenate([tail, head])[at]]
    leaves = at >= len(head)
    at = at[np.lexsort((far_id, np.tile(way_id, 2)[at], leaves, aisle[at], end_node[at]))]
    node = end_node[at]
    side = np.arange(len(at)) - np.searchsorted(node, node)
    side = np.where(roads[node] == 1, np.minimum(side, 1), side)
    new = (side > 0) & (np.diff(side, prepend=0) != 0)
    by_road = np.argsort(aisle[at[new]], stable=True)
    end_node[at[side > 0]] = len(node_id) + np.argsort(by_road)[np.cumsum(new)[side > 0] - 1]
    stood_at = node[new][by_road]
    parts = replace(
        segments,
        node_id=np.append(node_id, node_id.min(initial=0) - 1 - np.arange(len(stood_at))),
        lon_deg=np.append(segments.lon_deg, segments.lon_deg[stood_at]),
        lat_deg=np.append(segments.lat_deg, segments.lat_deg[stood_at]),
        cut=np.append(segments.cut, segments.cut[stood_at]),
        tail=end_node[len(head) :],
        head=end_node[: len(head)],
    )
    return parts, stood_at

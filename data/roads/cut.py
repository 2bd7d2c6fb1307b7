"""
Roads cut into lines, each from one crossing to the next.

A road is cut where ways meet, begin or end, where one way passes twice, and at the signs of
`data.roads.rules.CUTTING_SIGNS`. Each line therefore lies within one way, and no other road touches
it but at its ends.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from data.road_table import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
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


def cut_lines(segments: Segments) -> tuple[IntArray, IntArray, IntArray]:
    """
    Join segments to lines.

    A ring that meets nothing is cut at its node of the lowest row, for it needs an end.

    Parameters
    ----------
    segments : Segments
        At least one.

    Returns
    -------
    node : ndarray of int64, shape (s + c,)
        Node rows along each line, both ends included.
    start : ndarray of int64, shape (c + 1,)
        Where each line's nodes start.
    way : ndarray of int64, shape (c,)
        The way row of each line.
    """
    chain, chain_start = _chains(segments)
    first = chain[chain_start[:-1]]
    start = chain_start + np.arange(len(chain_start))
    node = np.empty(start[-1], np.int64)
    is_first = np.zeros(len(node), np.bool_)
    is_first[start[:-1]] = True
    node[is_first] = segments.tail[first]
    node[~is_first] = segments.head[chain]
    return node, start, segments.way[first]


def _chains(segments: Segments) -> tuple[IntArray, IntArray]:
    """
    Join segments to chains, each from one cut to the next.

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
    following = np.where(passed[head], leaving[head], -1).data
    seen = bytearray(len(tail))
    chain = array("q")
    chain_start = array("q")
    for first in np.lexsort((tail, passed[tail])).data:  # those after a cut, then rings
        if seen[first]:
            continue
        chain_start.append(len(chain))
        segment = first
        while segment >= 0 and not seen[segment]:
            seen[segment] = True
            chain.append(segment)
            segment = following[segment]
    chain_start.append(len(chain))
    return np.frombuffer(chain, np.int64), np.frombuffer(chain_start, np.int64)

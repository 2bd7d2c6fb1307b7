"""One search at a time in arrays that are used again: what a search costs is what it reaches."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.errors import InputError
from geo.kernels.search import UNREACHED, blank, keep, search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.road_table import FloatArray, Int32Array, IntArray
    from geo.kernels.search import Queue, Sizes
    from geo.network import RoadNetwork
    from geo.states import SearchGraph

BUCKET_BITS = 14
"""Buckets of 16 s hold enough for memory to be asked for ahead, and few states are taken twice."""
_MOST_BUCKETS_BITS = 12
_ROOM = 512


class Buckets:
    """A queue that grows, for one search after the other of the same graph."""

    def __init__(self) -> None:
        self.entry: Queue = np.zeros((1, _ROOM), np.uint64)
        self.size: Sizes = np.zeros(1, np.uint32)

    def fit(self, span_ms: int, bits: int) -> int:
        """
        Have as many buckets as the times in the queue can span at once.

        Parameters
        ----------
        span_ms : int
            Between two times in the queue.
        bits : int
            Buckets should be ``2**bits`` ms wide.

        Returns
        -------
        shift : int
            They are ``2**shift`` ms wide.
        """
        shift = max(bits, span_ms.bit_length() - _MOST_BUCKETS_BITS + 1)
        count = 1 << ((span_ms >> shift) + 1).bit_length()
        if len(self.size) < count:
            self.entry = np.zeros((count, _ROOM), np.uint64)
            self.size = np.zeros(count, np.uint32)
        return shift


class Workspace:
    """
    The labels and the queue of one search, made ready again by what it touched.

    Parameters
    ----------
    states : int
        How many states the graph has.
    """

    def __init__(self, states: int) -> None:
        self.label_ms: Int32Array = np.full(states, UNREACHED, np.int32)
        self.touched: Int32Array = np.empty(states + 1, np.int32)
        self.buckets = Buckets()


@dataclass(slots=True, kw_only=True)
class Found:
    """
    What a search found; valid within its ``with``, and until it is kept.

    Parameters
    ----------
    label_ms : ndarray of int32, shape (S,)
        Times, `UNREACHED` where there is none.
    touched : ndarray of int32, shape (count,)
        The states that were reached.
    """

    label_ms: Int32Array
    touched: Int32Array

    def kept(self) -> tuple[Int32Array, Int32Array]:
        """
        Keep what was found; no more can be read here then.

        Returns
        -------
        page_of, page_ms : ndarray of int32
            See `geo.kernels.search.keep`.
        """
        pages = keep(self.label_ms, self.touched)
        self.touched = self.touched[:0]
        return pages


@contextmanager
def searched(
    spare: list[Workspace],
    graph: SearchGraph,
    seed_state: IntArray | Int32Array,
    seed_ms: IntArray | Int32Array,
    limit_ms: int,
) -> Iterator[Found]:
    """
    Search from seeds.

    Parameters
    ----------
    spare : list of Workspace
        Those not in use; one is taken and given back, so that threads do not meet.
    graph : SearchGraph
        What to search.
    seed_state, seed_ms : ndarray of int, shape (q,)
        Where to begin, and at what time, >= 0.
    limit_ms : int
        Labels past it are not made.

    Yields
    ------
    found : Found
        To be read before the ``with`` ends.
    """
    try:
        workspace = spare.pop()
    except IndexError:
        workspace = Workspace(graph.count)
    buckets = workspace.buckets
    shift = buckets.fit(span_ms(graph, seed_ms, limit_ms), BUCKET_BITS)
    count, buckets.entry = search(
        graph.start,
        graph.arc,
        graph.state_ms,
        np.ascontiguousarray(seed_state, np.int32),
        np.ascontiguousarray(seed_ms, np.int32),
        limit_ms,
        shift,
        workspace.label_ms,
        workspace.touched,
        buckets.entry,
        buckets.size,
    )
    found = Found(label_ms=workspace.label_ms, touched=workspace.touched[:count])
    yield found
    blank(found.label_ms, found.touched)
    spare.append(workspace)


def span_ms(graph: SearchGraph, seed_ms: IntArray | Int32Array, limit_ms: int) -> int:
    """
    Say how far apart the times in a search's queue can be.

    Returns
    -------
    span_ms : int
        The longest step, and what lies between the seeds; no more than the limit.
    """
    between = int(seed_ms.max() - seed_ms.min()) if len(seed_ms) else 0
    return min(limit_ms, graph.step_ms + between)


def limit_ms_of(within_s: float) -> int:
    """
    Turn a horizon into whole milliseconds without losing one to rounding.

    Returns
    -------
    limit_ms : int
        Below `UNREACHED`.

    Raises
    ------
    InputError
        If it is not 0 or more.
    """
    if not within_s >= 0:
        raise InputError(f"within_s={within_s}: must be seconds, 0 or more")
    return int(min(round(within_s * 1000, 3), UNREACHED - 1))


def seconds(time_ms: Int32Array) -> FloatArray:
    """
    Turn milliseconds into seconds.

    Returns
    -------
    time_s : ndarray of float64, as `time_ms`
        Inf where it is `UNREACHED`.
    """
    return np.where(time_ms == UNREACHED, np.inf, time_ms / 1000)


def check_node(net: RoadNetwork, node: int) -> None:
    """
    Check that a node is there.

    Raises
    ------
    InputError
        If it is not.
    """
    count = net.table.node_count
    if not 0 <= node < count:
        raise InputError(f"node={node}: must be a node row from 0 to {count - 1}")

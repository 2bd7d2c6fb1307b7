"""
What a search runs over: states and the arcs between them.

Where turns have a price, a state is a directed edge, and an arc is a passage into the next one. A
turn restriction over a way in between needs to remember where a car came from: each beginning of
one, of two edges or more, is a state of its own (a ghost of its last edge), as in the automaton
that finds many words in one text (Aho and Corasick 1975). Where turns have none, a state is a node.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import csgraph

from geo.kernels.search import UNREACHED

if TYPE_CHECKING:
    from data.road_table import BoolArray, Int32Array, IntArray

Sequence = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class SearchGraph:
    """
    States and arcs, searched one way.

    Parameters
    ----------
    start : ndarray of int32, shape (S + 1,)
        State s has the arcs ``arc[start[s]:start[s + 1]]``.
    arc : ndarray of int32, shape (A, 2)
        The state that an arc leads to, and its own time, ms.
    state_ms : ndarray of int32, shape (S,)
        Time from when a state is labelled to when it is left, ms; `UNREACHED` where it may not be
        left, because the road is closed.
    """

    start: Int32Array
    arc: Int32Array
    state_ms: Int32Array

    @property
    def count(self) -> int:
        """How many states there are."""
        return len(self.state_ms)

    @cached_property
    def step_ms(self) -> int:
        """The longest time from one label to the next, ms."""
        open_ms = self.state_ms[self.state_ms != UNREACHED]
        return int(open_ms.max(initial=0)) + int(self.arc[:, 1].max(initial=0))

    def arcs_of(self, state: int) -> Int32Array:
        """
        Give the arcs of a state.

        Returns
        -------
        arcs : ndarray of int32, shape (a, 2)
            States and times, ms.
        """
        return self.arc[self.start[state] : self.start[state + 1]]


def search_graph(
    count: int,
    origin: npt.NDArray[np.integer],
    to: npt.NDArray[np.integer],
    time_ms: npt.NDArray[np.integer],
    state_ms: Int32Array,
) -> SearchGraph:
    """
    Put arcs in the order of the states they leave.

    Parameters
    ----------
    count : int
        How many states.
    origin, to : ndarray of int, shape (A,)
        States.
    time_ms : ndarray of int, shape (A,)
        The arcs' own times.
    state_ms : ndarray of int32, shape (S,)
        The states' times.

    Returns
    -------
    graph : SearchGraph
        Arcs of a state by the state they lead to, then by time.
    """
    order = np.lexsort((time_ms, to, origin))
    start = np.concatenate([[0], np.cumsum(np.bincount(origin, minlength=count))])
    return SearchGraph(
        start=start.astype(np.int32),
        arc=np.stack([to[order], time_ms[order]], axis=1).astype(np.int32),
        state_ms=state_ms,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Passages:
    """
    Ways to go on from one state into another.

    Parameters
    ----------
    origin, to : ndarray of int64, shape (t,)
        States.
    time_ms : ndarray of int64, shape (t,)
        What each costs.
    """

    origin: IntArray
    to: IntArray
    time_ms: IntArray


def restrict(
    passages: Passages, edge_count: int, bans: list[Sequence]
) -> tuple[Passages, Int32Array]:
    """
    Take out of the passages between edges what turn restrictions forbid.

    Parameters
    ----------
    passages : Passages
        Between edges, each pair once.
    edge_count : int
        m.
    bans : list of tuple of int
        Edges that may not be driven one after the other, two or more each.

    Returns
    -------
    passages : Passages
        Between states; a car that sets out on an edge sets out in the state of the same row.
    state_edge : ndarray of int32, shape (S,)
        The edge of each state: the edges themselves, then the ghosts.
    """
    pairs = {ban for ban in bans if len(ban) == 2}  # noqa: PLR2004 - one turn
    words = {ban for ban in bans if len(ban) > 2}  # noqa: PLR2004 - over a way in between
    banned = np.array([a * edge_count + b for a, b in sorted(pairs)], np.int64)
    kept = ~np.isin(passages.origin * edge_count + passages.to, banned)
    origin, to, time_ms = passages.origin[kept], passages.to[kept], passages.time_ms[kept]
    prefixes = sorted({word[:size] for word in words for size in range(2, len(word))})
    ghost_of = {prefix: edge_count + row for row, prefix in enumerate(prefixes)}
    start = np.searchsorted(origin, np.arange(edge_count + 1))
    added: list[tuple[int, int, int]] = []
    for prefix, ghost in ghost_of.items():
        for row in range(start[prefix[-1]], start[prefix[-1] + 1]):
            driven = (*prefix, int(to[row]))
            if not any(driven[i:] in words for i in range(len(driven) - 2)):
                added.append((ghost, _state_after(driven, ghost_of), int(time_ms[row])))
    for (first, second), ghost in ((p, g) for p, g in ghost_of.items() if len(p) == 2):  # noqa: PLR2004
        rows = np.arange(start[first], start[first + 1])
        to[rows[to[rows] == second]] = ghost
    more = np.array(added, np.int64).reshape(-1, 3).T
    return (
        Passages(
            origin=np.concatenate([origin, more[0]]),
            to=np.concatenate([to, more[1]]),
            time_ms=np.concatenate([time_ms, more[2]]),
        ),
        np.concatenate([np.arange(edge_count), [p[-1] for p in prefixes]]).astype(np.int32),
    )


def _state_after(driven: Sequence, ghost_of: dict[Sequence, int]) -> int:
    """Remember of the edges driven no more than some restriction begins with."""
    for i in range(len(driven) - 1):
        if driven[i:] in ghost_of:
            return ghost_of[driven[i:]]
    return driven[-1]


def main_parts(forward: SearchGraph, backward: SearchGraph) -> tuple[BoolArray, BoolArray]:
    """
    Find what the largest part, in which every state reaches every other, reaches and is reached by.

    Parameters
    ----------
    forward, backward : SearchGraph
        The same arcs, turned round.

    Returns
    -------
    from_main, to_main : ndarray of bool, shape (S,)
        Both are True in the part itself.
    """
    matrices = [
        sparse.csr_array(
            (np.ones(len(graph.arc), np.int8), graph.arc[:, 0], graph.start),
            shape=(graph.count, graph.count),
        )
        for graph in (forward, backward)
    ]
    _, part = csgraph.connected_components(matrices[0], directed=True, connection="strong")
    first = int(np.argmax(part == np.bincount(part).argmax()))
    reached = np.zeros((2, forward.count), np.bool_)
    for row, matrix in enumerate(matrices):
        reached[row, csgraph.breadth_first_order(matrix, first, return_predecessors=False)] = True
    return reached[0], reached[1]

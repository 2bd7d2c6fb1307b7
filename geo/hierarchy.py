"""A contraction hierarchy over a network's states, for sweeps that label all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.kernels.arrange import lay_out, sweep_order
from geo.kernels.contract import contract

if TYPE_CHECKING:
    from data.road_table import Int32Array
    from geo.states import SearchGraph

SETTLED_ROUND = 50
"""States that a search round a contracted state settles: twice as many save 1 % of the arcs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """
    Arcs and shortcuts, by states that each come after those above them.

    Parameters
    ----------
    row : ndarray of int32, shape (S,)
        The row of each state. Rows above come first; neighbours stay together.
    up_start, up_row, up_ms : ndarray of int32, shapes (S + 1,), (a,), (a,)
        Arcs that lead up: row i has those from ``up_start[i]`` to ``up_start[i + 1]``, to `up_row`.
    down_start, down_row, down_ms : ndarray of int32, shapes (S + 1,), (b,), (b,)
        Arcs that lead down into row i, from `down_row`.

    Notes
    -----
    A shortest way is a way up and then a way down (Geisberger et al. 2008). The arrays are all
    there is to it: `dataclasses.asdict` and `numpy.savez` keep a hierarchy, ``Hierarchy(**arrays)``
    makes it again.
    """

    row: Int32Array
    up_start: Int32Array
    up_row: Int32Array
    up_ms: Int32Array
    down_start: Int32Array
    down_row: Int32Array
    down_ms: Int32Array

    @classmethod
    def of(cls, graph: SearchGraph) -> Hierarchy:
        """
        Contract a graph.

        Parameters
        ----------
        graph : SearchGraph
            Of a network, forward; states that may not be left have no arcs here.

        Returns
        -------
        hierarchy : Hierarchy
            The same for the same graph.
        """
        lists = contract(graph.start, graph.arc, graph.state_ms, SETTLED_ROUND)
        up_first, up, down_first, down = lists
        order = sweep_order(*lists)
        row = np.empty(graph.count, np.int32)
        row[order] = np.arange(graph.count, dtype=np.int32)
        up_start, up_row, up_ms = lay_out(order, row, up_first, up)
        down_start, down_row, down_ms = lay_out(order, row, down_first, down)
        return cls(
            row=row,
            up_start=up_start,
            up_row=up_row,
            up_ms=up_ms,
            down_start=down_start,
            down_row=down_row,
            down_ms=down_ms,
        )

    @property
    def count(self) -> int:
        """How many states there are."""
        return len(self.row)

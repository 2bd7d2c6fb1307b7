"""Banned turns as a note in an OSMnx graph: graphs themselves have no place for them."""

from __future__ import annotations

import ast
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from data.errors import RoadSourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from data.road_table import RoadTable

NOTE = "turn_bans"
"""The graph's attribute: a list of bans, each a list of edges ``(u, v, key)``."""
_Name = tuple[int, int, int]


def note_bans(table: RoadTable, names: Sequence[_Name]) -> list[list[_Name]]:
    """
    Write a table's bans by the names of edges.

    Parameters
    ----------
    table : RoadTable
        The roads.
    names : sequence of tuple of int
        What the graph calls each edge.

    Returns
    -------
    note : list of list of tuple
        For the graph's attribute `NOTE`.
    """
    starts = table.ban_start.tolist()
    edges = [names[edge] for edge in table.ban_edge.tolist()]
    return [edges[first:last] for first, last in pairwise(starts)]


def read_bans(note: Any, names: Iterable[_Name]) -> list[tuple[int, ...]]:
    """
    Read the note back.

    Parameters
    ----------
    note : object
        The graph's attribute `NOTE`, or its text as files keep it; None for no bans.
    names : iterable of tuple of int
        What the graph calls each edge that is taken.

    Returns
    -------
    bans : list of tuple of int
        Rows of `names`. Bans of an edge that is not there any more are gone with it.

    Raises
    ------
    RoadSourceError
        If it is no such note.
    """
    try:
        given = ast.literal_eval(note) if isinstance(note, str) else note or []
        named = [[(u, v, key) for u, v, key in ban] for ban in given]
        row_of = {name: row for row, name in enumerate(names)} if named else {}
        rows = [tuple(row_of.get(name, -1) for name in ban) for ban in named]
    except (TypeError, ValueError, SyntaxError) as error:
        raise RoadSourceError(
            f"graph.graph['{NOTE}']: must list bans, each a list of edges (u, v, key) ({error}); "
            "delete it to drive without turn restrictions"
        ) from error
    return [ban for ban in rows if len(ban) > 1 and -1 not in ban]

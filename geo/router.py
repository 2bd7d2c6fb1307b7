"""
Drive times by road: to a stop, from a unit, between nodes, and the way itself. Exact.

A stop is searched once, backward, and what was found is kept while it stands; every unit then is a
look-up. What is driven on the first and the last edge is added where the answer is read, so
that one search serves every position.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from geo.kernels.read import read_back
from geo.kernels.search import PAGE, PAGE_BITS, UNREACHED, spread
from geo.nearest import nearest
from geo.route import draw_route
from geo.searching import check_node, limit_ms_of, searched, seconds
from geo.starts import Starts, ends_of, seeds_ahead, seeds_back, starts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from data.answers import Route
    from data.road_table import FloatArray, Int32Array
    from geo.network import RoadNetwork
    from geo.snap import Position
    from geo.states import SearchGraph


__all__ = [
    "Backward",
    "many_to_many",
    "nearest",
    "one_to_many",
    "search_back",
    "times_from",
    "times_to",
    "times_to_middles",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backward:
    """
    Every drive time to one place, from one search; keep it while the place stands.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    place : Position
        Where to.
    within_s : float
        The horizon searched.
    end_edge, end_done_ms : ndarray of int32, shape (e,)
        The edges the place lies on, and the time from the start of each to it.
    page_of, page_ms : ndarray of int32
        Time from where an edge is left to the place, by state (`geo.kernels.search.keep`).
    """

    net: RoadNetwork
    place: Position
    within_s: float
    end_edge: Int32Array
    end_done_ms: Int32Array
    page_of: Int32Array
    page_ms: Int32Array

    def drive_time_s(self, position: Position) -> float:
        """
        Read the drive time from a position to the place.

        Returns
        -------
        drive_time_s : float
            Inf where there is no way within the horizon.
        """
        return float(self.drive_times_s(starts_of(self.net, [position]))[0])

    def drive_times_s(self, starts: Starts) -> FloatArray:
        """
        Read the drive times from many positions to the place.

        Parameters
        ----------
        starts : Starts
            k positions (`geo.starts`).

        Returns
        -------
        drive_time_s : ndarray of float64, shape (k,)
            Inf where there is no way within the horizon.
        """
        time_ms = np.empty(len(starts.edge), np.int32)
        read_back(
            self.page_of,
            self.page_ms,
            self.end_edge,
            self.end_done_ms,
            self.net.end_state,
            self.net.edge_ms,
            starts.edge,
            starts.done_ms,
            starts.price_ms,
            limit_ms_of(self.within_s),
            time_ms,
        )
        return seconds(time_ms)

    def rest_ms(self, state: int) -> int:
        """
        Read the time from where a state is left to the place.

        Returns
        -------
        rest_ms : int
            `UNREACHED` past the horizon.
        """
        page = int(self.page_of[state >> PAGE_BITS])
        return int(self.page_ms[page, state & (PAGE - 1)]) if page >= 0 else UNREACHED

    def touches(self, edge: int) -> bool:
        """
        Say whether a change of an edge can change the times to the place.

        Returns
        -------
        touches : bool
            False where neither the edge nor the place lies within the horizon of the other.
        """
        states = self.net.states_of(edge)
        return edge in self.end_edge or any(self.rest_ms(s) != UNREACHED for s in states)

    def route(self, position: Position) -> Route | None:
        """
        Give the way from a position to the place.

        Parameters
        ----------
        position : Position
            Where from.

        Returns
        -------
        route : Route or None
            None where there is no way within the horizon.
        """
        if (way := self.way(position)) is None:
            return None
        return draw_route(self.net, *way, self.drive_time_s(position))

    def way(self, position: Position) -> tuple[list[int], float, float] | None:
        """
        Give the edges from a position to the place.

        Parameters
        ----------
        position : Position
            Where from.

        Returns
        -------
        edges : list of int
            In the order driven.
        begin, end : float
            Shares of the first edge before the position, and of the last before the place. None
            in place of all three where there is no way within the horizon.
        """
        starts = starts_of(self.net, [position])
        time_s = float(self.drive_times_s(starts)[0])
        if not np.isfinite(time_s):
            return None
        edges, begin, end = self._way(starts, round(time_s * 1000))
        return edges, _share(position, edges[0], begin), _share(self.place, edges[-1], end)

    def edges(self, start: Starts) -> list[int]:
        """
        List the edges of the way from a position to the place.

        Parameters
        ----------
        start : Starts
            One position (`geo.starts`).

        Returns
        -------
        edges : list of int
            In the order driven, both ends' included; empty where there is no way.
        """
        time_s = float(self.drive_times_s(start)[0])
        return self._way(start, round(time_s * 1000))[0] if np.isfinite(time_s) else []

    def _way(self, starts: Starts, time_ms: int) -> tuple[list[int], int, int]:
        """
        Find edges that take just so long.

        Returns
        -------
        edges : list of int
            In the order driven.
        begin_done_ms, end_done_ms : int
            Time from the start of the first to the position, and of the last to the place.

        Raises
        ------
        AssertionError
            Never, as long as searches are right.
        """
        net = self.net
        for edge, done, price in zip(
            *(column[0].tolist() for column in (starts.edge, starts.done_ms, starts.price_ms)),
            strict=True,
        ):
            if edge < 0:
                continue
            ahead = [
                int(end)
                for end in self.end_done_ms[self.end_edge == edge]
                if end >= done and price + end - done == time_ms
            ]
            if ahead:
                return [edge], done, ahead[0]
            state = net.left_in(edge)
            if price + int(net.edge_ms[edge]) - done + self.rest_ms(state) == time_ms:
                edges, end = self._follow(state)
                return [edge, *edges], done, end
        raise AssertionError("a drive time without a way")  # pragma: no cover

    def _follow(self, state: int) -> tuple[list[int], int]:
        """
        Go on from a state along labels that fit, turning back from rings that take no time.

        Returns
        -------
        edges : list of int
            In the order driven, the last one with the place on it.
        end_done_ms : int
            Time from its start to the place.
        """
        seen = {state}
        ways: list[Iterator[tuple[int, int, int]]] = [self.net.onward(state)]
        rests = [self.rest_ms(state)]
        edges: list[int] = []
        while True:
            for edge, after, turn_ms in ways[-1]:
                ends = self.end_done_ms[self.end_edge == edge]
                if (turn_ms + ends == rests[-1]).any():
                    return [*edges, edge], rests[-1] - turn_ms
                rest = self.rest_ms(after)
                through = self.net.through_ms(edge)
                if after not in seen and turn_ms + through + rest == rests[-1]:
                    seen.add(after)
                    edges.append(edge)
                    ways.append(self.net.onward(after))
                    rests.append(rest)
                    break
            else:
                ways.pop()
                rests.pop()
                edges.pop()


def _share(position: Position, edge: int, done_ms: int) -> float:
    """Give the share of an edge that lies behind a position on it."""
    if position.fraction in {0.0, 1.0}:  # at a node, by whatever road
        return 1.0 if done_ms else 0.0
    return position.fraction if edge == position.edge else 1 - position.fraction


def search_back(net: RoadNetwork, place: Position, *, within_s: float = np.inf) -> Backward:
    """
    Search backward from a place, once, for the drive times from everywhere.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    place : Position
        Where to. On a two-way street it is reached from both sides.
    within_s : float
        Horizon, seconds, >= 0.

    Returns
    -------
    times : Backward
        To be read with positions.

    Raises
    ------
    InputError
        If the horizon is below 0.

    Notes
    -----
    O(r) for the r edges within the horizon, and a 64th of the network's size.
    """
    end_edge, end_done_ms = ends_of(net, place)
    seeds = seeds_back(net, end_edge, end_done_ms)
    limit_ms = limit_ms_of(within_s)
    with searched(net.spare, net.backward, *seeds, limit_ms) as found:
        page_of, page_ms = found.kept()
    return Backward(
        net=net,
        place=place,
        within_s=within_s,
        end_edge=end_edge,
        end_done_ms=end_done_ms,
        page_of=page_of,
        page_ms=page_ms,
    )


def one_to_many(
    net: RoadNetwork, start: Starts, places: Sequence[Position], *, within_s: float = np.inf
) -> FloatArray:
    """
    Give the drive times from one position to some places, by one search.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    start : Starts
        One position (`geo.starts`).
    places : sequence of Position, length p
        Where to.
    within_s : float
        Horizon, seconds, >= 0.

    Returns
    -------
    drive_time_s : ndarray of float64, shape (p,)
        Inf where there is no way within the horizon.

    Raises
    ------
    InputError
        If the horizon is below 0.
    """
    limit_ms = limit_ms_of(within_s)
    state, time_ms, _ = seeds_ahead(net, start)
    best = np.full(len(places), UNREACHED, np.int64)
    with searched(net.spare, net.forward, state, time_ms, limit_ms) as found:
        for row, place in enumerate(places):
            for edge, done_ms in zip(*(part.tolist() for part in ends_of(net, place)), strict=True):
                begun = [int(found.label_ms[one]) for one in net.begun_in(edge)]
                ahead = start.done_ms[start.edge == edge], start.price_ms[start.edge == edge]
                begun += [int(p - d) for d, p in zip(*ahead, strict=True) if d <= done_ms]
                best[row] = min([best[row], *(ms + done_ms for ms in begun)])
    return np.where(best <= limit_ms, best / 1000, np.inf)


def many_to_many(
    net: RoadNetwork, starts: Starts, places: Sequence[Position], *, within_s: float = np.inf
) -> FloatArray:
    """
    Give all drive times from some positions to some places.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    starts : Starts
        k positions (`geo.starts`).
    places : sequence of Position, length p
        Where to.
    within_s : float
        Horizon, seconds, >= 0.

    Returns
    -------
    drive_time_s : ndarray of float64, shape (k, p)
        Inf where there is no way within the horizon.

    Raises
    ------
    InputError
        If the horizon is below 0.

    Notes
    -----
    A search for each position or for each place, whichever are fewer.
    """
    if len(starts.edge) < len(places):
        rows = [starts.row(i) for i in range(len(starts.edge))]
        found = [one_to_many(net, row, places, within_s=within_s) for row in rows]
        return np.stack(found) if found else np.empty((0, len(places)))
    columns = [search_back(net, place, within_s=within_s).drive_times_s(starts) for place in places]
    return np.stack(columns, axis=1) if columns else np.empty((len(starts.edge), 0))


def times_to_middles(net: RoadNetwork, position: Position, *, within_s: float) -> FloatArray:
    """
    Search forward from a position for the drive time to the middle of every edge.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    position : Position
        Where from.
    within_s : float
        Horizon, seconds, >= 0.

    Returns
    -------
    drive_time_s : ndarray of float64, shape (m,)
        Inf where there is no way within the horizon. The middle of a two-way street is reached
        from both sides, so both its edges hold the same figure.

    Raises
    ------
    InputError
        If the horizon is below 0.
    """
    starts = starts_of(net, [position])
    state, time_ms, _ = seeds_ahead(net, starts)
    limit_ms = limit_ms_of(within_s)
    count = len(net.edge_ms)
    with searched(net.spare, net.forward, state, time_ms, limit_ms) as found:
        if net.turns:
            begin_ms = found.label_ms[:count].astype(np.float64)
            np.minimum.at(begin_ms, net.ghost_edge, found.label_ms[count:])
        else:
            begin_ms = found.label_ms[net.node_state[net.table.tail]].astype(np.float64)
    begin_ms[begin_ms == UNREACHED] = np.inf
    half_ms = net.half_ms
    middle_ms = begin_ms + half_ms
    for edge, done_ms, price_ms in zip(
        starts.edge[0], starts.done_ms[0], starts.price_ms[0], strict=True
    ):
        ahead_ms = int(half_ms[edge]) - int(done_ms)
        if edge >= 0 and ahead_ms >= 0:
            middle_ms[edge] = min(middle_ms[edge], int(price_ms) + ahead_ms)
    both_ms = np.where(net.twin >= 0, np.minimum(middle_ms, middle_ms[net.twin]), middle_ms)
    return np.where(both_ms <= limit_ms, both_ms / 1000, np.inf)


def times_to(net: RoadNetwork, node: int, within_s: float = np.inf) -> FloatArray:
    """
    Give the drive time from every node to one.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    node : int
        Node row.
    within_s : float
        Horizon, seconds, >= 0.

    Returns
    -------
    drive_time_s : ndarray of float64, shape (n,)
        Inf where there is no way within the horizon.

    Raises
    ------
    InputError
        If there is no such node, or the horizon is below 0.
    """
    check_node(net, node)
    return _node_times(net, node, within_s, net.backward, net.table.tail)


def times_from(net: RoadNetwork, node: int, within_s: float = np.inf) -> FloatArray:
    """
    Give the drive time from one node to every node.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    node : int
        Node row.
    within_s : float
        Horizon, seconds, >= 0.

    Returns
    -------
    drive_time_s : ndarray of float64, shape (n,)
        Inf where there is no way within the horizon.

    Raises
    ------
    InputError
        If there is no such node, or the horizon is below 0.
    """
    check_node(net, node)
    return _node_times(net, node, within_s, net.forward, net.table.head)


def _node_times(
    net: RoadNetwork, node: int, within_s: float, graph: SearchGraph, far: Int32Array
) -> FloatArray:
    """Search from a node; read the times at the nodes where edges end on the `far` side."""
    time_ms = np.full(net.table.node_count, np.inf)
    limit_ms = limit_ms_of(within_s)
    search_from = partial(searched, net.spare, graph, limit_ms=limit_ms)
    if not net.turns:
        seed = net.node_state[[node]]
        with search_from(seed_state=seed, seed_ms=np.zeros(1, np.int32)) as found:
            time_ms[net.state_node[found.touched]] = found.label_ms[found.touched]
        return time_ms / 1000
    edges = net.edges_from(node) if graph is net.forward else net.edges_to(node)
    states = edges.tolist()
    if graph is net.backward:
        states = [state for edge in states for state in net.states_of(edge)]
    seeds = np.array(states, np.int32)
    with search_from(seed_state=seeds, seed_ms=np.zeros(len(seeds), np.int32)) as found:
        spread(found.label_ms, found.touched, limit_ms, net.ghost_edge, net.whole_ms, far, time_ms)
    time_ms[node] = 0
    return time_ms / 1000

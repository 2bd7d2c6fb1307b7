"""Turn restrictions hold: drive times equal a search that remembers every edge it drove."""

from __future__ import annotations

import heapq
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.network import RoadNetwork
from geo.router import search_back, times_from, times_to, times_to_middles
from tests.geo.test_router import somewhere, towns
from tests.geo.towns import town
from tests.prove import examples

if TYPE_CHECKING:
    from collections.abc import Iterable

Ban = tuple[int, ...]


def banned(net: RoadNetwork, bans: Iterable[Ban]) -> RoadNetwork:
    """The same roads with turn restrictions."""
    rows = sorted(set(bans))
    start = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    flat = np.array([edge for row in rows for edge in row], np.int32)
    return RoadNetwork.from_table(replace(net.table, ban_start=start, ban_edge=flat))


@st.composite
def restricted(draw: st.DrawFn) -> tuple[RoadNetwork, list[Ban]]:
    """A town, and sequences of edges driven one after the other that are forbidden."""
    net = draw(towns())
    bans = []
    for _ in range(draw(st.integers(0, 5))):
        ban = [draw(st.integers(0, len(net.edge_ms) - 1))]
        for _ in range(draw(st.integers(1, 3))):
            onward = [after for after, _ in net.forward.arcs_of(ban[-1]).tolist()]
            if onward:
                ban.append(draw(st.sampled_from(onward)))
        if len(ban) > 1:
            bans.append(tuple(ban))
    return net, bans


def begun_ms(net: RoadNetwork, bans: list[Ban], edge: int, own_ms: int) -> dict[int, int]:
    """Time at which each edge can be begun after `edge` is left at `own_ms`; histories in full."""
    size = max((len(ban) for ban in bans), default=2) - 1
    queue: list[tuple[int, tuple[int, ...]]] = [(own_ms, (edge,))]
    seen: set[tuple[int, ...]] = set()
    begun: dict[int, int] = {}
    while queue:
        ms, driven = heapq.heappop(queue)
        if driven in seen:
            continue
        seen.add(driven)
        for after, turn_ms in net.forward.arcs_of(driven[-1]).tolist():
            history = (*driven, after)
            if any(history[i:] in bans for i in range(len(history))):
                continue
            at_ms = ms + turn_ms
            begun[after] = min(begun.get(after, at_ms), at_ms)
            heapq.heappush(queue, (at_ms + int(net.edge_ms[after]), history[-size:]))
    return begun


@settings(max_examples=examples(60), deadline=None)
@given(restricted(), st.data())
def test_restricted_times_equal_a_search_that_remembers_all(
    case: tuple[RoadNetwork, list[Ban]], data: st.DataObject
) -> None:
    free, bans = case
    net = banned(free, bans)
    first, last = (data.draw(st.integers(0, len(net.edge_ms) - 1)) for _ in range(2))
    # On one-way edges, and not at their ends, so that one edge is left and one is reached.
    start = replace(somewhere(net, first, 0.5, heading_known=True), turn_round_s=None)
    end = replace(somewhere(net, last, 0.25, heading_known=True), turn_round_s=None)
    own_ms = int(net.edge_ms[first]) - round(0.5 * int(net.edge_ms[first]))
    begun = begun_ms(free, bans, first, own_ms)
    reached = begun.get(last, np.inf) + round(0.25 * int(net.edge_ms[last]))
    if first == last and net.edge_ms[first] <= 1:  # then the place is not behind
        reached = 0
    expected = reached / 1000
    times = search_back(net, end)
    assert times.drive_time_s(start) == expected
    route = times.route(start)
    assert (route is None) == np.isinf(expected)
    middles = times_to_middles(net, start, within_s=np.inf)
    for edge in range(len(net.edge_ms)):
        sides = {edge, int(net.twin[edge])} - {-1}
        at = min(begun.get(side, np.inf) + int(net.half_ms[side]) for side in sides)
        if first not in sides:
            assert middles[edge] == at / 1000


@settings(max_examples=examples(30), deadline=None)
@given(restricted())
def test_node_times_hold_the_restrictions_both_ways(case: tuple[RoadNetwork, list[Ban]]) -> None:
    free, bans = case
    net = banned(free, bans)
    count = net.table.node_count
    matrix = np.full((count, count), np.inf)
    for edge, (tail, head) in enumerate(zip(net.table.tail, net.table.head, strict=True)):
        own_ms = int(net.edge_ms[edge])
        matrix[tail, head] = min(matrix[tail, head], own_ms)
        for after, ms in begun_ms(free, bans, edge, own_ms).items():
            there = net.table.head[after]
            matrix[tail, there] = min(matrix[tail, there], ms + int(net.edge_ms[after]))
    np.fill_diagonal(matrix, 0)
    for node in range(count):
        np.testing.assert_array_equal(times_from(net, node), matrix[node] / 1000)
        np.testing.assert_array_equal(times_to(net, node), matrix[:, node] / 1000)


CROSS = {
    "W": (-500.0, 0.0),
    "M": (0.0, 0.0),
    "E": (500.0, 0.0),
    "N": (0.0, 500.0),
    "S": (0.0, -500.0),
}


def _edge(net: RoadNetwork, a: str, b: str) -> int:
    names = list(CROSS)
    (row,) = np.flatnonzero((net.table.tail == names.index(a)) & (net.table.head == names.index(b)))
    return int(row)


def test_no_left_turn_is_not_taken() -> None:
    free = town(CROSS, [{"ends": ["W", "M", "E"]}, {"ends": ["S", "M", "N"]}])
    left = (_edge(free, "W", "M"), _edge(free, "M", "N"))
    net = banned(free, [left])
    assert net.forward.count == free.forward.count
    start, end = (somewhere(net, edge, 0.5, heading_known=True) for edge in left)
    assert search_back(net, end).drive_time_s(start) > search_back(free, end).drive_time_s(start)


def test_a_restriction_over_a_way_in_between_binds_only_those_who_come_that_way() -> None:
    free = town(CROSS, [{"ends": ["W", "M", "E"]}, {"ends": ["S", "M", "N"]}])
    a, b = _edge(free, "S", "M"), _edge(free, "M", "E")
    c = _edge(free, "E", "M")
    net = banned(free, [(a, b, c)])  # no turning back at E for who came from the south
    assert net.forward.count == free.forward.count + 1
    assert net.ghosts == {b: [free.forward.count]}
    south, west = (
        replace(somewhere(net, edge, 0.5, heading_known=True), turn_round_s=None)
        for edge in (a, _edge(free, "W", "M"))
    )
    back = replace(somewhere(net, c, 0.9, heading_known=True), turn_round_s=None)
    to_back, free_back = search_back(net, back), search_back(free, back)
    assert to_back.drive_time_s(west) == free_back.drive_time_s(west)
    assert to_back.drive_time_s(south) > free_back.drive_time_s(south)

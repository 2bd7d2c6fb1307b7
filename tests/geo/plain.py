"""The kernels' twins in plain Python: slow and obvious."""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING

from geo.backup import chance_within, horizon_s
from geo.kernels.eight import TINY
from geo.kernels.grid import EAST0, EAST1, NORTH0, NORTH1
from geo.kernels.search import UNREACHED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from data.settings import Policy
    from geo.network import RoadNetwork
    from geo.states import SearchGraph


def search(
    graph: SearchGraph, seeds: Iterable[tuple[int, int]], limit_ms: int = UNREACHED - 1
) -> dict[int, int]:
    """Times of all states within a limit, from seeds of (state, ms): Dijkstra with a heap."""
    queue = [(ms, state) for state, ms in seeds]
    heapq.heapify(queue)
    time_ms: dict[int, int] = {}
    while queue:
        ms, state = heapq.heappop(queue)
        if ms > limit_ms or state in time_ms:
            continue
        time_ms[state] = ms
        own_ms = int(graph.state_ms[state])
        if own_ms != UNREACHED:
            for after, arc_ms in graph.arcs_of(state).tolist():
                heapq.heappush(queue, (ms + own_ms + arc_ms, after))
    return time_ms


def nearest(
    graph: SearchGraph, seeds: Iterable[tuple[int, int, int]], k: int, limit_ms: int
) -> dict[int, list[tuple[int, int]]]:
    """The k soonest (ms, source) of every state, from seeds of (state, ms, source)."""
    by_source: dict[int, list[tuple[int, int]]] = {}
    for state, ms, source in seeds:
        by_source.setdefault(source, []).append((state, ms))
    found: dict[int, list[tuple[int, int]]] = {}
    for source, own in by_source.items():
        for state, ms in search(graph, own, limit_ms).items():
            found.setdefault(state, []).append((ms, source))
    return {state: sorted(labels)[:k] for state, labels in found.items()}


def distance(
    segment: Sequence[int], at: tuple[float, float], units_m: tuple[float, float]
) -> tuple[float, float]:
    """The square of the distance to a segment, and the share of it before its nearest point."""
    (east, north), (east_m, north_m) = at, units_m
    x, y = (segment[EAST0] - east) * east_m, (segment[NORTH0] - north) * north_m
    dx = (segment[EAST1] - east) * east_m - x
    dy = (segment[NORTH1] - north) * north_m - y
    along = -(x * dx + y * dy) / max(dx * dx + dy * dy, TINY)
    along = min(max(along, 0.0), 1.0)
    x, y = x + along * dx, y + along * dy
    return x * x + y * y, along


def cover(
    tau_s: Sequence[float],
    drive_s: Sequence[float],
    counts: Sequence[bool],
    within_s: float,
    policy: Policy,
) -> tuple[list[float], float, float]:
    """F of each unit at one stop, G, and G without its best unit."""
    far_s = float(horizon_s(within_s, policy))
    chance = [
        float(chance_within(tau, within_s, policy)) if drive <= far_s else 0.0
        for tau, drive in zip(tau_s, drive_s, strict=True)
    ]
    away = [
        1 - policy.comes_when_asked * one if counted else 1.0
        for one, counted in zip(chance, counts, strict=True)
    ]
    return chance, 1 - math.prod(away), 1 - math.prod(sorted(away)[1:])


def start(
    net: RoadNetwork, edge: int, fraction: float, turn_round_ms: int
) -> list[tuple[int, int, int]]:
    """The edge a position lies on and the street the other way: edge, ms done, price."""
    if edge < 0:
        return [(-1, 0, 0)] * 2
    legs, back = [(edge, round(fraction * int(net.edge_ms[edge])), 0)], int(net.twin[edge])
    if turn_round_ms >= 0 and back >= 0:
        return [*legs, (back, round((1 - fraction) * int(net.edge_ms[back])), turn_round_ms)]
    return [*legs, (-1, 0, 0)]

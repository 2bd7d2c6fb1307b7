"""RoutingKit's customizable contraction hierarchies, by the package `routingkit-cch`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.graphs import FloatArray, Graph, IntArray


def cch_stop(graph: Graph, units: IntArray) -> Callable[[int], FloatArray]:
    """Pin the units before the clock starts; then ask from all of them to a stop."""
    import routingkit_cch as kit  # noqa: PLC0415 - a peer is imported where it is measured

    tail, head, time_ds = (column.astype(np.uint32) for column in graph.simple)
    order = kit.compute_order_inertial(
        graph.node_count,
        tail,
        head,
        graph.lat_deg.astype(np.float32),
        graph.lon_deg.astype(np.float32),
    )
    metric = kit.CCHMetric(kit.CCH(order, tail, head, filter_always_inf_arcs=False), time_ds)
    table = kit.CCHManyToOne(metric, units.astype(np.uint32))

    def ask(stop: int) -> FloatArray:
        found = table.distances_to(stop)
        return np.array([np.inf if one is None else one for one in found]) / 10

    return ask

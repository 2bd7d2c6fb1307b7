"""pandana: the k nearest points of interest of every node, by contraction hierarchies."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.graphs import FloatArray, Graph, IntArray

# It cuts weights off to thousandths of what it is given: of whole deciseconds nothing is cut.


def pandana_nearest(
    graph: Graph, k: int, within_s: float
) -> Callable[[IntArray], tuple[IntArray, FloatArray]]:
    """
    Prepare the reversed network (its own direction is towards the points; ours away from units).

    Contracting it comes before the clock starts; telling it where the units are, and asking, is
    what is timed.
    """
    with _silent():
        from pandana import Network  # noqa: PLC0415 - a peer is imported where it is measured

        tail, head, time_ds = graph.simple
        city = Network(
            pd.Series(graph.lon_deg),
            pd.Series(graph.lat_deg),
            pd.Series(head),
            pd.Series(tail),
            pd.DataFrame({"time_ds": time_ds.astype(np.float64)}),
            twoway=False,
        )

    def ask(units: IntArray) -> tuple[IntArray, FloatArray]:
        lon, lat = pd.Series(graph.lon_deg[units]), pd.Series(graph.lat_deg[units])
        city.set_pois("units", within_s * 10, k, lon, lat)
        found = city.nearest_pois(within_s * 10, "units", num_pois=k, include_poi_ids=True)
        names = [f"poi{place + 1}" for place in range(k)]
        index = found[names].to_numpy(np.float64, na_value=-1).astype(np.int64)
        return index, found[list(range(1, k + 1))].to_numpy(np.float64) / 10

    return ask


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep what its C++ prints while it contracts off our report."""
    kept = os.dup(1)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, not a path
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)

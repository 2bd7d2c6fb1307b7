"""
Time many snapshots at once against one after the other; answers are compared before any is timed.

Run ``python bench/history.py --ny NY.npz --roads CITY.roads [--units 100] [--json FILE]``. NY.npz
holds lon, lat, tail, head and w (the DIMACS travel-time graph of New
York, Demetrescu et al. 2006).
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.hierarchy import Hierarchy
from geo.history import Middles, Seeds, nearest_over_time, seeds_of
from geo.kernels.search import UNREACHED
from geo.kernels.sweep import LANES
from geo.kernels.sweep_two import LANES_OF_TWO
from geo.nearest import NearestUnits, nearest
from geo.network import RoadNetwork
from geo.starts import Starts, starts_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.road_table import FloatArray, Int32Array


SNAPSHOTS = 4 * LANES


def new_york(path: Path) -> RoadNetwork:
    with np.load(path) as ny:
        return RoadNetwork.from_arrays(
            lon_deg=ny["lon"],
            lat_deg=ny["lat"],
            tail=ny["tail"],
            head=ny["head"],
            time_s=np.maximum(1, np.round(ny["w"] * 0.04)) / 10,
        )


def taken_s(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def ratio(alone: Callable[[], object], swept: Callable[[], object], rounds: int) -> dict[str, Any]:
    """Interleave both; `swept` gives the snapshots it did."""
    alone_s, swept_s = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        done = swept()
        swept_s.append((time.perf_counter() - began) / int(str(done)))
        alone_s.append(taken_s(alone))
    each = np.array(alone_s) / np.array(swept_s)
    return {
        "alone_ms": {"min": min(alone_s) * 1e3, "median": float(np.median(alone_s)) * 1e3},
        "swept_ms": {"min": min(swept_s) * 1e3, "median": float(np.median(swept_s)) * 1e3},
        "ratio_of_minima": min(alone_s) / min(swept_s),
        "ratio_median": float(np.median(each)),
        "ratio_quartiles": np.percentile(each, [25, 75]).tolist(),
        "rounds": rounds,
    }


def swept(hierarchy: Hierarchy, seeds: Seeds, k: int) -> int:
    return sum(block.count for block in nearest_over_time(hierarchy, seeds, k=k))


def only(starts: Starts, rows: slice) -> Starts:
    return Starts(
        edge=starts.edge[rows], done_ms=starts.done_ms[rows], price_ms=starts.price_ms[rows]
    )


def one_of(seeds: Seeds, i: int) -> slice:
    return slice(seeds.snapshot_start[i], seeds.snapshot_start[i + 1])


def scipy_times(net: RoadNetwork) -> Callable[[Int32Array, Int32Array], FloatArray]:
    """Give the competitor its own graph: node times as they are, an edge's own on its arcs."""
    graph = net.forward
    full_ms = graph.arc[:, 1] + np.repeat(graph.state_ms, np.diff(graph.start)).astype(np.float64)
    matrix = csr_array((full_ms, graph.arc[:, 0], graph.start), shape=(graph.count,) * 2)

    def times(state: Int32Array, time_ms: Int32Array) -> FloatArray:
        assert not time_ms.any(), "min_only knows sources at time 0 only"
        return dijkstra(matrix, indices=np.unique(state), min_only=True)

    return times


def measured(name: str, net: RoadNetwork, units: int, rounds: int) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    wall_s = time.perf_counter()
    hierarchy = Hierarchy.of(net.forward)
    result: dict[str, Any] = {
        "network": name,
        "states": hierarchy.count,
        "units": units,
        "prepared_cpu_s": time.process_time() - began,
        "prepared_wall_s": time.perf_counter() - wall_s,
        "prepared_more_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib)
        / 1024,
        "hierarchy_mib": sum(a.nbytes for a in asdict(hierarchy).values()) / 2**20,
        "arcs": len(net.forward.arc),
        "arcs_up_and_down": len(hierarchy.up_row) + len(hierarchy.down_row),
    }
    every = np.arange(hierarchy.count)
    place = rng.integers(0, hierarchy.count, SNAPSHOTS * units).astype(np.int32)
    at_states = Seeds(
        place=place,
        time_ms=np.zeros(len(place), np.int32),
        unit=np.tile(np.arange(units, dtype=np.int32), SNAPSHOTS),
        snapshot_start=np.arange(SNAPSHOTS + 1) * units,
    )
    scipy = scipy_times(net)
    for block in nearest_over_time(hierarchy, at_states):
        for lane in (0, LANES // 2, LANES - 1):
            own = one_of(at_states, block.first + lane)
            expected = scipy(place[own], at_states.time_ms[own])
            mine = block.time_ms(every)[:, lane, 0].astype(np.float64)
            mine[mine == UNREACHED] = np.inf
            np.testing.assert_array_equal(mine, expected)
    first = one_of(at_states, 0)
    result["k = 1 against scipy min_only"] = ratio(
        lambda: scipy(place[first], at_states.time_ms[first]),
        lambda: swept(hierarchy, at_states, 1),
        rounds,
    )
    few = 4 * LANES_OF_TWO
    if net.turns:
        edge = rng.integers(0, len(net.edge_ms), few * units).astype(np.int32)
        starts = starts_at(net, edge, rng.random(len(edge)), np.full(len(edge), 20_000, np.int32))
        start = np.arange(few + 1) * units
        seeds = seeds_of(net, starts, start)
        middles = Middles(net, hierarchy, starts, start)
        one = only(starts, slice(0, units))
        for block in nearest_over_time(hierarchy, seeds, k=2):
            unit, time_s = middles.read(block)
            own = slice(start[block.first], start[block.first + 1])
            expected_unit, expected_s = NearestUnits(net, only(starts, own), k=2).at_middles()
            assert unit is not None
            np.testing.assert_array_equal(unit[:, 0], expected_unit)
            np.testing.assert_array_equal(time_s[:, 0], expected_s)

        def read() -> int:
            return sum(
                middles.read(block)[1].shape[1]
                for block in nearest_over_time(hierarchy, seeds, k=2)
            )

        result["k = 2 with ids, one by one"] = ratio(
            lambda: NearestUnits(net, one, k=2), lambda: swept(hierarchy, seeds, 2), rounds
        )
        result["k = 2 with ids, at middles"] = ratio(
            lambda: NearestUnits(net, one, k=2).at_middles(), read, rounds
        )
        return result
    node = rng.integers(0, hierarchy.count, few * units)
    seeds = Seeds(
        place=net.node_state[node],
        time_ms=np.zeros(len(node), np.int32),
        unit=np.tile(np.arange(units, dtype=np.int32), few),
        snapshot_start=np.arange(few + 1) * units,
    )
    for block in nearest_over_time(hierarchy, seeds, k=2):
        for lane in (0, block.count - 1):
            own = one_of(seeds, block.first + lane)
            index, time_s = nearest(net, node[own], k=2)
            np.testing.assert_array_equal(block.unit(net.node_state)[:, lane], index)
            np.testing.assert_array_equal(block.time_ms(net.node_state)[:, lane] / 1000, time_s)
    result["k = 2 with ids, one by one"] = ratio(
        lambda: nearest(net, node[:units], k=2), lambda: swept(hierarchy, seeds, 2), rounds
    )
    return result


def show(result: dict[str, Any]) -> None:
    print(
        f"{result['network']}: {result['states']} states, {result['units']} units, prepared in "
        f"{result['prepared_cpu_s']:.1f} s of CPU ({result['prepared_wall_s']:.1f} s), "
        f"{result['hierarchy_mib']:.0f} MiB kept, {result['prepared_more_mib']:.0f} MiB more at "
        f"the peak, {result['arcs']} arcs -> {result['arcs_up_and_down']} up and down"
    )
    for title, row in result.items():
        if isinstance(row, dict):
            low, high = row["ratio_quartiles"]
            print(
                f"  {title:30} alone {row['alone_ms']['min']:8.2f} ms, swept "
                f"{row['swept_ms']['min']:7.3f} ms a snapshot: {row['ratio_of_minima']:4.0f}x "
                f"(median {row['ratio_median']:.0f}x, quartiles {low:.0f}x to {high:.0f}x)"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ny", type=Path)
    parser.add_argument("--roads", type=Path)
    parser.add_argument("--units", type=int, nargs="+", default=[100])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    networks = {}
    if given.ny:
        networks["New York (DIMACS)"] = new_york(given.ny)
    if given.roads:
        networks[given.roads.stem] = RoadNetwork.load(given.roads)
    results = [
        measured(name, net, units, given.rounds)
        for name, net in networks.items()
        for units in given.units
    ]
    for result in results:
        show(result)
    if given.json:
        given.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

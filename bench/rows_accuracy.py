"""The table of accuracy: equal on the same weights, close to OSRM and Valhalla on real maps."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import numpy as np

from bench import ours
from bench.figure import Aim, Figure, unmeasured
from bench.peers import python_graphs
from bench.setup import anywhere
from bench.timing import spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.figure import Curve
    from bench.setup import Setup


def equality(setup: Setup) -> Iterator[Figure]:
    """Count how many shortest times equal networkx's and scipy's on the same weights."""
    graph = setup.main_graph()
    own = ours.all_times_to(setup.network(graph))
    every = np.arange(graph.node_count)
    peers = {
        "scipy": (python_graphs.scipy_all_to(graph), 3 if setup.quick else 30),
        "networkx": (python_graphs.networkx_stop(graph, every, np.inf), 1 if setup.quick else 3),
    }
    for peer, (theirs, count) in peers.items():
        equal = total = 0
        for node in anywhere(graph, count, seed=2).tolist():
            same = np.rint(own(node) * 1000) == np.rint(theirs(node) * 1000)
            equal, total = equal + int(same.sum()), total + same.size
        yield Figure(
            row="equality",
            work="shortest times on the same weights that are equal",
            graph=graph.name,
            peer=peer,
            value=spread([100 * equal / total]),
            unit="%",
            aim=Aim(target=100),
            note=f"{equal:,} of {total:,} to the millisecond; long runs: `make prove`",
        )


def accuracy(setup: Setup) -> Iterator[Figure | Curve]:
    """Take the figures of `bench.accuracy.figures(setup)`, where it is built."""
    facts = {"row": "accuracy", "graph": "", "peer": "the mean of OSRM and Valhalla"}
    facts["work"] = "drive times on a real OSM file, rank correlation"
    try:
        module = importlib.import_module("bench.accuracy")
    except ModuleNotFoundError as fault:
        yield unmeasured(
            f"{fault.name} is not built yet", **facts, aim=Aim(target=0.97, stretch=0.98)
        )
        return
    if setup.quick:
        yield unmeasured("not in the quick run", **facts)
        return
    yield from module.figures(setup)

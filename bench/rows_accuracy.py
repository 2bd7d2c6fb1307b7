"""The table of accuracy: equal on the same weights, close to OSRM and Valhalla on real maps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bench import ours
from bench.accuracy import TRIPS
from bench.accuracy_figures import agreement
from bench.accuracy_times import our_times, place
from bench.accuracy_trips import ask_trips
from bench.figure import Aim, Figure, unmeasured
from bench.graphs import DIMACS_CHECKSUMS, published_new_york
from bench.peers import cch, python_graphs
from bench.setup import MissingError, anywhere
from bench.timing import spread
from geo.snap import snap_batch
from tests.geo.test_carriageway import on_divided_roads, wrong_way
from tests.geo.test_restrictions_hold import driven

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.accuracy_figures import Agreement
    from bench.setup import Setup

CITIES = ("columbus_oh", "porto_pt", "harrisburg_pa")

YARDSTICK = "the mean of OSRM and Valhalla"
RULES = "OSM's own relations"


def equality(setup: Setup) -> Iterator[Figure]:
    """Count how many shortest times equal other libraries', and what was published."""
    graph = setup.main_graph()
    own = ours.all_times_to(setup.network(graph))
    every = np.arange(graph.node_count)
    peers = {
        "scipy": (python_graphs.scipy_all_to(graph), 3 if setup.quick else 30),
        "networkx": (python_graphs.networkx_stop(graph, every, np.inf), 1 if setup.quick else 3),
    }
    if not setup.quick:
        peers["routingkit-cch"] = cch.cch_stop(graph, every), 3
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
    yield _published(setup)


def _published(setup: Setup) -> Figure:
    """Count how many sums of distances equal those of the DIMACS challenge's reference solver."""
    facts: dict[str, Any] = {
        "row": "equality",
        "work": "the challenge's reference queries that are equal",
        "graph": "New York as published",
        "peer": "DIMACS challenge 9, checksums",
    }
    if setup.quick:
        return unmeasured("not in the quick run", **facts)
    try:
        city = published_new_york(setup.source("USA-road-t.NY.gr.gz").parent)
    except MissingError as missing:
        return unmeasured(str(missing), **facts)
    own = ours.all_times_from(ours.network(city))
    sums = {node: round(10 * own(node - 1).sum()) for node in DIMACS_CHECKSUMS}
    equal = sum(sums[node] == published for node, published in DIMACS_CHECKSUMS.items())
    return Figure(
        **facts,
        value=spread([100 * equal / len(sums)]),
        unit="%",
        aim=Aim(target=100),
        note=f"{equal} of {len(sums)} sources, the distances to all {city.node_count:,} nodes each",
    )


def accuracy(setup: Setup) -> Iterator[Figure]:
    """Hold drive times against the two routers; theirs are asked once and kept."""
    facts: dict[str, Any] = {"row": "accuracy", "peer": YARDSTICK}
    for city in CITIES:
        if setup.quick:
            yield unmeasured("not in the quick run", **facts, graph=city, work="drive times")
            continue
        try:
            source, net = setup.source(f"{city}.osm.pbf"), setup.real_network(city)
            trips = ask_trips(setup.cache, source, net.table, count=TRIPS, seed=1)
        except MissingError as missing:
            yield unmeasured(str(missing), **facts, graph=city, work="drive times")
            continue
        found = agreement(our_times(net, trips, place(net, trips)), trips.mean_s, trips.judged)
        note = f"{found.trips:,} random trips of 1 to 10 min, turn costs and restrictions in"
        for work, value, unit, aim in _judged(found):
            shown = Figure(**facts, graph=city, work=work, value=spread([value]), unit=unit)
            yield replace(shown, aim=aim, note=note)
        yield from _rules(setup, city)


def _judged(found: Agreement) -> Iterator[tuple[str, float, str, Aim | None]]:
    """Give work, value, unit and aim of each line of the table."""
    yield "drive times: Spearman", found.spearman, "", Aim(target=0.97, stretch=0.98)
    # Either side of 1 is as bad: the aim is on the one that is past it.
    aim = Aim(target=0.9) if found.ratio_50 < 1 else Aim(target=1.1, more=False)
    yield "drive times: median ratio", found.ratio_50, "", aim
    work = "drive times within 0.82 to 1.22 of the median ratio"
    yield work, 100 * found.within, "%", Aim(target=90)
    yield "trips that have a time", 100 * found.timed, "%", Aim(target=97)
    work = f"the nearest of 20 units to a stop: the same unit, {found.stops} stops"
    yield work, 100 * found.same_nearest, "%", Aim(target=95)
    yield "where it is not, the most it costs", found.regret_most_s, "s", Aim(target=15, more=False)
    yield "it costs under 15 s", 100 * found.regret_15, "%", None


def _rules(setup: Setup, city: str) -> Iterator[Figure]:
    """Count what routes break, and on which carriageway fixes are put, as the tests do."""
    facts: dict[str, Any] = {"row": "accuracy", "graph": city}
    net = setup.real_network(city)
    found = driven(net, setup.source(f"{city}.osm.pbf"))
    note = (
        f"{found.routes:,} routes across {found.crossed:,} places where a restriction binds, read "
        "from OSM a second way; tests/geo/test_restrictions_hold.py"
    )
    value = spread([float(found.broken + found.against)])
    work = "turn restrictions and one-ways that routes break"
    aim = Aim(target=0, more=False)
    yield Figure(**facts, peer=RULES, work=work, value=value, unit="", aim=aim, note=note)
    fixes = on_divided_roads(net)
    edge = snap_batch(net, fixes.lon, fixes.lat, fixes.heading).edge
    right = 100 * (1 - float(wrong_way(net, edge, fixes).mean()))
    work, note = (
        "right carriageway of a divided road, with heading",
        (
            f"{len(edge):,} fixes 5 m and 10 degrees off; doubt is said without a heading: "
            "tests/geo/test_carriageway.py"
        ),
    )
    aim = Aim(target=99)
    yield Figure(
        **facts,
        peer="made from the map",
        work=work,
        value=spread([right]),
        unit="%",
        aim=aim,
        note=note,
    )

"""One stop's backward search, and how it grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import ours
from bench.check import same_times
from bench.figure import Aim, Curve, Figure, raced, unmeasured
from bench.graphs import same_places
from bench.peers import cch, python_graphs
from bench.setup import HORIZON_S, MissingError, anywhere, downtown
from bench.timing import race, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from bench.graphs import Graph
    from bench.setup import Setup

WORK = "one stop's backward search, 10 min, 1,000 units read"
UNITS = 1000
SCIPY = "scipy `dijkstra(limit=)`"
SCIPY_AIMS = {"New York": Aim(target=6, stretch=10), "4 x New York": Aim(target=12, stretch=25)}
NETWORKX_AIM = Aim(target=100, stretch=200)
GROWTH_AIM = Aim(target=1.3, stretch=1.1, more=False)
GROWING = ("ny50", "ny120", "ny", "ny2", "ny4")


def search(setup: Setup) -> Iterator[Figure]:
    """Race the bounded search against what people use today."""
    for name in ("grid",) if setup.quick else ("porto_pt", "ny", "world", "ny4"):
        try:
            graph = setup.graph(name)
        except MissingError as missing:
            yield unmeasured(str(missing), row="search", work=WORK, graph=name, peer="scipy")
            continue
        yield _against(setup, graph, SCIPY, python_graphs.scipy_stop)
    graph = setup.main_graph()
    yield _against(setup, graph, "networkx `cutoff=`", python_graphs.networkx_stop)
    if setup.quick:
        return
    endless = "no cutoff by time: it searches until it has met all units"
    yield _against(setup, graph, "igraph", _endless(python_graphs.igraph_stop), 4, endless)
    yield _against(
        setup,
        graph,
        "networkit MultiTargetDijkstra",
        _endless(python_graphs.networkit_stop),
        4,
        endless,
    )
    pinned = "its units are pinned before the clock starts; it has no horizon"
    yield _against(setup, graph, "routingkit-cch CCHManyToOne", _endless(cch.cch_stop), 20, pinned)


def _endless(make: Callable[..., Any]) -> Callable[..., Any]:
    """Leave the horizon away for a peer that has none."""
    return lambda graph, units, _: make(graph, units)


def _against(
    setup: Setup, graph: Graph, peer: str, make: Callable[..., Any], cases: int = 20, note: str = ""
) -> Figure:
    """Race one peer on one graph."""
    facts = {"row": "search", "work": WORK, "graph": graph.name, "peer": peer}
    stops, units = anywhere(graph, cases, seed=1).tolist(), anywhere(graph, UNITS)
    try:
        theirs = make(graph, units, HORIZON_S)
    except ModuleNotFoundError as fault:
        return unmeasured(f"{fault.name} is not installed", **facts)
    own, place = ours.stop_search(setup.network(graph), units, HORIZON_S)
    pairs = [(place(stop), stop) for stop in stops]
    ask_ours, ask_theirs = _first(own), _second(theirs)
    same_times(ask_ours, ask_theirs, pairs, within_s=HORIZON_S)
    aim = SCIPY_AIMS.get(graph.name) if peer.startswith("scipy") else None
    if peer.startswith("networkx"):
        aim = NETWORKX_AIM
    found = race(ask_ours, ask_theirs, pairs, seconds=setup.seconds(6))
    return raced(found, **facts, aim=aim, note=note)


def _first(run: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Give a contender the first of a pair: a place, as rollby takes it."""
    return lambda pair: run(pair[0])


def _second(run: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Give a contender the second of a pair: a node, as libraries take it."""
    return lambda pair: run(pair[1])


def everywhere(setup: Setup) -> Iterator[Figure]:
    """Race the search without a horizon: the same work for every library."""
    graph = setup.main_graph()
    net = setup.network(graph)
    peers = {
        "scipy `dijkstra`": python_graphs.scipy_all_to,
        "igraph": python_graphs.igraph_all_to,
        "networkit": python_graphs.networkit_all_to,
        "rustworkx": python_graphs.rustworkx_all_to,
    }
    for peer, make in peers.items():
        facts = {"row": "everywhere", "work": "drive times from everywhere to one node"}
        facts |= {"graph": graph.name, "peer": peer}
        try:
            theirs = make(graph)
        except ModuleNotFoundError as fault:
            yield unmeasured(f"{fault.name} is not installed", **facts)
            continue
        own, nodes = ours.all_times_to(net), anywhere(graph, 3).tolist()
        same_times(own, theirs, nodes)
        yield raced(race(own, theirs, nodes, seconds=setup.seconds(4), rounds=(2, 50)), **facts)


def growth(setup: Setup) -> Iterator[Figure | Curve]:
    """Follow the same stops of the same city through ever larger maps of it."""
    facts = {"row": "growth", "work": "the same, 971k nodes against 242k", "graph": "New York"}
    facts["peer"] = "itself"
    if setup.quick:
        yield unmeasured("not in the quick run", **facts)
        return
    try:
        small = setup.graph(GROWING[0])
    except MissingError as missing:
        yield unmeasured(str(missing), **facts)
        return
    stops, units = downtown(small, 40), anywhere(small, UNITS)
    runs, cases = {}, {}
    lines: dict[str, list[Any]] = {"rollby": [], SCIPY: []}
    for name in GROWING:
        graph = setup.graph(name)
        unit_rows, stop_rows = (same_places(graph, small, rows) for rows in (units, stops))
        search_, place = ours.stop_search(setup.network(graph), unit_rows, HORIZON_S)
        runs[name] = _first(search_)
        cases[name] = [(place(stop), stop) for stop in stop_rows.tolist()]
        theirs = _second(python_graphs.scipy_stop(graph, unit_rows, HORIZON_S))
        same_times(runs[name], theirs, cases[name][:5], within_s=HORIZON_S)
        own_s = watch(runs[name], cases[name], seconds=2)
        lines["rollby"].append((graph.node_count, own_s))
        lines[SCIPY].append((graph.node_count, watch(theirs, cases[name][:10], seconds=2)))
    pairs = list(zip(cases["ny"], cases["ny4"], strict=True))
    grown = race(
        lambda pair: runs["ny"](pair[0]), lambda pair: runs["ny4"](pair[1]), pairs, seconds=6
    )
    yield raced(grown, **facts, aim=GROWTH_AIM, note="the larger map's time over the smaller's")
    title = "One stop, 10 min, 1,000 units read: the same stops in ever larger maps"
    yield Curve(name="search_by_nodes", title=title, x="nodes", y="seconds", lines=lines)
    yield by_horizon(setup)


def by_horizon(setup: Setup) -> Curve:
    """Follow the cost of a stop's search as its horizon widens."""
    graph = setup.main_graph()
    stops, units = downtown(graph, 20).tolist(), anywhere(graph, UNITS)
    lines: dict[str, list[Any]] = {"rollby": [], SCIPY: []}
    for minutes in (1, 2, 5, 10, 20, 40):
        own, place = ours.stop_search(setup.network(graph), units, minutes * 60)
        theirs = python_graphs.scipy_stop(graph, units, minutes * 60)
        places = [place(stop) for stop in stops]
        lines["rollby"].append((minutes, watch(own, places, seconds=0.7)))
        lines[SCIPY].append((minutes, watch(theirs, stops, seconds=0.7)))
    title = f"One stop, 1,000 units read, {graph.name}: by horizon"
    return Curve(
        name="search_by_horizon", title=title, x="horizon, minutes", y="seconds", lines=lines
    )

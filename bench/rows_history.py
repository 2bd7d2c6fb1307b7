"""Nearest units of many snapshots at once: how many times faster than one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench import history as over_time
from bench.figure import Aim, Figure, raced, unmeasured
from bench.setup import MissingError
from bench.timing import race, spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.graphs import Graph
    from bench.history import Contest
    from bench.setup import Setup
    from geo.network import RoadNetwork

UNITS = 100
ONE_AIM = Aim(target=200, stretch=500)
TWO_AIM = Aim(target=20, stretch=65)
CITY = "porto_pt"
SCIPY = "scipy `min_only` per snapshot"
PANDANA = "pandana `nearest_pois` per snapshot"
NETWORKX = "networkx multi-source per snapshot"
BY_ITSELF = "ours one by one"
ONE = "history, k = 1, many snapshots at once"
TWO = "history, k = 2 with ids, many snapshots at once"


def history(setup: Setup) -> Iterator[Figure]:
    """Sweep a network whose turns are free, and a real one with turns."""
    graph = setup.main_graph()
    yield from _swept(setup, setup.network(graph), graph)
    if setup.quick:
        return
    try:
        net = setup.real_network(CITY)
    except MissingError as missing:
        yield unmeasured(str(missing), row="history", work=TWO, graph=CITY, peer=BY_ITSELF)
        return
    yield from _swept(setup, net, None)


def _swept(setup: Setup, net: RoadNetwork, graph: Graph | None) -> Iterator[Figure]:
    """Prepare a network, and race what is prepared; of a graph without turns, against others."""
    facts: dict[str, Any] = {"row": "history", "graph": graph.name if graph else CITY}
    hierarchy, taken_s, size = over_time.prepared(net)
    note = f"once a network; {size / 2**20:.0f} MiB kept"
    work = "history: the network contracted, of processors"
    yield Figure(**facts, work=work, peer="", value=spread([taken_s]), unit="s", note=note)

    def raced_in(contest: Contest, work: str, peer: str, aim: Aim | None) -> Figure:
        note = f"{contest.snapshots} snapshots of {UNITS} units; seconds are of one"
        found = race(
            contest.swept,
            contest.alone,
            [0],
            seconds=setup.seconds(6),
            rounds=(3, 30),
            pieces=contest.snapshots,
        )
        return raced(found, **facts, work=work, peer=peer, aim=aim, note=note)

    yield raced_in(over_time.against_scipy(net, hierarchy, UNITS), ONE, SCIPY, ONE_AIM)
    if graph is not None:
        contest = over_time.against_networkx(graph, net, hierarchy, UNITS)
        yield raced_in(contest, ONE, NETWORKX, None)
        try:
            contest, within_s = over_time.against_pandana(graph, net, hierarchy, UNITS)
        except ModuleNotFoundError as fault:
            note = f"{fault.name} is not installed"
            yield unmeasured(note, **facts, work=ONE, peer=PANDANA)
        else:
            yield raced_in(contest, ONE, f"{PANDANA}, within {within_s / 60:g} min", None)
        contest = over_time.nodes_one_by_one(net, hierarchy, UNITS)
        yield raced_in(contest, TWO, BY_ITSELF, TWO_AIM)
        return
    labelled, read = over_time.edges_one_by_one(net, hierarchy, UNITS)
    yield raced_in(labelled, TWO, BY_ITSELF, TWO_AIM)
    yield raced_in(read, f"{TWO}, read at the middle of every edge", BY_ITSELF, TWO_AIM)

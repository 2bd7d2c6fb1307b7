"""Routes on real roads keep to OSM's own restrictions and one-ways, read here a second way."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import osmium
import pytest

from geo.router import search_back
from geo.starts import starts_of
from tests.geo.test_router import somewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from geo.network import RoadNetwork

Turn = tuple[int, int, int]
EXEMPT = {"motorcar", "motor_vehicle", "vehicle", "emergency"}


def restrictions(path: Path) -> tuple[set[Turn], dict[tuple[int, int], set[int]]]:
    """Turns (way, node, way) that are forbidden, and ways that alone may follow (way, node)."""
    forbidden: set[Turn] = set()
    alone: dict[tuple[int, int], set[int]] = {}
    relations = osmium.FileProcessor(path, osmium.osm.RELATION)
    for relation in cast("Iterator[osmium.osm.Relation]", iter(relations)):
        kind = relation.tags.get("restriction") or ""
        exempt = set((relation.tags.get("except") or "").split(";")) & EXEMPT
        by_the_hour = "day_on" in relation.tags or "hour_on" in relation.tags
        if relation.tags.get("type") != "restriction" or exempt or by_the_hour:
            continue
        members: dict[str, list[tuple[str, int]]] = {"from": [], "via": [], "to": []}
        for member in relation.members:
            members.setdefault(member.role, []).append((member.type, member.ref))
        if [len(members[role]) for role in ("from", "via", "to")] != [1, 1, 1]:
            continue
        (first,), ((via_type, via),), (last,) = (members[role] for role in ("from", "via", "to"))
        if via_type != "n" or first == last:
            continue
        if kind.startswith("no_"):
            forbidden.add((first[1], via, last[1]))
        elif kind.startswith("only_"):
            alone.setdefault((first[1], via), set()).add(last[1])
    return forbidden, alone


class Driven(NamedTuple):
    """What drives came across, and what they broke."""

    routes: int
    crossed: int
    broken: int
    against: int


def driven(net: RoadNetwork, path: Path) -> Driven:
    """
    Drive, half of the time from where a restriction may bind.

    Returns
    -------
    driven : Driven
        Routes; places on them where a restriction binds; turns that one forbids; edges that do
        not go on from the one before, as when driven against a one-way.
    """
    forbidden, alone = restrictions(path)
    table = net.table
    way, node = table.way_id.tolist(), table.node_id[table.head].tolist()
    # One that allows a turn only into a road that no car drives is for buses: it does not bind.
    alone = {turn: onto for turn, onto in alone.items() if onto & set(way)}
    bound = {turn[:2] for turn in forbidden} | set(alone)
    near = [edge for edge in range(len(way)) if (way[edge], node[edge]) in bound]
    rng = np.random.default_rng(4)
    routes = crossed = broken = against = 0
    for last in rng.choice(np.flatnonzero(net.main), 40).tolist():
        times = search_back(net, somewhere(net, last, 0.5, heading_known=False))
        for first in [*rng.choice(near, 20).tolist(), *rng.integers(0, len(way), 20).tolist()]:
            start = somewhere(net, first, 0.5, heading_known=True)
            time_s = times.drive_time_s(start)
            if not np.isfinite(time_s):
                continue
            routes += 1
            edges, _, _ = times._way(starts_of(net, [start]), round(time_s * 1000))
            for before, after in pairwise(edges):
                against += int(table.head[before] != table.tail[after])
                turn = way[before], node[before], way[after]
                only = alone.get(turn[:2])
                broken += turn in forbidden or (only is not None and way[after] not in only)
                crossed += turn[:2] in bound
    return Driven(routes, crossed, broken, against)


@pytest.mark.parametrize("name", ["Helsinki", "monaco", "columbus_oh", "porto_pt"])
def test_no_route_breaks_a_restriction_or_a_oneway(
    name: str,
    extract: Callable[[str], Path],
    real_roads: Callable[[str], RoadNetwork],
) -> None:
    found = driven(real_roads(name), extract(name))
    assert (found.broken, found.against) == (0, 0)
    assert found.crossed  # or the test would prove nothing

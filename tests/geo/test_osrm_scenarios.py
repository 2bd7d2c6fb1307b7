"""
OSRM's own scenarios: what its tests expect of routes and of roads, expected of ours.

The files in tests/osrm are unaltered; README.md there says where they come from. What we do
otherwise on purpose stands in a table here, with its reason, and is held to be so.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from data.roads.rules import ROAD_CLASSES
from geo.network import RoadNetwork
from geo.router import search_back, times_from
from geo.snap import snap
from tests.geo.scenarios import (
    Scenario,
    places,
    read_feature,
    road_table,
    row_of_ways,
    turning_round_at_dead_ends,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.geo.scenarios import Row

OSRM = Path(__file__).parent.parent / "osrm"
ROUTES, OPEN = "I route I should get", "routability should be"
MATRIX = "I request a travel time matrix I should get"
TESTBOT_KMH = {"primary": 36.0, "secondary": 18.0, "tertiary": 12.0}
PLAIN = {9, 129, 160, 183, 220, 278, 348, 507}
"""Lines of the matrices of times between nodes or along straight roads, without options."""

HOURS = "a restriction by the hour is counted, not honoured"
PASSES = "a way that goes on past the restriction: OSRM drops it, we take it as it is meant"
EMERGENCY = "`except=emergency` exempts a patrol car"
ROUTES_OTHERWISE: dict[str, tuple[str, dict[str, str]]] = {
    "restrictions:1020": (PASSES, {"dx": "bd,abc,cz,cz,abc,xa"}),
    "multi_via_restrictions:58": (
        HOURS,
        dict.fromkeys(("1x", "2x", "3x"), "forward,first,back"),
    ),
    "multi_via_restrictions:156": (HOURS, dict.fromkeys(("1x", "2x"), "forward,first,back")),
    "multi_via_restrictions:257": (
        HOURS,
        {
            "af": "down,right,up",
            "ag": "down,right,down",
            "aj": "down,right,up",
            "al": "down,right,down",
            "cj": "up,right,up",
            "cl": "up,right,down",
        },
    ),
    "multi_via_restrictions:885": (EMERGENCY, {"ae": "ab,bc,cd,de"}),
    "multi_via_restrictions:949": (PASSES, dict.fromkeys(("af", "fa", "cf", "fc"), "")),
    "multi_via_restrictions:980": (
        PASSES,
        {"af": "ab,bd,dec,dec,ef", "fa": "ef,dec,dec,bd,ab"},
    ),
}
"""Why, and the ways that we take, by the two ends."""
ROADS_OTHERWISE: dict[str, Callable[[Row], bool]] = {
    "private roads, and values that say nothing of us, are left out": lambda row: (
        not {
            "private",
            "delivery",
            "permit",
            "residents",
            "some_tag",
            "garbagetag",
            "hov",
        }.isdisjoint(row.values())
    ),
    "access tags of a node count for a barrier: there is none": lambda row: (
        "node/barrier" not in row and any(key.startswith("node/") for key in row)
    ),
    "classes that are not for cars are never driven": lambda row: (
        row.get("highway", "primary") not in ROAD_CLASSES
    ),
    "an emergency road is ours": lambda row: row.get("access") == "emergency",
    "an untagged motorway link runs as it is drawn": lambda row: (
        row.get("highway") == "motorway_link" and "oneway" not in row
    ),
}


def scenarios(above: str, *features: str) -> list[Scenario]:
    """Those with a table of what should come out."""
    every = [one for name in features for one in read_feature(OSRM / f"{name}.feature")]
    return [one for one in every if one.rows(above)]


def steps(
    net: RoadNetwork, names: dict[int, str], edges: list[int], begin: float, end: float
) -> list[str]:
    """Names along a way, a new one where the name changes and where a car turns round."""
    driven = edges[begin == 1 : len(edges) - (end == 0)]
    name = [names[int(net.table.way_id[edge])] for edge in driven]
    return [
        name[i]
        for i in range(len(driven))
        if i == 0 or name[i] != name[i - 1] or driven[i] == net.twin[driven[i - 1]]
    ]


@pytest.mark.parametrize(
    "scenario",
    scenarios(ROUTES, "restrictions", "multi_via_restrictions", "oneway"),
    ids=lambda one: one.place,
)
def test_routes_are_those_that_osrm_expects(scenario: Scenario, tmp_path: Path) -> None:
    table, names = road_table(scenario, tmp_path)
    net = turning_round_at_dead_ends(table)
    at = places(scenario)
    otherwise: dict[str, str] = {}
    for row in scenario.rows(ROUTES):
        ends = row.get("waypoints", "").replace(",", "") or row["from"] + row["to"]
        start, place = (snap(net, *at[name]) for name in ends)
        assert start
        assert place
        way = search_back(net, place).way(start)
        ours = ",".join(steps(net, names, *way)) if way else ""
        if ours != row.get("route", "").rpartition(",")[0]:
            otherwise[ends] = ours
    _, expected = ROUTES_OTHERWISE.get(scenario.place, ("", {}))
    assert otherwise == expected


@pytest.mark.parametrize("scenario", scenarios(OPEN, "oneway", "access"), ids=lambda one: one.place)
def test_roads_are_open_as_osrm_expects(scenario: Scenario, tmp_path: Path) -> None:
    net, ends = row_of_ways(scenario.rows(OPEN), tmp_path)
    row_of = {node: row for row, node in enumerate(net.table.node_id.tolist())}

    def leads(tail: int, head: int) -> bool:
        known = tail in row_of and head in row_of
        return known and bool(np.isfinite(times_from(net, row_of[tail])[row_of[head]]))

    for row, (tail, head) in zip(scenario.rows(OPEN), ends, strict=True):
        theirs = "bothw" in row or "forw" in row, "bothw" in row or "backw" in row
        if (leads(tail, head), leads(head, tail)) != theirs:
            assert any(applies(row) for applies in ROADS_OTHERWISE.values()), row


@pytest.mark.parametrize(
    "scenario",
    [
        one
        for one in scenarios(MATRIX, "duration_matrix")
        if int(one.place.partition(":")[2]) in PLAIN
    ],
    ids=lambda one: one.place,
)
def test_matrices_are_those_that_osrm_expects(scenario: Scenario, tmp_path: Path) -> None:
    table, _ = road_table(scenario, tmp_path, grid_m=100)
    kmh = [TESTBOT_KMH[table.texts[row]] for row in table.highway]
    net = RoadNetwork.from_arrays(
        lon_deg=table.lon_deg,
        lat_deg=table.lat_deg,
        tail=table.tail,
        head=table.head,
        time_s=table.length_m * 3.6 / kmh,
    )
    at = {name: snap(net, *place) for name, place in places(scenario, 100).items()}
    for line, ((_, *heads), *rows) in scenario.tables:
        for start, *cells in rows if line.endswith(MATRIX) else []:
            for end, cell in zip(heads, cells, strict=True):
                begin, place = at[start], at[end]
                assert begin
                assert place
                value, _, margin = cell.partition(" +-")
                expected = pytest.approx(float(value or "inf"), abs=float(margin or 0.1))
                assert search_back(net, place).drive_time_s(begin) == expected, (start, end)

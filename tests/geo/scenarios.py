"""Scenarios as OSRM writes them: a map in letters, ways, relations, and what should come out."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field, replace
from textwrap import dedent
from typing import TYPE_CHECKING

import numpy as np

from data.extract import read_pbf
from data.roads.bans import pack_bans
from geo.network import RoadNetwork
from tests.data.osm_texts import osm_text, to_pbf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.road_table import RoadTable
    from tests.data.osm_texts import Member, Relation, Tags, Way

Row = dict[str, str]
_DEG_PER_M = 1 / 111_195.0
_WAY, _RELATION = 1_000, 2_000  # first ids
_RESULTS = {"forw", "backw", "bothw", "forw_rate", "backw_rate", "bothw_rate", "#"}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario: where it stands, its map, and its tables in order, each below a line."""

    place: str
    drawing: list[str] = field(default_factory=list)
    tables: list[tuple[str, list[list[str]]]] = field(default_factory=list)

    def rows(self, above: str) -> list[Row]:
        """All rows of the tables below lines that end so, without empty cells."""
        return [
            {key: cell for key, cell in zip(head, cells, strict=True) if cell}
            for line, (head, *below) in self.tables
            if line.endswith(above)
            for cells in below
        ]


def read_feature(path: Path) -> Iterator[Scenario]:
    """Read the scenarios of a feature file."""
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    scenario = Scenario("")
    above = ""
    for number, raw in lines:
        line = raw.strip()
        if line.startswith("Scenario:"):
            if scenario.place:
                yield scenario
            scenario = Scenario(f"{path.stem}:{number}")
        elif line == '"""':
            drawn = itertools.takewhile(lambda other: other[1].strip() != '"""', lines)
            scenario.drawing.extend(dedent("\n".join(text for _, text in drawn)).split("\n"))
        elif line.startswith("|"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if above:
                scenario.tables.append((above, []))
            scenario.tables[-1][1].append(cells)
            above = ""
        elif line and line[0] not in "#@":
            above = line
    yield scenario


def places(scenario: Scenario, grid_m: float = 200) -> dict[str, tuple[float, float]]:
    """Longitude and latitude of each letter; two columns of the drawing are one of the grid."""
    grid = grid_m * _DEG_PER_M
    return {
        name: (1 + column / 2 * grid, 1 - row * grid)
        for row, line in enumerate(scenario.drawing)
        for column, name in enumerate(line)
        if name.isalnum()
    }


def road_table(
    scenario: Scenario, folder: Path, grid_m: float = 200
) -> tuple[RoadTable, dict[int, str]]:
    """Write the scenario as an OSM file and read it; and the names of its ways."""
    ways = scenario.rows("the ways")
    id_of = {row["nodes"]: _WAY + i for i, row in enumerate(ways)}
    id_of |= {nodes[::-1]: number for nodes, number in reversed(id_of.items())}
    tags = [
        {"highway": "primary"} | {key: text for key, text in row.items() if key != "nodes"}
        for row in ways
    ]
    relations = [
        relation(row, id_of, _RELATION + i) for i, row in enumerate(scenario.rows("the relations"))
    ]
    node_tags = {ord(row.pop("node")): row for row in scenario.rows("the nodes")}
    lines: list[Way] = [
        (id_of[row["nodes"]], [ord(node) for node in row["nodes"]], tag)
        for row, tag in zip(ways, tags, strict=True)
    ]
    path = folder / "scenario.osm"
    at = {ord(name): place for name, place in places(scenario, grid_m).items()}
    path.write_text(osm_text(lines, places=at, node_tags=node_tags, relations=relations))
    names = {
        number: tag.get("name", row["nodes"])
        for (number, _, _), tag, row in zip(lines, tags, ways, strict=True)
    }
    return read_pbf(to_pbf(path)), names


def turning_round_at_dead_ends(table: RoadTable) -> RoadNetwork:
    """Ban turning round elsewhere: OSRM does not, we do."""
    net = RoadNetwork.from_table(table)
    roads = np.bincount(table.head, minlength=table.node_count)
    roads = roads + np.bincount(table.tail[net.twin < 0], minlength=table.node_count)
    ahead = np.flatnonzero((net.twin >= 0) & (roads[table.head] > 1)).tolist()
    bans = np.split(table.ban_edge, table.ban_start[1:-1]) if table.ban_count else []
    start, edge = pack_bans(
        [(edge, int(net.twin[edge])) for edge in ahead] + list(map(tuple, bans))
    )
    return RoadNetwork.from_table(replace(table, ban_start=start, ban_edge=edge))


def relation(row: Row, id_of: dict[str, int], number: int) -> Relation:
    """Read a row of relations; the head of a column with a member is ``way:from`` or the like."""
    members: list[Member] = []
    tags: Tags = {}
    for key, text in row.items():
        kind, _, role = key.partition(":")
        if kind == "way":
            members += [(role, "w", id_of[nodes]) for nodes in text.split(",")]
        elif kind == "node":
            members += [(role, "n", ord(node)) for node in text.split(",")]
        else:
            tags[key] = text
    return number, members, tags


def row_of_ways(rows: list[Row], folder: Path) -> tuple[RoadNetwork, list[tuple[int, int]]]:
    """A way of three nodes for each row of tags, far from each other; and its first and last."""
    first = [10 * (number + 1) for number in range(len(rows))]
    ways: list[Way] = [(1, [1, 2], {"highway": "primary"})]  # or there might be no road at all
    ways += [
        (node, [node, node + 1, node + 2], {"highway": "primary"} | _tags(row))
        for node, row in zip(first, rows, strict=True)
    ]
    node_tags = {
        node + 1: _tags({key.removeprefix("node/"): row[key] for key in row if "node/" in key})
        for node, row in zip(first, rows, strict=True)
    }
    at = {node: (1 + node % 10 / 500, 1 + node / 1000) for _, nodes, _ in ways for node in nodes}
    path = folder / "rows.osm"
    path.write_text(osm_text(ways, places=at, node_tags=node_tags))
    table = read_pbf(to_pbf(path))
    return RoadNetwork.from_table(table), [(node, node + 2) for node in first]


def _tags(row: Row) -> Tags:
    """Forget the columns that are no tags."""
    return {key: text for key, text in row.items() if key not in _RESULTS and "node/" not in key}

"""Small OSM files written by hand, for both readers."""

from __future__ import annotations

import bz2
import gzip
import itertools
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import numpy as np
import osmium

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from data.road_table import RoadTable

Tags = dict[str, str]
Way = tuple[int, list[int], Tags]
Member = tuple[str, str, int]
Relation = tuple[int, list[Member], Tags]
PLACES = {
    node_id: (round(-104.787 + 0.001 * node_id, 7), round(39.7971 + 0.0007 * node_id**2, 7))
    for node_id in range(20)
}
"""Nodes 0 to 19 on a curve, so that no three lie on a line and no two distances agree.

It lies where a Hilbert curve meets them in the order of their ids, and so does a table."""


_KINDS = {"n": "node", "w": "way", "r": "relation"}


def turn(from_way: int, via: int | list[int], to_way: int) -> list[Member]:
    """Members of a turn restriction: via a node, or via a list of ways."""
    between = [("via", "w", way) for way in via] if isinstance(via, list) else [("via", "n", via)]
    return [("from", "w", from_way), *between, ("to", "w", to_way)]


def osm_text(
    ways: Iterable[Way],
    *,
    places: Mapping[int, tuple[float, float]] = PLACES,
    node_tags: Mapping[int, Tags] | None = None,
    missing: Iterable[int] = (),
    relations: Iterable[Relation] = (),
    head: str = '<osm version="0.6" generator="by hand">',
) -> str:
    ways = list(ways)
    used = dict.fromkeys(itertools.chain.from_iterable(refs for _, refs, _ in ways))
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', head]
    for node_id in used:
        if node_id not in missing:
            lon, lat = places[node_id]
            lines.append(f'<node id="{node_id}" version="1" lon="{lon:.7f}" lat="{lat:.7f}">')
            lines += [*_tags((node_tags or {}).get(node_id, {})), "</node>"]
    for way_id, refs, tags in ways:
        lines.append(
            f'<way id="{way_id}" version="1" timestamp="2024-05-0{way_id % 9 + 1}T00:00:00Z">'
        )
        lines += [*(f'<nd ref="{ref}"/>' for ref in refs), *_tags(tags), "</way>"]
    for relation_id, members, tags in relations:
        lines.append(f'<relation id="{relation_id}" version="1">')
        for role, kind, ref in members:
            lines.append(f'<member type="{_KINDS[kind]}" ref="{ref}" role="{role}"/>')
        lines += [*_tags(tags), "</relation>"]
    return "\n".join([*lines, "</osm>"])


def _tags(tags: Mapping[str, str]) -> list[str]:
    return [f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items()]


def to_pbf(osm: Path) -> Path:
    """Write what an .osm file holds as .osm.pbf beside it."""
    pbf = osm.with_suffix(".osm.pbf")
    with osmium.SimpleWriter(pbf, overwrite=True) as writer:
        for entity in osmium.FileProcessor(osm):
            writer.add(entity)
    return pbf


def packed(osm: Path, ending: str) -> Path:
    """Write what an .osm file holds under another ending beside it."""
    if ending == ".osm.pbf":
        return to_pbf(osm)
    path = osm.with_suffix(ending)
    if ending == ".osm.gz":
        path.write_bytes(gzip.compress(osm.read_bytes()))
    elif ending == ".osm.bz2":
        path.write_bytes(bz2.compress(osm.read_bytes()))
    return path


def bans_of(table: RoadTable) -> list[list[tuple[int, int, int]]]:
    """Every ban, its edges as `edges_of` has them."""
    edges = edges_of(table)
    bans = np.split(table.ban_edge, table.ban_start[1:-1]) if table.ban_count else []
    return [[edges[row] for row in ban] for ban in bans]


def edges_of(table: RoadTable) -> list[tuple[int, int, int]]:
    """Tail id, head id and way id of every edge, in the table's order."""
    node_id = table.node_id.tolist()
    ends = zip(table.tail.tolist(), table.head.tolist(), table.way_id.tolist(), strict=True)
    return [(node_id[tail], node_id[head], way) for tail, head, way in ends]

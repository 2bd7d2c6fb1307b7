"""OSM extracts read with pyosmium: ``.osm.pbf`` of any size, as a stream."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import osmium
from osmium.filter import IdFilter, KeyFilter
from osmium.osm import NODE, WAY

from data.road_draft import RoadDraft

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.road_table import RoadTable

_ID_FILTER_LIMIT = 1 << 40
"""pyosmium's filter by id takes a bit for every number up to the largest, and none below 0."""


def read_pbf(
    path: str | Path,
    *,
    service_roads: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> RoadTable:
    path = Path(path)
    draft = RoadDraft(service_roads=service_roads)
    for way in osmium.FileProcessor(path, WAY).with_filter(KeyFilter("highway", "route")):
        row = draft.add_way(way.id, dict(way.tags))
        if row is not None:
            draft.add_path(row, [node.ref for node in way.nodes])
    wanted = draft.wanted_nodes()
    places = osmium.FileProcessor(path, NODE).with_filter(IdFilter(wanted.tolist()))
    for node in places:
        draft.add_node(node.id, node.lon, node.lat)
    for node in osmium.FileProcessor(path, NODE).with_filter(KeyFilter("highway", "barrier")):
        draft.add_node_tags(node.id, dict(node.tags))
    return draft.table(name=path.name)

"""OSM extracts read with pyosmium, as a stream: ``.osm.pbf`` of any size into a `RoadTable`."""

from __future__ import annotations

import bz2
import gzip
import re
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import osmium
from osmium.filter import KeyFilter
from osmium.osm import NODE, RELATION, WAY, Node, Relation, Way, mutable

from data.errors import RoadSourceError
from data.places import read_places
from data.roads.draft import RoadDraft
from data.roads.progress import silent
from data.roads.restrictions import RELATION_KEYS
from data.roads.rules import reason_left_out

if TYPE_CHECKING:
    from data.road_table import RoadTable
    from data.roads.progress import Progress

MISSING_TAG = "rollby:missing"
"""Marks the stand-ins for nodes that an extract cut off."""
_NEVER = datetime.fromtimestamp(0, UTC)
_HEAD_DATE = re.compile(rb'<(?:osm|meta)\s[^>]*?(?:timestamp|osm_base)="([^"]+)"')
_HEAD_SIZE = 2_000


def read_pbf(
    path: str | Path, *, service_roads: bool = False, progress: Progress = silent
) -> RoadTable:
    """
    Read a ``.osm.pbf`` file.

    Parameters
    ----------
    path : str or Path
        The file: an extract of a city, county or state.
    service_roads : bool
        Take all alleys, car parks and driveways; else only service roads that join streets.
    progress : callable
        Told of each step.

    Returns
    -------
    table : RoadTable
        All roads a patrol car drives, disconnected pieces included.

    Raises
    ------
    RoadSourceError
        If the file is missing, cut short or no OSM data, or holds no road to drive.

    Notes
    -----
    Three passes: roads and turn restrictions, the places of their nodes, and the signs on nodes.
    Memory goes with the roads, not with the file.
    """
    path = Path(path)
    draft = RoadDraft(service_roads=service_roads)
    newest = _NEVER
    with _readable(path):
        progress("reading roads", 0.0)
        for one in _ways_and_relations(path):
            if isinstance(one, Relation):
                draft.add_relation(one.id, dict(one.tags), _members(one))
                continue
            row = draft.add_way(one.id, dict(one.tags))
            if row is not None:
                draft.add_path(row, [node.ref for node in one.nodes])
                newest = max(newest, one.timestamp)
        progress("reading places", 0.4)
        wanted = draft.wanted_nodes()
        draft.add_nodes(*read_places(path, wanted))
        progress("reading signals and signs", 0.8)
        ids = wanted.data
        for node in _nodes(path, "highway", "barrier"):
            at = bisect_left(ids, node.id)
            if at < len(ids) and ids[at] == node.id:
                draft.add_node_tags(node.id, dict(node.tags))
        date = _date(path, newest)
    progress("cutting roads into edges", 0.9)
    return draft.table(name=path.name, date=date)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedRoads:
    """
    What `copy_roads` did.

    Parameters
    ----------
    ways : int
        How many were copied.
    left_out : Counter of str
        How many were not, and why.
    undriven : array of int
        Ids of those.
    relations : list of tuple
        Id, tags and members of those that matter to a drive, as
        `RoadDraft.add_relation` takes them.
    date : str
        Instant of the data, ISO 8601; "" if the file does not say.
    """

    ways: int
    left_out: Counter[str]
    undriven: array[int]
    relations: list[tuple[int, dict[str, str], list[tuple[str, str, int]]]]
    date: str


def copy_roads(path: Path, out: Path) -> CopiedRoads:
    """
    Copy the roads a patrol car drives out of an OSM file, in a form that OSMnx reads.

    OSMnx takes every way of a file for a road, and stops at a way whose nodes the extract cut off.
    So only roads are copied, and nodes that are not in the file get stand-ins at 0, 0 with
    `MISSING_TAG`, which the reader must pass over.

    Parameters
    ----------
    path : Path
        ``.osm``, ``.osm.gz``, ``.osm.bz2`` or ``.osm.pbf``.
    out : Path
        The ``.osm`` to write.

    Returns
    -------
    copied : CopiedRoads
        What was copied, and what was not.

    Raises
    ------
    RoadSourceError
        If the file is missing, cut short or no OSM data.
    """
    left_out: Counter[str] = Counter()
    newest, copied = _NEVER, 0
    missing: set[int] = set()
    undriven = array("q")
    relations = []
    with _readable(path), osmium.SimpleWriter(out) as writer:
        for one in _ways_and_relations(path):
            if isinstance(one, Relation):
                relations.append((one.id, dict(one.tags), _members(one)))
                continue
            reason = reason_left_out(dict(one.tags))
            if reason:
                left_out[reason] += 1
                undriven.append(one.id)
                continue
            missing.update(node.ref for node in one.nodes)
            newest = max(newest, one.timestamp)
            writer.add_way(one)
            copied += 1
        for node in _nodes(path):
            if node.id in missing and node.location.valid():
                missing.remove(node.id)
                writer.add_node(node)
        for node_id in sorted(missing):
            writer.add_node(
                mutable.Node(id=node_id, location=(0.0, 0.0), tags={MISSING_TAG: "yes"})
            )
        date = _date(path, newest)
    return CopiedRoads(
        ways=copied,
        left_out=left_out,
        undriven=undriven,
        relations=relations,
        date=date,
    )


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """
    Turn what pyosmium says of a file into a sentence.

    Raises
    ------
    RoadSourceError
        If the file is missing, cut short or no OSM data.
    """
    if not path.is_file():
        raise RoadSourceError(f"{path}: no such file; give an OSM extract")
    try:
        yield
    except (RuntimeError, UnicodeDecodeError) as error:
        raise RoadSourceError(
            f"{path}: cannot be read as OSM data ({error}); download it again, and keep its "
            "ending: .osm, .osm.gz, .osm.bz2 or .osm.pbf"
        ) from error


def _ways_and_relations(path: Path) -> Iterator[Way | Relation]:
    """
    Stream the ways that may be roads or ferries, each once however often it is in the file, and
    the relations that may be turn restrictions or say which side they drive on.

    Yields
    ------
    one : osmium.osm.Way or osmium.osm.Relation
        Valid until the next.

    Raises
    ------
    RoadSourceError
        If the file has the past versions of ways too.
    """
    both = osmium.FileProcessor(path, WAY | RELATION)
    for kind, keys in ((WAY, ("highway", "route")), (RELATION, (*RELATION_KEYS, "driving_side"))):
        wanted = KeyFilter(*keys)
        wanted.enable_for(kind)
        both.with_filter(wanted)
    if both.header.has_multiple_object_versions:
        raise RoadSourceError(
            f"{path}: is a history or change file; give an extract with one version of each road"
        )
    seen = _Seen()
    for one in cast(Iterator[Way | Relation], iter(both)):
        if not one.visible:
            continue
        if isinstance(one, Relation) or seen.is_new(one.id):
            yield one


class _Seen:
    """Ids met so far: 8 bytes each where they rise, as in most files."""

    def __init__(self) -> None:
        self._rising = array("q")
        self._others: set[int] = set()

    def is_new(self, one: int) -> bool:
        """Say whether an id is met for the first time."""
        if not self._rising or one > self._rising[-1]:
            self._rising.append(one)
            return True
        new = self._rising[bisect_left(self._rising, one)] != one and one not in self._others
        if new:
            self._others.add(one)
        return new


def _members(relation: Relation) -> list[tuple[str, str, int]]:
    """List a relation's members: role, type and id."""
    return [(member.role, member.type, member.ref) for member in relation.members]


def _nodes(path: Path, *keys: str) -> Iterator[Node]:
    """
    Stream the nodes that have one of some tags, all if none is named.

    Yields
    ------
    node : osmium.osm.Node
        Valid until the next.
    """
    nodes = osmium.FileProcessor(path, NODE)
    if keys:
        nodes.with_filter(KeyFilter(*keys))
    return (node for node in cast(Iterator[Node], iter(nodes)) if node.visible)


def _date(path: Path, newest: datetime) -> str:
    """
    Say when an OSM file's data are from.

    Returns
    -------
    date : str
        What its head says, else the newest change of a road in it, else "".
    """
    stated = osmium.FileProcessor(path).header.get("osmosis_replication_timestamp", "")
    if stated:
        return stated
    head = _HEAD_DATE.search(_head(path))
    if head:
        return head[1].decode()
    return "" if newest == _NEVER else newest.isoformat().replace("+00:00", "Z")


def _head(path: Path) -> bytes:
    """Read the first bytes of a file, of what is in it where it is compressed."""
    if path.suffix == ".gz":
        with gzip.open(path) as file:
            return file.read(_HEAD_SIZE)
    if path.suffix == ".bz2":
        with bz2.open(path) as file:
            return file.read(_HEAD_SIZE)
    with path.open("rb") as file:
        return file.read(_HEAD_SIZE)

"""Places of the nodes that roads need, taken out of an OSM file in bulk by pyosmium."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import numpy as np
import osmium
from osmium.filter import IdFilter
from osmium.osm import NODE, Node

if TYPE_CHECKING:
    from pathlib import Path

    from data.road_table import FloatArray, IntArray

_SMALL_BYTES = 64 << 20
"""Of a file no larger, pyosmium holds every place: 16 bytes a node, about 8 of which it reads."""
_CHUNK_BITS = 25
_CHUNKS_AT_ONCE = 64
"""pyosmium's filter holds 4 MiB for each 2**25 ids that it meets: 256 MiB at most."""
_PLAIN_BITS = 40
_UNITS_PER_DEG = 10_000_000
_A_WAY = b'<osm version="0.6"><way id="1"><nd ref="1"/></way></osm>'


def read_places(path: Path, wanted: IntArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """
    Read where nodes are.

    Parameters
    ----------
    path : Path
        An OSM file, in any order.
    wanted : ndarray of int64, shape (n,)
        Ids of nodes, ascending.

    Returns
    -------
    node_id : ndarray of int64, shape (k,)
        Those that have a place in the file; in no order.
    lon_deg, lat_deg : ndarray of float64, shape (k,)
        WGS 84.

    Notes
    -----
    Nodes do not come into Python one by one, but where some wanted have ids below 0 or past 40
    bits, which pyosmium's tables and filters have no place for. Memory goes with the nodes wanted,
    or with a small file.
    """
    plain = (wanted >= 0) & (wanted < 1 << _PLAIN_BITS)
    found, x, y = array("q"), array("i"), array("i")
    for part in _parts(path, wanted[plain]):
        get = _table(path, part).get
        for node_id in part.tolist():
            try:
                place = get(node_id)
            except KeyError:
                continue
            found.append(node_id)
            x.append(place.x)
            y.append(place.y)
    odd = set(wanted[~plain].tolist())
    nodes = cast(Iterator[Node], iter(osmium.FileProcessor(path, NODE) if odd else ()))
    for node in nodes:
        if node.id in odd and node.visible:
            found.append(node.id)
            x.append(node.location.x)
            y.append(node.location.y)
    lon_deg = np.frombuffer(x, np.int32) / _UNITS_PER_DEG
    lat_deg = np.frombuffer(y, np.int32) / _UNITS_PER_DEG
    valid = (np.abs(lon_deg) <= 180) & (np.abs(lat_deg) <= 90)  # noqa: PLR2004 - degrees
    return np.frombuffer(found, np.int64)[valid], lon_deg[valid], lat_deg[valid]


def _parts(path: Path, wanted: IntArray) -> Iterator[IntArray]:
    """
    Divide nodes into as many as one reading takes in.

    Yields
    ------
    part : ndarray of int64
        Ids, ascending.
    """
    if path.stat().st_size <= _SMALL_BYTES:
        yield wanted
        return
    chunk = wanted >> _CHUNK_BITS
    number = np.cumsum(np.diff(chunk, prepend=chunk[:1]) > 0)
    yield from np.split(wanted, np.flatnonzero(np.diff(number // _CHUNKS_AT_ONCE)) + 1)


def _table(path: Path, wanted: IntArray) -> osmium.index.LocationTable:
    """
    Read the places of nodes; of a small file, of all nodes.

    Returns
    -------
    table : osmium.index.LocationTable
        Its ``get`` gives a location, or raises KeyError.
    """
    table = osmium.index.create_map("sparse_mem_array")
    keep = osmium.NodeLocationsForWays(table)
    keep.ignore_errors()
    small = path.stat().st_size <= _SMALL_BYTES
    filters = [] if small else [IdFilter(wanted.tolist())]
    osmium.apply(osmium.io.Reader(str(path), NODE), *filters, keep)
    # Where nodes came in another order, the table is sorted as soon as it sees a way.
    osmium.apply(osmium.io.Reader(osmium.io.FileBuffer(_A_WAY, "osm")), keep)
    return table

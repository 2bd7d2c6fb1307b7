"""
The road network as few bytes: rounded points, differences, zigzag, varint, base64.

A page holds the geometry once, whatever its layers draw on it. assets/roads.js decodes it.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from maps.streets import QUANTUM, quantise, road_class
from maps.style import ROAD_CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.road_table import IntArray, RoadTable
    from maps.streets import Streets

_SEVEN_BITS: Final = 7
_MORE: Final = 0x80


def zigzag(values: IntArray) -> npt.NDArray[np.uint64]:
    """
    Map whole numbers to unsigned ones, small to small: 0, -1, 1, -2 become 0, 1, 2, 3.

    Parameters
    ----------
    values : ndarray of int64
        Signed.

    Returns
    -------
    unsigned : ndarray of uint64
        Same shape.
    """
    return ((values << 1) ^ (values >> 63)).astype(np.uint64)


def varint(values: npt.NDArray[np.uint64]) -> bytes:
    """
    Write unsigned numbers in groups of seven bits, lowest first.

    Parameters
    ----------
    values : ndarray of uint64, shape (n,)
        Numbers.

    Returns
    -------
    data : bytes
        One to ten bytes a number; the high bit says that more follow.
    """
    if not len(values):
        return b""
    size = np.ones(len(values), np.int64)
    rest = values >> np.uint64(_SEVEN_BITS)
    while rest.any():
        size += rest > 0
        rest >>= np.uint64(_SEVEN_BITS)
    end = np.cumsum(size)
    data = np.zeros(int(end[-1]), np.uint8)
    start = end - size
    for byte in range(int(size.max())):
        rows = np.flatnonzero(size > byte)
        bits = (values[rows] >> np.uint64(_SEVEN_BITS * byte)) & np.uint64(_MORE - 1)
        more = np.where(size[rows] > byte + 1, _MORE, 0)
        data[start[rows] + byte] = bits.astype(np.uint8) | more.astype(np.uint8)
    return data.tobytes()


def encode_roads(roads: RoadTable, drawn: Streets) -> Mapping[str, object]:
    """
    Encode what is drawn.

    Parameters
    ----------
    roads : RoadTable
        The network.
    drawn : Streets
        What of it is drawn.

    Returns
    -------
    payload : mapping
        JSON-ready. ``counts``: for every class its number of chains; then for every chain its row
        in ``names`` and its number of lines; then for every line its number of new points (the
        first of a chain brings its starting point too). ``deltas``: longitude and latitude of every
        point less those of the point before, over all chains, zigzag. Both varint in base64.
    """
    chain_first = drawn.edge[drawn.begins]
    label = np.where(roads.name[chain_first] > 0, roads.name[chain_first], roads.ref[chain_first])
    used, name_row = np.unique(np.r_[0, label], return_inverse=True)
    chains = np.bincount(road_class(roads)[chain_first], minlength=len(ROAD_CLASSES))
    lines = np.diff(np.r_[np.flatnonzero(drawn.begins), len(drawn.edge)])
    points, new = chain_points(roads, drawn)
    per_chain = np.column_stack([name_row.reshape(-1)[1:], lines]).reshape(-1)
    counts = np.r_[chains, per_chain, new].astype(np.uint64)
    deltas = zigzag(np.diff(points, axis=0, prepend=0).reshape(-1))
    return {
        "quantum": QUANTUM,
        "classes": list(ROAD_CLASSES),
        "names": [roads.texts[row] for row in used.tolist()],
        "counts": base64.b64encode(varint(counts)).decode("ascii"),
        "deltas": base64.b64encode(varint(deltas)).decode("ascii"),
    }


def chain_points(roads: RoadTable, drawn: Streets) -> tuple[IntArray, IntArray]:
    """
    Gather the points of all chains, each once, leaving out what quantising made equal.

    Parameters
    ----------
    roads : RoadTable
        The network.
    drawn : Streets
        What of it is drawn.

    Returns
    -------
    points : ndarray of int64, shape (p, 2)
        Longitude and latitude in steps.
    new : ndarray of int64, shape (k,)
        How many of them every line brings.
    """
    start, end = roads.shape_start[drawn.edge], roads.shape_start[drawn.edge + 1]
    joined = (~drawn.begins).astype(np.int64)
    step = np.where(drawn.flipped, -1, 1)
    first = np.where(drawn.flipped, end - 1, start) + step * joined
    size = end - start - joined
    line = np.repeat(np.arange(len(size)), size)
    within = np.arange(len(line)) - (np.cumsum(size) - size)[line]
    rows = first[line] + step[line] * within
    points = np.column_stack(
        [
            quantise(roads.shape_lon_deg[rows]),
            quantise(roads.shape_lat_deg[rows]),
        ]
    )
    moved = np.r_[True, (np.diff(points, axis=0) != 0).any(axis=1)]
    keep = moved | (drawn.begins[line] & (within == 0))
    return points[keep], np.bincount(line[keep], minlength=len(size)).astype(np.int64)


def slower_codes(drawn: Streets, rows: npt.NDArray[np.integer]) -> str:
    """
    Write for every line the worse value of its directions: no map looks better than the road.

    Parameters
    ----------
    drawn : Streets
        The lines.
    rows : ndarray of integer, shape (m,)
        Of every edge, from 0 to 63.

    Returns
    -------
    text : str
        As `encode_codes`.
    """
    worst = np.zeros(len(drawn.edge), np.int64)
    np.maximum.at(worst, drawn.drawn_as, rows)
    return encode_codes(worst)


def encode_codes(codes: npt.NDArray[np.integer]) -> str:
    """
    Write one small number a line, one character each.

    Parameters
    ----------
    codes : ndarray of integer, shape (k,)
        From 0 to 63, in the order of drawing.

    Returns
    -------
    text : str
        ASCII from ``0`` on, without quotes, backslash or markup that HTML would need escaped.
    """
    alphabet = np.frombuffer(
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_", np.uint8
    )
    return str(alphabet[codes].tobytes(), "ascii")

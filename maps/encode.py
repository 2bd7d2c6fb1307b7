"""
The road network as few bytes: each street once, chained, quantised, delta + zigzag + varint.

A page holds the geometry once, whatever its layers draw on it. assets/roads.js decodes it.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from maps.style import ROAD_CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.road_table import BoolArray, Int32Array, IntArray, RoadTable

QUANTUM: Final = 100_000
"""Steps a degree: 1e-5 degrees is 1.1 m at most, less than a lane."""

_SEVEN_BITS: Final = 7
_MORE: Final = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class Streets:
    """
    What is drawn: a two-way street is two edges and one line.

    Parameters
    ----------
    edge : ndarray of int64, shape (k,)
        The edge whose shape is drawn, in the order of drawing.
    flipped : ndarray of bool, shape (k,)
        Drawn from head to tail.
    begins : ndarray of bool, shape (k,)
        Begins a new chain; otherwise it goes on where the line before it ended.
    drawn_as : ndarray of int64, shape (m,)
        Row of `edge` that every directed edge is drawn as.
    """

    edge: IntArray
    flipped: BoolArray
    begins: BoolArray
    drawn_as: IntArray


def quantise(degrees: npt.NDArray[np.float64]) -> IntArray:
    """
    Round degrees to whole steps.

    Parameters
    ----------
    degrees : ndarray of float64
        Longitudes or latitudes.

    Returns
    -------
    steps : ndarray of int64
        Multiples of ``1 / QUANTUM`` degrees.
    """
    return np.rint(degrees * QUANTUM).astype(np.int64)


def road_class(roads: RoadTable) -> Int32Array:
    """
    Tell every edge's class on the base map.

    Parameters
    ----------
    roads : RoadTable
        The network.

    Returns
    -------
    rows : ndarray of int32, shape (m,)
        Rows of `ROAD_CLASSES`.
    """
    other = len(ROAD_CLASSES) - 1
    names = [text.removesuffix("_link") for text in roads.texts]
    by_text = np.array(
        [ROAD_CLASSES.index(name) if name in ROAD_CLASSES else other for name in names], np.int32
    )
    return by_text[roads.highway]


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


def _distinct(roads: RoadTable, steps: tuple[IntArray, IntArray]) -> tuple[IntArray, IntArray]:
    """
    Find the directed edges that lie on one line.

    Ends and the sum of the shape's points are the same in both directions, whatever the ids say.

    Parameters
    ----------
    roads : RoadTable
        The network.
    steps : tuple of ndarray
        Quantised longitudes and latitudes of its shapes.

    Returns
    -------
    edge : ndarray of int64, shape (k,)
        One edge a line: along its OSM way where there is a choice.
    line : ndarray of int64, shape (m,)
        Row of `edge` for every directed edge.
    """
    start = roads.shape_start[:-1]
    key = np.column_stack(
        [
            np.minimum(roads.tail, roads.head).astype(np.int64),
            np.maximum(roads.tail, roads.head).astype(np.int64),
            np.add.reduceat(steps[0], start),
            np.add.reduceat(steps[1], start),
        ]
    )
    _, line = np.unique(key, axis=0, return_inverse=True)
    line = line.reshape(-1)
    order = np.lexsort((np.arange(len(line)), roads.reversed, line))
    first = np.r_[True, np.diff(line[order]) > 0]
    return order[first].astype(np.int64), line.astype(np.int64)


class _Chainer:
    """
    Joins lines of one street end to end, straight on where there is a choice.

    Dashes run on over a chain, and it costs fewer bytes than its lines apart.

    Parameters
    ----------
    tail, head : list of int
        Nodes at the ends of every line.
    street : list of int
        Which street a line belongs to: only lines of one street are joined.
    out : list of (float, float)
        Direction in which a line leaves its tail.
    into : list of (float, float)
        Direction in which it arrives at its head.
    """

    def __init__(
        self,
        tail: list[int],
        head: list[int],
        street: list[int],
        out: list[tuple[float, float]],
        into: list[tuple[float, float]],
    ) -> None:
        self.tail, self.head, self.street, self.out, self.into = tail, head, street, out, into
        self.free = [True] * len(tail)
        self.at: dict[tuple[int, int], list[int]] = defaultdict(list)
        for line, (t, h, s) in enumerate(zip(tail, head, street, strict=True)):
            self.at[s, t].append(line)
            if h != t:
                self.at[s, h].append(line)

    def _onward(self, node: int, street: int, heading: tuple[float, float]) -> tuple[int, bool]:
        """
        Choose the free line that goes on straightest.

        Returns
        -------
        line : int
            -1 if there is none.
        flipped : bool
            It is entered at its head.
        """
        best, best_flipped, best_dot = -1, False, -0.5
        for line in self.at[street, node]:
            if not self.free[line]:
                continue
            flipped = self.tail[line] != node
            dx, dy = self.into[line] if flipped else self.out[line]
            sign = -1 if flipped else 1
            dot = sign * (dx * heading[0] + dy * heading[1])
            if dot > best_dot:
                best, best_flipped, best_dot = line, flipped, dot
        return best, best_flipped

    def _walk(self, line: int, *, flipped: bool) -> list[tuple[int, bool]]:
        """
        Go on from the end of a line as far as its street goes.

        Returns
        -------
        lines : list of (int, bool)
            The lines after it, each with whether it is flipped.
        """
        walked: list[tuple[int, bool]] = []
        while True:
            node = self.tail[line] if flipped else self.head[line]
            dx, dy = self.out[line] if flipped else self.into[line]
            heading = (-dx, -dy) if flipped else (dx, dy)
            line, flipped = self._onward(node, self.street[line], heading)
            if line < 0:
                return walked
            self.free[line] = False
            walked.append((line, flipped))

    def chains(self) -> list[list[tuple[int, bool]]]:
        """
        Join all lines.

        Returns
        -------
        chains : list of list of (int, bool)
            Every line once, each with whether it is flipped.
        """
        chains = []
        for line in range(len(self.tail)):
            if self.free[line]:
                self.free[line] = False
                ahead = self._walk(line, flipped=False)
                behind = self._walk(line, flipped=True)
                before = [(row, not flipped) for row, flipped in reversed(behind)]
                chains.append([*before, (line, False), *ahead])
        return chains


def _direction(
    lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64], a: IntArray, b: IntArray
) -> list[tuple[float, float]]:
    """
    Give unit vectors from shape points `a` to `b`.

    Returns
    -------
    vectors : list of (float, float)
        East and north; (0, 0) where the points are one.
    """
    north = lat[b] - lat[a]
    east = (lon[b] - lon[a]) * np.cos(np.radians(lat[a]))
    norm = np.hypot(east, north)
    norm[norm == 0] = 1.0
    return list(zip((east / norm).tolist(), (north / norm).tolist(), strict=True))


def _morton(lon: IntArray, lat: IntArray) -> IntArray:
    """
    Interleave the bits of two coordinates, so that near places have near numbers.

    Returns
    -------
    code : ndarray of int64
        Of cells of 64 steps, about 70 m.
    """
    code = np.zeros(len(lon), np.int64)
    x, y = (lon - lon.min()) >> 6, (lat - lat.min()) >> 6
    for bit in range(20):
        code |= ((x >> bit) & 1) << (2 * bit)
        code |= ((y >> bit) & 1) << (2 * bit + 1)
    return code


def streets(roads: RoadTable) -> Streets:
    """
    Choose what is drawn, joined into chains, class by class and neighbours together.

    Parameters
    ----------
    roads : RoadTable
        The network.

    Returns
    -------
    streets : Streets
        The same for the same network.
    """
    steps = quantise(roads.shape_lon_deg), quantise(roads.shape_lat_deg)
    edge, line = _distinct(roads, steps)
    first, last = roads.shape_start[edge], roads.shape_start[edge + 1] - 1
    classes = road_class(roads)[edge].astype(np.int64)
    lon, lat = roads.shape_lon_deg, roads.shape_lat_deg
    label = np.where(roads.name[edge] > 0, roads.name[edge], roads.ref[edge]).astype(np.int64)
    chains = _Chainer(
        roads.tail[edge].tolist(),
        roads.head[edge].tolist(),
        (classes * len(roads.texts) + label).tolist(),
        _direction(lon, lat, first, first + 1),
        _direction(lon, lat, last - 1, last),
    ).chains()
    lead = np.array([chain[0][0] for chain in chains], np.int64)
    place = _morton(steps[0][first[lead]], steps[1][first[lead]])
    order = np.lexsort((lead, place, classes[lead])).tolist()
    rows = np.array([row for c in order for row, _ in chains[c]], np.int64)
    flipped = np.array([flip for c in order for _, flip in chains[c]], np.bool_)
    begins = np.array([i == 0 for c in order for i in range(len(chains[c]))], np.bool_)
    rank = np.empty(len(rows), np.int64)
    rank[rows] = np.arange(len(rows))
    return Streets(edge=edge[rows], flipped=flipped, begins=begins, drawn_as=rank[line])


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
    points, new = _points(roads, drawn)
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


def _points(roads: RoadTable, drawn: Streets) -> tuple[IntArray, IntArray]:
    """
    Gather the points of all chains, each once, leaving out what quantising made equal.

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

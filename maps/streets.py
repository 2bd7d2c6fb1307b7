"""What of a road network is drawn: each street once, joined into chains, neighbours together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from maps.style import ROAD_CLASSES

if TYPE_CHECKING:
    from data.road_table import BoolArray, Int32Array, IntArray, RoadTable

QUANTUM: Final = 100_000
"""Steps a degree: 1e-5 degrees is 1.1 m at most, less than a lane."""


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

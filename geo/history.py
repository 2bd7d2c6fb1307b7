"""The nearest units of every road in thousands of snapshots, many at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from data.errors import InputError
from geo.kernels.search import UNREACHED
from geo.kernels.sweep import LANES, lift, pull, seed
from geo.kernels.sweep_two import LANES_OF_TWO, UNIT_BITS, lift_two, pull_two, read_two, seed_two
from geo.searching import seconds
from geo.starts import seeds_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.road_table import BoolArray, FloatArray, Int32Array, IntArray
    from geo.hierarchy import Hierarchy
    from geo.network import RoadNetwork
    from geo.starts import Starts

Labels = npt.NDArray[Any]
"""Of uint32 where one label is kept, of int64 where two are."""
LABELS_A_LANE = 2
CACHE_LINE = 64
"""Bytes, on all processors that this runs on; another length would cost time only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """
    Where labels begin, snapshot by snapshot.

    Parameters
    ----------
    place, time_ms, unit : ndarray of int32, shape (q,)
        States, or edges where middles are read; when, >= 0; and whose it is, counted from 0 in
        each snapshot.
    snapshot_start : ndarray of int64, shape (snapshots + 1,)
        Snapshot i has the seeds from ``snapshot_start[i]`` to ``snapshot_start[i + 1]``.
    """

    place: Int32Array
    time_ms: Int32Array
    unit: Int32Array
    snapshot_start: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """
    The labels of some snapshots, side by side; valid until the next block is asked for.

    Parameters
    ----------
    first, count : int
        The first snapshot, and how many: the lanes in use.
    k : int
        Labels a lane: 1, times; or 2, times and units.
    row : ndarray of int32, shape (S,)
        The row of each state.
    label : ndarray of uint32 or int64, shape (S * k * lanes,)
        As `geo.kernels.sweep` and `geo.kernels.sweep_two` lay them.
    """

    first: int
    count: int
    k: int
    row: Int32Array
    label: Labels

    def time_ms(self, state: IntArray | Int32Array) -> Int32Array:
        """
        Read times.

        Parameters
        ----------
        state : ndarray of int, shape (p,)
            Which states.

        Returns
        -------
        time_ms : ndarray of int32, shape (p, count, k)
            Soonest first, `UNREACHED` where there are fewer.
        """
        return _times(self._of(state))

    def unit(self, state: IntArray | Int32Array) -> Int32Array:
        """
        Read whose times they are.

        Parameters
        ----------
        state : ndarray of int, shape (p,)
            Which states.

        Returns
        -------
        unit : ndarray of int32, shape (p, count, k)
            Rows of units in their snapshot, soonest first, ties by the lower row; -1 where there
            are fewer.

        Raises
        ------
        InputError
            If `k` is 1: then it is not known.
        """
        return _units(self._of(state))

    def _of(self, state: IntArray | Int32Array) -> Labels:
        """Pick states' labels, shape (p, count, k)."""
        return _lanes(self.label, self.k)[self.row[state], :, : self.count].swapaxes(1, 2)


def seeds_of(net: RoadNetwork, starts: Starts, snapshot_start: IntArray) -> Seeds:
    """
    List where searches of many snapshots begin.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    starts : Starts
        Where units are, snapshot after snapshot (`geo.starts`).
    snapshot_start : ndarray of int64, shape (snapshots + 1,)
        Snapshot i has the units from ``snapshot_start[i]`` to ``snapshot_start[i + 1]``.

    Returns
    -------
    seeds : Seeds
        At states.
    """
    return _grouped(*seeds_ahead(net, starts), snapshot_start)


def nearest_over_time(hierarchy: Hierarchy, seeds: Seeds, *, k: int = 1) -> Iterator[Block]:
    """
    Label all states in all snapshots.

    Parameters
    ----------
    hierarchy : Hierarchy
        Of the network's forward graph.
    seeds : Seeds
        At states.
    k : int
        1: the time from the nearest unit; 2: from the two nearest, and which they are.

    Returns
    -------
    blocks : iterator of Block
        64 snapshots each where `k` is 1, 32 where it is 2, in order. What is taken from one is to
        be taken before the next: they share their arrays.

    Raises
    ------
    InputError
        If `k` is neither, or a seed is not in the network, before time 0 or of a unit past 2**30.

    Notes
    -----
    A sweep costs the same wherever units are: O(arcs and shortcuts) for all lanes together.
    """
    _check(hierarchy, seeds, k)
    return _blocks(hierarchy, seeds, k)


def _blocks(hierarchy: Hierarchy, seeds: Seeds, k: int) -> Iterator[Block]:
    """Label block after block."""
    up = hierarchy.up_start, hierarchy.up_row, hierarchy.up_ms
    down = hierarchy.down_start, hierarchy.down_row, hierarchy.down_ms
    begun = np.zeros(hierarchy.count, np.bool_)
    label = _table(hierarchy.count, k)
    lanes, snapshots = _lane_count(k), len(seeds.snapshot_start) - 1
    for first in range(0, snapshots, lanes):
        count = min(lanes, snapshots - first)
        _begin(hierarchy.row[seeds.place], seeds, first, count, begun, label)
        if k == LABELS_A_LANE:
            lift_two(*up, begun, label)
            pull_two(*down, begun, label, label)
        else:
            lift(*up, begun, label)
            pull(*down, begun, label, label)
        yield Block(first=first, count=count, k=k, row=hierarchy.row, label=label)


class Middles:
    """
    Reads blocks at the middles of edges.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    hierarchy : Hierarchy
        Of its forward graph.
    starts, snapshot_start
        As `seeds_of` takes them: a unit on an edge may have its middle before it.
    """

    def __init__(
        self, net: RoadNetwork, hierarchy: Hierarchy, starts: Starts, snapshot_start: IntArray
    ) -> None:
        count = len(net.edge_ms)
        half_ms = net.half_ms
        edges = np.arange(count, dtype=np.int32)
        edge = net.by_state(edges) if net.turns else edges
        state = np.arange(len(edge)) if net.turns else net.node_state[net.table.tail]
        # A middle is reached along its own edge and, on a two-way street, along the other.
        twin = net.twin[edge]
        two_way = twin >= 0
        place = np.concatenate([edge, twin[two_way]])
        order = np.argsort(place, kind="stable")
        self._start = np.searchsorted(place[order], np.arange(count + 1)).astype(np.int32)
        self._row = hierarchy.row[np.concatenate([state, state[two_way]])[order]]
        self._ms = np.concatenate([half_ms[edge], half_ms[edge[two_way]]])[order].astype(np.int32)
        self._seeds = _grouped(*_ahead(net, starts, half_ms), snapshot_start)
        self._out: Labels = np.empty(0, np.int64)
        self._read: tuple[Int32Array, FloatArray] | None = None

    def read(self, block: Block) -> tuple[Int32Array | None, FloatArray]:
        """
        Read the nearest units of the middle of every edge.

        Parameters
        ----------
        block : Block
            Of the snapshots given.

        Returns
        -------
        unit : ndarray of int32, shape (m, count, k), or None
            Rows of units in their snapshot, soonest first, ties by the lower row; -1 where there
            are fewer. None where `k` is 1.
        drive_time_s : ndarray of float64, shape (m, count, k)
            Inf where there are fewer. Where `k` is 2, both are valid until the next call: memory
            that is new to the process takes as long to come by as the reading itself.
        """
        if block.k == LABELS_A_LANE:
            shape = len(self._start) - 1, block.count, block.k
            if self._read is None or self._read[0].shape != shape:
                self._read = np.empty(shape, np.int32), np.empty(shape)
            unit, time_s = self._read
            found = unit.ravel(), time_s.ravel()
            read_two(*self._arcs, *self._seeded(block), block.count, *found)
            return unit, time_s
        label = _lanes(self.labels(block), block.k)[:, 0, : block.count, None]
        return None, seconds(label.view(np.int32))

    def labels(self, block: Block) -> Labels:
        """
        Label the middle of every edge.

        Parameters
        ----------
        block : Block
            Of the snapshots given.

        Returns
        -------
        label : ndarray of uint32 or int64, shape (m * k * lanes,)
            Laid as those of the block; lanes not in use hold anything. Valid until the next call.
        """
        sweep = pull_two if block.k == LABELS_A_LANE else pull
        sweep(*self._arcs, *self._seeded(block))
        return self._out[: -block.k * _lane_count(block.k)]

    @property
    def _arcs(self) -> tuple[Int32Array, Int32Array, Int32Array]:
        """The ways to middles, as sweeps take them."""
        return self._start, self._row, self._ms

    def _seeded(self, block: Block) -> tuple[BoolArray, Labels, Labels]:
        """Give which middles hold seeds, the labels of states, and a table of what is held."""
        count = len(self._start) - 1
        if len(self._out) != (count + 1) * block.k * _lane_count(block.k):
            self._out = _table(count + 1, block.k)
        begun = np.zeros(count, np.bool_)
        _begin(self._seeds.place, self._seeds, block.first, block.count, begun, self._out)
        return begun, block.label, self._out


def _ahead(
    net: RoadNetwork, starts: Starts, half_ms: Int32Array
) -> tuple[Int32Array, Int32Array, Int32Array]:
    """List middles that lie ahead of units on their own edges: edges, times and rows."""
    row, leg = np.nonzero((starts.edge >= 0) & (starts.done_ms <= half_ms[starts.edge]))
    edge = starts.edge[row, leg]
    ahead_ms = starts.price_ms[row, leg] + half_ms[edge] - starts.done_ms[row, leg]
    place = np.stack([edge, net.twin[edge]], axis=1).ravel()
    there = place >= 0
    return (
        place[there].astype(np.int32),
        np.repeat(ahead_ms, 2)[there].astype(np.int32),
        np.repeat(row, 2)[there].astype(np.int32),
    )


def _grouped(
    place: Int32Array, time_ms: Int32Array, row: Int32Array, snapshot_start: IntArray
) -> Seeds:
    """Group seeds, by rising row of their units, by snapshot."""
    start = np.searchsorted(row, snapshot_start)
    snapshot = np.repeat(np.arange(len(start) - 1), np.diff(start))
    return Seeds(
        place=place,
        time_ms=time_ms,
        unit=(row - snapshot_start[snapshot]).astype(np.int32),
        snapshot_start=start.astype(np.int64),
    )


def _check(hierarchy: Hierarchy, seeds: Seeds, k: int) -> None:
    """
    Check what a sweep would not notice.

    Raises
    ------
    InputError
        If something is not as it must be.
    """
    if k not in {1, LABELS_A_LANE}:
        raise InputError(f"k={k}: must be 1 or 2")
    if not len(seeds.place):
        return
    low, high = int(seeds.place.min()), int(seeds.place.max())
    if not 0 <= low <= high < hierarchy.count:
        bad = low if low < 0 else high
        raise InputError(f"place={bad}: must be a state from 0 to {hierarchy.count - 1}")
    if seeds.time_ms.min() < 0:
        raise InputError(f"time_ms={seeds.time_ms.min()}: must be 0 or more")
    low, high = int(seeds.unit.min()), int(seeds.unit.max())
    if not 0 <= low <= high < 1 << UNIT_BITS:
        bad = low if low < 0 else high
        raise InputError(f"unit={bad}: must be from 0 to {(1 << UNIT_BITS) - 1}")


def _lane_count(k: int) -> int:
    """Tell how many snapshots are swept at once."""
    return LANES_OF_TWO if k == LABELS_A_LANE else LANES


def _table(rows: int, k: int) -> Labels:
    """Make room for labels, from the beginning of a line of the cache on: so no row has a rest."""
    kind = np.dtype(np.int64 if k == LABELS_A_LANE else np.uint32)
    size = rows * k * _lane_count(k) * kind.itemsize
    room = np.empty(size + CACHE_LINE, np.uint8)
    first = -room.ctypes.data % CACHE_LINE
    return room[first : first + size].view(kind)


def _lanes(label: Labels, k: int) -> Labels:
    """Look at a table as rows of k labels of all lanes."""
    return label.reshape(-1, k, _lane_count(k))


def _begin(
    row: Int32Array,
    seeds: Seeds,
    first: int,
    count: int,
    begun: BoolArray,
    label: Labels,
) -> None:
    """Put the seeds of a block's snapshots into a table."""
    start = seeds.snapshot_start[first : first + count + 1]
    own = slice(start[0], start[-1])
    lane = np.repeat(np.arange(count, dtype=np.int32), np.diff(start))
    if label.dtype == np.int64:
        new = seeds.time_ms[own].astype(np.int64) << UNIT_BITS | seeds.unit[own]
        seed_two(row[own], new, lane, begun, label)
    else:
        seed(row[own], seeds.time_ms[own], lane, begun, label)


def _times(label: Labels) -> Int32Array:
    """Take the times of labels."""
    return (label >> UNIT_BITS if label.dtype == np.int64 else label).astype(np.int32)


def _units(label: Labels) -> Int32Array:
    """
    Take the units of labels.

    Raises
    ------
    InputError
        If they hold none.
    """
    if label.dtype != np.int64:
        raise InputError("k=1: a block of k=2 knows its units")
    unit = (label & (1 << UNIT_BITS) - 1).astype(np.int32)
    unit[label >> UNIT_BITS == UNREACHED] = -1
    return unit

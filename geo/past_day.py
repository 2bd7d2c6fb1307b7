"""
One local day of a history: how much road was out of reach, hour by hour, in whole numbers.

Days are added up in any order, by one process or by many, to the same figures, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from geo.cells import cells_of_edges
from geo.coverage import edge_within_s
from geo.demand import stops_begun
from geo.history import Middles, nearest_over_time, seeds_of
from geo.hours import local_hours
from geo.kernels.beyond import BINS, add_beyond
from geo.snap import snap_all
from geo.snapshots import idle_fixes
from geo.starts import starts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.beats import Beat
    from data.events import Fixes, History
    from data.road_table import FloatArray, Int32Array, IntArray
    from data.settings import Policy, Settings
    from geo.hierarchy import Hierarchy
    from geo.network import RoadNetwork
    from geo.snap import Position

AT_ONCE = 480  # snapshots whose units are put on the road together; bounds the memory
WHOLE = 1 << 30
"""A share is kept as a whole number of parts of this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """
    What is the same on all days.

    Parameters
    ----------
    cell : ndarray of str, shape (c,)
        H3 cells with road.
    cell_of_edge : ndarray of int64, shape (m,)
        Row of the cell of each edge.
    cell_start : ndarray of int64, shape (c + 1,)
        Cell i has the rows from ``cell_start[i]`` to ``cell_start[i + 1]`` of the next three.
    edge : ndarray of int32, shape (m,)
        Edges, by their cells.
    road_mm, limit_ms : ndarray of int64, shape (m,)
        Length of road of each, a two-way street once, and T there.
    policy : Policy
        Constants.
    zone : ZoneInfo
        Of the hours.
    """

    cell: npt.NDArray[np.str_]
    cell_of_edge: IntArray
    cell_start: IntArray
    edge: Int32Array
    road_mm: IntArray
    limit_ms: IntArray
    policy: Policy
    zone: ZoneInfo

    @classmethod
    def of(cls, net: RoadNetwork, settings: Settings, beats: Sequence[Beat]) -> Ground:
        """
        Prepare a network.

        Parameters
        ----------
        net : RoadNetwork
            The roads.
        settings : Settings
            Of them T, how old a fix may be, and the time zone.
        beats : sequence of Beat
            With a T of their own.

        Returns
        -------
        ground : Ground
            The same for the same roads.
        """
        cell, cell_of_edge = cells_of_edges(net)
        edge = np.argsort(cell_of_edge, kind="stable")
        limit_s = edge_within_s(net, beats, settings.policy.within_s)[edge]
        limit_ms = np.floor(limit_s * 1000)
        limit_ms += (limit_ms + 1) / 1000 <= limit_s
        limit_ms -= limit_ms / 1000 > limit_s
        road_mm = np.maximum(np.rint(net.table.road_m[edge] * 1000), 1)
        return cls(
            cell=cell,
            cell_of_edge=cell_of_edge,
            cell_start=np.searchsorted(cell_of_edge[edge], np.arange(len(cell) + 1)),
            edge=edge.astype(np.int32),
            road_mm=road_mm.astype(np.int64),
            limit_ms=limit_ms.astype(np.int64),
            policy=settings.policy,
            zone=ZoneInfo(settings.units.time_zone),
        )

    @property
    def cell_mm(self) -> IntArray:
        """Road of each cell, shape (c,)."""
        return np.add.reduceat(self.road_mm, self.cell_start[:-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDay:
    """
    How much road was out of reach on a day; of shape (.., 2) for the first car, then the second.

    Parameters
    ----------
    hour : ndarray of int64, shape (h,)
        Hours looked at, rising: whole hours of local time since 1970-01-01 00:00.
    snapshots : ndarray of int64, shape (h,)
        Instants looked at in each.
    share : ndarray of int32, shape (h, c, 2)
        Share of a cell's road beyond T, mean of the hour's snapshots, in parts of 2**30.
    late_mm : ndarray of int64, shape (h, 2)
        All road beyond T, summed over the snapshots.
    time_mm : ndarray of unsigned int, shape (c, 2, 181)
        Road, summed over all snapshots, by drive time in bins of 10 s from 0; the last is all
        above half an hour, and nobody. Of the least kind that holds it, for it travels.
    stop_hour, stop_cell : ndarray of int64, shape (s,)
        Rows of the hours and cells that stops began in.
    simulated : bool
        Nobody was there.
    agencies : tuple of str
        Whose units it tells of, in order.
    """

    hour: IntArray
    snapshots: IntArray
    share: Int32Array
    late_mm: IntArray
    time_mm: npt.NDArray[np.unsignedinteger[Any]]
    stop_hour: IntArray
    stop_cell: IntArray
    simulated: bool
    agencies: tuple[str, ...]


def past_day(
    net: RoadNetwork, hierarchy: Hierarchy, ground: Ground, history: History, at_s: FloatArray
) -> PastDay:
    """
    Work out how soon the first and the second idle unit could have been anywhere, all day.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    hierarchy : Hierarchy
        Of its forward graph.
    ground : Ground
        Of it.
    history : History
        What the day's snapshots rest on.
    at_s : ndarray of float64, shape (s,)
        Instants to look at, rising: all of a local hour, or none.

    Returns
    -------
    day : PastDay
        Each snapshot as `geo.coverage.cover` gives it.
    """
    hour, row, snapshots = np.unique(
        local_hours(at_s, ground.zone), return_inverse=True, return_counts=True
    )
    cells = len(ground.cell)
    late_mm = np.zeros((len(hour), cells, 2), np.int64)
    time_mm = np.zeros((cells, 2, BINS + 1), np.int64)
    rows = row.astype(np.int32)
    for begin in range(0, len(at_s), AT_ONCE):
        some = slice(begin, begin + AT_ONCE)
        _add(net, hierarchy, ground, history, at_s[some], rows[some], late_mm, time_mm)
    whole_mm = snapshots[:, None, None] * ground.cell_mm[:, None]
    stop_hour, stop_cell = _stops(net, ground, history, hour)
    return PastDay(
        hour=hour,
        snapshots=snapshots,
        share=np.rint(late_mm / whole_mm * WHOLE).astype(np.int32),
        late_mm=late_mm.sum(axis=1),
        time_mm=time_mm.astype(np.min_scalar_type(time_mm.max(initial=0))),
        stop_hour=stop_hour,
        stop_cell=stop_cell,
        simulated=history.simulated,
        agencies=agencies_of(history),
    )


def agencies_of(history: History) -> tuple[str, ...]:
    """
    Name the agencies whose units a history tells of.

    Parameters
    ----------
    history : History
        With its statuses.

    Returns
    -------
    agencies : tuple of str
        In order.
    """
    return tuple(sorted({one.agency for one in history.statuses if one.agency}))


def _add(
    net: RoadNetwork,
    hierarchy: Hierarchy,
    ground: Ground,
    history: History,
    at_s: FloatArray,
    hour: Int32Array,
    late_mm: IntArray,
    time_mm: IntArray,
) -> None:
    """Add some snapshots to a day, each to its row of hours."""
    fix = idle_fixes(history, at_s, ground.policy)
    snapshot, unit = np.nonzero(fix >= 0)
    seen, which = np.unique(fix[snapshot, unit], return_inverse=True)
    starts = starts_of(net, _positions(net, history.fixes, seen, ground.policy)).rows(which)
    start = np.searchsorted(snapshot, np.arange(len(at_s) + 1))
    middles = Middles(net, hierarchy, starts, start)
    roads = ground.cell_start, ground.edge, ground.road_mm, ground.limit_ms
    for block in nearest_over_time(hierarchy, seeds_of(net, starts, start), k=2):
        label, lanes = middles.labels(block), hour[block.first : block.first + block.count]
        add_beyond(*roads, label, lanes, len(ground.cell), late_mm.ravel(), time_mm.ravel())


def _positions(
    net: RoadNetwork, fixes: Fixes, row: IntArray, policy: Policy
) -> list[Position | None]:
    """Put fixes on the road as `geo.roster` does: a parked car's heading chooses nothing."""
    speed_mps = fixes.speed_mps[row]
    return snap_all(
        net,
        fixes.lon_deg[row],
        fixes.lat_deg[row],
        np.where(speed_mps < policy.standing_below_mps, np.nan, fixes.heading_deg[row]),
        accuracy_m=fixes.accuracy_m[row],
        speed_mps=speed_mps,
    )


def _stops(
    net: RoadNetwork, ground: Ground, history: History, hour: IntArray
) -> tuple[IntArray, IntArray]:
    """List the stops with a place that began in the hours looked at, by rows of hours and cells."""
    edge, began_s = stops_begun(net, history)
    began = local_hours(began_s, ground.zone)
    row = np.minimum(np.searchsorted(hour, began), len(hour) - 1)
    seen = hour[row] == began
    return row[seen], ground.cell_of_edge[edge[seen]]

"""Where and when the first and the second idle unit were too far away (model, section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from scipy import sparse

from data.settings import Settings
from geo.cells import cells_of_edges
from geo.coverage import edge_within_s
from geo.demand import stops_begun
from geo.hierarchy import Hierarchy
from geo.history import Middles, nearest_over_time, seeds_of
from geo.hours import MONDAY, WEEK_HOURS, local_hours
from geo.snap import snap_all
from geo.snapshots import idle_fixes, snapshot_times
from geo.starts import starts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from data.beats import Beat
    from data.events import Fixes, History
    from data.road_table import FloatArray, IntArray
    from data.settings import Policy
    from geo.network import RoadNetwork
    from geo.snap import Position

AT_ONCE = 960  # snapshots whose units are put on the road together; bounds the memory
BIN_S, BINS = 10.0, 180  # of the drive times that percentiles are read from: up to half an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCover:
    """
    How much road was out of reach, hour by hour.

    Parameters
    ----------
    cell : ndarray of str, shape (c,)
        H3 cells with road.
    road_km : ndarray of float64, shape (c,)
        Length of road in each, a two-way street once.
    street : tuple of str, length c
        The name with most road in each; "" where none has one.
    hour : ndarray of int64, shape (h,)
        Hours that were looked at, rising: whole hours of local time since 1970-01-01 00:00.
    snapshots : ndarray of int64, shape (h,)
        Instants looked at in each.
    beyond : ndarray of float32, shape (h, c, 2)
        Share of a cell's road, mean of the hour's snapshots, whose first and whose second idle
        unit was further than T, or not there.
    drive_time_km : ndarray of float64, shape (c, 2, 181)
        Road, summed over all snapshots, by drive time in bins of 10 s from 0; the last is all
        above half an hour, and nobody.
    stops : ndarray of int64, shape (h, c)
        Stops that began there then.
    """

    cell: npt.NDArray[np.str_]
    road_km: FloatArray
    street: tuple[str, ...]
    hour: IntArray
    snapshots: IntArray
    beyond: npt.NDArray[np.float32]
    drive_time_km: FloatArray
    stops: IntArray

    @property
    def hour_of_week(self) -> IntArray:
        """Of each hour, 0 for Monday from midnight, local time."""
        return (self.hour - MONDAY) % WEEK_HOURS

    @property
    def day(self) -> IntArray:
        """Of each hour, local days since 1970-01-01."""
        return self.hour // 24


def past_cover(
    net: RoadNetwork,
    history: History,
    *,
    settings: Settings | None = None,
    beats: Sequence[Beat] = (),
    every_s: float = 60.0,
) -> PastCover:
    """
    Work out how soon the first and the second idle unit could have been anywhere, all along.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    history : History
        Positions, statuses and stops.
    settings : Settings or None
        None for the defaults.
    beats : sequence of Beat
        With a T of their own.
    every_s : float
        From snapshot to snapshot, seconds.

    Returns
    -------
    past : PastCover
        Each snapshot as `geo.coverage.cover` gives it.

    Raises
    ------
    InputError
        If the history does not tell which units were idle.
    """
    settings = settings or Settings()
    zone = ZoneInfo(settings.units.time_zone)
    at_s = snapshot_times(history, every_s)
    hour, row, snapshots = np.unique(
        local_hours(at_s, zone), return_inverse=True, return_counts=True
    )
    cell, cell_of_edge = cells_of_edges(net)
    road_m = np.maximum(net.table.road_m, 1e-3)  # as in `geo.cells`
    km = sparse.csr_array(
        (road_m / 1000, (cell_of_edge, np.arange(len(road_m)))), shape=(len(cell), len(road_m))
    )
    road_km: FloatArray = km.sum(axis=1)
    limit_s = edge_within_s(net, beats, settings.policy.within_s)[:, None, None]
    beyond = np.zeros((len(hour), len(cell), 2))
    drive_time_km = np.zeros(len(cell) * 2 * (BINS + 1))
    key = (cell_of_edge[:, None] * 2 + np.arange(2)) * (BINS + 1)
    for first, time_s in _drive_times(net, history, at_s, settings):
        count = time_s.shape[1]
        late = (~(time_s <= limit_s)).reshape(len(road_m), -1).astype(np.float64)
        late_km = np.asarray(km @ late)
        share = late_km.reshape(len(cell), count, 2) / road_km[:, None, None]
        np.add.at(beyond, row[first : first + count], share.swapaxes(0, 1))
        bin_of = np.minimum(time_s / BIN_S, BINS).astype(np.int64) + key[:, None, :]
        weight = np.broadcast_to((road_m / 1000)[:, None, None], bin_of.shape)
        drive_time_km += np.bincount(bin_of.ravel(), weight.ravel(), len(drive_time_km))
    return PastCover(
        cell=cell,
        road_km=road_km,
        street=_streets(net, cell_of_edge, len(cell)),
        hour=hour,
        snapshots=snapshots,
        beyond=(beyond / snapshots[:, None, None]).astype(np.float32),
        drive_time_km=drive_time_km.reshape(len(cell), 2, BINS + 1),
        stops=_stops(net, history, hour, zone, cell_of_edge, len(cell)),
    )


def _drive_times(
    net: RoadNetwork, history: History, at_s: FloatArray, settings: Settings
) -> Iterator[tuple[int, FloatArray]]:
    """Give the drive times of all edges, block after block: the first snapshot, (m, count, 2)."""
    hierarchy = Hierarchy.of(net.forward)
    for begin in range(0, len(at_s), AT_ONCE):
        some_s = at_s[begin : begin + AT_ONCE]
        fix = idle_fixes(history, some_s, settings.policy)
        snapshot, unit = np.nonzero(fix >= 0)
        seen, which = np.unique(fix[snapshot, unit], return_inverse=True)
        starts = starts_of(net, _positions(net, history.fixes, seen, settings.policy)).rows(which)
        start = np.searchsorted(snapshot, np.arange(len(some_s) + 1))
        middles = Middles(net, hierarchy, starts, start)
        for block in nearest_over_time(hierarchy, seeds_of(net, starts, start), k=2):
            yield begin + block.first, middles.read(block)[1]


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
    net: RoadNetwork,
    history: History,
    hour: IntArray,
    zone: ZoneInfo,
    cell_of_edge: IntArray,
    cells: int,
) -> IntArray:
    """Count the stops with a place that began in each cell in each hour looked at."""
    edge, began_s = stops_begun(net, history)
    began = local_hours(began_s, zone)
    counts = np.zeros((len(hour), cells), np.int64)
    row = np.minimum(np.searchsorted(hour, began), len(hour) - 1)
    seen = hour[row] == began
    np.add.at(counts, (row[seen], cell_of_edge[edge[seen]]), 1)
    return counts


def _streets(net: RoadNetwork, cell_of_edge: IntArray, cells: int) -> tuple[str, ...]:
    """Name each cell by the street with most road in it."""
    metres: list[dict[str, float]] = [{} for _ in range(cells)]
    for edge, (cell, road_m) in enumerate(
        zip(cell_of_edge.tolist(), net.table.road_m.tolist(), strict=True)
    ):
        if name := net.table.street(edge):
            metres[cell][name] = metres[cell].get(name, 0.0) + road_m
    return tuple(max(sorted(one), key=one.__getitem__, default="") for one in metres)

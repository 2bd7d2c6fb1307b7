"""Where and when the first and the second idle unit were too far away (model, section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data.errors import InputError
from data.settings import Settings
from geo.cells import streets_of_cells
from geo.hierarchy import Hierarchy
from geo.hours import MONDAY, WEEK_HOURS
from geo.kernels.beyond import BIN_MS, BINS
from geo.past_day import WHOLE, Ground, past_day
from geo.past_parts import Posted, Recorded, load, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from data.beats import Beat
    from data.events import History
    from data.road_table import FloatArray, IntArray
    from geo.network import RoadNetwork
    from geo.past_day import PastDay

BIN_S = BIN_MS / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCover:
    """
    How much road was out of reach, by hour of week: a year takes no more room than a week.

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
    all_road : ndarray of float64, shape (h, 2)
        Share of all road, mean of the hour's snapshots, whose first and whose second idle unit was
        further than T, or not there.
    hours_beyond : ndarray of float64, shape (168, c, 2)
        The same share of a cell's road, summed over the hours looked at of each hour of the week.
    drive_time_km : ndarray of float64, shape (c, 2, 181)
        Road, summed over all snapshots, by drive time in bins of 10 s from 0; the last is all
        above half an hour, and nobody.
    stops : ndarray of int64, shape (168, c)
        Stops that began there in each hour of the week.
    stops_begun : ndarray of int64, shape (h,)
        Stops that began anywhere in each hour that was looked at.
    stops_beyond : ndarray of float64, shape (h, 2)
        The same stops, each by the share of its cell that was beyond T in that hour.
    """

    cell: npt.NDArray[np.str_]
    road_km: FloatArray
    street: tuple[str, ...]
    hour: IntArray
    snapshots: IntArray
    all_road: FloatArray
    hours_beyond: FloatArray
    drive_time_km: FloatArray
    stops: IntArray
    stops_begun: IntArray
    stops_beyond: FloatArray

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
    posts: Sequence[tuple[str, float, float]] = (),
    progress: Callable[[float], None] | None = None,
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
    posts : sequence of (unit_id, lon_deg, lat_deg)
        These units stand there whenever they are available, in place of where they were.
    progress : callable or None
        Told after each day what share of them is done.

    Returns
    -------
    past : PastCover
        Each snapshot as `geo.coverage.cover` gives it.

    Raises
    ------
    InputError
        If the history does not tell which units were idle.
    """
    chosen, recorded = settings or Settings(), Recorded(history)
    ground = Ground.of(net, chosen, beats)
    hierarchy, total = Hierarchy.of(net.forward), PastSum(ground)
    known = {one.unit_id for one in history.statuses}
    posted = [Posted.of(post, known) for post in posts]
    parts = parts_of(
        recorded.days,
        recorded.fix_days,
        recorded.told,
        zone=ground.zone,
        policy=chosen.policy,
        every_s=every_s,
        last_s=recorded.last_s,
    )
    for number, part in enumerate(parts):
        at_s, seen = load(part, recorded.read, chosen.policy, posted)
        if len(at_s):
            total.add(past_day(net, hierarchy, ground, seen, at_s))
        if progress:
            progress((number + 1) / (len(recorded.fix_days) + 1))
    return total.past(net)


class PastSum:
    """
    Days added up, in any order.

    Parameters
    ----------
    ground : Ground
        Of the days.
    """

    def __init__(self, ground: Ground) -> None:
        cells = len(ground.cell)
        self._ground = ground
        self._hours: list[tuple[IntArray, ...]] = []
        self._share = np.zeros((WEEK_HOURS, cells, 2), np.int64)
        self._time_mm = np.zeros((cells, 2, BINS + 1), np.int64)
        self._stops = np.zeros((WEEK_HOURS, cells), np.int64)

    def add(self, day: PastDay) -> None:
        """
        Add a day.

        Parameters
        ----------
        day : PastDay
            Of hours that none of the days before had.
        """
        week = (day.hour - MONDAY) % WEEK_HOURS
        begun = np.bincount(day.stop_hour, minlength=len(day.hour))
        beyond = np.zeros((len(day.hour), 2), np.int64)
        np.add.at(beyond, day.stop_hour, day.share[day.stop_hour, day.stop_cell])
        self._hours.append((day.hour, day.snapshots, day.late_mm, begun, beyond))
        np.add.at(self._share, week, day.share)
        self._time_mm += day.time_mm.astype(np.int64)
        np.add.at(self._stops, (week[day.stop_hour], day.stop_cell), 1)

    def past(self, net: RoadNetwork) -> PastCover:
        """
        Give the sum.

        Parameters
        ----------
        net : RoadNetwork
            The roads.

        Returns
        -------
        past : PastCover
            The same for the same days.

        Raises
        ------
        InputError
            If nothing was looked at.
        """
        if not self._hours:
            raise InputError("fixes: none within the period; nothing can be looked at")
        columns = map(np.concatenate, zip(*self._hours, strict=True))
        hour, snapshots, late_mm, begun, beyond = columns
        order = np.argsort(hour)
        ground = self._ground
        whole_mm = snapshots[:, None] * ground.cell_mm.sum()
        return PastCover(
            cell=ground.cell,
            road_km=ground.cell_mm / 1e6,
            street=streets_of_cells(net, ground.cell_of_edge, len(ground.cell)),
            hour=hour[order],
            snapshots=snapshots[order],
            all_road=(late_mm / whole_mm)[order],
            hours_beyond=self._share / WHOLE,
            drive_time_km=self._time_mm / 1e6,
            stops=self._stops,
            stops_begun=begun[order],
            stops_beyond=beyond[order] / WHOLE,
        )

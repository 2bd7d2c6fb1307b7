"""Where stops begin: those recorded, and a few hundred points that stand for all roads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.backup import chance_within, reach_s
from geo.coverage import edge_within_s, lost_shares
from geo.hours import WEEK_HOURS, hours_of_week, local_hours, week_hour
from geo.snap import middle_of, snap_all
from geo.snapshots import begun_of, with_places
from geo.staleness import WORKING
from geo.standing import StandingStops

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from data.beats import Beat
    from data.events import History
    from data.road_table import FloatArray, Int32Array, IntArray
    from data.settings import Policy
    from geo.network import RoadNetwork
    from geo.starts import Starts

MOST_POINTS = 400
WEIGHT_OF_ROAD = 20.0  # stops that the even spread over road, and over hours, counts for
_SEEN_EVERY_S = 900.0  # an hour with a fix in one of its quarters was recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """
    Points that stand for the demand of a whole network.

    Parameters
    ----------
    edge : ndarray of int32, shape (z,)
        Directed edges; the point is the middle of each.
    share : ndarray of float64, shape (z,)
        Of all demand, adding up to 1.
    """

    edge: Int32Array
    share: FloatArray


def demand_points(weight: FloatArray, most: int = MOST_POINTS) -> Demand:
    """
    Choose points that stand for the demand.

    Parameters
    ----------
    weight : ndarray of float64, shape (m,)
        Of every directed edge, >= 0: its length of road, or how many stops began on it.
    most : int
        How many points, at most.

    Returns
    -------
    demand : Demand
        All edges with their weights where those are few. Else a systematic sample of equal shares:
        edges follow each other along a Hilbert curve, so that equal steps of cumulated weight are
        spread over the ground as the weight is (Madow 1949, Annals of Mathematical Statistics 20).
    """
    weighted = np.flatnonzero(weight > 0).astype(np.int32)
    if len(weighted) <= most:
        return Demand(edge=weighted, share=weight[weighted] / max(weight.sum(), 1e-300))
    upto = np.cumsum(weight)
    steps = (np.arange(most) + 0.5) / most * upto[-1]
    edge = np.searchsorted(upto, steps, side="right").astype(np.int32)
    return Demand(edge=edge, share=np.full(most, 1 / most))


def stops_begun(net: RoadNetwork, history: History) -> tuple[IntArray, FloatArray]:
    """
    Put the stops of a recorded period on the road, each where and when it began.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    history : History
        Stops without a place (`geo.snapshots.with_places`), or far from any road, are left out.

    Returns
    -------
    edge : ndarray of int, shape (s,)
        The edge each began on.
    began_s : ndarray of float64, shape (s,)
        Seconds since 1970, UTC.
    """
    first = {one.stop.stop_id: one for one in reversed(history.stops)}
    placed = [one for one in first.values() if one.stop.lon_deg is not None]
    lon, lat = (
        np.array([getattr(one.stop, name) for one in placed], np.float64)
        for name in ("lon_deg", "lat_deg")
    )
    positions = snap_all(net, lon, lat, np.full(len(placed), np.nan))
    found = [
        (position.edge, begun_of(one).timestamp())
        for one, position in zip(placed, positions, strict=True)
        if position is not None
    ]
    edge, began_s = zip(*found, strict=True) if found else ((), ())
    return np.array(edge, np.int64), np.array(began_s, np.float64)


def expected_stops(
    net: RoadNetwork, history: History, *, at: datetime, zone: ZoneInfo
) -> tuple[FloatArray, int]:
    """
    Estimate how many stops begin on each edge in an hour such as this one.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    history : History
        Its fixes tell which hours were recorded; stops of other hours do not count.
    at : datetime
        An instant of the hour, timezone-aware.
    zone : ZoneInfo
        Of the hours of the week.

    Returns
    -------
    stops_an_hour : ndarray of float64, shape (m,)
        All stops, shared out over edges and over hours of the week apart from each other, each
        shrunk towards an even spread, over road and over the recorded hours, as if that had been
        seen in 20 stops. In an hour of the week never recorded, the mean of the others.
    recorded : int
        Stops it rests on: those near a road, by their own place or by where their unit was.
    """
    edge, began_s = stops_begun(net, with_places(history))
    began = local_hours(began_s, zone)
    seen_s = np.unique(history.fixes.received_at_s // _SEEN_EVERY_S) * _SEEN_EVERY_S
    seen = np.unique(local_hours(seen_s, zone))
    kept = np.isin(began, seen)
    edge, begun = edge[kept], np.bincount(week_hour(began[kept]), minlength=WEEK_HOURS)
    hours = np.bincount(week_hour(seen), minlength=WEEK_HOURS)
    hour, total = int(hours_of_week(np.array([at.timestamp()]), zone)[0]), len(edge)
    even = 1 / max(int(hours.sum()), 1)
    when = even
    if hours[hour]:
        shrunk = begun[hour] + WEIGHT_OF_ROAD * hours[hour] * even
        when = shrunk / (total + WEIGHT_OF_ROAD) / hours[hour]
    road_m = net.table.road_m
    where = np.bincount(edge, minlength=len(road_m)) + WEIGHT_OF_ROAD * road_m / road_m.sum()
    return total * when * where / (total + WEIGHT_OF_ROAD), total


class Zones:
    """
    The demand points with the way to each held, as that to a standing stop is.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    policy : Policy
        Constants.
    beats : sequence of Beat
        With a T of their own.
    """

    def __init__(self, net: RoadNetwork, policy: Policy, beats: Sequence[Beat]) -> None:
        self._policy = policy
        self._demand = demand_points(net.table.road_m)
        self._within_s = edge_within_s(net, beats, policy.within_s)[self._demand.edge]
        limit_s = reach_s(float(self._within_s.max()), policy)
        self._standing = StandingStops(net, within_s=limit_s)
        for i, edge in enumerate(self._demand.edge.tolist()):
            self._standing.put(str(i), middle_of(net, edge))

    def share_within(self, starts: Starts) -> float:
        """
        Give the share of demand that somebody could be at within T.

        Parameters
        ----------
        starts : Starts
            Where idle units are.

        Returns
        -------
        share : float
            0 to 1, by plain drive times.
        """
        soonest_s = self._standing.drive_times_s(starts).min(axis=0, initial=np.inf)
        return float(self._demand.share[soonest_s <= self._within_s].sum())

    def lost_shares(self, starts: Starts, effective_age_s: FloatArray) -> FloatArray:
        """
        Give L of idle units: the share of demand that loses its cover while each is away.

        Parameters
        ----------
        starts : Starts
            Where the u idle units are.
        effective_age_s : ndarray of float64, shape (u,)
            a of the model.

        Returns
        -------
        lost : ndarray of float64, shape (u,)
            0 to 1.
        """
        tau_s = self._standing.drive_times_s(starts) + WORKING * effective_age_s[:, None]
        chance = np.zeros(tau_s.shape, np.float32)
        unit, point = np.nonzero(np.isfinite(tau_s))
        within_s = self._within_s[point]
        near = chance_within(tau_s[unit, point], within_s, self._policy)
        chance[unit, point] = self._policy.comes_when_asked * near
        return lost_shares(chance, self._demand.share)

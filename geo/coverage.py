"""Drive time from the k nearest idle units, everywhere (model, section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely
from scipy import sparse
from scipy.sparse import csgraph

from data.answers import Coverage, Gap
from data.records import UnitStatus
from data.settings import Settings
from geo.backup import chance_within, reach_s
from geo.nearest import NearestUnits
from geo.roster import muster, open_stops
from geo.router import times_to_middles
from geo.staleness import working_s
from geo.starts import starts_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from data.beats import Beat
    from data.records import Stop, Unit
    from data.road_table import BoolArray, FloatArray
    from data.settings import Policy
    from geo.network import RoadNetwork
    from geo.roster import OnDuty
    from geo.snap import Position

FEWEST_CARS = 3  # preparedness counts three
CERTAIN = 1e-12  # the chance that even a unit that is sure to come does not


def edge_within_s(net: RoadNetwork, beats: Sequence[Beat], within_s: float) -> FloatArray:
    """
    Give T of every edge: that of the beat its middle lies in, else the general one.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    beats : sequence of Beat
        The first that holds a place counts.
    within_s : float
        T elsewhere, seconds.

    Returns
    -------
    within_s : ndarray of float64, shape (m,)
        Seconds.
    """
    limit_s = np.full(len(net.edge_ms), within_s)
    for beat in reversed(beats):
        limit_s[edges_in(net, beat)] = beat.within_s
    return limit_s


def edges_in(net: RoadNetwork, beat: Beat) -> BoolArray:
    """
    Tell which edges lie in a beat, by the middle of their line.

    Returns
    -------
    inside : ndarray of bool, shape (m,)
        True where they do.
    """
    inside: BoolArray = shapely.contains_xy(beat.area, *net.middle_deg)
    return inside


def chances_everywhere(
    net: RoadNetwork,
    positions: Sequence[Position],
    effective_age_s: Sequence[float],
    *,
    within_s: FloatArray,
    policy: Policy,
) -> npt.NDArray[np.float32]:
    """
    Give r F of every unit on every edge.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    positions : sequence of Position, length u
        Of the idle units.
    effective_age_s : sequence of float, length u
        a of the model.
    within_s : ndarray of float64, shape (m,)
        T.
    policy : Policy
        r and the spread.

    Returns
    -------
    chance : ndarray of float32, shape (u, m)
        0 to r.
    """
    horizon_s = reach_s(float(within_s.max()), policy)
    chance = np.zeros((len(positions), len(net.edge_ms)), np.float32)
    for row, (position, age_s) in enumerate(zip(positions, effective_age_s, strict=True)):
        drive_time_s = times_to_middles(net, position, within_s=horizon_s)
        near = np.flatnonzero(np.isfinite(drive_time_s))
        tau_s = working_s(drive_time_s[near], age_s)
        chance[row, near] = policy.comes_when_asked * chance_within(tau_s, within_s[near], policy)
    return chance


def lost_shares(chance: npt.NDArray[np.float32], demand: FloatArray) -> FloatArray:
    """
    Give L_u: the share of demand that loses its cover while a unit is away.

    Parameters
    ----------
    chance : ndarray of float32, shape (u, z)
        r F of every idle unit at every point that stands for the demand.
    demand : ndarray of float64, shape (z,)
        Weight of each point.

    Returns
    -------
    lost : ndarray of float64, shape (u,)
        0 to 1.

    Notes
    -----
    The DMEXCLP marginal with drive-time odds in place of in or out: Jagtenberg, Bhulai and van der
    Mei (2015), Operations Research for Health Care 4, 27-35.
    """
    stays_away = np.maximum(1.0 - chance.astype(np.float64), CERTAIN)
    bare = demand / demand.sum() * stays_away.prod(axis=0)
    lost: FloatArray = (chance / stays_away) @ bare
    return lost


def cover(
    net: RoadNetwork,
    units: Sequence[Unit],
    stops: Sequence[Stop] = (),
    *,
    now: datetime,
    settings: Settings | None = None,
    beats: Sequence[Beat] = (),
    stops_an_hour: FloatArray | None = None,
    cars: int = FEWEST_CARS,
) -> Coverage:
    """
    Work out how soon the first, the second and the k-th idle unit could be anywhere.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    units : sequence of Unit
        One row a unit: its newest at `now`.
    stops : sequence of Stop
        Units on open stops, or assigned to them, are not idle.
    now : datetime
        The instant, timezone-aware.
    settings : Settings or None
        None for the defaults.
    beats : sequence of Beat
        With a T of their own.
    stops_an_hour : ndarray of float64, shape (m,), or None
        Stops expected to begin on each edge, as `geo.demand.expected_stops` gives them; None for
        the rate of the policy, shared out by length of road.
    cars : int
        k: how many units to each edge, 3 at least. All of them come from one search.

    Returns
    -------
    coverage : Coverage
        Drive times are from the last fixes; the allowance for their age is in the probability.
    """
    settings = settings or Settings()
    policy = settings.policy
    limit_s = edge_within_s(net, beats, policy.within_s)
    going_on = open_stops(units, stops, now=now, policy=policy)
    roster = muster(net, units, going_on, now=now, policy=policy)
    idle = [duty for duty in roster if duty.state.askable]
    starts = starts_of(net, [duty.position for duty in idle])
    _, time_s = NearestUnits(net, starts, k=max(cars, FEWEST_CARS)).at_middles()
    nobody = np.ones(len(net.edge_ms))
    for duty in idle:
        if duty.position is not None:
            drive_time_s = times_to_middles(net, duty.position, within_s=np.inf)
            tau_s = working_s(drive_time_s, duty.age.effective_s)
            nobody *= 1 - policy.comes_when_asked * chance_within(tau_s, limit_s, policy)
    gap = ~(time_s[:, 1] <= limit_s)
    return Coverage(
        at=now,
        within_s=policy.within_s,
        nearest_s=time_s,
        stops_an_hour=_by_road(net, roster, policy) if stops_an_hour is None else stops_an_hour,
        probability=1 - nobody,
        gap=gap,
        gaps=_stretches(net, gap),
        units=tuple(duty.state for duty in roster),
        simulated=settings.units.simulated,
    )


def _by_road(net: RoadNetwork, roster: Sequence[OnDuty], policy: Policy) -> FloatArray:
    """Share the stops of all units on duty out over the roads."""
    on_duty = sum(duty.unit.status is not UnitStatus.OUT_OF_SERVICE for duty in roster)
    road_m = net.table.road_m
    return policy.stops_per_unit_hour * on_duty * road_m / max(float(road_m.sum()), 1e-9)


def _stretches(net: RoadNetwork, gap: BoolArray) -> tuple[Gap, ...]:
    """Join the edges of gaps that meet at a node, longest stretch first."""
    table = net.table
    edges = np.flatnonzero(gap)
    links = sparse.coo_array(
        (np.ones(len(edges)), (table.tail[edges], table.head[edges])),
        shape=(table.node_count, table.node_count),
    )
    _, part_of_node = csgraph.connected_components(links, directed=False)
    part = part_of_node[table.tail[edges]]
    km = np.bincount(part, weights=table.road_m[edges]) / 1000
    order = np.lexsort((-table.road_m[edges], part))
    _, first = np.unique(part[order], return_index=True)
    longest = edges[order[first]]
    stretches = [
        Gap(
            km=float(km[part_of_node[table.tail[edge]]]),
            lon_deg=float(lon[len(lon) // 2]),
            lat_deg=float(lat[len(lat) // 2]),
            street=table.street(int(edge)),
        )
        for edge in longest
        for lon, lat in [table.shape(int(edge))]
    ]
    return tuple(sorted(stretches, key=lambda one: (-one.km, one.lon_deg, one.lat_deg)))


def share_within(times_s: FloatArray, limit_s: FloatArray, road_m: FloatArray) -> float:
    """
    Give the share of road that is reached in time.

    Parameters
    ----------
    times_s, limit_s, road_m : ndarray of float64, shape (k,)
        Drive time, T, and length of road of each edge.

    Returns
    -------
    share : float
        0 to 1; NaN where there is no road.
    """
    return float(road_m[times_s <= limit_s].sum() / road_m.sum()) if road_m.sum() else np.nan


def middling_s(nearest_s: FloatArray, road_m: FloatArray) -> FloatArray:
    """
    Give the drive time to a zone from each of its nearest units: the median over its road.

    Parameters
    ----------
    nearest_s : ndarray of float64, shape (e, k)
        To each edge of the zone.
    road_m : ndarray of float64, shape (e,)
        Length of road of each.

    Returns
    -------
    time_s : ndarray of float64, shape (k,)
        Inf where less than half of it is reached.
    """
    return np.array([road_quantile(one_s, road_m, 0.5) for one_s in nearest_s.T])


def road_quantile(times_s: FloatArray, road_m: FloatArray, share: float) -> float:
    """
    Give the drive time within which a share of the road is reached.

    Parameters
    ----------
    times_s, road_m : ndarray of float64, shape (k,)
        Drive time and length of road of each edge.
    share : float
        0 to 1.

    Returns
    -------
    time_s : float
        Inf where not so much of it is reached at all.
    """
    order = np.argsort(times_s, kind="stable")
    reached = np.cumsum(road_m[order])
    row = np.searchsorted(reached, share * reached[-1])
    return float(times_s[order][min(row, len(order) - 1)])

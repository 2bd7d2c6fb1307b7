"""The units as they stand at an instant: where on the road, how fresh, and who could be asked."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from data import words
from data.answers import UnitState
from data.records import STATUS_STOP, Freshness, Stop, Unit, UnitStatus
from data.road_table import METRES_PER_DEG
from geo.snap import FAR_M, snap_all
from geo.staleness import age_of, is_standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from data.records import Ask
    from data.road_table import FloatArray
    from data.settings import Policy
    from geo.network import RoadNetwork
    from geo.snap import Position
    from geo.staleness import Age

HOUR = timedelta(hours=1)
WALK_MPS = 1.4  # a comfortable pace of grown men: Bohannon 1997, Age and Ageing 26, 15-19


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """
    One unit, ready to be reckoned with.

    Parameters
    ----------
    state : UnitState
        Who it is, its age of fix, and whether it could be asked.
    position : Position or None
        On the road; None where no road is near.
    age : Age
        Of its fix.
    asks : tuple of datetime
        When it was asked before, oldest first.
    """

    state: UnitState
    position: Position | None
    age: Age
    asks: tuple[datetime, ...]

    @property
    def unit(self) -> Unit:
        """As reported."""
        return self.state.unit

    @property
    def unit_id(self) -> str:
        """Its call sign."""
        return self.state.unit.unit_id

    def asks_last_hour(self, now: datetime) -> int:
        """Count how often it was asked in the hour before `now`."""
        return sum(now - HOUR < asked_at <= now for asked_at in self.asks)


def stop_place(stop: Stop, unit: Unit | None) -> tuple[float, float] | None:
    """
    Say where a stop is: its own place, else where its unit was last seen.

    Returns
    -------
    lon_deg, lat_deg : float, or None
        None where nobody knows.
    """
    if stop.lon_deg is not None and stop.lat_deg is not None:
        return stop.lon_deg, stop.lat_deg
    return (unit.fix.lon_deg, unit.fix.lat_deg) if unit else None


def metres_to_stop(unit: Unit, place: tuple[float, float] | None) -> float:
    """
    Measure from a unit's fix to a stop, as the crow flies.

    Returns
    -------
    distance_m : float
        Inf where nobody knows the place.
    """
    return metres_between(unit.fix.lon_deg, unit.fix.lat_deg, place)


def metres_between(lon_deg: float, lat_deg: float, place: tuple[float, float] | None) -> float:
    """
    Measure from a position to a stop, as the crow flies.

    Returns
    -------
    distance_m : float
        Inf where nobody knows the place.
    """
    if place is None:
        return math.inf
    east = (lon_deg - place[0]) * math.cos(math.radians(place[1]))
    return math.hypot(east, lat_deg - place[1]) * METRES_PER_DEG


def walk_s(distance_m: float, policy: Policy) -> float:
    """
    Say how long who stands beside a stop walks there, whatever way a car would have to take.

    Parameters
    ----------
    distance_m : float
        As the crow flies.
    policy : Policy
        Its `present_within_m`.

    Returns
    -------
    walk_s : float
        Inf for who is not beside it.
    """
    return distance_m / WALK_MPS if distance_m <= policy.present_within_m else math.inf


def open_stops(
    units: Sequence[Unit], stops: Sequence[Stop], *, now: datetime, policy: Policy
) -> list[Stop]:
    """
    List the stops that go on, also those that nobody recorded but a unit's status tells of.

    Parameters
    ----------
    units : sequence of Unit
        One row a unit.
    stops : sequence of Stop
        On record.
    now : datetime
        The instant.
    policy : Policy
        How near backup is at a stop.

    Returns
    -------
    stops : list of Stop
        By stop_id. A unit that shows itself on a stop makes one, unless it has one on record or
        stands, as its backup, beside another's.
    """
    by_id = {unit.unit_id: unit for unit in units}
    going_on = [stop for stop in stops if stop.is_open(now)]
    accounted = {stop.unit_id for stop in going_on}
    for stop in going_on:
        place = stop_place(stop, by_id.get(stop.unit_id))
        accounted |= {
            unit_id
            for unit_id in stop.backup
            if unit_id in by_id and metres_to_stop(by_id[unit_id], place) <= policy.present_within_m
        }
    going_on += [
        Stop(
            stop_id=STATUS_STOP + unit.unit_id,
            unit_id=unit.unit_id,
            started_at=None,
            from_status=True,
        )
        for unit in units
        if unit.status is UnitStatus.ON_STOP and unit.unit_id not in accounted
    ]
    return sorted(going_on, key=lambda stop: stop.stop_id)


def muster(
    net: RoadNetwork,
    units: Sequence[Unit],
    stops: Sequence[Stop],
    *,
    now: datetime,
    policy: Policy,
    asked: Iterable[Ask] = (),
) -> list[OnDuty]:
    """
    Put every unit on the road and say whether it could be asked to roll by.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    units : sequence of Unit
        One row a unit.
    stops : sequence of Stop
        That are open.
    now : datetime
        The instant.
    policy : Policy
        Ages and caps.
    asked : iterable of Ask
        Earlier requests.

    Returns
    -------
    roster : list of OnDuty
        By unit_id, so that the order of rows changes nothing.
    """
    units = sorted(units, key=lambda unit: unit.unit_id)
    busy_with = {unit_id: f"backup of {stop.stop_id}" for stop in stops for unit_id in stop.backup}
    busy_with |= {stop.unit_id: f"on stop {stop.stop_id}" for stop in stops}
    asks: dict[str, list[datetime]] = {unit.unit_id: [] for unit in units}
    for ask in sorted(asked, key=lambda ask: ask.asked_at):
        asks.setdefault(ask.unit_id, []).append(ask.asked_at)
    roster = []
    for unit, position in zip(units, _positions(net, units, policy), strict=True):
        age = age_of(unit.fix, now=now, policy=policy)
        own = tuple(asks[unit.unit_id])
        recent = sum(now - HOUR < asked_at <= now for asked_at in own)
        why_not = _why_not(unit, age, busy_with.get(unit.unit_id, ""), position)
        if not why_not and recent >= policy.asks_per_hour_max:
            why_not = f"asked {words.count(recent, 'time')} in the last hour"
        state = UnitState(
            unit=unit,
            fix_age_s=age.fix_age_s,
            freshness=age.freshness,
            askable=not why_not,
            why_not=why_not,
        )
        roster.append(OnDuty(state=state, position=position, age=age, asks=own))
    return roster


def _positions(net: RoadNetwork, units: Sequence[Unit], policy: Policy) -> list[Position | None]:
    """Snap all units; a parked car's heading is the receiver's guess and chooses nothing."""
    fixes = [unit.fix for unit in units]
    return snap_all(
        net,
        np.array([fix.lon_deg for fix in fixes]),
        np.array([fix.lat_deg for fix in fixes]),
        np.array(
            [
                np.nan if fix.heading_deg is None or is_standing(fix, policy) else fix.heading_deg
                for fix in fixes
            ]
        ),
        accuracy_m=_or_nan([fix.accuracy_m for fix in fixes]),
        speed_mps=_or_nan([fix.speed_mps for fix in fixes]),
    )


def _or_nan(figures: Sequence[float | None]) -> FloatArray:
    """Write figures as the snap takes them."""
    return np.array([np.nan if figure is None else figure for figure in figures])


def _why_not(unit: Unit, age: Age, busy_with: str, position: Position | None) -> str:
    """Say why a unit cannot be asked; "" where it can."""
    if busy_with:
        return busy_with
    if unit.status is not UnitStatus.AVAILABLE:
        return unit.status.value.replace("_", " ")
    if age.freshness is Freshness.STALE:
        return f"fix {words.age(age.fix_age_s)} old"
    if (unit.fix.accuracy_m or 0) > FAR_M:
        return f"fix only good to {unit.fix.accuracy_m:.0f} m"
    if position is None:
        return f"no road within {FAR_M:.0f} m of its fix"
    return ""


def count_reasons(roster: Iterable[OnDuty]) -> str:
    """
    Sum up why nobody could be asked: ``3 busy, 1 fix 16 min old``.

    Returns
    -------
    text : str
        Commonest first; "" where there are no units.
    """
    kinds = Counter(_kind(duty.state.why_not) for duty in roster if duty.state.why_not)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())


def _kind(why_not: str) -> str:
    """Drop the particulars of a reason, so that like can be counted with like."""
    for start, kind in (
        ("on stop", "on a stop"),
        ("backup of", "backing up a stop"),
        ("fix only good", "with too coarse a fix"),
        ("fix ", "with too old a fix"),
        ("no road", "off the road network"),
        ("asked", "asked too often this hour"),
    ):
        if why_not.startswith(start):
            return kind
    return why_not

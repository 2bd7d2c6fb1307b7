"""One open stop and all that bears on it: who is there, who could be, how exposed it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from data import words
from data.answers import NearUnit
from data.records import Flag, Freshness, UnitStatus
from geo.backup import backup_probability, chance_within, flag_stop
from geo.roster import metres_to_stop, stop_place
from geo.router import search_back
from geo.snap import FAR_M, NEAR_M, snap
from geo.staleness import bounds_s, working_s

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from data.answers import Route
    from data.beats import Beat
    from data.records import Stop
    from data.settings import Policy, Settings
    from geo.network import RoadNetwork
    from geo.roster import OnDuty
    from geo.router import Backward
    from geo.snap import Position

NEAREST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """
    A unit's way to a stop.

    Parameters
    ----------
    duty : OnDuty
        The unit.
    drive_time_s : float
        From its last fix; inf where there is no way.
    tau_s : float
        With the allowance for the fix's age.
    chance : float
        F, of being there within T.
    counts : bool
        Could be asked for this stop, or is assigned to it: enters G.
    assigned : bool
        Is on its way as this stop's backup.
    """

    duty: OnDuty
    drive_time_s: float
    tau_s: float
    chance: float
    counts: bool
    assigned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """
    One open stop, worked out.

    Parameters
    ----------
    stop : Stop
        As recorded.
    place : tuple of float or None
        lon_deg, lat_deg.
    times : Backward or None
        Every drive time to it; None where it is not on the road.
    within_s : float
        T here.
    age_s : float or None
        Since it began.
    present : int
        Officers there.
    approaches : tuple of Approach
        Of every other unit on duty, soonest first, ties by unit_id.
    notes : tuple of str
        What a reader should know.
    probability : float
        G.
    flag : Flag
        covered, thin or alone.
    priority : float
        short x m x D x (1 - G), officer-minutes.
    """

    stop: Stop
    place: tuple[float, float] | None
    times: Backward | None
    within_s: float
    age_s: float | None
    present: int
    approaches: tuple[Approach, ...]
    notes: tuple[str, ...]
    probability: float
    flag: Flag
    priority: float

    @property
    def short(self) -> int:
        """Officers wanted and not there."""
        return max(0, self.stop.needs - self.present)

    @property
    def assigned(self) -> list[Approach]:
        """Backup on its way that can get there, soonest first."""
        return [one for one in self.approaches if one.assigned and np.isfinite(one.tau_s)]

    @property
    def street(self) -> str:
        """Name of its road; "" where it has none, or the stop is not on the road."""
        return self.times.net.table.street(self.times.place.edge) if self.times else ""

    def route(self, duty: OnDuty) -> Route | None:
        """
        Give a unit's way to the stop.

        Returns
        -------
        route : Route or None
            None where there is no way, or one of them is not on the road.
        """
        return self.times.route(duty.position) if self.times and duty.position else None

    def nearest(self) -> tuple[NearUnit, ...]:
        """
        Name the units that can reach the stop soonest, whatever their status.

        Returns
        -------
        nearest : tuple of NearUnit
            Up to five.
        """
        return tuple(
            _near_unit(one) for one in self.approaches[:NEAREST] if np.isfinite(one.drive_time_s)
        )


def _near_unit(one: Approach) -> NearUnit:
    """Write an approach as the answer shows it."""
    state = one.duty.state
    t_lo_s, t_hi_s = bounds_s(one.drive_time_s, one.duty.age.effective_s)
    return NearUnit(
        unit_id=state.unit.unit_id,
        agency=state.unit.agency,
        status=state.unit.status,
        officers=state.unit.officers,
        drive_time_s=one.drive_time_s,
        t_lo_s=t_lo_s,
        t_hi_s=t_hi_s,
        probability=one.chance,
        fix_age_s=state.fix_age_s,
        freshness=state.freshness,
        assigned=one.assigned,
    )


def drive_limit_s(policy: Policy, within_s: float) -> float:
    """
    Give the longest drive that is asked of anybody.

    Returns
    -------
    limit_s : float
        Seconds, against tau.
    """
    return max(policy.drive_max_s, 2 * within_s)


def expose(
    net: RoadNetwork,
    stop: Stop,
    roster: Sequence[OnDuty],
    *,
    now: datetime,
    settings: Settings,
    beats: Sequence[Beat] = (),
) -> Exposure:
    """
    Work out one stop.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    stop : Stop
        That is open.
    roster : sequence of OnDuty
        All units.
    now : datetime
        The instant.
    settings : Settings
        Policy and sharing.
    beats : sequence of Beat
        With a T of their own.

    Returns
    -------
    exposure : Exposure
        Also for a stop off the road, or of which nobody knows the place: it stays on the list.
    """
    policy = settings.policy
    own = next((duty for duty in roster if duty.unit_id == stop.unit_id), None)
    place = stop_place(stop, own.unit if own else None)
    position = _on_road(net, stop, place, own)
    within_s = _within_s(place, beats, policy)
    present, backup_notes = _presence(stop, place, own, roster, policy)
    others = [
        duty
        for duty in roster
        if duty is not own and duty.unit.status is not UnitStatus.OUT_OF_SERVICE
    ]
    times, drive_times_s = _drive_times(net, position, others, drive_limit_s(policy, within_s))
    approaches = _approaches(stop, own, others, drive_times_s, place, within_s, settings)
    chances = [one.chance for one in approaches if one.counts]
    probability = backup_probability(chances, policy)
    short = max(0, stop.needs - present)
    return Exposure(
        stop=stop,
        place=place,
        times=times,
        within_s=within_s,
        age_s=None if stop.started_at is None else (now - stop.started_at).total_seconds(),
        present=present,
        approaches=approaches,
        notes=(*_notes(stop, place, position, own, settings.units.speed_unit), *backup_notes),
        probability=probability,
        flag=flag_stop(chances, short=short, policy=policy),
        priority=short
        * policy.weight[stop.phase]  # type: ignore[index]  # an open stop is not cleared
        * policy.duration_min[stop.phase]  # type: ignore[index]
        * (1 - probability),
    )


def _on_road(
    net: RoadNetwork, stop: Stop, place: tuple[float, float] | None, own: OnDuty | None
) -> Position | None:
    """Snap a stop: by its own heading, else as its unit stands if that is all that is known."""
    if place is None:
        return None
    if stop.lon_deg is None and stop.heading_deg is None and own is not None:
        return own.position
    return snap(net, *place, stop.heading_deg)


def _within_s(place: tuple[float, float] | None, beats: Sequence[Beat], policy: Policy) -> float:
    """Give T at a place."""
    if place is not None:
        for beat in beats:
            if shapely.intersects_xy(beat.area, *place):
                return beat.within_s
    return policy.within_s


def _presence(
    stop: Stop,
    place: tuple[float, float] | None,
    own: OnDuty | None,
    roster: Sequence[OnDuty],
    policy: Policy,
) -> tuple[int, list[str]]:
    """Count the officers there; an old fix at the stop proves nobody's presence."""
    present = own.unit.officers if own else 1
    notes = []
    known = {duty.unit_id: duty for duty in roster}
    for unit_id in sorted(set(stop.backup) - {stop.unit_id}):
        duty = known.get(unit_id)
        if duty is None:
            notes.append(f"backup {unit_id} has no position: not counted")
        elif metres_to_stop(duty.unit, place) <= policy.present_within_m:
            if duty.state.freshness is Freshness.STALE:
                age = words.age(duty.state.fix_age_s)
                notes.append(f"backup {unit_id} was last seen here {age} ago: not counted")
            else:
                present += duty.unit.officers
    return present, notes


def _drive_times(
    net: RoadNetwork, position: Position | None, others: Sequence[OnDuty], limit_s: float
) -> tuple[Backward | None, list[float]]:
    """Read all drive times from one search; past the horizon only where too few are within it."""
    if position is None:
        return None, [np.inf] * len(others)
    wanted = min(NEAREST, len(others))
    for within_s in (limit_s, np.inf):
        times = search_back(net, position, within_s=within_s)
        drive_times_s = [
            times.drive_time_s(duty.position) if duty.position else np.inf for duty in others
        ]
        if sum(map(np.isfinite, drive_times_s)) >= wanted:
            break
    return times, drive_times_s


def _approaches(
    stop: Stop,
    own: OnDuty | None,
    others: Sequence[OnDuty],
    drive_times_s: Sequence[float],
    place: tuple[float, float] | None,
    within_s: float,
    settings: Settings,
) -> tuple[Approach, ...]:
    """Reckon each unit's way to the stop."""
    policy = settings.policy
    agency = own.unit.agency if own else ""
    approaches = []
    for duty, drive_time_s in zip(others, drive_times_s, strict=True):
        tau_s = working_s(drive_time_s, duty.age.effective_s)
        fresh = duty.state.freshness is not Freshness.STALE
        there = fresh and metres_to_stop(duty.unit, place) <= policy.present_within_m
        assigned = duty.unit_id in stop.backup and fresh and not there
        may_help = settings.agencies.may_help(duty.unit.agency, agency)
        approaches.append(
            Approach(
                duty=duty,
                drive_time_s=drive_time_s,
                tau_s=tau_s,
                chance=float(chance_within(tau_s, within_s, policy)),
                counts=assigned or (duty.state.askable and may_help),
                assigned=assigned,
            )
        )
    return tuple(sorted(approaches, key=lambda one: (one.drive_time_s, one.duty.unit_id)))


def _notes(
    stop: Stop,
    place: tuple[float, float] | None,
    position: Position | None,
    own: OnDuty | None,
    unit: words.SpeedUnit,
) -> list[str]:
    """Say what a reader should know of the stop itself."""
    notes = []
    if stop.from_status:
        notes.append("from status: the unit shows itself on a stop that nobody recorded")
    if place is None:
        notes.append("place unknown: neither the stop nor its unit has a position")
    elif position is None:
        notes.append(f"no road within {FAR_M:.0f} m: drive times are unknown")
    elif position.offset_m > NEAR_M:
        notes.append(
            f"the nearest road is {words.distance(position.offset_m, unit)} away: check the place"
        )
    if own is None:
        notes.append(f"unit {stop.unit_id} is unknown: counted as one officer, alone")
        return notes
    away_m = metres_to_stop(own.unit, place)
    if own.state.freshness in {Freshness.STALE, Freshness.SILENT}:
        notes.append(f"{stop.unit_id} has been silent for {words.age(own.state.fix_age_s)}")
    if np.isfinite(away_m) and away_m > FAR_M:
        notes.append(f"{stop.unit_id} was last seen {words.distance(away_m, unit)} from this place")
    if own.unit.status is UnitStatus.AVAILABLE:
        notes.append(f"{stop.unit_id} shows available: the stop counts until it is cleared")
    return notes

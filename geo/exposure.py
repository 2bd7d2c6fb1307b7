"""One open stop and all that bears on it: who is there, who could be, how exposed it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from data import words
from data.answers import NearUnit, Route
from data.records import Flag, Freshness, UnitStatus
from geo.backup import backup_probability, chance_within, flag_stop, horizon_s
from geo.roster import metres_to_stop, stop_place, walk_s
from geo.router import search_back
from geo.snap import FAR_M, NEAR_M, UNSURE, opposite, snap
from geo.staleness import bounds_s, working_s
from geo.starts import starts_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from data.beats import Beat
    from data.records import Stop, Unit
    from data.settings import Policy, Settings
    from geo.company import Company
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
        From its last fix; inf where there is no way; for who stands beside the stop, on foot where
        that is sooner.
    away_m : float
        As the crow flies.
    on_foot : bool
        Walks.
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
    away_m: float
    on_foot: bool
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
        way = next((one for one in self.approaches if one.duty is duty), None)
        if way and way.on_foot and self.place:
            fix = duty.unit.fix
            return Route(
                drive_time_s=way.drive_time_s,
                distance_m=way.away_m,
                lon_deg=(fix.lon_deg, self.place[0]),
                lat_deg=(fix.lat_deg, self.place[1]),
                streets=(),
                on_foot=True,
            )
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


def expose(
    net: RoadNetwork,
    stop: Stop,
    roster: Sequence[OnDuty],
    company: Company,
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
    company : Company
        Its assigned backup.
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
    position = on_road(net, stop, place, own.unit if own else None)
    within_s = beat_within_s(place, beats, policy)
    proven, doubts = own_officers(own, place, settings)
    present = proven + sum(duty.unit.officers for duty in company.there)
    others = [
        duty
        for duty in roster
        if duty is not own and duty.unit.status is not UnitStatus.OUT_OF_SERVICE
    ]
    counting = {duty.unit_id for duty in others if _counts(duty, own, company, settings)}
    times, drive_times_s = _drive_times(
        net, position, others, counting, company, horizon_s(within_s, policy)
    )
    away_m = [metres_to_stop(duty.unit, place) for duty in others]
    approaches = _approaches(company, counting, others, drive_times_s, away_m, within_s, policy)
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
        notes=(
            *_notes(net, stop, place, position, own, settings.units.speed_unit),
            *doubts,
            *company.notes,
            *_coming(approaches),
        ),
        probability=probability,
        flag=flag_stop(chances, short=short, policy=policy),
        priority=short
        * policy.weight[stop.phase]  # type: ignore[index]  # an open stop is not cleared
        * policy.duration_min[stop.phase]  # type: ignore[index]
        * (1 - probability),
    )


def on_road(
    net: RoadNetwork, stop: Stop, place: tuple[float, float] | None, own: Unit | None
) -> Position | None:
    """
    Snap a stop, by its own heading, else by the last one of the unit that stands there.

    Returns
    -------
    position : Position or None
        None where nobody knows the place, or no road is near.
    """
    if place is None:
        return None
    heading_deg = stop.heading_deg
    if heading_deg is None and stop.lon_deg is None and own is not None:
        heading_deg = own.fix.heading_deg
    return snap(net, *place, heading_deg, arriving=True)


def beat_at(place: tuple[float, float] | None, beats: Sequence[Beat]) -> Beat | None:
    """
    Give the beat that a place is in.

    Returns
    -------
    beat : Beat or None
        The first that holds it; None outside of all, or where nobody knows the place.
    """
    if place is None:
        return None
    return next((beat for beat in beats if shapely.intersects_xy(beat.area, *place)), None)


def beat_within_s(
    place: tuple[float, float] | None, beats: Sequence[Beat], policy: Policy
) -> float:
    """
    Give T at a place.

    Returns
    -------
    within_s : float
        That of its beat, else the general one.
    """
    beat = beat_at(place, beats)
    return beat.within_s if beat else policy.within_s


def own_officers(
    own: OnDuty | None, place: tuple[float, float] | None, settings: Settings
) -> tuple[int, list[str]]:
    """
    Count the officers of the stop's own car; one, where nothing proves that it is there.

    Returns
    -------
    officers : int
        How many.
    doubts : list of str
        Why not all of them.
    """
    if own is None or own.unit.officers == 1:
        return 1, []
    away_m = metres_to_stop(own.unit, place)
    if own.state.freshness is not Freshness.STALE and away_m <= FAR_M:
        return own.unit.officers, []
    away = words.distance(away_m, settings.units.speed_unit)
    seen = f"last seen {away} from here, {words.age(own.state.fix_age_s)} ago"
    return 1, [f"{own.unit_id} has {own.unit.officers} officers, {seen}: counted as one"]


def _counts(duty: OnDuty, own: OnDuty | None, company: Company, settings: Settings) -> bool:
    """Tell whether a unit enters G: it could be asked for this stop, or is on its way to it."""
    agency = own.unit.agency if own else ""
    may_help = settings.agencies.may_help(duty.unit.agency, agency)
    return duty in company.coming or (duty.state.askable and may_help)


def _drive_times(
    net: RoadNetwork,
    position: Position | None,
    others: Sequence[OnDuty],
    counting: Collection[str],
    company: Company,
    first_s: float,
) -> tuple[Backward | None, list[float]]:
    """
    Read all drive times from one search within the horizon.

    It goes past the horizon where that leaves fewer than the five nearest to name, backup on its
    way without a time, or nobody that could be asked.
    """
    if position is None:
        return None, [np.inf] * len(others)
    wanted = min(NEAREST, len(others))
    starts = starts_of(net, [duty.position for duty in others])
    for within_s in (first_s, np.inf):
        times = search_back(net, position, within_s=within_s)
        drive_times_s = times.drive_times_s(starts).tolist()
        reached = {
            duty.unit_id
            for duty, time_s in zip(others, drive_times_s, strict=True)
            if np.isfinite(time_s)
        }
        all_coming = reached.issuperset(duty.unit_id for duty in company.coming)
        if (
            len(reached) >= wanted
            and all_coming
            and (reached.intersection(counting) or not counting)
        ):
            break
    return times, drive_times_s


def _approaches(
    company: Company,
    counting: Collection[str],
    others: Sequence[OnDuty],
    drive_times_s: Sequence[float],
    away_m: Sequence[float],
    within_s: float,
    policy: Policy,
) -> tuple[Approach, ...]:
    """Reckon each unit's way to the stop."""
    approaches = []
    for duty, by_road_s, distance_m in zip(others, drive_times_s, away_m, strict=True):
        drive_time_s = min(by_road_s, walk_s(distance_m, policy))
        tau_s = working_s(drive_time_s, duty.age.effective_s)
        near = drive_time_s <= horizon_s(within_s, policy)
        approaches.append(
            Approach(
                duty=duty,
                drive_time_s=drive_time_s,
                away_m=distance_m,
                on_foot=drive_time_s < by_road_s,
                tau_s=tau_s,
                chance=float(chance_within(tau_s, within_s, policy)) if near else 0.0,
                counts=duty.unit_id in counting,
                assigned=duty in company.coming,
            )
        )
    return tuple(sorted(approaches, key=lambda one: (one.drive_time_s, one.duty.unit_id)))


def _coming(approaches: Sequence[Approach]) -> list[str]:
    """Say of each car on its way how long it still drives."""
    return [
        f"{one.duty.unit_id} is on its way, {words.way(one.drive_time_s, on_foot=one.on_foot)}"
        if np.isfinite(one.drive_time_s)
        else f"{one.duty.unit_id} is assigned, and no way by road is known"
        for one in approaches
        if one.assigned
    ]


def _side_unsure(net: RoadNetwork, position: Position | None) -> list[str]:
    """Say where a stop may as well be on the opposite carriageway: another way leads there."""
    if position is None or position.confidence >= UNSURE or not opposite(net, position):
        return []
    street = net.table.street(position.edge) or "the road"
    return [f"which side of {street} is not sure: the other carriageway is as near"]


def _notes(
    net: RoadNetwork,
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
    elif position.passed_over is not None:
        nearer, used = (
            net.table.street(edge) or "an unnamed road"
            for edge in (position.passed_over, position.edge)
        )
        notes.append(f"{nearer} is nearer and cut off from the other roads: {used} is used")
    elif position.offset_m > NEAR_M:
        notes.append(
            f"the nearest road is {words.distance(position.offset_m, unit)} away: check the place"
        )
    notes += _side_unsure(net, position)
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

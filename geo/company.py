"""The backup that is assigned to each stop: who is there, who is coming, and who only seems to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from data import words
from data.records import Freshness, UnitStatus
from geo.roster import metres_to_stop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.records import Stop
    from data.settings import Policy
    from geo.roster import OnDuty

COMING = {UnitStatus.AVAILABLE, UnitStatus.DISPATCHED, UnitStatus.EN_ROUTE}


class Doubt(Enum):
    """Why assigned backup does not count."""

    OWN_STOP = "own stop"
    OLD_FIX = "old fix"
    STATUS = "status"


@dataclass(slots=True, kw_only=True)
class Company:
    """
    The assigned backup of one stop.

    Parameters
    ----------
    there : list of OnDuty
        Within reach of a word, by a position that proves it.
    coming : list of OnDuty
        On their way.
    notes : list of str
        Who is listed and not counted, and why.
    """

    there: list[OnDuty] = field(default_factory=list)
    coming: list[OnDuty] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def companies(
    stops: Sequence[Stop],
    places: Mapping[str, tuple[float, float] | None],
    roster: Sequence[OnDuty],
    policy: Policy,
) -> dict[str, Company]:
    """
    Sort out the backup of all stops together: a car is in one place only.

    Parameters
    ----------
    stops : sequence of Stop
        That are open.
    places : mapping of str to (lon_deg, lat_deg) or None
        Of each, by stop_id.
    roster : sequence of OnDuty
        All units that are listed as backup; others do not matter.
    policy : Policy
        How near is there.

    Returns
    -------
    companies : dict of str to Company
        By stop_id. Whoever is on a stop of its own, busy, out of service, or too old in its fix is
        not counted; whoever is listed for several stops counts at the nearest.
    """
    by_id = {duty.unit_id: duty for duty in roster}
    own_stop = {stop.unit_id: stop.stop_id for stop in stops}
    on_stops: dict[str, set[str]] = defaultdict(set)
    for stop in stops:
        on_stops[stop.unit_id].add(stop.stop_id)
    found = {stop.stop_id: Company() for stop in stops}
    listed: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for stop in stops:
        notes = found[stop.stop_id].notes
        if stop.unit_id in stop.backup:
            notes.append(f"{stop.unit_id} is listed as its own backup: not counted again")
        if also := sorted(on_stops[stop.unit_id] - {stop.stop_id}):
            notes.append(f"{stop.unit_id} is also on {', '.join(also)}: check which one goes on")
        for unit_id in sorted(set(stop.backup) - {stop.unit_id}):
            duty = by_id.get(unit_id)
            if duty is None:
                notes.append(f"backup {unit_id} has no position: not counted")
            else:
                listed[unit_id].append(
                    (metres_to_stop(duty.unit, places[stop.stop_id]), stop.stop_id)
                )
    for unit_id, at_stops in sorted(listed.items()):
        (away_m, nearest), *others = sorted(at_stops)
        for _, stop_id in others:
            found[stop_id].notes.append(f"backup {unit_id} is nearer to {nearest}: not counted")
        _place(found[nearest], by_id[unit_id], away_m, own_stop.get(unit_id), policy)
    return found


def doubt_of(
    status: UnitStatus, *, there: bool, silent: bool, stale: bool, own_stop: bool
) -> Doubt | None:
    """
    Tell why assigned backup does not count.

    Parameters
    ----------
    status : UnitStatus
        What it shows.
    there : bool
        Its last fix lies beside the stop.
    silent, stale : bool
        Of that fix.
    own_stop : bool
        It is on a stop of its own.

    Returns
    -------
    doubt : Doubt or None
        None for who counts: as there, or else as on its way.
    """
    if own_stop:
        return Doubt.OWN_STOP
    if stale or (there and silent):
        return Doubt.OLD_FIX
    if status is UnitStatus.OUT_OF_SERVICE or (not there and status not in COMING):
        return Doubt.STATUS
    return None


def _place(
    company: Company, duty: OnDuty, away_m: float, own_stop: str | None, policy: Policy
) -> None:
    """Put one unit with the stop that it is nearest to, or note why it is not counted."""
    there = away_m <= policy.present_within_m
    status, freshness = duty.unit.status, duty.state.freshness
    doubt = doubt_of(
        status,
        there=there,
        silent=freshness is Freshness.SILENT,
        stale=freshness is Freshness.STALE,
        own_stop=own_stop is not None,
    )
    if doubt is None:
        (company.there if there else company.coming).append(duty)
        return
    where = "here " if there else ""
    why = {
        Doubt.OWN_STOP: f"is on stop {own_stop}",
        Doubt.OLD_FIX: f"was last seen {where}{words.age(duty.state.fix_age_s)} ago",
        Doubt.STATUS: f"shows {status.value.replace('_', ' ')}",
    }[doubt]
    company.notes.append(f"backup {duty.unit_id} {why}: not counted")

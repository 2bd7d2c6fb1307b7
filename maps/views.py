"""Answers as the panel's templates take them: every figure already a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data import words
from data.records import UnitStatus
from maps import style
from maps.signs import Sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.answers import NearUnit, StopAdvice, Suggestion, UnitState
    from maps.signs import LatLon
    from maps.style import Manner


LEFT_OUT = "; faulty rows were left out"


def legend_looks() -> dict[str, object]:
    """
    Give every look that a legend explains.

    Returns
    -------
    looks : dict
        ``flags``, ``statuses``, ``freshness``, and ``idle``, the available unit's.
    """
    return {
        "flags": list(style.FLAGS.values()),
        "statuses": list(style.STATUSES.values()),
        "freshness": list(style.FRESHNESS.values()),
        "idle": style.STATUSES[UnitStatus.AVAILABLE],
    }


def unit_view(state: UnitState, anchor: str, manner: Manner) -> dict[str, object]:
    """
    Put a unit into words.

    Parameters
    ----------
    state : UnitState
        The unit at the instant of the answer.
    anchor : str
        Id of its explanation in the page.
    manner : Manner
        How figures are written.

    Returns
    -------
    view : dict
        For the macro ``unit_list``.
    """
    unit, fix = state.unit, state.unit.fix
    motion = [
        *([words.speed(fix.speed_mps, manner.speed_unit)] if fix.speed_mps is not None else []),
        *([f"heading {words.heading(fix.heading_deg)}"] if fix.heading_deg is not None else []),
    ]
    return {
        "anchor": anchor,
        "unit_id": unit.unit_id,
        "agency": unit.agency,
        "look": style.STATUSES[unit.status],
        "freshness": style.FRESHNESS[state.freshness],
        "heading": fix.heading_deg,
        "officers": unit.officers,
        "fixed_at": words.clock(fix.fixed_at, manner.time_zone),
        "age": words.age(state.fix_age_s),
        "motion": ", ".join(motion),
        "askable": state.askable,
        "why_not": state.why_not,
    }


def unit_sign(state: UnitState, anchor: str) -> Sign:
    """
    Put a unit on the map.

    Parameters
    ----------
    state : UnitState
        The unit at the instant of the answer.
    anchor : str
        Id of its explanation in the page.

    Returns
    -------
    sign : Sign
        Its status by shape, the age of its fix by ring, hollow or stroke, and in words if not new.
    """
    unit, fix = state.unit, state.unit.fix
    look, freshness = style.STATUSES[unit.status], style.FRESHNESS[state.freshness]
    age = words.age(state.fix_age_s)
    return Sign(
        (fix.lat_deg, fix.lon_deg),
        kind="unit",
        look=look,
        tag=unit.unit_id,
        detail=age if freshness.symbol else "",
        label=f"unit, {look.word}, fix {age} old, {freshness.word}",
        panel=anchor,
        freshness=freshness,
        heading_deg=fix.heading_deg,
    )


def place_of(stop: StopAdvice) -> LatLon | None:
    """
    Tell where a stop is.

    Parameters
    ----------
    stop : StopAdvice
        The stop.

    Returns
    -------
    place : tuple of float or None
        Latitude and longitude; None where nobody knows.
    """
    if stop.lat_deg is None or stop.lon_deg is None:
        return None
    return stop.lat_deg, stop.lon_deg


def stop_sign(stop: StopAdvice, anchor: str, place: LatLon) -> Sign:
    """
    Put a stop on the map.

    Parameters
    ----------
    stop : StopAdvice
        What is said of it.
    anchor : str
        Id of its explanation in the page.
    place : tuple of float
        Where it is.

    Returns
    -------
    sign : Sign
        Its flag by shape, letter and word.
    """
    look = style.FLAGS[stop.flag]
    return Sign(
        place,
        kind="stop",
        look=look,
        tag=stop.stop_id,
        detail=look.word,
        label=f"stop of unit {stop.unit_id}",
        panel=anchor,
    )


def stop_view(stop: StopAdvice, anchor: str, manner: Manner) -> dict[str, object]:
    """
    Put a stop into words.

    Parameters
    ----------
    stop : StopAdvice
        What is said of it.
    anchor : str
        Id of its explanation in the page.
    manner : Manner
        How figures are written.

    Returns
    -------
    view : dict
        For templates/stops.html.
    """
    placed = place_of(stop) is not None
    short = stop.officers_present < stop.needs
    unnamed = "road without a name" if placed else "place unknown"
    return {
        "anchor": anchor,
        "stop_id": stop.stop_id,
        "unit_id": stop.unit_id,
        "look": style.FLAGS[stop.flag],
        "placed": placed,
        "where": (stop.street or unnamed) if placed else unnamed,
        "phase": style.PHASES[stop.phase],
        "age": "" if stop.age_s is None else words.age(stop.age_s),
        "present": stop.officers_present,
        "needs": stop.needs,
        "within": words.drive(stop.within_s),
        "probability": words.percent(stop.backup_probability) if short else "not needed",
        "meaning": (style.FLAGS[stop.flag].meaning if short else "has its officers").capitalize(),
        "priority": f"{stop.priority:.1f}",
        "notes": stop.notes,
        "nearest": [_near_view(near) for near in stop.nearest],
        "suggestion": _suggestion_view(stop.suggestion, manner) if stop.suggestion else None,
        "why_none": stop.why_none,
    }


def _near_view(near: NearUnit) -> dict[str, object]:
    """
    Put a near unit into words.

    Returns
    -------
    view : dict
        A row of the table.
    """
    return {
        "unit_id": near.unit_id,
        "status": style.STATUSES[near.status].word,
        "drive": words.drive(near.drive_time_s),
        "bounds": f"{words.drive(near.t_lo_s)}\N{EN DASH}{words.drive(near.t_hi_s)}",
        "probability": words.percent(near.probability),
        "age": words.age(near.fix_age_s),
        "freshness": style.FRESHNESS[near.freshness].word,
        "assigned": near.assigned,
    }


def _suggestion_view(suggestion: Suggestion, manner: Manner) -> dict[str, object]:
    """
    Put a suggestion into words.

    Returns
    -------
    view : dict
        For templates/stops.html.
    """
    next_best = suggestion.runner_up
    return {
        "unit_id": suggestion.unit_id,
        "drive": words.drive(suggestion.drive_time_s),
        "distance": words.distance(suggestion.distance_m, manner.speed_unit),
        "arrival": words.clock(suggestion.arrival_at, manner.time_zone),
        "reasons": suggestion.reasons,
        "runner_up": (
            f"{next_best.unit_id}, {words.drive(next_best.drive_time_s)} away" if next_best else ""
        ),
    }


def unit_places(units: Sequence[UnitState]) -> list[LatLon]:
    """
    Tell where units are.

    Parameters
    ----------
    units : sequence of UnitState
        The units.

    Returns
    -------
    places : list of (float, float)
        Latitudes and longitudes.
    """
    return [(state.unit.fix.lat_deg, state.unit.fix.lon_deg) for state in units]

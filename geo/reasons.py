"""Why this unit, and why nobody: sentences that a person can check against the map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data import words
from data.records import Freshness
from geo.backup import drive_limit_s
from geo.roster import count_reasons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.answers import Route
    from data.settings import Policy, Settings
    from geo.exposure import Approach, Exposure
    from geo.roster import OnDuty


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """
    A unit that could be asked for a stop.

    Parameters
    ----------
    approach : Approach
        Its way there.
    score : float
        S; -inf where it is too far or nobody is missing.
    gain : float
        The minutes it would bring, without the cost.
    lost_share : float
        L_u.
    stay_near : int
        Other idle units that are within T of where it stands.
    beat_within_s : float
        That T.
    sent_to : str or None
        The stop it is suggested for.
    asks_last_hour : int or None
        How often it was asked; None where no record of earlier asks is at hand.
    """

    approach: Approach
    score: float
    gain: float
    lost_share: float
    stay_near: int
    beat_within_s: float
    sent_to: str | None
    asks_last_hour: int | None


def reasons(
    exposure: Exposure, chosen: Choice, next_best: Choice | None, route: Route, settings: Settings
) -> tuple[str, ...]:
    """
    Say why a unit is suggested.

    Parameters
    ----------
    exposure : Exposure
        The stop.
    chosen, next_best : Choice
        The unit, and who would be next.
    route : Route
        Its way.
    settings : Settings
        T, and the unit of distances.

    Returns
    -------
    reasons : tuple of str
        The drive, the fix, what stays behind, the asks; the likely first.
    """
    approach = chosen.approach
    way = words.distance(route.distance_m, settings.units.speed_unit)
    told = [f"{_way(approach)}, {way}"]
    told.append(_fix(approach))
    told.append(_left_behind(chosen))
    if chosen.asks_last_hour is not None:
        times = chosen.asks_last_hour
        asked = f"asked {words.count(times, 'time')}" if times else "not asked"
        told.append(f"{asked} in the last hour")
    if approach.duty.unit.officers > 1:
        told.append(f"{approach.duty.unit.officers} officers in the car")
    told += [
        f"{one.duty.unit_id} is on its way, {_way(one)}: this is sooner"
        for one in exposure.assigned
    ]
    if next_best and next_best.score > chosen.score:
        told.append(f"as good as {next_best.approach.duty.unit_id}, and asked less recently")
    return tuple(told)


def _way(approach: Approach) -> str:
    """Say how long it takes, and how."""
    return words.way(approach.drive_time_s, on_foot=approach.on_foot)


def _fix(approach: Approach) -> str:
    """Say how old the fix is, and what is allowed for it."""
    text = f"fix {words.age(approach.duty.state.fix_age_s)} old"
    if approach.duty.state.freshness is Freshness.PARKED:
        text += ", parked"
    if approach.duty.state.freshness is Freshness.SILENT:
        text += ", silent since"
    if approach.tau_s >= approach.drive_time_s + 1:
        text += f"; allowing for it, {words.drive(approach.tau_s)}"
    return text


def _left_behind(choice: Choice) -> str:
    """Say what its leaving means for its beat."""
    kept = choice.stay_near
    cars = "no other car" if not kept else "1 other car" if kept == 1 else f"{kept} other cars"
    return (
        f"its beat keeps {cars} within {words.drive(choice.beat_within_s)}; "
        f"{words.percent(choice.lost_share)} of road loses its cover meanwhile"
    )


def why_none(
    exposure: Exposure, choices: Sequence[Choice], roster: Sequence[OnDuty], policy: Policy
) -> str:
    """
    Say why nobody is suggested for a stop.

    Parameters
    ----------
    exposure : Exposure
        The stop.
    choices : sequence of Choice
        Units that could be asked, best first.
    roster : sequence of OnDuty
        All units.
    policy : Policy
        Limits.

    Returns
    -------
    why_none : str
        One sentence, with the name and the figure that decide.
    """
    stop = exposure.stop
    if not exposure.short:
        return f"{exposure.present} of {stop.needs} officers are there"
    if exposure.times is None:
        return "nobody knows how far anybody is: the stop has no place on the road"
    worth = [one for one in choices if one.score >= policy.score_min and one.score > 0]
    if worth:
        return _needed_elsewhere(worth)
    if exposure.assigned:
        first = exposure.assigned[0]
        return (
            f"{first.duty.unit_id} is on its way, {_way(first)}; "
            "nobody else would be there enough sooner"
        )
    if not choices:
        return _nobody_free(exposure, roster)
    return _too_far_or_too_dear(exposure, choices, policy)


def _needed_elsewhere(worth: Sequence[Choice]) -> str:
    """Say that the last idle unit stays in reserve, or that all go where they count for more."""
    kept = next((one for one in worth if one.sent_to is None), None)
    best = kept or worth[0]
    name = f"{best.approach.duty.unit_id} ({_way(best.approach)})"
    if kept:
        return f"{name} is the last idle unit and stays in reserve"
    return f"{name} is suggested for {best.sent_to}, where it counts for more"


def _nobody_free(exposure: Exposure, roster: Sequence[OnDuty]) -> str:
    """Say that there is nobody to ask, and who is nearest all the same."""
    counted = count_reasons(duty for duty in roster if duty.unit_id != exposure.stop.unit_id)
    text = f"no unit could be asked: {counted}" if counted else "no other unit is known"
    free_elsewhere = any(duty.state.askable for duty in roster)
    if free_elsewhere:
        text = "the sharing rules allow none of the idle units"
    nearest = exposure.nearest()
    if nearest:
        first = nearest[0]
        status = first.status.value.replace("_", " ")
        text += f"; nearest is {first.unit_id}, {_way(exposure.approaches[0])} ({status})"
    return text


def _too_far_or_too_dear(exposure: Exposure, choices: Sequence[Choice], policy: Policy) -> str:
    """Say that the nearest is too far, or that its going would strip its beat bare."""
    soonest = min(choices, key=lambda choice: (choice.approach.tau_s, choice.approach.duty.unit_id))
    approach = soonest.approach
    name = approach.duty.unit_id
    limit_s = drive_limit_s(exposure.within_s, policy)
    if not np.isfinite(approach.tau_s):
        return f"none of the {len(choices)} idle units has a way there by road"
    if approach.tau_s > limit_s:
        return (
            f"the nearest that could be asked, {name}, is {words.drive(approach.tau_s)} away "
            f"(limit {words.drive(limit_s)})"
        )
    best = choices[0]
    could = f"{best.approach.duty.unit_id} could be there in {words.drive(best.approach.tau_s)}"
    if not best.gain >= policy.score_min:
        return f"{could}, but would bring only {best.gain:.1f} minutes of a second officer"
    return f"{could}, but {words.percent(best.lost_share)} of road would lose its cover meanwhile"

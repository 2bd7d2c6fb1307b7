"""Pages for people: their templates, and what their scripts and styles are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from data.records import UnitStatus
    from data.settings import Settings

TEMPLATES: Final = Environment(
    loader=PackageLoader("rollby.service.screens"), autoescape=True, undefined=StrictUndefined
)
"""Every value is escaped; a value that is missing is an error."""


def facts_of(settings: Settings, rate: float) -> dict[str, Any]:
    """
    Give what every page's frame is filled with.

    Parameters
    ----------
    settings : Settings
        Of the agency.
    rate : float
        How much faster than real time the service's clock runs: 1 but in a demonstration.

    Returns
    -------
    facts : dict
        For a template that extends ``base.html``.
    """
    return {
        "speed_unit": settings.units.speed_unit,
        "time_zone": settings.units.time_zone,
        "lock_above_mps": settings.service.lock_above_mps,
        "mute_min": settings.policy.mute_min,
        "simulated": settings.units.simulated,
        "rate": rate,
        "status_codes": _own_codes(settings.units.status),
    }


def _own_codes(codes: dict[str, UnitStatus]) -> dict[str, str]:
    """Give the agency's own codes, by status; of a status that has several, all of them."""
    own: dict[str, list[str]] = {}
    for code, status in codes.items():
        own.setdefault(status.value, []).append(code)
    return {status: ", ".join(known) for status, known in own.items()}

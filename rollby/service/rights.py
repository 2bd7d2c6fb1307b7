"""Who may do what: a table, and nothing else decides."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType


class Right(StrEnum):
    """Something that a caller may do."""

    SEE_LIVE = "see_live"
    """Positions, stops, suggestions and alarms of everybody, now."""
    SEE_OWN = "see_own"
    """The suggestions to one's own unit, and its stop."""
    ANSWER = "answer"
    """En route, can't, mute, arrived: for one's own unit."""
    REPORT_OWN = "report_own"
    """One's own stop and status."""
    CHECK = "check"
    """To say that an officer was checked on."""
    OVERRIDE = "override"
    """To answer, assign and clear for others."""
    SEND = "send"
    """Positions, stops and statuses of the units named."""
    SEE_HISTORY = "see_history"
    """What was, once it is no longer live."""
    SEE_HEALTH = "see_health"
    """Counters, refusals and the state of the service; no positions."""
    ADMINISTER = "administer"
    """Accounts, keys and settings."""
    SEE_AUDIT = "see_audit"
    """The audit log."""
    EXPORT = "export"
    """History and who was on scene, as files."""


class Role(StrEnum):
    """What a person or a machine is to the service; exactly one each."""

    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    ANALYST = "analyst"
    ADMINISTRATOR = "administrator"
    FEED = "feed"
    WALLBOARD = "wallboard"


RIGHTS = MappingProxyType(
    {
        Role.OFFICER: frozenset({Right.SEE_OWN, Right.ANSWER, Right.REPORT_OWN}),
        Role.SUPERVISOR: frozenset(
            {
                Right.SEE_LIVE,
                Right.CHECK,
                Right.OVERRIDE,
                Right.SEE_HISTORY,
                Right.SEE_HEALTH,
                Right.EXPORT,
            }
        ),
        Role.ANALYST: frozenset({Right.SEE_HISTORY, Right.EXPORT}),
        Role.ADMINISTRATOR: frozenset({Right.SEE_HEALTH, Right.ADMINISTER, Right.SEE_AUDIT}),
        Role.FEED: frozenset({Right.SEND}),
        Role.WALLBOARD: frozenset({Right.SEE_LIVE}),
    }
)
"""All that a role may do; what is not here is refused."""

"""Who may do what: roles, and what each of them is allowed."""

from __future__ import annotations

from enum import StrEnum


class Right(StrEnum):
    """Something that can be allowed."""

    SEE_LIVE = "see_live"
    SEE_OWN = "see_own"
    ANSWER = "answer"
    REPORT_OWN = "report_own"
    CHECK = "check"
    OVERRIDE = "override"
    SEND = "send"
    SEE_HISTORY = "see_history"
    SEE_HEALTH = "see_health"
    ADMINISTER = "administer"
    SEE_AUDIT = "see_audit"
    EXPORT = "export"


class Role(StrEnum):
    """What somebody is."""

    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    ANALYST = "analyst"
    ADMINISTRATOR = "administrator"
    FEED = "feed"
    WALLBOARD = "wallboard"


RIGHTS: dict[Role, frozenset[Right]] = {
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
"""Analysts and administrators see no live positions; a wallboard receives and no more."""

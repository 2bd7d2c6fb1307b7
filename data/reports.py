"""What senders report to the live service, one record a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.events import Answer, StatusChange, StopChange

if TYPE_CHECKING:
    from datetime import datetime

    from data.records import UnitFix


@dataclass(frozen=True, slots=True, kw_only=True)
class FixReport:
    """
    A unit was somewhere.

    Parameters
    ----------
    unit_id : str
        Who.
    fix : UnitFix
        Where, and when that was.
    """

    unit_id: str
    fix: UnitFix


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """
    Dispatch has checked on an officer.

    Parameters
    ----------
    stop_id : str
        At which stop.
    at : datetime
        When.
    """

    stop_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """
    A dispatcher says who is to be asked.

    Parameters
    ----------
    stop_id : str
        About which stop.
    unit_id : str
        Whom.
    at : datetime
        When.
    """

    stop_id: str
    unit_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Silenced:
    """
    A dispatcher says that a unit is to be asked nothing for a while.

    Parameters
    ----------
    unit_id : str
        Who.
    at : datetime
        From when on, for `Policy.mute_min`.
    on : bool
        False where it may be asked again from then on.
    """

    unit_id: str
    at: datetime
    on: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """
    An answer is taken back.

    Parameters
    ----------
    answer : Answer
        As it was given.
    at : datetime
        When.
    """

    answer: Answer
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """
    The service was down until now: nobody was asked meanwhile, and nobody is asked in arrears.

    Parameters
    ----------
    at : datetime
        When it began again.
    """

    at: datetime


Report = (
    FixReport | StatusChange | StopChange | Answer | Checked | Picked | Silenced | Undone | Resumed
)


def subject(report: Report) -> str:
    """
    Give what a report is about.

    Returns
    -------
    subject : str
        The unit of a fix, a status or a silence, the stop of a change, a check or a pick, the
        suggestion of an answer or of one that is taken back, nothing of the service's own.
    """
    if isinstance(report, Resumed):
        return ""
    if isinstance(report, Answer | Undone):
        return (report.answer if isinstance(report, Undone) else report).suggestion_id
    if isinstance(report, StopChange):
        return report.stop.stop_id
    return report.stop_id if isinstance(report, Checked | Picked) else report.unit_id

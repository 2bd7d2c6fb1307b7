"""What the board says as it goes: suggestions, withdrawals, flags, prompts, who is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data.records import Flag


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """
    A unit is asked to roll by.

    Parameters
    ----------
    at_s : float
        When, seconds since the epoch, as in all of these.
    suggestion_id, stop_id, unit_id : str
        Its name, ``STOP/NUMBER``; for which stop; who is asked.
    drive_time_s, tau_s : float
        From the unit's last fix, and with the allowance for its age.
    score : float
        S of model section 4, officer-minutes; of a policy without one, 0.
    """

    at_s: float
    suggestion_id: str
    stop_id: str
    unit_id: str
    drive_time_s: float
    tau_s: float
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """
    A suggestion stands no more.

    Parameters
    ----------
    at_s : float
        When.
    suggestion_id, stop_id, unit_id : str
        As in `Suggested`.
    why : str
        ``no answer``, ``stop over``, ``enough officers``, ``unit not free``, ``nearer unit``,
        ``dispatch chose another`` or ``did not come``.
    """

    at_s: float
    suggestion_id: str
    stop_id: str
    unit_id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """
    The alarm of a stop changes: raised as alone after its grace, or cleared.

    Parameters
    ----------
    at_s : float
        When.
    stop_id : str
        Which.
    flag : Flag
        Alone, or what it is now.
    probability : float
        G.
    aloud : bool
        With a sound: the hourly cap limits sounds, never the list.
    """

    at_s: float
    stop_id: str
    flag: Flag
    probability: float
    aloud: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompted:
    """
    Dispatch is asked to check on an officer who is alone.

    Parameters
    ----------
    at_s : float
        When.
    stop_id : str
        Whom to check on.
    count : int
        The how many-eth of this stop, from 1.
    """

    at_s: float
    stop_id: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated:
    """
    The supervisor is told.

    Parameters
    ----------
    at_s : float
        When.
    stop_id : str
        Which stop.
    why : str
        ``nobody came`` after a round of asks, or ``check not answered``.
    aloud : bool
        As in `Flagged`.
    """

    at_s: float
    stop_id: str
    why: str
    aloud: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attended:
    """
    Another car is there, or has left: seen from its positions alone.

    Parameters
    ----------
    at_s : float
        When it was seen: of the fix that shows it.
    stop_id, unit_id : str
        Which stop, and who.
    since_s : float
        The first fix there, or the first one away.
    arrived : bool
        False where it has left.
    """

    at_s: float
    stop_id: str
    unit_id: str
    since_s: float
    arrived: bool


Said = Suggested | Withdrawn | Flagged | Prompted | Escalated | Attended

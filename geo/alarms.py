"""Alarms about a stop, and how seldom they make a sound (docs/model.md, section 5)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.records import Flag
from data.said import Escalated, Flagged, Prompted

if TYPE_CHECKING:
    from data.said import Said
    from data.settings import Policy

HOUR_S = 3600.0


class Sounds:
    """
    The sounds that a supervisor heard in the last hour.

    Parameters
    ----------
    most : int
        Allowed an hour.

    Attributes
    ----------
    made_s : deque of float
        When, seconds since the epoch.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.made_s: deque[float] = deque()

    def make(self, now_s: float) -> bool:
        """
        Make a sound, if one more is allowed this hour.

        Returns
        -------
        aloud : bool
            Whether it was.
        """
        while self.made_s and self.made_s[0] <= now_s - HOUR_S:
            self.made_s.popleft()
        aloud = len(self.made_s) < self._most
        if aloud:
            self.made_s.append(now_s)
        return aloud


@dataclass(slots=True)
class Alarm:
    """
    The alarm of one stop.

    Attributes
    ----------
    alone_since_s : float or None
        Since when it would be flagged alone, seconds since the epoch; None where it would not.
    raised : bool
        It is up.
    prompts : int
        Checks that were due so far.
    prompt_due_s : float or None
        When a check that was asked for goes to the supervisor.
    """

    alone_since_s: float | None = None
    raised: bool = False
    prompts: int = 0
    prompt_due_s: float | None = None

    def flag(
        self,
        stop_id: str,
        flag: Flag,
        probability: float,
        *,
        short: bool,
        now_s: float,
        policy: Policy,
        sounds: Sounds,
    ) -> list[Said]:
        """
        Raise the alarm after its grace; clear it where backup is likely again.

        Parameters
        ----------
        stop_id : str
            Which stop.
        flag : Flag
            What it is at this instant.
        probability : float
            G.
        short : bool
            Officers are missing.
        now_s : float
            The instant.
        policy : Policy
            Grace and hysteresis.
        sounds : Sounds
            Of the last hour.

        Returns
        -------
        said : list of Said
            Nothing where nothing changes.
        """
        if flag is Flag.ALONE:
            if self.alone_since_s is None:
                self.alone_since_s = now_s
            if self.raised or now_s - self.alone_since_s < policy.alone_after_s:
                return []
            self.raised = True
        else:
            self.alone_since_s = None
            if not self.raised or (short and probability <= policy.alone_until):
                return []
            self.raised, self.prompt_due_s = False, None
        aloud = self.raised and sounds.make(now_s)
        return [
            Flagged(at_s=now_s, stop_id=stop_id, flag=flag, probability=probability, aloud=aloud)
        ]

    def prompt(
        self, stop_id: str, began_s: float, *, now_s: float, policy: Policy, sounds: Sounds
    ) -> list[Said]:
        """
        Have dispatch check on an officer who is alone; tell the supervisor if it does not.

        Parameters
        ----------
        stop_id : str
            Which stop.
        began_s : float
            When it began.
        now_s : float
            The instant.
        policy : Policy
            When checks are due.
        sounds : Sounds
            Of the last hour.

        Returns
        -------
        said : list of Said
            Nothing where nothing is due.
        """
        said: list[Said] = []
        if self.prompt_due_s is not None and now_s >= self.prompt_due_s:
            self.prompt_due_s = None
            said.append(escalated(stop_id, "check not answered", now_s, sounds))
        due = prompts_due((now_s - began_s) / 60, policy)
        if due > self.prompts:
            self.prompts = due
            if self.raised:
                said.append(Prompted(at_s=now_s, stop_id=stop_id, count=due))
                self.prompt_due_s = now_s + policy.prompt_within_s
        return said


def escalated(stop_id: str, why: str, now_s: float, sounds: Sounds) -> Escalated:
    """
    Tell the supervisor.

    Returns
    -------
    escalated : Escalated
        With a sound, if one more is allowed this hour.
    """
    return Escalated(at_s=now_s, stop_id=stop_id, why=why, aloud=sounds.make(now_s))


def prompts_due(age_min: float, policy: Policy) -> int:
    """
    Count the checks that are due at an age: a first, a second, then every so many minutes.

    Returns
    -------
    count : int
        From the stop's beginning.
    """
    if age_min < policy.prompt_first_min:
        return 0
    past_min = age_min - policy.prompt_second_min
    return 1 if past_min < 0 else 2 + int(past_min // policy.prompt_every_min)

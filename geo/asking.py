"""The asks about one stop: one unit at a time, in rounds (docs/model.md, section 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.said import Withdrawn

if TYPE_CHECKING:
    from data.said import Suggested
    from data.settings import Policy


@dataclass(slots=True)
class Asking:
    """
    What has been asked about a stop.

    Attributes
    ----------
    pending : Suggested or None
        Asked, and neither answered nor withdrawn.
    promised : dict of str to (Suggested, float)
        Units that said they are en route, and until when that is believed, seconds since the epoch.
    refused : set of str
        Units that cannot come to this stop.
    unanswered : set of str
        Units that did not answer in this round.
    in_round : int
        Asks of this round.
    round_from_s : float
        When it began; -inf before the first.
    count : int
        Asks so far.
    """

    pending: Suggested | None = None
    promised: dict[str, tuple[Suggested, float]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    in_round: int = 0
    round_from_s: float = float("-inf")
    count: int = 0

    def may_ask(self, now_s: float, policy: Policy) -> bool:
        """
        Tell whether somebody new may be asked; begins the next round where it is time.

        Returns
        -------
        may_ask : bool
            Not while a round is used up.
        """
        if now_s - self.round_from_s >= policy.round_every_s and self.pending is None:
            self.in_round = 0
            self.unanswered.clear()
        return self.in_round < policy.round_units

    def ask(self, suggested: Suggested) -> None:
        """
        Note an ask.

        Parameters
        ----------
        suggested : Suggested
            Who is asked.
        """
        if self.in_round == 0:
            self.round_from_s = suggested.at_s
        self.in_round += 1
        self.count += 1
        self.pending = suggested

    def promise(self, now_s: float, policy: Policy) -> None:
        """
        Note that the unit asked is en route.

        Parameters
        ----------
        now_s : float
            When it said so.
        policy : Policy
            How long that is believed without its arrival.
        """
        if self.pending is not None:
            until_s = now_s + 2 * self.pending.tau_s + policy.promise_late_s
            self.promised[self.pending.unit_id] = self.pending, until_s
            self.pending = None

    def withdraw(self, now_s: float, why: str) -> list[Withdrawn]:
        """
        Take the open suggestion back.

        Returns
        -------
        said : list of Withdrawn
            None where nobody is being asked.
        """
        if self.pending is None:
            return []
        said = [withdrawn(self.pending, now_s, why)]
        self.pending = None
        return said

    def expire(
        self, now_s: float, policy: Policy, there: set[str]
    ) -> tuple[list[Withdrawn], list[str]]:
        """
        Let time pass.

        Parameters
        ----------
        now_s : float
            The instant.
        policy : Policy
            How long an answer and a promise are waited for.
        there : set of str
            Units that have arrived: they kept their promise.

        Returns
        -------
        said : list of Withdrawn
            Who did not answer, and who did not come.
        broken : list of str
            Who did not come.
        """
        said = []
        if self.pending and now_s - self.pending.at_s >= policy.answer_within_s:
            self.unanswered.add(self.pending.unit_id)
            said += self.withdraw(now_s, "no answer")
        broken = [
            unit_id
            for unit_id, (_, until_s) in self.promised.items()
            if now_s >= until_s and unit_id not in there
        ]
        for unit_id in broken:
            suggested, _ = self.promised.pop(unit_id)
            self.unanswered.add(unit_id)
            said.append(withdrawn(suggested, now_s, "did not come"))
        return said, broken

    def next_s(self, policy: Policy) -> float:
        """
        Give the instant at which something here runs out.

        Returns
        -------
        next_s : float
            Seconds since the epoch; inf for none.
        """
        times = [until_s for _, until_s in self.promised.values()]
        if self.pending:
            times.append(self.pending.at_s + policy.answer_within_s)
        return min(times, default=float("inf"))


def withdrawn(suggested: Suggested, now_s: float, why: str) -> Withdrawn:
    """
    Write that a suggestion stands no more.

    Returns
    -------
    withdrawn : Withdrawn
        Of the same name.
    """
    return Withdrawn(
        at_s=now_s,
        suggestion_id=suggested.suggestion_id,
        stop_id=suggested.stop_id,
        unit_id=suggested.unit_id,
        why=why,
    )

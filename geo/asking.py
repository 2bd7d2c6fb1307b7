"""The asks about one stop: one unit at a time, in rounds (docs/model.md, section 5)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from data.events import AnswerKind
from data.said import Withdrawn

if TYPE_CHECKING:
    from data.events import Answer
    from data.said import Suggested
    from data.settings import Policy

NO_ANSWER = "no answer"


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
    told : bool
        The supervisor knows that this round found nobody.
    picked : set of str
        Units that a dispatcher has chosen: nobody who is sooner takes their place.
    """

    pending: Suggested | None = None
    promised: dict[str, tuple[Suggested, float]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    in_round: int = 0
    round_from_s: float = float("-inf")
    count: int = 0
    told: bool = False
    picked: set[str] = field(default_factory=set)

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
            self.told = False
            self.unanswered.clear()
        return self.in_round < policy.round_units

    def in_vain(self, policy: Policy) -> bool:
        """
        Tell whether a round has found nobody; once a round.

        Returns
        -------
        in_vain : bool
            All were asked, nobody is on the way, and nobody was told so.
        """
        vain = self.in_round >= policy.round_units and not self.pending and not self.promised
        first = vain and not self.told
        self.told |= vain
        return first

    def answer(self, answer: Answer, now_s: float, policy: Policy) -> None:
        """
        Take what an officer says.

        Parameters
        ----------
        answer : Answer
            One to a suggestion that stands no more counts as a refusal, or not at all.
        now_s : float
            When it came.
        policy : Policy
            How long a promise is believed.
        """
        own = self.pending is not None and self.pending.suggestion_id == answer.suggestion_id
        if answer.answer in {AnswerKind.CANT, AnswerKind.MUTE}:
            self.refused.add(answer.unit_id)
            self.picked.discard(answer.unit_id)
            self.promised.pop(answer.unit_id, None)
            self.pending = None if own else self.pending
        elif own and self.pending is not None:
            until_s = now_s + 2 * self.pending.tau_s + policy.promise_late_s
            self.promised[self.pending.unit_id] = self.pending, until_s
            self.pending = None

    def undo(self, answer: Answer, now_s: float) -> None:
        """
        Take an answer back.

        Parameters
        ----------
        answer : Answer
            As it was given.
        now_s : float
            When it is taken back; a promise turns into an ask of that instant again.
        """
        self.refused.discard(answer.unit_id)
        promise = self.promised.get(answer.unit_id)
        if promise is not None and promise[0].suggestion_id == answer.suggestion_id:
            del self.promised[answer.unit_id]
            if self.pending is None:
                self.pending = replace(promise[0], at_s=now_s)

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

    def pick(self, suggested: Suggested) -> None:
        """
        Note an ask of whom a dispatcher has chosen, whatever that one said before.

        Parameters
        ----------
        suggested : Suggested
            Who is asked.
        """
        self.refused.discard(suggested.unit_id)
        self.unanswered.discard(suggested.unit_id)
        self.picked.add(suggested.unit_id)
        self.ask(suggested)

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
        self.picked.discard(self.pending.unit_id)
        self.pending = None
        return said

    def release(self, unit_id: str, now_s: float, why: str) -> Withdrawn:
        """
        Let a unit go that is on its way: it is needed no more.

        Returns
        -------
        said : Withdrawn
            To it.
        """
        self.picked.discard(unit_id)
        return withdrawn(self.promised.pop(unit_id)[0], now_s, why)

    def expire(self, now_s: float, policy: Policy, there: set[str]) -> list[Withdrawn]:
        """
        Let time pass.

        Parameters
        ----------
        now_s : float
            The instant.
        policy : Policy
            How long an answer is waited for.
        there : set of str
            Units that have arrived: they kept their promise.

        Returns
        -------
        said : list of Withdrawn
            Who did not answer, and who did not come.
        """
        said = []
        if self.pending and now_s - self.pending.at_s >= policy.answer_within_s:
            self.unanswered.add(self.pending.unit_id)
            said += self.withdraw(now_s, NO_ANSWER)
        for unit_id, (suggested, until_s) in list(self.promised.items()):
            if now_s >= until_s and unit_id in there:
                self.promised[unit_id] = suggested, float("inf")
            elif now_s >= until_s:
                del self.promised[unit_id]
                self.picked.discard(unit_id)
                self.unanswered.add(unit_id)
                said.append(withdrawn(suggested, now_s, "did not come"))
        return said

    def over(self, now_s: float) -> list[Withdrawn]:
        """
        End with the stop.

        Returns
        -------
        said : list of Withdrawn
            To whoever is asked or under way.
        """
        said = self.withdraw(now_s, "stop over")
        for _, (suggested, _) in sorted(self.promised.items()):
            said.append(withdrawn(suggested, now_s, "stop over"))
        return said

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

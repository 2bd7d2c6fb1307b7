"""Who calls at a port: whether they may, a reader each, and no more of one than all can bear."""

from __future__ import annotations

import time
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from data.feeds.heard import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from data.feeds.heard import Heard, Parser

AT_A_STRETCH = 10_000  # what a dead zone has stored comes at once: half a day, every 5 s
MOST_SENDERS = 20_000
TELL_EVERY_S = 60.0


@dataclass(slots=True)
class _Account:
    left: float
    counted_s: float


class Pace:
    """
    How much each of many may send: so much a second on average, and much at a stretch.

    Parameters
    ----------
    most_hz : float
        Messages a second of one, on average; 10,000 at a stretch.
    clock_s : callable
        Tells seconds that never go back.
    at_a_stretch : int or None
        So many, if not 10,000.
    """

    def __init__(
        self,
        most_hz: float,
        clock_s: Callable[[], float] = time.monotonic,
        at_a_stretch: int | None = None,
    ) -> None:
        self.most_hz = most_hz
        self._clock_s = clock_s
        self._at_a_stretch = at_a_stretch or AT_A_STRETCH
        self._accounts: dict[str, _Account] = {}

    def take(self, name: str, wanted: int) -> int:
        """
        Count messages of one who cannot be kept waiting.

        Returns
        -------
        taken : int
            How many of them may be read.
        """
        account = self._refilled(name)
        taken = min(wanted, int(max(account.left, 0.0)))
        account.left -= taken
        return taken

    def wait_s(self, name: str, messages: int) -> float:
        """
        Count messages of one who can be kept waiting.

        Returns
        -------
        wait_s : float
            How long to take no more of him.
        """
        account = self._refilled(name)
        account.left -= messages
        return max(0.0, -account.left / self.most_hz)

    def _refilled(self, name: str) -> _Account:
        """Know one, at the cost of the one heard of longest ago."""
        now_s = self._clock_s()
        account = self._accounts.pop(name, None) or _Account(self._at_a_stretch, now_s)
        self._accounts[name] = account
        if len(self._accounts) > MOST_SENDERS:
            del self._accounts[next(iter(self._accounts))]
        more = (now_s - account.counted_s) * self.most_hz
        account.left, account.counted_s = min(self._at_a_stretch, account.left + more), now_s
        return account


@dataclass(slots=True)
class _Sender:
    parse: Parser
    told_s: float = -TELL_EVERY_S
    over: int = 0


class Senders:
    """
    All who call at one port.

    Parameters
    ----------
    name : str
        The feed's.
    reader : callable
        Makes a parser, one a sender: what it tells once may hold for what follows.
    allowed : sequence of str
        Networks that may send, such as ``10.8.0.0/16``; none allows all.
    most_hz : float
        Messages a second of one sender, on average; 10,000 at a stretch.
    clock_s : callable
        Tells seconds that never go back.
    """

    def __init__(
        self,
        name: str,
        reader: Callable[[], Parser],
        allowed: Sequence[str] = (),
        most_hz: float = 50.0,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.reader = name, reader
        self._allowed = [ip_network(one) for one in allowed]
        self._clock_s, self._pace = clock_s, Pace(most_hz, clock_s)
        self._known: dict[str, _Sender] = {}

    def stranger(self, peer: str) -> str:
        """
        Tell why somebody may not send.

        Returns
        -------
        reason : str
            Empty where he may.
        """
        if not self._allowed or any(ip_address(peer) in one for one in self._allowed):
            return ""
        networks = ", ".join(map(str, self._allowed))
        return f"peer={peer}: must be in {networks}; see feeds.{self.name}.from"

    def read(self, peer: str, parts: Sequence[bytes], arrived_at: datetime) -> list[Heard]:
        """
        Read what one sender sent, as much as he may.

        Parameters
        ----------
        peer : str
            An address.
        parts : sequence of bytes
            Messages, in their order.
        arrived_at : datetime
            When.

        Returns
        -------
        heard : list of Sighting or Refusal
            All of a stranger's are refused. Of one who sends too much, the first are read; how
            many are not is told in one refusal a minute, and counted in `over`.
        """
        if reason := self.stranger(peer):
            return [Refusal(raw=one, reason=reason) for one in parts]
        sender = self._sender(peer)
        taken = self._pace.take(peer, len(parts))
        heard = [one for part in parts[:taken] for one in sender.parse(part, arrived_at)]
        sender.over += len(parts) - taken
        if taken < len(parts) and self.to_be_told(peer):
            rule = (
                f"must be at most {self._pace.most_hz:g} messages a second; "
                f"{sender.over} were not read; "
                f"have it send less often, or see feeds.{self.name}.most_hz"
            )
            heard.append(Refusal(raw=parts[taken], reason=f"peer={peer}: {rule}"))
        return heard

    def wait_s(self, peer: str, messages: int) -> float:
        """
        Count messages of a sender who can be kept waiting.

        Returns
        -------
        wait_s : float
            How long to take no more of him.
        """
        return self._pace.wait_s(peer, messages)

    def to_be_told(self, peer: str) -> bool:
        """
        Tell whether to say what is wrong with a sender: once a minute, however often it is.

        Returns
        -------
        now : bool
            True, and not again within a minute.
        """
        sender, now_s = self._sender(peer), self._clock_s()
        if now_s - sender.told_s < TELL_EVERY_S:
            return False
        sender.told_s = now_s
        return True

    @property
    def over(self) -> int:
        """How many messages were not read."""
        return sum(one.over for one in self._known.values())

    def _sender(self, peer: str) -> _Sender:
        """Know a sender, at the cost of the one heard of longest ago."""
        sender = self._known.pop(peer, None) or _Sender(self.reader())
        self._known[peer] = sender
        if len(self._known) > MOST_SENDERS:
            del self._known[next(iter(self._known))]
        return sender

"""Room for what is refused: a flood of it fills no disk, and hides no other sender's mistakes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from data.feeds.senders import Pace

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.store.reading import DeadLetter

OF_A_SENDER, OF_A_DOOR = 20_000_000, 200_000_000  # bytes at a stretch
SENDER_BPS, DOOR_BPS = 200.0, 1000.0  # and then a second: 17 and 86 million a day
ROW = 200  # bytes of a row beside what came


class Room:
    """
    Says what is kept of what is refused.

    Parameters
    ----------
    clock_s : callable
        Tells seconds that never go back.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._senders = Pace(SENDER_BPS, clock_s, OF_A_SENDER)
        self._doors = Pace(DOOR_BPS, clock_s, OF_A_DOOR)

    def take(self, letter: DeadLetter) -> bool:
        """
        Make room for a message; one that is larger than what is left is the last for a while.

        Parameters
        ----------
        letter : DeadLetter
            What was refused.

        Returns
        -------
        taken : bool
            False where its sender, or all of its door together, have used theirs up.
        """
        size = len(letter.raw) + len(letter.reason) + ROW
        accounts = (self._senders, f"{letter.door} {letter.sender}"), (self._doors, letter.door)
        if any(pace.wait_s(name, 0) for pace, name in accounts):
            return False
        for pace, name in accounts:
            pace.wait_s(name, size)
        return True

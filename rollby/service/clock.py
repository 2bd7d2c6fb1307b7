"""A clock that never goes back, whatever happens to that of the machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class SteadyClock:
    """
    Milliseconds since the epoch that only rise.

    Parameters
    ----------
    last_ms : int
        Later than this from the beginning: what was accepted before a restart stays before.
    wall_s, steady_s : callable
        The machine's time of day, and its seconds since some instant.
    rate : float
        How much faster than real time both of them run: other than 1 in a demonstration.
    """

    def __init__(
        self,
        last_ms: int = 0,
        wall_s: Callable[[], float] = time.time,
        steady_s: Callable[[], float] = time.monotonic,
        rate: float = 1.0,
    ) -> None:
        self.rate = rate
        self._wall_s, self._steady_s = wall_s, steady_s
        self._ahead_s = max(wall_s(), last_ms / 1000) - steady_s()

    def now_ms(self) -> int:
        """
        Tell the time.

        Returns
        -------
        now_ms : int
            Follows the machine's clock forward; where that is put back, it runs on regardless.
        """
        steady_s = self._steady_s()
        self._ahead_s = max(self._ahead_s, self._wall_s() - steady_s)
        return int((steady_s + self._ahead_s) * 1000)

    def fast_by_s(self) -> float:
        """
        Tell how far the machine's clock was put back.

        Returns
        -------
        fast_by_s : float
            0 where it was not.
        """
        return max(0.0, self._steady_s() + self._ahead_s - self._wall_s())

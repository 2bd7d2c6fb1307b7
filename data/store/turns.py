"""A lock whose waiters have their turn in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque


class Turns:
    """
    A fair lock.

    SQLite lets those who wait try again after a while: of many that write at once, one may never
    find it free. Within a process nobody has to try.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def __enter__(self) -> None:
        """Wait for one's turn."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()

    def __exit__(self, *_: object) -> None:
        """Let the next have theirs."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False

"""What goes on as long as the service does: begun again, after a growing pause, when it fails."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING

import structlog

from data.errors import RollbyError, SourceUnreachableError
from rollby.service.core import BusyError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
EXPECTED = (RollbyError, BusyError, OSError)  # the other end is away: no fault of ours
TELLING = (SourceUnreachableError, BusyError, OSError)  # others may tell a position


async def keep_going(
    name: str,
    work: Callable[[], Awaitable[None]],
    failed: Callable[[Exception], None] = lambda _error: None,
) -> None:
    """
    Do something for ever.

    Parameters
    ----------
    name : str
        For the log.
    work : callable
        Does it until it fails.
    failed : callable
        Told why, before the pause; that grows from a second to a minute, and is short again after
        work that went well for longer than the longest.

    Notes
    -----
    What is to be expected, such as a peer that is away, is one line in the log; a fault of ours has
    its traceback.
    """
    wait_s = FIRST_WAIT_S
    while True:
        began_s = time.monotonic()
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing may end unseen
            failed(error)
            if time.monotonic() - began_s > LONGEST_WAIT_S:
                wait_s = FIRST_WAIT_S
            why = {"why": str(error)} if isinstance(error, TELLING) else {}
            structlog.get_logger().warning(
                "has failed",
                what=name,
                error=type(error).__name__,
                again_in_s=wait_s,
                exc_info=None if isinstance(error, EXPECTED) else error,
                **why,
            )
        await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)

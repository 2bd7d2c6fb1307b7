"""Takes what a door hears, and runs the door as long as something is done."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from data.feeds.heard import Heard, Refusal, Sighting, Told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from data.feeds.door import Door


class Keeper:
    """Takes all."""

    def __init__(self) -> None:
        self.heard: list[Heard | Told] = []
        self.opened_times = 0
        self.takes = 0
        self.dropped = 0

    def opened(self, *, door: str) -> None:
        assert door
        self.opened_times += 1

    def lost(self, count: int, *, door: str) -> None:
        assert door
        self.dropped = count

    async def take(
        self, heard: Sequence[Heard | Told], *, door: str, peer: str, arrived_at: datetime
    ) -> None:
        assert (door, type(peer)) == ("door", str)
        assert arrived_at.utcoffset() is not None
        self.takes += 1
        self.heard += heard

    @property
    def told(self) -> list[Told]:
        return [one for one in self.heard if isinstance(one, Told)]

    @property
    def seen(self) -> list[Sighting]:
        return [one for one in self.heard if isinstance(one, Sighting)]

    @property
    def reasons(self) -> list[str]:
        return [one.reason for one in self.heard if isinstance(one, Refusal)]

    async def until(self, true: Callable[[], bool], seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110 - the keeper tells nobody
                await asyncio.sleep(0.005)


def during(door: Door, keeper: Keeper, work: Callable[[], Awaitable[None]]) -> None:
    """Run a door, and do something meanwhile; what ends the door is raised."""

    async def both() -> None:
        running = asyncio.create_task(door.run(keeper))
        doing = asyncio.ensure_future(work())
        await asyncio.wait({running, doing}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            doing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await doing
            running.result()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        doing.result()

    asyncio.run(both())

"""What happens, to all who listen: each event is written once, and a slow reader costs no other."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastapi.sse import format_sse_event

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_WAITING = 2000


@dataclass(frozen=True, slots=True)
class Message:
    """
    A server-sent event.

    Parameters
    ----------
    event : str
        Its name.
    number : int or None
        Of what the board said, for a reader to go on from.
    unit_id : str
        Whom it is for, beside those who see everything; empty for nobody else.
    body : JSON values
        What it says.
    data : bytes
        As it is sent.
    topic : str
        It is for readers of that topic; empty for all.
    """

    event: str
    number: int | None
    unit_id: str
    body: Any
    data: bytes
    topic: str = ""


def message(
    event: str, body: Any, *, number: int | None = None, unit_id: str = "", topic: str = ""
) -> Message:
    """
    Write an event.

    Returns
    -------
    message : Message
        With its JSON.
    """
    text = json.dumps(body, separators=(",", ":"), allow_nan=False)
    name = None if number is None else str(number)
    data = format_sse_event(data_str=text, event=event, id=name)
    return Message(event, number, unit_id, body, data, topic)


@dataclass(eq=False, slots=True)
class Reader:
    """
    One who listens.

    Attributes
    ----------
    topics : frozenset of str
        What it is told beside what is for all.
    waiting : asyncio.Queue
        Messages; None ends it: it has fallen behind, or the service stops.
    """

    topics: frozenset[str] = frozenset()
    waiting: asyncio.Queue[Message | None] = field(
        default_factory=lambda: asyncio.Queue(MOST_WAITING)
    )


class Stream:
    """
    All who listen.

    Used in the event loop's thread only, but for `hand`.

    Attributes
    ----------
    loop : asyncio.AbstractEventLoop or None
        That of the readers; None before there can be any.
    dropped : int
        Readers that fell behind.
    """

    def __init__(self) -> None:
        self._readers: set[Reader] = set()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.dropped = 0

    def hand(self, *messages: Message) -> None:
        """Publish from another thread."""
        if self.loop is not None:
            with suppress(RuntimeError):  # closed: nobody listens any more
                self.loop.call_soon_threadsafe(self.publish, *messages)

    @property
    def readers(self) -> int:
        """How many listen."""
        return len(self._readers)

    @property
    def topics(self) -> set[str]:
        """What somebody wants to be told of."""
        return {topic for reader in self._readers for topic in reader.topics}

    @contextmanager
    def reading(self, topics: frozenset[str] = frozenset()) -> Iterator[Reader]:
        """
        Listen.

        Parameters
        ----------
        topics : frozenset of str
            Beside what is for all.

        Yields
        ------
        reader : Reader
            It is given everything that is published from now on.
        """
        reader = Reader(topics)
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def publish(self, *messages: Message) -> None:
        """Give messages to all; who has fallen behind is told to begin again."""
        for reader in list(self._readers):
            try:
                for one in messages:
                    if one.topic and one.topic not in reader.topics:
                        continue
                    reader.waiting.put_nowait(one)
            except asyncio.QueueFull:
                self._end(reader)
                self.dropped += 1

    def close(self) -> None:
        """Tell all that it is over."""
        for reader in list(self._readers):
            self._end(reader)

    def _end(self, reader: Reader) -> None:
        """Have a reader stop at once, whatever waits."""
        self._readers.discard(reader)
        while not reader.waiting.empty():
            reader.waiting.get_nowait()
        reader.waiting.put_nowait(None)

"""A door: a live source that listens, and who takes what it hears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from data.feeds.heard import Heard, Told


class Receiver(Protocol):
    """Whoever takes what a door heard."""

    def opened(self, *, door: str) -> None:
        """Be told that the door listens from now on."""

    def lost(self, count: int, *, door: str) -> None:
        """Be told how many messages came faster than they were taken, and are gone."""

    async def take(
        self, heard: Sequence[Heard | Told], *, door: str, peer: str, arrived_at: datetime
    ) -> None:
        """
        Take what came together.

        Parameters
        ----------
        heard : sequence of Sighting, Told or Refusal
            In the order of the bytes.
        door : str
            The door's name.
        peer : str
            Who sent it: an address, a topic, a file.
        arrived_at : datetime
            When.

        Notes
        -----
        Returns when all of it is on disk, refusals too: only then may a door acknowledge. A door
        that waits for this is slowed as far as it must be, and no other is.
        """


class Door(Protocol):
    """One live source."""

    name: str

    async def run(self, receiver: Receiver) -> None:
        """
        Listen until cancelled.

        Raises
        ------
        SourceUnreachableError
            If the source is lost or cannot be opened; whoever runs the door opens it again.
        """

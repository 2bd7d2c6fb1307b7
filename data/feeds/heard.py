"""What is made of the bytes that came: sightings, reports, and refusals with their reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from data.events import StatusChange, StopChange
    from data.records import UnitFix


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """
    A device says where it was.

    Parameters
    ----------
    device : str
        The name it gives itself; empty where it gives none, and its address must tell.
    fix : UnitFix
        Where and when.
    raw : bytes
        What it was read from.
    """

    device: str
    fix: UnitFix
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """
    Bytes that tell no position.

    Parameters
    ----------
    raw : bytes
        What came.
    reason : str
        Why it was refused, and what to do.
    """

    raw: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """
    Somebody says what a unit does, or what becomes of a stop.

    Parameters
    ----------
    report : StatusChange or StopChange
        What; the unit by the sender's name for it.
    raw : bytes
        What it was read from.
    untold : frozenset of str
        Fields of the status or the stop that the sender did not tell: they stay as they were. With
        ``at`` in it the instant is that of the message.
    """

    report: StatusChange | StopChange
    raw: bytes
    untold: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """
    A message that is well and tells no position: it is counted, no more.

    Parameters
    ----------
    kind : str
        What it is, of a handful of words.
    device : str
        Whose it is; empty where nobody says.
    raw : bytes
        What came.
    gone : bool
        Whether it says that the device is no longer connected.
    """

    kind: str
    device: str
    raw: bytes
    gone: bool = False


Heard = Sighting | Refusal | Noted


class Parser(Protocol):
    """A protocol's reader: a pure function of what came and when; it never raises."""

    def __call__(self, data: bytes, arrived_at: datetime) -> list[Heard]:
        """
        Read everything that `data` holds.

        Returns
        -------
        heard : list of Heard
            In the order of the bytes; their `raw`, put together, is `data` but for white space.
        """

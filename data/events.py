"""What happens during a shift, as it is recorded: the rows of a history's files."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from data.records import Stop, UnitStatus
    from data.road_table import FloatArray, Int32Array


class AnswerKind(StrEnum):
    """What an officer says to a suggestion."""

    EN_ROUTE = "en_route"
    CANT = "cant"
    MUTE = "mute"
    ARRIVED = "arrived"


class SeenBy(StrEnum):
    """How a presence is known."""

    POSITIONS = "positions"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixes:
    """
    Fixes of many units, a column a field, in the order in which they arrived.

    Parameters
    ----------
    unit_ids : tuple of str
        The units that `unit_row` counts in.
    unit_row : ndarray of int32, shape (f,)
        Whose fix.
    fixed_at_s, received_at_s : ndarray of float64, shape (f,)
        When it was taken and when it arrived, seconds since the epoch; `received_at_s` never falls.
    lon_deg, lat_deg : ndarray of float64, shape (f,)
        WGS 84.
    heading_deg, speed_mps, accuracy_m : ndarray of float64, shape (f,)
        NaN where unknown.

    Raises
    ------
    FieldError
        If the columns differ in length, or arrivals are out of order.
    """

    unit_ids: tuple[str, ...]
    unit_row: Int32Array
    fixed_at_s: FloatArray
    received_at_s: FloatArray
    lon_deg: FloatArray
    lat_deg: FloatArray
    heading_deg: FloatArray
    speed_mps: FloatArray
    accuracy_m: FloatArray

    def __post_init__(self) -> None:
        for name in self.__slots__[2:]:
            if len(getattr(self, name)) != len(self.unit_row):
                count = len(getattr(self, name))
                raise FieldError(name, count, f"must be as many as unit_row ({len(self.unit_row)})")
        if not np.all(np.diff(self.received_at_s) >= 0):
            raise FieldError("received_at_s", None, "must never fall; sort the rows by arrival")

    def __len__(self) -> int:
        return len(self.unit_row)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """
    A unit shows what it is doing.

    Parameters
    ----------
    unit_id : str
        Who.
    at : datetime
        When.
    status : UnitStatus
        What.
    officers : int
        In the car.
    agency : str
        Whose unit.
    """

    unit_id: str
    at: datetime
    status: UnitStatus
    officers: int = 1
    agency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopChange:
    """
    A stop begins, comes to another phase, gets backup assigned, or ends.

    Parameters
    ----------
    stop : Stop
        As it is from then on.
    at : datetime
        When that was known.
    """

    stop: Stop
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    A suggestion that was made, and what became of it.

    Parameters
    ----------
    suggestion_id, stop_id, unit_id : str
        Which, for which stop, to whom.
    asked_at : datetime
        When.
    answer : AnswerKind or None
        None for no answer.
    answered_at : datetime or None
        When; None for no answer.
    """

    suggestion_id: str
    stop_id: str
    unit_id: str
    asked_at: datetime
    answer: AnswerKind | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnScene:
    """
    A unit was at a stop: it corroborates.

    Parameters
    ----------
    stop_id, unit_id : str
        Which stop, and who.
    arrived_at : datetime
        From when.
    left_at : datetime or None
        Until when; None while it is there.
    seen_by : SeenBy
        How that is known.
    """

    stop_id: str
    unit_id: str
    arrived_at: datetime
    left_at: datetime | None
    seen_by: SeenBy


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """
    What was recorded of a period.

    Parameters
    ----------
    fixes : Fixes
        Positions.
    statuses : tuple of StatusChange
        By instant.
    stops : tuple of StopChange
        By instant.
    answers : tuple of Answer
        By the instant of asking.
    on_scene : tuple of OnScene
        By arrival.
    facts : mapping of str to JSON values
        Where it is from: ``simulated`` is true for made-up data.
    """

    fixes: Fixes
    statuses: tuple[StatusChange, ...] = ()
    stops: tuple[StopChange, ...] = ()
    answers: tuple[Answer, ...] = ()
    on_scene: tuple[OnScene, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether it is made up, and anything drawn from it must say so."""
        return bool(self.facts.get("simulated", False))

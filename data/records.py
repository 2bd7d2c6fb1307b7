"""Units, their fixes and stops as they are reported: frozen, keyword-only, checked when made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from data.errors import FieldError

if TYPE_CHECKING:
    from datetime import datetime


STATUS_STOP = "status:"


class UnitStatus(StrEnum):
    """What a unit is doing; agencies' own codes are mapped to these in the settings."""

    AVAILABLE = "available"
    DISPATCHED = "dispatched"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    ON_STOP = "on_stop"
    BUSY = "busy"
    OUT_OF_SERVICE = "out_of_service"


class StopPhase(StrEnum):
    """How far a stop has come. Secured never means safe: it lowers no need for backup."""

    CONTACT = "contact"
    SECURED = "secured"
    CUSTODY = "custody"
    AWAITING_TOW = "awaiting_tow"
    CLEARED = "cleared"


class Flag(StrEnum):
    """Whether backup could be at a stop in time."""

    COVERED = "covered"
    THIN = "thin"
    ALONE = "alone"


class Freshness(StrEnum):
    """What the age of a fix means: parked and quiet is not moving and silent."""

    FRESH = "fresh"
    PARKED = "parked"
    SILENT = "silent"
    STALE = "stale"


def _check(
    name: str,
    value: float | None,
    low: float,
    high: float,
    remedy: str = "",
) -> None:
    """
    Raise unless `value` is None or within ``[low, high]``; NaN fails.

    Raises
    ------
    FieldError
        If `value` is neither None nor within the bounds.
    """
    if value is not None and not low <= value <= high:
        bounds = f">= {low:g}" if high == float("inf") else f"from {low:g} to {high:g}"
        raise FieldError(name, value, f"must be {bounds}{'; ' + remedy if remedy else ''}")


def _check_instant(name: str, value: datetime | None) -> None:
    """
    Raise unless `value` is None or knows its offset from UTC.

    Raises
    ------
    FieldError
        If `value` is naive.
    """
    if value is not None and value.utcoffset() is None:
        raise FieldError(name, value, "must have an offset or Z; add the time zone")


def _check_id(name: str, value: str) -> None:
    """
    Raise unless `value` is a non-blank text without surrounding blanks.

    Raises
    ------
    FieldError
        If `value` is blank or padded.
    """
    if not value or value != value.strip():
        raise FieldError(name, value, "must be a text without blanks around it")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFix:
    """
    One report of where a unit was.

    Parameters
    ----------
    fixed_at : datetime
        When the fix was taken (not when it arrived), timezone-aware.
    lon_deg, lat_deg : float
        WGS 84.
    heading_deg : float or None
        Clockwise from north, 0 to 360; None if unknown.
    speed_mps : float or None
        Speed over ground, >= 0; None if unknown.
    accuracy_m : float or None
        Radius of the error, >= 0; None if unknown.

    Raises
    ------
    FieldError
        If a value is out of range or the instant is naive.
    """

    fixed_at: datetime
    lon_deg: float
    lat_deg: float
    heading_deg: float | None = None
    speed_mps: float | None = None
    accuracy_m: float | None = None

    def __post_init__(self) -> None:
        _check_instant("fixed_at", self.fixed_at)
        _check("lon", self.lon_deg, -180, 180)
        _check("lat", self.lat_deg, -90, 90)
        _check("heading_deg", self.heading_deg, 0, 360, "leave it empty if unknown")
        _check("speed_mps", self.speed_mps, 0, 150, "leave it empty if unknown")
        _check("accuracy_m", self.accuracy_m, 0, float("inf"), "leave it empty if unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """
    A unit on duty: who it is, what it does and where it was last seen.

    Parameters
    ----------
    unit_id : str
        The call sign.
    fix : UnitFix
        Its newest position.
    status : UnitStatus
        What it is doing.
    officers : int
        Officers in the car, >= 1.
    agency : str
        Whose unit it is; empty if not told.

    Raises
    ------
    FieldError
        If a value is out of range.
    """

    unit_id: str
    fix: UnitFix
    status: UnitStatus
    officers: int = 1
    agency: str = ""

    def __post_init__(self) -> None:
        _check_id("unit_id", self.unit_id)
        _check("officers", self.officers, 1, 99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """
    A traffic stop that is going on, or has been.

    Parameters
    ----------
    stop_id : str
        Unique name of the stop.
    unit_id : str
        The unit that shows itself on the stop.
    started_at : datetime or None
        When it began; None only where a unit's status alone told of it.
    ended_at : datetime or None
        When it ended; None = still going on.
    lon_deg, lat_deg : float or None
        The place; both None = where the unit's own fix is.
    heading_deg : float or None
        Which carriageway, clockwise from north.
    phase : StopPhase
        How far the stop has come.
    backup : tuple of str
        Units assigned to it.
    needs : int
        Officers wanted, >= 1.
    from_status : bool
        Made from a unit's status, without a record of its own.

    Raises
    ------
    FieldError
        If a value is out of range, an instant is naive, the end comes before the start, only one
        of the coordinates is given, or `stop_id` begins as those do that a status tells of.
    """

    stop_id: str
    unit_id: str
    started_at: datetime | None
    ended_at: datetime | None = None
    lon_deg: float | None = None
    lat_deg: float | None = None
    heading_deg: float | None = None
    phase: StopPhase = StopPhase.CONTACT
    backup: tuple[str, ...] = ()
    needs: int = 2
    from_status: bool = False

    def __post_init__(self) -> None:
        _check_id("stop_id", self.stop_id)
        if self.stop_id.startswith(STATUS_STOP) and not self.from_status:
            rule = (
                f"must not begin with {STATUS_STOP}, the mark of stops that only a status tells of"
            )
            raise FieldError("stop_id", self.stop_id, f"{rule}; rename it")
        _check_id("unit_id", self.unit_id)
        _check_instant("started_at", self.started_at)
        _check_instant("ended_at", self.ended_at)
        _check("lon", self.lon_deg, -180, 180)
        _check("lat", self.lat_deg, -90, 90)
        _check("heading_deg", self.heading_deg, 0, 360, "leave it empty if unknown")
        _check("needs", self.needs, 1, 99)
        if (self.lon_deg is None) != (self.lat_deg is None):
            missing = "lon" if self.lon_deg is None else "lat"
            raise FieldError(missing, None, "lon and lat go together; give both or neither")
        if self.started_at and self.ended_at and not self.ended_at >= self.started_at:
            raise FieldError(
                "ended_at",
                self.ended_at.isoformat(),
                f"must not be before started_at ({self.started_at.isoformat()}); correct one",
            )

    def is_open(self, now: datetime) -> bool:
        """
        Tell whether the stop is going on at `now`.

        Returns
        -------
        open_now : bool
            Begun, not ended and not cleared. A stop known from status alone has no start.
        """
        begun = self.started_at is None or self.started_at <= now
        ended = self.ended_at is not None and self.ended_at <= now
        return begun and not ended and self.phase is not StopPhase.CLEARED


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """
    One request to a unit to roll by, as remembered: feeds the caps and the give and take.

    Parameters
    ----------
    stop_id, unit_id : str
        Which stop, and who was asked.
    asked_at : datetime
        When, timezone-aware.

    Raises
    ------
    FieldError
        If the instant is naive.
    """

    stop_id: str
    unit_id: str
    asked_at: datetime

    def __post_init__(self) -> None:
        _check_instant("asked_at", self.asked_at)

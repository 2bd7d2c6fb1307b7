"""Units, stops, answers and places out of files: checked row by row, nothing lost in silence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from data.checking.cells import identifier, identifiers, instant, number, whole_number, word
from data.checking.reading import read_rows
from data.checking.rows import Column, Rows, Table
from data.checking.together import as_of, check_stop_units, faults_to_skip, newest_instant
from data.errors import FieldError
from data.records import Ask, Stop, StopPhase, Unit, UnitFix, UnitStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from data.formats.raw import RawRow

__all__ = [
    "Pair",
    "Place",
    "Rows",
    "as_of",
    "check_stop_units",
    "faults_to_skip",
    "newest_instant",
    "read_answers",
    "read_pairs",
    "read_places",
    "read_stops",
    "read_units",
    "stop_table",
]

_NO_CODES: Mapping[str, UnitStatus] = MappingProxyType({})


def id_column(name: str) -> Column:
    """Give a column of ids, which must be filled."""
    return Column(name, identifier, required=True, stand_in="-")


def _degrees(*names: str) -> tuple[Column, ...]:
    """Give columns of degrees, which must be filled; a place in range stands in for a bad one."""
    return tuple(Column(name, number, required=True, stand_in=1.0) for name in names)


FIX_COLUMNS = (
    *_degrees("lon", "lat"),
    *(Column(name, number) for name in ("heading_deg", "speed_mps", "accuracy_m")),
)
"""Where a unit was, beside its ``fixed_at``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    A named place.

    Parameters
    ----------
    place_id : str
        Its name.
    lon_deg, lat_deg : float
        WGS 84.
    heading_deg : float or None
        Clockwise from north; None if it does not matter.

    Raises
    ------
    FieldError
        If a value is out of range.
    """

    place_id: str
    lon_deg: float
    lat_deg: float
    heading_deg: float | None = None

    def __post_init__(self) -> None:
        _check_degrees("lon", self.lon_deg, -180, 180)
        _check_degrees("lat", self.lat_deg, -90, 90)
        if self.heading_deg is not None:
            _check_degrees("heading_deg", self.heading_deg, 0, 360)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """
    Two places, and the row they came in.

    Parameters
    ----------
    pair_id : str
        Its name.
    from_lon_deg, from_lat_deg, to_lon_deg, to_lat_deg : float
        WGS 84.
    row : tuple of (str, str)
        Every column and its text, in file order.

    Raises
    ------
    FieldError
        If a value is out of range.
    """

    pair_id: str
    from_lon_deg: float
    from_lat_deg: float
    to_lon_deg: float
    to_lat_deg: float
    row: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        _check_degrees("from_lon", self.from_lon_deg, -180, 180)
        _check_degrees("from_lat", self.from_lat_deg, -90, 90)
        _check_degrees("to_lon", self.to_lon_deg, -180, 180)
        _check_degrees("to_lat", self.to_lat_deg, -90, 90)


def _check_degrees(name: str, value: float, low: float, high: float) -> None:
    """
    Raise unless `value` is within ``[low, high]``; NaN fails.

    Raises
    ------
    FieldError
        If it is not.
    """
    if not low <= value <= high:
        raise FieldError(name, value, f"must be from {low:g} to {high:g}")


def _refuse_null_island(lon_deg: float | None, lat_deg: float | None, prefix: str = "") -> None:
    """
    Raise where a position is what a receiver without a fix reports.

    Raises
    ------
    FieldError
        If longitude and latitude are both zero.
    """
    if lon_deg == 0 == lat_deg:
        rule = "must be a real position; a GPS without a fix reports 0,0"
        raise FieldError(f"{prefix}lon,{prefix}lat", "0,0", rule)


def read_units(
    path: Path, *, clock: datetime, status: Mapping[str, UnitStatus] = _NO_CODES
) -> Rows[Unit]:
    """
    Read units; a unit may have several rows at different instants.

    Parameters
    ----------
    path : Path
        CSV, GeoJSON, JSON Lines or Parquet, told by the ending.
    clock : datetime
        The wall clock, timezone-aware: an instant more than 60 s later is a fault.
    status : mapping of str to UnitStatus
        The agency's own codes.

    Returns
    -------
    units : Rows of Unit
        Every good row, and every fault.
    """
    words = {**{member.value: member for member in UnitStatus}, **status}
    parse_status = partial(
        word, words=words, remedy="map other codes in the settings, units.status"
    )
    table = Table(
        columns=(
            id_column("unit_id"),
            Column("fixed_at", partial(instant, clock=clock), required=True),
            *FIX_COLUMNS,
            Column("status", parse_status, required=True),
            Column("officers", whole_number, default=1, stand_in=1),
            Column("agency", identifier, default=""),
        ),
        build=_unit,
        unique=("unit_id", "fixed_at"),
        subject="unit_id",
    )
    return read_rows(path, table)


def fix_of(values: Mapping[str, Any]) -> UnitFix:
    """Make a fix of its instant and `FIX_COLUMNS`."""
    return UnitFix(
        fixed_at=values["fixed_at"],
        lon_deg=values["lon"],
        lat_deg=values["lat"],
        heading_deg=values["heading_deg"],
        speed_mps=values["speed_mps"],
        accuracy_m=values["accuracy_m"],
    )


def _unit(values: Mapping[str, Any], _row: RawRow) -> Unit:
    """Make a unit."""
    fix = fix_of(values)
    unit = Unit(
        unit_id=values["unit_id"],
        fix=fix,
        status=values["status"],
        officers=values["officers"],
        agency=values["agency"],
    )
    _refuse_null_island(fix.lon_deg, fix.lat_deg)
    return unit


def read_stops(path: Path, *, clock: datetime) -> Rows[Stop]:
    """
    Read stops.

    Parameters
    ----------
    path : Path
        CSV, GeoJSON, JSON Lines or Parquet, told by the ending.
    clock : datetime
        The wall clock, timezone-aware: an instant more than 60 s later is a fault.

    Returns
    -------
    stops : Rows of Stop
        Every good row, ended and cleared ones too, and every fault.
    """
    return read_rows(path, stop_table(clock=clock))


def stop_table(*, clock: datetime) -> Table[Stop]:
    """
    Say how rows become stops; a history's rows are such with an instant more.

    Returns
    -------
    table : Table of Stop
        To be read with `read_rows`.
    """
    phases = {member.value: member for member in StopPhase}
    parse_instant = partial(instant, clock=clock)
    return Table(
        columns=(
            id_column("stop_id"),
            id_column("unit_id"),
            Column("lon", number, stand_in=1.0),
            Column("lat", number, stand_in=1.0),
            Column("heading_deg", number),
            Column("started_at", parse_instant, required=True),
            Column("ended_at", parse_instant),
            Column("phase", partial(word, words=phases), default=StopPhase.CONTACT),
            Column("backup", identifiers, default=(), stand_in=(), many=True),
            Column("needs", whole_number, default=2, stand_in=2),
        ),
        build=_stop,
        unique=("stop_id",),
    )


def _stop(values: Mapping[str, Any], _row: RawRow) -> Stop:
    """Make a stop."""
    stop = Stop(
        stop_id=values["stop_id"],
        unit_id=values["unit_id"],
        started_at=values["started_at"],
        ended_at=values["ended_at"],
        lon_deg=values["lon"],
        lat_deg=values["lat"],
        heading_deg=values["heading_deg"],
        phase=values["phase"],
        backup=values["backup"],
        needs=values["needs"],
    )
    _refuse_null_island(stop.lon_deg, stop.lat_deg)
    return stop


def read_answers(path: Path, *, clock: datetime) -> Rows[Ask]:
    """
    Read who was asked earlier, and when.

    Parameters
    ----------
    path : Path
        The history's ``answers``: CSV, JSON Lines or Parquet.
    clock : datetime
        The wall clock, timezone-aware: an instant more than 60 s later is a fault.

    Returns
    -------
    asks : Rows of Ask
        Every good row, and every fault.
    """
    parse_instant = partial(instant, clock=clock)
    table = Table(
        columns=(
            Column("suggestion_id", identifier),
            id_column("stop_id"),
            id_column("unit_id"),
            Column("asked_at", parse_instant, required=True),
            Column("answer", identifier),
            Column("answered_at", parse_instant),
        ),
        build=_ask,
        unique=("suggestion_id", "unit_id"),
    )
    return read_rows(path, table)


def check_order(values: Mapping[str, Any], earlier: str, later: str) -> None:
    """
    Hold two instants of a row against each other; either may be unknown.

    Raises
    ------
    FieldError
        If they are in the other order.
    """
    first, second = values[earlier], values[later]
    if first and second and not second >= first:
        raise FieldError(later, second, f"must not be before {earlier}; correct one")


def _ask(values: Mapping[str, Any], _row: RawRow) -> Ask:
    """Make an ask."""
    check_order(values, "asked_at", "answered_at")
    return Ask(**{name: values[name] for name in ("stop_id", "unit_id", "asked_at")})


def read_places(path: Path) -> Rows[Place]:
    """
    Read named places.

    Parameters
    ----------
    path : Path
        CSV, GeoJSON, JSON Lines or Parquet with ``id,lon,lat[,heading_deg]``.

    Returns
    -------
    places : Rows of Place
        Every good row, and every fault.
    """
    table = Table(
        columns=(
            id_column("id"),
            *_degrees("lon", "lat"),
            Column("heading_deg", number),
        ),
        build=_place,
        unique=("id",),
    )
    return read_rows(path, table)


def _place(values: Mapping[str, Any], _row: RawRow) -> Place:
    """Make a place."""
    place = Place(
        place_id=values["id"],
        lon_deg=values["lon"],
        lat_deg=values["lat"],
        heading_deg=values["heading_deg"],
    )
    _refuse_null_island(place.lon_deg, place.lat_deg)
    return place


def read_pairs(path: Path) -> Rows[Pair]:
    """
    Read pairs of places; their other columns are kept as they are.

    Parameters
    ----------
    path : Path
        CSV, JSON Lines or Parquet with ``id,from_lon,from_lat,to_lon,to_lat``.

    Returns
    -------
    pairs : Rows of Pair
        Every good row, and every fault.
    """
    table = Table(
        columns=(
            id_column("id"),
            *_degrees("from_lon", "from_lat", "to_lon", "to_lat"),
        ),
        build=_pair,
        carries_others=True,
    )
    return read_rows(path, table)


def _pair(values: Mapping[str, Any], row: RawRow) -> Pair:
    """
    Make a pair.

    Raises
    ------
    FieldError
        If one of the other columns holds a list or an object.
    """
    texts = []
    for name, cell in row.cells.items():
        if not isinstance(cell, str):
            raise FieldError(name, "list or object", "must be a single value")
        texts.append((name, cell))
    pair = Pair(
        pair_id=values["id"],
        from_lon_deg=values["from_lon"],
        from_lat_deg=values["from_lat"],
        to_lon_deg=values["to_lon"],
        to_lat_deg=values["to_lat"],
        row=tuple(texts),
    )
    _refuse_null_island(pair.from_lon_deg, pair.from_lat_deg, "from_")
    _refuse_null_island(pair.to_lon_deg, pair.to_lat_deg, "to_")
    return pair

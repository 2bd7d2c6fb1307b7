"""Files and options -> checked values: all faults of all files at once, nothing lost in silence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from data import words
from data.beats import read_beats
from data.checking.cells import FUTURE
from data.errors import Fault, InputError, TableError
from data.settings import Settings, read_settings
from data.tables import (
    Rows,
    as_of,
    check_stop_units,
    faults_to_skip,
    newest_instant,
    read_answers,
    read_stops,
    read_units,
)
from geo.network import RoadNetwork
from geo.snap import FAR_M, NEAR_M, snap_all
from rollby.files import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from data.beats import Beat
    from data.records import Ask, Stop, Unit
    from data.tables import Place
    from geo.snap import Position

T = TypeVar("T")

NO_STOPS: Rows[Stop] = Rows(rows=(), lines=(), faults=(), notes=(), file="")
NO_ASKS: Rows[Ask] = Rows(rows=(), lines=(), faults=(), notes=(), file="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """
    What a command works on, checked.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    units : tuple of Unit
        One row a unit: its newest at `at`.
    stops : tuple of Stop
        On record at `at`.
    asked : tuple of Ask or None
        Earlier requests; None where no file of them was given.
    at : datetime
        The instant, UTC.
    settings : Settings
        In force.
    beats : tuple of Beat
        Of the settings.
    skipped : tuple of Fault
        Rows that were left out by ``--skip-bad``.
    notes : tuple of str
        For the reader, on stderr.
    """

    net: RoadNetwork
    units: tuple[Unit, ...]
    stops: tuple[Stop, ...]
    asked: tuple[Ask, ...] | None
    at: datetime
    settings: Settings
    beats: tuple[Beat, ...]
    skipped: tuple[Fault, ...]
    notes: tuple[str, ...]


def load_roads(path: Path) -> RoadNetwork:
    """
    Map a road network, and say so if its times are not those of a roll-by.

    Parameters
    ----------
    path : Path
        A ``.roads`` file.

    Returns
    -------
    net : RoadNetwork
        Ready to route on.
    """
    net = RoadNetwork.load(path)
    if net.response:
        say([f"{path}: drive times are with lights and siren; a roll-by is routine driving"])
    return net


def load_settings(
    path: Path | None, *, within_s: float | None = None
) -> tuple[Settings, tuple[Beat, ...]]:
    """
    Read the settings, and the beats they name.

    Parameters
    ----------
    path : Path or None
        None for the defaults.
    within_s : float or None
        T in place of that of the settings; a beat's own T stays.

    Returns
    -------
    settings : Settings
        Checked.
    beats : tuple of Beat
        Empty where none are named; their file is looked for beside the settings' own.
    """
    settings = Settings() if path is None else read_settings(path)
    if within_s is not None:
        policy = settings.policy.model_copy(update={"within_s": within_s})
        settings = settings.model_copy(update={"policy": policy})
    if path is None or not settings.beats.file:
        return settings, ()
    return settings, read_beats(path.parent / settings.beats.file, settings)


def load(
    *,
    roads: Path,
    units: Path,
    stops: Path | None = None,
    answers: Path | None = None,
    settings: Path | None = None,
    at: datetime | None = None,
    within_s: float | None = None,
    skip_bad: bool = False,
) -> Inputs:
    """
    Read everything that `suggest` and `coverage` work on.

    Parameters
    ----------
    roads, units : Path
        The network, and the units.
    stops, answers, settings : Path or None
        None for no stops, no earlier asks, the defaults.
    at : datetime or None
        The instant; None for the newest in any of the files.
    within_s : float or None
        T in place of that of the settings.
    skip_bad : bool
        Go on without faulty rows; they are listed in `skipped`.

    Returns
    -------
    inputs : Inputs
        Checked.

    Raises
    ------
    InputError
        If `at` lies in the future, or no file holds an instant.
    TableError
        If rows are faulty and `skip_bad` is not set: every fault of every file. Also where it is
        set, if a file could not be read to its end.
    """
    clock = datetime.now(UTC)
    net = load_roads(roads)
    chosen, beats = load_settings(settings, within_s=within_s)
    unit_rows = read_units(units, clock=clock, status=chosen.units.status)
    stop_rows = read_stops(stops, clock=clock) if stops else NO_STOPS
    ask_rows = read_answers(answers, clock=clock) if answers else NO_ASKS
    at = at or newest_instant(unit_rows, stop_rows, ask_rows)
    if at is None:
        faults_to_skip(unit_rows, stop_rows, ask_rows, skip_bad=skip_bad)
        raise InputError(f"{units}: holds no instant to answer for; give one with --at")
    if at > clock + FUTURE:
        raise InputError(f"--at {at.isoformat()}: must not be in the future")
    unit = chosen.units.speed_unit
    unit_rows = _near_roads(net, unit_rows, _fix_place, unit=unit, arriving=False)
    stop_rows = _near_roads(net, stop_rows, _own_place, unit=unit, arriving=True)
    stop_rows = check_stop_units(stop_rows, unit_rows)
    unit_rows, stop_rows = as_of(unit_rows, stop_rows, at=at)
    skipped = faults_to_skip(unit_rows, stop_rows, ask_rows, skip_bad=skip_bad)
    asked = tuple(ask for ask in ask_rows.rows if ask.asked_at <= at)
    notes = [*unit_rows.notes, *stop_rows.notes, *ask_rows.notes]
    if later := len(ask_rows.rows) - len(asked):
        notes.append(f"{ask_rows.file}: {later} asks later than {at.isoformat()} left out")
    return Inputs(
        net=net,
        units=unit_rows.rows,
        stops=stop_rows.rows,
        asked=asked if answers else None,
        at=at.astimezone(UTC),
        settings=chosen,
        beats=beats,
        skipped=skipped,
        notes=tuple(notes),
    )


def _fix_place(unit: Unit) -> tuple[float, float, float]:
    """Give lon_deg, lat_deg and heading_deg of a unit; NaN for what is unknown."""
    heading = np.nan if unit.fix.heading_deg is None else unit.fix.heading_deg
    return unit.fix.lon_deg, unit.fix.lat_deg, heading


def _own_place(stop: Stop) -> tuple[float, float, float]:
    """Give lon_deg, lat_deg and heading_deg of a stop's own place; NaN for what is unknown."""
    heading = np.nan if stop.heading_deg is None else stop.heading_deg
    if stop.lon_deg is None or stop.lat_deg is None:
        return np.nan, np.nan, heading
    return stop.lon_deg, stop.lat_deg, heading


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """
    The places of a file, on the road.

    Parameters
    ----------
    positions : list of (Position or None)
        Row by row; None where no road is near, or the row has no place.
    faults : list of Fault
        Rows far from any road.
    notes : list of str
        Rows some way off it.
    """

    positions: list[Position | None]
    faults: list[Fault]
    notes: list[str]


def place_rows(
    net: RoadNetwork,
    rows: Rows[T],
    place_of: Callable[[T], tuple[float, float, float]],
    *,
    field: str = "lon,lat",
    unit: words.SpeedUnit = "km/h",
    arriving: bool = False,
) -> Placed:
    """
    Snap the places of a file.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    rows : Rows
        As read.
    place_of : callable
        Gives a row's lon_deg, lat_deg and heading_deg, NaN for what is unknown.
    field : str
        The columns the place stands in.
    unit : {"mph", "km/h"}
        The unit that goes with distances.
    arriving : bool
        Places to get to, rather than to set out from.

    Returns
    -------
    placed : Placed
        With every fault.
    """
    places = [place_of(row) for row in rows.rows]
    positions = snap_places(net, places, arriving=arriving)
    faults, notes = [], []
    for line, (lon, lat, _), position in zip(rows.lines, places, positions, strict=True):
        if position is None and not np.isnan(lon):
            rule = far_rule(net, lon, lat)
            faults.append(
                Fault(file=rows.file, line=line, field=field, value=f"{lon},{lat}", rule=rule)
            )
        elif position is not None and position.offset_m > NEAR_M:
            away = words.distance(position.offset_m, unit)
            row = f"{rows.file}:{line} {field}={lon},{lat}"
            notes.append(f"{row}: {away} from the nearest road; used there")
    return Placed(positions=positions, faults=faults, notes=notes)


def _near_roads(
    net: RoadNetwork,
    rows: Rows[T],
    place_of: Callable[[T], tuple[float, float, float]],
    *,
    unit: words.SpeedUnit,
    arriving: bool,
) -> Rows[T]:
    """Turn rows far from any road into faults; note those that are off it."""
    placed = place_rows(net, rows, place_of, unit=unit, arriving=arriving)
    far = {fault.line for fault in placed.faults}
    kept = [number for number, line in enumerate(rows.lines) if line not in far]
    return replace(
        rows,
        rows=tuple(rows.rows[number] for number in kept),
        lines=tuple(rows.lines[number] for number in kept),
        faults=(*rows.faults, *placed.faults),
        notes=(*rows.notes, *placed.notes),
    )


def place_of(row: Place) -> tuple[float, float, float]:
    """
    Give a named place as `place_rows` takes it.

    Returns
    -------
    place : (lon_deg, lat_deg, heading_deg)
        The heading NaN if unknown.
    """
    return row.lon_deg, row.lat_deg, np.nan if row.heading_deg is None else row.heading_deg


def positions_of(*files: Placed) -> list[list[Position]]:
    """
    Give where all places of some files are on the road, and say their notes.

    Parameters
    ----------
    *files : Placed
        Of one file each.

    Returns
    -------
    positions : list of list of Position
        In the files' order.

    Raises
    ------
    TableError
        If places are far from any road; all of them.
    """
    if faults := [fault for file in files for fault in file.faults]:
        raise TableError(sorted(faults, key=lambda fault: (fault.file, fault.line or 0)))
    say(note for file in files for note in file.notes)
    return [[one for one in file.positions if one] for file in files]


def snap_places(
    net: RoadNetwork, places: Sequence[tuple[float, float, float]], *, arriving: bool = False
) -> list[Position | None]:
    """
    Snap many places.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    places : sequence of (lon_deg, lat_deg, heading_deg)
        NaN for what is unknown.
    arriving : bool
        Places to get to, rather than to set out from.

    Returns
    -------
    positions : list of (Position or None)
        None where no road is near, or the place is unknown.
    """
    lon, lat, heading = np.array(places, np.float64).reshape(-1, 3).T
    known = ~np.isnan(lon)
    positions: list[Position | None] = [None] * len(places)
    found = snap_all(net, lon[known], lat[known], heading[known], arriving=arriving)
    for row, position in zip(np.flatnonzero(known), found, strict=True):
        positions[row] = position
    return positions


def far_rule(net: RoadNetwork, lon_deg: float, lat_deg: float) -> str:
    """
    Say what is wrong with a place far from any road, and what may have happened.

    Returns
    -------
    rule : str
        Names a swap where the swapped place lies in the network's bounds.
    """
    west, south, east, north = net.table.bounds_deg
    if west <= lat_deg <= east and south <= lon_deg <= north:
        return "lon and lat look swapped; swap them"
    box = f"{west:.3f},{south:.3f},{east:.3f},{north:.3f}"
    return f"must be within {FAR_M:.0f} m of a road; the roads file covers {box}"

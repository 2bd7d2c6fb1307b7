"""Units and stops held against each other and against an instant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any, TypeVar

from data.errors import Fault, TableError
from data.records import StopPhase

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from data.checking.rows import Rows
    from data.records import Ask, Stop, Unit

T = TypeVar("T")


def faults_to_skip(*tables: Rows[Any], skip_bad: bool) -> tuple[Fault, ...]:
    """
    Stop at faults, or give those of the rows that may be gone on without.

    Parameters
    ----------
    *tables : Rows
        All files read.
    skip_bad : bool
        Go on without bad rows.

    Returns
    -------
    faults : tuple of Fault
        Of the rows left out, file after file.

    Raises
    ------
    TableError
        If there are faults and `skip_bad` is not set; also where it is set, if one of the files
        could not be read to its end: a stop that nobody has read cannot be skipped.
    """
    faults = tuple(fault for table in tables for fault in table.faults)
    if faults and not (skip_bad and all(table.complete for table in tables)):
        raise TableError(faults)
    return faults


def newest_instant(
    units: Rows[Unit], stops: Rows[Stop], asks: Rows[Ask] | None = None
) -> datetime | None:
    """
    Find the newest instant in any of the files.

    Parameters
    ----------
    units, stops : Rows
        Good rows: fixes, and stops' starts and ends.
    asks : Rows of Ask or None
        Earlier requests.

    Returns
    -------
    newest : datetime or None
        None where there is none.
    """
    instants = [unit.fix.fixed_at for unit in units.rows]
    for stop in stops.rows:
        instants += [end for end in (stop.started_at, stop.ended_at) if end is not None]
    instants += [ask.asked_at for ask in (asks.rows if asks else ())]
    return max(instants, default=None)


def as_of(units: Rows[Unit], stops: Rows[Stop], *, at: datetime) -> tuple[Rows[Unit], Rows[Stop]]:
    """
    Give what was known at an instant.

    Parameters
    ----------
    units, stops : Rows
        As read.
    at : datetime
        The instant, timezone-aware.

    Returns
    -------
    units : Rows of Unit
        Each unit's newest row at or before `at`. Rows later than that are left out with one
        note, older ones without.
    stops : Rows of Stop
        Those that had begun; later ones are left out with one note. A stop that was cleared at an
        end later than `at` was still going on, in a phase that nobody knows: it is given as
        ``contact``, with a note. A stop is a fault if it has no place and its unit has rows later
        than `at` only.
    """
    known = _pick(units, [unit.fix.fixed_at <= at for unit in units.rows], at)
    newest: dict[str, int] = {}
    for number, unit in enumerate(known.rows):
        best = newest.setdefault(unit.unit_id, number)
        if unit.fix.fixed_at > known.rows[best].fix.fixed_at:
            newest[unit.unit_id] = number
    current = _take(known, sorted(newest.values()))
    begun = _pick(stops, [not stop.started_at or stop.started_at <= at for stop in stops.rows], at)
    later = {unit.unit_id for unit in units.rows} - newest.keys()
    rule = "its unit's rows are all later than the instant asked for; give the stop's lon and lat"
    return current, _placed(_reopened(begun, at), later, rule, at)


def _take(table: Rows[T], numbers: Sequence[int]) -> Rows[T]:
    """Keep the rows of some numbers."""
    return replace(
        table,
        rows=tuple(table.rows[number] for number in numbers),
        lines=tuple(table.lines[number] for number in numbers),
    )


def _pick(table: Rows[T], keep: Sequence[bool], at: datetime) -> Rows[T]:
    """Leave out rows later than an instant, with one note."""
    kept = _take(table, [number for number, known in enumerate(keep) if known])
    left_out = len(table.rows) - len(kept.rows)
    if not left_out:
        return kept
    rows = "1 row" if left_out == 1 else f"{left_out} rows"
    note = f"{table.file}: {rows} later than {_written(at)} left out"
    return replace(kept, notes=(*kept.notes, note))


def _reopened(stops: Rows[Stop], at: datetime) -> Rows[Stop]:
    """Take back what happened to a stop later than an instant."""
    rows, notes = [], []
    for line, stop in zip(stops.lines, stops.rows, strict=True):
        cleared = stop.phase is StopPhase.CLEARED
        if cleared and stop.ended_at is not None and stop.ended_at > at:
            notes.append(
                f"{stops.file}:{line} phase=cleared: was cleared at {_written(stop.ended_at)}; "
                f"still going on at {_written(at)}, taken as contact"
            )
            rows.append(replace(stop, phase=StopPhase.CONTACT))
        else:
            rows.append(stop)
    return replace(stops, rows=tuple(rows), notes=(*stops.notes, *notes))


def _written(instant_: datetime) -> str:
    """Write an instant as the files have it."""
    return instant_.astimezone(UTC).isoformat().replace("+00:00", "Z")


def check_stop_units(stops: Rows[Stop], units: Rows[Unit]) -> Rows[Stop]:
    """
    Hold stops against the units: somebody must know where a stop is.

    Parameters
    ----------
    stops : Rows of Stop
        As read.
    units : Rows of Unit
        As read; a unit all of whose rows are faulty is as unknown as one without rows.

    Returns
    -------
    stops : Rows of Stop
        A stop of an unknown unit stays, with a note, where it has a place, and is a fault where
        it has none. Unknown units among the backup are noted. Nothing is held against units that
        could not be read.
    """
    if not units.complete:
        return stops  # that file's own fault says it all; each stop would only repeat it
    known = {unit.unit_id for unit in units.rows}
    notes = []
    for line, stop in zip(stops.lines, stops.rows, strict=True):
        place = f"{stops.file}:{line}"
        if stop.unit_id not in known and stop.lon_deg is not None:
            notes.append(
                f"{place} unit_id={stop.unit_id}: has no good row in {units.file}"
                f"{_alike(stop.unit_id, known)}; the stop stays, at its own place"
            )
        unknown = [unit_id for unit_id in stop.backup if unit_id not in known]
        if unknown:
            notes.append(
                f"{place} backup={';'.join(unknown)}: no good row in {units.file}"
                f"{''.join(_alike(unit_id, known) for unit_id in unknown)}; where it is is unknown"
            )
    unplaced = {stop.unit_id for stop in stops.rows} - known
    rule = f"must have a good row in {units.file}; mend that, or give the stop's lon and lat"
    placed = _placed(stops, unplaced, rule)
    return replace(placed, notes=(*placed.notes, *notes))


def _placed(
    stops: Rows[Stop], unit_ids: Collection[str], rule: str, at: datetime | None = None
) -> Rows[Stop]:
    """Make faults of the stops that stand where their unit is, for units nobody can place."""
    lost = [
        stop.lon_deg is None and stop.unit_id in unit_ids and (at is None or stop.is_open(at))
        for stop in stops.rows
    ]
    faults = [
        Fault(file=stops.file, line=line, field="unit_id", value=stop.unit_id[:80], rule=rule)
        for line, stop, is_lost in zip(stops.lines, stops.rows, lost, strict=True)
        if is_lost
    ]
    kept = _take(stops, [number for number, is_lost in enumerate(lost) if not is_lost])
    faults = sorted([*stops.faults, *faults], key=lambda fault: fault.line or 0)
    return replace(kept, faults=tuple(faults))


def _alike(unit_id: str, known: Collection[str]) -> str:
    """Point out a unit whose id differs in capitals only."""
    alike = [other for other in known if other.casefold() == unit_id.casefold()]
    return f" (is it {alike[0]}?)" if alike else ""

"""Raw rows -> records, by a list of columns: every fault of every row, and every good row."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from data.checking.rows import Rows
from data.errors import Fault, FieldError, TableError
from data.formats.open_table import open_table
from data.formats.raw import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from data.checking.rows import Column, Table
    from data.formats.raw import Cell, RawRow, RawTable

T = TypeVar("T")

MAX_LON_DEG = 180
MAX_LAT_DEG = 90

OTHER_NAMES = {
    "lon": ("long", "lng", "longitude", "x", "lon_deg"),
    "lat": ("latitude", "y", "lat_deg"),
    "unit_id": ("unit", "unitid", "callsign", "call_sign", "id"),
    "stop_id": ("stop", "stopid", "incident", "incident_id", "id"),
    "fixed_at": ("time", "timestamp", "datetime", "gps_time"),
    "started_at": ("start", "started", "start_time", "time", "timestamp"),
    "ended_at": ("end", "ended", "end_time", "cleared_at"),
    "heading_deg": ("heading", "bearing", "course"),
    "speed_mps": ("speed", "speed_mph", "speed_kmh", "mph"),
    "accuracy_m": ("accuracy", "hdop"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """Columns as they are written, matched with those that we know by their plain names."""

    written: Mapping[str, str]  # known name -> name in the file
    others: tuple[str, ...]
    repeated: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class _Checked(Generic[T]):
    """A row, and what was made of it."""

    line: int
    faults: list[Fault]
    record: T | None = None
    key: tuple[Any, ...] | None = None  # None where it could not be read
    subject: Any = None


def read_rows(path: Path, table: Table[T]) -> Rows[T]:
    """
    Read a file into records.

    Parameters
    ----------
    path : Path
        Its ending tells the format.
    table : Table
        How rows become records.

    Returns
    -------
    rows : Rows
        Every row of the file is in `rows` or has a fault; so has a file that cannot be read.
    """
    return _read(open_table(path), table, str(path))


def check_rows(raw: RawTable, table: Table[T], file: str) -> Rows[T]:
    """
    Make records of rows that came in another way than by a file of their own.

    Parameters
    ----------
    raw : RawTable
        The rows.
    table : Table
        How rows become records.
    file : str
        What they are called in messages.

    Returns
    -------
    rows : Rows
        As `read_rows`.
    """
    return _read(nullcontext(raw), table, file)


def _read(opened: AbstractContextManager[RawTable], table: Table[T], file: str) -> Rows[T]:
    """Read all rows; also where they cannot be opened."""
    reading = _Reading(table, file)
    try:
        with opened as raw:
            if raw.columns is not None:
                reading.check_header(raw.columns, raw.unfit)
            for row in raw.rows:
                reading.check_row(row)
    except TableError as error:
        reading.stopped += error.faults
    return reading.result()


class _Reading(Generic[T]):
    """What is known of one file while it is read."""

    def __init__(self, table: Table[T], file: str) -> None:
        self.table = table
        self.file = file
        self.columns = {column.name: column for column in table.columns}
        self.headers: dict[tuple[str, ...], _Header] = {}
        self.withheld: set[str] = set()  # columns that no row can be judged by
        self.stopped: list[Fault] = []  # faults of the whole file, or of the rest of it
        self.checked: list[_Checked[T]] = []

    def header(self, written: Iterable[str]) -> _Header:
        """Match columns with those that we know, each set of them once."""
        names = tuple(written)
        if names not in self.headers:
            self.headers[names] = _match(names, self.table)
        return self.headers[names]

    def stop(self, rule: str, *, field: str = "", value: str = "") -> None:
        """Note a fault of the whole file."""
        fault = Fault(file=self.file, line=None, field=field, value=value, rule=rule)
        self.stopped.append(fault)

    def check_header(self, columns: tuple[str, ...], unfit: Mapping[str, str]) -> None:
        """Look for columns that are given twice, missing or unfit."""
        header = self.header(columns)
        if header.repeated:
            self.withheld.update(self.columns)
            self.stop(
                f"must name each column once, has {_listed(header.repeated)} twice; remove one"
            )
        for name, rule in unfit.items():
            if plain_name(name) in self.columns:
                self.withheld.add(plain_name(name))
                self.stop(rule, field=plain_name(name), value="whole column")
        required = (column.name for column in self.table.columns if column.required)
        missing = [name for name in required if name not in header.written]
        if missing:
            self.withheld.update(missing)
            hints = "".join(_hint(name, header.others) for name in missing)
            self.stop(f"must have {_listed(missing)}; its columns are {_listed(columns)}{hints}")

    def check_row(self, row: RawRow) -> None:
        """Make a record of a row, or find everything that is wrong with it."""
        checked: _Checked[T] = _Checked(line=row.line, faults=list(row.faults))
        self.checked.append(checked)
        if not all(fault.field for fault in row.faults):
            return
        check = _RowCheck(self.file, row, self.header(row.cells), self.withheld)
        values = {column.name: check.read(column) for column in self.table.columns}
        checked.record = check.build(self.table, values)
        checked.faults = sorted(check.faults, key=self._rank)
        if check.refused.isdisjoint(self.table.unique):
            checked.key = tuple(values[name] for name in self.table.unique)
        if self.table.subject not in check.refused:
            checked.subject = values.get(self.table.subject)

    def _rank(self, fault: Fault) -> int:
        """Give the place of a fault's column among the columns; those unknown come last."""
        names = [*self.columns]
        first = fault.field.partition(",")[0]
        return names.index(first) if first in names else len(names)

    def result(self) -> Rows[T]:
        """Put rows, faults and notes together."""
        self._find_repeated()
        good = [checked for checked in self.checked if checked.record is not None]
        faults = [*self.stopped, *(fault for row in self.checked for fault in row.faults)]
        return Rows(
            rows=tuple(row.record for row in good if row.record is not None),
            lines=tuple(row.line for row in good),
            faults=tuple(sorted(faults, key=lambda fault: fault.line or 0)),
            notes=tuple(f"{self.file}{note}" for note in self._notes()),
            file=self.file,
            complete=not self.stopped,
        )

    def _find_repeated(self) -> None:
        """Find rows of one name: a good one counts as the first, however they are ordered."""
        first: dict[tuple[Any, ...], int] = {}
        field, *others = self.table.unique or ("",)
        per = f" for each {' and '.join(others)}" if others else ""
        for row in sorted(self.checked, key=lambda row: row.record is None):
            if not row.key or row.key[0] is None:
                continue
            line = first.setdefault(row.key, row.line)
            if line != row.line:
                rule = f"must be unique{per}; line {line} has it too, remove one"
                value = shown(str(row.key[0]))
                row.record = None
                row.faults.append(
                    Fault(file=self.file, line=row.line, field=field, value=value, rule=rule)
                )

    def _notes(self) -> Iterator[str]:
        """Say what was passed over, and what was read though it is not quite as it should be."""
        written = {
            name: known
            for header in self.headers.values()
            for known, name in header.written.items()
        }
        odd = [f"{name!r} as {known}" for name, known in written.items() if name != known]
        if odd:
            yield f": columns read in spite of capitals or blanks: {_listed(odd)}"
        others = dict.fromkeys(name for header in self.headers.values() for name in header.others)
        if others and not self.table.carries_others:
            missing = [name for name in self.columns if name not in written.values()]
            hints = "".join(_hint(name, tuple(others)) for name in missing)
            yield f": columns passed over: {_listed(others)}{hints}"
        good = [row for row in self.checked if row.record is not None]
        keys, told = {row.key for row in good}, {row.subject for row in good} - {None}
        for row in self.checked:
            if row.record is None and row.subject in told and row.key not in keys:
                told_by = f"{self.table.subject}={row.subject}"
                yield f":{row.line} {told_by}: without this bad row an older one may count"
        for names in _alike(told):
            yield f": {names} differ in capitals only; write them alike if they are one"
        if not self.checked and not self.stopped:
            yield ": holds no rows"


class _RowCheck:
    """One row, judged column by column and then as a record."""

    def __init__(self, file: str, row: RawRow, header: _Header, withheld: Iterable[str]) -> None:
        self.file = file
        self.row = row
        self.header = header
        self.faults = list(row.faults)
        self.refused = {*withheld, *header.repeated}
        for fault in row.faults:
            self.refused.update(map(plain_name, fault.field.split(",")))
        for name in header.repeated:
            self.list_fault(name, "must be given once; remove one")

    def list_fault(self, field: str, rule: str) -> None:
        """List a fault, with the value as it stands in the file."""
        cells = [self.cell(name) for name in field.split(",")]
        value = ",".join(
            cell.strip() if isinstance(cell, str) else "list or object" for cell in cells
        )
        self.faults.append(
            Fault(file=self.file, line=self.row.line, field=field, value=shown(value), rule=rule)
        )

    def cell(self, name: str) -> Cell:
        """Give a column's cell; empty where the row has none."""
        return self.row.cells.get(self.header.written.get(name, name), "")

    def read(self, column: Column) -> Any:
        """Read one cell; where it is refused, list that and give the stand-in."""
        if column.name in self.refused:
            return column.stand_in
        try:
            return column.read(self.cell(column.name))
        except FieldError as error:
            known = column.name in self.header.written
            hint = "" if known else _hint(column.name, self.header.others)
            self.list_fault(column.name, error.rule + hint)
            self.refused.add(column.name)
            return column.stand_in

    def build(self, table: Table[T], values: dict[str, Any]) -> T | None:
        """Make the record; what it refuses is listed and set aside, so that it judges the rest."""
        stand_ins = {column.name: column.stand_in for column in table.columns}
        while True:
            try:
                record = table.build(values, self.row)
            except FieldError as error:
                fields = error.field.split(",")
                if self.refused.issuperset(fields):
                    return None
                self.list_fault(error.field, error.rule + _swap_hint(error.field, values))
                self.refused.update(fields)
                values.update((name, stand_ins.get(name)) for name in fields)
            else:
                return None if self.refused else record


def plain_name(written: str) -> str:
    """
    Take blanks and capitals out of a column's name.

    Parameters
    ----------
    written : str
        As in the file.

    Returns
    -------
    name : str
        To compare by.
    """
    return written.strip().casefold()


def _match(written: tuple[str, ...], table: Table[Any]) -> _Header:
    """Match columns with those that a table knows."""
    known = {column.name for column in table.columns}
    times = Counter(
        name if name in known else column for column in written for name in [plain_name(column)]
    )
    unnamed = not table.carries_others
    return _Header(
        written={plain_name(name): name for name in written if plain_name(name) in known},
        others=tuple(name for name in written if plain_name(name) not in known),
        repeated=tuple(
            name for name, given in times.items() if given > 1 and (name.strip() or not unnamed)
        ),
    )


def _listed(names: Iterable[str]) -> str:
    """List columns for a message."""
    return ", ".join(shown(name) if name.strip() else "(no name)" for name in names)


@lru_cache(maxsize=256)
def _hint(name: str, written: tuple[str, ...]) -> str:
    """Point out a column that may be meant by another name, if there is one."""
    plain = {plain_name(column): column for column in written}
    for other in (*OTHER_NAMES.get(name, ()), *get_close_matches(name, plain, n=1, cutoff=0.75)):
        if other in plain:
            return f"; rename {shown(plain[other])} to {name} if it is that"
    return ""


def _alike(names: Iterable[str]) -> Iterator[str]:
    """List names that differ in capitals only."""
    by_folded: dict[str, list[str]] = {}
    for name in sorted(names):
        by_folded.setdefault(name.casefold(), []).append(name)
    return (" and ".join(alike) for alike in by_folded.values() if len(alike) > 1)


def _swap_hint(field: str, values: Mapping[str, Any]) -> str:
    """Tell that lon and lat look swapped, where a latitude is none but the longitude could be."""
    if not field.endswith("lat") or "," in field:
        return ""
    lat, lon = values[field], values[f"{field.removesuffix('lat')}lon"]
    swapped = lat and lon and abs(lon) <= MAX_LAT_DEG < abs(lat) <= MAX_LON_DEG
    return "; lon and lat look swapped, swap them" if swapped else ""

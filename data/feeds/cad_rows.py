"""What dispatch systems (CAD) write, row by row: stops and statuses, by the agency's own names."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, get_args

from data.checking.cells import FUTURE, identifier, number, whole_number, word
from data.checking.reading import check_rows, plain_name
from data.checking.rows import Column, Table
from data.errors import FieldError, TableError
from data.events import StatusChange, StopChange
from data.feed_settings import CadField
from data.feeds.cad_instants import cad_instant
from data.feeds.heard import Noted, Refusal, Told
from data.formats.json_rows import read_json, read_json_lines
from data.formats.open_table import read_csv
from data.formats.raw import RawRow, RawTable, file_fault, shown
from data.records import Stop, StopPhase, UnitStatus
from data.status_codes import StatusCodes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, tzinfo

    from data.errors import Fault
    from data.feeds.heard import Heard

READERS = {".csv": read_csv, ".json": read_json, ".geojson": read_json, ".jsonl": read_json_lines}
_KNOWN = frozenset(get_args(CadField))
_BY_LINE = frozenset({".csv", ".jsonl"})
_TELLS_WHEN_EMPTY = frozenset({"ended_at", "backup"})
_SEPARATOR = re.compile(r"[;,|]")
AHEAD = timedelta(days=1)  # of a wrong clock or time zone: an officer who is alone is not refused


@dataclass(frozen=True, slots=True, kw_only=True)
class CadForm:
    """
    How an agency's dispatch system writes.

    Parameters
    ----------
    fields : mapping of str to str
        Our names of fields: theirs, where they differ.
    only : mapping of str to sequence of str
        A column of theirs: the values that rows must have; others are passed over.
    codes : StatusCodes
        What their status codes mean.
    agency : str
        Whose units they are, where a row does not say.
    phases : mapping of str to StopPhase
        Their words: ours.
    zone : tzinfo or None
        Of instants without an offset; None refuses these.
    instants : str
        How instants are written: empty for ISO 8601, ``epoch_ms``, ``epoch_s``, or as `strptime`
        has it.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    codes: StatusCodes = field(default_factory=StatusCodes)
    agency: str = ""
    phases: Mapping[str, StopPhase] = field(default_factory=dict)
    zone: tzinfo | None = None
    instants: str = ""


def read_cad(
    content: bytes,
    ending: str,
    form: CadForm,
    file: str,
    *,
    clock: datetime,
    written_at: datetime,
) -> list[Heard | Told]:
    """
    Read rows; those with a stop's id are stops, all others are statuses.

    Parameters
    ----------
    content : bytes
        Of a file, or an answer.
    ending : str
        One of `READERS`: how to read it.
    form : CadForm
        How the agency writes.
    file : str
        What it is called in messages.
    clock : datetime
        An instant more than a day later is a fault.
    written_at : datetime
        When it was written: the instant of rows that tell none.

    Returns
    -------
    heard : list of Told, Refusal or Noted
        One a row, in order; then one for what could not be read at all, and a note for each row
        whose instants are ahead of `clock` by more than a minute. Nothing raises.
    """
    rows, columns, unread = _all_rows(content, ending, file, form)
    heard: dict[int, Heard | Told] = {}
    chosen = [row for row in rows if not _passed_over(row, form, heard, file)]
    lines = content.splitlines() if ending in _BY_LINE else []
    for stops, make in ((True, _stops), (False, _statuses)):
        mine = [row for row in chosen if ("stop_id" in (columns or row.cells)) == stops]
        if not mine and (columns is None or ("stop_id" in columns) != stops):
            continue
        raw = RawTable(rows=iter(mine), columns=columns)
        found = check_rows(raw, make(form, clock, written_at), file)
        unread += [one for one in found.faults if one.line is None]
        heard |= dict(zip(found.lines, found.rows, strict=True))
        heard |= _refused(mine, found.faults, form, lines)
    told = [heard[line] for line in sorted(heard)]
    ahead = [
        Noted(kind="its clock is ahead", device=_unit_id(one), raw=one.raw)
        for one in told
        if isinstance(one, Told) and _latest(one.report) > clock + FUTURE
    ]
    told = [_not_ahead(one, clock, written_at) for one in told]
    return [*told, *_unread(unread, content, lines, form), *ahead]


def _not_ahead(one: Heard | Told, clock: datetime, written_at: datetime) -> Heard | Told:
    """Take a row whose clock is ahead as one that does not tell when: it is no later word."""
    if not isinstance(one, Told) or one.report.at <= clock + FUTURE:
        return one
    return replace(one, report=replace(one.report, at=written_at), untold=one.untold | {"at"})


def _latest(report: StatusChange | StopChange) -> datetime:
    """Give the last instant of a report."""
    if isinstance(report, StatusChange):
        return report.at
    stop = report.stop
    return max(at for at in (report.at, stop.started_at, stop.ended_at) if at is not None)


def _unit_id(told: Told) -> str:
    """Name whose report it is."""
    report = told.report
    return report.unit_id if isinstance(report, StatusChange) else report.stop.unit_id


def checked(one: Heard | Told, check: Callable[[Told], object]) -> Heard | Told:
    """
    Refuse what is told of a unit that a door may not speak for.

    Parameters
    ----------
    one : Heard or Told
        Of `read_cad`.
    check : callable
        Raises `FieldError` where it may not.

    Returns
    -------
    one : Heard or Told
        As it was, or a Refusal.
    """
    if isinstance(one, Told):
        try:
            check(one)
        except FieldError as error:
            return Refusal(raw=one.raw, reason=str(error))
    return one


def _all_rows(
    content: bytes, ending: str, file: str, form: CadForm
) -> tuple[list[RawRow], tuple[str, ...] | None, list[Fault]]:
    """Take all rows and columns under our names, as far as they can be read."""
    theirs = {plain_name(name): ours for ours, name in form.fields.items()}
    rows: list[RawRow] = []
    columns = None
    try:
        raw = READERS[ending](BytesIO(content), file)
        if raw.columns is not None:
            columns = tuple(_ours(one, theirs) for one in raw.columns)
            _need(columns, raw.columns, form, file)
        for row in raw.rows:
            named = {_ours(name, theirs): cell for name, cell in row.cells.items()}
            faults = tuple(replace(one, field=_ours(one.field, theirs)) for one in row.faults)
            rows.append(replace(row, cells=named, faults=faults))
    except TableError as error:
        return rows, columns, list(error.faults)
    return rows, columns, []


def _need(columns: Sequence[str], written: Sequence[str], form: CadForm, file: str) -> None:
    """
    Hold a header to what rows must have.

    Raises
    ------
    TableError
        If a column is missing.
    """
    plain = {plain_name(name) for name in columns}
    needed = ("unit_id", "started_at") if "stop_id" in plain else ("unit_id", "status")
    missing = [form.fields.get(name, name) for name in needed if name not in plain]
    if missing:
        rule = (
            f"must have {', '.join(missing)} (and {form.fields.get('stop_id', 'stop_id')} for "
            f"stops); its columns are {shown(', '.join(written))}; see `fields` of the feed"
        )
        raise TableError([file_fault(file, rule)])


def _unread(
    faults: Sequence[Fault], content: bytes, lines: Sequence[bytes], form: CadForm
) -> list[Heard | Told]:
    """Give the bytes that could not be read at all: from where on, or all of them."""
    reasons: dict[int, list[str]] = {}
    for fault in faults:
        reasons.setdefault(fault.line or 0, []).append(str(_by_their_names(fault, form)))
    return [
        Refusal(
            raw=b"\n".join(lines[line - 1 :]) if line and lines else content,
            reason="; ".join(said),
        )
        for line, said in reasons.items()
    ]


def _ours(name: str, theirs: Mapping[str, str]) -> str:
    """Give our name of a column; one of theirs that is called like another of ours steps back."""
    plain = plain_name(name)
    if plain in theirs:
        return theirs[plain]
    if plain in theirs.values():
        return f"their {name}"
    return plain if plain in _KNOWN else name


def _passed_over(row: RawRow, form: CadForm, heard: dict[int, Heard | Told], file: str) -> bool:
    """Tell whether a row is none of those that are asked for, and note it."""
    if not row.cells:
        return False
    cells = {plain_name(name.removeprefix("their ")): cell for name, cell in row.cells.items()}
    ours = {plain_name(name): ours for ours, name in form.fields.items()}
    for name, values in form.only.items():
        plain = plain_name(name)
        cell = row.cells.get(ours.get(plain, ""), cells.get(plain))
        if cell is None:
            rule = f"{file}:{row.line} {name}=: must be there; see `only` of the feed"
            heard[row.line] = Refusal(raw=_raw(row), reason=rule)
            return True
        if str(cell).strip().casefold() not in {one.strip().casefold() for one in values}:
            heard[row.line] = Noted(kind="not asked for", device="", raw=b"")
            return True
    return False


def _refused(
    rows: Sequence[RawRow], faults: Sequence[Fault], form: CadForm, lines: Sequence[bytes]
) -> dict[int, Heard | Told]:
    """Give the reasons of each row that was not taken, together."""
    reasons: dict[int, list[str]] = {}
    for fault in faults:
        if fault.line is not None:
            reasons.setdefault(fault.line, []).append(str(_by_their_names(fault, form)))
    by_line = {row.line: row for row in rows}
    return {
        line: Refusal(
            raw=_raw(by_line[line]) if by_line[line].cells or not lines else lines[line - 1],
            reason="; ".join(said),
        )
        for line, said in reasons.items()
        if line in by_line
    }


def _by_their_names(fault: Fault, form: CadForm) -> Fault:
    """Name a fault's columns as the agency does."""
    names = [form.fields.get(name, name) for name in fault.field.split(",")]
    return replace(fault, field=",".join(names))


def _raw(row: RawRow) -> bytes:
    """Write a row down; one that could not be parted into cells has none."""
    return json.dumps(row.cells, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _instant(form: CadForm, clock: datetime, written_at: datetime) -> Callable[..., datetime]:
    """Say how cells become instants."""
    return partial(
        cad_instant, clock=clock, near=written_at, zone=form.zone, form=form.instants, ahead=AHEAD
    )


def _stops(form: CadForm, clock: datetime, written_at: datetime) -> Table[Told | Noted]:
    """Say how rows become stops."""
    instant = _instant(form, clock, written_at)
    phases = {**{one.value: one for one in StopPhase}, **form.phases}
    remedy = "map the agency's words in `phases` of the feed"
    return Table(
        columns=(
            Column("stop_id", identifier, required=True, stand_in="-"),
            Column("unit_id", identifier, required=True, stand_in="-"),
            Column("started_at", instant, required=True),
            Column("ended_at", instant),
            Column("lon", number, stand_in=1.0),
            Column("lat", number, stand_in=1.0),
            Column("heading_deg", number),
            Column("phase", partial(word, words=phases, remedy=remedy)),
            Column("backup", _backup, default=(), stand_in=(), many=True),
            Column("needs", whole_number),
            Column("at", instant),
        ),
        build=partial(_stop, written_at=written_at),
    )


def _backup(name: str, text: str) -> tuple[str, ...]:
    """Read the units that are assigned."""
    parts = (part.strip() for part in _SEPARATOR.split(text))
    return tuple(dict.fromkeys(identifier(name, part) for part in parts if part))


def _stop(values: Mapping[str, Any], row: RawRow, *, written_at: datetime) -> Told:
    """Make a stop; at 0,0 a dispatch system puts what it could not locate."""
    told = {name: value for name, value in values.items() if value is not None}
    if told.get("lon") == 0 == told.get("lat"):
        del told["lon"], told["lat"]
    empty = {name for name in values if name not in told}
    empty |= {name for name in ("backup",) if name not in row.cells}
    empty -= {name for name in _TELLS_WHEN_EMPTY if name in row.cells}
    at = told.pop("at", None)
    told.setdefault("started_at", None)  # refused, and said already
    untold = {f"{name}_deg" if name in {"lon", "lat"} else name for name in empty}
    for name in ("lon", "lat"):
        if name in told:
            told[f"{name}_deg"] = told.pop(name)
    return Told(
        report=StopChange(stop=Stop(**told), at=at or written_at),
        raw=_raw(row),
        untold=frozenset(untold),
    )


def _statuses(form: CadForm, clock: datetime, written_at: datetime) -> Table[Told | Noted]:
    """Say how rows become statuses."""
    instant = _instant(form, clock, written_at)
    return Table(
        columns=(
            Column("unit_id", identifier, required=True, stand_in="-"),
            Column("status", _plain, required=True, stand_in=UnitStatus.AVAILABLE.value),
            Column("at", instant),
            Column("officers", whole_number, stand_in=1),
            Column("agency", identifier),
        ),
        build=partial(_status, form=form, written_at=written_at),
    )


def _plain(_name: str, text: str) -> str:
    """Take a code as it is."""
    return text


def _status(
    values: Mapping[str, Any], row: RawRow, *, form: CadForm, written_at: datetime
) -> Told | Noted:
    """
    Make a status; a code that changes none is noted.

    Raises
    ------
    FieldError
        If the code is mapped nowhere, or nobody can be in the car.
    """
    agency = values["agency"] or form.agency
    status = form.codes.status_of(values["status"], agency)
    if status is None:
        return Noted(kind="changes no status", device=values["unit_id"], raw=_raw(row))
    officers = values["officers"]
    if officers is not None and not 1 <= officers <= 99:  # noqa: PLR2004 - as `Unit` has it
        raise FieldError("officers", officers, "must be from 1 to 99")
    untold = {"officers"} if officers is None else set()
    untold |= set() if agency else {"agency"}
    untold |= set() if values["at"] else {"at"}
    change = StatusChange(
        unit_id=values["unit_id"],
        at=values["at"] or written_at,
        status=status,
        officers=officers or 1,
        agency=agency,
    )
    return Told(report=change, raw=_raw(row), untold=frozenset(untold))

"""The tables of a history: how rows become events, and events rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from data.checking.cells import identifier, instant, whole_number, word
from data.checking.rows import Column, Table
from data.errors import FieldError
from data.events import Answer, AnswerKind, OnScene, SeenBy, StatusChange, StopChange
from data.records import UnitStatus
from data.tables import FIX_COLUMNS, check_order, fix_of, id_column, stop_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from data.formats.raw import RawRow
    from data.records import UnitFix

MS = pa.timestamp("ms", tz="UTC")
FIXES = pa.schema(
    [
        pa.field("unit_id", pa.string()),
        pa.field("fixed_at", MS),
        pa.field("received_at", MS),
        *(
            pa.field(name, pa.float64())
            for name in ("lon", "lat", "heading_deg", "speed_mps", "accuracy_m")
        ),
    ]
)

# A history is read to be replayed: nothing in it is compared with the wall clock.
_instant = partial(instant, clock=datetime(9999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class FixRow:
    """
    A fix, whose it is, and when it arrived.

    Parameters
    ----------
    unit_id : str
        Whose.
    fix : UnitFix
        What was reported.
    received_at : datetime
        When it arrived.
    """

    unit_id: str
    fix: UnitFix
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTable:
    """
    One of the tables of events.

    Parameters
    ----------
    name : str
        Its folder, and its field of `History`.
    table : Table
        How rows become events.
    schema : pyarrow.Schema
        Its columns.
    at : str
        The column by which rows are ordered and put to days.
    row : callable
        Makes the row of an event.
    """

    name: str
    table: Table[Any]
    schema: Any
    at: str
    row: Callable[[Any], dict[str, object]]


def _words(kind: type) -> Any:
    """Read the words of an enumeration."""
    return partial(word, words={member.value: member for member in kind})  # type: ignore[attr-defined]


def _schema(*columns: tuple[str, Any]) -> Any:
    """Give the columns of a Parquet file; those not told otherwise hold text."""
    return pa.schema([pa.field(name, kind) for name, kind in columns])


def _fix(values: Mapping[str, Any], _row: RawRow) -> FixRow:
    """Make a fix; a log that does not tell when it arrived is taken as prompt."""
    received_at = values["received_at"] or values["fixed_at"]
    return FixRow(unit_id=values["unit_id"], fix=fix_of(values), received_at=received_at)


def _status(values: Mapping[str, Any], _row: RawRow) -> StatusChange:
    """
    Make a change of status.

    Raises
    ------
    FieldError
        If nobody is in the car.
    """
    if not 1 <= values["officers"] <= 99:  # noqa: PLR2004 - as of a unit
        raise FieldError("officers", values["officers"], "must be from 1 to 99")
    return StatusChange(**values)


def _stop(values: Mapping[str, Any], row: RawRow) -> StopChange:
    """Make a change of a stop."""
    return StopChange(stop=_STOP.build(values, row), at=values["at"])


def _answer(values: Mapping[str, Any], _row: RawRow) -> Answer:
    """
    Make an answer.

    Raises
    ------
    FieldError
        If there is an answer without its instant or the other way round.
    """
    check_order(values, "asked_at", "answered_at")
    if (values["answer"] is None) != (values["answered_at"] is None):
        missing = "answer" if values["answer"] is None else "answered_at"
        raise FieldError(missing, None, "answer and answered_at go together; give both or neither")
    return Answer(**values)


def _on_scene(values: Mapping[str, Any], _row: RawRow) -> OnScene:
    """Make a presence."""
    check_order(values, "arrived_at", "left_at")
    return OnScene(**values)


def _stop_row(change: StopChange) -> dict[str, object]:
    """
    Make the row of a change of a stop.

    Raises
    ------
    FieldError
        If the stop has no record of its own.
    """
    stop = change.stop
    if stop.from_status:
        rule = "must have a record of its own; write the unit's status, which tells of it"
        raise FieldError("stop_id", stop.stop_id, rule)
    return {
        "stop_id": stop.stop_id,
        "unit_id": stop.unit_id,
        "lon": stop.lon_deg,
        "lat": stop.lat_deg,
        "heading_deg": stop.heading_deg,
        "started_at": stop.started_at,
        "ended_at": stop.ended_at,
        "phase": str(stop.phase),
        "backup": ";".join(stop.backup),
        "needs": stop.needs,
        "at": change.at,
    }


def _plain_row(event: StatusChange | Answer | OnScene) -> dict[str, object]:
    """Make the row of an event whose fields are the columns."""
    values = ((name, getattr(event, name)) for name in event.__slots__)
    return {name: str(value) if isinstance(value, str) else value for name, value in values}


_STOP = stop_table(clock=datetime(9999, 1, 1, tzinfo=UTC))
_AT = Column("at", _instant, required=True)

FIX_TABLE = Table(
    columns=(
        id_column("unit_id"),
        Column("fixed_at", _instant, required=True),
        Column("received_at", _instant),
        *FIX_COLUMNS,
    ),
    build=_fix,
)

EVENT_TABLES = (
    EventTable(
        name="statuses",
        table=Table(
            columns=(
                id_column("unit_id"),
                _AT,
                Column("status", _words(UnitStatus), required=True),
                Column("officers", whole_number, default=1, stand_in=1),
                Column("agency", identifier, default=""),
            ),
            build=_status,
        ),
        schema=_schema(
            ("unit_id", pa.string()),
            ("at", MS),
            ("status", pa.string()),
            ("officers", pa.int32()),
            ("agency", pa.string()),
        ),
        at="at",
        row=_plain_row,
    ),
    EventTable(
        name="stops",
        table=Table(columns=(*_STOP.columns, _AT), build=_stop),
        schema=_schema(
            ("stop_id", pa.string()),
            ("unit_id", pa.string()),
            ("lon", pa.float64()),
            ("lat", pa.float64()),
            ("heading_deg", pa.float64()),
            ("started_at", MS),
            ("ended_at", MS),
            ("phase", pa.string()),
            ("backup", pa.string()),
            ("needs", pa.int32()),
            ("at", MS),
        ),
        at="at",
        row=_stop_row,
    ),
    EventTable(
        name="answers",
        table=Table(
            columns=(
                id_column("suggestion_id"),
                id_column("stop_id"),
                id_column("unit_id"),
                Column("asked_at", _instant, required=True),
                Column("answer", _words(AnswerKind)),
                Column("answered_at", _instant),
            ),
            build=_answer,
        ),
        schema=_schema(
            ("suggestion_id", pa.string()),
            ("stop_id", pa.string()),
            ("unit_id", pa.string()),
            ("asked_at", MS),
            ("answer", pa.string()),
            ("answered_at", MS),
        ),
        at="asked_at",
        row=_plain_row,
    ),
    EventTable(
        name="on_scene",
        table=Table(
            columns=(
                id_column("stop_id"),
                id_column("unit_id"),
                Column("arrived_at", _instant, required=True),
                Column("left_at", _instant),
                Column("seen_by", _words(SeenBy), required=True),
            ),
            build=_on_scene,
        ),
        schema=_schema(
            ("stop_id", pa.string()),
            ("unit_id", pa.string()),
            ("arrived_at", MS),
            ("left_at", MS),
            ("seen_by", pa.string()),
        ),
        at="arrived_at",
        row=_plain_row,
    ),
)

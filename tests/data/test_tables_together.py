"""Units and stops held against each other and against an instant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from data.errors import Fault, TableError
from data.records import Ask, Stop, StopPhase, Unit, UnitFix, UnitStatus
from data.tables import Rows, as_of, check_stop_units, faults_to_skip, newest_instant

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AT_TEXT = "2026-11-23T02:00:00Z"


def unit(unit_id: str, minutes: float = 0.0) -> Unit:
    fix = UnitFix(fixed_at=AT + minutes * MINUTE, lon_deg=-104.9, lat_deg=39.7)
    return Unit(unit_id=unit_id, fix=fix, status=UnitStatus.AVAILABLE)


def stop(stop_id: str = "S1", unit_id: str = "4A1", **values: Any) -> Stop:
    return Stop(**{"stop_id": stop_id, "unit_id": unit_id, "started_at": AT - MINUTE, **values})


def table(name: str, *rows: Any, faults: tuple[Fault, ...] = ()) -> Rows[Any]:
    lines = tuple(range(2, 2 + len(rows)))
    return Rows(rows=rows, lines=lines, faults=faults, notes=(), file=name)


def units_of(*rows: Unit) -> Rows[Unit]:
    return table("units.csv", *rows)


def stops_of(*rows: Stop) -> Rows[Stop]:
    return table("stops.csv", *rows)


def test_each_unit_has_its_newest_row_in_any_order() -> None:
    rows = [unit("4A1", -5), unit("4A2", -3), unit("4A1", 0), unit("4A1", -9)]
    for order in (rows, rows[::-1]):
        units, _ = as_of(units_of(*order), stops_of(), at=AT)
        assert set(units.rows) == {rows[1], rows[2]}
        assert [order[line - 2] for line in units.lines] == list(units.rows)
        assert units.notes == ()


def test_rows_later_than_the_instant_are_left_out_with_one_note() -> None:
    units = units_of(unit("4A1"), unit("4A1", 0.5), unit("4A2", 1))
    stops = stops_of(stop("S1"), stop("S2", started_at=AT + MINUTE))
    units, stops = as_of(units, stops, at=AT)
    assert units.rows == (unit("4A1"),)
    assert units.notes == (f"units.csv: 2 rows later than {AT_TEXT} left out",)
    assert (stops.rows, stops.lines) == ((stop("S1"),), (2,))
    assert stops.notes == (f"stops.csv: 1 row later than {AT_TEXT} left out",)
    assert units.faults == stops.faults == ()


def test_a_stop_that_ends_later_is_still_going_on() -> None:
    later = stop("S1", ended_at=AT + MINUTE)
    over = stop("S2", ended_at=AT)
    _, stops = as_of(units_of(unit("4A1")), stops_of(later, over), at=AT)
    assert [row.is_open(AT) for row in stops.rows] == [True, False]


def test_a_stop_that_is_cleared_later_is_not_dropped() -> None:
    cleared = stop("S1", phase=StopPhase.CLEARED, ended_at=AT + MINUTE)
    long_cleared = stop("S2", phase=StopPhase.CLEARED)
    _, stops = as_of(units_of(unit("4A1")), stops_of(cleared, long_cleared), at=AT)
    assert [row.is_open(AT) for row in stops.rows] == [True, False]
    assert stops.rows[0].phase is StopPhase.CONTACT
    assert stops.notes == (
        (
            "stops.csv:2 phase=cleared: was cleared at 2026-11-23T02:01:00Z; "
            f"still going on at {AT_TEXT}, taken as contact"
        ),
    )


def test_a_stop_without_a_place_whose_unit_comes_later_is_a_fault() -> None:
    units = units_of(unit("4A1", 1))
    placed = stop("S2", lon_deg=-104.9, lat_deg=39.7)
    _, stops = as_of(units, stops_of(stop("S1"), placed), at=AT)
    assert (stops.rows, stops.lines) == ((placed,), (3,))
    assert [str(fault) for fault in stops.faults] == [
        (
            "stops.csv:2 unit_id=4A1: its unit's rows are all later than the instant asked for; "
            "give the stop's lon and lat"
        )
    ]


def test_units_that_could_not_be_read_are_one_fault_and_not_one_a_stop() -> None:
    unread = replace(units_of(), complete=False)
    stops = stops_of(stop("S1"), stop("S2"))
    assert check_stop_units(stops, unread) == stops
    assert len(check_stop_units(stops, units_of()).faults) == 2


def test_a_stop_that_is_over_needs_no_place() -> None:
    units = units_of(unit("4A1", 1))
    over = stop("S1", ended_at=AT - MINUTE / 2)
    _, stops = as_of(units, stops_of(over), at=AT)
    assert (stops.rows, stops.faults) == ((over,), ())


def test_the_newest_instant_of_any_file() -> None:
    units, none = units_of(unit("4A1", -5)), stops_of()
    assert newest_instant(units_of(), none) is None
    assert newest_instant(units, none) == AT - 5 * MINUTE
    assert newest_instant(units, stops_of(stop())) == AT - MINUTE
    assert newest_instant(units, stops_of(stop(ended_at=AT))) == AT
    asks = table("answers.csv", Ask(stop_id="S1", unit_id="4A1", asked_at=AT + MINUTE))
    assert newest_instant(units, none, asks) == AT + MINUTE


def test_a_stop_of_an_unknown_unit_stays_where_it_has_a_place() -> None:
    placed = stop(unit_id="4a1", lon_deg=-104.9, lat_deg=39.7)
    stops = check_stop_units(stops_of(placed), units_of(unit("4A1")))
    assert (stops.rows, stops.faults) == ((placed,), ())
    assert stops.notes == (
        (
            "stops.csv:2 unit_id=4a1: has no good row in units.csv (is it 4A1?); "
            "the stop stays, at its own place"
        ),
    )


def test_a_stop_of_an_unknown_unit_without_a_place_is_a_fault() -> None:
    early = Fault(file="stops.csv", line=None, field="", value="", rule="whole")
    late = Fault(file="stops.csv", line=9, field="needs", value="x", rule="must be")
    known = stop("S2", "4A2")
    before = table("stops.csv", stop(), known, faults=(early, late))
    stops = check_stop_units(before, units_of(unit("4A2")))
    assert (stops.rows, stops.lines) == ((known,), (3,))
    assert [fault.line for fault in stops.faults] == [None, 2, 9]
    assert str(stops.faults[1]) == (
        "stops.csv:2 unit_id=4A1: must have a good row in units.csv; "
        "mend that, or give the stop's lon and lat"
    )


def test_unknown_backup_is_noted() -> None:
    stops = check_stop_units(stops_of(stop(backup=("4A1", "N7", "n8"))), units_of(unit("4A1")))
    assert (len(stops.rows), stops.faults) == (1, ())
    assert stops.notes == (
        "stops.csv:2 backup=N7;n8: no good row in units.csv; where it is is unknown",
    )


def test_faults_stop_everything_and_all_are_told() -> None:
    faults = [
        Fault(file=name, line=2, field="lon", value="x", rule="must be") for name in ("u", "s")
    ]
    tables = [table(fault.file, faults=(fault,)) for fault in faults]
    with pytest.raises(TableError) as caught:
        faults_to_skip(*tables, skip_bad=False)
    assert list(caught.value.faults) == faults
    assert list(faults_to_skip(*tables, skip_bad=True)) == faults
    assert faults_to_skip(units_of(), stops_of(), skip_bad=False) == ()


def test_half_a_file_cannot_be_skipped() -> None:
    fault = Fault(file="stops.csv", line=7, field="", value="", rule="must not be endless")
    half = Rows[Stop](
        rows=(stop(),), lines=(2,), faults=(fault,), notes=(), file="stops.csv", complete=False
    )
    with pytest.raises(TableError, match=r"stops\.csv:7: must not be endless"):
        faults_to_skip(units_of(), half, skip_bad=True)

"""A dispatch system tells the same again and again, and only what it knows of."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from data.events import StatusChange, StopChange
from data.feeds.cad_rows import CadForm, read_cad
from data.feeds.heard import Told
from data.records import Stop, StopPhase, UnitStatus
from data.store.store import Entry, Store
from rollby.service.retelling import news_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT = datetime(2026, 3, 13, 2, tzinfo=UTC)
STATUS = StatusChange(unit_id="4A12", at=AT, status=UnitStatus.AVAILABLE)
STOP = StopChange(stop=Stop(stop_id="T-1", unit_id="4A12", started_at=AT), at=AT)
LATER = timedelta(minutes=5)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = Store(f"sqlite:///{tmp_path}/live.db")
    yield one
    one.close()


def keep(store: Store, *reports: StatusChange | StopChange, door: str = "cad") -> None:
    newest_ms = round(1000 * max(one.at.timestamp() for one in reports))
    received_ms = max(store.received_ms + 1, newest_ms)
    store.append([Entry(door=door, reports=reports)], received_ms)


def news(store: Store, *reports: StatusChange | StopChange, untold: str = "") -> list[Any]:
    told = [Told(report=one, raw=b"x", untold=frozenset(untold.split())) for one in reports]
    found, refused = asyncio.run(news_of(told, store))
    assert refused == []
    return found


def test_what_was_told_before_is_no_news_however_long_ago(store: Store) -> None:
    later = replace(STATUS, at=AT + LATER, status=UnitStatus.BUSY)
    assert news(store, STATUS, later, STATUS, STOP, STOP) == [STATUS, later, STOP]
    keep(store, STATUS, later, STOP)
    assert news(store, STATUS, later, STOP) == []
    again = replace(STATUS, at=AT + 2 * LATER)
    assert news(store, again) == [again]


def test_a_file_of_last_week_is_no_news_though_much_has_been_told_since(store: Store) -> None:
    since = [replace(STATUS, at=AT + number * LATER, officers=2) for number in range(1, 90)]
    keep(store, STATUS, *since)
    assert news(store, STATUS, since[3]) == []
    assert news(store, replace(STATUS, officers=1), untold="officers") == []
    other = replace(STATUS, at=AT + timedelta(milliseconds=1))
    assert news(store, other) == [other]


def test_what_is_not_told_stays_as_it_was(store: Store) -> None:
    keep(store, replace(STATUS, officers=2, agency="City"))
    busy = replace(STATUS, at=AT + LATER, status=UnitStatus.BUSY)
    assert news(store, busy, untold="officers agency") == [replace(busy, officers=2, agency="City")]
    custody = replace(STOP.stop, phase=StopPhase.CUSTODY, needs=3, lon_deg=-104.9, lat_deg=39.7)
    keep(store, StopChange(stop=custody, at=AT))
    (moved,) = news(
        store,
        replace(STOP, at=AT + LATER, stop=replace(STOP.stop, backup=("4A13",))),
        untold="phase needs lon_deg lat_deg heading_deg",
    )
    assert moved == StopChange(stop=replace(custody, backup=("4A13",)), at=AT + LATER)


def test_an_officers_word_in_between_does_not_make_old_rows_new(store: Store) -> None:
    """After a restart a layer is read whole: its rows are older than what officers said since."""
    keep(store, STOP, StopChange(stop=replace(STOP.stop, phase=StopPhase.CUSTODY), at=AT + LATER))
    assert news(store, STOP, untold="phase needs") == []
    assert news(store, STOP) == []


def test_what_has_no_instant_is_news_only_where_it_differs_from_the_newest(store: Store) -> None:
    keep(store, STATUS, STOP)
    assert (
        news(store, replace(STATUS, at=AT + LATER), replace(STOP, at=AT + LATER), untold="at") == []
    )
    busy = replace(STATUS, at=AT + LATER, status=UnitStatus.BUSY)
    free = replace(STATUS, at=AT + 2 * LATER)
    assert news(store, busy, free, untold="at") == [busy, free]


def test_what_contradicts_what_was_told_is_refused_with_its_reason(store: Store) -> None:
    keep(store, replace(STOP, stop=replace(STOP.stop, ended_at=AT + LATER)))
    begun = replace(STOP.stop, started_at=AT + 2 * LATER)
    told = Told(
        report=StopChange(stop=begun, at=AT + LATER), raw=b"row", untold=frozenset({"ended_at"})
    )
    found, (refusal,) = asyncio.run(news_of([told], store))
    assert found == []
    assert (refusal.raw, refusal.reason.partition(":")[0]) == (b"row", "ended_at=2026-03-13T02")


@pytest.mark.parametrize("words", [1, 30])
def test_a_listing_without_instants_does_not_put_back_an_officers_word(
    store: Store, words: int
) -> None:
    """Written anew each minute, it still says what it said before the officer spoke."""
    keep(store, STATUS, STOP)
    for number in range(words):
        at = AT + LATER + timedelta(seconds=number)
        over = replace(STOP.stop, phase=StopPhase.CLEARED, ended_at=at)
        on_stop = replace(STATUS, at=at, status=UnitStatus.ON_STOP)
        keep(store, on_stop, StopChange(stop=over, at=at), door="officer")
    written_at = AT + 2 * LATER
    listed = replace(STATUS, at=written_at), replace(STOP, at=written_at)
    assert news(store, *listed, untold="at") == []
    busy = replace(STATUS, at=written_at, status=UnitStatus.BUSY)
    assert news(store, busy, *listed, untold="at") == [busy, listed[0]]


def said_by(store: Store, door: str, minutes: int, **changed: Any) -> StopChange:
    at = AT + timedelta(minutes=minutes)
    newest = store.newest("stop", "T-1")
    assert newest
    assert isinstance(newest.report, StopChange)
    change = replace(newest.report, at=at, stop=replace(newest.report.stop, **changed))
    keep(store, change, door=door)
    return change


def row(minutes: int, **told: Any) -> StopChange:
    return replace(STOP, at=AT + timedelta(minutes=minutes), stop=replace(STOP.stop, **told))


def end(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


PLACELESS = "phase lon_deg lat_deg heading_deg needs"


def test_a_later_row_does_not_begin_again_what_an_officer_has_ended(store: Store) -> None:
    """A plate is looked up, so that the row has a later instant: it still says what it said."""
    keep(store, STOP)
    over = said_by(store, "officer", 5, phase=StopPhase.CLEARED, ended_at=end(5))
    assert news(store, row(6), untold=PLACELESS) == []
    assert news(store, row(7), untold="lon_deg lat_deg heading_deg needs") == []
    assert news(store, row(8, backup=("4A13",)), untold=PLACELESS) == []
    # The system ends it too: noted, and the officer's end stands, also when the row comes again.
    agreed = replace(over, at=end(9))
    assert news(store, row(9, ended_at=end(9)), untold=PLACELESS) == [agreed]
    keep(store, agreed)
    assert news(store, row(10, ended_at=end(9)), untold=PLACELESS) == []
    # Only now does it say something new by saying that the stop goes on.
    (begun,) = news(store, row(11), untold="lon_deg lat_deg heading_deg needs")
    assert (begun.stop.ended_at, begun.stop.phase) == (None, StopPhase.CONTACT)


def test_a_phase_that_a_row_had_not_told_before_is_news_after_an_officers_clear(
    store: Store,
) -> None:
    keep(store, STOP)
    said_by(store, "officer", 5, phase=StopPhase.CLEARED, ended_at=end(5))
    custody = row(6, phase=StopPhase.CUSTODY)
    assert news(store, custody, untold="lon_deg lat_deg heading_deg needs") == [custody]


def test_a_later_row_does_not_end_again_what_an_officer_has_begun_again(store: Store) -> None:
    over = row(4, phase=StopPhase.CLEARED, ended_at=end(4))
    keep(store, over)
    said_by(store, "officer", 5, phase=StopPhase.CONTACT, ended_at=None)
    again = replace(over, at=end(6))
    assert news(store, again) == []
    assert news(store, row(7, ended_at=end(7)), untold=PLACELESS) != []


@pytest.mark.parametrize("door", ["officer", "desk"])
def test_what_was_changed_by_hand_stays_while_a_row_tells_other_news(
    store: Store, door: str
) -> None:
    keep(store, STOP)
    said_by(store, door, 5, phase=StopPhase.CUSTODY, needs=3, lon_deg=-104.9, lat_deg=39.7)
    for minutes in range(6, 40):  # more often than is looked back
        assert news(store, row(minutes)) == []
    (told,) = news(store, row(40, backup=("4A13",)))
    stop = told.stop
    assert (stop.phase, stop.needs, stop.lon_deg, stop.lat_deg, stop.backup) == (
        StopPhase.CUSTODY, 3, -104.9, 39.7, ("4A13",),
    )  # fmt: skip
    keep(store, told)
    (secured,) = news(store, row(41, phase=StopPhase.SECURED, backup=("4A13",)))
    assert (secured.stop.phase, secured.stop.needs) == (StopPhase.SECURED, 3)


def test_a_listing_without_instants_does_not_put_back_a_supervisors_word(store: Store) -> None:
    keep(store, STOP)
    said_by(store, "desk", 5, needs=4, backup=("4A13", "4A14"))
    assert news(store, row(9), untold="at phase") == []
    other = row(9, unit_id="4A15")
    (told,) = news(store, other, untold="at phase")
    assert (told.stop.unit_id, told.stop.needs, told.stop.backup) == ("4A15", 4, ("4A13", "4A14"))


def test_a_row_that_comes_late_is_no_later_word(store: Store) -> None:
    keep(store, STOP)
    said_by(store, "officer", 5, phase=StopPhase.CLEARED, ended_at=end(5))
    keep(store, row(3, backup=("4A13",)))
    assert news(store, row(6, backup=("4A13",)), untold=PLACELESS) == []


def test_a_clock_that_is_ahead_makes_no_later_word(store: Store) -> None:
    """An officer cleared the stop at 02:05; at 02:10 it is told again, as of 03:10."""

    def listed(phase: str, clock: datetime) -> list[Any]:
        ahead = (clock + timedelta(hours=1)).isoformat()
        row = f"stop_id,unit_id,started_at,phase,at\nT-1,4A12,{AT.isoformat()},{phase},{ahead}\n"
        told = read_cad(row.encode(), ".csv", CadForm(), "f", clock=clock, written_at=clock)
        one = next(one for one in told if isinstance(one, Told))
        return news(store, one.report, untold=" ".join(one.untold))

    (first,) = listed("contact", AT)
    assert first.at == AT
    keep(store, first)
    cleared = replace(first.stop, phase=StopPhase.CLEARED)
    keep(store, StopChange(stop=cleared, at=AT + LATER), door="officer")
    assert listed("contact", AT + 2 * LATER) == []

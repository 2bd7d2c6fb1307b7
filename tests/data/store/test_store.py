"""The store keeps what it accepted, once, in its order, on SQLite and on PostgreSQL."""

from __future__ import annotations

import math
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, text

from data.errors import InputError, SourceUnreachableError
from data.events import Answer, AnswerKind, StatusChange, StopChange
from data.records import Flag, Stop, StopPhase, UnitFix, UnitStatus
from data.reports import Checked, FixReport, subject
from data.said import Attended, Escalated, Flagged, Prompted, Said, Suggested, Withdrawn
from data.store import access_schema  # noqa: F401 - its tables are in metadata
from data.store.codec import decoded, encoded
from data.store.opening import engine_of, migrate, reach
from data.store.reading import DeadLetter
from data.store.schema import DEAD_LETTERS, EVENTS, metadata
from data.store.store import Entry, Store, Taken

ROOT = Path(__file__).parents[3]
AT = datetime(2026, 3, 13, 18, tzinfo=UTC)


def status(unit_id: str = "2A11") -> StatusChange:
    return StatusChange(
        unit_id=unit_id, at=AT, status=UnitStatus.ON_STOP, officers=2, agency="City"
    )


def fix(unit_id: str = "2A11", second: int = 0) -> FixReport:
    fixed_at = AT + timedelta(seconds=second)
    return FixReport(
        unit_id=unit_id,
        fix=UnitFix(fixed_at=fixed_at, lon_deg=-104.99, lat_deg=39.74, speed_mps=3.25),
    )


STOP = StopChange(
    stop=Stop(
        stop_id="T-1",
        unit_id="2A11",
        started_at=AT,
        ended_at=AT + timedelta(microseconds=1),
        lon_deg=-104.99,
        lat_deg=39.74,
        phase=StopPhase.CUSTODY,
        backup=("2A12",),
    ),
    at=AT,
)
ANSWER = Answer(
    suggestion_id="T-1/1",
    stop_id="T-1",
    unit_id="2A12",
    asked_at=AT,
    answer=AnswerKind.EN_ROUTE,
    answered_at=AT,
)
CHECKED = Checked(stop_id="T-1", at=AT)
ASKED = {"at_s": 1.5, "suggestion_id": "T-1/1", "stop_id": "T-1", "unit_id": "2A12"}
SAID: list[Said] = [
    Suggested(**ASKED, drive_time_s=61.0, tau_s=math.inf, score=0.1 + 0.2),  # type: ignore[arg-type]
    Withdrawn(**ASKED, why="no answer"),  # type: ignore[arg-type]
    Flagged(at_s=2.0, stop_id="T-1", flag=Flag.ALONE, probability=1 / 3, aloud=True),
    Prompted(at_s=2.0, stop_id="T-1", count=1),
    Escalated(at_s=2.0, stop_id="T-1", why="nobody came", aloud=False),
    Attended(at_s=2.0, stop_id="T-1", unit_id="2A12", since_s=1.0, arrived=True),
]


@pytest.mark.parametrize("one", [status(), fix(), STOP, ANSWER, CHECKED], ids=subject)
def test_a_report_reads_back(one: object) -> None:
    kind, body = encoded(one)  # type: ignore[arg-type]
    assert decoded(kind, subject(one), body) == one  # type: ignore[arg-type]


@pytest.mark.parametrize("one", SAID, ids=lambda one: type(one).__name__)
def test_a_saying_reads_back(one: object) -> None:
    kind, body = encoded(one)  # type: ignore[arg-type]
    assert decoded(kind, "", body) == one


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.floats(-180, 180),
    st.floats(-90, 90),
    st.none() | st.floats(0, 150),
)
def test_a_fix_reads_back(
    fixed_at: datetime, lon_deg: float, lat_deg: float, speed_mps: float | None
) -> None:
    one = FixReport(
        unit_id="u",
        fix=UnitFix(fixed_at=fixed_at, lon_deg=lon_deg, lat_deg=lat_deg, speed_mps=speed_mps),
    )
    assert decoded("fix", "u", encoded(one)[1]) == one


def test_what_is_accepted_is_there_in_its_order(address: str) -> None:
    reports = (fix(), status(), STOP, ANSWER, CHECKED)
    store = Store(address)
    assert store.append([Entry(door="cad", reports=reports)], 1000) == [Taken(5, fresh=True)]
    store.append([Entry(door="osmand", reports=(fix(second=5),), late=1, duplicates=2)], 1001)
    store.say(SAID)
    store.refuse([DeadLetter(received_ms=7, door="cad", sender="x", reason="why", raw=b"\0\xff")])
    store.close()

    again = Store(address)
    assert (again.seq, again.received_ms, again.number) == (6, 1001, len(SAID))
    assert [event.report for event in again.events()] == [*reports, fix(second=5)]
    assert [event.seq for event in again.events(after=4)] == [5, 6]
    assert [one for _, one in again.said()] == SAID
    assert [number for number, _ in again.said(after=2, most=2)] == [3, 4]
    assert again.dead_letters()[0][1].raw == b"\0\xff"
    assert again.counters() == {
        "cad": {"accepted": 5, "refused": 1},
        "osmand": {"accepted": 1, "late": 1, "duplicate": 2},
    }
    newest = again.newest("stop", "T-1")
    assert newest is not None
    assert newest.report == STOP
    assert again.newest("stop", "T-2") is None
    again.close()


def test_a_key_counts_once(address: str) -> None:
    store = Store(address)
    one = Entry(door="cad", reports=(status(),), sender="cad", key="k", digest=b"1")
    other = Entry(door="cad", reports=(STOP,), sender="cad", key="k", digest=b"2")
    stranger = Entry(door="cad", reports=(STOP,), sender="desk", key="k", digest=b"2")
    first = store.append([one, one, other], 1000)
    assert first == [
        Taken(1, fresh=True),
        Taken(1, fresh=False),
        Taken(1, fresh=False, clash=True),
    ]
    assert store.append([one, stranger], 1001) == [Taken(1, fresh=False), Taken(2, fresh=True)]
    assert [event.report for event in store.events()] == [status(), STOP]
    store.close()


def test_a_batch_is_accepted_whole_or_not_at_all(address: str) -> None:
    store = Store(address)
    bad = Entry(door="d" * 50, reports=(status(),))
    rows = [Entry(door="cad", reports=(status(),), sender="s", key="k"), bad]
    # SQLite does not hold texts to their length: break it in another way.
    with store._connection.begin():
        store._connection.execute(text("ALTER TABLE keys_taken RENAME TO away"))
    with pytest.raises(Exception, match="keys_taken"):
        store.append(rows, 1000)
    with store._connection.begin():
        store._connection.execute(text("ALTER TABLE away RENAME TO keys_taken"))
    assert list(store.events()) == []
    assert store.append(rows[:1], 1000) == [Taken(1, fresh=True)]
    store.close()


def test_one_process_writes(address: str) -> None:
    store = Store(address)
    with pytest.raises(SourceUnreachableError, match="another rollby writes to it; stop that one"):
        Store(address)
    store.close()
    Store(address).close()


def test_the_migrations_make_the_tables(address: str) -> None:
    store = Store(address)
    context = MigrationContext.configure(store._connection)
    with store._connection.begin():
        assert compare_metadata(context, metadata) == []
    store.close()


def test_a_store_of_the_first_layout_is_brought_up_to_date(address: str) -> None:
    engine = engine_of(address)
    kind, body = encoded(status())
    with reach(engine) as connection:
        migrate(connection, "0001")
        with connection.begin():
            row = {"seq": 7, "received_ms": 1, "door": "cad", "kind": kind, "body": body}
            connection.execute(insert(EVENTS), row | {"subject": subject(status())})
            connection.execute(text("INSERT INTO counters VALUES ('cad', 'accepted', 1)"))
    engine.dispose()
    store = Store(address)
    with store._connection.begin():
        assert compare_metadata(MigrationContext.configure(store._connection), metadata) == []
    found = store.newest("status", "2A11")
    assert found
    assert (found.seq, found.report, store.seq) == (7, status(), 7)
    assert store.counters() == {"cad": {"accepted": 1}}
    store.close()


def test_what_a_long_name_sent_is_kept_and_what_was_kept_before_stays(address: str) -> None:
    engine = engine_of(address)
    with reach(engine) as connection:
        migrate(connection, "0003")
        with connection.begin():
            row = {"received_ms": 7, "door": "cars", "sender": "x", "reason": "why", "raw": b"a"}
            connection.execute(DEAD_LETTERS.insert(), row)
    engine.dispose()
    store = Store(address)
    subject = "CN=4A12," + "OU=Patrol," * 50
    letter = DeadLetter(received_ms=8, door="cars", sender=subject, reason="why", raw=b"")
    store.refuse([letter])
    (first, old), (second, new) = store.dead_letters()
    assert (old.sender, old.raw, new) == ("x", b"a", letter)
    assert second == first + 1
    store.close()


def test_a_newer_layout_is_refused(address: str) -> None:
    Store(address).close()
    engine = engine_of(address)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(InputError, match=r"layout \(9999\) is newer than this rollby; update"):
        Store(address)


@pytest.mark.parametrize("address", ["mysql://x/y", "file.db", "sqlite://", ""])
def test_an_address_that_cannot_be_used(address: str) -> None:
    with pytest.raises(InputError, match="must be sqlite:///FILE or postgresql"):
        Store(address)


def test_a_database_that_does_not_answer() -> None:
    with pytest.raises(SourceUnreachableError, match="check that it is there and started"):
        Store("postgresql://rollby@127.0.0.1:9/postgres")


def test_sqlite_syncs_every_commit(tmp_path: Path) -> None:
    with engine_of(f"sqlite:///{tmp_path}/x.db").connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/x.db")
    store.append([Entry(door="cad", reports=(status(),))], 1)
    for name in ("x.db", "x.db-wal"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    store.close()


def test_what_was_acknowledged_survives_a_kill(address: str) -> None:
    """Killed at random instants, again and again: all acknowledged is there, nothing twice."""
    chance = random.Random(7)  # noqa: S311 - no secret
    acknowledged: list[str] = []
    for run in range(40):  # a busy machine acknowledges less in each
        if run >= 6 and len(acknowledged) > 100:
            break
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.data.store.sender", address, str(run)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(chance.random() / 4)
        child.kill()
        rest = child.stdout.read()
        child.wait()
        child.stdout.close()
        lines = (first + rest).splitlines(keepends=True)
        acknowledged += [key for line in lines if line.endswith("\n") for key in line.split()]
        store = opened(address)
        events = list(store.events())
        store.close()
        kept = Counter((type(event.report), subject(event.report)) for event in events)
        assert set(kept.values()) == {1}
        statuses = {name for kind, name in kept if kind is StatusChange}
        assert statuses == {name for kind, name in kept if kind is FixReport}
        assert set(acknowledged) <= statuses
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert len(acknowledged) > 100


def opened(address: str) -> Store:
    """Open, as soon as the server has seen that the killed one is gone."""
    for _ in range(100):
        try:
            return Store(address)
        except SourceUnreachableError:
            time.sleep(0.05)
    return Store(address)


def test_old_messages_that_were_refused_go_with_old_positions(address: str) -> None:
    store = Store(address)
    store.append([Entry(door="cars", reports=(fix(), status()))], 1000)
    letters = [
        DeadLetter(received_ms=ms, door="cars", sender="x", reason="why", raw=b"")
        for ms in (1, 2, 3)
    ]
    store.refuse(letters, {"cars": 2})
    assert [store.thin(3, most=1), store.thin(3, most=1), store.thin(3)] == [1, 1, 0]
    assert [one for _, one in store.dead_letters()] == letters[2:]
    assert store.thin(2000) == 2
    assert [one.report for one in store.events()] == [status()]
    assert store.counters()["cars"] == {"accepted": 2, "refused": 5, "unkept": 2}
    store.close()


def test_the_last_reports_about_something_and_those_of_an_instant(address: str) -> None:
    store = Store(address)
    told = [replace(status(), at=AT + timedelta(milliseconds=number)) for number in range(30)]
    store.append([Entry(door="cad", reports=(*told, status("2A12"), fix()))], 5000)
    newest = store.about("status", "2A11", most=3)
    assert [one.report for one in newest] == told[:-4:-1]
    assert {one.received_ms for one in newest} == {5000}
    assert [one.report for one in store.about("status", "2A11", at=told[7].at)] == [told[7]]
    assert store.about("status", "2A11", at=AT + timedelta(hours=1)) == []
    assert store.about("stop", "2A11") == []
    store.close()

"""The audit log: whatever is done to it is refused, or found and named; on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from data.store.audit import FIRST, Action, Audit, Head
from data.store.opening import prepared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine


@pytest.fixture
def engine(address: str) -> Iterator[Engine]:
    made = prepared(address)
    yield made
    made.dispose()


@pytest.fixture
def audit(engine: Engine) -> Audit:
    """Nine rows."""
    made = Audit(engine)
    for number in range(9):
        made.write(1000 + number, "anna", "session", Action.LOOK_LIVE, f"é{number}", n=number)
    return made


def tamper(engine: Engine, *statements: str) -> None:
    """Do as one who owns the database."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER audit_no_update"))
            connection.execute(text("DROP TRIGGER audit_no_delete"))
        else:
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        for statement in statements:
            connection.execute(text(statement))


def test_an_untouched_log_has_no_faults(audit: Audit) -> None:
    assert audit.faults() == []
    assert audit.faults(audit.head()) == []
    assert [note.seq for note in audit.notes()] == list(range(1, 10))
    [note] = audit.notes(after=3, most=1)
    assert (note.seq, note.who, note.about, note.facts) == (4, "anna", "é3", {"n": 3})
    assert audit.head() == Head(9, list(audit.notes())[-1].hash)


def test_an_empty_log_has_none_either(engine: Engine) -> None:
    audit = Audit(engine)
    assert audit.faults() == []
    assert audit.head() == Head(0, FIRST)
    assert audit.faults(Head(2, "ab")) == ["rows 1 to 2: removed at the end"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET who = 'x' WHERE seq = 4",
        "DELETE FROM audit WHERE seq = 4",
        "DELETE FROM audit",
    ],
)
@pytest.mark.usefixtures("audit")
def test_the_database_refuses_to_alter_it(engine: Engine, statement: str) -> None:
    with engine.begin() as connection, pytest.raises(DBAPIError, match="audit is append-only"):
        connection.execute(text(statement))
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection, pytest.raises(DBAPIError, match="append-only"):
            connection.execute(text("TRUNCATE audit"))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at_ms", "1"),
        ("who", "'eve'"),
        ("how", "'key'"),
        ("action", "'export'"),
        ("about", "'é9'"),
        ("facts", "'{}'"),
    ],
)
def test_a_changed_row_is_named(engine: Engine, audit: Audit, column: str, value: str) -> None:
    tamper(engine, f"UPDATE audit SET {column} = {value} WHERE seq = 4")  # noqa: S608 - ours
    [fault] = audit.faults()
    assert fault.startswith("row 4: changed (")


def test_removed_rows_are_named(engine: Engine, audit: Audit) -> None:
    tamper(engine, "DELETE FROM audit WHERE seq IN (1, 4, 5)")
    assert audit.faults() == ["row 1: removed", "rows 4 to 5: removed"]


def test_rows_removed_and_numbered_anew_are_named(engine: Engine, audit: Audit) -> None:
    tamper(engine, "DELETE FROM audit WHERE seq = 8", "UPDATE audit SET seq = 8 WHERE seq = 9")
    assert audit.faults() == [
        "row 8: does not follow from the row before it",
        "row 8: changed (look_live by anna)",
    ]


def test_reordered_rows_are_named(engine: Engine, audit: Audit) -> None:
    moves = ((4, 100), (5, 4), (100, 5))
    statements = [f"UPDATE audit SET seq = {new} WHERE seq = {old}" for old, new in moves]  # noqa: S608
    tamper(engine, *statements)
    assert audit.faults() == [
        "row 4: does not follow from the row before it",
        "row 5: does not follow from the row before it",
        "row 6: does not follow from the row before it",
        "row 4: reordered, it was row 5",
        "row 5: reordered, it was row 4",
    ]


def test_rows_removed_at_the_end_are_found_by_the_noted_head(engine: Engine, audit: Audit) -> None:
    noted = audit.head()
    tamper(engine, "DELETE FROM audit WHERE seq > 7")
    assert audit.faults() == []
    assert audit.faults(noted) == ["rows 8 to 9: removed at the end"]


def test_a_chain_hashed_anew_is_found_by_the_noted_head(engine: Engine, audit: Audit) -> None:
    noted = audit.head()
    tamper(engine, "DELETE FROM audit WHERE seq > 5")
    for number in range(5, 12):
        audit.write(1000 + number, "eve", "session", Action.LOOK_LIVE, f"é{number}", n=number)
    assert audit.faults() == []
    assert audit.faults(noted) == ["row 9: is not the row that was noted"]

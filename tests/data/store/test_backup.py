"""A backup holds all of a store, and either database takes it back."""

from __future__ import annotations

import gzip
import threading
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import MetaData, select, text

from data.errors import InputError
from data.said import Prompted
from data.store.accounts import Account, Accounts, ApiKey, Session
from data.store.audit import Action, Audit
from data.store.backup import back_up, read_backup, restore
from data.store.opening import prepared
from data.store.reading import DeadLetter
from data.store.store import Entry, Store
from tests.data.store.conftest import fresh_database
from tests.data.store.test_store import fix, status

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine


def fill(address: str) -> None:
    """Put something into every table."""
    store = Store(address)
    reports = (fix(), status(), status('Ünit "4"\n'))
    store.append([Entry(door="cad", reports=reports, sender="s", key="k", digest=b"\0\xff")], 1000)
    store.say([Prompted(at_s=2.5, stop_id="T-1", count=1)])
    store.refuse([DeadLetter(received_ms=7, door="cad", sender="x", reason="why", raw=b"\0\xff")])
    store.save(bytes(range(256)))
    with store._connection.begin():
        store._connection.execute(text("INSERT INTO readers VALUES ('hook', 5)"))
    store.close()
    engine = prepared(address)
    accounts = Accounts(engine)
    accounts.add_account(Account(name="anna", role="officer", unit_ids=("2A*",), created_ms=1))
    accounts.add_key(ApiKey(key_id="a", digest=b"\1", name="cad", role="feed", created_ms=1))
    accounts.add_session(Session(digest=b"\2", name="anna", began_ms=1, seen_ms=1), ended_ms=0)
    accounts.count_attempt("eve", 5, since_ms=0, most=5)
    for number in range(3):
        Audit(engine).write(number, "anna", "session", Action.EXPORT, n=number)
    engine.dispose()


def everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Read all tables that are there, whatever they are called."""
    tables = MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        return {
            name: [tuple(row) for row in connection.execute(select(table).order_by(*table.c))]
            for name, table in tables.tables.items()
        }


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/elsewhere.db"
    return fresh_database(request.getfixturevalue("cluster"))


def test_a_restored_store_is_the_one_backed_up(
    address: str, elsewhere: str, tmp_path: Path
) -> None:
    fill(address)
    before = prepared(address)
    made = back_up(before, tmp_path / "x.backup", 123)
    assert restore(tmp_path / "x.backup", elsewhere) == made
    after = prepared(elsewhere)
    assert everything(after) == everything(before)
    assert all(everything(after).values()), "a table was empty: fill it, or nothing is shown"
    assert made.rows == {k: len(v) for k, v in everything(after).items() if k != "alembic_version"}
    assert Audit(after).faults() == []
    with after.begin() as connection, pytest.raises(Exception, match="append-only"):
        connection.execute(text("DELETE FROM audit"))
    before.dispose()
    after.dispose()
    store = Store(elsewhere)
    store.refuse([DeadLetter(received_ms=8, door="cad", sender="x", reason="why", raw=b"")])
    assert [letter.received_ms for _, letter in store.dead_letters()] == [7, 8]
    store.append([Entry(door="cad", reports=(fix(second=9),))], store.received_ms + 1)
    store.close()


def test_a_backup_is_of_one_instant_while_others_write(address: str, tmp_path: Path) -> None:
    """Events and their keys come in one commit each, so a backup holds as many of both."""
    store, stop = Store(address), threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            entry = Entry(door="cad", reports=(status(),), sender="s", key=str(number), digest=b"")
            store.append([entry], number)

    thread, engine = threading.Thread(target=work), prepared(address)
    thread.start()
    try:
        for turn in range(5):
            while store.seq < 20 * turn + 1:
                pass
            rows = back_up(engine, tmp_path / "x.backup", 1).rows
            assert rows["events"] == rows["keys_taken"] >= 20 * turn + 1
    finally:
        stop.set()
        thread.join()
        store.close()
        engine.dispose()


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    address = f"sqlite:///{tmp_path}/from.db"
    fill(address)
    engine = prepared(address)
    back_up(engine, tmp_path / "x.backup", 1)
    engine.dispose()
    return tmp_path / "x.backup"


def test_a_backup_is_its_owners_alone(backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600


def test_nothing_is_restored_over_something(backup: Path, elsewhere: str) -> None:
    fill(elsewhere)
    engine = prepared(elsewhere)
    before = everything(engine)
    with pytest.raises(InputError, match="is not empty; restore into a new place"):
        restore(backup, elsewhere)
    assert everything(engine) == before
    engine.dispose()


def test_what_is_not_whole_is_not_restored(backup: Path, tmp_path: Path) -> None:
    whole = gzip.decompress(backup.read_bytes())
    lines = whole.splitlines(keepends=True)
    for content in (
        backup.read_bytes()[:-20],
        backup.read_bytes()[:100],
        gzip.compress(b"".join(lines[:-1])),
        gzip.compress(b"".join([*lines[:3], *lines[4:]])),
        gzip.compress(whole.replace(b"2A11", b"2A12", 1)),
        gzip.compress(whole + lines[-1]),
        b"",
        b"not gzip",
        gzip.compress(b"[1]\n"),
        gzip.compress(b"{}\n"),
        gzip.compress(b"not JSON\n"),
    ):
        backup.write_bytes(content)
        with pytest.raises(InputError, match=r"x.backup: (was cut short or altered|is no backup)"):
            restore(backup, f"sqlite:///{tmp_path}/to.db")
        assert not (tmp_path / "to.db").exists()
    with pytest.raises(InputError, match="is not there; check the name"):
        read_backup(tmp_path / "none")


def test_a_backup_of_an_older_layout_is_brought_up_to_date(tmp_path: Path) -> None:
    old = tmp_path / "old.backup"
    from data.store.opening import engine_of, migrate, reach  # noqa: PLC0415

    engine = engine_of(f"sqlite:///{tmp_path}/old.db")
    with reach(engine) as connection:
        migrate(connection, "0001")
        with connection.begin():
            connection.execute(text("INSERT INTO counters VALUES ('cad', 'accepted', 3)"))
    assert back_up(engine, old, 1).layout == "0001"
    engine.dispose()
    restore(old, f"sqlite:///{tmp_path}/new.db")
    store = Store(f"sqlite:///{tmp_path}/new.db")
    assert store.counters() == {"cad": {"accepted": 3}}
    store.close()


def test_a_backup_of_a_newer_layout_is_refused(backup: Path, tmp_path: Path) -> None:
    engine = prepared(f"sqlite:///{tmp_path}/from.db")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    back_up(engine, backup, 1)
    engine.dispose()
    with pytest.raises(InputError, match=r"layout \(9999\) is newer than this rollby; update"):
        restore(backup, f"sqlite:///{tmp_path}/to.db")

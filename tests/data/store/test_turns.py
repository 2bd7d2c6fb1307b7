"""Those who write in one process have their turn in the order in which they came."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from data.store.audit import Action, Audit
from data.store.opening import prepared
from data.store.store import Entry, Store
from data.store.turns import Turns
from tests.data.store.test_store import status

if TYPE_CHECKING:
    from pathlib import Path


def test_first_come_first_served() -> None:
    turns, served = Turns(), list[int]()

    def work(number: int) -> None:
        with turns:
            served.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    with turns:
        for number, thread in enumerate(threads, 1):
            thread.start()
            while len(turns._waiting) < number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert served == list(range(12))
    with turns:
        pass


def test_a_turn_is_given_on_by_one_who_fails() -> None:
    turns = Turns()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), turns:
            _ = 1 / 0


def test_nobody_in_a_process_finds_the_database_locked(tmp_path: Path) -> None:
    """Without any patience of SQLite's: what it is not asked for, it need not have."""
    address = f"sqlite:///{tmp_path}/x.db"
    store, engine = Store(address), prepared(address)
    store._connection.connection.driver_connection.execute("PRAGMA busy_timeout=0")  # type: ignore[union-attr]
    engine.dispose()
    event.listen(engine, "connect", lambda one, _: one.execute("PRAGMA busy_timeout=0"))
    failed: list[BaseException] = []

    def write() -> None:
        try:
            for number in range(40):
                Audit(engine).write(number, "anna", "session", Action.LOOK_LIVE)
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    others = [threading.Thread(target=write) for _ in range(6)]
    for thread in others:
        thread.start()
    for number in range(100):
        store.append([Entry(door="cad", reports=(status(),))], number + 1)
    for thread in others:
        thread.join()
    assert failed == []
    assert Audit(engine).head().seq == 240
    store.close()
    engine.dispose()

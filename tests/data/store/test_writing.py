"""The one that leads and those who write beside it wait for each other; none fails."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from data.events import StatusChange
from data.records import UnitStatus
from data.store.audit import Action, Audit
from data.store.opening import prepared
from data.store.store import Entry, Store

AT = datetime(2026, 3, 13, 18, tzinfo=UTC)


def test_events_are_accepted_while_others_write(address: str) -> None:
    store, engine = Store(address), prepared(address)
    failed: list[BaseException] = []

    def write() -> None:
        try:
            for number in range(60):
                Audit(engine).write(number, "anna", "session", Action.LOOK_LIVE)
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    others = [threading.Thread(target=write) for _ in range(3)]
    for thread in others:
        thread.start()
    report = StatusChange(unit_id="2A11", at=AT, status=UnitStatus.AVAILABLE)
    for number in range(120):
        key = {"sender": "cad", "key": str(number), "digest": b"1"}
        store.append([Entry(door="cad", reports=(report,), **key)], number + 1)  # type: ignore[arg-type]
    for thread in others:
        thread.join()
    assert failed == []
    assert store.seq == 120
    assert Audit(engine).head().seq == 180
    assert Audit(engine).faults() == []
    store.close()
    engine.dispose()

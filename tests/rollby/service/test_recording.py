"""The day goes into history files as it goes, and replay says of them what the service said."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from data.history import read_history, thin_history, write_history
from data.settings import Settings
from data.store.store import Store
from geo.board import Board
from geo.shift.plan import ShiftPlan
from geo.shift.world import simulate
from rollby.service import recording
from rollby.service.recording import next_part, record
from tests.rollby.service.served import serving, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from geo.network import RoadNetwork


def test_what_came_is_what_is_recorded_and_old_positions_go(
    tmp_path: Path, denver: RoadNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "ANSWER_WITHIN_MS", 0)
    monkeypatch.setattr(recording, "MOST", 4)
    folder = tmp_path / "history"
    settings = Settings.model_validate({"service": {"history": str(folder)}})
    with serving(f"sqlite:///{tmp_path}/live.db", denver, settings) as service:
        service.on_duty()
        service.stop("T-1", "4A12")
        assert service.asked()["unit_id"] == "4A13"
        for answer in ("en_route", "arrived"):
            told = {"suggestion_id": "T-1/1", "answer": answer}
            service.http.post("/api/answers", json=told).raise_for_status()
        store = service.running.store
        wait_until(lambda: asyncio.run(record(service.running)) == 0)
        found = read_history(folder)
        assert sorted(found.fixes.unit_ids) == ["4A12", "4A13", "4A14"]
        assert len(found.fixes) == len(found.statuses) == 3
        assert [one.stop.stop_id for one in found.stops] == ["T-1"]
        assert [(one.unit_id, one.answer) for one in found.answers] == [("4A13", "arrived")]
        assert [(one.unit_id, one.seen_by) for one in found.on_scene] == [("4A13", "report")]
        seq, number = store.seq, store.number
        assert (
            next_part(store, seq, number, service.running.clock.now_ms(), simulated=False) is None
        )
        now_ms = service.running.clock.now_ms() + 1
        gone = service.running.core.look(lambda _board: store.thin(now_ms)).result(5)
        assert gone == 3
        assert {type(one.report).__name__ for one in store.events()} == {
            "StatusChange",
            "StopChange",
            "Answer",
        }


def test_raw_days_go_and_all_else_stays(tmp_path: Path, denver: RoadNetwork) -> None:
    plan = ShiftPlan(hours=0.3, units=4, stops_per_unit_hour=4.0)
    history = simulate(denver, plan, seed=2, dispatcher=Board(denver, Settings())).history
    write_history(tmp_path / "h", history)
    (tmp_path / "h" / "fixes" / "day=odd").mkdir()
    last = datetime.fromtimestamp(float(history.fixes.received_at_s[-1]), UTC)
    assert thin_history(tmp_path / "h", last) == []
    assert thin_history(tmp_path / "h", last + timedelta(days=2)) == [f"{last:%Y-%m-%d}"]
    assert (tmp_path / "h" / "statuses").exists()


def test_a_part_that_was_written_and_not_noted_is_written_again(
    tmp_path: Path, denver: RoadNetwork
) -> None:
    with serving(f"sqlite:///{tmp_path}/live.db", denver, Settings()) as service:
        service.on_duty()
    store = Store(f"sqlite:///{tmp_path}/live.db")
    first = next_part(store, 0, 0, 0, simulated=True)
    again = next_part(store, 0, 0, 0, simulated=True)
    store.close()
    assert first is not None
    assert again is not None
    assert (first.name, first.seq) == (again.name, again.seq)
    assert first.history.simulated

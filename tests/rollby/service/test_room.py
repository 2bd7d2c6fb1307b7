"""A flood of what is refused fills no disk, and is counted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from data.store.reading import DeadLetter
from rollby.service import room
from rollby.service.room import Room
from tests.rollby.service.served import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.settings import Settings
    from geo.network import RoadNetwork
    from tests.rollby.service.served import Service


def letter(sender: str, size: int = 800, door: str = "cars") -> DeadLetter:
    return DeadLetter(received_ms=1, door=door, sender=sender, reason="", raw=b"x" * size)


def test_one_sender_uses_up_his_room_and_no_others() -> None:
    now_s = [0.0]
    one = Room(lambda: now_s[0])
    taken = sum(one.take(letter("mad")) for _ in range(30_000))
    assert taken == pytest.approx(room.OF_A_SENDER / 1000, abs=1)
    assert one.take(letter("other"))
    now_s[0] = 60.0
    again = sum(one.take(letter("mad")) for _ in range(100))
    assert again == pytest.approx(60 * room.SENDER_BPS / 1000, abs=1)


def test_many_senders_use_up_a_doors_room_and_no_other_doors() -> None:
    one = Room(lambda: 0.0)
    taken = sum(one.take(letter(f"{number}", 99_800)) for number in range(3000))
    assert taken == pytest.approx(room.OF_A_DOOR / 100_000, abs=1)
    assert one.take(letter("x", door="trucks"))


def test_a_message_larger_than_the_room_is_kept_whole_and_is_the_last() -> None:
    one = Room(lambda: 0.0)
    assert one.take(letter("cad", 2 * room.OF_A_SENDER))
    assert not one.take(letter("cad", 1))


@pytest.fixture
def small(
    tmp_path: Path, denver: RoadNetwork, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    monkeypatch.setattr(room, "OF_A_SENDER", 5000)
    monkeypatch.setattr(room, "SENDER_BPS", 1e-3)
    with serving(f"sqlite:///{tmp_path}/live.db", denver, settings) as one:
        yield one


def test_a_flood_is_counted_where_it_is_not_kept(small: Service) -> None:
    for _ in range(40):
        assert small.http.get("/feeds/osmand", params={"id": "4A12", "lat": "no"}).is_success
    kept = len(small.http.get("/api/dead-letters").json())
    assert 5 < kept < 30
    counted = small.http.get("/api/health").json()["doors"]["osmand"]
    assert counted == {"refused": 40, "unkept": 40 - kept}
    assert f'rollby_reports_total{{door="osmand",outcome="unkept"}} {40 - kept}.0' in (
        small.http.get("/metrics").text
    )


def test_who_sends_what_is_refused_is_answered_more_slowly(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    charged: list[Any] = []

    def wait_s(name: str, messages: int) -> float:
        charged.append((name, messages))
        return 0.3 if name.startswith("\n") else 0.0

    monkeypatch.setattr(service.running.pace, "wait_s", wait_s)
    began_s = time.monotonic()
    service.http.get("/feeds/osmand", params={"id": "4A12", "lat": "no"})
    assert time.monotonic() - began_s > 0.3
    ((name, messages),) = charged
    assert (name[0], messages) == ("\n", 1)


def test_requests_that_are_refused_are_counted_and_kept_nowhere(service: Service) -> None:
    for _ in range(3):
        service.http.put("/api/stops/T-1", json={"unit_id": "4A12"})
    service.app.dependency_overrides.clear()
    for _ in range(2):
        service.http.get("/api/live", headers={"Authorization": "Bearer nobody"})
    assert dict(service.running.refusals) == {"422": 3, "401": 2}
    assert service.running.store.dead_letters() == []

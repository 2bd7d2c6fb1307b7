"""The service, spoken to as devices, dispatch systems, officers and supervisors do."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from data.events import StopChange
from data.records import Stop, StopPhase
from data.settings import Settings
from rollby.service.administration import add_key, revoke_key
from rollby.service.callers import Caller
from rollby.service.guard import caller
from rollby.service.rights import Role
from rollby.service.routes.live import _at
from rollby.service.running import Running
from tests.rollby.service.served import Everybody, everybody, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.rollby.service.served import Service


def become(service: Service, role: Role, *unit_ids: str) -> None:
    """Have the service take whoever speaks for somebody."""
    somebody = Caller(name="somebody", role=role, unit_ids=unit_ids or ("*",), how="key")
    service.app.dependency_overrides[caller] = lambda: somebody


class Events:
    """A reader of the stream."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def next(self, *kinds: str) -> tuple[str, Any, str]:
        """Wait for the next event of some kinds: its name, what it says, its number."""
        found: dict[str, str] = {}
        for line in self._lines:
            if line:
                name, _, value = line.partition(": ")
                found[name] = value
            elif "event" in found and (not kinds or found["event"] in kinds):
                return found["event"], json.loads(found["data"]), found.get("id", "")
            else:
                found = {}
        raise AssertionError("the stream has ended")


# -- positions in ------------------------------------------------------------------------------


def test_a_phone_a_router_and_a_feature_put_units_on_the_map(service: Service) -> None:
    now = time.time()
    at = {"timestamp": "2026-11-23T02:13:00Z"}
    coords = {"latitude": 39.746, "longitude": -104.99}
    point = {"type": "Point", "coordinates": [-104.985, 39.742]}
    told = {"unit_id": "4A14", "fixed_at": "2026-11-23T02:13:00+00:00"}
    answers = [
        service.seen("4A12"),
        service.http.post(
            "/feeds/osmand", json={"device_id": "4A13", "location": {**at, "coords": coords}}
        ),
        service.http.post(
            "/feeds/geojson", json={"type": "Feature", "geometry": point, "properties": told}
        ),
    ]
    assert [one.json() for one in answers] == [{"accepted": 1, "refused": []}] * 3
    own = {"_type": "location", "lat": 39.74, "lon": -104.98, "tst": int(now)}
    for body, headers in (
        ({**own, "topic": "owntracks/pd/4A15"}, {}),
        (own, {"X-Limit-D": "4A16"}),
        ({**own, "tid": "17"}, {}),
    ):
        answer = service.http.post("/feeds/owntracks", json=body, headers=headers)
        assert (answer.status_code, answer.json()) == (200, [])
    units = {one["unit_id"]: one["freshness"] for one in service.live()["units"]}
    assert units.keys() == {"4A12", "4A13", "4A14", "4A15", "4A16", "17"}
    assert (units["4A12"], units["4A13"]) == ("fresh", "stale")


def test_what_cannot_be_read_is_kept_with_its_reason(service: Service) -> None:
    answer = service.http.get("/feeds/osmand", params={"id": "4A12", "lat": 1, "lon": 2})
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 0
    (letter,) = service.http.get("/api/dead-letters").json()
    assert letter["reason"] == "timestamp=: must be the instant of the fix; add it in the app"
    assert (letter["door"], letter["sender"]) == ("osmand", "everybody")
    assert service.http.get("/api/dead-letters", params={"after": letter["letter_id"]}).json() == []


def test_a_device_sends_for_its_own_units_only(service: Service) -> None:
    become(service, Role.FEED, "4A12")
    assert service.seen("4A12").json()["accepted"] == 1
    (reason,) = service.seen("4A13").json()["refused"]
    assert reason == "unit_id=4A13: must be a unit that somebody sends for; see its key"
    assert service.shows("4A13").status_code == 403
    assert service.stop("T-1", "4A13").status_code == 403
    assert service.stop("T-1", "4A12").status_code == 200


def test_a_body_without_end_is_refused(service: Service) -> None:
    answer = service.http.post("/feeds/geojson", content=b" " * 2_000_001)
    assert answer.status_code == 413
    assert "must be at most 2000000 bytes" in answer.json()["detail"]


# -- stops and statuses in -----------------------------------------------------------------------


def test_a_stop_is_asked_about_at_once_and_closed_by_its_end(service: Service) -> None:
    service.on_duty()
    assert service.stop("T-1", "4A12").json() == {"seq": 7}
    asked = service.asked()
    assert (asked["suggestion_id"], asked["unit_id"]) == ("T-1/1", "4A13")
    answer = service.http.patch("/api/stops/T-1", json={"phase": "cleared"})
    assert answer.status_code == 200
    assert service.live()["stops"] == []


def test_a_unit_that_shows_itself_on_a_stop_needs_no_coordinates(service: Service) -> None:
    service.on_duty()
    service.shows("4A12", "on_stop")
    (stop,) = service.live()["stops"]
    assert (stop["stop_id"], stop["from_status"]) == ("status:4A12", True)
    assert (stop["lon"], stop["lat"]) == (-104.99, 39.744)


def test_the_same_key_counts_once_and_for_one_thing_only(service: Service) -> None:
    started = "2026-11-23T02:13:00Z"
    headers = {"Idempotency-Key": "k1"}
    first = service.stop("T-1", "4A12", started_at=started, headers=headers)
    again = service.stop("T-1", "4A12", started_at=started, headers=headers)
    other = service.stop("T-1", "4A12", started_at=started, needs=3, headers=headers)
    assert (first.json(), again.json(), other.status_code) == ({"seq": 1}, {"seq": 1}, 422)
    assert other.json()["detail"] == "Idempotency-Key=k1: was used for something else"


def test_who_expects_another_stop_changes_nothing(service: Service) -> None:
    first = service.stop("T/1", "4A12", headers={"If-None-Match": "*"})
    assert (first.status_code, first.headers["ETag"]) == (200, '"1"')
    assert service.stop("T/1", "4A12", headers={"If-None-Match": "*"}).status_code == 412
    shown = service.http.get("/api/stops/T/1")
    assert (shown.headers["ETag"], shown.json()["unit_id"]) == ('"1"', "4A12")
    patch = {"phase": "secured"}
    sent: dict[str, Any] = {
        "json": {"needs": 3},
        "headers": {"If-Match": '"1"', "Idempotency-Key": "once"},
    }
    first, again = (service.http.patch("/api/stops/T/1", **sent) for _ in range(2))
    assert (first.json(), again.status_code, again.json()) == ({"seq": 2}, 200, {"seq": 2})
    for tag, status in (('"2"', 200), ('"2"', 412), ("x", 400), ('"3"', 200)):
        answer = service.http.patch("/api/stops/T/1", json=patch, headers={"If-Match": tag})
        assert answer.status_code == status
    assert service.http.get("/api/stops/T/1").json()["phase"] == "secured"


def test_a_supervisors_word_is_told_from_a_dispatch_systems(service: Service) -> None:
    service.stop("T-1", "4A12")
    service.shows("4A12", "on_stop")
    become(service, Role.SUPERVISOR)
    patch = service.http.patch("/api/stops/T-1?reason=radio", json={"needs": 3})
    status = {"unit_id": "4A12", "status": "busy"}
    told = service.http.post("/api/statuses?reason=radio", json=status)
    assert (patch.status_code, told.status_code) == (200, 200)
    counted = service.running.store.counters()
    assert (counted["cad"], counted["desk"]) == ({"accepted": 2}, {"accepted": 2})


def test_two_who_change_a_stop_at_once_both_count(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.stop("T-1", "4A12")
    newest, others = Running.newest, [{"needs": 3}, {"backup": ["4A13"]}]

    async def read_and_wait(
        self: Running, kind: str, subject: str, before: int | None = None
    ) -> Any:
        found = await newest(self, kind, subject, before)
        if others:
            other = others.pop()
            answer = await asyncio.to_thread(service.http.patch, "/api/stops/T-1", json=other)
            assert answer.status_code == 200
        return found

    monkeypatch.setattr(Running, "newest", read_and_wait)
    answer = service.http.patch("/api/stops/T-1", json={"phase": "secured"})
    stop = service.http.get("/api/stops/T-1")
    assert (answer.status_code, answer.headers["ETag"]) == (200, stop.headers["ETag"])
    found = stop.json()
    assert (found["phase"], found["needs"], found["backup"]) == ("secured", 3, ["4A13"])


def test_who_is_never_the_first_to_change_a_stop_is_told(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.stop("T-1", "4A12")
    first = service.running.store.newest("stop", "T-1")
    service.stop("T-1", "4A12", needs=3)

    async def read_old(*_: object) -> Any:
        return first

    monkeypatch.setattr(Running, "newest", read_old)
    answer = service.http.patch("/api/stops/T-1", json={"phase": "secured"})
    assert answer.status_code == 409
    assert "others change it all the time; try again" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"unit_id": "4A12"}, "started_at"),
        ({"unit_id": "4A12", "started_at": "2026-11-23T02:13:00"}, "timezone"),
        (
            {"unit_id": " ", "started_at": "2026-11-23T02:13:00Z"},
            "body.unit_id: String should match",
        ),
        ({"unit_id": "a", "started_at": "2026-11-23T02:13:00Z", "lon": 5}, "lon and lat go togeth"),
        ({"unit_id": "a", "started_at": "2026-11-23T02:13:00Z", "lon": 5, "lat": 99}, "lat=99.0"),
        (
            {"unit_id": "a", "started_at": "2026-11-23T02:13:00Z", "colour": 1},
            "body.colour: Extra inputs",
        ),
    ],
)
def test_a_stop_that_cannot_be_is_refused_with_its_reason(
    service: Service, body: dict[str, Any], why: str
) -> None:
    answer = service.http.put("/api/stops/T-1", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert why in answer.json()["detail"]


def test_a_stop_nobody_reported_is_not_there(service: Service) -> None:
    assert service.http.get("/api/stops/T-1").status_code == 404
    assert service.http.patch("/api/stops/T-1", json={}).json()["detail"].startswith("stop_id=T-1")


def test_a_status_may_be_the_agencys_own_code(service: Service) -> None:
    answer = service.shows("4A12", "10-8")
    assert answer.status_code == 422
    assert "map the agency's codes in [units.status]" in answer.json()["detail"]


@pytest.mark.parametrize(
    "settings",
    [Settings.model_validate({"agencies": {"status": {"City": {"10-8": "busy", "10-4": "none"}}}})],
)
def test_a_code_means_what_its_agency_means_by_it(service: Service) -> None:
    service.seen("4A12")
    shown = service.shows("4A12", "10-8", agency="City").json()
    assert service.live()["units"][0]["status"] == "busy"
    assert service.shows("4A12", "10-4").json() == shown
    assert service.live()["units"][0]["status"] == "busy"


def test_a_unit_keeps_its_officers_and_its_agency(service: Service) -> None:
    service.seen("4A12")
    service.shows("4A12", officers=2, agency="PD")
    service.shows("4A12", "busy")
    (unit,) = service.live()["units"]
    assert (unit["officers"], unit["agency"], unit["status"]) == (2, "PD", "busy")


# -- officers --------------------------------------------------------------------------------------


def test_who_is_en_route_is_shown_as_promised_and_may_take_it_back(service: Service) -> None:
    service.on_duty()
    service.stop("T-1", "4A12")
    assert service.asked()["unit_id"] == "4A13"
    become(service, Role.OFFICER, "4A13")
    said = service.http.post(
        "/api/answers", json={"suggestion_id": "T-1/1", "answer": "en_route"}
    ).json()
    assert said["stands"] is True
    (stop,) = service.live()["stops"]
    assert (stop["asked"], stop["promised"][0]["unit_id"]) == (None, "4A13")
    undone = service.http.delete("/api/answers/T-1/1")
    assert undone.status_code == 200
    assert service.http.delete("/api/answers/T-1/1").json()["seq"] == undone.json()["seq"]
    assert service.asked()["suggestion_id"] == "T-1/1"


def test_an_answer_is_for_those_who_were_asked(service: Service) -> None:
    service.on_duty()
    service.stop("T-1", "4A12")
    assert service.asked()["unit_id"] == "4A13"
    become(service, Role.OFFICER, "4A14")
    body = {"suggestion_id": "T-1/1", "answer": "cant"}
    assert service.http.post("/api/answers", json=body).status_code == 403
    assert service.http.post("/api/answers", json=body | {"suggestion_id": "x"}).status_code == 404
    assert service.http.delete("/api/answers/T-1/1").status_code == 404


def test_an_answer_to_what_was_withdrawn_is_told_so(service: Service) -> None:
    service.on_duty()
    service.stop("T-1", "4A12")
    service.http.patch("/api/stops/T-1", json={"phase": "cleared"})
    wait_until(lambda: len(service.running.store.said_about("T-1/1")) == 2)
    body = {"suggestion_id": "T-1/1", "answer": "en_route"}
    assert service.http.post("/api/answers", json=body).json()["stands"] is False


@pytest.mark.parametrize("settings", [Settings.model_validate({"service": {"undo_s": 0}})])
def test_what_was_said_long_ago_stands(service: Service, settings: Settings) -> None:
    assert settings.service.undo_s == 0
    service.on_duty()
    service.stop("T-1", "4A12")
    assert service.asked()["unit_id"] == "4A13"
    service.http.post("/api/answers", json={"suggestion_id": "T-1/1", "answer": "cant"})
    time.sleep(0.01)
    answer = service.http.delete("/api/answers/T-1/1")
    assert answer.status_code == 409
    assert "over 0 s old; call in" in answer.json()["detail"]


def say(
    service: Service, word: str, unit_id: str = "4A12", reason: str = "", key: str = ""
) -> httpx.Response:
    """Say something of the stop at hand."""
    told = {"unit_id": unit_id, "word": word, "reason": reason}
    headers = {"Idempotency-Key": key} if key else {}
    return service.http.post("/api/my-stop", json=told, headers=headers)


def test_an_officers_own_stop_from_its_begin_to_its_end(service: Service) -> None:
    service.on_duty()
    become(service, Role.OFFICER, "4A12")
    assert say(service, "secured").status_code == 409
    assert say(service, "on_stop", "4A13").status_code == 403
    for word, phase, needs in (
        ("on_stop", "contact", 2),
        ("custody", "custody", 2),
        ("need_one_more", "custody", 3),
        ("awaiting_tow", "awaiting_tow", 3),
    ):
        assert say(service, word).status_code == 200
        (stop,) = service.live()["stops"]
        assert (stop["phase"], stop["needs"], stop["unit_id"]) == (phase, needs, "4A12")
    assert say(service, "clear").status_code == 200
    live = service.live()
    assert live["stops"] == []
    assert {one["status"] for one in live["units"]} == {"available"}


def test_a_word_that_is_sent_again_is_one_word(service: Service) -> None:
    """Its answer was lost on the way: the phone cannot tell, and sends it once more."""
    service.on_duty()
    become(service, Role.OFFICER, "4A12")
    for word in ("on_stop", "need_one_more", "clear"):
        first, again = (say(service, word, key=word) for _ in range(2))
        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json()["seq"] == again.json()["seq"]
        if word == "need_one_more":
            assert service.live()["stops"][0]["needs"] == 3
    assert say(service, "custody", key="clear").status_code == 422
    assert service.live()["stops"] == []


def dispatch(service: Service, minutes_ago: float, **more: Any) -> None:
    """Have dispatch say what T-1 is, as of some minutes ago."""
    now = service.running.now()
    told = {"unit_id": "4A12", "lon": -104.985, "lat": 39.742, "phase": "contact", **more}
    times = {"started_at": now - timedelta(minutes=10), "at": now - timedelta(minutes=minutes_ago)}
    body = told | {name: at.isoformat() for name, at in times.items()}
    assert service.http.put("/api/stops/T-1", json=body).status_code == 200


def test_a_word_is_laid_on_what_is_true_and_not_on_what_came_last(service: Service) -> None:
    """A queue of dispatch delivers old news: the board holds the newer."""
    service.on_duty()
    dispatch(service, 0, phase="secured", backup=["4A13"], needs=3)
    dispatch(service, 5)
    become(service, Role.OFFICER, "4A12")
    assert say(service, "need_one_more").status_code == 200
    (stop,) = service.live()["stops"]
    assert (stop["phase"], stop["needs"]) == ("secured", 4)
    become(service, Role.FEED)
    patch = service.http.patch("/api/stops/T-1", json={"heading_deg": 90})
    assert patch.status_code == 200
    dispatch(service, 5, phase="cleared")
    become(service, Role.OFFICER, "4A12")
    assert say(service, "custody").status_code == 200
    (stop,) = service.live()["stops"]
    assert (stop["stop_id"], stop["phase"], stop["needs"]) == ("T-1", "custody", 4)
    assert say(service, "clear").status_code == 200
    assert service.live()["stops"] == []


def test_words_at_once_all_count(service: Service) -> None:
    service.on_duty()
    become(service, Role.OFFICER, "4A12")
    say(service, "on_stop")
    with ThreadPoolExecutor(8) as several:
        answers = list(several.map(lambda _: say(service, "need_one_more"), range(8)))
    assert {one.status_code for one in answers} == {200}
    assert service.live()["stops"][0]["needs"] == 10


@pytest.mark.parametrize(("word", "phases"), [("custody", ["custody"]), ("clear", [])])
def test_an_officers_word_and_dispatchs_at_once_both_count(
    service: Service, monkeypatch: pytest.MonkeyPatch, word: str, phases: list[str]
) -> None:
    service.on_duty()
    service.stop("T-1", "4A12")
    become(service, Role.OFFICER, "4A12")
    accept, others = Running.accept, [1]

    async def after_dispatch(self: Running, door: str, reports: Any, *more: Any, **how: Any) -> Any:
        if others:
            others.pop()
            await asyncio.sleep(0.02)
            stop = replace(known(self), backup=("4A13",))
            await accept(self, "cad", [StopChange(stop=stop, at=self.now())], *more)
        return await accept(self, door, reports, *more, **how)

    monkeypatch.setattr(Running, "accept", after_dispatch)
    assert say(service, word).status_code == 200
    assert known(service.running).backup == ("4A13",)
    assert [one["phase"] for one in service.live()["stops"]] == phases


def known(running: Running) -> Stop:
    """What was last accepted of T-1."""
    event = running.store.newest("stop", "T-1")
    assert event is not None
    assert isinstance(event.report, StopChange)
    return event.report.stop


@pytest.mark.parametrize(
    ("change", "units"),
    [
        ({"phase": StopPhase.CLEARED}, []),
        ({"unit_id": "4A13"}, ["4A13"]),
    ],
)
def test_a_stop_that_ends_or_is_anothers_while_a_word_is_said_stays_so(
    service: Service, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], units: list[str]
) -> None:
    service.on_duty()
    service.stop("T-1", "4A12")
    become(service, Role.OFFICER, "4A12")
    look, accept, others = Running.look, Running.accept, [1]

    async def changed_after(self: Running, at: Any) -> Any:
        found = await look(self, at)
        if others:
            others.pop()
            sender = Caller(name="cad", role=Role.FEED, unit_ids=("*",), how="key")
            stop = replace(known(self), **change)
            await accept(self, "cad", [StopChange(stop=stop, at=self.now())], sender)
        return found

    monkeypatch.setattr(Running, "look", changed_after)
    assert say(service, "clear").status_code == 409
    monkeypatch.undo()
    assert [one["unit_id"] for one in service.live()["stops"]] == units


def test_a_word_for_another_that_is_sent_again_is_noted_once(service: Service) -> None:
    service.on_duty()
    become(service, Role.SUPERVISOR, "Z9")
    sent = {"reason": "said so by radio", "key": "once"}
    first, again = (say(service, "on_stop", **sent).json() for _ in range(2))
    assert first == again
    patch: dict[str, Any] = {"json": {"needs": 3}, "headers": {"Idempotency-Key": "two"}}
    stop_id = service.live()["stops"][0]["stop_id"]
    for _ in range(2):
        service.http.patch(f"/api/stops/{stop_id}?reason=radio", **patch)
    notes = [one.about for one in service.running.access.audit.notes() if one.about]
    assert notes == ["on_stop for 4A12: said so by radio", f"stop {stop_id} of 4A12 contact: radio"]


def test_every_word_can_be_taken_back(service: Service) -> None:
    service.on_duty()
    become(service, Role.OFFICER, "4A12")
    begun = say(service, "on_stop").json()
    worse = say(service, "custody").json()
    assert service.http.delete(f"/api/my-stop/{worse['seq']}").status_code == 200
    (stop,) = service.live()["stops"]
    assert stop["phase"] == "contact"
    ended = say(service, "clear").json()
    assert service.http.delete(f"/api/my-stop/{ended['seq']}").status_code == 200
    (stop,) = service.live()["stops"]
    assert stop["phase"] == "contact"
    # Something has come since: what is true now must be said anew.
    assert service.http.delete(f"/api/my-stop/{begun['seq']}").status_code == 412
    assert service.http.delete("/api/my-stop/1").status_code == 404


def test_a_stop_begun_by_mistake_is_none(service: Service) -> None:
    service.on_duty()
    begun = say(service, "on_stop").json()
    assert service.http.delete(f"/api/my-stop/{begun['seq']}").status_code == 200
    live = service.live()
    assert live["stops"] == []
    assert {one["status"] for one in live["units"]} == {"available"}


def test_on_a_stop_said_twice_takes_nothing_back(service: Service) -> None:
    service.on_duty()
    for word in ("on_stop", "custody", "on_stop"):
        assert say(service, word).status_code == 200
    (stop,) = service.live()["stops"]
    assert stop["phase"] == "custody"


def test_a_stop_begun_by_mistake_by_a_unit_without_a_status_is_none(service: Service) -> None:
    service.seen("4A12")
    begun = say(service, "on_stop").json()
    assert service.http.delete(f"/api/my-stop/{begun['seq']}").status_code == 200
    assert service.live()["stops"] == []


def test_the_newest_stop_is_the_one_at_hand_whatever_its_time_zone(service: Service) -> None:
    service.on_duty()
    service.stop("OLD", "4A12", started_at="2026-01-02T01:00:00+09:00")
    service.stop("NEW", "4A12", started_at="2026-01-01T17:00:00+00:00")
    say(service, "custody")
    phases = {one["stop_id"]: one["phase"] for one in service.live()["stops"]}
    assert phases == {"OLD": "contact", "NEW": "custody"}


def test_pictures_are_told_apart_by_their_instant() -> None:
    assert _at({"at": "2026-11-23T02:13:00.500000Z"}) > _at({"at": "2026-11-23T02:13:00Z"})


def test_who_speaks_for_another_is_written_down(service: Service) -> None:
    service.on_duty()
    supervisor = Everybody(name="chief", role=Role.SUPERVISOR, unit_ids=(), how="session")
    service.app.dependency_overrides[caller] = lambda: supervisor
    refused = say(service, "on_stop")
    assert refused.status_code == 422
    assert "reason: is missing; say why you decide for others" in refused.json()["detail"]
    assert say(service, "on_stop", reason="radio is out").status_code == 200
    (note,) = service.running.access.audit.notes()
    told = "on_stop for 4A12: radio is out"
    assert (note.who, note.action, note.about) == ("chief", "override", told)


def test_an_officer_sees_what_concerns_it_and_no_others_position(service: Service) -> None:
    service.on_duty()
    service.stop("T-1", "4A12")
    become(service, Role.OFFICER, "4A13")
    live = service.live()
    assert [one["unit_id"] for one in live["units"]] == ["4A13"]
    assert [one["stop_id"] for one in live["stops"]] == ["T-1"]
    become(service, Role.OFFICER, "4A14")
    assert service.live()["stops"] == []


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMINISTRATOR, Role.FEED])
def test_analysts_administrators_and_feeds_see_no_live_positions(
    service: Service, role: Role
) -> None:
    become(service, role)
    for path in ("/api/live", "/api/stream"):
        answer = service.http.get(path)
        assert answer.status_code == 403
        assert "needs the right see_live or see_own" in answer.json()["detail"]


# -- the stream ------------------------------------------------------------------------------


def test_a_suggestion_reaches_who_listens_and_who_comes_back_misses_nothing(
    service: Service,
) -> None:
    service.on_duty()
    with service.http.stream("GET", "/api/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = Events(answer.iter_lines())
        name, live, number = events.next()
        assert (name, len(live["units"]), number) == ("live", 3, "0")
        service.stop("T-1", "4A12")
        name, said, number = events.next("suggested")
        assert (said["unit_id"], said["suggestion_id"], number) == ("4A13", "T-1/1", "1")
        _, shown, _ = events.next("stops")
        assert shown["stops"][0]["asked"]["unit_id"] == "4A13"
    service.http.patch("/api/stops/T-1", json={"phase": "cleared"})
    with service.http.stream("GET", "/api/stream", headers={"Last-Event-ID": "1"}) as answer:
        events = Events(answer.iter_lines())
        name, said, number = events.next()
        assert (name, said["why"], number) == ("withdrawn", "stop over", "2")
        assert events.next()[0] == "live"
        service.seen("4A14", lat=39.743)
        name, shown, _ = events.next("units")
        assert [one["lat"] for one in shown["units"] if one["unit_id"] == "4A14"] == [39.743]


def test_an_officer_hears_its_own_suggestions_only(service: Service) -> None:
    service.on_duty()
    become(service, Role.OFFICER, "4A14")
    with service.http.stream("GET", "/api/stream") as answer:
        events = Events(answer.iter_lines())
        events.next("live")
        service.app.dependency_overrides[caller] = everybody
        service.stop("T-1", "4A12", needs=3)
        assert service.asked()["unit_id"] == "4A13"
        service.http.post(
            "/api/answers", json={"suggestion_id": "T-1/1", "answer": "cant"}
        ).raise_for_status()
        name, said, number = events.next("suggested", "withdrawn", "stops")
        while name == "stops":
            assert all(stop["asked"]["unit_id"] == "4A14" for stop in said["stops"])
            name, said, number = events.next("suggested", "withdrawn", "stops")
        assert (name, said["unit_id"], number) == ("suggested", "4A14", "2")


def test_who_was_away_too_long_is_told_of_the_gap(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollby.service.routes.live.MOST_MISSED", 0)
    service.on_duty()
    service.stop("T-1", "4A12")
    wait_until(lambda: service.running.store.number)
    with service.http.stream("GET", "/api/stream?after=0") as answer:
        events = Events(answer.iter_lines())
        assert events.next()[:2] == ("gap", {"after": 0, "until": 1})
        assert events.next()[0] == "live"
    assert service.http.get("/api/stream", headers={"Last-Event-ID": "x"}).status_code == 400


# -- how it is -------------------------------------------------------------------------------


def test_health_and_figures_tell_what_came_and_no_positions(service: Service) -> None:
    service.on_duty()
    service.stop("T-1", "4A12")
    service.http.get("/feeds/osmand", params={"id": "4A12"})
    health = service.http.get("/api/health").json()
    assert health["doors"]["osmand"] == {"accepted": 3, "refused": 1}
    assert (health["units"]["fresh"], health["stops"]) == (3, 1)
    text = service.http.get("/metrics").text
    assert "4A12" not in text
    assert "39.7" not in text
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["rollby_reports_total", "osmand", "accepted"] == 3
    assert found["rollby_units", "fresh"] == 3
    assert service.http.get("/readyz").json() == {"status": "ok"}


def test_a_store_that_fails_ends_the_service_and_says_so(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(service.running.store, "append", full)
    assert service.seen("4A12").status_code == 503
    (failed,) = wait_until(lambda: service.failed)
    assert str(failed) == (
        "service.store: failed (OSError: disk full); "
        "nothing that was acknowledged is lost, start again"
    )


@pytest.mark.parametrize(
    "settings", [Settings.model_validate({"agencies": {"shows": {"SO": "status"}}})]
)
def test_a_neighbours_unit_is_shown_as_far_as_the_neighbour_allows(
    service: Service, settings: Settings
) -> None:
    assert settings.agencies.shows
    service.on_duty()
    service.shows("4A14", agency="SO")
    watch = Caller(name="watch", role=Role.WALLBOARD, agency="PD", how="key")
    service.app.dependency_overrides[caller] = lambda: watch
    places = {one["unit_id"]: one["lon"] for one in service.live()["units"]}
    assert (places["4A12"], places["4A14"]) == (-104.99, None)
    with service.http.stream("GET", "/api/stream") as answer:
        events = Events(answer.iter_lines())
        _, live, _ = events.next("live")
        assert [one["lon"] for one in live["units"]] == [-104.99, -104.99, None]
        become(service, Role.FEED)
        service.seen("4A14", lat=39.743)
        _, told, _ = events.next("units")
        assert {one["lon"] for one in told["units"] if one["unit_id"] == "4A14"} == {None}


@pytest.mark.parametrize(
    "settings",
    [Settings.model_validate({"agencies": {"shows": {"SO": "status", "HP": "none"}}})],
)
def test_why_tells_no_more_of_a_neighbour_than_he_shows(
    service: Service, settings: Settings
) -> None:
    assert settings.agencies.shows
    service.on_duty()
    service.shows("4A12", agency="SO")
    service.shows("4A14", agency="HP")
    service.stop("S1", "4A12").raise_for_status()
    path = "/api/why/S1"
    whole = service.http.get(path).json()
    assert whole["lon"] is not None
    assert "4A14" in {one["unit_id"] for one in whole["nearest"]}
    chief = Caller(name="chief", role=Role.SUPERVISOR, agency="PD", how="key")
    service.app.dependency_overrides[caller] = lambda: chief
    shared = service.http.get(path).json()
    assert (shared["lon"], shared["lat"], shared["street"]) == (None, None, "")
    assert {one["unit_id"] for one in shared["nearest"]} == {"4A13"}
    assert (shared["suggestion"], shared["why_none"], shared["notes"]) == (None, None, [])


def test_a_message_refused_for_its_sender_can_be_read_again(service: Service) -> None:
    become(service, Role.FEED, "4A12")
    service.seen("4A13", key="secret")
    become(service, Role.ADMINISTRATOR)
    (letter,) = service.http.get("/api/dead-letters").json()
    assert b"secret" not in base64.b64decode(letter["raw_base64"])
    path = f"/api/dead-letters/{letter['letter_id']}/replay"
    assert service.http.post(path).json() == {"accepted": 1, "refused": []}
    assert service.http.post("/api/dead-letters/99/replay").status_code == 404
    become(service, Role.SUPERVISOR)
    assert [one["unit_id"] for one in service.live()["units"]] == ["4A13"]


def test_who_was_on_scene_can_be_had_and_looks_are_written_down(service: Service) -> None:
    service.on_duty()
    service.stop("T-1", "4A12")
    assert service.asked()["unit_id"] == "4A13"
    service.http.post("/api/answers", json={"suggestion_id": "T-1/1", "answer": "arrived"})
    (seen,) = service.http.get("/api/on-scene/T-1").json()
    assert (seen["unit_id"], seen["seen_by"], seen["left_at"]) == ("4A13", "report", None)
    assert (seen["agency"], seen["kind"]) == ("", "police")
    notes = list(service.running.access.audit.notes())
    assert [(one.action, one.about) for one in notes] == [
        ("look_live", ""),
        ("answer", "T-1/1 arrived for 4A13"),
        ("export", "on scene at T-1"),
    ]


def test_a_key_is_taken_wherever_a_phone_can_put_it(service: Service) -> None:
    service.app.dependency_overrides.clear()
    chief = Caller(name="chief", role=Role.ADMINISTRATOR, how="command")
    key = add_key(
        service.running.access, chief, name="cars", role=Role.FEED, unit_ids=("4*",), agency=""
    ).text
    assert service.seen("4A12").status_code == 401
    assert service.seen("4A12", key=key).json()["accepted"] == 1
    own = {"_type": "location", "lat": 39.74, "lon": -104.98, "tst": 1, "tid": "4A15"}
    http = service.http
    assert http.post("/feeds/owntracks", json=own, auth=("x", key)).status_code == 200
    assert http.post("/feeds/owntracks", json=own, auth=("x", "y")).status_code == 401
    assert http.get("/api/live", params={"key": key}).status_code == 401
    assert http.get("/api/live", headers={"X-API-Key": key}).status_code == 403


@pytest.mark.parametrize("name", ["\0", "\ud800", "x" * 300, "a;b", "", "none", "\n"])
def test_a_name_that_no_store_keeps_is_refused_and_nothing_else_suffers(
    service: Service, name: str
) -> None:
    point = {"type": "Point", "coordinates": [-104.985, 39.742]}
    told = {"unit_id": name, "fixed_at": "2026-11-23T02:13:00Z"}
    feature = {"type": "Feature", "geometry": point, "properties": told}
    answer = service.http.post("/feeds/geojson", content=json.dumps(feature))
    assert answer.json()["accepted"] == 0
    body = json.dumps({"unit_id": name, "started_at": "2026-11-23T02:13:00Z"})
    assert service.http.put("/api/stops/T-1", content=body).status_code == 422
    assert len(service.http.get("/api/dead-letters").json()) == 1
    assert service.seen("4A12").json()["accepted"] == 1


def test_the_same_name_written_in_two_ways_is_one_unit(service: Service) -> None:
    for name in ("Stra\u00dfe-\u00e9", "Stra\u00dfe-e\u0301"):
        place = {"lat": 39.744, "lon": -104.99, "timestamp": time.time()}
        service.http.get("/feeds/osmand", params={"id": name, **place}).raise_for_status()
    assert [one["unit_id"] for one in service.live()["units"]] == ["Stra\u00dfe-\u00e9"]


def test_a_stream_ends_when_its_reader_may_see_no_more(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollby.service.routes.live.ALIVE_S", 0.05)
    del service.app.dependency_overrides[caller]
    chief = Caller(name="chief", role=Role.ADMINISTRATOR, how="command")
    access = service.running.access
    made = add_key(access, chief, name="wall", role=Role.WALLBOARD, unit_ids=(), agency="")
    headers = {"Authorization": f"Bearer {made.text}"}
    with service.http.stream("GET", "/api/stream", headers=headers) as answer:
        lines = answer.iter_lines()
        Events(lines).next("live")
        assert next(line for line in lines if line.startswith(":"))
        revoke_key(access, chief, made.key.key_id)
        for _ in lines:
            pass
    assert service.http.get("/api/stream", headers=headers).status_code == 401

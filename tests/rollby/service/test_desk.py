"""What a dispatcher decides for others, and what coverage would be: by the API alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from data.settings import Settings, settings_of
from rollby.service.callers import Caller
from rollby.service.guard import caller
from rollby.service.rights import Role
from tests.rollby.service.served import PLACE, serving, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from geo.network import RoadNetwork
    from tests.rollby.service.served import Service

REASON = {"reason": "the other has a prisoner"}


def as_role(service: Service, role: Role, agency: str = "") -> None:
    """From now on somebody of a role calls."""
    who = Caller(name=f"a {role}", role=role, agency=agency, how="session")
    service.app.dependency_overrides[caller] = lambda: who


def a_stop(service: Service) -> dict[str, Any]:
    """All on duty, one on a stop; who is asked."""
    service.on_duty()
    service.stop("S1", "4A12").raise_for_status()
    return dict(wait_until(service.asked, 30))


def ask(service: Service, unit_id: str, **more: Any) -> httpx.Response:
    return service.http.post("/api/asks", json={"stop_id": "S1", "unit_id": unit_id, **more})


def noted(service: Service) -> list[tuple[str, str]]:
    found = [(one.action, one.about) for one in service.running.access.audit.notes()]
    return [one for one in found if one[0] in {"override", "mute"}]


def test_any_unit_that_could_be_asked_can_be_chosen(service: Service) -> None:
    before = a_stop(service)["unit_id"]
    as_role(service, Role.SUPERVISOR)
    (other,) = {"4A13", "4A14"} - {before}
    listed = service.http.get("/api/why/S1").json()["askable"]
    assert {one["unit_id"] for one in listed} == {"4A13", "4A14"}
    assert [one["drive_time_s"] for one in listed] == sorted(one["drive_time_s"] for one in listed)
    asked = ask(service, other, **REASON)
    assert asked.json() == {"suggestion_id": "S1/2"}
    now = service.asked()
    assert (now["unit_id"], now["suggestion_id"], now["picked"]) == (other, "S1/2", True)
    assert ask(service, other, **REASON).json() == {"suggestion_id": "S1/2"}
    said = f"S1/2 asked of {other}: the other has a prisoner"
    assert noted(service) == [("override", said), ("override", said)]


@pytest.mark.parametrize("reason", [{}, {"reason": "  "}])
def test_whoever_decides_for_others_says_why(service: Service, reason: dict[str, str]) -> None:
    suggestion = a_stop(service)
    as_role(service, Role.SUPERVISOR)
    answer = {"suggestion_id": suggestion["suggestion_id"], "answer": "cant", **reason}
    stop = {"unit_id": "4A12", "started_at": "2026-01-01T00:00:00Z"}
    refused = [
        ask(service, "4A14", **reason),
        service.http.post("/api/silences", json={"unit_id": "4A13", **reason}),
        service.http.post("/api/answers", json=answer),
        service.http.post("/api/my-stop", json={"unit_id": "4A12", "word": "secured", **reason}),
        service.http.put("/api/stops/S1", json=stop, params=reason),
        service.http.patch("/api/stops/S1", json={"backup": ["4A14"]}, params=reason),
        service.http.post(
            "/api/statuses", json={"unit_id": "4A13", "status": "busy"}, params=reason
        ),
    ]
    for one in refused:
        assert one.status_code == 422, one.request.url
        told = "reason: is missing; say why you decide for others, it is kept"
        assert one.json()["detail"] == told
    assert service.asked() == suggestion
    assert noted(service) == []


def test_what_a_supervisor_reports_for_others_is_written_down(service: Service) -> None:
    a_stop(service)
    as_role(service, Role.SUPERVISOR)
    why = {"reason": "CAD is down"}
    told = {"unit_id": "4A14", "status": "busy"}
    service.http.post("/api/statuses", json=told, params=why).raise_for_status()
    change = {"phase": "secured"}
    service.http.patch("/api/stops/S1", json=change, params=why).raise_for_status()
    assert noted(service) == [
        ("override", "busy for 4A14: CAD is down"),
        ("override", "stop S1 of 4A12 secured: CAD is down"),
    ]


def test_who_cannot_be_asked_is_refused_with_those_who_can(service: Service) -> None:
    a_stop(service)
    refused = ask(service, "4A12", **REASON)
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("unit_id=4A12: cannot be asked about S1 now; 4A1")
    missing = service.http.post("/api/asks", json={"stop_id": "X", "unit_id": "4A13", **REASON})
    assert missing.status_code == 404
    assert missing.json()["detail"] == "stop_id=X: is not open; it may be over"


def test_a_unit_is_silenced_and_may_be_asked_again(service: Service) -> None:
    service.on_duty()
    as_role(service, Role.SUPERVISOR)
    silence = {"unit_id": "4A13", **REASON}
    service.http.post("/api/silences", json=silence).raise_for_status()
    muted = {one["unit_id"] for one in service.live()["units"] if one["muted"]}
    assert muted == {"4A13"}
    service.http.post("/api/silences", json={**silence, "on": False}).raise_for_status()
    assert not any(one["muted"] for one in service.live()["units"])
    assert noted(service) == [
        ("mute", "mute for 4A13: the other has a prisoner"),
        ("mute", "no mute for 4A13: the other has a prisoner"),
    ]
    refused = service.http.post("/api/silences", json={"unit_id": "9Z9", **REASON})
    assert refused.status_code == 404
    assert refused.json()["detail"] == "unit_id=9Z9: was never seen"


@pytest.mark.parametrize("role", [Role.WALLBOARD, Role.OFFICER, Role.ANALYST, Role.FEED])
def test_nobody_else_decides_for_others(service: Service, role: Role) -> None:
    service.on_duty()
    as_role(service, role)
    moves = {"moves": [{"unit_id": "4A13", "lon": -104.99, "lat": 39.744}]}
    assert ask(service, "4A13", **REASON).status_code == 403
    told = {"unit_id": "4A13", **REASON}
    assert service.http.post("/api/silences", json=told).status_code == 403
    assert service.http.post("/api/coverage/what-if", json=moves).status_code == 403
    seen = service.http.get("/api/coverage").status_code
    assert seen == (200 if role is Role.WALLBOARD else 403)


def test_coverage_now_and_what_if(service: Service) -> None:
    assert service.http.get("/api/coverage").json()["all"]["first"] == 0
    service.on_duty()
    now = service.http.get("/api/coverage").json()
    assert now["idle"] == 3
    assert 0 < now["all"]["second"] <= now["all"]["first"] <= 1
    assert now["beats"] == []
    lines = service.http.get("/api/coverage/lines", params={"car": "first"}).json()
    assert set(lines["codes"]) <= set("01234")
    assert len(set(lines["codes"])) > 1
    moves = [{"unit_id": one, "lon": -104.96, "lat": 39.76} for one in ("4A13", "4A14")]
    told = {"moves": moves, "lines": "first"}
    thought = service.http.post("/api/coverage/what-if", json=told).json()
    assert thought["what_if"] is True
    assert thought["now"]["all"] == now["all"]
    assert thought["then"]["all"]["first"] != now["all"]["first"]
    assert len(thought["codes"]) == len(lines["codes"])
    assert thought["codes"] != lines["codes"]
    assert [one["idle"] for one in thought["moves"]] == [True, True]
    assert service.http.get("/api/coverage").json()["all"] == now["all"]
    places = {one["unit_id"]: (one["lon"], one["lat"]) for one in service.live()["units"]}
    assert places == PLACE


@pytest.mark.parametrize(
    "moves",
    [[], [{"unit_id": "4A13", "lon": 999, "lat": 0}], [{"unit_id": "4A13", "lon": "x", "lat": 0}]],
)
def test_a_thought_that_is_none_is_refused(service: Service, moves: list[Any]) -> None:
    service.on_duty()
    refused = service.http.post("/api/coverage/what-if", json={"moves": moves})
    assert refused.status_code == 422
    assert "body.moves" in refused.json()["detail"]


@pytest.fixture
def two_agencies(tmp_path: Path, denver: RoadNetwork) -> Iterator[Service]:
    """The sheriff's units show their status to others, and no place."""
    raw = Settings().model_dump(by_alias=True)
    agencies = {**raw["agencies"], "shows": {"Sheriff": "status"}}
    settings = settings_of({**raw, "agencies": agencies}, "a test")
    with serving(f"sqlite:///{tmp_path}/two.db", denver, settings) as one:
        one.on_duty()
        one.shows("4A12", agency="City").raise_for_status()
        one.shows("4A13", agency="Sheriff").raise_for_status()
        one.shows("4A14", agency="City").raise_for_status()
        yield one


def test_coverage_tells_no_place_that_an_agency_does_not_show(two_agencies: Service) -> None:
    service = two_agencies
    assert service.http.get("/api/coverage").json()["idle"] == 3
    as_role(service, Role.SUPERVISOR, "City")
    assert service.http.get("/api/coverage").json()["idle"] == 2
    moves = [{"unit_id": "4A13", "lon": -104.96, "lat": 39.76}]
    thought = service.http.post("/api/coverage/what-if", json={"moves": moves}).json()
    assert thought["moves"][0]["idle"] is False
    assert thought["now"] == thought["then"]
    as_role(service, Role.SUPERVISOR, "Sheriff")
    assert service.http.get("/api/coverage").json()["idle"] == 3


def test_the_stream_tells_coverage_and_to_who_may_know_how_the_service_is(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollby.service.covering.EVERY_S", 0.1)
    monkeypatch.setattr("rollby.service.metrics.TELL_EVERY_S", 0.1)
    service.on_duty()
    for role, told in ((Role.SUPERVISOR, {"coverage", "health"}), (Role.WALLBOARD, {"coverage"})):
        as_role(service, role)
        seen: set[str] = set()
        with service.http.stream("GET", "/api/stream") as answer:
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    seen.add(line.removeprefix("event: "))
                if told <= seen and "beat" in seen:
                    break
        assert seen & {"coverage", "health"} == told
    as_role(service, Role.OFFICER)
    with service.http.stream("GET", "/api/stream") as answer:
        lines = answer.iter_lines()
        events = [next(lines) for _ in range(20)]
    assert not any("coverage" in line or "health" in line for line in events)


def test_health_tells_when_each_door_was_last_heard_and_the_load(service: Service) -> None:
    assert service.http.get("/api/health").json()["heard_at"] == {}
    service.on_duty()
    service.http.get("/feeds/osmand", params={"id": "4A12", "lat": 999, "lon": 0, "timestamp": 1})
    health = service.http.get("/api/health").json()
    assert set(health["heard_at"]) == {"osmand", "cad"}
    assert health["doors"]["osmand"]["refused"] == 1
    load = [health[f"sounds_{name}"] for name in ("last_hour", "per_hour_target", "per_hour_max")]
    assert load == [0, 6, 12]

"""Studies as analysts' programs have them worked out, beside a live service."""

from __future__ import annotations

import io
import os
import shutil
import signal
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas
import pytest

from data.history import read_history
from data.store.audit import Action
from rollby.cli import main
from rollby.service.callers import Caller
from rollby.service.rights import Role
from rollby.service.routes import studies as routes
from rollby.service.studies import Kind, State, Studies, Study
from tests.rollby.service.served import everybody, wait_until
from tests.rollby.service.studying import (
    ANALYST,
    BEFORE_YESTERDAY,
    ROADS,
    asked,
    become,
    day_of,
    ended,
    settings_for,
    simulated,
    uploaded,
)

if TYPE_CHECKING:
    import httpx

    from data.settings import Settings
    from tests.rollby.service.served import Service

NOBODYS = "0123456789abcdef"

BEGUN = ("Reading", "Working")


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("analyst")
    simulated(folder / "past")
    return folder


@pytest.fixture
def settings(past: Path, tmp_path: Path) -> Settings:
    own = tmp_path / "own"  # a service records into it
    shutil.copytree(past / "past", own / "past")
    return settings_for(own, studies=str(tmp_path / "studies"))


@pytest.fixture
def http(service: Service) -> httpx.Client:
    become(service)
    return service.http


def zipped(folder: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for path in folder.rglob("*"):
            made.write(path, path.relative_to(folder.parent))
    return out.getvalue()


def notes(service: Service) -> list[tuple[str, str]]:
    return [(one.action, one.about) for one in service.running.access.audit.notes()]


def told(answer: httpx.Response, status: int, sentence: str) -> None:
    assert answer.status_code == status, answer.text
    assert sentence in answer.json()["detail"]


# -- what is worked out -------------------------------------------------------------------------


def test_gaps_are_those_of_the_command_line(http: httpx.Client, past: Path, tmp_path: Path) -> None:
    study = asked(http, stand=["EXTRA@-104.987,39.753"])
    found = ended(http, study)
    assert (found["state"], found["fault"]) == ("done", "")
    assert found["facts"]["simulated"]
    assert "no second car was within 1:30" in found["facts"]["said"][0]
    assert "What if, not what was" in found["facts"]["notes"][0]

    own = tmp_path / "own.toml"
    own.write_text("[policy]\nwithin_s = 90\n")
    history = ["--history", str(past / "past"), "--settings", str(own), "--every", "600"]
    command = ["gaps", "--roads", ROADS, *history, "--post", "EXTRA@-104.987,39.753"]
    files = ["--cells", str(tmp_path / "cells.csv"), "--hours", str(tmp_path / "hours.csv")]
    assert main([*command, *files]) == 0
    export = f"/api/studies/{study}/files"
    for name in ("cells.csv", "hours.csv"):
        assert http.get(f"{export}/{name}").text == (tmp_path / name).read_text()
    assert http.get(f"{export}/gaps.json").json()["schema"] == "rollby.gaps/1"
    cells = geopandas.read_file(io.BytesIO(http.get(f"{export}/cells.geojson").content))
    (tmp_path / "cells.gpkg").write_bytes(http.get(f"{export}/cells.gpkg").content)
    assert len(geopandas.read_file(tmp_path / "cells.gpkg")) == len(cells)
    taken = http.get(f"{export}/map.html")
    assert taken.headers["content-disposition"].startswith("attachment")
    report = http.get(f"/analyst/{study}/report")
    assert "SIMULATED: nobody was there" in report.text
    assert "script" not in report.headers["content-security-policy"]
    told(
        http.get(f"{export}/about.json"), 404, "is not to be had of this study; there is gaps.json"
    )


def test_posts_weigh_stops_or_roads(http: httpx.Client) -> None:
    by_stops, by_roads = asked(http, "posts", within_s=120), asked(http, "posts", source="roads")
    for study, stops in ((by_stops, True), (by_roads, False)):
        found = ended(http, study)
        assert found["state"] == "done", found["fault"]
        answer = http.get(f"/api/studies/{study}/files/posts.json").json()
        assert (answer["stops"] is not None) is stops
        assert answer["within_s"] == (120 if stops else 90)
        assert len(answer["posts"]) == 2
        places = http.get(f"/analyst/{study}/places.json").json()
        assert len(places["time_ms"]) == len(places["lon"]) == 20
        csv = http.get(f"/api/studies/{study}/files/posts.csv").text.splitlines()
        assert csv[0] == "post,lon,lat,street,present"


def test_studies_are_done_one_at_a_time_in_their_order(http: httpx.Client) -> None:
    studies = [asked(http), asked(http)]

    def going() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = http.get("/api/studies").json()
        return found

    wait_until(lambda: any(one["state"] == "running" for one in going()), 30)
    last = http.get(f"/api/studies/{studies[1]}").json()
    assert last["step"].startswith("Waiting: number ")
    while (now := going()) and any(one["state"] in {"waiting", "running"} for one in now):
        assert sum(one["state"] == "running" for one in now) <= 1
    assert {one["state"] for one in going()} == {"done"}


def test_the_core_goes_on_while_a_study_is_worked_out(service: Service, http: httpx.Client) -> None:
    become(service, everybody())
    service.on_duty()
    study = asked(http, every_s=10)
    wait_until(lambda: http.get(f"/api/studies/{study}").json()["state"] == "running", 30)
    process = service.app.state.studying._doing.process
    wait_until(lambda: service.app.state.studying._doing.process, 10)
    process = service.app.state.studying._doing.process
    os.kill(process.pid, signal.SIGSTOP)  # as long as it takes, nobody else waits
    try:
        service.stop("S1", "4A12").raise_for_status()
        assert wait_until(service.asked, 30)
        assert http.get(f"/api/studies/{study}").json()["state"] == "running"
    finally:
        os.kill(process.pid, signal.SIGCONT)
    assert process.pid != os.getpid()
    assert ended(http, study)["state"] == "done"


def test_a_study_can_be_cancelled_and_leaves_nothing_running(
    service: Service, http: httpx.Client
) -> None:
    first, second = asked(http, every_s=10), asked(http)
    wait_until(lambda: http.get(f"/api/studies/{first}").json()["step"].startswith(BEGUN), 30)
    process = service.app.state.studying._doing.process
    assert http.post(f"/api/studies/{second}/cancel").status_code == 204
    assert http.get(f"/api/studies/{second}").json()["state"] == "cancelled"
    assert http.post(f"/api/studies/{first}/cancel").status_code == 204
    assert ended(http, first)["state"] == "cancelled"
    assert process.returncode == -signal.SIGKILL
    assert http.delete(f"/api/studies/{first}").status_code == 204
    told(http.get(f"/api/studies/{first}"), 404, "you have none such; it may be deleted")


def test_a_process_that_dies_fails_its_study_and_no_other(
    service: Service, http: httpx.Client
) -> None:
    first, second = asked(http), asked(http, stand=["X@-104.987,39.753"])
    wait_until(lambda: http.get(f"/api/studies/{first}").json()["step"].startswith(BEGUN), 30)
    service.app.state.studying._doing.process.kill()
    assert "came to an end that nobody expected" in ended(http, first)["fault"]
    assert ended(http, second)["state"] == "done"


def test_a_study_that_cannot_be_begun_fails_and_the_next_is_done(
    service: Service, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = service.app.state.studying
    with monkeypatch.context() as broken:
        broken.setattr(desk, "_roads_file", _no_roads)
        assert "came to an end that nobody expected" in ended(http, asked(http))["fault"]
    assert ended(http, asked(http, "posts", source="roads"))["state"] == "done"


async def _no_roads() -> Path:
    raise ZeroDivisionError


# -- what cannot be asked -----------------------------------------------------------------------


def test_what_cannot_be_worked_out_says_so(http: httpx.Client) -> None:
    day = day_of(BEFORE_YESTERDAY)
    before, after = str(day - timedelta(days=1)), str(day + timedelta(days=1))
    today = str(day_of(datetime.now(UTC)))
    for wish, sentence in (
        ({"since": before}, f"recorded, and over, are {day} to {day}; choose days of these"),
        ({"until": today}, f"recorded, and over, are {day} to {day}; choose days of these"),
        ({"since": after, "until": before}, f"must not be before since={after}"),
        ({"split": str(day)}, "must be within the period, not at its end"),
        ({"stand": ["4A12"]}, "stand: '4A12': must be LON,LAT"),
        ({"source": "roads"}, "gaps are those of a recorded period"),
        ({"every_s": 1}, "every_s"),
        ({"sauce": 1}, "sauce"),
    ):
        told(http.post("/api/studies/gaps", json=wish), 422, sentence)
    told(http.post("/api/studies/gaps", json={"source": NOBODYS}), 404, "you have none such")
    far = asked(http, "posts", present=["-103.0,39.0"])
    assert "present -103.0,39.0: " in ended(http, far)["fault"]


def test_today_is_live_and_not_to_be_had(
    service: Service, http: httpx.Client, tmp_path: Path
) -> None:
    simulated(tmp_path / "past", begins=datetime.now(UTC) - timedelta(hours=1, minutes=1))
    service.running.settings.service.__dict__["history"] = str(tmp_path / "past")
    known = routes.recorded_days(service.running)
    today = day_of(datetime.now(UTC))
    assert isinstance(known, str) or known[1] < today
    told(http.post("/api/studies/gaps", json={"until": str(today)}), 422, "")
    service.running.settings.service.__dict__["history"] = str(tmp_path / "nowhere")
    told(http.post("/api/studies/gaps", json={}), 422, "Nothing is recorded yet of a day that")
    service.running.settings.service.__dict__["history"] = ""
    told(http.post("/api/studies/gaps", json={}), 422, "set service.history")


def test_nobody_keeps_or_asks_without_end(
    http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = asked(http)
    monkeypatch.setattr(routes, "MOST_WAITING", 0)
    told(http.post("/api/studies/gaps", json={}), 429, "too many studies wait already")
    monkeypatch.setattr(routes, "MOST_KEPT", 1)
    told(http.post("/api/studies/gaps", json={}), 409, "you keep 1 studies already; delete some")
    told(http.post("/api/histories", json={"title": "x"}), 409, "delete some")
    ended(http, first)


# -- histories uploaded -------------------------------------------------------------------------


def test_an_uploaded_folder_is_checked_and_worked_with(http: httpx.Client, past: Path) -> None:
    history = uploaded(http, {"march.zip": zipped(past / "past")})
    found = ended(http, history)
    assert found["state"] == "done", found["fault"]
    recorded = read_history(past / "past")
    assert found["facts"]["fixes"] == len(recorded.fixes)
    assert found["facts"]["simulated"]
    own = ended(http, asked(http, source=history))
    assert (own["state"], own["title"]) == ("done", "Gaps: mine")


def test_a_broken_upload_says_file_line_and_remedy(http: httpx.Client) -> None:
    files = {
        "fixes.csv": b"unit_id,fixed_at,lon,lat\n4A1,2026-03-13 02:13,-104.9,39.7\n",
        "statuses.csv": b"unit_id,at,status\n4A1,2026-03-13T02:13:00Z,10-8\n",
    }
    found = ended(http, uploaded(http, files))
    assert found["state"] == "failed"
    first, second = found["fault"].splitlines()
    assert first.startswith("fixes.csv:2 fixed_at=2026-03-13 02:13: must have an offset or Z; add")
    assert second.startswith("statuses.csv:2 status=10-8: must be one of available, ")
    history = found["study_id"]
    told(http.post("/api/studies/gaps", json={"source": history}), 409, "cannot be used")
    told(http.put(f"/api/histories/{history}/files/fixes.csv"), 409, "takes no more files")
    told(http.post(f"/api/histories/{history}/check"), 409, "was checked already")


def test_hundreds_of_faults_are_told_as_far_as_anybody_reads(http: httpx.Client) -> None:
    rows = b"".join(b"4A%d,now,-104.9,39.7\n" % number for number in range(250))
    found = ended(http, uploaded(http, {"fixes.csv": b"unit_id,fixed_at,lon,lat\n" + rows}))
    assert len(found["fault"].splitlines()) == 101
    assert found["fault"].endswith("and 150 more")


def test_what_is_no_history_is_refused_at_once(http: httpx.Client) -> None:
    history = http.post("/api/histories", json={"title": "x"}).json()["study_id"]
    files = f"/api/histories/{history}/files"
    told(http.put(f"{files}/units.csv", content=b""), 422, "units.csv: must be a .zip of a history")
    assert http.put(f"{files}/..%2F..%2Fabout.json", content=b"").status_code in {404, 422}
    http.put(f"{files}/broken.zip", content=b"no zip").raise_for_status()
    http.post(f"/api/histories/{history}/check").raise_for_status()
    assert "history.zip: is no .zip that can be read" in ended(http, history)["fault"]


def test_an_upload_is_bounded(service: Service, http: httpx.Client) -> None:
    service.running.settings.service.__dict__["upload_mb"] = 1
    history = http.post("/api/histories", json={"title": "x"}).json()["study_id"]
    files = f"/api/histories/{history}/files"
    http.put(f"{files}/fixes.csv", content=bytes(600_000)).raise_for_status()
    too_large = http.put(f"{files}/stops.csv", content=bytes(600_000))
    told(too_large, 413, "stops.csv: more than 1 MB; send a shorter period")
    (kept,) = Path(service.running.settings.service.studies).rglob("history")
    assert [path.name for path in kept.iterdir()] == ["fixes.csv"]
    service.running.settings.service.__dict__["upload_mb"] = 500


def test_an_agency_studies_what_it_is_shown(service: Service, http: httpx.Client) -> None:
    whole = ended(http, asked(http))
    shows = service.running.settings.agencies.shows
    shows["county"] = "status"
    try:
        hidden = [
            routes._hidden(service.running, replace(ANALYST, agency=agency))
            for agency in ("", "city", "county")
        ]
        become(service, replace(ANALYST, agency="city"))
        less = ended(http, asked(http))
    finally:
        shows.clear()
    assert hidden == [(), ("county",), ()]
    assert less["facts"]["notes"] == ["Left out, as they are not shown to others: county."]
    assert less["facts"]["said"] != whole["facts"]["said"]


# -- who may, and what is written down ----------------------------------------------------------

EVERY = (
    ("GET", "/analyst"),
    ("GET", f"/analyst/{NOBODYS}"),
    ("GET", f"/analyst/{NOBODYS}/report"),
    ("GET", f"/api/studies/{NOBODYS}/files/gaps.json"),
    ("GET", f"/analyst/{NOBODYS}/map.js"),
    ("GET", f"/analyst/{NOBODYS}/places.json"),
    ("GET", "/api/studies"),
    ("GET", f"/api/studies/{NOBODYS}"),
    ("DELETE", f"/api/studies/{NOBODYS}"),
    ("POST", f"/api/studies/{NOBODYS}/cancel"),
    ("POST", "/api/studies/gaps"),
    ("POST", "/api/studies/posts"),
    ("POST", "/api/histories"),
    ("PUT", f"/api/histories/{NOBODYS}/files/fixes.csv"),
    ("POST", f"/api/histories/{NOBODYS}/check"),
)


@pytest.mark.parametrize("role", [Role.OFFICER, Role.WALLBOARD, Role.ADMINISTRATOR, Role.FEED])
def test_no_other_role_has_a_study(service: Service, role: Role) -> None:
    become(service, Caller(name="somebody", role=role, unit_ids=("*",), how="key"))
    bodies: dict[str, dict[str, Any]] = {"posts": {"count": 1}, "histories": {"title": "x"}}
    for method, path in EVERY:
        body = bodies.get(path.rpartition("/")[2], {}) if method == "POST" else None
        told(service.http.request(method, path, json=body), 403, f"the role {role} lacks it")


def test_one_analyst_has_nothing_of_anothers(service: Service, http: httpx.Client) -> None:
    study = asked(http)
    ended(http, study)
    for other in (replace(ANALYST, name="bea"), replace(ANALYST, how="session")):
        become(service, other)
        assert http.get("/api/studies").json() == []
        for method, path in EVERY:
            if NOBODYS in path:
                answer = http.request(method, path.replace(NOBODYS, study))
                assert answer.status_code == 404, path
    become(service)
    assert http.get(f"/analyst/{study}/report").status_code == 200


def test_looks_exports_uploads_and_deletions_are_written_down(
    service: Service, http: httpx.Client
) -> None:
    day = day_of(BEFORE_YESTERDAY)
    study = asked(http)
    ended(http, study)
    http.get(f"/analyst/{study}").raise_for_status()
    http.get(f"/analyst/{study}/report").raise_for_status()
    http.get(f"/api/studies/{study}/files/cells.gpkg").raise_for_status()
    http.delete(f"/api/studies/{study}").raise_for_status()
    history = uploaded(http, {"fixes.csv": b"unit_id\n"})
    ended(http, history)
    assert notes(service)[-6:] == [
        (Action.LOOK_HISTORY, f"Gaps: {day} to {day}, study {study}"),
        (Action.LOOK_HISTORY, f"study {study}"),
        (Action.EXPORT, f"study {study}, report"),
        (Action.EXPORT, f"study {study}, cells.gpkg"),
        (Action.REMOVE, f"gaps {study}"),
        (Action.UPLOAD, f"history {history}"),
    ]


# -- how they are kept --------------------------------------------------------------------------


def made(number: int, **more: Any) -> Study:
    return Study(
        study_id=f"{number:016x}", owner="a" * 32, kind=Kind.GAPS, title="t", made_ms=0, **more
    )


def test_what_is_old_goes_and_what_goes_on_stays(tmp_path: Path) -> None:
    studies = Studies(tmp_path / "studies")
    states = [State.DONE, State.FAILED, State.RECEIVING, State.RUNNING, State.WAITING]
    for number, state in enumerate(states):
        studies.keep(made(number, state=state))
    (tmp_path / "studies" / "b" / "c").mkdir(parents=True)
    (tmp_path / "studies" / "b" / "c" / "about.json").write_text("{}")
    assert studies.tidy(30 * 86_400_000, 30) == 0
    assert studies.tidy(30 * 86_400_000 + 1, 30) == 3
    assert {one.state for one in studies.of("a" * 32)} == {State.RUNNING, State.WAITING}
    assert (tmp_path / "studies").stat().st_mode & 0o077 == 0


def test_what_went_on_when_the_service_ended_says_so(tmp_path: Path) -> None:
    studies = Studies(tmp_path)
    for number, state in enumerate([State.DONE, State.RUNNING, State.WAITING, State.RECEIVING]):
        studies.keep(made(number, state=state))
    studies.interrupted()
    kept = sorted(studies.of("a" * 32), key=lambda one: one.study_id)
    assert [one.state for one in kept] == [State.DONE, *[State.FAILED] * 3]
    assert kept[1].fault == "The service ended before this was done; ask for it again."

"""Downloads, through OSMnx's own code, from a server on this machine."""

from __future__ import annotations

import json
import os
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from osmnx import settings

from data.errors import RoadSourceError, SourceUnreachableError
from data.osm import CACHE_DAYS, build_roads
from data.roads.osmnx_session import Retry
from tests.data.osm_server import (
    DATE,
    Answer,
    OsmServer,
    nominatim_answer,
    osm_server,
    overpass_answer,
)
from tests.data.osm_texts import PLACES, Way, edges_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.road_table import RoadTable

STREET = {"highway": "residential"}
BBOX = (-104.7865, 39.797, -104.7815, 39.817)  # around nodes 1 to 5
WAYS: list[Way] = [(1, [1, 2, 3], STREET), (2, [3, 4, 5], STREET | {"oneway": "-1"})]
EDGES = [(1, 3, 1), (3, 1, 1), (5, 3, 2)]
OUTLINE = {
    "type": "Polygon",
    "coordinates": [
        [
            [-104.7865, 39.797],
            [-104.7815, 39.797],
            [-104.7815, 39.817],
            [-104.7865, 39.817],
            [-104.7865, 39.797],
        ]
    ],
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[OsmServer]:
    """The server, OSMnx pointed at it, an empty cache and an empty working directory."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with osm_server() as server:
        monkeypatch.setattr(settings, "overpass_url", f"{server.url}/api")
        monkeypatch.setattr(settings, "nominatim_url", f"{server.url}/nominatim/")
        monkeypatch.setattr(time, "sleep", lambda _: None)
        server.overpass = [overpass_answer(WAYS)]
        server.nominatim = [nominatim_answer(OUTLINE)]
        yield server


class Waiting:
    """A `Retry` that notes its pauses instead of waiting."""

    def __init__(self, *pauses_s: float) -> None:
        self.slept_s: list[float] = []
        self.retry = Retry(pauses_s=pauses_s, sleep=self.slept_s.append, chance=lambda: 0.4)


def get(**more: Any) -> RoadTable:
    return build_roads(bbox=BBOX, **more)


def test_a_box(server: OsmServer) -> None:
    table = get()
    assert edges_of(table) == EDGES
    assert table.source.name == "bbox -104.7865,39.797,-104.7815,39.817"
    assert table.source.date == DATE
    assert [path for path, _ in server.asked] == ["/api/interpreter"]
    assert '["highway"~"^(motorway|' in server.asked[0][1]["data"][0]
    assert "|service)$" in server.asked[0][1]["data"][0]


def test_a_download_says_that_it_has_no_turn_restrictions(server: OsmServer) -> None:
    table = get()
    assert table.ban_count == 0
    assert table.source.left_out == "turn restrictions: not in a download"
    assert server.asked


def test_service_roads_of_a_download_are_taken_on_request(server: OsmServer) -> None:
    server.overpass = [overpass_answer([*WAYS, (3, [3, 2], {"highway": "service"})])]
    assert (2, 3, 3) in edges_of(get(service_roads=True))
    alley = {"highway": "service", "service": "alley"}
    server.overpass = [overpass_answer([*WAYS, (3, [3, 2], alley)])]
    assert edges_of(get()) == EDGES


def test_an_outline(server: OsmServer, tmp_path: Path) -> None:
    path = tmp_path / "beat 4.geojson"
    path.write_text(json.dumps({"type": "Feature", "geometry": OUTLINE, "properties": {}}))
    table = build_roads(polygon=path)
    assert edges_of(table) == EDGES
    assert table.source.name == "beat 4.geojson"
    assert len(server.asked) == 1


def test_a_place(server: OsmServer) -> None:
    table = build_roads(place="Somewhere, Colorado")
    assert edges_of(table) == EDGES
    assert table.source.name == "Somewhere, Colorado"
    (path, query), (then, _) = server.asked
    assert (path, then) == ("/nominatim/search", "/api/interpreter")
    assert query["q"] == ["Somewhere, Colorado"]


def test_steps_are_told(server: OsmServer) -> None:
    told: list[tuple[str, float]] = []
    build_roads(place="Somewhere", progress=lambda step, share: told.append((step, share)))
    host = server.url.removeprefix("http://")
    assert [step for step, _ in told] == [
        "asking for Somewhere",
        f"received 0.0 MB from {host}",
        "asking for its roads",
        f"received 0.0 MB from {host}",
        "cutting roads into edges",
    ]
    assert [share for _, share in told] == sorted(share for _, share in told)


def test_signals_come_along(server: OsmServer) -> None:
    server.overpass = [overpass_answer(WAYS, {2: {"highway": "stop", "direction": "forward"}})]
    table = get()
    assert (1, 2, 1) in edges_of(table)
    assert table.node_direction.tolist() == [0, 1, 0, 0]


def test_roads_that_leave_the_area_end_at_the_first_node_outside(server: OsmServer) -> None:
    server.overpass = [overpass_answer([(1, [4, 5, 6, 7, 8], STREET)])]
    table = get()
    assert edges_of(table) == [(4, 6, 1), (6, 4, 1)]
    assert PLACES[6][0] > BBOX[2] > PLACES[5][0]


def test_a_second_run_asks_no_server(server: OsmServer) -> None:
    first = build_roads(place="Somewhere")
    asked = len(server.asked)
    server.overpass = server.nominatim = [Answer(b"", 500)]
    second = build_roads(place="Somewhere")
    assert len(server.asked) == asked
    assert edges_of(second) == edges_of(first)
    assert second.source == first.source


def test_old_answers_are_asked_for_again(server: OsmServer, tmp_path: Path) -> None:
    get()
    (answer,) = (tmp_path / "cache").rglob("*.json")
    then = time.time() - (CACHE_DAYS + 0.1) * 86_400
    os.utime(answer, (then, then))
    get()
    assert len(server.asked) == 2


def test_answers_cut_short_in_the_cache_are_asked_for_again(
    server: OsmServer, tmp_path: Path
) -> None:
    get()
    (answer,) = (tmp_path / "cache").rglob("*.json")
    answer.write_bytes(answer.read_bytes()[:-10])
    assert edges_of(get()) == EDGES
    assert len(server.asked) == 2


def test_a_cache_that_cannot_be_written(server: OsmServer, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(
        RoadSourceError,
        match=r"the cache folder must be writable \(Not a directory\); mend its rig",
    ):
        get()
    assert not server.asked


def test_files_go_to_the_cache_folder_only(server: OsmServer, tmp_path: Path) -> None:
    build_roads(place="Somewhere")
    assert server.asked
    assert list((tmp_path / "work").iterdir()) == []
    files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".json"}
    assert {path.parents[1] for path in files} == {tmp_path / "cache" / "rollby" / "osmnx"}


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again(server: OsmServer, status: int) -> None:
    server.overpass = [Answer(b"busy", status), Answer(b"busy", status), *server.overpass]
    waiting = Waiting(10, 20)
    steps: list[str] = []
    table = get(retry=waiting.retry, progress=lambda step, _: steps.append(step))
    assert edges_of(table) == EDGES
    assert waiting.slept_s == [pytest.approx(11), pytest.approx(22)]
    host = server.url.removeprefix("http://")
    assert f"{host} answered {status}" in steps[2]
    assert steps[2].endswith("; asking again in 11 s")


@pytest.mark.parametrize("status", [429, 504])
def test_a_server_busy_for_ever_is_given_up(server: OsmServer, status: int) -> None:
    server.overpass = [Answer(b"busy", status)]
    waiting = Waiting(10, 20, 40)
    with pytest.raises(
        SourceUnreachableError,
        match=rf"answered {status} .*; asked 4 times in 77 s; try again later, or give an extract",
    ):
        get(retry=waiting.retry)
    assert len(server.asked) == 4


def test_a_busy_place_server_is_given_up_too(server: OsmServer) -> None:
    server.nominatim = [Answer(b"", 429)]
    with pytest.raises(SourceUnreachableError, match="answered 429"):
        build_roads(place="Somewhere", retry=Waiting(1).retry)
    assert len(server.asked) == 2


def test_by_default_waiting_ends_within_two_minutes() -> None:
    retry = Retry()
    assert sum(retry.pauses_s) * (1 + retry.jitter) < 120
    assert 0 <= retry.chance() < 1


def test_each_answer_gives_new_patience(server: OsmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "max_query_area_size", 1_000_000)  # so OSMnx asks in parts
    busy = Answer(b"", 504)
    server.overpass = [busy, overpass_answer(WAYS[:1]), busy, overpass_answer(WAYS[1:])]
    waiting = Waiting(5)
    assert edges_of(get(retry=waiting.retry)) == EDGES
    assert waiting.slept_s == [pytest.approx(5.5)] * 2


@pytest.mark.parametrize("body", [b"", overpass_answer(WAYS).body])
def test_a_cut_connection_is_tried_again(server: OsmServer, body: bytes) -> None:
    server.overpass = [Answer(body, cut=True), *server.overpass]
    waiting = Waiting(3)
    assert edges_of(get(retry=waiting.retry)) == EDGES
    assert waiting.slept_s == [pytest.approx(3.3)]


def test_a_connection_cut_for_ever_is_given_up(server: OsmServer) -> None:
    server.overpass = [Answer(overpass_answer(WAYS).body, cut=True)]
    with pytest.raises(SourceUnreachableError, match=r"cut the connection; asked 2 times in 3 s"):
        get(retry=Waiting(3).retry)
    assert len(server.asked) == 2


def test_no_server_there(server: OsmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setattr(settings, "overpass_url", url)
    with pytest.raises(
        SourceUnreachableError,
        match=r"^127\.0\.0\.1:\d+ cannot be reached; check the network, or give an extract",
    ):
        get(retry=Waiting(3).retry)
    assert not server.asked


def test_a_server_that_never_answers(server: OsmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        monkeypatch.setattr(settings, "overpass_url", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        monkeypatch.setattr(settings, "requests_timeout", 0.2)
        with pytest.raises(SourceUnreachableError, match="did not answer in time; ask for a small"):
            get()
    assert not server.asked


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(b"<html>bad query</html>", 400), r"answered 400 .*check the server's address"),
        (Answer(b"{}", 403), r"answered 403 Forbidden; check the server's address"),
        (Answer(b"<html>log in</html>"), "answered with something other than map data; check"),
        (
            overpass_answer(WAYS, remark="runtime error: Query timed out in 'query' at line 1"),
            r"stopped half-way \(runtime error: Query timed out.*ask for a smaller area",
        ),
    ],
)
def test_answers_that_are_none(server: OsmServer, answer: Answer, message: str) -> None:
    server.overpass = [answer]
    with pytest.raises(SourceUnreachableError, match=message):
        get()
    assert len(server.asked) == 1


def test_a_remark_that_is_no_error_is_passed_over(server: OsmServer) -> None:
    server.overpass = [overpass_answer(WAYS, remark="all is well")]
    assert edges_of(get()) == EDGES


def test_no_roads_there(server: OsmServer) -> None:
    server.overpass = [overpass_answer([])]
    with pytest.raises(
        RoadSourceError,
        match=r"^bbox .*: has no roads on OpenStreetMap \(.*\); check the area, and that longi",
    ):
        get()


def test_roads_outside_the_area_only(server: OsmServer) -> None:
    server.overpass = [overpass_answer([(1, [15, 16], STREET)])]
    with pytest.raises(RoadSourceError, match="has no roads on OpenStreetMap"):
        get()


def test_no_road_to_drive_there(server: OsmServer) -> None:
    server.overpass = [overpass_answer([(1, [1, 2], STREET | {"access": "private"})])]
    with pytest.raises(RoadSourceError, match=r"left out: private roads: 1"):
        get()


def test_useless_answers_are_not_kept(server: OsmServer) -> None:
    server.overpass = [overpass_answer([]), overpass_answer(WAYS)]
    with pytest.raises(RoadSourceError):
        get()
    assert edges_of(get()) == EDGES


def test_an_unknown_place(server: OsmServer) -> None:
    server.nominatim = [nominatim_answer(None)]
    with pytest.raises(
        RoadSourceError,
        match=r"^Nowhere, PA: no such place is known; check the spelling, add the state",
    ):
        build_roads(place="Nowhere, PA")
    assert len(server.asked) == 1


def test_a_place_without_an_outline(server: OsmServer) -> None:
    server.nominatim = [nominatim_answer({"type": "Point", "coordinates": [-104.89, 39.73]})]
    with pytest.raises(
        RoadSourceError,
        match=r"^The Corner: is known, but has no outline; name the town or county around it",
    ):
        build_roads(place="The Corner")


def test_a_place_too_large(server: OsmServer) -> None:
    ring = [[-109, 37], [-102, 37], [-102, 41], [-109, 41], [-109, 37]]
    server.nominatim = [nominatim_answer({"type": "Polygon", "coordinates": [ring]})]
    with pytest.raises(RoadSourceError, match=r"^Colorado: covers 26\d,\d{3} km2; a download must"):
        build_roads(place="Colorado")
    assert len(server.asked) == 1


def test_cancelling_passes_through_and_settings_are_put_back(server: OsmServer) -> None:
    def cancel(_: float) -> None:
        raise KeyboardInterrupt

    server.overpass = [Answer(b"", 429)]
    before, resolver = dict(vars(settings)), socket.getaddrinfo
    with pytest.raises(KeyboardInterrupt):
        get(retry=Retry(sleep=cancel))
    assert vars(settings) == before
    assert socket.getaddrinfo is resolver

"""`rollby roads build` from a server: the answer, the sentence and the exit code."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from osmnx import settings

from rollby.cli import main
from tests.data.osm_server import (
    Answer,
    OsmServer,
    nominatim_answer,
    osm_server,
    overpass_answer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOX = "-104.7865,39.797,-104.7815,39.817"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[OsmServer]:
    """The server, OSMnx pointed at it, an empty cache, an empty working directory, no waiting."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with osm_server() as server:
        monkeypatch.setattr(settings, "overpass_url", f"{server.url}/api")
        monkeypatch.setattr(settings, "nominatim_url", f"{server.url}/nominatim/")
        yield server


def test_a_box_becomes_a_file(
    server: OsmServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.overpass = [overpass_answer([(1, [1, 2, 3], {"highway": "residential"})])]
    assert main(["roads", "build", "--bbox", BOX, "-o", "town.roads"]) == 0
    assert "edges" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["town.roads"]
    assert main(["roads", "build", "--bbox", BOX, "-o", "again.roads"]) == 0
    assert len(server.asked) == 1  # the second run found it in the cache


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        (Answer(b"busy", 429), 4, "answered 429"),
        (Answer(b"busy", 504), 4, "answered 504"),
        (Answer(b"", cut=True), 4, "cut the connection"),
        (overpass_answer([]), 3, "road"),
    ],
    ids=["429", "504", "cut", "empty"],
)
def test_a_server_that_fails_is_said(
    server: OsmServer,
    capsys: pytest.CaptureFixture[str],
    answer: Answer,
    code: int,
    message: str,
) -> None:
    server.overpass = [answer]
    assert main(["roads", "build", "--bbox", BOX, "-o", "town.roads"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_a_place_that_does_not_exist(server: OsmServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.nominatim = [Answer(b"[]")]
    assert main(["roads", "build", "--place", "Nowhere", "-o", "town.roads"]) == 3
    assert "Nowhere" in capsys.readouterr().err


def test_a_place_without_an_outline(server: OsmServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.nominatim = [nominatim_answer({"type": "Point", "coordinates": [-104.9, 39.7]})]
    assert main(["roads", "build", "--place", "A point", "-o", "town.roads"]) == 3
    assert "A point" in capsys.readouterr().err

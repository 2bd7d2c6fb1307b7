"""`build_roads` from files, and how OSMnx is borrowed."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import osmnx
import pytest
from osmnx import settings

from data.errors import RoadSourceError
from data.osm import build_roads
from data.roads.osmnx_session import Answers, osmnx_session
from data.roads.progress import silent
from data.roads.rules import NODE_TAGS, WAY_TAGS
from tests.data.osm_texts import Way, edges_of, osm_text, packed

if TYPE_CHECKING:
    from pathlib import Path

STREET = {"highway": "residential"}
WAYS: list[Way] = [(1, [1, 2, 3], STREET), (2, [3, 4], STREET | {"oneway": "yes"})]
EDGES = [(1, 3, 1), (3, 1, 1), (3, 4, 2)]


@pytest.mark.parametrize("ending", [".osm", ".osm.gz", ".osm.bz2", ".osm.pbf"])
def test_every_ending(tmp_path: Path, ending: str) -> None:
    plain = tmp_path / "roads.osm"
    plain.write_text(osm_text(WAYS), encoding="utf-8")
    path = packed(plain, ending)
    table = build_roads(osm=path)
    assert edges_of(table) == EDGES
    assert table.source.name == f"roads{ending}"
    assert edges_of(build_roads(osm=str(path))) == EDGES


@pytest.mark.parametrize("name", ["roads.shp", "roads.xml", "roads.osm.zip", "osm"])
def test_other_endings_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        RoadSourceError, match=r"must end in \.osm, \.osm\.gz, \.osm\.bz2 or \.osm\.pbf$"
    ):
        build_roads(osm=tmp_path / name)


@pytest.mark.parametrize(
    ("sources", "got"),
    [
        ({}, "none"),
        ({"osm": "a.osm", "place": "b"}, "osm and place"),
        ({"place": "b", "bbox": (1, 2, 3, 4), "polygon": "c"}, "place and bbox and polygon"),
    ],
)
def test_exactly_one_source(sources: dict[str, Any], got: str) -> None:
    with pytest.raises(
        TypeError, match=f"takes exactly one of osm, place, bbox and polygon; got {got}$"
    ):
        build_roads(**sources)


def test_a_file_without_roads(tmp_path: Path) -> None:
    path = tmp_path / "roads.osm"
    path.write_text(osm_text([(1, [1, 2], {"highway": "footway"})]), encoding="utf-8")
    with pytest.raises(RoadSourceError, match=r"^roads\.osm: .*left out: ways not for cars: 1"):
        build_roads(osm=path)


def test_steps_are_told(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    path = tmp_path / "roads.osm"
    path.write_text(osm_text(WAYS), encoding="utf-8")
    build_roads(osm=path, progress=lambda step, share: told.append((step, share)))
    assert [share for _, share in told] == sorted({share for _, share in told})


def test_nothing_is_written_beside_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "roads.osm"
    path.write_text(osm_text(WAYS), encoding="utf-8")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    build_roads(osm=path)
    assert list(work.iterdir()) == []
    assert set(tmp_path.iterdir()) == {path, work}


def test_importing_it_does_not_import_osmnx() -> None:
    code = (
        "import sys, data.osm, data.graph; "
        "print([name for name in ('osmnx', 'geopandas', 'pandas') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout == "[]\n"


def test_osmnx_settings_hold_within_and_are_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "useful_tags_way", ["surface"])
    monkeypatch.setattr(settings, "overpass_url", "https://example.org/own")
    monkeypatch.setattr(settings, "requests_kwargs", {"verify": False})
    before = dict(vars(settings))
    with osmnx_session(settings, tmp_path, Answers(silent)):
        assert set(settings.useful_tags_way) == set(WAY_TAGS)
        assert set(NODE_TAGS) < set(settings.useful_tags_node)
        assert settings.cache_folder == settings.data_folder == settings.logs_folder == tmp_path
        assert settings.overpass_url == "https://example.org/own"
        assert settings.requests_kwargs["verify"] is False
    assert vars(settings) == before


def test_osmnx_settings_are_put_back_after_a_fault(tmp_path: Path) -> None:
    before = dict(vars(settings))
    with pytest.raises(ZeroDivisionError), osmnx_session(settings, tmp_path, Answers(silent)):
        raise ZeroDivisionError
    assert vars(settings) == before


def test_threads_take_turns(tmp_path: Path) -> None:
    def borrow(folder: Path) -> None:
        with osmnx_session(settings, folder, Answers(silent)):
            seen.append(settings.cache_folder == folder)

    seen: list[bool] = []
    with osmnx_session(settings, tmp_path, Answers(silent)):
        thread = threading.Thread(target=borrow, args=(tmp_path / "other",))
        thread.start()
        thread.join(0.05)
        assert thread.is_alive()
        assert settings.cache_folder == tmp_path
    thread.join()
    assert seen == [True]


def test_lengths_are_those_of_osmnx(tmp_path: Path) -> None:
    path = tmp_path / "roads.osm"
    path.write_text(osm_text([(1, [1, 2, 3, 4, 5], STREET)]), encoding="utf-8")
    graph = osmnx.graph_from_xml(path)
    theirs = sorted(length for _, _, length in graph.edges(data="length"))
    assert np.sort(build_roads(osm=path).length_m) == pytest.approx(theirs, rel=1e-12)

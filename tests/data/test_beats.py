"""Beats come from GeoJSON, each named once, each a valid polygon."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from data.beats import read_beats
from data.errors import InputError
from data.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
BOW_TIE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}


def feature(name: Any, geometry: Any) -> dict[str, Any]:
    """One beat."""
    return {"type": "Feature", "properties": {"name": name}, "geometry": geometry}


def write(path: Path, *features: Any) -> Path:
    """Write beats."""
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_beats_have_their_own_t(tmp_path: Path) -> None:
    path = write(tmp_path / "b.geojson", feature("North", SQUARE), feature("South", SQUARE))
    settings = Settings.model_validate({"beats": {"within_s": {"North": 300}}})
    beats = read_beats(path, settings)
    assert [(beat.name, beat.within_s) for beat in beats] == [("North", 300), ("South", 180)]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([feature("", SQUARE)], r"b\.geojson:1 name: is missing; name each beat once"),
        ([feature("A", SQUARE), feature("A", SQUARE)], r":2 name: 'A' is used twice"),
        ([feature("A", {"type": "Point", "coordinates": [0, 0]})], "must be a valid Polygon"),
        ([feature("A", BOW_TIE)], r"must be a valid Polygon .* mend it in a GIS"),
        ([feature("A", None)], ":1 geometry: must be a Polygon or MultiPolygon"),
    ],
)
def test_faulty_beats_are_refused(tmp_path: Path, features: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_beats(write(tmp_path / "b.geojson", *features), Settings())


def test_a_t_for_no_beat_is_refused(tmp_path: Path) -> None:
    settings = Settings.model_validate({"beats": {"within_s": {"Nort": 300}}})
    with pytest.raises(InputError, match=r"beats\.within_s: Nort: no such beat"):
        read_beats(write(tmp_path / "b.geojson", feature("North", SQUARE)), settings)


@pytest.mark.parametrize("text", ["", "[]", "{}", "3"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "b.geojson").write_text(text)
    with pytest.raises(InputError, match="must be a GeoJSON FeatureCollection"):
        read_beats(tmp_path / "b.geojson", Settings())


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read .*; check beats\.file"):
        read_beats(tmp_path / "b.geojson", Settings())

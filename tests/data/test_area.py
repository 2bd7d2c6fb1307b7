"""Boxes and outlines, before a server sees them."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
import shapely
import shapely.geometry

from data.errors import RoadSourceError
from data.roads.area import MAX_AREA_KM2, box_area, check_size, read_area

if TYPE_CHECKING:
    from pathlib import Path

RING = [[-77.0, 40.0], [-76.5, 40.0], [-76.5, 40.5], [-77.0, 40.0]]
POLYGON = {"type": "Polygon", "coordinates": [RING]}
OTHER = {"type": "Polygon", "coordinates": [[[x + 1, y] for x, y in RING]]}
FEATURE = {"type": "Feature", "properties": {"beat": 4}, "geometry": POLYGON}


def write(folder: Path, geojson: object) -> Path:
    path = folder / "beat.geojson"
    path.write_text(json.dumps(geojson))
    return path


def test_a_box() -> None:
    assert box_area((-77, 40, -76, 41)).bounds == (-77, 40, -76, 41)


@pytest.mark.parametrize(
    "bbox",
    [
        (-76, 40, -77, 41),
        (-77, 41, -76, 40),
        (-77, 40, -77, 41),
        (170, 0, 190, 1),
        (-77, 40, -76, 91),
        (math.nan, 40, -76, 41),
        (-77, 40, -76, math.inf),
    ],
)
def test_boxes_that_are_none(bbox: tuple[float, float, float, float]) -> None:
    with pytest.raises(
        RoadSourceError,
        match=r"^bbox=.*: (must be west,south,east,north in degrees, with west < east|covers)",
    ):
        box_area(bbox)


def test_a_box_of_three_numbers() -> None:
    with pytest.raises(RoadSourceError, match=r"^bbox=1,2,3: must be four numbers"):
        box_area((1, 2, 3))  # type: ignore[arg-type]


def test_a_box_too_large() -> None:
    with pytest.raises(
        RoadSourceError, match=r"covers 91,\d{3} km2; a download must be within 20,000"
    ):
        box_area((-80, 40, -79 + 2.3, 42.999))


def test_sizes_are_true_on_the_sphere() -> None:
    half_earth = shapely.box(-90, -90, 90, 90)
    with pytest.raises(RoadSourceError, match=r"^half: covers 255,03\d,\d{3} km2"):
        check_size(half_earth, "half")
    check_size(shapely.box(0, 0, 1, 1), f"12,364 km2 is within {MAX_AREA_KM2}")


@pytest.mark.parametrize(
    "geojson",
    [
        POLYGON,
        FEATURE,
        {"type": "FeatureCollection", "features": [FEATURE]},
        {"type": "MultiPolygon", "coordinates": [[RING]]},
        {
            "type": "GeometryCollection",
            "geometries": [{"type": "Point", "coordinates": [0, 0]}, POLYGON],
        },
        {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": None}, FEATURE]},
    ],
)
def test_outlines(tmp_path: Path, geojson: dict[str, Any]) -> None:
    assert read_area(write(tmp_path, geojson)).equals(shapely.geometry.shape(POLYGON))


def test_several_outlines_are_joined(tmp_path: Path) -> None:
    features = [FEATURE, FEATURE | {"geometry": OTHER}]
    area = read_area(write(tmp_path, {"type": "FeatureCollection", "features": features}))
    assert area.geom_type == "MultiPolygon"
    assert area.area == pytest.approx(2 * shapely.geometry.shape(POLYGON).area)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(RoadSourceError, match=r"no\.geojson: cannot be read \(No such file"):
        read_area(tmp_path / "no.geojson")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "west,south",
        "[]",
        "{}",
        '{"type": "Polygon"}',
        '{"type": "Polygon", "coordinates": [1]}',
    ],
)
def test_files_that_are_no_geojson(tmp_path: Path, text: str) -> None:
    path = tmp_path / "beat.geojson"
    path.write_text(text)
    with pytest.raises(RoadSourceError, match=r"must be GeoJSON \(.*\); export it as GeoJSON"):
        read_area(path)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "beat.geojson"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RoadSourceError, match="must be GeoJSON"):
        read_area(path)


def test_no_outline_in_the_file(tmp_path: Path) -> None:
    with pytest.raises(RoadSourceError, match="must hold a Polygon or MultiPolygon; has none"):
        read_area(write(tmp_path, {"type": "Point", "coordinates": [0, 0]}))


def test_a_broken_outline(tmp_path: Path) -> None:
    bow_tie = [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]
    with pytest.raises(RoadSourceError, match=r"broken outline \(Self-intersection.*mend it in"):
        read_area(write(tmp_path, {"type": "Polygon", "coordinates": [bow_tie]}))


def test_an_outline_in_metres(tmp_path: Path) -> None:
    ring = [[500_000, 4_400_000], [501_000, 4_400_000], [501_000, 4_401_000], [500_000, 4_400_000]]
    with pytest.raises(RoadSourceError, match="must be in degrees of longitude and latitude"):
        read_area(write(tmp_path, {"type": "Polygon", "coordinates": [ring]}))


def test_an_outline_too_large(tmp_path: Path) -> None:
    far = {"type": "Polygon", "coordinates": [[[x + 40, y] for x, y in RING]]}
    both = {"type": "GeometryCollection", "geometries": [POLYGON, far]}
    with pytest.raises(RoadSourceError, match="a download must be within 20,000 km2"):
        read_area(write(tmp_path, both))

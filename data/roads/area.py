"""Areas that roads are asked for: boxes and GeoJSON outlines, checked before a server sees them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import shapely
import shapely.geometry

from data.errors import RoadSourceError
from data.road_table import EARTH_RADIUS_M

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from shapely import MultiPolygon, Polygon

    from data.road_table import FloatArray

Area: TypeAlias = "Polygon | MultiPolygon"
MAX_AREA_KM2 = 20_000
"""About the largest US county but a few; public servers refuse, or take hours over, more."""
_EARTH_DEG = (-180.0, -90.0, 180.0, 90.0)


def box_area(bbox: tuple[float, float, float, float]) -> Polygon:
    """
    Make a box of its bounds.

    Parameters
    ----------
    bbox : tuple of float
        West, south, east, north, degrees.

    Returns
    -------
    area : shapely.Polygon
        WGS 84.

    Raises
    ------
    RoadSourceError
        If the bounds are not on Earth, in another order, or too far apart.
    """
    name = "bbox=" + ",".join(map(str, bbox))
    if len(bbox) != len(_EARTH_DEG):
        raise RoadSourceError(f"{name}: must be four numbers: west,south,east,north")
    west, south, east, north = bbox
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):  # noqa: PLR2004 - degrees
        raise RoadSourceError(
            f"{name}: must be west,south,east,north in degrees, with west < east and "
            "south < north; split a box that crosses 180 degrees in two"
        )
    area = shapely.box(west, south, east, north)
    check_size(area, name)
    return area


def read_area(path: Path) -> Area:
    """
    Read an outline from a GeoJSON file.

    Parameters
    ----------
    path : Path
        With a Polygon or MultiPolygon, or Features of them; several are joined.

    Returns
    -------
    area : shapely.Polygon or shapely.MultiPolygon
        WGS 84.

    Raises
    ------
    RoadSourceError
        If the file cannot be read, holds no outline, or one that is broken or too large.
    """
    try:
        outlines = list(_outlines(json.loads(path.read_bytes())))
    except OSError as error:
        raise RoadSourceError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, TypeError, KeyError, AttributeError, shapely.GEOSException) as error:
        raise RoadSourceError(
            f"{path}: must be GeoJSON ({error}); export it as GeoJSON in WGS 84"
        ) from error
    if not outlines:
        raise RoadSourceError(f"{path}: must hold a Polygon or MultiPolygon; has none")
    for outline in outlines:
        if outline.is_empty or not outline.is_valid:
            raise RoadSourceError(
                f"{path}: has a broken outline ({shapely.is_valid_reason(outline)}); "
                "mend it in a GIS, or draw it anew"
            )
    area: Area = shapely.union_all(outlines)
    if not shapely.box(*_EARTH_DEG).covers(area):
        raise RoadSourceError(
            f"{path}: must be in degrees of longitude and latitude; export it in WGS 84"
        )
    check_size(area, str(path))
    return area


def check_size(area: Area, name: str) -> None:
    """
    Refuse an area that is too large to download.

    Parameters
    ----------
    area : shapely.Polygon or shapely.MultiPolygon
        WGS 84. Of several parts the hull counts, for that is what OSMnx asks for.
    name : str
        What the user called it.

    Raises
    ------
    RoadSourceError
        If it is larger than `MAX_AREA_KM2`.
    """
    size_km2 = shapely.transform(area.convex_hull, _equal_area_km).area
    if not size_km2 <= MAX_AREA_KM2:
        raise RoadSourceError(
            f"{name}: covers {size_km2:,.0f} km2; a download must be within {MAX_AREA_KM2:,} km2; "
            "take a smaller area, or give an extract with --osm"
        )


def _outlines(geojson: Any) -> Iterator[Area]:
    """
    Find the outlines in GeoJSON.

    Yields
    ------
    outline : shapely.Polygon or shapely.MultiPolygon
        As it is, broken or not.
    """
    kind = geojson["type"]
    if kind == "FeatureCollection":
        for feature in geojson["features"]:
            yield from _outlines(feature)
    elif kind == "Feature":
        yield from _outlines(geojson["geometry"] or {"type": None})
    elif kind == "GeometryCollection":
        for geometry in geojson["geometries"]:
            yield from _outlines(geometry)
    elif kind in {"Polygon", "MultiPolygon"}:
        yield shapely.geometry.shape(geojson)


def _equal_area_km(places_deg: FloatArray) -> FloatArray:
    """Project degrees so that areas are right (Lambert's cylinder), kilometres, shape (k, 2)."""
    lon, lat = np.radians(places_deg).T
    return EARTH_RADIUS_M / 1_000 * np.column_stack([lon, np.sin(lat)])

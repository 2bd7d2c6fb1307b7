"""The agency's beats: named polygons, each with the time within which backup should be there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shapely.geometry import shape

from data.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import shapely

    from data.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """
    One beat.

    Parameters
    ----------
    name : str
        What it is called.
    within_s : float
        T in it, seconds.
    area : shapely.Geometry
        Polygon or MultiPolygon, degrees, WGS 84.
    """

    name: str
    within_s: float
    area: shapely.Geometry


def read_beats(path: Path, settings: Settings) -> tuple[Beat, ...]:
    """
    Read beats from GeoJSON.

    Parameters
    ----------
    path : Path
        A FeatureCollection of polygons.
    settings : Settings
        The property that names a beat, and T.

    Returns
    -------
    beats : tuple of Beat
        In file order.

    Raises
    ------
    InputError
        If the file cannot be read, is no FeatureCollection of valid polygons, a beat has no name
        or one that another has, or the settings give a T to a beat that is not there.
    """
    try:
        features = json.loads(path.read_text(encoding="utf-8-sig"))["features"]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check beats.file") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: must be a GeoJSON FeatureCollection of polygons") from error
    within_s = settings.beats.within_s
    beats: dict[str, Beat] = {}
    for number, feature in enumerate(features, start=1):
        name = str((feature.get("properties") or {}).get(settings.beats.name) or "").strip()
        if not name or name in beats:
            found = "is missing" if not name else f"{name!r} is used twice"
            raise InputError(f"{path}:{number} {settings.beats.name}: {found}; name each beat once")
        beats[name] = Beat(
            name=name,
            within_s=within_s.get(name, settings.policy.within_s),
            area=_area(feature, f"{path}:{number}"),
        )
    unknown = sorted(set(within_s) - set(beats))
    if unknown:
        raise InputError(f"beats.within_s: {', '.join(unknown)}: no such beat in {path}")
    return tuple(beats.values())


def _area(feature: dict[str, object], place: str) -> shapely.Geometry:
    """
    Read a feature's polygon.

    Raises
    ------
    InputError
        If it has none, or one that crosses itself.
    """
    try:
        area = shape(feature["geometry"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{place} geometry: must be a Polygon or MultiPolygon") from error
    if area.geom_type not in {"Polygon", "MultiPolygon"} or area.is_empty or not area.is_valid:
        raise InputError(
            f"{place} geometry: must be a valid Polygon or MultiPolygon, is {area.geom_type}; "
            "mend it in a GIS (Fix geometries)"
        )
    return area

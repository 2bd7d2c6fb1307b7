"""Small made-up networks for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from data.records import Stop, StopPhase, Unit, UnitFix, UnitStatus
from data.road_table import RoadSource, RoadTable, TextPool
from geo.drive_model import ROUTINE
from geo.network import RoadNetwork

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TEN_MPS = f"{36 / ROUTINE.sign_factor:.6f}"
"""km/h on a sign that is driven at 10 m/s: 100 m take 10 s."""
NOW = datetime(2026, 3, 14, 3, 40, tzinfo=UTC)
LAT_DEG = 40.0
METRES_PER_DEG = np.pi / 180 * 6_371_009


def town(
    nodes: Mapping[str, tuple[float, float]],
    streets: Sequence[Mapping[str, Any]],
    signs: Mapping[str, str] | None = None,
) -> RoadNetwork:
    """
    Make a network of named nodes, metres east and north, and streets between them.

    A street has `ends` (two or more node names), and may have `oneway`, `name`, `highway`,
    `maxspeed`, `via` (a list of metres east and north between two ends).
    """
    names = list(nodes)
    texts = TextPool()
    east, north = np.array(list(nodes.values()), np.float64).T
    edges: list[dict[str, Any]] = []
    for way, street in enumerate(streets):
        for first, last in zip(street["ends"], street["ends"][1:], strict=False):
            line = np.array([nodes[first], *street.get("via", ()), nodes[last]], np.float64)
            one = {"way": way, "street": street, "oneway": street.get("oneway", False)}
            edges.append(one | {"ends": (first, last), "line": line, "reversed": False})
            if not street.get("oneway"):
                edges.append(one | {"ends": (last, first), "line": line[::-1], "reversed": True})
    lines = [edge["line"] for edge in edges]
    points = np.concatenate(lines)
    lon, lat = degrees(*points.T)

    def column(key: str, default: str = "") -> np.ndarray:
        return texts.rows([edge["street"].get(key, default) for edge in edges])

    table = RoadTable(
        node_id=np.arange(len(names)) + 1,
        lon_deg=degrees(east, north)[0],
        lat_deg=degrees(east, north)[1],
        node_highway=texts.rows([(signs or {}).get(name, "") for name in names]),
        node_direction=np.zeros(len(names), np.int8),
        tail=np.array([names.index(edge["ends"][0]) for edge in edges], np.int32),
        head=np.array([names.index(edge["ends"][1]) for edge in edges], np.int32),
        way_id=np.array([edge["way"] for edge in edges]),
        length_m=np.array([np.hypot(*np.diff(line, axis=0).T).sum() for line in lines]),
        oneway=np.array([edge["oneway"] for edge in edges], np.bool_),
        reversed=np.array([edge["reversed"] for edge in edges], np.bool_),
        highway=column("highway", "residential"),
        name=column("name"),
        ref=column("ref"),
        maxspeed=column("maxspeed"),
        lanes=column("lanes"),
        junction=column("junction"),
        surface=column("surface"),
        service=column("service"),
        shape_start=np.concatenate([[0], np.cumsum([len(line) for line in lines])]),
        shape_lon_deg=lon,
        shape_lat_deg=lat,
        ban_start=np.zeros(1, np.int64),
        ban_edge=np.zeros(0, np.int32),
        texts=texts.texts(),
        source=RoadSource(name="made up for a test", licence=""),
    )
    return RoadNetwork.from_table(table)


def degrees(east_m: Any, north_m: Any) -> tuple[Any, Any]:
    """Longitude and latitude of metres east and north of 105 W 40 N."""
    lat = LAT_DEG + np.asarray(north_m) / METRES_PER_DEG
    lon = -105 + np.asarray(east_m) / (METRES_PER_DEG * np.cos(np.radians(LAT_DEG)))
    return lon, lat


def at(east_m: float, north_m: float) -> tuple[float, float]:
    """One place."""
    lon, lat = degrees(east_m, north_m)
    return float(lon), float(lat)


def unit(
    unit_id: str,
    place: tuple[float, float],
    *,
    status: str = "available",
    age_s: float = 5,
    speed_mps: float | None = 0,
    heading_deg: float | None = None,
    officers: int = 1,
    agency: str = "",
) -> Unit:
    """Make a unit seen at a place."""
    fix = UnitFix(
        fixed_at=NOW - timedelta(seconds=age_s),
        lon_deg=place[0],
        lat_deg=place[1],
        speed_mps=speed_mps,
        heading_deg=heading_deg,
    )
    return Unit(
        unit_id=unit_id, fix=fix, status=UnitStatus(status), officers=officers, agency=agency
    )


def stop(
    stop_id: str,
    unit_id: str,
    place: tuple[float, float] | None = None,
    *,
    phase: str = "contact",
    minutes: float = 5,
    backup: tuple[str, ...] = (),
    needs: int = 2,
) -> Stop:
    """Make a stop that began some minutes ago."""
    return Stop(
        stop_id=stop_id,
        unit_id=unit_id,
        started_at=NOW - timedelta(minutes=minutes),
        lon_deg=place[0] if place else None,
        lat_deg=place[1] if place else None,
        phase=StopPhase(phase),
        backup=backup,
        needs=needs,
    )

"""Known drives, and the tracks that a receiver would make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from data.road_table import METRES_PER_DEG
from geo.matching import Track
from geo.router import search_back
from geo.snap import snap
from geo.starts import starts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.road_table import FloatArray
    from geo.network import RoadNetwork


def some_way(net: RoadNetwork, rng: np.random.Generator, *, edges: int = 8) -> list[int]:
    """Choose two crossings, and give the quickest way between them."""
    while True:
        pair = rng.integers(0, net.table.node_count, 2)
        lon, lat = net.table.lon_deg[pair], net.table.lat_deg[pair]
        start, end = (snap(net, float(x), float(y)) for x, y in zip(lon, lat, strict=True))
        if start and end:
            way = search_back(net, end, within_s=900).edges(starts_of(net, [start]))
            if len(way) > edges:
                return way


def drive_along(
    net: RoadNetwork,
    way: Sequence[int],
    rng: np.random.Generator,
    *,
    every_s: float = 15,
    noise_m: float = 7,
    time_s: FloatArray | None = None,
    heading: bool = False,
    at_s: float = 1.7e9,
) -> Track:
    """Drive a way in the network's seconds per edge, or others, and report from time to time."""
    table = net.table
    seconds = net.edge_ms / 1000 if time_s is None else time_s
    points = [slice(*map(int, table.shape_start[edge : edge + 2])) for edge in way]
    passed_s = np.cumsum([0.0, *(seconds[edge] + 1e-3 for edge in way)])
    when_s = np.concatenate(
        [
            begun_s + net.shape_share[part] * seconds[edge]
            for begun_s, part, edge in zip(passed_s, points, way, strict=False)
        ]
    )
    lon, lat = (
        np.concatenate([line[part] for part in points])
        for line in (table.shape_lon_deg, table.shape_lat_deg)
    )
    fixed_s = np.arange(0, passed_s[-1], every_s)
    scale = np.cos(np.radians(lat[0]))

    def reported(shift_s: float) -> tuple[FloatArray, FloatArray]:
        return np.interp(fixed_s + shift_s, when_s, lon), np.interp(fixed_s + shift_s, when_s, lat)

    (west, south), (east, north) = reported(-0.5), reported(0.5)
    toward = np.degrees(np.arctan2((east - west) * scale, north - south))
    toward += rng.normal(0, 8, len(fixed_s))
    unknown = np.full(len(fixed_s), np.nan)
    noise_deg = rng.normal(0, noise_m / METRES_PER_DEG, (2, len(fixed_s)))
    where = np.stack(reported(0)) + noise_deg / np.array([[scale], [1.0]])
    return Track(
        at_s=at_s + fixed_s,
        lon_deg=where[0],
        lat_deg=where[1],
        heading_deg=toward % 360 if heading else unknown,
        speed_mps=np.full(len(fixed_s), 10.0) if heading else unknown,
    )

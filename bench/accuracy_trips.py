"""Random trips over an OSM file, and what OSRM and Valhalla say of them; asked once."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from bench.peers.programs import Client, folder_of, osrm_server, valhalla_server
from data.road_table import METRES_PER_DEG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from data.road_table import BoolArray, FloatArray, IntArray, RoadTable

SHORTEST_S, LONGEST_S = 60.0, 600.0
UNITS = 20  # origins of each destination: the nearest of them is asked for too
REACH_M = 8_000.0  # origins are drawn no further from their destination: 10 min at 48 km/h
SNAP_M = 25.0  # a router that puts a point further off is asked about another place


@dataclass(frozen=True, kw_only=True)
class Trips:
    """
    Drives from `UNITS` origins to each destination.

    Parameters
    ----------
    lon_deg, lat_deg : ndarray of float64, shape (p,)
        Places on drivable roads.
    destination : ndarray of int64, shape (d,)
        Rows of places.
    origin : ndarray of int64, shape (d, UNITS)
        Rows of places.
    osrm_s, valhalla_s : ndarray of float64, shape (d, UNITS)
        Their durations; NaN where a router finds no way, or puts an end elsewhere.
    wanted : int
        How many of them to judge.
    """

    lon_deg: FloatArray
    lat_deg: FloatArray
    destination: IntArray
    origin: IntArray
    osrm_s: FloatArray
    valhalla_s: FloatArray
    wanted: int

    @property
    def mean_s(self) -> FloatArray:
        """The yardstick: the geometric mean of the two, shape (d, UNITS)."""
        mean: FloatArray = np.sqrt(self.osrm_s * self.valhalla_s)
        return mean

    @property
    def judged(self) -> BoolArray:
        """The first `wanted` trips of 1 to 10 min, shape (d, UNITS)."""
        mean_s = np.nan_to_num(self.mean_s)
        within = (mean_s >= SHORTEST_S) & (mean_s <= LONGEST_S)
        judged: BoolArray = within & (np.cumsum(within).reshape(within.shape) <= self.wanted)
        return judged


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way driven: seconds, metres, and its line."""

    time_s: float
    length_m: float
    lon_deg: tuple[float, ...]
    lat_deg: tuple[float, ...]


class _Peer(Client):
    """A router's server, whose answers are JSON also where they are no route."""

    def say(self, path: str, body: object = None) -> Any:
        """Ask; an answer that is no route comes back as the error it is."""
        method, sent = ("GET", None) if body is None else ("POST", json.dumps(body).encode())
        return json.loads(self.answer((method, path, sent))[1])


@contextmanager
def _both(cache: Path, osm: Path) -> Iterator[tuple[_Peer, _Peer]]:
    """Serve a file by both routers; gives OSRM and Valhalla."""
    with (
        osrm_server(cache, osm, "CH") as osrm_port,
        valhalla_server(cache, osm) as valhalla_port,
        closing(_Peer(osrm_port)) as osrm,
        closing(_Peer(valhalla_port)) as valhalla,
    ):
        yield osrm, valhalla


def ask_trips(cache: Path, osm: Path, table: RoadTable, *, count: int, seed: int) -> Trips:
    """
    Draw trips and ask both routers; the answers are kept.

    Parameters
    ----------
    cache : Path
        Folder for the peers, what they make of the file, and the answers.
    osm : Path
        ``.osm.pbf``.
    table : RoadTable
        The same file as rollby reads it.
    count : int
        Trips of 1 to 10 min to judge.
    seed : int
        Of the draw.

    Returns
    -------
    trips : Trips
        At least `count` of 1 to 10 min, unless 40 times as many were tried in vain.
    """
    kept = folder_of(cache, "trips", osm) / f"{count}_{seed}.npz"
    if not kept.exists():
        with _both(cache, osm) as (osrm, valhalla):
            arrays = _draw(osrm, valhalla, table, count, np.random.default_rng(seed))
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, **arrays)
    with np.load(kept) as arrays:
        return Trips(**arrays, wanted=count)


def _draw(
    osrm: _Peer, valhalla: _Peer, table: RoadTable, count: int, draw: np.random.Generator
) -> dict[str, Any]:
    """Draw destinations, each with its origins, until enough trips are of the length wanted."""
    lon, lat = table.shape_lon_deg, table.shape_lat_deg
    rows: list[tuple[list[int], list[float], list[float]]] = []
    found = 0
    for _ in range(2 * count):
        picked = _places(osrm, valhalla, lon, lat, draw)
        ends = [[float(lon[place]), float(lat[place])] for place in picked]
        osrm_s = [_osrm_s(osrm, origin, ends[0]) for origin in ends[1:]]
        valhalla_s = [_valhalla_s(valhalla, origin, ends[0]) for origin in ends[1:]]
        rows.append((picked, osrm_s, valhalla_s))
        mean_s = np.nan_to_num(np.sqrt(np.array(osrm_s) * np.array(valhalla_s)))
        found += int(((mean_s >= SHORTEST_S) & (mean_s <= LONGEST_S)).sum())
        if found >= count:
            break
    places = list(chain.from_iterable(row[0] for row in rows))
    index = np.arange(len(places)).reshape(len(rows), 1 + UNITS)
    return {
        "lon_deg": lon[places],
        "lat_deg": lat[places],
        "destination": index[:, 0],
        "origin": index[:, 1:],
        "osrm_s": np.array([row[1] for row in rows]),
        "valhalla_s": np.array([row[2] for row in rows]),
    }


def _places(
    osrm: _Peer,
    valhalla: _Peer,
    lon: FloatArray,
    lat: FloatArray,
    draw: np.random.Generator,
) -> list[int]:
    """Draw one destination and its origins, all of them places that both routers put there."""
    places: list[int] = []
    around = np.arange(len(lon))
    while len(places) <= UNITS:
        place = int(draw.choice(around))
        at = f"{lon[place]:.7f},{lat[place]:.7f}"
        near = osrm.say(f"/nearest/v1/driving/{at}?number=1")
        if near["code"] != "Ok" or near["waypoints"][0]["distance"] > SNAP_M:
            continue
        locations = [{"lon": float(lon[place]), "lat": float(lat[place])}]
        found = valhalla.say("/locate", {"locations": locations, "costing": "auto"})
        edges = (found[0].get("edges") or []) if isinstance(found, list) else []
        if edges and _metres(edges[0], lon[place], lat[place]) <= SNAP_M:
            places.append(place)
        if len(places) == 1:
            east = (lon - lon[places[0]]) * np.cos(np.radians(lat[places[0]]))
            near_m = np.hypot(east, lat - lat[places[0]]) * METRES_PER_DEG
            around = np.flatnonzero(near_m < REACH_M)
    return places


def _metres(edge: dict[str, Any], lon: float, lat: float) -> float:
    """Measure from a point to where Valhalla puts it."""
    east = (edge["correlated_lon"] - lon) * np.cos(np.radians(lat))
    return float(np.hypot(east, edge["correlated_lat"] - lat)) * METRES_PER_DEG


def _osrm_s(osrm: _Peer, origin: list[float], end: list[float]) -> float:
    """Ask OSRM for one duration; NaN where it finds no way or puts an end elsewhere."""
    points = f"{origin[0]:.7f},{origin[1]:.7f};{end[0]:.7f},{end[1]:.7f}"
    answer = osrm.say(f"/route/v1/driving/{points}?overview=false")
    if answer["code"] != "Ok" or any(at["distance"] > SNAP_M for at in answer["waypoints"]):
        return np.nan
    return float(answer["routes"][0]["duration"])


def _valhalla_s(valhalla: _Peer, origin: list[float], end: list[float]) -> float:
    """Ask Valhalla for one duration; NaN where it finds no way."""
    locations = [{"lon": lon, "lat": lat} for lon, lat in (origin, end)]
    ask = {"locations": locations, "costing": "auto", "directions_type": "none"}
    answer = valhalla.say("/route", ask)
    return float(answer["trip"]["summary"]["time"]) if "trip" in answer else np.nan


def ask_ways(
    cache: Path, osm: Path, ends: list[tuple[list[float], list[float]]]
) -> list[dict[str, Way]]:
    """
    Ask both routers for the ways of a few trips.

    Parameters
    ----------
    cache, osm
        As in `ask_trips`.
    ends : list of (origin, destination)
        Each longitude and latitude.

    Returns
    -------
    ways : list of dict of str to Way
        ``OSRM`` and ``Valhalla`` of each trip; both have to know one.
    """
    with _both(cache, osm) as (osrm, valhalla):
        return [
            {"OSRM": _osrm_way(osrm, *pair), "Valhalla": _valhalla_way(valhalla, *pair)}
            for pair in ends
        ]


def _osrm_way(osrm: _Peer, origin: list[float], end: list[float]) -> Way:
    points = f"{origin[0]:.7f},{origin[1]:.7f};{end[0]:.7f},{end[1]:.7f}"
    route = osrm.say(f"/route/v1/driving/{points}?overview=full&geometries=geojson")["routes"][0]
    lon, lat = zip(*route["geometry"]["coordinates"], strict=True)
    return Way(time_s=route["duration"], length_m=route["distance"], lon_deg=lon, lat_deg=lat)


def _valhalla_way(valhalla: _Peer, origin: list[float], end: list[float]) -> Way:
    locations = [{"lon": lon, "lat": lat} for lon, lat in (origin, end)]
    ask = {"locations": locations, "costing": "auto"}
    trip = valhalla.say("/route", ask)["trip"]
    lat, lon = decoded(trip["legs"][0]["shape"])
    length_m = trip["summary"]["length"] * 1000
    return Way(time_s=trip["summary"]["time"], length_m=length_m, lon_deg=lon, lat_deg=lat)


def decoded(line: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Decode Valhalla's line: steps of 1e-6 degree, zigzag, five bits to a character."""
    steps: list[int] = []
    step = shift = 0
    for character in line:
        bits = ord(character) - 63
        step |= (bits & 31) << shift
        shift += 5
        if bits < 32:
            steps.append(~(step >> 1) if step & 1 else step >> 1)
            step = shift = 0
    lat, lon = np.cumsum(steps[0::2]) / 1e6, np.cumsum(steps[1::2]) / 1e6
    return tuple(lat.tolist()), tuple(lon.tolist())

"""The trips that differ most, on a map: three ways, three times, and who is likely right."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import folium
import numpy as np

from bench.accuracy_trips import Way

if TYPE_CHECKING:
    from pathlib import Path

    from bench.accuracy_trips import Trips
    from data.answers import Route
    from data.road_table import FloatArray

COLOURS = {"rollby": "#0b57d0", "OSRM": "#d93025", "Valhalla": "#188038"}
SAME = 1.1  # ways whose lengths differ by less are taken for the same
TO_ONE_PLACE = 2  # so many trips to one destination at most: the rest have the same cause


@dataclass(frozen=True, kw_only=True)
class Odd:
    """
    One trip that differs.

    Parameters
    ----------
    ratio : float
        Of our time over the mean, over the median ratio.
    origin, end : list of float
        Longitude and latitude.
    ways : dict of str to Way
        By who drives them; without ``rollby`` where we know none.
    verdict : str
        Who is likely right, and where to look.
    """

    ratio: float
    origin: list[float]
    end: list[float]
    ways: dict[str, Way]
    verdict: str


def most_different(time_s: FloatArray, trips: Trips, count: int) -> list[tuple[int, int, float]]:
    """
    Pick the trips whose ratio is furthest from the median.

    Returns
    -------
    picked : list of (row, column, ratio over the median)
        The furthest first.
    """
    timed = trips.judged & np.isfinite(time_s)
    log: FloatArray = np.zeros(time_s.shape)
    log[timed] = np.log(time_s[timed] / trips.mean_s[timed])
    log[timed] -= np.median(log[timed])
    picked: list[tuple[int, int, float]] = []
    for flat in np.argsort(-np.abs(log), axis=None).tolist():
        row, column = divmod(flat, log.shape[1])
        if [one for one, _, _ in picked].count(row) < TO_ONE_PLACE:
            picked.append((row, column, float(np.exp(log[row, column]))))
        if len(picked) == count:
            break
    return picked


def odd_trip(
    ratio: float, origin: list[float], end: list[float], route: Route | None, peers: dict[str, Way]
) -> Odd:
    """Put together what is known of one trip."""
    ours: dict[str, Way] = {}
    if route is not None:
        ours["rollby"] = Way(
            time_s=route.drive_time_s,
            length_m=route.distance_m,
            lon_deg=route.lon_deg,
            lat_deg=route.lat_deg,
        )
    said = verdict(ours.get("rollby"), peers["OSRM"], peers["Valhalla"])
    return Odd(ratio=ratio, origin=origin, end=end, ways=ours | peers, verdict=said)


def verdict(ours: Way | None, osrm: Way, valhalla: Way) -> str:
    """Say what the three lengths and times suggest."""
    if ours is None:
        return "We know no way, both of them do: look for a road that we leave out."
    shortest, longest = sorted((osrm.length_m, valhalla.length_m))
    if ours.length_m * SAME < shortest:
        return "We take a shorter way than both: look for a ban or a barrier that we miss."
    if ours.length_m > longest * SAME:
        return "We go round where neither does: look for a road or a turn that we leave out."
    if longest < shortest * SAME:
        return "Much the same way for all: look at its signs, surface and signals."
    nearer = "OSRM" if _apart(ours, osrm) < _apart(ours, valhalla) else "Valhalla"
    return f"The two go different ways; ours is more like that of {nearer}."


def _apart(one: Way, other: Way) -> float:
    """Measure how far two lengths are apart, whichever is longer."""
    return abs(float(np.log(one.length_m / other.length_m)))


def odd_line(odd: Odd) -> str:
    """Give one trip as a line of text."""
    times = ", ".join(
        f"{who} {way.time_s:.0f} s {way.length_m:.0f} m" for who, way in odd.ways.items()
    )
    ends = " to ".join(f"{lat:.6f},{lon:.6f}" for lon, lat in (odd.origin, odd.end))
    return f"x {odd.ratio:.2f}: {times}; {ends}. {odd.verdict}"


def draw_odd(odds: list[Odd], path: Path) -> None:
    """Write the map: a layer for each trip."""
    chart = folium.Map(control_scale=True)
    for number, odd in enumerate(odds, 1):
        layer = folium.FeatureGroup(f"{number}: x {odd.ratio:.2f}", show=number == 1).add_to(chart)
        for who, way in odd.ways.items():
            line = list(zip(way.lat_deg, way.lon_deg, strict=True))
            drawn = folium.PolyLine(line, color=COLOURS[who], weight=5, opacity=0.6, tooltip=who)  # type: ignore[no-untyped-call]
            drawn.add_to(layer)
        said = folium.Popup(escape(odd_line(odd)), max_width=360)
        folium.Marker(odd.end[::-1], popup=said, tooltip="to").add_to(layer)
        folium.CircleMarker(odd.origin[::-1], radius=7, tooltip="from").add_to(layer)
    folium.LayerControl(collapsed=False).add_to(chart)
    lats = [odd.end[1] for odd in odds] + [odd.origin[1] for odd in odds]
    lons = [odd.end[0] for odd in odds] + [odd.origin[0] for odd in odds]
    chart.fit_bounds([[min(lats), min(lons)], [max(lats), max(lons)]])
    chart.save(path)

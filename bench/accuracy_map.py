"""The trips that differ most, on a map: three ways, three times, and who is likely right."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import folium
import numpy as np
from folium.template import Template

from bench.accuracy_trips import Way
from maps import style
from maps.layers import RoadData, Script, page_of, road_base, road_names
from maps.page import PageFacts
from maps.signs import Sign

if TYPE_CHECKING:
    from pathlib import Path

    from bench.accuracy_trips import Trips
    from data.answers import Route
    from data.road_table import FloatArray, RoadTable

LOOKS = {"rollby": ("#0b57d0", 4), "OSRM": ("#d93025", 9), "Valhalla": ("#188038", 14)}
"""Colours, and widths in pixels: where all drive the same way, all are seen."""
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


def draw_odd(name: str, odds: list[Odd], roads: RoadTable, path: Path) -> None:
    """Write the map of a file's trips: one of them is shown at a time, all are in the panel."""
    data = RoadData(roads)
    trips = [_layer(number, odd) for number, odd in enumerate(odds, 1)]
    first = odds[0].ways.values()
    places = [at for way in first for at in zip(way.lat_deg, way.lon_deg, strict=True)]
    facts = PageFacts(
        title=f"{name}: trips that differ most",
        subtitle="drive times of rollby beside OSRM's and Valhalla's",
        at=None,
        summary=f"{len(odds)} trips; choose one in the layer control",
        panel="".join(_told(number, odd) for number, odd in enumerate(odds, 1)),
        source=roads.source,
        manner=style.Manner(speed_unit="km/h"),
    )
    layers = [road_base(data), road_names(data), *trips]
    page = page_of(facts, data, layers, places=places, after=[_FollowTrip()])
    path.write_text(page.render(), encoding="utf-8")


class _FollowTrip(Script):
    """Moves the map to the trip that is chosen."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
{{ this._parent.get_name() }}.on("baselayerchange", event =>
    event.target.fitBounds(event.layer.getBounds(), {padding: [60, 60]}));
        {%- endmacro %}
        """
    )


def _layer(number: int, odd: Odd) -> folium.FeatureGroup:
    """Draw one trip's ways, ours narrow and on top of the others."""
    named = f"{number}: x {odd.ratio:.2f}"
    layer = folium.FeatureGroup(named, overlay=False, show=number == 1)
    for who in reversed(LOOKS):
        if (way := odd.ways.get(who)) is not None:
            line = list(zip(way.lat_deg, way.lon_deg, strict=True))
            colour, weight = LOOKS[who]
            folium.PolyLine(line, color=colour, weight=weight, opacity=0.85).add_to(layer)  # type: ignore[no-untyped-call]
    ends = (("start", odd.origin, "begins"), ("finish", odd.end, "ends"))
    for mark, (lon, lat), does in ends:
        sign = Sign(
            (lat, lon),
            kind="end",
            look=style.MARKS[mark],
            tag=str(number),
            label=f"the trip {does} here",
            panel=f"trip-{number}",
        )
        layer.add_child(sign)
    return layer


def _told(number: int, odd: Odd) -> str:
    """Tell one trip in the panel."""
    rows = "".join(
        f'<dt><span style="border-bottom:4px solid {LOOKS[who][0]}">{who}</span></dt>'
        f"<dd>{way.time_s:.0f} s, {way.length_m:,.0f} m</dd>"
        for who, way in odd.ways.items()
    )
    ends = " to ".join(f"{lat:.6f}, {lon:.6f}" for lon, lat in (odd.origin, odd.end))
    return (
        f'<section class="part" aria-label="Trip {number}"><h2>{number}: x {odd.ratio:.2f}</h2>'
        f'<div class="why" id="trip-{number}"><dl>{rows}</dl><p>{escape(odd.verdict)}</p>'
        f'<p class="quiet">{ends}</p></div></section>'
    )

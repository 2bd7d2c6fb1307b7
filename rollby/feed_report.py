"""What came by a feed while somebody listened: how often, how old, how far from a road."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.snap import FAR_M, NEAR_M, snap_batch

if TYPE_CHECKING:
    from datetime import datetime

    from data.records import UnitFix
    from geo.network import RoadNetwork

MOVING_MPS = 2.0
SELDOM_S = 15.0  # a car at 13 m/s is 200 m on
OLD_S = 10.0
AHEAD_S = 2.0
GPS_AHEAD_S = (16.0, 20.0)  # GPS time is 18 s ahead of UTC since 2017 (IERS Bulletin C)
MOST_REASONS = 10
NO_POSITION = "is reporting switched off in the app, or does it not know where it is?"
SILENCE = "is the sender on, does it send to this address, and does every firewall let it through?"
SILENT = {
    "cad_folder": "has the CAD written no file meanwhile, does it write into this very folder?",
    "cad_layer": "are there rows, does `where` or `only` leave any?",
    "traccar": "does this user see the devices, and are they on?",
}


@dataclass(slots=True)
class Source:
    """
    One sender of fixes.

    Attributes
    ----------
    unit_id : str
        The unit it is taken for.
    fixes : list of UnitFix
        In the order in which they came.
    arrived_at : list of datetime
        When each came.
    """

    unit_id: str
    fixes: list[UnitFix] = field(default_factory=list)
    arrived_at: list[datetime] = field(default_factory=list)


@dataclass(slots=True)
class FeedHeard:
    """
    What came by one feed.

    Attributes
    ----------
    name, kind : str
        Of the feed.
    up : bool
        Whether it was open at the end.
    error : str
        Why not.
    dropped : int
        Messages that came faster than they were taken.
    sources : dict of str to Source
        By the name that each gives itself, or its address.
    reports : Counter of str
        Statuses and stops that came.
    reasons : Counter of str
        Why what was refused was.
    noted : Counter of str
        Messages that tell no position, by their kind.
    """

    name: str
    kind: str
    up: bool = False
    error: str = ""
    dropped: int = 0
    sources: dict[str, Source] = field(default_factory=dict)
    reports: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)


def feed_report(heard: FeedHeard, net: RoadNetwork | None, listened_s: float) -> dict[str, Any]:
    """
    Sum up a feed.

    Parameters
    ----------
    heard : FeedHeard
        All that came.
    net : RoadNetwork or None
        None: how far from a road is not told.
    listened_s : float
        How long.

    Returns
    -------
    report : dict
        As JSON holds it: counts, `sources`, `refusals`, and `advice`, what to change.
    """
    sources = [_source_report(name, one, net) for name, one in sorted(heard.sources.items())]
    refused = heard.reasons.total()
    return {
        "feed": heard.name,
        "kind": heard.kind,
        "up": heard.up,
        "error": heard.error or None,
        "dropped": heard.dropped,
        "fixes": sum(one["fixes"] for one in sources),
        "statuses": heard.reports["status"],
        "stops": heard.reports["stop"],
        "refused": refused,
        "noted": dict(sorted(heard.noted.items())),
        "sources": sources,
        "refusals": [
            {"reason": reason, "count": count}
            for reason, count in heard.reasons.most_common(MOST_REASONS)
        ],
        "advice": _advice(heard, sources, listened_s),
    }


def _source_report(name: str, source: Source, net: RoadNetwork | None) -> dict[str, Any]:
    """Sum up one sender."""
    fixed_s = np.array([one.fixed_at.timestamp() for one in source.fixes])
    age_s = np.array([one.timestamp() for one in source.arrived_at]) - fixed_s
    apart_s = np.diff(np.unique(fixed_s))
    speed_mps = _column(source.fixes, "speed_mps")
    heading_deg = _column(source.fixes, "heading_deg")
    moving = speed_mps >= MOVING_MPS
    report = {
        "source": name,
        "unit_id": source.unit_id,
        "fixes": len(source.fixes),
        "duplicates": len(fixed_s) - len(np.unique(fixed_s)),
        "every_s": round(float(np.median(apart_s)), 1) if len(apart_s) else None,
        "age_p50_s": round(float(np.median(age_s)), 1),
        "age_max_s": round(float(age_s.max()), 1),
        "moving": int(moving.sum()),
        "without_heading": int(np.isnan(heading_deg[moving]).sum()),
        "without_speed": int(np.isnan(speed_mps).sum()),
        "off_road_p50_m": None,
        "off_road": None,
        "no_road": None,
    }
    if net is not None:
        lon_deg, lat_deg = (_column(source.fixes, name) for name in ("lon_deg", "lat_deg"))
        offset_m = snap_batch(net, lon_deg, lat_deg, heading_deg).offset_m
        far_m = np.where(np.isnan(offset_m), np.inf, offset_m)
        middle_m = float(np.median(far_m))
        report["off_road_p50_m"] = round(middle_m, 1) if np.isfinite(middle_m) else None
        report["off_road"] = int((far_m > NEAR_M).sum())
        report["no_road"] = int((far_m > FAR_M).sum())
    return report


def _column(fixes: list[UnitFix], name: str) -> np.ndarray:
    """Give one value of each fix; NaN where it is unknown."""
    return np.array([getattr(one, name) for one in fixes], np.float64)


def _advice(heard: FeedHeard, sources: list[dict[str, Any]], listened_s: float) -> list[str]:
    """Say what to change."""
    if heard.error:
        return [heard.error]
    if not sources and not heard.reports and not heard.reasons and heard.noted:
        why = SILENT.get(heard.kind, NO_POSITION)
        return [f"messages came in {listened_s:.0f} s, and no position: {why}"]
    if not sources and not heard.reports and not heard.reasons:
        return [f"nothing came in {listened_s:.0f} s: {SILENT.get(heard.kind, SILENCE)}"]
    advice = [text for source in sources for text in _source_advice(source)]
    by_unit = defaultdict(list)
    for source in sources:
        by_unit[source["unit_id"]].append(source["source"])
    for unit_id, names in by_unit.items():
        if len(names) > 1:
            advice.append(
                f"{unit_id} is sent by {' and '.join(names)}: unless they ride in one car, "
                f"one has the wrong name"
            )
    if heard.dropped:
        advice.append(
            f"{heard.dropped} came faster than they were taken and are gone: "
            f"raise net.core.rmem_max, or have devices send less often"
        )
    if heard.reasons:
        advice.append("what was refused says itself what to change")
    return advice


def _source_advice(source: dict[str, Any]) -> list[str]:
    """Say what to change at one sender."""
    name, fixes, advice = source["source"], source["fixes"], []
    if source["every_s"] is not None and source["every_s"] > SELDOM_S and source["moving"]:
        advice.append(f"reports every {source['every_s']:g} s while driving: set 5 s")
    if GPS_AHEAD_S[0] <= -source["age_p50_s"] <= GPS_AHEAD_S[1]:
        advice.append("is 18 s ahead: it sends GPS time, not UTC; its fixes look younger than true")
    elif source["age_p50_s"] < -AHEAD_S:
        ahead_s = -source["age_p50_s"]
        advice.append(f"is {ahead_s:g} s ahead of this machine: set the clock that is wrong")
    elif source["age_p50_s"] > OLD_S:
        age_s = source["age_p50_s"]
        advice.append(
            f"fixes are {age_s:g} s old when they come: they wait on the way, or a clock is wrong"
        )
    if source["no_road"] is not None and 2 * source["no_road"] > fixes:
        advice.append(
            f"{source['no_road']} of {fixes} fixes lie over {FAR_M:.0f} m from every road: roads "
            f"of another place, or longitude and latitude exchanged?"
        )
    elif source["off_road"] is not None and 2 * source["off_road"] > fixes:
        advice.append(
            f"{source['off_road']} of {fixes} fixes lie over {NEAR_M:.0f} m from a road: poor "
            f"reception, or roads that the file leaves out?"
        )
    if source["without_speed"] == fixes:
        advice.append("tells no speed: it is never taken for parked, and is given up sooner")
    elif source["without_heading"]:
        advice.append(
            f"{source['without_heading']} of {source['moving']} fixes in motion have no heading: "
            f"which carriageway cannot be told"
        )
    return [f"{name}: {one}" for one in advice]

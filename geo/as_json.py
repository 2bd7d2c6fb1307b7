"""Answers as the JSON that outsiders rely on (docs/formats.md): SI units, unknown is null."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from data.answers import CARS
from data.settings import Policy
from geo.coverage import edge_within_s, edges_in, middling_s, road_quantile, share_within
from geo.preparedness import preparedness

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.answers import Advice, Coverage, NearUnit, Route, StopAdvice, Suggestion
    from data.beats import Beat
    from data.errors import Fault
    from data.road_table import BoolArray, FloatArray
    from data.said import Said
    from data.settings import Settings
    from geo.network import RoadNetwork
    from geo.snap import Position

Json = dict[str, Any]


def instant_json(instant: datetime) -> str:
    """
    Write an instant.

    Returns
    -------
    text : str
        ISO 8601, UTC, with Z.
    """
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def number_json(value: float | None, digits: int = 3) -> float | None:
    """
    Write a number; milliseconds and millimetres are the finest there is to say.

    Returns
    -------
    number : float or None
        None for what is unknown, infinite or no number.
    """
    if value is None or not math.isfinite(value):
        return None
    return round(value, digits)


def route_json(route: Route) -> Json:
    """
    Write a way.

    Returns
    -------
    geometry : dict
        GeoJSON LineString.
    """
    points = zip(route.lon_deg, route.lat_deg, strict=True)
    return {"type": "LineString", "coordinates": [[round(x, 7), round(y, 7)] for x, y in points]}


def position_json(position: Position, street: str) -> Json:
    """
    Write a snapped position.

    Returns
    -------
    position : dict
        As ``from`` and ``to`` of ``rollby.time/1``.
    """
    return {
        "lon": position.lon_deg,
        "lat": position.lat_deg,
        "snapped_lon": round(position.snapped_lon_deg, 7),
        "snapped_lat": round(position.snapped_lat_deg, 7),
        "offset_m": number_json(position.offset_m),
        "street": street,
    }


def fault_json(fault: Fault) -> Json:
    """
    Write a fault.

    Returns
    -------
    fault : dict
        As in ``skipped``.
    """
    return {name: getattr(fault, name) for name in ("file", "line", "field", "value", "rule")}


def advice_json(
    advice: Advice,
    *,
    roads: Mapping[str, object],
    settings: Settings,
    skipped: Sequence[Fault] = (),
) -> Json:
    """
    Write an answer.

    Parameters
    ----------
    advice : Advice
        The answer.
    roads : mapping
        Facts about the network.
    settings : Settings
        That it was made with.
    skipped : sequence of Fault
        Rows that were left out, each with its reason.

    Returns
    -------
    answer : dict
        ``rollby.suggest/1``.
    """
    answer = {
        "schema": "rollby.suggest/1",
        "at": instant_json(advice.at),
        "roads": dict(roads),
        "settings": settings.model_dump(mode="json", exclude={"service", "cot"}),
        "stops": [_stop_json(stop) for stop in advice.stops],
        "skipped": [fault_json(fault) for fault in skipped],
    }
    return answer | ({"simulated": True} if advice.simulated else {})


def coverage_json(
    coverage: Coverage,
    net: RoadNetwork,
    beats: Sequence[Beat] = (),
    policy: Policy | None = None,
) -> Json:
    """
    Write coverage.

    Parameters
    ----------
    coverage : Coverage
        The answer.
    net : RoadNetwork
        The roads it is of.
    beats : sequence of Beat
        To be shown one by one.
    policy : Policy or None
        The constants of preparedness; None for the defaults.

    Returns
    -------
    answer : dict
        ``rollby.coverage/1``.
    """
    limit_s = edge_within_s(net, beats, coverage.within_s)
    everywhere = np.ones(len(limit_s), np.bool_)
    answer = {
        "schema": "rollby.coverage/1",
        "at": instant_json(coverage.at),
        "within_s": coverage.within_s,
        **_covered_json(coverage, net, limit_s, everywhere),
        "stops_recorded": coverage.stops_recorded,
        "gaps": [
            {
                "km": number_json(gap.km),
                "lon": gap.lon_deg,
                "lat": gap.lat_deg,
                "street": gap.street,
            }
            for gap in coverage.gaps
        ],
        "idle_units": [state.unit.unit_id for state in coverage.units if state.askable],
    }
    if beats:
        answer["beats"] = [
            {"beat": beat.name, "within_s": beat.within_s}
            | _covered_json(coverage, net, limit_s, inside)
            | {"preparedness": _preparedness_json(coverage, net, inside, policy or Policy())}
            for beat in beats
            for inside in [edges_in(net, beat)]
        ]
    return answer | ({"simulated": True} if coverage.simulated else {})


def _covered_json(
    coverage: Coverage, net: RoadNetwork, limit_s: FloatArray, rows: BoolArray
) -> Json:
    """Sum up the nearest cars over some edges."""
    table = net.table
    road_m, stops, within_s = table.road_m[rows], coverage.stops_an_hour[rows], limit_s[rows]
    once = road_m / np.maximum(table.length_m[rows], 1e-9)  # half of each way of a street
    road_min = net.edge_ms[rows] / 60_000 * once
    summary: Json = {
        "road_km": number_json(float(road_m.sum()) / 1000),
        "road_min": number_json(float(road_min.sum())),
        "stops_an_hour": number_json(float(stops.sum()), 6),
        "probability": number_json(
            float(np.average(coverage.probability[rows], weights=road_m)) if road_m.sum() else None,
            6,
        ),
    }
    for name, times_s in zip(CARS, coverage.nearest_s[rows].T, strict=False):
        summary[name] = {
            "share_within": number_json(share_within(times_s, within_s, road_m), 6),
            "road_min_within": number_json(float(road_min[times_s <= within_s].sum())),
            "stops_within": number_json(share_within(times_s, within_s, stops), 6),
        } | {
            f"p{percent}_s": number_json(road_quantile(times_s, road_m, percent / 100))
            if rows.any()
            else None
            for percent in (50, 90)
        }
    return summary


def _preparedness_json(
    coverage: Coverage, net: RoadNetwork, rows: BoolArray, policy: Policy
) -> float | None:
    """Give p of a zone; null where it has no road."""
    if not rows.any():
        return None
    time_s = middling_s(coverage.nearest_s[rows], net.table.road_m[rows])
    return number_json(float(preparedness(time_s, coverage.stops_an_hour[rows].sum(), policy)), 6)


def _stop_json(stop: StopAdvice) -> Json:
    return {
        "stop_id": stop.stop_id,
        "unit_id": stop.unit_id,
        "lon": stop.lon_deg,
        "lat": stop.lat_deg,
        "street": stop.street,
        "phase": stop.phase.value,
        "age_s": number_json(stop.age_s),
        "officers_present": stop.officers_present,
        "needs": stop.needs,
        "within_s": stop.within_s,
        "backup_probability": number_json(stop.backup_probability, 6),
        "flag": stop.flag.value,
        "priority": number_json(stop.priority, 6),
        "notes": list(stop.notes),
        "nearest": [_near_json(near) for near in stop.nearest],
        "suggestion": stop.suggestion and _suggestion_json(stop.suggestion),
        "why_none": stop.why_none,
    }


def _near_json(near: NearUnit) -> Json:
    return {
        "unit_id": near.unit_id,
        "agency": near.agency,
        "status": near.status.value,
        "officers": near.officers,
        "drive_time_s": number_json(near.drive_time_s),
        "t_lo_s": number_json(near.t_lo_s),
        "t_hi_s": number_json(near.t_hi_s),
        "probability": number_json(near.probability, 6),
        "fix_age_s": number_json(near.fix_age_s),
        "freshness": near.freshness.value,
        "assigned": near.assigned,
    }


def _suggestion_json(suggestion: Suggestion) -> Json:
    runner_up = suggestion.runner_up
    return {
        "unit_id": suggestion.unit_id,
        "drive_time_s": number_json(suggestion.drive_time_s),
        "arrival_at": instant_json(suggestion.arrival_at),
        "distance_m": number_json(suggestion.distance_m),
        "score": number_json(suggestion.score, 6),
        "coverage_loss": number_json(suggestion.coverage_loss, 6),
        "reasons": list(suggestion.reasons),
        "route": route_json(suggestion.route),
        "runner_up": runner_up
        and {
            "unit_id": runner_up.unit_id,
            "score": number_json(runner_up.score, 6),
            "drive_time_s": number_json(runner_up.drive_time_s),
        },
    }


def said_json(said: Said) -> Json:
    """
    Write what the board said.

    Returns
    -------
    said : dict
        Its ``kind``, and its fields; instants in ISO 8601.
    """
    fields = asdict(said)
    instants = {"at": "at_s", "since": "since_s"}
    return {
        "kind": type(said).__name__.lower(),
        **{
            name: instant_json(datetime.fromtimestamp(fields.pop(field), UTC))
            for name, field in instants.items()
            if field in fields
        },
        **{name: number_json(v, 6) if isinstance(v, float) else v for name, v in fields.items()},
    }

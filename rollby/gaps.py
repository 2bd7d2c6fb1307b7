"""A period's gaps as outsiders have them: for the command, and for the analyst's page."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from data.past_gaps import CARS
from geo.as_json import number_json
from geo.past_gaps import gap_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.past_gaps import PastGaps
    from data.road_table import FloatArray

WORST = 15


def what_if(posts: Sequence[tuple[str, float, float]]) -> str:
    """
    Say that a report is of what might have been.

    Parameters
    ----------
    posts : sequence of (unit_id, lon_deg, lat_deg)
        Units, and where they are taken to have stood.

    Returns
    -------
    sentence : str
        That nobody takes it for what was.
    """
    stood = "; ".join(f"{unit_id} at {lat:.5f}, {lon:.5f}" for unit_id, lon, lat in posts)
    return f"What if, not what was: whenever available, these units stood here: {stood}."


def gaps_answer(gaps: PastGaps) -> dict[str, Any]:
    """
    Give a period's gaps as JSON.

    Parameters
    ----------
    gaps : PastGaps
        Summed up.

    Returns
    -------
    answer : dict
        ``rollby.gaps/1``.
    """
    columns = gap_columns(gaps)
    answer: dict[str, Any] = {
        "schema": "rollby.gaps/1",
        "simulated": gaps.simulated,
        "snapshots": gaps.snapshots,
        "hours": int(gaps.hours.sum()),
        "days": gaps.days,
        "days_alike": _cars(gaps.days_alike),
        "stops": gaps.stops,
        "road_beyond": _cars(gaps.all_road),
        "road_beyond_low": _cars(gaps.all_road_low),
        "road_beyond_high": _cars(gaps.all_road_high),
        "stops_beyond": _cars(gaps.where_stops),
        "worst_cells": [
            {name: _plain(column[i]) for name, column in columns.items()}
            for i in gaps.worst[:WORST].tolist()
        ],
        "worst_hours": [_hour(gaps, hour) for hour in gaps.worst_hours[:WORST].tolist()],
        "trend": dict(zip(CARS, map(asdict, gaps.trend), strict=True)),
    }
    if gaps.changes:
        answer["changes"] = dict(zip(CARS, map(asdict, gaps.changes), strict=True))
    return answer


def _hour(gaps: PastGaps, hour: int) -> dict[str, Any]:
    """Give an hour of the week, and the cell where most of its stops are beyond."""
    row = gaps.worst_cell(hour)
    figures: dict[str, Any] = {"hour_of_week": hour, "looked_at": int(gaps.hours[hour])}
    for car, name in enumerate(CARS):
        figures |= {
            f"{name}_beyond": number_json(gaps.all_by_hour[hour, car], 4),
            f"{name}_beyond_low": number_json(gaps.all_by_hour_low[hour, car], 4),
            f"{name}_beyond_high": number_json(gaps.all_by_hour_high[hour, car], 4),
            f"{name}_stops_a_week": number_json(float(gaps.stops_by_hour[hour, :, car].sum()), 4),
        }
    return figures | {"cell": str(gaps.cell[row]), "street": gaps.street[row]}


def _cars(shares: FloatArray | None) -> dict[str, float | None]:
    """Give a figure for each car."""
    known = [None, None] if shares is None else [number_json(one, 4) for one in shares.tolist()]
    return dict(zip(CARS, known, strict=True))


def _plain(value: Any) -> Any:
    """Give a figure as JSON has it."""
    return str(value) if isinstance(value, str) else number_json(float(value))

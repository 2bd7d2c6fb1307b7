"""How long each stop of a recorded period was short of officers."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from data.answers import ExposedStop
from geo.arrivals import stop_ends

if TYPE_CHECKING:
    from data.events import History, OnScene


def exposed_stops(history: History) -> tuple[ExposedStop, ...]:
    """
    Count the minutes of each stop with fewer officers there than wanted.

    Parameters
    ----------
    history : History
        Its presences (`on_scene`) say who else was there, its statuses how many are in a car.

    Returns
    -------
    stops : tuple of ExposedStop
        The longest exposed first, then by id; a stop that goes on counts up to the last that is
        recorded. Stops without an instant at which they began are left out.
    """
    stops = {change.stop.stop_id: change.stop for change in history.stops}
    ends = stop_ends(history)
    crews: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    for status in sorted(history.statuses, key=lambda one: one.at):
        crews[status.unit_id].append((status.at, status.officers))

    present: dict[str, list[OnScene]] = defaultdict(list)
    for one in history.on_scene:
        present[one.stop_id].append(one)

    def officers(unit_id: str, at: datetime) -> int:
        crew = crews.get(unit_id)
        if not crew:
            return 1
        return crew[max(bisect_right(crew, at, key=lambda one: one[0]) - 1, 0)][1]

    found = []
    for stop in stops.values():
        if stop.started_at is None:
            continue
        began = stop.started_at
        ended = max(began, datetime.fromtimestamp(ends[stop.stop_id][0], UTC))
        own = officers(stop.unit_id, began)
        others = [one for one in present[stop.stop_id] if one.unit_id != stop.unit_id]
        there = [
            (one.arrived_at, one.left_at or ended, officers(one.unit_id, one.arrived_at))
            for one in others
        ]
        alone_s = _short_s(began, ended, stop.needs - own, there)
        found.append(
            ExposedStop(
                stop_id=stop.stop_id,
                unit_id=stop.unit_id,
                lon_deg=stop.lon_deg,
                lat_deg=stop.lat_deg,
                began=began,
                lasted_min=(ended - began).total_seconds() / 60,
                exposed_min=alone_s / 60,
                came=tuple(dict.fromkeys(one.unit_id for one in others)),
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.exposed_min, one.stop_id)))


def _short_s(
    began: datetime, ended: datetime, short: int, there: list[tuple[datetime, datetime, int]]
) -> float:
    """Add up the time in which fewer than `short` others are there."""
    turns = {began, ended, *(at for one in there for at in one[:2] if began < at < ended)}
    edges = sorted(turns)
    return sum(
        (until - since).total_seconds()
        for since, until in pairwise(edges)
        if sum(count for arrived, left, count in there if arrived <= since < left) < short
    )

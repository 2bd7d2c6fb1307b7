"""``rollby matrix``: the drive times of many places."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from data.errors import Fault, InputError, TableError
from data.tables import faults_to_skip, read_pairs, read_places
from geo.as_json import number_json
from geo.network import RoadNetwork
from geo.router import search_back
from rollby.files import say, write_rows
from rollby.inputs import far_rule, snap_places

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from data.answers import Route
    from data.tables import Pair, Place, Rows
    from geo.snap import Position

# Most ways are short, and the cost of a search follows its reach: near first.
PAIR_HORIZONS_S = (900.0, math.inf)
ADDED = {"drive_time_s", "distance_m"}


def many_to_many(roads: Path, start: Path, end: Path, out: Path, *, within_s: float) -> None:
    """
    Do ``rollby matrix --from --to``.

    Parameters
    ----------
    roads, start, end : Path
        The network, and the places.
    out : Path
        ``.csv`` or ``.parquet``.
    within_s : float
        Horizon, seconds.

    Raises
    ------
    TableError
        If rows are faulty; every fault of both files.
    """
    net = RoadNetwork.load(roads)
    files = [read_places(start), read_places(end)]
    faults_to_skip(*files, skip_bad=False)
    starts, ends = (
        _placed(net, rows, [_place(row) for row in rows.rows], "lon,lat") for rows in files
    )
    rows = []
    for place, position in zip(files[1].rows, ends, strict=True):
        times = search_back(net, position, within_s=within_s)
        rows += [
            {
                "from_id": origin.place_id,
                "to_id": place.place_id,
                "drive_time_s": number_json(times.drive_time_s(where)),
            }
            for origin, where in zip(files[0].rows, starts, strict=True)
        ]
    write_rows(out, ("from_id", "to_id", "drive_time_s"), rows)
    say([f"{len(rows)} drive times: {out}"])


def one_by_one(roads: Path, pairs: Path, out: Path, *, within_s: float) -> None:
    """
    Do ``rollby matrix --pairs``.

    Parameters
    ----------
    roads, pairs : Path
        The network, and the pairs of places.
    out : Path
        ``.csv`` or ``.parquet``.
    within_s : float
        Horizon, seconds.

    Raises
    ------
    InputError
        If a column of the file has a name that the answer adds.
    TableError
        If rows are faulty; every fault.
    """
    net = RoadNetwork.load(roads)
    file = read_pairs(pairs)
    faults_to_skip(file, skip_bad=False)
    columns = [name for name, _ in file.rows[0].row] if file.rows else ["id"]
    if taken := sorted(ADDED.intersection(columns)):
        raise InputError(f"{pairs}: column {', '.join(taken)} is what the answer adds; rename it")
    starts = _placed(net, file, [_start(pair) for pair in file.rows], "from_lon,from_lat")
    ends = _placed(net, file, [_end(pair) for pair in file.rows], "to_lon,to_lat")
    rows = []
    for pair, start, end in zip(file.rows, starts, ends, strict=True):
        route = _route(net, start, end, within_s)
        drive_time_s, distance_m = (route.drive_time_s, route.distance_m) if route else (None, None)
        rows.append(
            dict(pair.row)
            | {"drive_time_s": number_json(drive_time_s), "distance_m": number_json(distance_m)}
        )
    write_rows(out, [*columns, "drive_time_s", "distance_m"], rows)
    say([f"{len(rows)} drive times: {out}"])


def _placed(
    net: RoadNetwork, rows: Rows[Any], places: Sequence[tuple[float, float, float]], field: str
) -> list[Position]:
    """
    Snap the places of a file.

    Raises
    ------
    TableError
        If rows are faulty or far from any road; all of them.
    """
    positions = snap_places(net, places)
    far = [
        Fault(
            file=rows.file,
            line=line,
            field=field,
            value=f"{place[0]},{place[1]}",
            rule=far_rule(net, place[0], place[1]),
        )
        for line, place, position in zip(rows.lines, places, positions, strict=True)
        if position is None
    ]
    if far:
        raise TableError(far)
    say(rows.notes)
    return [position for position in positions if position]


def _place(row: Place) -> tuple[float, float, float]:
    """Give lon_deg, lat_deg and heading_deg, NaN if unknown."""
    return row.lon_deg, row.lat_deg, math.nan if row.heading_deg is None else row.heading_deg


def _start(pair: Pair) -> tuple[float, float, float]:
    """Give where a pair starts; no heading."""
    return pair.from_lon_deg, pair.from_lat_deg, math.nan


def _end(pair: Pair) -> tuple[float, float, float]:
    """Give where a pair ends; no heading."""
    return pair.to_lon_deg, pair.to_lat_deg, math.nan


def _route(net: RoadNetwork, start: Position, end: Position, within_s: float) -> Route | None:
    """Find a way, searching near first: most ways are short, and cost follows reach."""
    for horizon_s in PAIR_HORIZONS_S:
        route = search_back(net, end, within_s=min(horizon_s, within_s)).route(start)
        if route or horizon_s >= within_s:
            break
    return route

"""``rollby matrix``: the drive times of many places."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from data.errors import InputError
from data.tables import faults_to_skip, read_pairs, read_places
from geo.as_json import number_json
from geo.router import search_back
from rollby.files import say, write_rows
from rollby.inputs import load_roads, place_of, place_rows, positions_of

if TYPE_CHECKING:
    from pathlib import Path

    from data.answers import Route
    from data.tables import Pair
    from geo.router import Backward

# Most ways are short, and the cost of a search follows its reach: near first.
NEAR_S = 900.0
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
    net = load_roads(roads)
    files = [read_places(start), read_places(end)]
    faults_to_skip(*files, skip_bad=False)
    say(note for file in files for note in file.notes)
    starts, ends = positions_of(
        place_rows(net, files[0], place_of), place_rows(net, files[1], place_of, arriving=True)
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
    net = load_roads(roads)
    file = read_pairs(pairs)
    faults_to_skip(file, skip_bad=False)
    say(file.notes)
    columns = [name for name, _ in file.rows[0].row] if file.rows else ["id"]
    if taken := sorted(ADDED.intersection(columns)):
        raise InputError(f"{pairs}: column {', '.join(taken)} is what the answer adds; rename it")
    starts, ends = positions_of(
        place_rows(net, file, _start, field="from_lon,from_lat"),
        place_rows(net, file, _end, field="to_lon,to_lat", arriving=True),
    )
    routes: list[Route | None] = [None] * len(ends)
    near: Backward | None = None
    # Pairs with one end in common come together, so that its search is made once.
    for number in sorted(range(len(ends)), key=lambda number: (ends[number].edge, number)):
        start, end = starts[number], ends[number]
        if near is None or near.place != end:
            near = search_back(net, end, within_s=min(NEAR_S, within_s))
        routes[number] = near.route(start)
        if routes[number] is None and within_s > NEAR_S:
            routes[number] = search_back(net, end, within_s=within_s).route(start)
    rows = [
        dict(pair.row)
        | {
            "drive_time_s": number_json(route.drive_time_s) if route else None,
            "distance_m": number_json(route.distance_m) if route else None,
        }
        for pair, route in zip(file.rows, routes, strict=True)
    ]
    write_rows(out, [*columns, "drive_time_s", "distance_m"], rows)
    say([f"{len(rows)} drive times: {out}"])


def _start(pair: Pair) -> tuple[float, float, float]:
    """Give where a pair starts; no heading."""
    return pair.from_lon_deg, pair.from_lat_deg, math.nan


def _end(pair: Pair) -> tuple[float, float, float]:
    """Give where a pair ends; no heading."""
    return pair.to_lon_deg, pair.to_lat_deg, math.nan

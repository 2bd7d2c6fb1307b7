"""Arrays of a network, worked out once: passages between edges, twins, plain tables."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from data.errors import InputError
from data.road_table import METRES_PER_DEG, RoadSource, RoadTable, TextPool

if TYPE_CHECKING:
    from data.road_table import FloatArray, Int32Array, IntArray


def milliseconds(seconds: FloatArray) -> Int32Array:
    """
    Round to whole milliseconds.

    Returns
    -------
    time_ms : ndarray of int32, as `seconds`
        Sums of them are exact.
    """
    return np.rint(seconds * 1000).astype(np.int32)


def passages(table: RoadTable) -> tuple[IntArray, IntArray]:
    """
    List every passage from one edge into the next, turning round included.

    Returns
    -------
    before, after : ndarray of int64, shape (t,)
        Edge rows; rising, and `after` rising within each `before`.
    """
    by_tail = np.argsort(table.tail, kind="stable")
    out_count = np.bincount(table.tail, minlength=table.node_count)
    out_start = np.concatenate([[0], np.cumsum(out_count)])
    count = out_count[table.head]
    before = np.repeat(np.arange(table.edge_count), count)
    first = np.concatenate([[0], np.cumsum(count)])[:-1]
    within = np.arange(len(before)) - np.repeat(first, count)
    return before, by_tail[out_start[table.head][before] + within]


def twins(table: RoadTable) -> Int32Array:
    """
    Find for each edge the same road the other way: same way and length, ends swapped.

    Returns
    -------
    twin : ndarray of int32, shape (m,)
        Edge rows, -1 where there is none.
    """
    length_mm = np.rint(table.length_m * 1000).astype(np.int64)
    columns = (table.tail, table.head, table.way_id, length_mm)
    keys = list(zip(*(column.tolist() for column in columns), strict=True))
    rows_of: dict[tuple[int, int, int, int], list[int]] = defaultdict(list)
    for row in np.flatnonzero(~table.oneway).tolist():
        rows_of[keys[row]].append(row)
    twin = np.full(table.edge_count, -1, np.int32)
    for row in np.flatnonzero(~table.oneway).tolist():
        tail, head, way, length = keys[row]
        free = [r for r in rows_of[head, tail, way, length] if r != row and twin[r] < 0]
        if twin[row] < 0 and free:
            # Of two halves of a ring, the one drawn the other way is the same road.
            back = min(free, key=lambda r: bool(table.reversed[r] == table.reversed[row]))
            twin[row], twin[back] = back, row
    return twin


def check_arrays(
    lon: FloatArray, lat: FloatArray, tail: Int32Array, head: Int32Array, time_s: FloatArray
) -> None:
    """
    Hold plain arrays to what `RoadNetwork.from_arrays` promises.

    Raises
    ------
    InputError
        If they do not.
    """
    if not (lon.shape == lat.shape == (len(lon),)):
        raise InputError("lon_deg, lat_deg: must be flat and of one length")
    if not (tail.shape == head.shape == time_s.shape == (len(tail),)):
        raise InputError("tail, head, time_s: must be flat and of one length")
    if not ((np.abs(lon) <= 180) & (np.abs(lat) <= 90)).all():  # noqa: PLR2004 - degrees
        raise InputError("lon_deg, lat_deg: must be degrees, WGS 84")
    for name, rows in (("tail", tail), ("head", head)):
        if not ((rows >= 0) & (rows < len(lon))).all():
            raise InputError(f"{name}: must hold node rows from 0 to {len(lon) - 1}")
    if not ((time_s >= 0) & (time_s < np.iinfo(np.int32).max / 1000)).all():
        raise InputError("time_s: must be finite and >= 0, and below 24 days")


def plain_table(lon: FloatArray, lat: FloatArray, tail: Int32Array, head: Int32Array) -> RoadTable:
    """
    Make a table of straight, nameless one-way edges.

    Returns
    -------
    table : RoadTable
        Edges in the order given.
    """
    ends = np.stack([tail, head], axis=1)
    blank = np.zeros(len(tail), np.int32)
    north_m = (lat[head] - lat[tail]) * METRES_PER_DEG
    east_m = (lon[head] - lon[tail]) * METRES_PER_DEG * np.cos(np.radians(lat[tail]))
    return RoadTable(
        node_id=np.arange(len(lon)),
        lon_deg=lon,
        lat_deg=lat,
        node_highway=np.zeros(len(lon), np.int32),
        node_direction=np.zeros(len(lon), np.int8),
        tail=tail,
        head=head,
        way_id=np.arange(len(tail)),
        length_m=np.hypot(north_m, east_m),
        oneway=np.ones(len(tail), np.bool_),
        reversed=np.zeros(len(tail), np.bool_),
        highway=blank,
        name=blank,
        ref=blank,
        maxspeed=blank,
        lanes=blank,
        junction=blank,
        surface=blank,
        service=blank,
        shape_start=np.arange(len(tail) + 1) * 2,
        shape_lon_deg=lon[ends].ravel(),
        shape_lat_deg=lat[ends].ravel(),
        ban_start=np.zeros(1, np.int64),
        ban_edge=np.zeros(0, np.int32),
        texts=TextPool().texts(),
        source=RoadSource(name="arrays", licence=""),
    )

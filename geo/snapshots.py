"""A history resampled: who was idle at which instant, by which fix, and where stops were."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from data.records import StopPhase, UnitStatus
from geo.sightings import FUTURE_S
from geo.snap import FAR_M
from geo.staleness import ages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from data.events import Fixes, History, StopChange
    from data.road_table import BoolArray, FloatArray, IntArray
    from data.settings import Policy

SEEN_S = 900.0
"""A fix of so long before a stop began does not say where that was."""


def idle_fixes(history: History, at_s: FloatArray, policy: Policy) -> IntArray:
    """
    Tell which units were idle when, by their newest fixes.

    Parameters
    ----------
    history : History
        What was recorded.
    at_s : ndarray of float64, shape (s,)
        Instants, rising.
    policy : Policy
        How old a fix may be.

    Returns
    -------
    fix : ndarray of int64, shape (s, u)
        Row of the fix by which each of ``history.fixes.unit_ids`` is known; -1 where it was not
        idle: not available, on an open stop or assigned to one, silent too long, or nowhere.

    Notes
    -----
    As `geo.coverage.cover` would at each instant, of what had arrived by then. A fix that was taken
    well after it arrived is by a clock that is wrong: it counts no more than in the live board.
    """
    fixes = history.fixes
    newest = [_newest_of(fixes, own, at_s) for own in _own(fixes)]
    fix = np.array(newest, np.int64).reshape(len(newest), len(at_s)).T
    idle = (fix >= 0) & _available(history, at_s) & ~_on_stops(history, at_s)
    row, unit = np.nonzero(idle)
    seen = fix[row, unit]
    _, stale = ages(fixes.fixed_at_s[seen], fixes.speed_mps[seen], now_s=at_s[row], policy=policy)
    lost = stale | (fixes.accuracy_m[seen] > FAR_M)
    idle[row[lost], unit[lost]] = False
    return np.where(idle, fix, -1)


def with_places(history: History) -> History:
    """
    Place the stops that do not say where they are: where their unit was when they began.

    Parameters
    ----------
    history : History
        What was recorded. A stop made by an officer, or one of a dispatch system without
        coordinates, has no place of its own.

    Returns
    -------
    history : History
        Every change of such a stop with the first place that another of its changes tells, else
        that of the unit's newest fix that had arrived by its beginning; as it was where neither is
        known, or that fix was more than `SEEN_S` old or is nowhere.
    """
    told: dict[str, tuple[float, float]] = {}
    lost: dict[str, StopChange] = {}
    for change in history.stops:
        stop = change.stop
        if stop.lon_deg is None or stop.lat_deg is None:
            lost.setdefault(stop.stop_id, change)
        else:
            told.setdefault(stop.stop_id, (stop.lon_deg, stop.lat_deg))
    unseen = [change for stop_id, change in lost.items() if stop_id not in told]
    told |= _seen_at(history.fixes, unseen)

    placed = tuple(
        placed_at(change, *told[change.stop.stop_id])
        if change.stop.lon_deg is None and change.stop.stop_id in told
        else change
        for change in history.stops
    )
    return replace(history, stops=placed) if lost else history


def placed_at(change: StopChange, lon_deg: float, lat_deg: float) -> StopChange:
    """
    Say of a stop where it is.

    Returns
    -------
    change : StopChange
        With the place.
    """
    return replace(change, stop=replace(change.stop, lon_deg=lon_deg, lat_deg=lat_deg))


def _seen_at(fixes: Fixes, stops: Sequence[StopChange]) -> dict[str, tuple[float, float]]:
    """Tell where the units of stops were last seen before they began, by the stops' ids."""
    found: dict[str, tuple[float, float]] = {}
    by_unit: dict[str, list[StopChange]] = defaultdict(list)
    for change in stops:
        by_unit[change.stop.unit_id].append(change)
    rows = dict(zip(fixes.unit_ids, _own(fixes), strict=True)) if by_unit else {}
    for unit_id in by_unit.keys() & rows.keys():
        own, changes = rows[unit_id], by_unit[unit_id]
        begun_s = np.array([begun_of(change).timestamp() for change in changes])
        fix = _newest_of(fixes, own, begun_s)
        for change, row, at_s in zip(changes, fix.tolist(), begun_s.tolist(), strict=True):
            fresh = row >= 0 and at_s - fixes.fixed_at_s[row] <= SEEN_S
            if fresh and not fixes.accuracy_m[row] > FAR_M:
                place = float(fixes.lon_deg[row]), float(fixes.lat_deg[row])
                found[change.stop.stop_id] = place
    return found


def begun_of(change: StopChange) -> datetime:
    """
    Tell when a stop began, as far as a change of it says.

    Returns
    -------
    began : datetime
        When it was told of, where it does not say.
    """
    return change.stop.started_at or change.at


def _own(fixes: Fixes) -> list[IntArray]:
    """List the rows of each unit's fixes, in the order they arrived, those by wrong clocks not."""
    order = np.argsort(fixes.unit_row, kind="stable")
    order = order[fixes.fixed_at_s[order] <= fixes.received_at_s[order] + FUTURE_S]
    ends = np.searchsorted(fixes.unit_row[order], np.arange(len(fixes.unit_ids) + 1))
    return [order[begin:end] for begin, end in pairwise(ends)]


def _newest_of(fixes: Fixes, own: IntArray, at_s: FloatArray) -> IntArray:
    """Find a unit's newest fix of those that had arrived; of equals, the last to arrive."""
    fixed_s = fixes.fixed_at_s[own]
    newest = np.maximum.accumulate(
        np.where(fixed_s >= np.maximum.accumulate(fixed_s), np.arange(len(own)), 0)
    )
    upto = np.searchsorted(fixes.received_at_s[own], at_s, side="right") - 1
    fix = np.full(len(at_s), -1, np.int64)
    fix[upto >= 0] = own[newest[upto[upto >= 0]]]
    return fix


def _available(history: History, at_s: FloatArray) -> BoolArray:
    """Tell who showed itself available; who never showed anything was not."""
    row = {unit_id: i for i, unit_id in enumerate(history.fixes.unit_ids)}
    shown = np.zeros((len(at_s), len(row)), np.bool_)
    for change in history.statuses:  # by instant: a later one writes over an earlier
        if change.unit_id in row:
            since = np.searchsorted(at_s, change.at.timestamp())
            shown[since:, row[change.unit_id]] = change.status is UnitStatus.AVAILABLE
    return shown


def _on_stops(history: History, at_s: FloatArray) -> BoolArray:
    """Tell who had an open stop, or was assigned to one."""
    row = {unit_id: i for i, unit_id in enumerate(history.fixes.unit_ids)}
    busy = np.zeros((len(at_s), len(row)), np.bool_)
    for change, begin_s, end_s in _spells(history):
        span = slice(*np.searchsorted(at_s, [begin_s, end_s]))
        for unit_id in {change.stop.unit_id, *change.stop.backup} & row.keys():
            busy[span, row[unit_id]] = True
    return busy


def _spells(history: History) -> Iterator[tuple[StopChange, float, float]]:
    """Give what each stop was while open, from when until before when."""
    of_stop: dict[str, list[StopChange]] = {}
    for change in history.stops:
        of_stop.setdefault(change.stop.stop_id, []).append(change)
    for changes in of_stop.values():
        until = [*(one.at.timestamp() for one in changes[1:]), np.inf]
        for change, told_s in zip(changes, until, strict=True):
            stop = change.stop
            begun_s, ended_s = (
                None if at is None else at.timestamp() for at in (stop.started_at, stop.ended_at)
            )
            begin_s = max(change.at.timestamp(), -np.inf if begun_s is None else begun_s)
            end_s = min(told_s, np.inf if ended_s is None else ended_s)
            if stop.phase is not StopPhase.CLEARED and begin_s < end_s:
                yield change, begin_s, end_s

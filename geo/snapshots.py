"""A history resampled: which units were idle at which instant, and by which fix each is known."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from data.records import StopPhase, UnitStatus
from geo.sightings import FUTURE_S
from geo.snap import FAR_M
from geo.staleness import ages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.events import Fixes, History, StopChange
    from data.road_table import BoolArray, FloatArray, IntArray
    from data.settings import Policy


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
    fix = _newest(fixes, at_s)
    idle = (fix >= 0) & _available(history, at_s) & ~_on_stops(history, at_s)
    row, unit = np.nonzero(idle)
    seen = fix[row, unit]
    _, stale = ages(fixes.fixed_at_s[seen], fixes.speed_mps[seen], now_s=at_s[row], policy=policy)
    lost = stale | (fixes.accuracy_m[seen] > FAR_M)
    idle[row[lost], unit[lost]] = False
    return np.where(idle, fix, -1)


def _newest(fixes: Fixes, at_s: FloatArray) -> IntArray:
    """Find each unit's newest fix of those that had arrived; of equals, the last to arrive."""
    fix = np.full((len(at_s), len(fixes.unit_ids)), -1, np.int64)
    order = np.argsort(fixes.unit_row, kind="stable")
    order = order[fixes.fixed_at_s[order] <= fixes.received_at_s[order] + FUTURE_S]
    start = np.searchsorted(fixes.unit_row[order], np.arange(fix.shape[1] + 1))
    for unit, (begin, end) in enumerate(pairwise(start)):
        own = order[begin:end]
        fixed_s = fixes.fixed_at_s[own]
        newest = np.maximum.accumulate(
            np.where(fixed_s >= np.maximum.accumulate(fixed_s), np.arange(len(own)), 0)
        )
        upto = np.searchsorted(fixes.received_at_s[own], at_s, side="right") - 1
        fix[upto >= 0, unit] = own[newest[upto[upto >= 0]]]
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

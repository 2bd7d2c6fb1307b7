"""A recorded period as it might have been: one unit more, or a unit posted elsewhere."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from data.errors import InputError
from data.events import Fixes, StatusChange
from data.records import UnitStatus

if TYPE_CHECKING:
    from data.events import History
    from data.road_table import BoolArray, FloatArray

HEARTBEAT_S = 60.0


def with_post(
    history: History,
    unit_id: str,
    lon_deg: float,
    lat_deg: float,
    *,
    span_s: tuple[float, float] | None = None,
) -> History:
    """
    Post a unit at a place: whenever it is available it stands there.

    Parameters
    ----------
    history : History
        What happened.
    unit_id : str
        One of its units, or a new one: then it is available all the time.
    lon_deg, lat_deg : float
        Where it stands.
    span_s : (first_s, last_s) or None
        From when to when it sends fixes; None for as long as anything happened.

    Returns
    -------
    history : History
        Its fixes while available are replaced by those of a parked car, one a minute.

    Raises
    ------
    InputError
        If nothing happened.
    """
    instants = [*(one.at.timestamp() for one in history.statuses), *history.fixes.received_at_s]
    if not instants:
        raise InputError("history: holds neither statuses nor fixes; nobody can be added to it")
    first_s, last_s = span_s or (min(instants), max(instants))
    own = [one for one in history.statuses if one.unit_id == unit_id]
    if not own:
        began = datetime.fromtimestamp(first_s, UTC)
        own = [StatusChange(unit_id=unit_id, at=began, status=UnitStatus.AVAILABLE)]
        statuses = sorted([*history.statuses, *own], key=lambda one: (one.at, one.unit_id))
        history = replace(history, statuses=tuple(statuses))
    beats_s = np.arange(first_s, last_s + HEARTBEAT_S, HEARTBEAT_S)
    parked_s = beats_s[_available(own, beats_s)]
    fixes = history.fixes
    names = np.array(fixes.unit_ids, object)
    mine = names[fixes.unit_row] == unit_id if len(names) else np.zeros(0, np.bool_)
    others = _pick(fixes, ~(mine & _available(own, fixes.fixed_at_s)))
    return replace(history, fixes=_joined(others, unit_id, parked_s, lon_deg, lat_deg))


def _available(own: list[StatusChange], at_s: FloatArray) -> BoolArray:
    """Tell at which instants a unit shows itself available."""
    changes = sorted(own, key=lambda one: one.at)
    since_s = np.array([one.at.timestamp() for one in changes])
    shows = np.array([one.status is UnitStatus.AVAILABLE for one in changes])
    row = np.searchsorted(since_s, at_s, side="right") - 1
    available: BoolArray = (row >= 0) & shows[np.maximum(row, 0)]
    return available


def _pick(fixes: Fixes, which: BoolArray) -> Fixes:
    """Keep some fixes."""
    columns = {one.name: getattr(fixes, one.name)[which] for one in fields(fixes)[1:]}
    return Fixes(unit_ids=fixes.unit_ids, **columns)


def _joined(fixes: Fixes, unit_id: str, at_s: FloatArray, lon_deg: float, lat_deg: float) -> Fixes:
    """Add the fixes of a parked car."""
    count = len(at_s)
    ids = fixes.unit_ids if unit_id in fixes.unit_ids else (*fixes.unit_ids, unit_id)
    added = {
        "unit_row": np.full(count, ids.index(unit_id), np.int32),
        "fixed_at_s": at_s,
        "received_at_s": at_s,
        "lon_deg": np.full(count, lon_deg),
        "lat_deg": np.full(count, lat_deg),
        "heading_deg": np.full(count, np.nan),
        "speed_mps": np.zeros(count),
        "accuracy_m": np.full(count, np.nan),
    }
    columns = {name: np.concatenate([getattr(fixes, name), added[name]]) for name in added}
    order = np.argsort(columns["received_at_s"], kind="stable")
    return Fixes(unit_ids=ids, **{name: column[order] for name, column in columns.items()})

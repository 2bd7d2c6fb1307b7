"""Whom a dispatcher may have asked about a stop: anybody who could be, however far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.router import search_back
from geo.snapshot import may_help

if TYPE_CHECKING:
    from geo.board import Board
    from geo.snapshot import Snapshot


def pickable(board: Board, snapshot: Snapshot, stop_id: str) -> dict[str, float]:
    """
    List the units that could be asked about a stop now.

    Parameters
    ----------
    board : Board
        At its instant.
    snapshot : Snapshot
        Of that instant.
    stop_id : str
        A stop that goes on.

    Returns
    -------
    drive_time_s : dict of str to float
        By unit, soonest first, from the last fix. Who is asked about another stop, or has no way
        there, is not in it; nobody is where enough officers are there.
    """
    column, one = snapshot.stop_ids.index(stop_id), board.open[stop_id]
    if snapshot.needs.short[column] <= 0:
        return {}
    elsewhere = {
        other.asking.pending.unit_id
        for other in board.open.values()
        if other is not one and other.asking.pending
    }
    free = snapshot.askable & may_help(board, board.crew(), [one])[:, 0]
    drive_time_s = snapshot.drive_time_s[:, column].copy()
    far = np.flatnonzero(free & np.isinf(drive_time_s))
    if one.position is not None and len(far):
        back = search_back(board.net, one.position)
        drive_time_s[far] = back.drive_times_s(snapshot.starts.rows(far))
    found = {
        snapshot.unit_ids[row]: float(drive_time_s[row])
        for row in np.flatnonzero(free & np.isfinite(drive_time_s)).tolist()
        if snapshot.unit_ids[row] not in elsewhere
    }
    return dict(sorted(found.items(), key=lambda unit: (unit[1], unit[0])))

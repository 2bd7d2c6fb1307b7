"""What the live board shows: every open stop, who could come, and how old each position is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from data.records import UnitStatus
from geo.as_json import instant_json, number_json
from geo.router import search_back
from geo.snapshot import take_snapshot
from geo.staleness import age_of, bounds_s

if TYPE_CHECKING:
    from data.events import StatusChange
    from data.records import UnitFix
    from data.road_table import BoolArray
    from data.said import Suggested
    from geo.board import Board
    from geo.router import Backward
    from geo.scene import OpenStop
    from geo.snapshot import Snapshot

Json = dict[str, Any]
NEAREST = 5


class Live:
    """
    A view of a board.

    Parameters
    ----------
    board : Board
        It is not changed.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._far: dict[str, Backward] = {}
        self._seen: dict[str, tuple[tuple[bytes, StatusChange | None], UnitFix, Json]] = {}

    def json(self) -> Json:
        """
        Write the board as it stands, just advanced.

        Returns
        -------
        live : dict
            ``rollby.live/1``: ``at``, ``stops`` by priority, ``units`` by unit_id. A stop's figures
            are those of `rollby suggest` at this instant; its alarm and its asks are the board's. A
            unit that sends positions and never a status is shown with none: it is asked nothing.
        """
        board = self._board
        if not np.isfinite(board.now_s):
            return {"schema": "rollby.live/1", "at": None, "stops": [], "units": []}
        now = datetime.fromtimestamp(board.now_s, UTC)
        self._far = {stop_id: far for stop_id, far in self._far.items() if stop_id in board.open}
        return {
            "schema": "rollby.live/1",
            "at": instant_json(now),
            "stops": self._stops(take_snapshot(board)) if board.open else [],
            "units": self._units(now),
        }

    def units_json(self) -> Json:
        """
        Write the units alone: that costs little.

        Returns
        -------
        units : dict
            ``at`` and ``units`` of ``rollby.live/1``.
        """
        if not np.isfinite(self._board.now_s):
            return {"at": None, "units": []}
        now = self._board.now()
        return {"at": instant_json(now), "units": self._units(now)}

    def _units(self, now: datetime) -> list[Json]:
        """Write all units that were seen; anew only what is new of each."""
        board, found = self._board, []
        for unit_id in sorted(board.seen.unit_ids):
            shown, row = board.statuses.get(unit_id), board.seen.row(unit_id)
            made_of = board.seen.fix[row].tobytes(), shown
            known = self._seen.get(unit_id)
            if known is None or known[0] != made_of:
                fix = board.seen.fix_of(unit_id)
                if fix is None:
                    continue
                known = made_of, fix, _seen_json(unit_id, fix, shown, board)
                self._seen[unit_id] = known
            _, fix, told = known
            freshness = age_of(fix, now=now, policy=board.policy).freshness.value
            muted = board.is_muted(unit_id)
            found.append({**told, "freshness": freshness, "muted": muted})
        return found

    def _stops(self, snapshot: Snapshot) -> list[Json]:
        """Write all stops, the most urgent first."""
        needs, cover = snapshot.needs, snapshot.cover
        out = UnitStatus.OUT_OF_SERVICE
        on_duty = np.array(
            [self._board.statuses[one].status is not out for one in snapshot.unit_ids]
        )
        priority = needs.short * needs.weight * needs.mean_min * (1 - cover.probability)
        stops = []
        for column, stop_id in enumerate(snapshot.stop_ids):
            one = self._board.open[stop_id]
            asked = one.asking.pending
            stops.append(
                {
                    **_record_json(one, self._board),
                    "short": int(needs.short[column]),
                    "within_s": float(needs.within_s[column]),
                    "backup_probability": number_json(float(cover.probability[column])),
                    "flag": cover.flag(column).value,
                    "priority": number_json(float(priority[column])),
                    "nearest": self._nearest(snapshot, column, one, on_duty),
                    "asked": _asked_json(asked, one, self._board) if asked else None,
                    "promised": [
                        _asked_json(coming, one, self._board)
                        for coming, _ in one.asking.promised.values()
                    ],
                    "there": sorted(self._board.scene.there(stop_id)),
                    "alarm": one.alarm.raised,
                    "check_due": one.alarm.prompt_due_s is not None,
                }
            )
        return sorted(stops, key=lambda one: (-one["priority"], one["began_at"], one["stop_id"]))

    def _nearest(
        self, snapshot: Snapshot, column: int, one: OpenStop, on_duty: BoolArray
    ) -> list[Json]:
        """List the nearest units that can reach a stop, whatever they do, however far they are."""
        others = on_duty.copy()
        if (own := snapshot.unit_row.get(one.stop.unit_id)) is not None:
            others[own] = False
        drive_time_s = np.where(others, snapshot.drive_time_s[:, column], np.inf)
        if one.position and np.isfinite(drive_time_s).sum() < min(NEAREST, others.sum()):
            far = self._far.get(one.stop.stop_id)
            if far is None or far.place != one.position:
                far = search_back(self._board.net, one.position)
                self._far[one.stop.stop_id] = far
            by_road_s = far.drive_times_s(snapshot.starts)
            drive_time_s = np.where(others, np.minimum(drive_time_s, by_road_s), np.inf)
        rows = np.flatnonzero(drive_time_s <= np.sort(drive_time_s)[:NEAREST][-1:])
        rows = rows[np.argsort(drive_time_s[rows], kind="stable")][:NEAREST]
        return [
            _near_json(snapshot, row, column, self._board, float(drive_time_s[row]))
            for row in rows.tolist()
            if np.isfinite(drive_time_s[row])
        ]


def whose_json(unit_id: str, board: Board) -> Json:
    """
    Name a unit, its agency, and what kind of helper that makes it.

    Returns
    -------
    whose : dict
        ``unit_id``, ``agency`` ("" = not told) and ``kind`` of ``agencies.kinds``.
    """
    shown = board.statuses.get(unit_id)
    agency = shown.agency if shown else ""
    kind = board.settings.agencies.kind_of(agency)
    return {"unit_id": unit_id, "agency": agency, "kind": kind}


def _seen_json(unit_id: str, fix: UnitFix, shown: StatusChange | None, board: Board) -> Json:
    """Write a unit that was seen: without its age, which a reader reckons from `fixed_at`."""
    return {
        **whose_json(unit_id, board),
        "status": shown.status.value if shown else None,
        "officers": shown.officers if shown else None,
        "lon": round(fix.lon_deg, 6),
        "lat": round(fix.lat_deg, 6),
        "heading_deg": number_json(fix.heading_deg, 0),
        "speed_mps": number_json(fix.speed_mps, 1),
        "accuracy_m": number_json(fix.accuracy_m, 0),
        "fixed_at": instant_json(fix.fixed_at),
    }


def _record_json(one: OpenStop, board: Board) -> Json:
    """Write what is known of a stop, whoever could come."""
    stop, position = one.stop, one.position
    lon_deg, lat_deg = one.place or (None, None)
    return {
        "stop_id": stop.stop_id,
        "unit_id": stop.unit_id,
        "lon": number_json(lon_deg, 6),
        "lat": number_json(lat_deg, 6),
        "street": board.net.table.street(position.edge) if position else "",
        "beat": one.beat,
        "phase": stop.phase.value,
        "began_at": instant_json(datetime.fromtimestamp(one.began_s, UTC)),
        "from_status": stop.from_status,
        "needs": stop.needs,
        "backup": list(stop.backup),
    }


def _near_json(
    snapshot: Snapshot, row: int, column: int, board: Board, drive_time_s: float
) -> Json:
    """Write a unit that can reach a stop."""
    t_lo_s, t_hi_s = bounds_s(drive_time_s, float(snapshot.effective_age_s[row]))
    return {
        **whose_json(snapshot.unit_ids[row], board),
        "status": board.statuses[snapshot.unit_ids[row]].status.value,
        "drive_time_s": number_json(drive_time_s),
        "t_lo_s": number_json(t_lo_s),
        "t_hi_s": number_json(t_hi_s),
        "probability": number_json(float(snapshot.cover.chance[row, column])),
        "askable": bool(snapshot.askable[row]),
    }


def _asked_json(suggested: Suggested, one: OpenStop, board: Board) -> Json:
    """Write who was asked; `picked` where a dispatcher chose."""
    return {
        "suggestion_id": suggested.suggestion_id,
        **whose_json(suggested.unit_id, board),
        "asked_at": instant_json(datetime.fromtimestamp(suggested.at_s, UTC)),
        "drive_time_s": number_json(suggested.drive_time_s),
        "picked": suggested.unit_id in one.asking.picked,
    }

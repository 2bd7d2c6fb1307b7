"""One instant of the board as arrays: every unit against every open stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.answers import UnitState
from data.road_table import METRES_PER_DEG
from geo.backup import drive_limit_s
from geo.company import companies
from geo.exposure import own_officers
from geo.kernels.beside import walk_beside
from geo.roster import WALK_MPS, OnDuty
from geo.router import search_back
from geo.searching import seconds
from geo.sightings import ACCURACY, AT, LAT, LON, SPEED
from geo.snap import FAR_M
from geo.staleness import WORKING, age_of, ages
from geo.weigh import Needs, cost_min, gain_min, weigh_cover

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from data.records import Unit
    from data.road_table import BoolArray, FloatArray, IntArray
    from geo.board import Board
    from geo.company import Company
    from geo.crew import Crew
    from geo.scene import OpenStop
    from geo.starts import Starts
    from geo.weigh import Cover


@dataclass(slots=True, kw_only=True)
class Snapshot:
    """
    All units on duty and all open stops at an instant.

    Attributes
    ----------
    unit_ids, stop_ids : tuple of str
        Rows and columns, rising.
    unit_row : dict of str to int
        Row of each unit.
    askable : ndarray of bool, shape (u,)
        Could be asked to roll by, as `geo.roster.muster` has it, and is not muted.
    allowed : ndarray of bool, shape (u, s)
        Askable, near enough, allowed to help there, and somebody is missing.
    drive_time_s : ndarray of float64, shape (u, s)
        From the last fix; inf past the horizon.
    effective_age_s : ndarray of float64, shape (u,)
        a of the model.
    starts : Starts
        Of the units.
    needs : Needs
        Of the stops.
    cover : Cover
        F, G and the flags.
    there : list of set of str
        By stop: units of its backup that are there.
    coming_s : list of list of float
        By stop: tau of each officer on the way to it, soonest first, seconds.
    """

    unit_ids: tuple[str, ...]
    stop_ids: tuple[str, ...]
    unit_row: dict[str, int]
    askable: BoolArray
    allowed: BoolArray
    drive_time_s: FloatArray
    effective_age_s: FloatArray
    starts: Starts
    needs: Needs
    cover: Cover
    there: list[set[str]]
    coming_s: list[list[float]]
    _board: Board
    _rows: IntArray
    _officers: IntArray
    _on_duty: int
    _gain: FloatArray | None = None
    _score: FloatArray | None = None

    def gain(self) -> FloatArray:
        """
        Give the first part of S: what setting out gives the stop.

        Returns
        -------
        gain : ndarray of float64, shape (u, s)
            Officer-minutes.
        """
        if self._gain is None:
            self._gain = gain_min(
                self.cover.tau_s, self._officers, self.coming_s, self.needs, self._board.policy
            )
        return self._gain

    def score(self) -> FloatArray:
        """
        Give S of model section 4.

        Returns
        -------
        score : ndarray of float64, shape (u, s)
            Officer-minutes; -inf where a pair is not allowed.
        """
        if self._score is None:
            board, needs, tau_s = self._board, self.needs, self.cover.tau_s
            cost = cost_min(tau_s, self._lost_shares(), self._on_duty, needs, board.policy)
            self._score = np.where(self.allowed, self.gain() - cost, -np.inf)
        return self._score

    def _lost_shares(self) -> FloatArray:
        """Give L of each unit, by the points that stand for the demand; 0 where it is not idle."""
        idle = np.flatnonzero(self.askable)
        lost = np.zeros(len(self.unit_ids))
        lost[idle] = self._board.zones.lost_shares(
            self.starts.rows(idle), self.effective_age_s[idle]
        )
        return lost

    def crow_m(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """
        Measure as the crow flies.

        Returns
        -------
        crow_m : ndarray of float64, shape (len(rows), len(columns))
            From last fixes to stops; NaN where nobody knows.
        """
        fix = self._board.seen.fix[self._rows[rows]]
        unknown = (np.nan, np.nan)
        stops = [self._board.open[self.stop_ids[column]].place or unknown for column in columns]
        lon_deg, lat_deg = np.array(stops).T
        east = (fix[:, LON, None] - lon_deg) * np.cos(np.radians(lat_deg))
        crow_m: FloatArray = np.hypot(east, fix[:, LAT, None] - lat_deg) * METRES_PER_DEG
        return crow_m


def take_snapshot(board: Board, now: datetime) -> Snapshot:
    """
    Weigh what the board knows.

    Parameters
    ----------
    board : Board
        With its stops refreshed.
    now : datetime
        Its instant.

    Returns
    -------
    snapshot : Snapshot
        The flags, and who may be asked.
    """
    policy = board.policy
    stop_ids = tuple(sorted(board.open))
    stops = [board.open[stop_id] for stop_id in stop_ids]
    crew = board.crew()
    unit_ids, rows = crew.unit_ids, crew.rows
    unit_row = {unit_id: row for row, unit_id in enumerate(unit_ids)}
    fix = board.seen.fix[rows]
    effective_s, _ = ages(fix[:, AT], fix[:, SPEED], now_s=board.now_s, policy=policy)
    starts = board.seen.starts().rows(rows)
    drive_time_s = _drive_times(board, starts, stop_ids, fix)
    company = _companies(board, now)
    askable = askable_now(board, starts)
    near = askable[:, None] & may_help(board, crew, stops)
    counts = near.copy()
    coming: list[list[float]] = []
    for column, one in enumerate(stops):
        taus_s = []
        for duty in company[one.stop.stop_id].coming:
            row = unit_row[duty.unit_id]
            counts[row, column] = True
            if not np.isfinite(drive_time_s[row, column]) and one.position is not None:
                far = search_back(board.net, one.position)
                drive_time_s[row, column] = far.drive_times_s(starts.row(row))[0]
            if np.isfinite(drive_time_s[row, column]):
                tau_s = drive_time_s[row, column] + WORKING * effective_s[row]
                taus_s.append((drive_time_s[row, column], duty.unit_id, tau_s, duty.unit.officers))
        coming.append([tau_s for _, _, tau_s, officers in sorted(taus_s) for _ in range(officers)])
        if one.stop.unit_id in unit_row:
            counts[unit_row[one.stop.unit_id], column] = False
    needs = _needs(board, stops, company, now)
    cover = weigh_cover(drive_time_s, effective_s, counts, needs, policy)
    limit_s = drive_limit_s(needs.within_s, policy)
    return Snapshot(
        unit_ids=unit_ids,
        stop_ids=stop_ids,
        unit_row=unit_row,
        askable=askable,
        allowed=near & (needs.short > 0) & (cover.tau_s <= limit_s),
        drive_time_s=drive_time_s,
        effective_age_s=effective_s,
        starts=starts,
        needs=needs,
        cover=cover,
        _board=board,
        _rows=rows,
        _officers=crew.officers,
        there=[{duty.unit_id for duty in company[stop_id].there} for stop_id in stop_ids],
        coming_s=coming,
        _on_duty=crew.on_duty,
    )


def askable_now(board: Board, starts: Starts) -> BoolArray:
    """
    Tell which units could be asked to roll by.

    Parameters
    ----------
    board : Board
        At its instant.
    starts : Starts
        Of its crew.

    Returns
    -------
    askable : ndarray of bool, shape (u,)
        By unit_id, as the crew is.
    """
    crew = board.crew()
    fix = board.seen.fix[crew.rows]
    _, stale = ages(fix[:, AT], fix[:, SPEED], now_s=board.now_s, policy=board.policy)
    askable: BoolArray = (
        crew.available & ~stale & (starts.edge[:, 0] >= 0) & ~(fix[:, ACCURACY] > FAR_M)
    )
    busy = _not_free(board)
    askable[[row for row, unit_id in enumerate(crew.unit_ids) if unit_id in busy]] = False
    return askable


def may_help(board: Board, crew: Crew, stops: Sequence[OpenStop]) -> BoolArray:
    """
    Tell whose units the sharing rules let help at each stop.

    Returns
    -------
    may : ndarray of bool, shape (u, s)
        By unit_id, as the crew is.
    """
    agencies = board.settings.agencies
    may = np.ones((len(crew.unit_ids), len(stops)), np.bool_)
    if agencies.share != "all":
        for column, one in enumerate(stops):
            own = board.unit(one.stop.unit_id)
            agency = own.agency if own else ""
            of = {name: agencies.may_help(name, agency) for name in set(crew.agencies)}
            may[:, column] = [of[name] for name in crew.agencies]
    return may


def _needs(
    board: Board, stops: Sequence[OpenStop], company: Mapping[str, Company], now: datetime
) -> Needs:
    """Count the officers that are there, and write what the stops want, as columns."""
    policy, short = board.policy, []
    for one in stops:
        own = board.unit(one.stop.unit_id)
        own_duty = _duty(own, now, board) if own and own.officers > 1 else None
        present = own_officers(own_duty, one.place, board.settings)[0]
        present += sum(duty.unit.officers for duty in company[one.stop.stop_id].there)
        short.append(max(0, one.stop.needs - present))
    phases = [one.stop.phase for one in stops]
    return Needs(
        within_s=np.array([one.within_s for one in stops]),
        mean_min=np.array([policy.duration_min[phase] for phase in phases]),  # type: ignore[index]
        weight=np.array([policy.weight[phase] for phase in phases]),  # type: ignore[index]
        short=np.array(short, np.int64),
    )


def _drive_times(
    board: Board, starts: Starts, stop_ids: tuple[str, ...], fix: FloatArray
) -> FloatArray:
    """Read all drive times to stops on the road; inf to others, but for who walks there."""
    found_s = seconds(board.scene.standing.drive_times_ms(starts))
    column_of = {stop_id: column for column, stop_id in enumerate(board.scene.standing.stop_ids)}
    time_s = np.full((len(starts.edge), len(stop_ids)), np.inf)
    known = [column for column, stop_id in enumerate(stop_ids) if stop_id in column_of]
    time_s[:, known] = found_s[:, [column_of[stop_ids[column]] for column in known]]
    unknown = (np.nan, np.nan)
    places = [board.open[stop_id].place or unknown for stop_id in stop_ids]
    lon_deg, lat_deg = np.array(places).reshape(-1, 2).T.copy()
    here = np.ascontiguousarray(fix[:, LON]), np.ascontiguousarray(fix[:, LAT])
    walk_beside(*here, lon_deg, lat_deg, board.policy.present_within_m, WALK_MPS, time_s)
    return time_s


def _not_free(board: Board) -> set[str]:
    """Name the units that are on a stop, at one, muted, or were asked often enough."""
    busy = {one.stop.unit_id for one in board.open.values()}
    busy |= {unit_id for one in board.open.values() for unit_id in one.stop.backup}
    busy |= {unit_id for unit_id in board.muted_until_s if board.is_muted(unit_id)}
    most = board.policy.asks_per_hour_max
    often = [unit_id for unit_id, asks in board.asked_s.items() if len(asks) >= most]
    return busy | {unit_id for unit_id in often if board.asks_last_hour(unit_id) >= most}


def _companies(board: Board, now: datetime) -> dict[str, Company]:
    """Sort out the backup of all stops."""
    stops = [one.stop for _, one in sorted(board.open.items())]
    places = {stop_id: one.place for stop_id, one in board.open.items()}
    listed = sorted({unit_id for stop in stops for unit_id in stop.backup})
    found = [board.unit(unit_id) for unit_id in listed]
    roster = [_duty(unit, now, board) for unit in found if unit is not None]
    return companies(stops, places, roster, board.policy)


def _duty(unit: Unit, now: datetime, board: Board) -> OnDuty:
    """Write a unit as the rules of company take it."""
    age = age_of(unit.fix, now=now, policy=board.policy)
    state = UnitState(
        unit=unit, fix_age_s=age.fix_age_s, freshness=age.freshness, askable=False, why_not=""
    )
    return OnDuty(state=state, position=None, age=age, asks=())

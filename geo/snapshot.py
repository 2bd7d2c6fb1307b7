"""One instant of the board as arrays: every unit against every open stop."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from data.road_table import METRES_PER_DEG
from geo.backup import drive_limit_s
from geo.company import doubt_of
from geo.kernels.beside import walk_beside
from geo.roster import WALK_MPS, metres_between
from geo.router import search_back
from geo.searching import seconds
from geo.sightings import ACCURACY, AT, LAT, LON, SPEED
from geo.snap import FAR_M
from geo.staleness import WORKING, ages
from geo.weigh import Needs, cost_min, gain_min, weigh_cover

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.road_table import BoolArray, FloatArray, IntArray
    from data.settings import Policy
    from geo.board import Board
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


def take_snapshot(board: Board, *, to_decide: bool = False) -> Snapshot:
    """
    Weigh what the board knows.

    Parameters
    ----------
    board : Board
        At its instant, with its stops refreshed.
    to_decide : bool
        Leave out stops about which nothing is to be decided: nobody is missing there, asked or on
        the way, and no alarm is up.

    Returns
    -------
    snapshot : Snapshot
        The flags, and who may be asked.
    """
    policy, crew = board.policy, board.crew()
    fix = board.seen.fix[crew.rows]
    effective_s, stale = ages(fix[:, AT], fix[:, SPEED], now_s=board.now_s, policy=policy)
    starts = board.seen.starts().rows(crew.rows)
    stops = [one for _, one in sorted(board.open.items())]
    company = _companies(board, crew, stops, fix, stale)
    if to_decide:
        waiting = [i for i, one in enumerate(stops) if _waits(one, company[i])]
        stops, company = [stops[i] for i in waiting], [company[i] for i in waiting]
    stop_ids = tuple(one.stop.stop_id for one in stops)
    drive_time_s = _drive_times(board, starts, stops, fix)
    askable = _askable(board, fix, starts, stale)
    near = may_help(board, crew, stops) & askable[:, None]
    counts = near.copy()
    coming_s = []
    for column, (one, own) in enumerate(zip(stops, company, strict=True)):
        counts[own.coming, column] = True
        if own.row is not None:
            counts[own.row, column] = False
        under_way = []
        for row in own.coming:
            drive_s = drive_time_s.item(row, column)
            if drive_s == math.inf and one.position is not None:
                far = search_back(board.net, one.position)
                drive_s = drive_time_s[row, column] = float(far.drive_times_s(starts.row(row))[0])
            if drive_s < math.inf:
                under_way.append((drive_s, crew.unit_ids[row], row))
        coming_s.append(
            [
                drive_s + WORKING * effective_s.item(row)
                for drive_s, _, row in sorted(under_way)
                for _ in range(crew.officers.item(row))
            ]
        )
    needs = _needs(stops, company, policy)
    cover = weigh_cover(drive_time_s, effective_s, counts, needs, policy)
    limit_s = drive_limit_s(needs.within_s, policy)
    return Snapshot(
        unit_ids=crew.unit_ids,
        stop_ids=stop_ids,
        unit_row=crew.row_of,
        askable=askable,
        allowed=near & (needs.short > 0) & (cover.tau_s <= limit_s),
        drive_time_s=drive_time_s,
        effective_age_s=effective_s,
        starts=starts,
        needs=needs,
        cover=cover,
        _board=board,
        _rows=crew.rows,
        _officers=crew.officers,
        there=[{crew.unit_ids[row] for row in own.there} for own in company],
        coming_s=coming_s,
        _on_duty=crew.on_duty,
    )


def _waits(one: OpenStop, company: _Company) -> bool:
    """Tell whether anything is to be decided about a stop."""
    asking = one.asking
    short = company.present < one.stop.needs
    return short or one.alarm.raised or asking.pending is not None or bool(asking.promised)


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
    fix = board.seen.fix[board.crew().rows]
    _, stale = ages(fix[:, AT], fix[:, SPEED], now_s=board.now_s, policy=board.policy)
    return _askable(board, fix, starts, stale)


def _askable(board: Board, fix: FloatArray, starts: Starts, stale: BoolArray) -> BoolArray:
    """Tell which units could be asked, by what is known of the ages of their fixes."""
    crew = board.crew()
    askable: BoolArray = (
        crew.available & ~stale & (starts.edge[:, 0] >= 0) & ~(fix[:, ACCURACY] > FAR_M)
    )
    askable[[crew.row_of[unit_id] for unit_id in _not_free(board) & crew.row_of.keys()]] = False
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


@dataclass(slots=True)
class _Company:
    """The own unit of a stop, who is with it and who is on the way: rows, and officers there."""

    row: int | None
    present: int
    there: list[int] = field(default_factory=list)
    coming: list[int] = field(default_factory=list)


def _companies(
    board: Board, crew: Crew, stops: Sequence[OpenStop], fix: FloatArray, stale: BoolArray
) -> list[_Company]:
    """Sort out the backup of all stops, as `geo.company.companies` does, without its notes."""
    policy, found = board.policy, []
    owners = {one.stop.unit_id for one in stops}
    nearest: dict[int, tuple[float, int]] = {}
    for column, one in enumerate(stops):
        own, officers = crew.row_of.get(one.stop.unit_id), 1
        if own is not None and not stale[own] and (several := crew.officers.item(own)) > 1:
            officers = several if _away_m(fix, own, one) <= FAR_M else 1
        found.append(_Company(own, officers))
        for unit_id in one.stop.backup:
            row = crew.row_of.get(unit_id)
            if row is not None and row != own:
                near = _away_m(fix, row, one), column
                nearest[row] = min(nearest.get(row, near), near)
    for row, (away_m, column) in nearest.items():
        there = away_m <= policy.present_within_m
        parked = fix.item(row, SPEED) < policy.standing_below_mps
        doubt = doubt_of(
            board.statuses[crew.unit_ids[row]].status,
            there=there,
            silent=not parked and board.now_s - fix.item(row, AT) > policy.silent_after_s,
            stale=stale.item(row),
            own_stop=crew.unit_ids[row] in owners,
        )
        if doubt is None and there:
            found[column].there.append(row)
            found[column].present += crew.officers.item(row)
        elif doubt is None:
            found[column].coming.append(row)
    return found


def _away_m(fix: FloatArray, row: int, one: OpenStop) -> float:
    """Measure from a unit to a stop, as the crow flies."""
    return metres_between(fix.item(row, LON), fix.item(row, LAT), one.place)


def _needs(stops: Sequence[OpenStop], company: Sequence[_Company], policy: Policy) -> Needs:
    """Write what the stops want, as columns."""
    wanted = [
        (
            one.within_s,
            policy.duration_min[one.stop.phase],  # type: ignore[index]
            policy.weight[one.stop.phase],  # type: ignore[index]
        )
        for one in stops
    ]
    within_s, mean_min, weight = np.array(wanted, np.float64).reshape(-1, 3).T.copy()
    missing = [one.stop.needs - own.present for one, own in zip(stops, company, strict=True)]
    short = np.maximum(np.array(missing, np.int64), 0)
    return Needs(within_s=within_s, mean_min=mean_min, weight=weight, short=short)


def _drive_times(
    board: Board, starts: Starts, stops: Sequence[OpenStop], fix: FloatArray
) -> FloatArray:
    """Read all drive times to stops on the road; inf to others, but for who walks there."""
    known = [column for column, one in enumerate(stops) if one.position is not None]
    stop_ids = [stops[column].stop.stop_id for column in known]
    found_s = seconds(board.scene.standing.drive_times_ms(starts, stop_ids))
    if len(known) == len(stops):
        time_s = found_s
    else:
        time_s = np.full((len(starts.edge), len(stops)), np.inf)
        time_s[:, known] = found_s
    unknown = (np.nan, np.nan)
    places = np.array([one.place or unknown for one in stops])
    lon_deg, lat_deg = places.reshape(-1, 2).T.copy()
    here = fix[:, LON].copy(), fix[:, LAT].copy()
    walk_beside(*here, lon_deg, lat_deg, board.policy.present_within_m, WALK_MPS, time_s)
    return time_s


def _not_free(board: Board) -> set[str]:
    """Name the units that are on a stop, at one, muted, or were asked often enough."""
    busy = {one.stop.unit_id for one in board.open.values()}
    busy.update(unit_id for one in board.open.values() for unit_id in one.stop.backup)
    busy |= {unit_id for unit_id in board.muted_until_s if board.is_muted(unit_id)}
    most = board.policy.asks_per_hour_max
    often = [unit_id for unit_id, asks in board.asked_s.items() if len(asks) >= most]
    return busy | {unit_id for unit_id in often if board.asks_last_hour(unit_id) >= most}

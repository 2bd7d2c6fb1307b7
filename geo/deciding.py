"""What follows from an instant of the board: alarms, whom to let go and whom to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from data.records import Flag, UnitStatus
from data.said import Suggested
from geo.alarms import escalated
from geo.picking import pickable
from geo.policies import Candidates
from geo.snapshot import take_snapshot
from geo.staleness import WORKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.road_table import BoolArray
    from data.said import Said
    from geo.board import Board
    from geo.scene import OpenStop
    from geo.snapshot import Snapshot

ELSEWHERE = {UnitStatus.BUSY, UnitStatus.OUT_OF_SERVICE}


def decide(board: Board, picks: Mapping[str, str]) -> list[Said]:
    """
    Weigh everything anew and say what follows from it.

    Parameters
    ----------
    board : Board
        At its instant, with its stops refreshed; what is asked and taken back is noted in them.
    picks : mapping of str to str
        By stop_id: whom a dispatcher has chosen.

    Returns
    -------
    said : list of Said
        Alarms, what dispatchers chose, what no longer holds, and new suggestions, in this order.
    """
    snapshot = take_snapshot(board, to_decide=True)
    column_of = {stop_id: column for column, stop_id in enumerate(snapshot.stop_ids)}
    said: list[Said] = []
    for stop_id, one in sorted(board.open.items()):
        said += _alarm(board, one, snapshot, column_of.get(stop_id))
    for stop_id, unit_id in sorted(picks.items()):
        if stop_id in column_of:  # else it is over, or nobody is missing there
            said += _pick(board, snapshot, column_of[stop_id], unit_id)
    stops = [board.open[stop_id] for stop_id in snapshot.stop_ids]
    for column, one in enumerate(stops):
        said += _take_back(board, one, snapshot, column)
    return said + _ask(board, snapshot, stops)


def _alarm(board: Board, one: OpenStop, snapshot: Snapshot, column: int | None) -> list[Said]:
    """Raise and clear the alarm of a stop, and see to its checks; None: nobody is missing."""
    now_s, policy, sounds = board.now_s, board.policy, board.sounds
    stop_id, flag, probability, short = one.stop.stop_id, Flag.COVERED, 1.0, False
    if column is not None:
        flag, short = snapshot.cover.flag(column), snapshot.needs.short.item(column) > 0
        probability = snapshot.cover.probability.item(column)
    said = one.alarm.flag(
        stop_id, flag, probability, short=short, now_s=now_s, policy=policy, sounds=sounds
    )
    said += one.alarm.prompt(stop_id, one.began_s, now_s=now_s, policy=policy, sounds=sounds)
    if short and one.asking.in_vain(policy):
        said.append(escalated(stop_id, "nobody came", now_s, sounds))
    return said


# -- whom to let go ------------------------------------------------------------------------------


def _take_back(board: Board, one: OpenStop, snapshot: Snapshot, column: int) -> list[Said]:
    """Take back promises and the suggestion about a stop that no longer hold."""
    said: list[Said] = []
    if one.asking.promised:
        said += _let_go_engaged(board, one)
        said += _release(board, one, snapshot, column)
    if one.asking.pending is None:
        return said
    row = snapshot.unit_row.get(one.asking.pending.unit_id)
    if snapshot.needs.short[column] <= 0:
        said += one.asking.withdraw(board.now_s, "enough officers")
    elif row is None or not snapshot.askable[row]:
        said += one.asking.withdraw(board.now_s, "unit not free")
    return said


def _let_go_engaged(board: Board, one: OpenStop) -> list[Said]:
    """Believe no promise of who is on a stop of its own since, or does something else."""
    said: list[Said] = []
    own = {
        other.stop.unit_id for other in board.open.values() if not _by_status_just_now(board, other)
    }
    for unit_id, (asked, _) in list(one.asking.promised.items()):
        change = board.statuses.get(unit_id)
        elsewhere = (
            change is not None and change.status in ELSEWHERE and change.at.timestamp() > asked.at_s
        )
        if unit_id in own or elsewhere:
            said.append(one.asking.release(unit_id, board.now_s, "unit not free"))
            board.scene.touched = True
    return said


def _release(board: Board, one: OpenStop, snapshot: Snapshot, column: int) -> list[Said]:
    """Let go who is on the way, where enough are there or others will be there sooner."""
    said: list[Said] = []
    missing = short = _missing(board, one, snapshot, column)
    under_way = [
        (unit_id not in one.asking.picked, float(snapshot.cover.tau_s[row, column]), unit_id)
        for unit_id in not_there(board, one, snapshot, column)
        if not is_on_scene(board, unit_id)
        if (row := snapshot.unit_row.get(unit_id)) is not None
    ]
    for _, tau_s, unit_id in sorted(under_way):
        if short <= 0:
            sooner = "dispatch chose another" if one.asking.picked else "nearer unit"
            why = "enough officers" if missing <= 0 else sooner
            said.append(one.asking.release(unit_id, board.now_s, why))
            board.scene.touched = True
        elif np.isfinite(tau_s):
            short -= _officers(board, unit_id)
    return said


# -- whom to ask ---------------------------------------------------------------------------------


def _ask(board: Board, snapshot: Snapshot, stops: list[OpenStop]) -> list[Said]:
    """Ask whom the policy names, of those whom no rule forbids."""
    allowed = _allowed(board, snapshot, stops)
    columns = np.flatnonzero(allowed.any(axis=0))
    if not len(columns):
        return []
    # Idle units that may go nowhere matter to the reserve: ours counts all that could be asked.
    idle = np.flatnonzero(snapshot.askable)
    unit_ids = tuple(snapshot.unit_ids[row] for row in idle.tolist())
    pick = np.ix_(idle, columns)
    candidates = Candidates(
        unit_ids=unit_ids,
        stop_ids=tuple(snapshot.stop_ids[column] for column in columns.tolist()),
        allowed=allowed[pick],
        tau_s=snapshot.cover.tau_s[pick],
        crow_m=lambda: snapshot.crow_m(idle, columns),
        gain=snapshot.gain()[pick],
        score=lambda: snapshot.score()[pick],
        alone=snapshot.cover.alone[columns],
        waiting_s=np.array([board.now_s - stops[c].seen_s for c in columns.tolist()]),
        asked_s=np.array([_last_asked(board, unit_id) for unit_id in unit_ids]),
        now_s=board.now_s,
    )
    said: list[Said] = []
    for unit, stop in sorted(board.choose(candidates, board.policy), key=lambda pair: pair[1]):
        said += _suggest(board, snapshot, int(idle[unit]), int(columns[stop]))
    return said


def _allowed(board: Board, snapshot: Snapshot, stops: list[OpenStop]) -> BoolArray:
    """Tell which pairs no rule forbids."""
    may_ask = {one.stop.stop_id for one in board.open.values() if _may_ask(board, one)}
    missing = {
        column: short
        for column, one in enumerate(stops)
        if one.stop.stop_id in may_ask and (short := _missing(board, one, snapshot, column)) > 0
    }
    allowed = np.zeros(snapshot.allowed.shape, np.bool_)
    if not missing:
        return allowed
    pending = {one.asking.pending.unit_id for one in stops if one.asking.pending}
    free = snapshot.askable.copy()
    for unit_id in pending & snapshot.unit_row.keys():
        free[snapshot.unit_row[unit_id]] = False
    for column, short in missing.items():
        may = snapshot.allowed[:, column] & free
        asking, tau_s = stops[column].asking, snapshot.cover.tau_s[:, column]
        for unit_id in (asking.refused | asking.unanswered) & snapshot.unit_row.keys():
            may[snapshot.unit_row[unit_id]] = False
        coming_s = snapshot.coming_s[column]
        if short <= len(coming_s):
            if asking.picked & asking.promised.keys():
                continue
            # Enough are on the way: only one that is clearly sooner is worth another question.
            may &= tau_s <= coming_s[short - 1] - board.policy.switch_saves_s
        if asking.pending and asking.pending.unit_id in asking.picked:
            continue
        if asking.pending:
            # It stays unless another is clearly sooner, and worth no less.
            row = snapshot.unit_row[asking.pending.unit_id]
            may &= tau_s <= tau_s[row] - board.policy.switch_saves_s
            if may.any():
                score = snapshot.score()[:, column]
                may &= score >= score[row]
        allowed[:, column] = may
    return allowed


def _may_ask(board: Board, one: OpenStop) -> bool:
    """Tell whether somebody may be asked about a stop now."""
    # The record of a stop follows its unit's status: not asked about twice.
    return not _by_status_just_now(board, one) and one.asking.may_ask(board.now_s, board.policy)


def _pick(board: Board, snapshot: Snapshot, column: int, unit_id: str) -> list[Said]:
    """Ask whom a dispatcher has chosen, and let go who was asked before."""
    stop_id = snapshot.stop_ids[column]
    asking = board.open[stop_id].asking
    drive_time_s = pickable(board, snapshot, stop_id).get(unit_id)
    again = asking.pending is not None and asking.pending.unit_id == unit_id
    if drive_time_s is None or again or unit_id in asking.promised:
        return []
    said: list[Said] = [*asking.withdraw(board.now_s, "dispatch chose another")]
    return said + _suggest(board, snapshot, snapshot.unit_row[unit_id], column, drive_time_s)


def _suggest(
    board: Board, snapshot: Snapshot, row: int, column: int, picked_s: float | None = None
) -> list[Said]:
    """Ask a unit; `picked_s` is the drive time of one whom a dispatcher has chosen."""
    stop_id = snapshot.stop_ids[column]
    asking = board.open[stop_id].asking
    gone = asking.withdraw(board.now_s, "nearer unit")
    drive_time_s = float(snapshot.drive_time_s[row, column]) if picked_s is None else picked_s
    score = float(snapshot.score()[row, column])
    suggested = Suggested(
        at_s=board.now_s,
        suggestion_id=f"{stop_id}/{asking.count + 1}",
        stop_id=stop_id,
        unit_id=snapshot.unit_ids[row],
        drive_time_s=drive_time_s,
        tau_s=drive_time_s + WORKING * float(snapshot.effective_age_s[row]),
        score=score if np.isfinite(score) else 0.0,
    )
    if board.watch:
        board.watch(board, suggested)
    if picked_s is None:
        asking.ask(suggested)
    else:
        asking.pick(suggested)
    board.asked_s[suggested.unit_id].append(board.now_s)
    return [*gone, suggested]


# -- what both go by -----------------------------------------------------------------------------


def is_on_scene(board: Board, unit_id: str) -> bool:
    """
    Tell whether a unit shows itself on scene: its word, where positions are missing.

    Returns
    -------
    on_scene : bool
        By its newest status.
    """
    change = board.statuses.get(unit_id)
    return change is not None and change.status is UnitStatus.ON_SCENE


def not_there(board: Board, one: OpenStop, snapshot: Snapshot, column: int) -> list[str]:
    """
    List the units that promised to come and that no position shows there.

    Returns
    -------
    unit_ids : list of str
        In the order of their promises.
    """
    there = snapshot.there[column] | board.scene.there(one.stop.stop_id)
    return [unit_id for unit_id in one.asking.promised if unit_id not in there]


def _missing(board: Board, one: OpenStop, snapshot: Snapshot, column: int) -> int:
    """
    Count the officers that somebody is still to be asked for.

    Who promised and shows on scene is there by its word, until a later fix tells otherwise.
    That clears no alarm: only positions do. But another car is not sent for it.
    """
    short = int(snapshot.needs.short[column])
    if not one.asking.promised:
        return short
    absent = not_there(board, one, snapshot, column)
    return short - sum(_officers(board, who) for who in absent if _is_by_word(board, who))


def _is_by_word(board: Board, unit_id: str) -> bool:
    """Tell whether a unit shows itself on scene, and was not seen since."""
    if not is_on_scene(board, unit_id):
        return False
    fix = board.seen.fix_of(unit_id)
    return fix is None or fix.fixed_at <= board.statuses[unit_id].at


def _officers(board: Board, unit_id: str) -> int:
    """Count the officers in a car."""
    change = board.statuses.get(unit_id)
    return change.officers if change else 1


def _by_status_just_now(board: Board, one: OpenStop) -> bool:
    """Tell whether only a status speaks of a stop, and for seconds: it may mean another's."""
    early = board.now_s - one.seen_s < board.policy.status_stop_after_s
    return one.stop.from_status and early


def _last_asked(board: Board, unit_id: str) -> float:
    """Give when a unit was last asked, seconds since the epoch; -inf for never."""
    asked_s = board.asked_s.get(unit_id)
    return asked_s[-1] if asked_s else -np.inf

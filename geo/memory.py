"""What a board must remember through a restart, as plain values; the roads are not part of it."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from geo.scene import OpenStop

if TYPE_CHECKING:
    from data.events import StatusChange, StopChange
    from data.records import Stop
    from geo.alarms import Alarm
    from geo.asking import Asking
    from geo.attendance import Beside
    from geo.board import Board
    from geo.sightings import OddFix


@dataclass(frozen=True, slots=True, kw_only=True)
class StopMemory:
    """
    A stop that goes on.

    Parameters
    ----------
    stop, seen_s, asking, alarm
        As in `geo.scene.OpenStop`.
    """

    stop: Stop
    seen_s: float
    asking: Asking
    alarm: Alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """
    A board between two instants.

    Parameters
    ----------
    now_s : float
        Its instant, seconds since the epoch, as all others.
    statuses : tuple of StatusChange
        The newest of each unit.
    shown : tuple of str
        Units that show themselves on a stop.
    asked_s : dict of str to tuple of float
        When each unit was asked.
    muted_until_s : dict of str to float
        By unit.
    sounds_s : tuple of float
        When sounds were made.
    unit_ids : tuple of str
        All units ever heard of, in their order.
    fixes : tuple of tuple of (float or None)
        The newest believed fix of each, `geo.sightings.FIELDS`; None for what is unknown, all None
        where it was never seen.
    doubted : dict of int to tuple of (float or None)
        A fix that was not believed, by the unit's place in `unit_ids`.
    counts : dict of str to int
        Of fixes.
    odd : tuple of OddFix
        The last fixes that were not believed.
    changes : tuple of StopChange
        The newest of each stop that is not over.
    over : dict of str to datetime
        When stops that are over came to be.
    open : tuple of StopMemory
        Stops that go on.
    beside : dict of int to Beside
        Who is beside which stop, by the unit's place in `unit_ids`.
    """

    now_s: float
    statuses: tuple[StatusChange, ...]
    shown: tuple[str, ...]
    asked_s: dict[str, tuple[float, ...]]
    muted_until_s: dict[str, float]
    sounds_s: tuple[float, ...]
    unit_ids: tuple[str, ...]
    fixes: tuple[tuple[float | None, ...], ...]
    doubted: dict[int, tuple[float | None, ...]]
    counts: dict[str, int]
    odd: tuple[OddFix, ...]
    changes: tuple[StopChange, ...]
    over: dict[str, datetime]
    open: tuple[StopMemory, ...]
    beside: dict[int, Beside]


def remember(board: Board) -> Memory:
    """
    Write down what a board knows.

    Parameters
    ----------
    board : Board
        Just advanced: nothing waits to be said.

    Returns
    -------
    memory : Memory
        Shares what is mutable with the board: to be written out before the board goes on.
    """
    seen, scene = board.seen, board.scene
    return Memory(
        now_s=board.now_s,
        statuses=tuple(board.statuses.values()),
        shown=tuple(sorted(board.shown)),
        asked_s={unit_id: tuple(asked_s) for unit_id, asked_s in board.asked_s.items() if asked_s},
        muted_until_s=dict(board.muted_until_s),
        sounds_s=tuple(board.sounds.made_s),
        unit_ids=tuple(seen.unit_ids),
        fixes=_plain(seen.fix[: len(seen.unit_ids)]),
        doubted={row: _plain(fix[None])[0] for row, fix in seen.doubted.items()},
        counts=dict(seen.counts),
        odd=tuple(seen.odd),
        changes=tuple(scene.changes.values()),
        over=dict(scene.over),
        open=tuple(
            StopMemory(stop=one.stop, seen_s=one.seen_s, asking=one.asking, alarm=one.alarm)
            for one in scene.open.values()
        ),
        beside=dict(scene.attendance.beside),
    )


def recall(board: Board, memory: Memory) -> None:
    """
    Bring a fresh board to where another one was.

    Parameters
    ----------
    board : Board
        On the same roads; it has been given nothing.
    memory : Memory
        Of `remember`; the board takes over what is mutable in it.
    """
    board.now_s = memory.now_s
    board.statuses.update({change.unit_id: change for change in memory.statuses})
    board.shown.update(memory.shown)
    board.asked_s.update({unit_id: deque(asked_s) for unit_id, asked_s in memory.asked_s.items()})
    board.muted_until_s.update(memory.muted_until_s)
    board.sounds.made_s.extend(memory.sounds_s)
    fixes = np.array([_column(fix) for fix in memory.fixes]).reshape(-1, board.seen.fix.shape[1])
    board.seen.recall(memory.unit_ids, fixes)
    board.seen.doubted.update({row: _column(fix) for row, fix in memory.doubted.items()})
    board.seen.counts = Counter(memory.counts)
    board.seen.odd.extend(memory.odd)
    board.scene.changes.update({change.stop.stop_id: change for change in memory.changes})
    board.scene.over.update(memory.over)
    for one in memory.open:
        board.scene.open[one.stop.stop_id] = OpenStop(
            one.stop, one.seen_s, asking=one.asking, alarm=one.alarm
        )
    board.scene.attendance.recall(memory.beside)
    # Places them again; nothing opens or closes at an instant that has been looked at before.
    if np.isfinite(memory.now_s):
        board.scene.refresh(datetime.fromtimestamp(memory.now_s, UTC), board.shown, board.unit)


def _plain(fixes: np.ndarray) -> tuple[tuple[float | None, ...], ...]:
    """Write fixes without NaN and infinities."""
    plain = fixes.astype(object)
    plain[~np.isfinite(fixes)] = None
    return tuple(map(tuple, plain.tolist()))


def _column(fix: tuple[float | None, ...]) -> np.ndarray:
    """Read it; one never seen was never taken."""
    column = np.array([np.nan if value is None else value for value in fix])
    column[0] = -np.inf if fix[0] is None else fix[0]
    return column

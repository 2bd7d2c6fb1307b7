"""What was accepted, given to the board: live and after a restart by the same few lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from data.events import Answer, Fixes, StatusChange, StopChange
from data.reports import Checked, FixReport, Picked, Resumed, Silenced, Undone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from data.reports import Report
    from data.said import Said
    from data.store.reading import Event
    from geo.board import Board


def feed(board: Board, received_ms: int, reports: Sequence[Report]) -> list[Said]:
    """
    Give a board what was accepted at an instant, and let it decide.

    Parameters
    ----------
    board : Board
        At an earlier instant.
    received_ms : int
        When, milliseconds since the epoch.
    reports : sequence of Report
        In the order of acceptance; fixes go first, so that the others are judged by them.

    Returns
    -------
    said : list of Said
        What follows.
    """
    said: list[Said] = []
    if any(isinstance(report, Resumed) for report in reports):
        board.skip(received_ms / 1000)
    else:
        # However often it was looked at meanwhile: the same reports are to find the same instant.
        said = board.advance((received_ms - 1) / 1000)
    fixes = [report for report in reports if isinstance(report, FixReport)]
    if fixes:
        board.take_fixes(columns_of(fixes, received_ms / 1000), slice(0, len(fixes)))
    now = datetime.fromtimestamp(received_ms / 1000, UTC)
    for report in reports:
        if not isinstance(report, FixReport):
            _take(board, report, now)
    return said + board.advance(received_ms / 1000)


def feed_all(board: Board, events: Iterable[Event]) -> Iterator[list[Said]]:
    """
    Give a board what was accepted over a time.

    Parameters
    ----------
    board : Board
        As it was before the first of them.
    events : iterable of Event
        In the store's order.

    Yields
    ------
    said : list of Said
        What follows from those of one instant.
    """
    for received_ms, together in groupby(events, key=attrgetter("received_ms")):
        yield feed(board, received_ms, [event.report for event in together])


def _take(
    board: Board,
    report: Report,
    now: datetime,
) -> None:
    """Give a board one report; no sender's clock may carry it into the future."""
    if isinstance(report, StatusChange):
        board.take_status(replace(report, at=min(report.at, now)))
    elif isinstance(report, StopChange):
        stop, begun = report.stop, report.stop.started_at
        if begun is not None and begun > now:
            stop = replace(stop, started_at=now)  # who tells of it is on it
        board.take_stop(replace(report, stop=stop, at=min(report.at, now)))
    elif isinstance(report, Answer):
        board.take_answer(replace(report, answered_at=now))
    elif isinstance(report, Checked):
        board.take_check(report.stop_id, min(report.at, now))
    elif isinstance(report, Picked):
        board.take_pick(report.stop_id, report.unit_id, now)
    elif isinstance(report, Silenced):
        board.take_silence(report.unit_id, now, on=report.on)
    elif isinstance(report, Undone):
        board.take_undo(report.answer, now)


def columns_of(fixes: Sequence[FixReport], received_at_s: float | Sequence[float]) -> Fixes:
    """
    Make columns of fixes.

    Parameters
    ----------
    fixes : sequence of FixReport
        In the order in which they arrived.
    received_at_s : float or sequence of float
        When they arrived, all together or one by one; seconds since the epoch.

    Returns
    -------
    fixes : Fixes
        In the order given.
    """
    unit_ids = tuple(dict.fromkeys(one.unit_id for one in fixes))
    place = {unit_id: number for number, unit_id in enumerate(unit_ids)}

    def column(name: str) -> np.ndarray:
        return np.array([getattr(one.fix, name) for one in fixes], np.float64)  # None is NaN

    return Fixes(
        unit_ids=unit_ids,
        unit_row=np.array([place[one.unit_id] for one in fixes], np.int32),
        fixed_at_s=np.array([one.fix.fixed_at.timestamp() for one in fixes]),
        received_at_s=np.array(np.broadcast_to(np.asarray(received_at_s, float), len(fixes))),
        lon_deg=column("lon_deg"),
        lat_deg=column("lat_deg"),
        heading_deg=column("heading_deg"),
        speed_mps=column("speed_mps"),
        accuracy_m=column("accuracy_m"),
    )

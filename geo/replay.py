"""A recorded period fed event by event through the live board; what it says is always the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from data.events import Answer, StatusChange, StopChange
from data.records import Ask, UnitStatus
from data.said import Suggested
from geo.board import Board
from geo.dispatch import advise
from geo.policies import ours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from data.answers import Advice
    from data.beats import Beat
    from data.events import History
    from data.said import Said
    from data.settings import Settings
    from geo.network import RoadNetwork
    from geo.policies import Choose

    Script = Callable[[Board], Iterator[Said]]

Event = StatusChange | StopChange | Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """
    A suggestion, and what the model saw when it was made.

    Parameters
    ----------
    suggested : Suggested
        The suggestion.
    advice : Advice
        All stops and units at that instant, worked out anew with its reasons.
    """

    suggested: Suggested
    advice: Advice


def events_of(history: History) -> list[tuple[float, Event]]:
    """
    List all events but fixes in the order in which they came.

    Parameters
    ----------
    history : History
        A recorded period.

    Returns
    -------
    events : list of (float, event)
        Seconds since the epoch and the event; of one instant, answers first, then stops, then
        statuses, each by its ids, so that the order of rows in the files changes nothing.
    """
    events: list[tuple[float, int, str, Event]] = [
        *((one.at.timestamp(), 2, one.unit_id, one) for one in history.statuses),
        *((one.at.timestamp(), 1, one.stop.stop_id, one) for one in history.stops),
        *(
            (one.answered_at.timestamp(), 0, one.suggestion_id, one)
            for one in history.answers
            if one.answered_at is not None
        ),
    ]
    events.sort(key=lambda event: event[:3])
    return [(at_s, event) for at_s, _, _, event in events]


def play(board: Board, history: History) -> Iterator[Said]:
    """
    Feed a period to a board.

    Parameters
    ----------
    board : Board
        Fresh.
    history : History
        What happened. Answers to suggestions that this board does not make change nothing.

    Yields
    ------
    said : Said
        All that the board says, in order, up to the last event.
    """
    arrived_s = history.fixes.received_at_s
    done, at_s = 0, -np.inf
    for at_s, together in groupby(events_of(history), key=itemgetter(0)):
        until = max(done, int(np.searchsorted(arrived_s, at_s)))
        board.take_fixes(history.fixes, slice(done, until))
        done = until
        for _, event in together:
            _take(board, event)
        yield from board.advance(at_s)
    board.take_fixes(history.fixes, slice(done, len(arrived_s)))
    yield from board.advance(max(at_s, arrived_s[-1] if len(arrived_s) else -np.inf))


def _take(board: Board, event: Event) -> None:
    """Give a board one event."""
    if isinstance(event, StatusChange):
        board.take_status(event)
    elif isinstance(event, StopChange):
        board.take_stop(event)
    else:
        board.take_answer(event)


def replay(
    net: RoadNetwork,
    history: History,
    *,
    settings: Settings,
    beats: Sequence[Beat] = (),
    choose: Choose = ours,
) -> list[Said]:
    """
    Say what the live board would have said.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    history : History
        What happened.
    settings : Settings
        Policy, sharing.
    beats : sequence of Beat
        With a T of their own.
    choose : callable
        Whom to ask.

    Returns
    -------
    said : list of Said
        The same every time.
    """
    return list(play(Board(net, settings, beats, choose), history))


def why(
    net: RoadNetwork,
    script: Script,
    *,
    unit_id: str,
    at: datetime,
    settings: Settings,
    beats: Sequence[Beat] = (),
) -> Why | None:
    """
    Say why a unit was asked.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    script : callable
        Feeds what happened to a fresh board, and gives what that says: `play`, of a history.
    unit_id : str
        Who was asked.
    at : datetime
        About when; the ask nearest to it counts.
    settings : Settings
        Policy, sharing.
    beats : sequence of Beat
        With a T of their own.

    Returns
    -------
    why : Why or None
        None where it was never asked.
    """
    said = script(Board(net, settings, beats))
    asks = [one for one in said if isinstance(one, Suggested) and one.unit_id == unit_id]
    if not asks:
        return None
    wanted = min(asks, key=lambda ask: abs(ask.at_s - at.timestamp()))
    found: list[Why] = []

    def look(board: Board, suggested: Suggested) -> None:
        if suggested == wanted:
            found.append(Why(suggested=suggested, advice=picture(board, beats)))

    board = Board(net, settings, beats, watch=look)
    for _ in script(board):
        if found:
            break
    return found[0]


def picture(board: Board, beats: Sequence[Beat] = ()) -> Advice:
    """
    Work out anew what a board knows, with reasons.

    Parameters
    ----------
    board : Board
        At its instant.
    beats : sequence of Beat
        Its own.

    Returns
    -------
    advice : Advice
        Muted units are shown as busy: they are not asked.
    """
    return sketch(board, beats)()


def sketch(board: Board, beats: Sequence[Beat] = ()) -> Callable[[], Advice]:
    """
    Note what a board knows, for `picture` to be worked out while the board goes on.

    Parameters
    ----------
    board : Board
        At its instant.
    beats : sequence of Beat
        Its own.

    Returns
    -------
    draw : callable
        Gives what `picture` would have given; it may run in any thread.
    """
    asked = [
        Ask(stop_id="", unit_id=unit_id, asked_at=datetime.fromtimestamp(at_s, UTC))
        for unit_id, asks_s in board.asked_s.items()
        for at_s in asks_s
    ]
    stops = board.stops()
    named = {unit_id for stop in stops for unit_id in stop.backup}
    units = [
        replace(unit, status=UnitStatus.BUSY)
        if board.is_muted(unit.unit_id) and unit.unit_id not in named
        else unit
        for unit in board.units()
    ]
    return partial(
        advise,
        board.net,
        units,
        stops,
        now=datetime.fromtimestamp(board.now_s, UTC),
        settings=board.settings,
        beats=beats,
        asked=asked,
    )

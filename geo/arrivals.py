"""A recorded period -> what was predicted at each asking, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.events import AnswerKind
from data.records import StopPhase, UnitStatus
from data.said import Attended, Withdrawn
from geo.asking import NO_ANSWER
from geo.board import Board
from geo.matching import Track
from geo.replay import play
from geo.snapshot import take_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.beats import Beat
    from data.events import Answer, Fixes, History
    from data.road_table import IntArray
    from data.said import Suggested
    from data.settings import Policy, Settings
    from geo.network import RoadNetwork
    from geo.policies import Candidates, Choose, Pairs

COMES = {AnswerKind.EN_ROUTE, AnswerKind.ARRIVED}
ON_ITS_WAY = {UnitStatus.DISPATCHED, UnitStatus.EN_ROUTE, UnitStatus.ON_SCENE}
Arrivals = dict[str, list[tuple[float, str]]]
"""By stop_id: when, seconds since the epoch, and who."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    One asking, as it was seen then and as it turned out.

    Parameters
    ----------
    answer : Answer
        Who was asked for which stop, and what they said.
    within_s : float
        T there.
    drive_time_s, tau_s : float
        Of the drive, as reckoned then, and with the allowance for the age of the unit's fix.
    chance : float
        F, of being there within T.
    backup_probability : float
        G of the stop.
    comes : bool or None
        Said to come; None where the asking was withdrawn before there was an answer.
    arrived_s : float or None
        From asking to arriving; None where the unit was not seen there, or only after it had been
        let go.
    anyone_s : float or None
        As `arrived_s`, of whichever unit came first after the asking.
    watched_s : float
        From asking to the stop's end, or to the end of the record: later arrivals are not known.
    driven_s : float
        The same, or to when the unit was no more wanted, or turned to something else, if sooner.
    first : bool
        The first asking for its stop.
    """

    answer: Answer
    within_s: float
    drive_time_s: float
    tau_s: float
    chance: float
    backup_probability: float
    comes: bool | None
    arrived_s: float | None
    anyone_s: float | None
    watched_s: float
    driven_s: float
    first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """
    A stop, seen from the beginning of one of its phases.

    Parameters
    ----------
    phase : StopPhase
        Which.
    minutes : float
        How long the stop still lasted, or has lasted so far.
    ended : bool
        False where it still went on when the record ended.
    """

    phase: StopPhase
    minutes: float
    ended: bool


def read_arrivals(
    net: RoadNetwork, history: History, *, settings: Settings, beats: Sequence[Beat] = ()
) -> list[Asked]:
    """
    See each asking again with what was known then: the live board is given the record.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    history : History
        What was recorded.
    settings : Settings
        Policy and sharing.
    beats : sequence of Beat
        With a T of their own.

    Returns
    -------
    asked : list of Asked
        By instant. Left out: askings that no rule of these settings allows, as of a unit whose
        last fix was too old.
    """
    seen: list[tuple[Suggested, tuple[float, float, float]]] = []

    def look(board: Board, suggested: Suggested) -> None:
        snapshot = take_snapshot(board)
        stop = snapshot.stop_ids.index(suggested.stop_id)
        unit = snapshot.unit_row[suggested.unit_id]
        cover, within_s = snapshot.cover, snapshot.needs.within_s
        chance, probability = float(cover.chance[unit, stop]), float(cover.probability[stop])
        seen.append((suggested, (float(within_s[stop]), chance, probability)))

    board = Board(net, settings, beats, _as_recorded(history), look)
    said = list(play(board, history))
    came = _came(history, [one for one in said if isinstance(one, Attended)])
    gone = [one for one in said if isinstance(one, Withdrawn)]
    gone_s = {one.suggestion_id: one.at_s for one in gone}
    spared = {one.suggestion_id for one in gone if one.why != NO_ANSWER}
    turned = _turned(history)
    ends = stop_ends(history)
    answers = {(one.stop_id, one.unit_id, one.asked_at.timestamp()): one for one in history.answers}
    found, met = list[Asked](), set[str]()
    for suggested, (within_s, chance, probability) in seen:
        stop_id, unit_id, at_s = suggested.stop_id, suggested.unit_id, suggested.at_s
        answer = answers[stop_id, unit_id, at_s]
        end_s, _ = ends[stop_id]
        turned_s = min((at for at in turned[unit_id] if at > at_s), default=np.inf)
        later = [(when_s - at_s, who) for when_s, who in came[stop_id] if when_s >= at_s]
        driven_s = min(end_s, turned_s, gone_s.get(suggested.suggestion_id, np.inf)) - at_s
        # Who was let go and comes later comes for another asking.
        own_s = [after_s for after_s, who in later if who == unit_id and after_s <= driven_s]
        found.append(
            Asked(
                answer=answer,
                within_s=within_s,
                drive_time_s=suggested.drive_time_s,
                tau_s=suggested.tau_s,
                chance=chance,
                backup_probability=probability,
                comes=_comes(answer, spared=suggested.suggestion_id in spared),
                arrived_s=min(own_s, default=None),
                anyone_s=min((after_s for after_s, _ in later), default=None),
                watched_s=end_s - at_s,
                driven_s=driven_s,
                first=stop_id not in met,
            )
        )
        met.add(stop_id)
    return found


def _as_recorded(history: History) -> Choose:
    """Ask whom the record says, when it says so."""
    asked: dict[float, set[tuple[str, str]]] = defaultdict(set)
    for answer in history.answers:
        asked[answer.asked_at.timestamp()].add((answer.unit_id, answer.stop_id))

    def recorded(candidates: Candidates, _policy: Policy) -> Pairs:
        units, stops = candidates.unit_ids, candidates.stop_ids
        pairs = [
            (units.index(unit_id), stops.index(stop_id))
            for unit_id, stop_id in sorted(asked.get(candidates.now_s, ()))
            if unit_id in units and stop_id in stops
        ]
        return [pair for pair in pairs if candidates.allowed[pair]]

    return recorded


def _came(history: History, attended: Sequence[Attended]) -> Arrivals:
    """List who came to each stop: as was recorded, and as positions show."""
    came: Arrivals = defaultdict(list)
    for scene in history.on_scene:
        came[scene.stop_id].append((scene.arrived_at.timestamp(), scene.unit_id))
    for one in attended:
        if one.arrived:
            came[one.stop_id].append((one.since_s, one.unit_id))
    return came


def _turned(history: History) -> dict[str, list[float]]:
    """List when units showed that they are not on their way, seconds since the epoch."""
    turned: dict[str, list[float]] = defaultdict(list)
    for change in history.statuses:
        if change.status not in ON_ITS_WAY:
            turned[change.unit_id].append(change.at.timestamp())
    return turned


def _comes(answer: Answer, *, spared: bool) -> bool | None:
    """Tell whether a unit comes; none where it had no time to say so."""
    return None if answer.answer is None and spared else answer.answer in COMES


def stop_ends(history: History) -> Mapping[str, tuple[float, bool]]:
    """
    Say until when each stop is known to have gone on.

    Parameters
    ----------
    history : History
        What was recorded.

    Returns
    -------
    ends : mapping of str to (float, bool)
        By stop_id: its end, or that of the record, seconds since the epoch; and whether it ended.
    """
    received_s = history.fixes.received_at_s
    last_s = max(
        [float(received_s[-1]) if len(received_s) else 0.0]
        + [change.at.timestamp() for change in history.statuses]
        + [change.at.timestamp() for change in history.stops]
    )
    ends: dict[str, tuple[float, bool]] = {}
    for change in sorted(history.stops, key=lambda change: change.at):
        stop = change.stop
        over = stop.ended_at is not None or stop.phase is StopPhase.CLEARED
        end_s = (stop.ended_at or change.at).timestamp() if over else last_s
        ends[stop.stop_id] = end_s, over
    return ends


def spells(history: History) -> list[Spell]:
    """
    List how long stops still lasted, from the beginning of each of their phases.

    Parameters
    ----------
    history : History
        What was recorded.

    Returns
    -------
    spells : list of Spell
        By stop_id, then in order.
    """
    begun: dict[str, dict[StopPhase, float]] = defaultdict(dict)
    for change in sorted(history.stops, key=lambda change: change.at):
        stop, phases = change.stop, begun[change.stop.stop_id]
        first = not phases and stop.started_at is not None
        at = stop.started_at if first and stop.started_at else change.at
        phases.setdefault(stop.phase, at.timestamp())
    ends = stop_ends(history)
    return [
        Spell(
            phase=phase, minutes=max(0.0, ends[stop_id][0] - since_s) / 60, ended=ends[stop_id][1]
        )
        for stop_id, phases in sorted(begun.items())
        for phase, since_s in phases.items()
        if phase is not StopPhase.CLEARED
    ]


def routine_drives(history: History) -> list[Track]:
    """
    Give the tracks of units on their way to a stop that they said they come to: routine driving.

    Parameters
    ----------
    history : History
        What was recorded.

    Returns
    -------
    tracks : list of Track
        From the answer to the arrival; none of units that did not arrive. Other driving is left
        out: a patrol lingers, and a call may be driven to with lights and siren.
    """
    fixes = history.fixes
    order = np.lexsort((fixes.fixed_at_s, fixes.unit_row))
    row_of = {unit_id: row for row, unit_id in enumerate(fixes.unit_ids)}
    first = np.searchsorted(fixes.unit_row[order], np.arange(len(row_of) + 1))
    came, tracks = _came(history, ()), []
    for answer in history.answers:
        unit = row_of.get(answer.unit_id)
        if answer.answer not in COMES or answer.answered_at is None or unit is None:
            continue
        since_s = answer.answered_at.timestamp()
        there_s = [
            at for at, who in came[answer.stop_id] if who == answer.unit_id and at >= since_s
        ]
        if not there_s:
            continue
        rows = order[first[unit] : first[unit + 1]]
        fixed_s = fixes.fixed_at_s[rows]
        rows = rows[(fixed_s >= since_s) & (fixed_s <= min(there_s))]
        rows = rows[np.diff(fixes.fixed_at_s[rows], prepend=-np.inf) > 0]
        tracks.append(_track(fixes, rows))
    return tracks


def _track(fixes: Fixes, rows: IntArray) -> Track:
    """Pick the fixes of a track."""
    return Track(
        at_s=fixes.fixed_at_s[rows],
        lon_deg=fixes.lon_deg[rows],
        lat_deg=fixes.lat_deg[rows],
        heading_deg=fixes.heading_deg[rows],
        speed_mps=fixes.speed_mps[rows],
    )

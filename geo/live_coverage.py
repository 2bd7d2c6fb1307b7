"""Coverage as units stand now, and as it would be with some of them elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.as_json import instant_json, number_json
from geo.coverage import edge_within_s, edges_in, share_within
from geo.nearest import NearestUnits
from geo.snap import snap
from geo.snapshot import askable_now
from geo.starts import starts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from data.beats import Beat
    from data.road_table import BoolArray, FloatArray
    from geo.board import Board
    from geo.network import RoadNetwork
    from geo.starts import Starts

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """
    The units that could be asked, where each was last seen.

    Parameters
    ----------
    at : datetime
        The instant.
    unit_ids : tuple of str
        Rising.
    starts : Starts
        Of each.
    """

    at: datetime
    unit_ids: tuple[str, ...]
    starts: Starts

    def seen_by(self, sees: Callable[[str], bool]) -> Idle:
        """
        Leave out whose place is not to be shown: who covers a road tells where it stands.

        Returns
        -------
        idle : Idle
            The others.
        """
        rows = np.array([i for i, one in enumerate(self.unit_ids) if sees(one)], np.int64)
        names = tuple(self.unit_ids[row] for row in rows.tolist())
        return replace(self, unit_ids=names, starts=self.starts.rows(rows))


def idle_units(board: Board) -> Idle:
    """
    Note which units are idle, for coverage to be worked out while the board goes on.

    Parameters
    ----------
    board : Board
        At an instant: it has been advanced.

    Returns
    -------
    idle : Idle
        Shares nothing with the board.
    """
    crew = board.crew()
    starts = board.seen.starts().rows(crew.rows)
    rows = np.flatnonzero(askable_now(board, starts))
    return Idle(
        at=datetime.fromtimestamp(board.now_s, UTC),
        unit_ids=tuple(crew.unit_ids[row] for row in rows.tolist()),
        starts=starts.rows(rows),
    )


class Covering:
    """
    Works out coverage, for the beats where there are any; any thread may use it.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    within_s : float
        T where a beat has no other.
    beats : sequence of Beat
        In their order.
    """

    def __init__(self, net: RoadNetwork, within_s: float, beats: Sequence[Beat]) -> None:
        self.net, self._within_s, self._beats = net, within_s, beats

    @property
    def has_own_limits(self) -> bool:
        """Whether a beat has a T of its own."""
        return any(beat.within_s != self._within_s for beat in self._beats)

    @cached_property
    def limit_s(self) -> FloatArray:
        """T of every edge, seconds; shape (m,)."""
        return edge_within_s(self.net, self._beats, self._within_s)

    @cached_property
    def _inside(self) -> list[BoolArray]:
        """The edges of each beat."""
        return [edges_in(self.net, beat) for beat in self._beats]

    def drive_times_s(self, idle: Idle) -> FloatArray:
        """
        Find how soon the first and the second idle unit could be on every road.

        Returns
        -------
        drive_time_s : ndarray of float64, shape (m, 2)
            From last fixes; inf where there is none.
        """
        return NearestUnits(self.net, idle.starts, k=2).at_middles()[1]

    def with_moved(
        self, idle: Idle, moves: Mapping[str, tuple[float, float]]
    ) -> tuple[FloatArray, FloatArray]:
        """
        Find the same as they stand, and with some of them elsewhere, as a thought.

        Parameters
        ----------
        idle : Idle
            The units.
        moves : mapping of str to (float, float)
            Longitude and latitude by unit; who is not idle covers nothing wherever it is, nor who
            is put where no road is near.

        Returns
        -------
        now_s, then_s : ndarray of float64, shape (m, 2)
            As `drive_times_s`.
        """
        units = NearestUnits(self.net, idle.starts, k=2)
        now_s = units.at_middles()[1]
        for row, unit_id in enumerate(idle.unit_ids):
            if unit_id in moves:
                units.move(row, starts_of(self.net, [snap(self.net, *moves[unit_id])]))
        return now_s, units.at_middles()[1]

    def shares(self, idle: Idle, drive_time_s: FloatArray) -> Json:
        """
        Sum up.

        Parameters
        ----------
        idle : Idle
            The units.
        drive_time_s : ndarray of float64, shape (m, 2)
            Theirs.

        Returns
        -------
        shares : dict
            ``all`` and ``beats``: share of road that the first and the second car reach within T.
        """
        everywhere = np.ones(len(self.limit_s), np.bool_)
        return {
            "at": instant_json(idle.at),
            "within_s": self._within_s,
            "idle": len(idle.unit_ids),
            "all": self._share(drive_time_s, everywhere),
            "beats": [
                {"beat": beat.name, "within_s": beat.within_s, **self._share(drive_time_s, inside)}
                for beat, inside in zip(self._beats, self._inside, strict=True)
            ],
        }

    def _share(self, drive_time_s: FloatArray, rows: BoolArray) -> Json:
        """Give the share of some roads that is reached in time."""
        road_m, limit_s = self.net.table.road_m[rows], self.limit_s[rows]
        first, second = (share_within(one[rows], limit_s, road_m) for one in drive_time_s.T)
        return {
            "road_km": number_json(float(road_m.sum()) / 1000),
            "first": number_json(first, 6),
            "second": number_json(second, 6),
        }

"""Who stands beside which stop: seen from positions alone (docs/model.md, section 5)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.kernels.beside import nearest_within
from geo.sightings import among

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.road_table import BoolArray, FloatArray, IntArray
    from data.settings import Policy


Change = tuple[str, int, float, float, bool]


@dataclass(slots=True)
class Beside:
    """A unit that was seen beside a stop, and since when; or away from it again."""

    stop_id: str
    since_s: float
    arrived: bool = False
    away_since_s: float | None = None


class Attendance:
    """
    Units that arrive at stops and leave them.

    Parameters
    ----------
    policy : Policy
        How near is there, and for how long.

    Attributes
    ----------
    beside : dict of int to Beside
        By the unit's row.
    """

    def __init__(self, policy: Policy) -> None:
        self._near_m = policy.present_within_m
        self._enough_s = policy.present_after_s
        self.beside: dict[int, Beside] = {}
        self._there: dict[str, set[int]] = defaultdict(set)
        self._stop_ids: tuple[str, ...] = ()
        self._place_deg: FloatArray = np.empty((2, 0))

    def at(self, stop_id: str) -> list[int]:
        """
        List the units that are there.

        Returns
        -------
        rows : list of int
            Rising.
        """
        return sorted(self._there.get(stop_id, ()))

    def recall(self, beside: Mapping[int, Beside]) -> None:
        """
        Take over what was known before; nothing was known here yet.

        Parameters
        ----------
        beside : mapping of int to Beside
            By the unit's row.
        """
        self.beside.update(beside)
        for row, one in beside.items():
            if one.arrived:
                self._there[one.stop_id].add(row)

    def put(self, places: Mapping[str, tuple[float, float]]) -> list[tuple[str, int]]:
        """
        Say where stops are now.

        Parameters
        ----------
        places : mapping of str to (float, float)
            lon_deg, lat_deg of every stop that goes on.

        Returns
        -------
        gone : list of (str, int)
            Stop and unit's row, where the unit was there and the stop is no more.
        """
        self._stop_ids = tuple(sorted(places))
        lon_lat = [places[stop_id] for stop_id in self._stop_ids]
        self._place_deg = np.array(lon_lat).reshape(-1, 2).T.copy()
        over = [row for row, one in self.beside.items() if one.stop_id not in places]
        gone = [(one.stop_id, row) for row in over if (one := self.beside.pop(row)).arrived]
        for stop_id in self._there.keys() - places.keys():
            del self._there[stop_id]
        return sorted(gone)

    def look(
        self, row: IntArray, at_s: FloatArray, lon_deg: FloatArray, lat_deg: FloatArray
    ) -> list[Change]:
        """
        Look where units are seen.

        Parameters
        ----------
        row : ndarray of int, shape (b,)
            Whose fix, in the order in which they were believed.
        at_s, lon_deg, lat_deg : ndarray of float64, shape (b,)
            When and where.

        Returns
        -------
        changes : list of (str, int, float, float, bool)
            Stop, unit's row, when it was seen, since when, and whether it has arrived (else it
            has left).
        """
        if not self._stop_ids:
            return []
        near = np.empty(len(row), np.int32)
        east, north = np.ascontiguousarray(lon_deg), np.ascontiguousarray(lat_deg)
        nearest_within(east, north, self._place_deg[0], self._place_deg[1], self._near_m, near)
        worth: BoolArray = near >= 0
        if self.beside:
            worth |= among(row, self.beside)
        changes = []
        for i in np.flatnonzero(worth).tolist():
            stop_id = self._stop_ids[near[i]] if near[i] >= 0 else ""
            changes += self._see(int(row[i]), stop_id, float(at_s[i]))
        return changes

    def _see(self, row: int, stop_id: str, at_s: float) -> list[Change]:
        """Take in one fix of a unit that is beside a stop, or was."""
        one = self.beside.get(row)
        if one is not None and one.stop_id == stop_id:
            one.away_since_s = None
            if not one.arrived and at_s - one.since_s >= self._enough_s:
                one.arrived = True
                self._there[stop_id].add(row)
                return [(stop_id, row, at_s, one.since_s, True)]
            return []
        left = []
        if one is not None and one.arrived:
            if one.away_since_s is None:
                one.away_since_s = at_s
            if at_s - one.away_since_s < self._enough_s:
                return []
            self._there[one.stop_id].discard(row)
            left.append((one.stop_id, row, at_s, one.away_since_s, False))
        self.beside.pop(row, None)
        if stop_id:
            self.beside[row] = Beside(stop_id, at_s)
        return left

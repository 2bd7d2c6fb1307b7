"""Where every unit was last seen: fixes in as they arrive, late, twice and out of order."""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from data.records import UnitFix
from data.road_table import METRES_PER_DEG
from geo.snap import snap_batch
from geo.starts import Starts

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from data.events import Fixes
    from data.road_table import BoolArray, FloatArray, IntArray
    from data.settings import Policy
    from geo.network import RoadNetwork

FUTURE_S = 60.0  # a clock may be so far ahead of ours
TELEPORT_MPS = 90.0  # faster than any car on a road: 200 mph
TELEPORT_M = 500.0  # a receiver that finds itself again may jump so far
FIELDS = ("fixed_at_s", "lon_deg", "lat_deg", "heading_deg", "speed_mps", "accuracy_m")
AT, LON, LAT, HEADING, SPEED, ACCURACY = range(6)
KEPT_ODD = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class OddFix:
    """
    A fix that was not believed.

    Parameters
    ----------
    unit_id : str
        Whose.
    fixed_at_s, received_at_s : float
        Taken and arrived, seconds since the epoch.
    lon_deg, lat_deg : float
        Where.
    why : str
        ``future`` or ``teleport``.
    """

    unit_id: str
    fixed_at_s: float
    received_at_s: float
    lon_deg: float
    lat_deg: float
    why: str


class Sightings:
    """
    The newest believed fix of every unit, by the instant at which it was taken.

    Parameters
    ----------
    net : RoadNetwork
        The roads.
    policy : Policy
        What counts as parked.

    Attributes
    ----------
    unit_ids : list of str
        By row, in the order in which they were first heard of.
    fix : ndarray of float64, shape (rows, 6)
        `FIELDS` of each unit; instants are seconds since the epoch, -inf before the first fix.
    counts : Counter of str
        How many fixes were ``believed``, ``late``, ``twice``, ``future``, ``teleport``.
    seen_count : int
        How many units were ever seen.
    odd : deque of OddFix
        The last ones that were not believed.
    doubted : dict of int to ndarray of float64, shape (6,)
        By row, a fix that puts the unit elsewhere, until a second one agrees with it.
    """

    def __init__(self, net: RoadNetwork, policy: Policy) -> None:
        self._net = net
        self._standing_below_mps = policy.standing_below_mps
        self._row: dict[str, int] = {}
        self.unit_ids: list[str] = []
        self.fix: FloatArray = _no_fixes(64)
        self.counts: Counter[str] = Counter()
        self.seen_count = 0
        self.odd: deque[OddFix] = deque(maxlen=KEPT_ODD)
        self.doubted: dict[int, FloatArray] = {}
        self._moved: set[int] = set()
        self._named: tuple[tuple[str, ...], IntArray] = (), np.empty(0, np.int64)
        self._starts = _no_starts(64, 2)

    def row(self, unit_id: str) -> int:
        """
        Give a unit's row, a new one if it was never heard of.

        Returns
        -------
        row : int
            For `fix` and `starts`.
        """
        row = self._row.setdefault(unit_id, len(self.unit_ids))
        if row == len(self.unit_ids):
            self.unit_ids.append(unit_id)
            if row == len(self.fix):
                self.fix = np.concatenate([self.fix, _no_fixes(row)])
                more = _no_starts(row, self._starts.edge.shape[1])
                self._starts = Starts(
                    edge=np.concatenate([self._starts.edge, more.edge]),
                    done_ms=np.concatenate([self._starts.done_ms, more.done_ms]),
                    price_ms=np.concatenate([self._starts.price_ms, more.price_ms]),
                )
        return row

    def fix_of(self, unit_id: str) -> UnitFix | None:
        """
        Give a unit's newest believed fix as a record.

        Returns
        -------
        fix : UnitFix or None
            None where it was never seen.
        """
        row = self._row.get(unit_id)
        if row is None or self.fix[row, AT] == -np.inf:
            return None
        at_s, *values = self.fix[row].tolist()
        lon_deg, lat_deg, *rest = values
        heading_deg, speed_mps, accuracy_m = (None if math.isnan(one) else one for one in rest)
        return UnitFix(
            fixed_at=datetime.fromtimestamp(at_s, UTC),
            lon_deg=lon_deg,
            lat_deg=lat_deg,
            heading_deg=heading_deg,
            speed_mps=speed_mps,
            accuracy_m=accuracy_m,
        )

    def recall(self, unit_ids: Sequence[str], fix: FloatArray) -> None:
        """
        Take over what was known before; nothing was known here yet.

        Parameters
        ----------
        unit_ids : sequence of str
            In their order.
        fix : ndarray of float64, shape (len(unit_ids), 6)
            As `self.fix`.
        """
        rows = [self.row(unit_id) for unit_id in unit_ids]
        self.fix[rows] = fix
        seen = np.flatnonzero(np.isfinite(fix[:, AT]))
        self._moved.update(seen.tolist())
        self.seen_count = len(seen)

    def take(self, fixes: Fixes, which: slice) -> tuple[IntArray, FloatArray]:
        """
        Take fixes in the order in which they arrived.

        Parameters
        ----------
        fixes : Fixes
            Many.
        which : slice
            The rows to take.

        Returns
        -------
        row : ndarray of int, shape (b,)
            Of those that were believed and are newer than all before, in order: whose.
        fix : ndarray of float64, shape (b, 6)
            And what.
        """
        row = self._rows_of(fixes.unit_ids)[fixes.unit_row[which]]
        fix = np.empty((len(row), len(FIELDS)))
        for column, name in enumerate(FIELDS):
            fix[:, column] = getattr(fixes, name)[which]
        received_at_s = fixes.received_at_s[which]
        before = self.fix[row]
        plain = (
            (np.bincount(row, minlength=1)[row] == 1)
            & (fix[:, AT] > before[:, AT])
            & (fix[:, AT] <= received_at_s + FUTURE_S)
            & plausible(before, fix)
        )
        if self.doubted:
            plain &= ~among(row, self.doubted)
        believed = plain.copy()
        for i in np.flatnonzero(~plain).tolist():
            believed[i] = self._take_one(int(row[i]), fix[i], float(received_at_s[i]))
        rows = row[plain]
        self.fix[rows] = fix[plain]
        self._moved.update(rows.tolist())
        row, fix = row[believed], fix[believed]
        self.counts["believed"] += len(row)
        self.seen_count += len(set(row[before[believed, AT] == -np.inf].tolist()))
        return row, fix

    def _rows_of(self, unit_ids: tuple[str, ...]) -> IntArray:
        """Give the rows of units; a period's fixes come in many parts, and name all units once."""
        if self._named[0] is not unit_ids:
            self._named = unit_ids, np.array([self.row(name) for name in unit_ids], np.int64)
        return self._named[1]

    def _take_one(self, row: int, fix: FloatArray, received_at_s: float) -> bool:
        """Take a fix that needs a second look."""
        before = self.fix[row]
        if fix[AT] > received_at_s + FUTURE_S:
            return self._disbelieve(row, fix, received_at_s, "future")
        if fix[AT] == before[AT]:
            # The same fix by two doors, or two of one instant: the smaller one, in any order.
            if not _key(fix) < _key(before):
                self.counts["twice"] += 1
                return False
        elif fix[AT] < before[AT]:
            self.counts["late"] += 1
            return False
        elif not plausible(before, fix):
            doubted = self.doubted.get(row)
            if doubted is None or not doubted[AT] < fix[AT] or not plausible(doubted, fix):
                self.doubted[row] = fix.copy()
                return self._disbelieve(row, fix, received_at_s, "teleport")
        # Two fixes that agree outweigh the one that put the unit elsewhere.
        self.doubted.pop(row, None)
        self.fix[row] = fix
        self._moved.add(row)
        return True

    def _disbelieve(self, row: int, fix: FloatArray, received_at_s: float, why: str) -> bool:
        """Keep and count a fix that cannot be."""
        self.counts[why] += 1
        odd = OddFix(
            unit_id=self.unit_ids[row],
            fixed_at_s=float(fix[AT]),
            received_at_s=received_at_s,
            lon_deg=float(fix[LON]),
            lat_deg=float(fix[LAT]),
            why=why,
        )
        self.odd.append(odd)
        return False

    def starts(self) -> Starts:
        """
        Give all units' places on the road.

        Returns
        -------
        starts : Starts
            By row; none for a unit without a fix, or off the road. Only those that moved since the
            last time are snapped anew.
        """
        if self._moved:
            rows = np.fromiter(sorted(self._moved), np.int64)
            self._moved.clear()
            fix = self.fix[rows]
            # A parked car's heading is the receiver's guess.
            guess = fix[:, SPEED] < self._standing_below_mps
            snapped = snap_batch(
                self._net,
                fix[:, LON],
                fix[:, LAT],
                np.where(guess, np.nan, fix[:, HEADING]),
                fix[:, ACCURACY],
                fix[:, SPEED],
            )
            new = snapped.starts(self._net)
            width = max(new.edge.shape[1], self._starts.edge.shape[1])
            new, self._starts = _widest(new, width), _widest(self._starts, width)
            self._starts.edge[rows] = new.edge
            self._starts.done_ms[rows] = new.done_ms
            self._starts.price_ms[rows] = new.price_ms
        return self._starts


def _widest(starts: Starts, width: int) -> Starts:
    """Make room for more edges, where there is not enough."""
    return starts if starts.edge.shape[1] == width else starts.widened(width)


def among(row: IntArray, rows: Collection[int]) -> BoolArray:
    """
    Tell which rows are among others; for few, several times faster than `numpy.isin`.

    Returns
    -------
    among : ndarray of bool, shape as `row`
        By row.
    """
    return np.fromiter((one in rows for one in row.tolist()), np.bool_, len(row))


def plausible(before: FloatArray, fix: FloatArray) -> BoolArray:
    """
    Tell whether a car may have come from one fix to the other.

    Parameters
    ----------
    before, fix : ndarray of float64, shape (..., 6)
        `FIELDS`.

    Returns
    -------
    plausible : ndarray of bool, shape (...)
        True where there was none before.
    """
    seconds = fix[..., AT] - before[..., AT]
    allowed_m = TELEPORT_M + TELEPORT_MPS * seconds
    for accuracy_m in (before[..., ACCURACY], fix[..., ACCURACY]):
        allowed_m = allowed_m + np.where(accuracy_m > 0, accuracy_m, 0.0)
    # Longitude may wrap.
    east_deg = (fix[..., LON] - before[..., LON] + 180) % 360 - 180
    east_m = east_deg * np.cos(np.radians(fix[..., LAT])) * METRES_PER_DEG
    north_m = (fix[..., LAT] - before[..., LAT]) * METRES_PER_DEG
    within: BoolArray = ~(np.hypot(east_m, north_m) > allowed_m)
    return within


def _key(fix: FloatArray) -> tuple[float, ...]:
    """Rank fixes of one instant: the more exact first, then any order that is always the same."""
    known = np.where(np.isnan(fix), np.inf, fix)
    return (float(known[ACCURACY]), *known.tolist())


def _no_fixes(count: int) -> FloatArray:
    """Make room for units that were not seen yet."""
    fix = np.full((count, len(FIELDS)), np.nan)
    fix[:, AT] = -np.inf
    return fix


def _no_starts(count: int, width: int) -> Starts:
    """Make room for units that are nowhere."""
    return Starts(
        edge=np.full((count, width), -1, np.int32),
        done_ms=np.zeros((count, width), np.int32),
        price_ms=np.zeros((count, width), np.int32),
    )

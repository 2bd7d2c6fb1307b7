"""Who is asked, by each policy: ours, and those it is measured against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from geo.dispatch import assign, give_and_take

if TYPE_CHECKING:
    from data.road_table import BoolArray, FloatArray
    from data.settings import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """
    Units that may be asked, and stops that somebody may be asked about.

    Parameters
    ----------
    unit_ids, stop_ids : tuple of str
        Rows and columns, rising.
    allowed : ndarray of bool, shape (u, s)
        Pairs that no rule forbids.
    tau_s : ndarray of float64, shape (u, s)
        Drive time with its allowance.
    crow_m : callable
        Gives metres as the crow flies, shape (u, s).
    gain : ndarray of float64, shape (u, s)
        What a unit's setting out gives the stop, officer-minutes; S is that less a cost, >= 0.
    score : callable
        Gives S of model section 4, officer-minutes, shape (u, s): dear, and seldom needed.
    alone : ndarray of bool, shape (s,)
        Flagged alone.
    waiting_s : ndarray of float64, shape (s,)
        How long each stop has gone on.
    asked_s : ndarray of float64, shape (u,)
        When each unit was last asked, seconds since the epoch; -inf for never.
    now_s : float
        The instant.
    """

    unit_ids: tuple[str, ...]
    stop_ids: tuple[str, ...]
    allowed: BoolArray
    tau_s: FloatArray
    crow_m: Callable[[], FloatArray]
    gain: FloatArray
    score: Callable[[], FloatArray]
    alone: BoolArray
    waiting_s: FloatArray
    asked_s: FloatArray
    now_s: float


Pairs = list[tuple[int, int]]
Choose = Callable[[Candidates, "Policy"], Pairs]
"""Rows of unit and stop, each at most once."""


def nobody(_candidates: Candidates, _policy: Policy) -> Pairs:
    """
    Ask nobody.

    Returns
    -------
    pairs : list of (int, int)
        None.
    """
    return []


def by_crow(candidates: Candidates, _policy: Policy) -> Pairs:
    """
    Ask the nearest as the crow flies, one stop after the other, the oldest first.

    Returns
    -------
    pairs : list of (int, int)
        Rows of unit and stop.
    """
    return _one_by_one(candidates, candidates.crow_m())


def by_road(candidates: Candidates, _policy: Policy) -> Pairs:
    """
    Ask the nearest by road, one stop after the other, the oldest first.

    Returns
    -------
    pairs : list of (int, int)
        Rows of unit and stop.
    """
    return _one_by_one(candidates, candidates.tau_s)


def _one_by_one(candidates: Candidates, far: FloatArray) -> Pairs:
    """Give each stop the nearest unit that is left."""
    far = np.where(candidates.allowed, far, np.inf)
    pairs = []
    for stop in np.argsort(-candidates.waiting_s, kind="stable").tolist():
        unit = int(far[:, stop].argmin()) if len(far) else 0
        if len(far) and np.isfinite(far[unit, stop]):
            pairs.append((unit, stop))
            far[unit] = np.inf
    return pairs


def jointly(candidates: Candidates, _policy: Policy) -> Pairs:
    """
    Ask the nearest by road for all stops together: as many as can be helped, in the least time.

    Returns
    -------
    pairs : list of (int, int)
        Rows of unit and stop.
    """
    # More than all drives together: leaving a stop out never pays.
    far_s = 1.0 + np.where(candidates.allowed, candidates.tau_s, 0.0).sum()
    cost = np.where(candidates.allowed, candidates.tau_s, far_s)
    pairs = zip(*linear_sum_assignment(cost), strict=True)
    return [(int(unit), int(stop)) for unit, stop in pairs if candidates.allowed[unit, stop]]


def ours(candidates: Candidates, policy: Policy) -> Pairs:
    """
    Ask whom the model says: worth against cost, all stops together, with a reserve.

    Returns
    -------
    pairs : list of (int, int)
        Rows of unit and stop.
    """
    worthwhile = candidates.allowed & (candidates.gain >= policy.score_min)
    if not worthwhile.any():
        return []
    score = np.where(candidates.allowed, candidates.score(), -np.inf)
    pairs = assign(score, candidates.alone, policy)
    return give_and_take(pairs, score, candidates.asked_s, candidates.unit_ids, policy)


POLICIES: dict[str, Choose] = {
    "nobody": nobody,
    "crow": by_crow,
    "road": by_road,
    "jointly": jointly,
    "ours": ours,
}

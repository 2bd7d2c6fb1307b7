"""Where idle units should stand: covering and median models, solved to a proven gap by HiGHS."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from data.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from data.road_table import BoolArray, FloatArray, IntArray

FARTHEST_S = 3600.0
"""What a drive counts in the median that takes longer, or has no way."""
_DECIDED = 0.5  # a solver's 0 or 1 is off by some 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    Where to stand.

    Parameters
    ----------
    posts : tuple of int
        Rows of the candidates, rising.
    value : float
        What the model counts, moves paid for: to be large in covering, small in the median.
    bound : float
        No plan has a better value: proven.
    """

    posts: tuple[int, ...]
    value: float
    bound: float

    @property
    def gap(self) -> float:
        """What may be left to gain, as a share of the value; 0 where nothing is."""
        return abs(self.bound - self.value) / max(abs(self.value), 1e-9)


def expected_worth(count: int, busy: float) -> FloatArray:
    """
    Give what each further car within T is worth in MEXCLP.

    Parameters
    ----------
    count : int
        Cars.
    busy : float
        q, the share of time that a car is busy, 0 to below 1.

    Returns
    -------
    worth : ndarray of float64, shape (count,)
        (1 - q) q^k: that car k is free and none before it is (Daskin 1983, Transportation Science
        17).

    Raises
    ------
    InputError
        If `busy` is out of range.
    """
    if not 0 <= busy < 1:
        raise InputError(f"busy={busy}: must be a share of time from 0 to below 1")
    worth: FloatArray = (1 - busy) * np.power(busy, np.arange(count))
    return worth


def covered(reach: BoolArray, share: FloatArray, worth: Sequence[float] | FloatArray) -> float:
    """
    Count the demand that some posts cover, each car by its worth.

    Parameters
    ----------
    reach : ndarray of bool, shape (z, n)
        Which point of the demand is within T of which post.
    share : ndarray of float64, shape (z,)
        Of the demand.
    worth : sequence of float, length k
        Of the first car, the second, and so on; more of them are worth nothing.

    Returns
    -------
    value : float
        Sum of shares times worths.
    """
    cars = np.minimum(reach.sum(axis=1), len(worth))
    return float(share @ np.concatenate([[0.0], np.cumsum(worth)])[cars])


def mean_drive_s(time_s: FloatArray, share: FloatArray) -> float:
    """
    Give the mean drive time from the nearest of some posts.

    Parameters
    ----------
    time_s : ndarray of float64, shape (z, n)
        From each post to each point of the demand; no more than `FARTHEST_S` counts.
    share : ndarray of float64, shape (z,)
        Of the demand.

    Returns
    -------
    mean_s : float
        Seconds.
    """
    return float(share @ time_s.min(axis=1, initial=FARTHEST_S))


def net_cover(
    reach: BoolArray,
    share: FloatArray,
    worth: Sequence[float] | FloatArray,
    move_price: FloatArray,
    posts: list[int],
) -> float:
    """
    Count what posts cover, their price paid: what `cover_most` makes large.

    Returns
    -------
    value : float
        In shares of demand.
    """
    return covered(reach[:, posts], share, worth) - float(move_price[posts].sum())


def priced_mean_s(
    time_s: FloatArray, share: FloatArray, move_price: FloatArray, posts: list[int]
) -> float:
    """
    Give the mean drive time from posts and their price: what `nearest_on_average` makes small.

    Returns
    -------
    value : float
        Seconds.
    """
    return mean_drive_s(time_s[:, posts], share) + float(move_price[posts].sum())


def cover_most(
    reach: BoolArray,
    share: FloatArray,
    count: int,
    worth: Sequence[float] | FloatArray,
    *,
    move_price: FloatArray,
    limit_s: float = 60.0,
) -> Plan:
    """
    Choose posts that cover most.

    With the worths of `expected_worth` this is MEXCLP; with two, maximal backup coverage: BACOP2 of
    Hogan and ReVelle (1986, Management Science 32).

    Parameters
    ----------
    reach : ndarray of bool, shape (z, p)
        Which point of the demand is within T of which candidate.
    share : ndarray of float64, shape (z,)
        Of the demand.
    count : int
        How many posts, 1 to p.
    worth : sequence of float, length k
        Of the first car, the second, and so on: none more than the one before.
    move_price : ndarray of float64, shape (p,)
        What it costs to stand at each candidate, in shares of demand.
    limit_s : float
        Time for the solver, seconds; the best found by then is given, with its bound.

    Returns
    -------
    plan : Plan
        Its value is `covered` less the price.

    Raises
    ------
    InputError
        If there are fewer candidates than posts, a worth rises, or no plan was found in time.
    """
    worths = np.asarray(worth, np.float64)
    if (np.diff(worths) > 0).any():
        raise InputError("worth: a further car must not be worth more than the one before")
    points, candidates = reach.shape
    _check_count(count, candidates)
    cars = [sparse.eye_array(points)] * len(worths)  # a column for each car within T of a point
    met = sparse.hstack([-sparse.csr_array(reach.astype(np.float64)), *cars])
    gain = np.concatenate([-move_price, np.outer(worths, share).ravel()])
    found = _solved(-gain, [(met, -np.inf, 0.0)], candidates, count, limit_s)
    return _plan(found, -1, partial(net_cover, reach, share, worths, move_price))


def nearest_on_average(
    time_s: FloatArray,
    share: FloatArray,
    count: int,
    *,
    move_price: FloatArray,
    limit_s: float = 60.0,
) -> Plan:
    """
    Choose posts with the least mean drive time from the nearest: the p-median.

    Parameters
    ----------
    time_s : ndarray of float64, shape (z, p)
        From each candidate to each point of the demand; at most `FARTHEST_S` counts.
    share : ndarray of float64, shape (z,)
        Of the demand.
    count : int
        How many posts, 1 to p.
    move_price : ndarray of float64, shape (p,)
        What it costs to stand at each candidate, in seconds of the mean.
    limit_s : float
        Time for the solver, seconds.

    Returns
    -------
    plan : Plan
        Its value is `mean_drive_s` and the price.

    Raises
    ------
    InputError
        If there are fewer candidates than posts, or no plan was found in time.
    """
    points, candidates = time_s.shape
    _check_count(count, candidates)
    counted_s = np.minimum(time_s, FARTHEST_S)
    pairs = points * candidates
    served = sparse.kron(sparse.eye_array(points), np.ones((1, candidates)))
    stood = sparse.kron(np.ones((points, 1)), sparse.eye_array(candidates))
    each = sparse.hstack([sparse.csr_array((points, candidates)), served])
    only = sparse.hstack([-stood, sparse.eye_array(pairs)])
    cost = np.concatenate([move_price, (share[:, None] * counted_s).ravel()])
    rules = [(each, 1.0, 1.0), (only, -np.inf, 0.0)]
    found = _solved(cost, rules, candidates, count, limit_s)
    return _plan(found, 1, partial(priced_mean_s, time_s, share, move_price))


def greedily(candidates: int, count: int, value: Callable[[list[int]], float]) -> tuple[int, ...]:
    """
    Choose posts one by one, each the best beside those before: what a solver is held against.

    Parameters
    ----------
    candidates : int
        How many there are.
    count : int
        How many to choose.
    value : callable
        Rows of candidates -> what is to be large.

    Returns
    -------
    posts : tuple of int
        Rising; the lower row where two are worth the same.
    """
    posts: list[int] = []
    for _ in range(count):
        others = [row for row in range(candidates) if row not in posts]
        posts.append(max(others, key=lambda row: value([*posts, row])))
    return tuple(sorted(posts))


def _check_count(count: int, candidates: int) -> None:
    """
    Refuse what nobody can stand at.

    Raises
    ------
    InputError
        If there are fewer candidates than posts.
    """
    if not 1 <= count <= candidates:
        raise InputError(f"count={count}: must be 1 to {candidates}, the places to choose from")


def _solved(
    cost: FloatArray,
    rules: Sequence[tuple[Any, float, float]],
    candidates: int,
    count: int,
    limit_s: float,
) -> tuple[IntArray, float]:
    """
    Have HiGHS choose candidates at the least cost; give them and what it proved.

    Raises
    ------
    InputError
        If it found no plan in time.
    """
    whole = np.zeros(len(cost), np.int64)
    whole[:candidates] = 1
    chosen = LinearConstraint(sparse.csr_array(whole[None, :]), count, count)
    found = milp(
        cost,
        integrality=whole,
        bounds=Bounds(0, 1),
        constraints=[chosen, *(LinearConstraint(*rule) for rule in rules)],
        options={"time_limit": limit_s, "mip_rel_gap": 0.0},
    )
    if found.x is None:
        raise InputError(
            f"posts: no plan was found in {limit_s:g} s; give it more time or fewer candidates"
        )
    return np.flatnonzero(found.x[:candidates] > _DECIDED), float(found.mip_dual_bound)


def _plan(found: tuple[IntArray, float], sign: int, value: Callable[[list[int]], float]) -> Plan:
    """Give a plan with its value counted anew, so that none is taken on the solver's word."""
    posts = found[0].tolist()
    return Plan(posts=tuple(posts), value=value(posts), bound=sign * found[1])

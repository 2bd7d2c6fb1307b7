"""Intervals and tests where days go by those before; the stops that are exposed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from data.settings import Policy
from geo.gap_days import change, day_spread, days_alike, dependence, trend
from geo.gap_figures import exposed_bounds, interval, two_car_preparedness

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.road_table import FloatArray

MONDAY = 4  # days from 1970-01-01


def period(days: int) -> Any:
    """Whole days, from a Monday."""
    return SimpleNamespace(day=np.repeat(MONDAY + np.arange(days), 24))


def waves(rng: np.random.Generator, days: int, rho: float) -> FloatArray:
    """A share a day, each like the one before."""
    share = rng.normal(0, 1, days)
    for i in range(1, days):
        share[i] = rho * share[i - 1] + np.sqrt(1 - rho**2) * share[i]
    found: FloatArray = (0.5 + 0.12 * share).clip(0, 1)
    return found


def spells(rng: np.random.Generator, days: int, stays: float) -> FloatArray:
    """All or nothing a day, and more often than not as the day before."""
    share: FloatArray = np.where(rng.random(days) < 0.5, 1.0, 0.0)
    kept = rng.random(days) < stays
    for i in range(1, days):
        share[i] = share[i - 1] if kept[i] else share[i]
    return share


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_no_change_and_no_trend_are_made_up_of_days_like_those_before(rho: float) -> None:
    rng = np.random.default_rng(2)
    past, alarms = period(42), np.zeros(2)
    for seed in range(100):
        hours = np.repeat(waves(rng, 42, rho), 24)
        p = change(past, past.day >= MONDAY + 21, hours, seed=seed).p
        alarms[0] += p is not None and p < 0.05
        alarms[1] += trend(past, hours, seed=seed)[1] < 0.05
    assert (alarms <= 11).all()  # of 100, where 5 are expected; taken as independent: 29 and 28


@pytest.mark.parametrize(("stays", "least"), [(0.0, 0.93), (0.6, 0.87)])
def test_an_interval_holds_though_days_go_by_those_before(stays: float, least: float) -> None:
    rng = np.random.default_rng(3)
    past, hits = period(56), 0
    for _ in range(200):
        share = spells(rng, 56, stays)
        alike = days_alike(past, np.repeat(share, 24))
        found = interval(np.array([share.mean()]), np.array([56]), alike)
        hits += bool(found.low[0] <= 0.5 <= found.high[0])
    assert hits / 200 >= least  # taken as independent: 0.72 of days that stay


def one_odd_day_in_ten(rng: np.random.Generator, days: int, rho: float) -> FloatArray:
    """Days much alike, and now and then one quite unlike them."""
    usual = waves(rng, days, rho) * 0.1 + 0.85
    found: FloatArray = np.where(rng.random(days) < 0.1, 0.0, usual)
    return found


@pytest.mark.parametrize(
    ("days", "kind", "rho", "truth", "least"),
    [
        (28, waves, 0.0, 0.5, 0.93),
        (90, waves, 0.0, 0.5, 0.93),
        (90, waves, 0.5, 0.5, 0.9),
        (28, one_odd_day_in_ten, 0.0, 0.81, 0.93),
        (60, one_odd_day_in_ten, 0.0, 0.81, 0.93),
        (5, one_odd_day_in_ten, 0.0, 0.81, 0.93),  # too few to rest on how they vary
    ],
)
def test_an_interval_by_how_days_differ_holds_and_is_narrower(
    days: int, kind: Callable[..., FloatArray], rho: float, truth: float, least: float
) -> None:
    rng, past = np.random.default_rng(5), period(days)
    hits, width, plain_width = 0, 0.0, 0.0
    for _ in range(400):
        share = kind(rng, days, rho)
        hours = np.repeat(share, 24)
        alike = np.full(2, days_alike(past, hours))
        varies = day_spread(past, np.stack([hours, hours], axis=1), alike)[:1]
        times, mean = np.array([days]), np.array([share.mean()])
        found = interval(mean, times, alike[:1], variance=varies)
        plain = interval(mean, times, alike[:1])
        hits += bool(found.low[0] <= truth <= found.high[0])
        width += float(found.high[0] - found.low[0])
        plain_width += float(plain.high[0] - plain.low[0])
    assert hits / 400 >= least
    narrower = width / plain_width
    assert narrower == 1 if days < 28 else narrower < (0.8 if days >= 60 else 1)


def test_dependence_is_that_of_the_days_and_not_of_their_gaps() -> None:
    rng = np.random.default_rng(4)
    share, whole = waves(rng, 400, 0.5), np.ones((400, 1))
    assert dependence(np.arange(400), share, whole) == pytest.approx(3, abs=0.9)
    assert dependence(np.arange(400) * 3, share, whole) == 1  # no day follows another
    assert dependence(np.arange(400), np.full(400, 0.3), whole) == 1
    assert dependence(np.arange(13), share[:13], whole[:13]) == 1
    rising = np.linspace(0, 1, 400) + 0.01 * rng.normal(0, 1, 400)
    line = np.stack([np.ones(400), np.arange(400.0)], axis=1)
    assert dependence(np.arange(400), rising, line) < 1.4  # a trend is no dependence


def test_stops_exposed_lie_in_their_interval() -> None:
    rng = np.random.default_rng(6)
    weeks, days, cells = 4, 28, 40
    truth = np.tile([0.05, 0.5, 2.0, 8.0], cells // 4)  # stops a week in each cell
    beyond = rng.random(cells)
    hits = []
    for _ in range(60):
        seen = rng.poisson(truth * weeks)
        daily = np.clip(beyond[:, None] + 0.2 * rng.normal(0, 1, (cells, days)), 0, 1)
        prior = 20 / cells
        scale = seen.sum() / (seen.sum() + 20) / weeks
        rate = ((seen + prior) * scale).astype(np.float64)
        share = daily.mean(axis=1)
        exposed = np.repeat((rate * share)[:, None], 2, axis=1).astype(np.float64)
        low, high = exposed_bounds(
            exposed, rate, (seen + prior).astype(np.float64), days, np.ones(2)
        )
        assert (low <= exposed).all()
        assert (exposed <= high).all()
        wanted = truth * np.clip(beyond, 0, 1)
        hits.append((low[:, 0] <= wanted) & (wanted <= high[:, 0]))
    assert np.mean(hits, axis=0).reshape(-1, 4).mean(axis=0).min() >= 0.95


def test_where_nothing_was_seen_the_interval_is_wide() -> None:
    exposed, rate = np.array([[0.1, 0.2]]), np.array([0.2])
    few = exposed_bounds(exposed, rate, np.array([0.5]), 1, np.ones(2))
    many = exposed_bounds(exposed, rate, np.array([500.0]), 400, np.ones(2))
    assert few[0].max() < 0.01
    assert few[1].min() > 0.5
    assert many[0].min() > 0.08
    assert many[1].max() < 0.25
    none = exposed_bounds(np.zeros((1, 2)), np.zeros(1), np.zeros(1), 10, np.ones(2))
    assert np.isfinite(none).all()


def test_how_ready_cells_were_is_worked_by_hand() -> None:
    time_km = np.zeros((2, 2, 181))
    # The first car 125 s away half of the time and nowhere else, the second 245 s all the time.
    time_km[0, 0, [12, 180]] = 2.0
    time_km[0, 1, 24] = 4.0
    time_km[1, 0, 0] = 8.0  # beside the road: counts as half a minute away
    time_km[1, 1, 180] = 8.0
    past: Any = SimpleNamespace(
        drive_time_km=time_km,
        hour_of_week=np.array([0, 0, 1, 2]),
        stops=np.zeros((168, 2), np.int64),
        road_km=np.array([1.0, 1.0]),
    )
    past.stops[0, 0] = 8
    policy = Policy(preparedness_stops_min=1e-6)
    rate = 8 * (20 / 4 * 4 + 8) / 28**2 / 4 * np.array([8 + 10, 10])  # stops an hour, shrunk
    near = np.array([0.5 * 60 / 125 + 0.5 * 60 / 245, 60 / 30])
    assert two_car_preparedness(past, policy).tolist() == pytest.approx((near / rate).tolist())
    few = Policy(preparedness_stops_min=10.0)
    assert two_car_preparedness(past, few).tolist() == pytest.approx((near / 10).tolist())

"""Constants are recovered from made-up cases whose truth is known, within their own intervals."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from data.events import Answer
from geo.arrivals import Asked
from geo.calibrate import (
    ENOUGH,
    calibrate,
    fit_duration,
    fit_share,
    fit_spread,
    reliability_of,
)

if TYPE_CHECKING:
    from geo.calibrate import Fit

SEEDS = 200


def covers(fit: Fit, truth: float) -> bool:
    assert fit.low is not None
    assert fit.high is not None
    assert fit.fitted is not None
    assert fit.low < fit.fitted < fit.high
    return fit.low <= truth <= fit.high


def drives(seed: int, n: int = 150) -> tuple[Fit, Fit]:
    """Make drives of median ratio 1.2 and scatter 0.4, many of them cut off by the stop's end."""
    rng = np.random.default_rng(seed)
    ratio, cut = rng.normal(np.log(1.2), 0.4, n), rng.normal(0.5, 0.5, n)
    return fit_spread(np.minimum(ratio, cut), ratio <= cut)


def test_bias_and_scatter_are_recovered_though_drives_are_cut_off() -> None:
    fits = [drives(seed) for seed in range(60)]
    assert np.mean([covers(bias, 1.2) for bias, _ in fits]) > 0.88
    assert np.mean([covers(spread, 0.4) for _, spread in fits]) > 0.88
    assert np.mean([spread.fitted for _, spread in fits]) == pytest.approx(0.4, abs=0.02)
    assert min(bias.censored for bias, _ in fits) > 20


def asking(tau_s: float, arrived_s: float, *, age_s: float) -> Asked:
    """Somebody who came, and how much of what was reckoned was for an old fix."""
    at = datetime(2026, 3, 13, tzinfo=UTC)
    return Asked(
        answer=Answer(suggestion_id="S/1", stop_id="S", unit_id="1A1", asked_at=at),
        within_s=180.0,
        drive_time_s=tau_s - age_s,
        tau_s=tau_s,
        chance=0.5,
        backup_probability=0.5,
        comes=True,
        arrived_s=arrived_s,
        anyone_s=arrived_s,
        watched_s=3600.0,
        driven_s=3600.0,
        first=True,
    )


def test_a_few_cars_out_of_a_dead_zone_are_no_scatter_of_the_road() -> None:
    rng = np.random.default_rng(5)
    fresh = [asking(300, 300 * np.exp(rng.normal(0, 0.25)), age_s=20) for _ in range(300)]
    hidden = [asking(450, 30, age_s=200) for _ in range(6)]
    near = [asking(60, 10, age_s=0) for _ in range(6)]
    found = calibrate([*fresh, *hidden, *near], ())
    assert found.spread.n == 300
    assert covers(found.spread, 0.25)
    assert found.unit.n == 312  # how good predictions are is judged by all


def test_the_share_that_comes_is_recovered() -> None:
    draws = (int((np.random.default_rng(seed).random(120) < 0.85).sum()) for seed in range(SEEDS))
    assert np.mean([covers(fit_share(yes, 120), 0.85) for yes in draws]) > 0.9


def test_durations_are_recovered_though_some_still_go_on() -> None:
    def fit(seed: int) -> Fit:
        lasted, seen = np.random.default_rng(seed).exponential([[8.0], [20.0]], (2, 80))
        return fit_duration(np.minimum(lasted, seen), lasted <= seen)

    fits = [fit(seed) for seed in range(SEEDS)]
    assert np.mean([covers(one, 8.0) for one in fits]) > 0.9
    assert min(one.censored for one in fits) > 5


def test_too_few_cases_fit_nothing() -> None:
    few = np.linspace(-1, 1, ENOUGH - 1)
    assert fit_spread(few, np.ones(len(few), np.bool_))[1].fitted is None
    assert fit_share(3, ENOUGH - 1).fitted is None
    assert fit_duration(few + 2, np.ones(len(few), np.bool_)).fitted is None
    assert reliability_of([], []).brier is None
    alike = np.zeros(ENOUGH)
    assert fit_spread(alike, np.ones(len(alike), np.bool_))[1].fitted is None


def test_the_brier_score_by_hand() -> None:
    found = reliability_of([0.05, 0.05, 0.95, 0.95], [False, True, True, True])
    assert found.brier == pytest.approx((3 * 0.05**2 + 0.95**2) / 4)
    assert found.reference == pytest.approx(0.75 * 0.25)
    assert found.resolution == pytest.approx(0.0625)
    assert [(one.n, one.observed) for one in found.bins] == [(2, 0.5), (2, 1.0)]
    assert found.reliability == pytest.approx((0.45**2 + 0.05**2) / 2)


def test_honest_probabilities_lie_in_their_intervals() -> None:
    rng = np.random.default_rng(0)
    chance = rng.random(4000)
    found = reliability_of(chance.tolist(), (rng.random(4000) < chance).tolist())
    assert sum(one.low <= one.predicted <= one.high for one in found.bins) >= 9
    assert found.brier is not None
    assert found.reference is not None
    assert found.brier < found.reference

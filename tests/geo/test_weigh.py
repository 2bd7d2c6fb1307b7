"""The model as arrays, against the model one pair at a time."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from data.records import UnitFix
from data.settings import Policy
from geo.backup import backup_probability, chance_within, flag_stop
from geo.staleness import age_of, ages
from geo.weigh import Needs, cost_min, gain_min, weigh_cover
from tests.geo import plain
from tests.geo.towns import NOW
from tests.prove import examples

POLICY = Policy()


@given(
    times=st.lists(st.floats(0, 2000) | st.just(math.inf), min_size=0, max_size=6),
    counts=st.lists(st.booleans(), min_size=6, max_size=6),
    short=st.integers(0, 2),
    sure=st.booleans(),
)
@hypothesis_settings(max_examples=examples(200), deadline=None)
def test_flags_are_those_of_one_stop_alone(
    times: list[float], counts: list[bool], short: int, *, sure: bool
) -> None:
    policy = Policy(comes_when_asked=1.0) if sure else POLICY
    needs = Needs(
        within_s=np.array([180.0]),
        mean_min=np.array([8.0]),
        weight=np.array([1.0]),
        short=np.array([short]),
    )
    counting = np.array(counts[: len(times)], np.bool_)[:, None]
    drive_s = np.array(times)[:, None]
    cover = weigh_cover(drive_s, np.zeros(len(times)), counting, needs, policy)
    near = [
        float(chance_within(t, 180.0, policy)) if t <= 730 else 0.0
        for t, one in zip(times, counts, strict=False)
        if one
    ]
    assert cover.probability[0] == pytest.approx(backup_probability(near, policy), abs=1e-12)
    assert cover.flag(0) is flag_stop(near, short=short, policy=policy)


@given(
    seed=st.integers(0, 2**32 - 1),
    units=st.integers(0, 7),
    stops=st.integers(0, 5),
    comes=st.sampled_from([0.0, 0.85, 1.0]),
)
@hypothesis_settings(max_examples=examples(200), deadline=None)
def test_the_kernel_gives_what_each_stop_alone_gives(
    seed: int, units: int, stops: int, comes: float
) -> None:
    policy, rng = Policy(comes_when_asked=comes), np.random.default_rng(seed)
    drive_s = rng.choice([0.0, 1.0, 40.0, 170.5, 400.0, 729.9, 731.0, np.inf], (units, stops))
    age_s, counts = rng.choice([0.0, 7.5, 300.0], units), rng.random((units, stops)) < 0.7
    needs = Needs(
        within_s=rng.choice([60.0, 180.0], stops),
        mean_min=np.full(stops, 8.0),
        weight=np.ones(stops),
        short=rng.integers(0, 3, stops),
    )
    found = weigh_cover(drive_s, age_s, counts, needs, policy)
    np.testing.assert_array_equal(found.tau_s, drive_s + 0.75 * age_s[:, None])
    for stop in range(stops):
        chance, probability, without_best = plain.cover(
            found.tau_s[:, stop].tolist(),
            drive_s[:, stop].tolist(),
            counts[:, stop].tolist(),
            float(needs.within_s[stop]),
            policy,
        )
        assert found.chance[:, stop].tolist() == chance
        assert found.probability[stop] == pytest.approx(probability, abs=1e-14)
        assert found.without_best[stop] == pytest.approx(without_best, abs=1e-12)


def test_a_gain_fills_the_slots_that_would_be_filled_last() -> None:
    needs = Needs(
        within_s=np.array([180.0, 180.0]),
        mean_min=np.array([10.0, 10.0]),
        weight=np.array([1.0, 2.0]),
        short=np.array([2, 1]),
    )
    tau_s = np.full((2, 2), 300.0)
    gain = gain_min(tau_s, np.array([1, 2]), [[900.0], []], needs, Policy(comes_when_asked=1.0))
    mine, later = math.exp(-0.5), math.exp(-1.5)
    assert gain[0] == pytest.approx([10 * mine, 20 * mine])
    # A second officer in the car replaces the one who is a quarter of an hour away.
    assert gain[1] == pytest.approx([10 * mine + 10 * (mine - later), 20 * mine])


def test_cover_that_any_car_takes_with_it_costs_nothing() -> None:
    needs = Needs(
        within_s=np.array([180.0]),
        mean_min=np.array([8.0]),
        weight=np.array([1.0]),
        short=np.array([1]),
    )
    lost = np.array([0.0, 0.1, 0.3])
    cost = cost_min(np.full((3, 1), 120.0), lost, 12, needs, POLICY)
    # Twelve on duty begin 0.1 stops a minute; ten minutes away, a fifth bare, eight minutes each.
    assert cost[:, 0] == pytest.approx([0, 0, 0.1 * 10 * 0.2 * 8])


def test_backup_that_is_sooner_leaves_nothing_to_gain() -> None:
    needs = Needs(
        within_s=np.array([180.0]),
        mean_min=np.array([10.0]),
        weight=np.array([1.0]),
        short=np.array([1]),
    )
    assert gain_min(np.array([[300.0]]), np.array([1]), [[60.0]], needs, POLICY) == 0


@given(age_s=st.floats(-5, 2000), speed=st.none() | st.floats(0, 3))
@hypothesis_settings(max_examples=examples(200), deadline=None)
def test_ages_of_many_are_those_of_one(age_s: float, speed: float | None) -> None:
    fixed_at = NOW - timedelta(seconds=age_s)
    one = age_of(
        UnitFix(fixed_at=fixed_at, lon_deg=0, lat_deg=0, speed_mps=speed), now=NOW, policy=POLICY
    )
    effective_s, stale = ages(
        np.array([fixed_at.timestamp()]),
        np.array([np.nan if speed is None else speed]),
        now_s=NOW.timestamp(),
        policy=POLICY,
    )
    assert effective_s[0] == pytest.approx(one.effective_s, abs=1e-5)
    assert stale[0] == (one.freshness.value == "stale")

"""G, F and the flags are the model's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.records import Flag
from data.settings import Policy
from geo.backup import backup_probability, chance_within, flag_stop

POLICY = Policy()
chances = st.lists(st.floats(0, 1), max_size=6)


def phi(x: float) -> float:
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


@pytest.mark.parametrize(("tau_s", "within_s"), [(0, 180), (60, 180), (180, 180), (540, 600)])
def test_chance_is_the_models(tau_s: float, within_s: float) -> None:
    expected = phi((math.log(within_s) - math.log(max(1, tau_s))) / 0.35)
    assert chance_within(tau_s, within_s, POLICY) == pytest.approx(expected)


def test_no_way_is_no_chance() -> None:
    assert chance_within(np.inf, 180, POLICY) == 0


def test_probability_is_the_models() -> None:
    assert backup_probability([], POLICY) == 0
    expected = 1 - (1 - 0.85 * 0.9) * (1 - 0.85 * 0.5)
    assert backup_probability([0.9, 0.5], POLICY) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("given_chances", "short", "flag"),
    [
        ([], 1, Flag.ALONE),
        ([0.7], 1, Flag.ALONE),
        ([0.999], 1, Flag.THIN),
        ([0.999, 0.5], 1, Flag.THIN),
        ([0.999, 0.72], 1, Flag.COVERED),
        ([], 0, Flag.COVERED),
    ],
)
def test_flags(given_chances: list[float], short: int, flag: Flag) -> None:
    assert flag_stop(given_chances, short=short, policy=POLICY) is flag


@given(chances, st.floats(0, 1))
def test_one_unit_more_never_worsens(some: list[float], more: float) -> None:
    rank = [Flag.ALONE, Flag.THIN, Flag.COVERED]
    assert backup_probability([*some, more], POLICY) >= backup_probability(some, POLICY) - 1e-12
    before = flag_stop(some, short=1, policy=POLICY)
    after = flag_stop([*some, more], short=1, policy=POLICY)
    assert rank.index(after) >= rank.index(before)


@given(chances)
def test_order_changes_nothing(some: list[float]) -> None:
    flags = {flag_stop(order, short=1, policy=POLICY) for order in (some, some[::-1])}
    assert len(flags) == 1

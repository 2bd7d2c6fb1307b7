"""Where idle units should stand: the solver's plans against every other one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from geo.posts import (
    FARTHEST_S,
    cover_most,
    covered,
    expected_worth,
    greedily,
    mean_drive_s,
    nearest_on_average,
)

FREE = np.zeros


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from(["backup", "mexclp"]))
def test_no_choice_covers_more_than_the_plan(seed: int, count: int, model: str) -> None:
    rng = np.random.default_rng(seed)
    reach = rng.random((9, 7)) < 0.35
    share = rng.dirichlet(np.ones(9))
    price = np.where(rng.random(7) < 0.5, 0, 0.05)
    worth = np.array([0.5, 0.5]) if model == "backup" else expected_worth(count, 0.4)
    plan = cover_most(reach, share, count, worth, move_price=price)

    def net(posts: tuple[int, ...]) -> float:
        return covered(reach[:, list(posts)], share, worth) - float(price[list(posts)].sum())

    best = max(map(net, combinations(range(7), count)))
    assert len(plan.posts) == count
    assert plan.value == pytest.approx(net(plan.posts))
    assert plan.value == pytest.approx(best, abs=1e-6)
    assert plan.bound == pytest.approx(best, abs=1e-6)
    assert plan.gap < 1e-5


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_no_choice_is_nearer_than_the_median(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    time_s = np.where(rng.random((8, 6)) < 0.1, np.inf, rng.uniform(20, 900, (8, 6)))
    share = rng.dirichlet(np.ones(8))
    price = np.where(rng.random(6) < 0.5, 0, 15.0)
    plan = nearest_on_average(time_s, share, count, move_price=price)

    def cost(posts: tuple[int, ...]) -> float:
        return mean_drive_s(time_s[:, list(posts)], share) + float(price[list(posts)].sum())

    best = min(map(cost, combinations(range(6), count)))
    assert plan.value == pytest.approx(cost(plan.posts))
    assert plan.value == pytest.approx(best, rel=1e-6)
    assert plan.bound == pytest.approx(best, rel=1e-6)


def test_backup_and_first_cover_are_worked_by_hand() -> None:
    # West is reached from posts 0 and 1, the middle from 1 and 2, the east from 3 alone.
    reach = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]], bool)
    share = np.array([0.5, 0.3, 0.2])
    first_only = cover_most(reach, share, 2, [1.0], move_price=FREE(4))
    assert first_only.posts == (1, 3)
    assert first_only.value == pytest.approx(1.0)
    backup = cover_most(reach, share, 2, [0.5, 0.5], move_price=FREE(4))
    assert backup.posts == (0, 1)
    assert backup.value == pytest.approx(0.65)
    assert covered(reach[:, [0, 1]], share, [0.0, 1.0]) == pytest.approx(0.5)


def test_who_stands_well_is_not_moved_for_little() -> None:
    reach = np.array([[1, 0], [1, 1], [0, 1]], bool)
    share = np.array([0.4, 0.18, 0.42])
    moving = cover_most(reach, share, 1, [1.0], move_price=FREE(2))
    staying = cover_most(reach, share, 1, [1.0], move_price=np.array([0.0, 0.05]))
    assert (moving.posts, staying.posts) == ((1,), (0,))


def test_greedy_is_short_of_the_best() -> None:
    # The middle post alone covers most; the two beside it together cover all.
    reach = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]], bool)
    share = np.array([0.2, 0.3, 0.3, 0.2])
    posts = greedily(3, 2, lambda rows: covered(reach[:, rows], share, [1.0]))
    assert covered(reach[:, list(posts)], share, [1.0]) == pytest.approx(0.8)
    assert cover_most(reach, share, 2, [1.0], move_price=FREE(3)).posts == (0, 2)


@given(st.integers(0, 2**32 - 1))
def test_a_post_more_never_covers_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reach, share = rng.random((9, 7)) < 0.3, rng.dirichlet(np.ones(9))
    worth = expected_worth(7, 0.3)
    values = [
        cover_most(reach, share, count, worth, move_price=FREE(7)).value for count in range(1, 8)
    ]
    assert (np.diff(values) >= -1e-7).all()


def test_expected_worth_is_that_of_a_free_car_after_busy_ones() -> None:
    np.testing.assert_allclose(expected_worth(3, 0.4), [0.6, 0.24, 0.096])


def test_nobody_near_counts_as_far() -> None:
    assert mean_drive_s(np.array([[np.inf], [60.0]]), np.array([0.5, 0.5])) == pytest.approx(
        (FARTHEST_S + 60) / 2
    )


def test_a_busy_share_out_of_range_is_refused() -> None:
    with pytest.raises(InputError, match=r"busy=1: must be a share of time from 0 to below 1"):
        expected_worth(2, 1)


def test_worth_that_rises_is_refused() -> None:
    with pytest.raises(InputError, match=r"worth: a further car must not be worth more"):
        cover_most(np.ones((1, 1), bool), np.ones(1), 1, [0.2, 0.8], move_price=FREE(1))


@pytest.mark.parametrize("count", [0, 3])
def test_more_posts_than_places_are_refused(count: int) -> None:
    sentence = rf"count={count}: must be 1 to 2, the places to choose from"
    with pytest.raises(InputError, match=sentence):
        cover_most(np.ones((1, 2), bool), np.ones(1), count, [1.0], move_price=FREE(2))
    with pytest.raises(InputError, match=sentence):
        nearest_on_average(np.ones((1, 2)), np.ones(1), count, move_price=FREE(2))


def test_no_plan_in_time_is_said() -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(InputError, match=r"no plan was found in 1e-09 s; give it more time"):
        nearest_on_average(
            rng.random((60, 50)), np.full(60, 1 / 60), 5, move_price=FREE(50), limit_s=1e-9
        )

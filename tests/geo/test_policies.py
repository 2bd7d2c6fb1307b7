"""Who each policy asks, on made-up pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.settings import Policy
from geo.policies import Candidates, by_crow, by_road, jointly, nobody, ours

SCORE = np.array([[3.0, 5.0], [2.9, 0.6], [0.2, 9.0]])
PAIRS = Candidates(
    unit_ids=("A", "B", "C"),
    stop_ids=("S1", "S2"),
    allowed=np.array([[True, True], [True, True], [True, False]]),
    tau_s=np.array([[60.0, 70.0], [80.0, 400.0], [300.0, 50.0]]),
    crow_m=lambda: np.array([[900.0, 500.0], [400.0, 300.0], [100.0, 90.0]]),
    gain=SCORE,
    score=lambda: SCORE,
    alone=np.array([True, True]),
    waiting_s=np.array([10.0, 60.0]),
    asked_s=np.array([100.0, -np.inf, -np.inf]),
    now_s=200.0,
)


def test_nobody_asks_nobody() -> None:
    assert nobody(PAIRS, Policy()) == []


def test_the_oldest_stop_gets_the_nearest_of_those_left() -> None:
    assert by_road(PAIRS, Policy()) == [(0, 1), (1, 0)]
    assert by_crow(PAIRS, Policy()) == [(1, 1), (2, 0)]


def test_a_stop_that_nobody_may_go_to_gets_nobody() -> None:
    none = replace(PAIRS, allowed=np.zeros((3, 2), np.bool_))
    for choose in (by_road, by_crow, jointly, ours):
        assert choose(none, Policy()) == []


def test_jointly_helps_all_it_can_in_the_least_time() -> None:
    assert sorted(jointly(PAIRS, Policy())) == [(0, 1), (1, 0)]
    one_way = replace(PAIRS, allowed=np.array([[True, True], [False, False], [True, False]]))
    assert sorted(jointly(one_way, Policy())) == [(0, 1), (2, 0)]


def test_ours_takes_the_greatest_worth_together() -> None:
    assert sorted(ours(PAIRS, Policy())) == [(0, 1), (1, 0)]


def test_ours_lets_the_one_go_that_was_asked_least_recently() -> None:
    one_stop = replace(
        PAIRS,
        stop_ids=("S1",),
        **{name: getattr(PAIRS, name)[:, :1] for name in ("allowed", "tau_s", "gain")},
        score=lambda: SCORE[:, :1],
        alone=np.array([True]),
        waiting_s=np.array([10.0]),
    )
    assert ours(one_stop, Policy(tie_share=0.05)) == [(1, 0)]
    assert ours(one_stop, Policy(tie_share=0.01)) == [(0, 0)]

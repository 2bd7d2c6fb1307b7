"""The least exposure in hindsight: worked by hand, and below what any policy leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.settings import Policy, Settings
from geo.bound import bound_of, bound_stops, soonest_arrival_s
from geo.compare import CLAIRVOYANT, measure, watched
from geo.network import RoadNetwork
from geo.policies import POLICIES
from geo.shift.plan import ShiftPlan
from geo.shift.response import response
from geo.shift.truth import StopTruth

if TYPE_CHECKING:
    from pathlib import Path


def stop(name: str, minutes: float, soonest_min: float, officers: int = 1) -> StopTruth:
    """A stop from 0 on that somebody could have been at from `soonest_min` on."""
    return StopTruth(name, "1A1", 0, 60 * minutes, officers, 2, [], soonest_s=60 * soonest_min)


def test_a_hand_worked_shift() -> None:
    # 10 min, help after 3: saves 7. 50 min, help after 5, who stay 40 each: saves 40, then 5.
    # 4 min, help after 6: saves nothing. 20 min with two officers: never short.
    stops = [stop("a", 10, 3), stop("b", 50, 5), stop("c", 4, 6), stop("d", 20, 1, officers=2)]
    bound = bound_stops(stops, stays_min=40)
    assert bound.unhelped_min == pytest.approx(10 + 50 + 4)
    assert bound.savings_min == pytest.approx((40, 7, 5))
    least = [bound.least_min(requests) for requests in (0, 1, 2, 3, 9, None)]
    assert least == pytest.approx([64, 24, 17, 12, 12, 12])
    assert bound.reached_share(38) == pytest.approx(26 / 52)
    assert bound_stops([], 40).reached_share(0) == 0


def test_who_really_came_counts_however_seldom_cars_are_looked_at() -> None:
    seen = stop("a", 10, 5)
    seen.helped.append((120.0, 600.0, 1))
    assert bound_stops([seen], 40).least_min() == pytest.approx(2)


def test_the_soonest_arrival_by_hand() -> None:
    def soonest(ready_s: float, drive_s: float, factor: float) -> float:
        one = (np.array([value]) for value in (ready_s, drive_s, factor))
        return soonest_arrival_s(100.0, 130.0, *one)

    assert soonest(110, 60, 1.0) == pytest.approx(160)  # 10 s nearer by then, whatever it does
    assert soonest(110, 60, 2.0) == pytest.approx(190)  # drives slowly: best on patrol to the end
    assert soonest(110, 20, 2.0) == pytest.approx(120)  # passes by
    assert soonest(110, 60, 0.5) == pytest.approx(135)  # drives fast: best at once
    assert soonest(90, 60, 0.5) == pytest.approx(130)  # has said yes long ago
    for never in ((140, 10, 1.0), (np.inf, 10, 1.0), (110, np.inf, 1.0)):
        assert soonest(*never) == np.inf


@given(
    ready_s=st.floats(0, 60),
    drive_s=st.floats(0, 90),
    factor=st.floats(0.4, 2.5),
    yes=st.floats(0, 1),
    nearer=st.floats(0, 1),
)
def test_no_car_is_sooner(
    ready_s: float, drive_s: float, factor: float, yes: float, nearer: float
) -> None:
    soonest_s = soonest_arrival_s(
        0.0, 30.0, np.array([ready_s]), np.array([drive_s]), np.array([factor])
    )
    if ready_s < 30:
        yes_s = ready_s + yes * (30 - ready_s)
        left_s = max(drive_s - nearer * yes_s, 0)
        assert soonest_s <= yes_s + factor * left_s + 1e-6


def test_a_response_is_the_same_whenever_it_is_asked_for() -> None:
    plan = ShiftPlan()
    drawn = [response(3, plan, "S0001", row) for row in range(400)]
    assert drawn[7] == response(3, plan, "S0001", 7) != response(3, plan, "S0002", 7)
    assert np.mean([one.comes for one in drawn]) == pytest.approx(plan.comes, abs=0.05)
    assert np.median([one.delay_s for one in drawn]) == pytest.approx(plan.answer_s, rel=0.15)


@pytest.fixture(scope="module", params=["denver", "grid"])
def net(request: pytest.FixtureRequest, sample_dir: Path) -> RoadNetwork:
    """Downtown Denver, and a made-up grid of 12 by 12 streets, 40 s a block."""
    if request.param == "denver":
        return RoadNetwork.load(sample_dir / "denver.roads")
    node = np.arange(144).reshape(12, 12)
    ends = [(node[:, :-1], node[:, 1:]), (node[:-1], node[1:])]
    tail = np.concatenate([a.ravel() for a, _ in ends])
    head = np.concatenate([b.ravel() for _, b in ends])
    return RoadNetwork.from_arrays(
        lon_deg=np.tile(np.arange(12) * 0.005, 12),
        lat_deg=np.repeat(np.arange(12) * 0.005, 12),
        tail=np.concatenate([tail, head]),
        head=np.concatenate([head, tail]),
        time_s=np.full(2 * len(tail), 40.0),
    )


@pytest.mark.parametrize("seed", range(3))
def test_no_policy_leaves_less(net: RoadNetwork, seed: int) -> None:
    plan = ShiftPlan(hours=0.5, units=5 + 5 * seed, stops_per_unit_hour=1.5)
    for policy in (*POLICIES, CLAIRVOYANT):
        record = watched(net, plan, Settings(), policy, seed)
        found, bound = measure(record), bound_of(record)
        tight = bound.least_min(len(record.truth.asked))
        assert found.least_min <= tight <= found.exposure_min + 1e-9 <= bound.unhelped_min + 1e-6
        assert found.least_asked_min == tight
        assert -1e-9 <= found.reached_share <= 1 + 1e-9
        waited = found.coming_min + found.asked_min + found.far_min
        assert waited <= found.exposure_min + 1e-9
        if policy == "nobody":
            assert tight == pytest.approx(found.exposure_min)
            assert found.coming_min == found.asked_min == 0


def test_where_no_free_unit_is_in_reach_is_told_apart(net: RoadNetwork) -> None:
    plan = ShiftPlan(hours=0.5, units=4, stops_per_unit_hour=2)
    for longest_s, far_share in ((5, 0.7), (3600, 0)):
        policy = Policy(drive_max_s=longest_s, within_s=2)
        found = measure(watched(net, plan, Settings(), "nobody", 1, judge=policy))
        if far_share:
            assert found.far_min > far_share * found.exposure_min > 0
        else:
            # Only where nobody is free at all.
            assert found.far_min < 0.5 * found.exposure_min


def test_what_could_have_been_reached_is_not_far_from_what_is_reached(net: RoadNetwork) -> None:
    plan = ShiftPlan(hours=1, units=12, stops_per_unit_hour=1)
    record = watched(net, plan, Settings(), "road", 2)
    late_s = [one.helped[0][0] - one.soonest_s for one in record.truth.stops.values() if one.helped]
    assert len(late_s) >= 3
    found = measure(record)
    assert found.coming_min > 0.5 * found.exposure_min > found.asked_min > 0
    # Looked at without what came of it, the bound is one all the same.
    assert min(late_s) > -1
    assert np.median(late_s) < 300

"""Seconds per edge are learnt from drives, as far as these go."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from geo.hours import WEEK_HOURS, hours_of_week
from geo.learnt_times import (
    FACTORS,
    Passes,
    credible_ratios,
    expected_s,
    learn,
    passes_of,
)
from geo.matching import Drive, Matcher
from tests.geo.drives import drive_along, some_way
from tests.geo.towns import TEN_MPS, town

if TYPE_CHECKING:
    from geo.network import RoadNetwork

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC).timestamp()
ROAD = town(
    {name: (100.0 * i, 0.0) for i, name in enumerate("ABCD")},
    [{"ends": "ABCD", "maxspeed": TEN_MPS}],
)


def passes(net: RoadNetwork, drives: list[Drive]) -> Passes:
    return passes_of(net, drives, [hours_of_week(drive.at_s, ZoneInfo("UTC")) for drive in drives])


def test_a_drive_is_laid_on_its_edges_by_the_share_driven_of_each() -> None:
    names = list(zip(ROAD.table.tail.tolist(), ROAD.table.head.tolist(), strict=True))
    onward = [names.index(pair) for pair in ((0, 1), (1, 2), (2, 3))]
    drive = Drive(
        at_s=np.array([NOON, NOON + 50]),
        edge=np.array(onward[::2], np.int32),
        fraction=np.array([0.25, 0.75]),
        way=(tuple(onward),),
    )
    assert expected_s(ROAD, drive) == 25
    found = passes(ROAD, [drive])
    assert found.edge.tolist() == onward
    assert found.model_s.tolist() == [7.5, 10, 7.5]
    assert found.taken_s.tolist() == [15, 20, 15]
    assert set(found.hour) == {5 * 24 + 12}


def test_the_hour_of_the_week_is_the_agency_s_own() -> None:
    assert hours_of_week(np.array([NOON]), ZoneInfo("America/Denver")).tolist() == [5 * 24 + 6]


def test_without_drives_nothing_is_learnt() -> None:
    learnt = learn(ROAD, passes(ROAD, []))
    assert (learnt.edge_factor == 1).all()
    assert (learnt.hour_factor == 1).all()
    assert (learnt.overall, learnt.drives, learnt.edges) == (1.0, 0, 0)


def many(ratio: dict[int, float], drives: int, *, scatter: float, seed: int = 0) -> Passes:
    """Drives that pass each group once, at the group's own ratio, scattered."""
    rng = np.random.default_rng(seed)
    group = np.repeat(list(ratio), drives)
    taken = 20 * np.array(list(ratio.values())).repeat(drives) * rng.normal(1, scatter, len(group))
    return Passes(
        drive=np.arange(len(group)),
        edge=group,
        hour=np.zeros(len(group), np.int64),
        model_s=np.full(len(group), 20.0),
        taken_s=taken,
    )


def test_groups_that_differ_by_chance_only_are_left_alone() -> None:
    even = [
        np.ptp(
            credible_ratios(
                (p := many(dict.fromkeys(range(20), 1.0), 5, scatter=0.4, seed=s)).edge,
                p,
                p.model_s,
                20,
            )
        )
        for s in range(20)
    ]
    assert np.median(even) < 0.1


def test_many_drives_are_believed_and_few_are_not() -> None:
    truth = {group: 0.6 if group % 2 else 1.4 for group in range(20)}
    sure = many(truth, 50, scatter=0.4)
    ratio = credible_ratios(sure.edge, sure, sure.model_s, 21)
    assert ratio[:20] == pytest.approx(list(truth.values()), abs=0.2)
    assert ratio[20] == 1
    kept = (sure.edge > 0) | (sure.drive < 1)
    few = Passes(**{name: getattr(sure, name)[kept] for name in Passes.__slots__})
    raw = few.taken_s[0] / few.model_s[0]
    shrunk = credible_ratios(few.edge, few, few.model_s, 20)[0]
    assert 0 < (shrunk - 1) / (raw - 1) < 0.9


def test_one_drive_or_wild_ones_make_no_wild_factor() -> None:
    one = many({0: 9.0}, 1, scatter=0)
    assert credible_ratios(one.edge, one, one.model_s, 1).tolist() == [1]
    wild = many({0: 90.0, 1: 0.001}, 5, scatter=0.01)
    assert credible_ratios(wild.edge, wild, wild.model_s, 2) == pytest.approx(
        FACTORS[::-1], abs=0.01
    )


def test_what_drivers_did_is_learnt_and_held_out_drives_are_met_better(denver: RoadNetwork) -> None:
    """Classes are slower than the model, single edges too, and evenings are."""
    rng = np.random.default_rng(5)
    kinds = rng.choice([0.8, 1.3, 1.8], len(denver.table.texts))[denver.table.highway]
    truth = denver.edge_ms / 1000 * kinds * np.exp(rng.normal(0, 0.2, len(kinds)))
    matcher = Matcher(denver)
    drives = []
    for number in range(160):
        evening = number % 2
        tracks = drive_along(
            denver, some_way(denver, rng), rng, time_s=truth * (1.5 if evening else 1.0),
            at_s=NOON + 6 * 3600 * evening, every_s=5, noise_m=3,
        )  # fmt: skip
        drives += matcher.match(tracks)
    first, rest = drives[::2] + drives[1::4], drives[3::4]
    learnt = learn(denver, passes(denver, first))
    evening = 5 * 24 + 18
    assert learnt.hour_factor[evening] / learnt.hour_factor[evening - 6] == pytest.approx(
        1.5, rel=0.15
    )
    assert np.count_nonzero(learnt.hour_factor != 1) == 2
    assert len(learnt.hour_factor) == WEEK_HOURS
    after = denver.retimed(denver.edge_ms / 1000 * learnt.edge_factor * learnt.hour_factor[evening])
    before_mae, after_mae = (
        np.mean([abs(np.log(expected_s(net, d) / (d.at_s[-1] - d.at_s[0]))) for d in rest])
        for net in (denver, after)
    )
    assert after_mae < 0.5 * before_mae

"""An old fix proves less, and parked is not silent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.records import Freshness, UnitFix
from data.settings import Policy
from geo.staleness import age_of, bounds_s, working_s
from tests.geo.towns import NOW

POLICY = Policy()


def fix(age_s: float, speed_mps: float | None) -> UnitFix:
    return UnitFix(
        fixed_at=NOW - timedelta(seconds=age_s), lon_deg=0, lat_deg=0, speed_mps=speed_mps
    )


@pytest.mark.parametrize(
    ("age_s", "speed_mps", "effective_s", "freshness"),
    [
        (0, 0.0, 0, Freshness.FRESH),
        (45, 0.0, 45, Freshness.FRESH),
        (100, 0.0, 60, Freshness.PARKED),
        (120, 0.99, 60, Freshness.PARKED),
        (121, 0.0, 121, Freshness.PARKED),
        (900, 0.0, 900, Freshness.PARKED),
        (901, 0.0, 901, Freshness.STALE),
        (100, 1.0, 100, Freshness.FRESH),
        (121, 13.0, 121, Freshness.SILENT),
        (300, None, 300, Freshness.SILENT),
        (301, None, 301, Freshness.STALE),
        (-20, 5.0, 0, Freshness.FRESH),
    ],
)
def test_ages(
    age_s: float, speed_mps: float | None, effective_s: float, freshness: Freshness
) -> None:
    age = age_of(fix(age_s, speed_mps), now=NOW, policy=POLICY)
    assert age.effective_s == effective_s
    assert age.freshness is freshness
    assert age.fix_age_s == max(0, age_s)


def test_bounds_and_working_figure_are_the_models() -> None:
    assert bounds_s(100, 40) == (60, 160)
    assert bounds_s(30, 40) == (0, 90)
    assert working_s(100.0, 40) == 130


@given(st.floats(0, 3600), st.floats(0, 3600), st.none() | st.floats(0, 60), st.floats(0, 3000))
def test_an_older_fix_never_looks_better(
    age_s: float, more_s: float, speed_mps: float | None, drive_s: float
) -> None:
    young = age_of(fix(age_s, speed_mps), now=NOW, policy=POLICY)
    old = age_of(fix(age_s + more_s, speed_mps), now=NOW, policy=POLICY)
    assert working_s(drive_s, old.effective_s) >= working_s(drive_s, young.effective_s)
    order = list(Freshness)
    rank = {Freshness.FRESH: 0, Freshness.PARKED: 1, Freshness.SILENT: 1, Freshness.STALE: 2}
    assert set(order) == set(rank)
    assert rank[old.freshness] >= rank[young.freshness]

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import words

AT = datetime(2026, 2, 14, 9, 15, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (59.6, "1:00"),
        (100, "1:40"),
        (3599.04, "59:59"),
        (64.2, "1:05"),
        (3725, "1:02:05"),
        (float("inf"), "no way"),
        (float("nan"), "no way"),
        (-1, "no way"),
    ],
)
def test_drive(seconds: float, text: str) -> None:
    assert words.drive(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (8.4, "9 s"),
        (119, "119 s"),
        (235, "3:55 min"),
        (601, "11 min"),
        (7500, "2 h 5 min"),
        (float("nan"), "age unknown"),
    ],
)
def test_age(seconds: float, text: str) -> None:
    assert words.age(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0\N{NO-BREAK SPACE}%"),
        (0.001, "under 1\N{NO-BREAK SPACE}%"),
        (0.424, "42\N{NO-BREAK SPACE}%"),
        (0.9999, "over 99\N{NO-BREAK SPACE}%"),
        (1, "100\N{NO-BREAK SPACE}%"),
        (float("nan"), "unknown"),
        (2, "unknown"),
    ],
)
def test_percent_is_never_rounded_to_certainty(share: float, text: str) -> None:
    assert words.percent(share) == text


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_no_open_share_reads_as_none_or_all(share: float) -> None:
    assert words.percent(share) not in {"0\N{NO-BREAK SPACE}%", "100\N{NO-BREAK SPACE}%"}


def test_distances_and_speeds_follow_the_agency() -> None:
    assert words.distance(1250, "mph") == "0.8 mi"
    assert words.distance(1250, "km/h") == "1.2 km"
    assert words.distance(999, "km/h") == "999 m"
    assert words.distance(1_916_728, "mph") == "1,191 mi"
    assert words.speed(15.2, "mph") == "34 mph"
    assert words.speed(15.2, "km/h") == "55 km/h"


def test_clock_is_local_english_and_names_its_zone() -> None:
    assert words.clock(AT, "America/Denver", day=True) == "Sat 14 Feb 2026, 02:15:07 MST"
    assert words.clock(AT, "UTC") == "09:15:07 UTC"
    east = AT.astimezone(timezone(timedelta(hours=9)))
    assert words.clock(east, "UTC", day=True) == "Sat 14 Feb 2026, 09:15:07 UTC"


@pytest.mark.parametrize(
    ("degrees", "wind"), [(0, "N"), (44, "NE"), (180, "S"), (337.6, "N"), (360, "N")]
)
def test_heading(degrees: float, wind: str) -> None:
    assert words.heading(degrees) == wind


def test_count() -> None:
    assert (words.count(1, "stop"), words.count(0, "stop")) == ("1 stop", "0 stops")


def test_whole_characters() -> None:
    assert words.whole_characters("Stra\u00dfe \ud800\0") == "Stra\u00dfe \\ud800\\x00"


def test_points_and_chances() -> None:
    assert words.points(0.014) == "+1.4 points"
    assert words.points(-0.5) == "\N{MINUS SIGN}50.0 points"
    assert words.chance(0.03124) == "p = 0.0312"
    assert words.chance(None) == "too few days to tell"

"""The exposure map: what it says, and that names stay names."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from data.answers import ExposedStop
from maps.exposure_map import exposure_map
from maps.style import Manner

if TYPE_CHECKING:
    from data.road_table import RoadTable

STOP = ExposedStop(
    stop_id="S1",
    unit_id="4A12",
    lon_deg=-104.99,
    lat_deg=39.745,
    began=datetime(2026, 3, 13, 18, 5, tzinfo=UTC),
    lasted_min=20,
    exposed_min=12.4,
    came=("4A15",),
)
STOPS = (
    STOP,
    replace(STOP, stop_id="S2", lat_deg=39.748, exposed_min=1.23, came=()),
    replace(STOP, stop_id="S3", lon_deg=-104.985, exposed_min=0.0),
    replace(STOP, stop_id="S4", lon_deg=None, lat_deg=None, exposed_min=5.0),
)


def test_it_says_how_long_each_stop_was_exposed(roads: RoadTable) -> None:
    page = exposure_map(roads, STOPS, simulated=True, manner=Manner(time_zone="America/Denver"))
    assert page == exposure_map(
        roads, STOPS, simulated=True, manner=Manner(time_zone="America/Denver")
    )
    assert "4 stops, short of officers for 19 min" in page
    assert "from Fri 13 Mar 2026, 12:05:00 MDT" in page
    for text in ("12 min short", "1.2 min short", "0 min short", "came: nobody", "SIMULATED"):
        assert text in page
    assert page.count("rollby.sign(") == 3
    assert re.findall(r"<li class=.(flag-\w+)", page) == [
        "flag-alone",
        "flag-thin",
        "flag-covered",
        "flag-alone",
    ]


def test_what_is_real_does_not_say_simulated(roads: RoadTable) -> None:
    assert "SIMULATED" not in exposure_map(roads, STOPS, simulated=False)


def test_a_period_without_stops_is_drawn(roads: RoadTable) -> None:
    assert "No stop was made" in exposure_map(roads, (), simulated=False)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "</script><b>", "{{ 7191*3 }}"])
def test_no_name_becomes_markup(roads: RoadTable, name: str) -> None:
    evil = replace(STOP, stop_id=name, unit_id=name, came=(name,))
    page = exposure_map(roads, (evil,), simulated=False)
    assert "alert(1)</script>" not in page
    assert "<b>, " not in page
    assert "21573" not in page

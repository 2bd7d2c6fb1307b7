"""What the three maps say, without a browser: bytes, escaping, figures."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from data.answers import Gap, Readiness
from maps.coverage_map import coverage_map
from maps.route_map import route_map
from maps.stops_map import stops_map
from maps.style import Manner

if TYPE_CHECKING:
    from data.answers import Advice, Coverage, Route
    from data.road_table import RoadTable

EVIL = "<script>alert(1)</script>"
NASTY = [
    "\"quoted' \\back\\",
    "</script><b>",
    "\N{CJK UNIFIED IDEOGRAPH-6771}\N{ARABIC LETTER ALEF}",
    "{{ 7*7 }}",
    "a`${1}`",
]
ASK = (
    "import sys, hashlib; sys.path.insert(0, sys.argv[1]); import conftest as c;"
    "from maps.stops_map import stops_map; from maps.coverage_map import coverage_map;"
    "r = c.make_roads(); t = stops_map(r, c.make_advice()) + coverage_map(r, c.make_coverage(r));"
    "print(hashlib.sha256(t.encode()).hexdigest())"
)


def test_the_same_input_gives_the_same_bytes_in_any_process(
    roads: RoadTable, advice: Advice, coverage: Coverage
) -> None:
    here = hashlib.sha256(
        (stops_map(roads, advice) + coverage_map(roads, coverage)).encode()
    ).hexdigest()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": "Asia/Tokyo"}
        there = subprocess.run(
            [sys.executable, "-c", ASK, str(Path(__file__).parent)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert there.stdout.strip() == here


@pytest.mark.parametrize("name", [EVIL, *NASTY])
def test_no_name_becomes_markup_or_script(roads: RoadTable, advice: Advice, name: str) -> None:
    calm = stops_map(roads, advice)
    unit = replace(
        advice.units[1],
        unit=replace(advice.units[1].unit, unit_id=name, agency=name),
        why_not=name,
        askable=False,
    )
    near = replace(advice.stops[0].nearest[0], unit_id=name)
    stop = replace(
        advice.stops[0],
        stop_id=name,
        unit_id=name,
        street=name,
        notes=(name,),
        nearest=(near,),
        why_none=name,
        suggestion=None,
    )
    html = stops_map(
        replace(
            roads,
            texts=(*roads.texts[:-1], name),
            source=replace(roads.source, name=name, licence=name),
        ),
        replace(advice, stops=(stop,), units=(unit,)),
    )
    for tag in ("<script", "</script", "<b>", "</b>", "<style"):
        assert html.count(tag) <= calm.count(tag)
    assert EVIL not in html
    assert html.count("<script") == html.count("</script")


def test_no_name_is_run_as_a_template(roads: RoadTable, advice: Advice, route: Route) -> None:
    name = "{{ 7191*3 }}{% set x = 21573 %}{{ x }}{# gone #}"
    unit = replace(advice.units[1], unit=replace(advice.units[1].unit, unit_id=name, agency=name))
    stop = replace(advice.stops[0], stop_id=name, unit_id=name, street=name, notes=(name,))
    named = replace(roads, texts=(*roads.texts[:-1], name))
    html = stops_map(named, replace(advice, stops=(stop,), units=(unit,)))
    html += route_map(roads, replace(route, streets=((name, 5.0),)), from_label=name, to_label=name)
    assert not re.search(r"(?<!= )21573", html)
    assert "gone" in html


def test_names_of_a_route_are_escaped_too(roads: RoadTable, route: Route) -> None:
    html = route_map(roads, replace(route, streets=((EVIL, 5.0),)), from_label=EVIL, to_label=EVIL)
    assert EVIL not in html
    assert "&lt;script&gt;" in html


def test_the_bar_has_local_time_utc_and_the_word_simulated(
    roads: RoadTable, advice: Advice
) -> None:
    html = stops_map(roads, advice, Manner(time_zone="America/Denver"))
    assert "Sat 14 Feb 2026, 02:15:07 MST" in html
    assert "09:15:07 UTC" in html
    assert '<strong class="simulated">SIMULATED</strong>' in html
    assert 'class="simulated"' not in stops_map(roads, replace(advice, simulated=False))


def test_another_licence_is_shown_beside_openstreetmaps(roads: RoadTable, advice: Advice) -> None:
    html = stops_map(
        replace(roads, source=replace(roads.source, licence="CC-BY 4.0, the county")), advice
    )
    assert "CC-BY 4.0, the county" in html
    assert "OpenStreetMap contributors, ODbL" in html


def test_metric_agencies_read_no_miles(roads: RoadTable, advice: Advice) -> None:
    html = stops_map(roads, advice, Manner(speed_unit="km/h"))
    assert "1.2 km" in html
    assert " mi," not in html
    assert '"imperial": false' in html


def test_geometry_is_carried_once(roads: RoadTable, coverage: Coverage) -> None:
    html = coverage_map(roads, coverage)
    assert html.count('"deltas"') == 1
    assert html.count('"codes"') == 3


def test_a_two_way_street_shows_its_slower_direction(roads: RoadTable, coverage: Coverage) -> None:
    near_s = np.full((roads.edge_count, 2), 10.0)
    fast = replace(coverage, nearest_s=near_s, gap=np.zeros(roads.edge_count, np.bool_))
    slow_s = np.where(roads.reversed[:, None] & [False, True], 1000.0, near_s)
    backwards = replace(fast, nearest_s=slow_s)
    one_way = int(roads.oneway.sum())
    lines = (roads.edge_count - one_way) // 2 + one_way
    assert f'"codes": "{"0" * lines}"' in coverage_map(roads, fast)
    codes = (
        coverage_map(roads, backwards)
        .split("new rollby.RoadBands(")[2]
        .split('"codes": "')[1]
        .split('"')[0]
    )
    assert (codes.count("0"), codes.count("3")) == (one_way, lines - one_way)


def test_empty_states_say_so(roads: RoadTable, empty_advice: Advice, coverage: Coverage) -> None:
    html = stops_map(roads, empty_advice)
    assert "No stop is open at this instant." in html
    assert "No units are known at this instant." in html
    bare = coverage_map(roads, replace(coverage, units=(), gaps=()))
    assert "No unit is idle at this instant" in bare
    assert "No gap:" in bare


def test_a_stop_of_unknown_place_is_listed_but_not_drawn(roads: RoadTable, advice: Advice) -> None:
    html = stops_map(roads, advice)
    assert "place unknown" in html
    assert html.count('"kind": "stop"') == len(advice.stops) - 1


def test_the_page_stays_light(roads: RoadTable, advice: Advice) -> None:
    assert len(stops_map(roads, advice).encode()) < 300_000


def test_a_gap_that_is_most_of_the_network_is_not_named_after_one_street(
    roads: RoadTable, coverage: Coverage
) -> None:
    km = float(roads.road_m.sum()) / 1000
    large = Gap(km=0.9 * km, lon_deg=-104.9, lat_deg=39.7, street="Main Street")
    html = coverage_map(roads, replace(coverage, gaps=(large,)))
    assert "90\N{NO-BREAK SPACE}% of all road" in html
    small = replace(large, km=0.2 * km, street="Oddly Named Street")
    html = coverage_map(roads, replace(coverage, gaps=(small,)))
    assert "Oddly Named Street" in html
    assert "of all road" not in html


def test_zones_that_are_least_ready_are_listed_and_marked(
    roads: RoadTable, coverage: Coverage
) -> None:
    zone = Readiness(
        name="<b>Zuni</b>",
        lon_deg=-104.98,
        lat_deg=39.75,
        preparedness=1.3125,
        second_s=240.0,
        stops_an_hour=0.5,
    )
    ready = [replace(zone, name=f"Beat {i}", preparedness=i + 0.25) for i in range(1, 12)]
    html = coverage_map(roads, coverage, ready=[zone, *ready])
    assert "Least ready for the next stop" in html
    assert "preparedness 1.31, second car 4:00, 12.00 stops a day" in html
    assert "&lt;b&gt;Zuni&lt;/b&gt;" in html
    assert "<b>Zuni</b>" not in html
    assert "number 10, Beat 9" in html
    assert "Beat 10" not in html
    assert "Least ready" not in coverage_map(roads, coverage)

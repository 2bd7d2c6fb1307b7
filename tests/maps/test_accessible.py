"""Every folium map against WCAG 2.2 by axe, by day and by night, and by the Tab key alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from maps.coverage_map import coverage_map
from maps.exposure_map import exposure_map
from maps.gaps_map import gaps_page
from maps.posts_map import posts_page
from maps.route_map import route_map
from maps.stops_map import stops_map
from tests.accessible import faults, walk
from tests.maps.conftest import place
from tests.maps.test_exposure_map import STOPS

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.answers import Advice, Coverage, Route
    from data.past_gaps import PastGaps
    from data.road_table import RoadTable

NAMES = ("stops", "coverage", "gaps", "exposure", "posts", "route")
EVIL = "<script>alert(1)</script>"


def make_posts(roads: RoadTable) -> str:
    """Two posts, one of an odd name."""
    time_s = np.column_stack([np.full(len(roads.tail), 80.0), np.full(len(roads.tail), 200.0)])
    posts = [
        {"post": f"P{i}", "street": EVIL, "lon": lon, "lat": lat, "present": False, "first": 0.5}
        for i, (lon, lat) in enumerate([place(2, 3), place(6, 2)])
    ]
    plan = {"first": 1.0, "second": 0.2, "mean_drive_s": 80.0}
    return posts_page(
        roads,
        time_s,
        posts,
        plans={"This choice": plan},
        where="road",
        proof="No choice is better.",
        within_s=180.0,
    ).render()


@pytest.fixture(scope="session")
def make_map(
    roads: RoadTable, advice: Advice, coverage: Coverage, gaps: PastGaps, route: Route
) -> Callable[[str], str]:
    """Draw a map by its name."""
    makers = {
        "stops": lambda: stops_map(roads, advice),
        "coverage": lambda: coverage_map(roads, coverage),
        "gaps": lambda: gaps_page(roads, gaps).render(),
        "exposure": lambda: exposure_map(roads, STOPS, simulated=True),
        "posts": lambda: make_posts(roads),
        "route": lambda: route_map(roads, route, from_label="4A12", to_label=EVIL),
    }
    return lambda name: makers[name]()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing(open_page: Any, make_map: Any, name: str, scheme: str) -> None:
    with open_page(make_map(name), scheme=scheme) as visit:
        assert faults(visit.page) == []
        for summary in visit.page.locator("summary").all():
            summary.click()
        assert faults(visit.page) == []


@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing_on_a_phone(open_page: Any, make_map: Any, name: str) -> None:
    with open_page(make_map(name), width=390, height=844) as visit:
        assert faults(visit.page) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_tab_key_reaches_everything_and_is_seen(
    open_page: Any, make_map: Any, name: str
) -> None:
    with open_page(make_map(name)) as visit:
        assert walk(visit.page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_popup(open_page: Any, make_map: Any, scheme: str) -> None:
    with open_page(make_map("stops"), scheme=scheme) as visit:
        visit.page.locator("button[data-sign]").first.click()
        visit.page.locator(".leaflet-popup").wait_for()
        assert faults(visit.page) == []


def test_a_name_of_a_post_is_text(make_map: Any) -> None:
    assert EVIL not in make_map("posts")

"""The gaps map as a browser without network shows it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from data.words import week_hour
from geo.gap_figures import interval
from maps.cells import LEVELS, NOT_SEEN, levels
from maps.gaps_map import gaps_page, period
from maps.style import SHARES

if TYPE_CHECKING:
    from data.past_gaps import PastGaps
    from data.road_table import RoadTable

SAID = ".hour-said"
NIGHT, DAY, SUNDAY = 2, 12, 150


@pytest.fixture(scope="session")
def html(roads: RoadTable, gaps: PastGaps) -> str:
    return gaps_page(roads, gaps).render()


def choose(visit: Any, hour: int) -> None:
    """Move the slider as a hand does."""
    visit.page.locator("#hour-of-week").fill(str(hour))


def whole_percent(share: float) -> str:
    return f"{round(100 * share)}\N{NO-BREAK SPACE}%"


def test_the_slider_shows_any_hour_of_the_week(open_page: Any, html: str, gaps: PastGaps) -> None:
    with open_page(html) as visit:
        whole = whole_percent(gaps.all_road[1])
        assert visit.texts(SAID) == [f"Whole week: second car beyond T on {whole} of road"]
        colours = {}
        for hour, name in ((NIGHT, "Mon 02:00 to 03:00"), (DAY, "Mon 12:00 to 13:00")):
            choose(visit, hour)
            share = whole_percent(gaps.all_by_hour[hour, 1])
            assert visit.texts(SAID) == [f"{name}: second car beyond T on {share} of road"]
            colours[hour] = visit.ink("canvas.cell-shares"), visit.page.screenshot()
        assert colours[NIGHT][1] != colours[DAY][1]
        choose(visit, SUNDAY)
        assert visit.texts(SAID) == ["Sun 06:00 to 07:00: not looked at"]
        visit.page.get_by_role("button", name="Whole week").click()
        assert visit.page.locator("#hour-of-week").input_value() == "-1"


def test_the_slider_is_for_hands_keys_and_readers(open_page: Any, html: str) -> None:
    with open_page(html) as visit:
        slider = visit.page.get_by_role("slider", name="Hour of the week")
        slider.focus()
        visit.page.keyboard.press("ArrowRight")
        assert slider.get_attribute("aria-valuetext").startswith("Mon 00:00 to 01:00: second car")
        visit.page.keyboard.press("End")
        assert slider.get_attribute("aria-valuetext") == "Sun 23:00 to 24:00: not looked at"


def test_the_matrix_is_of_all_road_until_a_cell_is_chosen(
    open_page: Any, html: str, gaps: PastGaps
) -> None:
    with open_page(html) as visit:
        hours = visit.page.locator("#matrix td")
        assert hours.count() == 168
        assert hours.nth(NIGHT).inner_text() == whole_percent(gaps.all_by_hour[NIGHT, 1])
        assert hours.nth(SUNDAY).get_attribute("class") == "share-none"
        worst = int(gaps.worst[0])
        visit.page.locator("[data-cell]").first.click()
        assert visit.texts("#matrix-of") == [f"{gaps.street[worst]}, second car"]
        assert hours.nth(NIGHT).inner_text() == whole_percent(float(gaps.by_hour[NIGHT, worst, 1]))
        hours.nth(NIGHT).click()
        assert visit.texts(SAID)[0].startswith("Mon 02:00 to 03:00")
        assert "Mon 02:00 to 03:00" in visit.page.locator(".leaflet-popup").inner_text()
        visit.page.get_by_role("button", name="All road").click()
        assert visit.texts("#matrix-of") == ["All road, second car"]


def test_a_cell_says_both_cars_with_intervals_that_are_ours(
    open_page: Any, html: str, gaps: PastGaps
) -> None:
    with open_page(html) as visit:
        choose(visit, NIGHT)
        row = int(gaps.worst[0])
        visit.page.locator("[data-cell]").first.click()
        said = visit.page.locator(".leaflet-popup").inner_text()
        share = float(levels(gaps.by_hour[NIGHT, row, 1])) / LEVELS
        found = interval(np.array(share), np.array(4))
        low, high = whole_percent(float(found.low)), whole_percent(float(found.high))
        assert f"{whole_percent(share)} ({low} to {high})" in said
        assert "4 such hours" in said
        assert "4:00" in said  # the first car, nine times of ten
        assert "over 30:00, or nobody" in said
        for mean, times in ((0.0, 1), (0.3, 7), (1.0, 400)):
            theirs = visit.page.evaluate("([m, n]) => rollby.interval(m, n)", [mean, times])
            ours = interval(np.array(mean), np.array(times))
            assert theirs == pytest.approx([float(ours.low), float(ours.high)], abs=1e-12)


def test_a_cell_counts_days_alike_for_less_and_gives_its_stops_with_their_interval(
    open_page: Any, roads: RoadTable, gaps: PastGaps
) -> None:
    slow = replace(gaps, days_alike=np.array([1.0, 6.0]))
    with open_page(gaps_page(roads, slow).render()) as visit:
        row = int(slow.worst[0])
        visit.page.locator("[data-cell]").first.click()
        said = visit.page.locator(".leaflet-popup").inner_text()
        for car, days in ((0, 24), (1, 4)):
            share = float(levels(slow.beyond[:, car])[row]) / LEVELS
            found = interval(np.array(share), np.array(days))
            low, high = whole_percent(float(found.low)), whole_percent(float(found.high))
            assert f"{whole_percent(share)} ({low} to {high})" in said
        assert slow.exposed(row) in said
        assert "24 days" in said


def test_a_click_on_the_map_opens_the_cell_beneath(
    open_page: Any, html: str, gaps: PastGaps
) -> None:
    with open_page(html) as visit:
        visit.page.locator(".folium-map").click(position={"x": 450, "y": 350})
        title = visit.page.locator(".leaflet-popup .title").inner_text()
        assert title in {name or "Road without a name" for name in gaps.street}


def test_the_first_car_is_a_layer_of_its_own(open_page: Any, html: str, gaps: PastGaps) -> None:
    with open_page(html) as visit:
        assert visit.texts(".leaflet-control-layers-base label") == ["First car", "Second car"]
        visit.page.get_by_label("First car").check()
        share = whole_percent(gaps.all_road[0])
        assert visit.texts(SAID) == [f"Whole week: first car beyond T on {share} of road"]
        assert visit.page.locator("canvas.cell-shares").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_stand_in_the_cells_from_near_by(open_page: Any, html: str, scheme: Any) -> None:
    with open_page(html, scheme=scheme) as visit:
        visit.page.evaluate("rollby.map.setZoom(15, {animate: false})")
        near = visit.ink("canvas.cell-figures")
        visit.page.evaluate("rollby.map.setZoom(13, {animate: false})")
        assert visit.ink("canvas.cell-figures") == 0
        assert near > 500


def test_on_a_phone_the_list_gives_way_to_the_map(open_page: Any, html: str) -> None:
    with open_page(html, width=390, height=844) as visit:
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 390
        bar = visit.page.locator(".hour-bar").bounding_box()
        assert bar["y"] + bar["height"] <= 844
        visit.page.get_by_role("button", name="List").click()
        visit.page.locator("[data-cell]").first.click()
        assert not visit.page.locator("#panel").is_visible()
        assert visit.page.locator(".leaflet-popup").is_visible()


def test_the_panel_says_it_in_words(open_page: Any, html: str) -> None:
    with open_page(html) as visit:
        panel = visit.page.locator("#panel").inner_text()
        for words in (
            "34,560 snapshots in 576 hours of 24 days, 120 stops",
            "Before against after",
            "p = 0.0100",
            "too few days to tell",
            "+1.0 points, p = 0.0400",
            "\N{MINUS SIGN}2.0 points",
            "Local time, America/Denver",
        ):
            assert words in panel
        assert visit.texts(".simulated") == ["SIMULATED"]


def test_paper_has_the_matrix_and_no_slider(open_page: Any, html: str) -> None:
    with open_page(html, scheme="dark") as visit:
        visit.page.emulate_media(media="print")
        visit.page.wait_for_selector("html.printing")
        assert not visit.page.locator("#hour-of-week").is_visible()
        assert visit.page.locator(SAID).is_visible()
        assert visit.page.locator("#matrix").is_visible()


def test_streets_that_look_like_scripts_stay_names(
    open_page: Any, roads: RoadTable, gaps: PastGaps
) -> None:
    name = "<script>alert(1)</script>{{ 7 * 7 }}"
    odd = replace(gaps, street=(name,) * len(gaps.street))
    with open_page(gaps_page(roads, odd).render()) as visit:
        visit.page.locator("[data-cell]").first.click()
        assert name in visit.page.locator(".leaflet-popup").inner_text()


def test_never_and_always_are_nothing_else() -> None:
    shares = np.array([0.0, 1e-9, 0.5, 1 - 1e-9, 1.0, np.nan])
    assert levels(shares).tolist() == [0, 1, LEVELS // 2, LEVELS - 1, LEVELS, NOT_SEEN]


def test_the_same_gaps_draw_the_same_bytes(roads: RoadTable, gaps: PastGaps, html: str) -> None:
    assert gaps_page(roads, gaps).render() == html


def test_a_period_is_named_by_its_days(gaps: PastGaps) -> None:
    assert period(gaps) == "Sat 14 Feb 2026 to Sat 14 Mar 2026"
    assert period(replace(gaps, ended=gaps.began)) == "Sat 14 Feb 2026"


def test_a_notebook_shows_the_worst_cells_escaped(gaps: PastGaps) -> None:
    odd = replace(gaps, street=("<b>A & B</b>",) * len(gaps.street))
    shown = odd._repr_html_()
    assert "SIMULATED" in shown
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;" in shown
    assert "<b>A" not in shown
    assert shown.count("<tr>") == 16 + 6  # the worst cells; the worst hours
    worst = int(gaps.worst_hours[0])
    assert worst < 144  # Sundays were not looked at
    assert f"<th>{week_hour(worst)}</th><td>4 times</td>" in shown
    assert gaps.hour_share(worst, 1) in shown


def test_steps_are_told_apart_by_lightness(open_page: Any, html: str) -> None:
    """Colours by lightness alone, so that paper and any eye can tell them."""
    with open_page(html) as visit:
        found = [
            visit.page.evaluate(f"rollby.colour('--share-{i}')").lstrip("#")
            for i in range(len(SHARES))
        ]
    light = [
        sum(w * int(one[i : i + 2], 16) for w, i in ((0.21, 0), (0.72, 2), (0.07, 4)))
        for one in found
    ]
    assert all(a - b > 14 for a, b in pairwise(light))

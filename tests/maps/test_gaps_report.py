"""The printable report, as browsers without network show and print it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING

import numpy as np
import pypdfium2
import pytest

from maps.gaps_report import ReportFacts, gaps_report, report_policy
from tests.maps.conftest import AT, make_gaps, make_roads

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from data.past_gaps import PastGaps
    from data.road_table import RoadTable

FACTS = ReportFacts(
    agencies=("Denver PD", "Sheriff"),
    every_s=60.0,
    split=AT + timedelta(days=12),
    version="9.9.9",
)
NASTY = "<script>alert(1)</script>{{ 7*7 }}"


@pytest.fixture(scope="session")
def html(roads: RoadTable, gaps: PastGaps) -> str:
    return gaps_report(roads, gaps, FACTS)


def text_of(html: str) -> str:
    """What a reader reads, in one line."""
    bare = re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(bare).replace("\N{NO-BREAK SPACE}", " ").split())


def printed(browser: Browser, folder: Path, html: str, paper: str) -> list[str]:
    """Print a page; give the text of each sheet."""
    (folder / "report.html").write_text(html, "utf-8")
    context = browser.new_context(offline=True)
    asked: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / "report.html").as_uri())
    page.pdf(path=folder / "report.pdf", format=paper)
    context.close()
    assert [one for one in asked if not one.startswith("data:")] == [
        (folder / "report.html").as_uri()
    ]
    document = pypdfium2.PdfDocument(folder / "report.pdf")
    sheets = [page.get_textpage().get_text_range().replace("\xa0", " ") for page in document]
    document.close()
    return sheets


def test_the_key_figures_are_sentences_with_intervals(html: str) -> None:
    said = text_of(html)
    assert "On 29 % (15 % to 44 %) of all road and time no second car was within 3:00" in said
    assert "on 15 % (7 % to 22 %) not even a first." in said
    assert (
        "Where and when the 120 stops began, no second car was within 3:00 for 32 % (23 %" in said
    )
    assert (
        "From week to week the second car's share moved by \N{MINUS SIGN}2.0 points (p = 0.0312)."
        in said
    )
    assert "from 50 % to 40 % for the second car (too few days to tell)." in said
    worst = "The worst hour of the week, by the stops to be expected, is Mon 00:00 to 01:00: "
    assert f"{worst}53 % (27 % to 80 %) of all road" in said
    assert "days that go by those before count for less, 1.0 of them as one" in said


def test_it_says_whose_when_on_which_roads_and_how_it_was_made(html: str) -> None:
    said = text_of(html)
    for part in (
        "Agencies Denver PD, Sheriff",
        "Period Sat 14 Feb 2026 to Sat 14 Mar 2026",
        "a town made by hand, as of 2026-02-01",
        "Every 60 s of the period",
        "rollby 9.9.9",
        "Before and after Thu 26 Feb 2026, 02:15:07 MST",
        "No prevention of injury is claimed.",
        "no discipline tool",
        "OpenStreetMap contributors, ODbL",
    ):
        assert part in said


def test_the_week_has_a_figure_for_every_hour_and_none_for_those_not_looked_at(html: str) -> None:
    assert html.count('class="share-none"') == 2 * 24
    assert html.count("not looked at</span>") == 2 * 24
    second = html.partition("Second car beyond")[2].partition("</table>")[0]
    assert re.findall(r">(\d+)</td>", second)[:7] == ["53"] * 6 + ["21"]


def test_the_map_numbers_the_worst_cells_and_the_table_names_them(
    html: str, gaps: PastGaps
) -> None:
    assert html.count('<g class="mark">') == 15
    for place, row in enumerate(gaps.worst[:3].tolist(), 1):
        assert f'<td class="number">{place}</td><th scope="row">{gaps.street[row]}' in html
        assert gaps.two_car_preparedness is not None
        assert f'<td class="figure">{gaps.two_car_preparedness[row]:.3g}</td>' in html


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_every_sheet_says_simulated_and_its_number(
    browser: Browser, tmp_path: Path, html: str, paper: str
) -> None:
    sheets = printed(browser, tmp_path, html, paper)
    assert len(sheets) > 2
    for number, sheet in enumerate(sheets, 1):
        assert "SIMULATED: nobody was there" in sheet
        assert f"Page {number} of {len(sheets)}" in sheet


def test_what_was_recorded_is_not_called_simulated(
    browser: Browser, tmp_path: Path, roads: RoadTable, gaps: PastGaps
) -> None:
    real = gaps_report(roads, replace(gaps, simulated=False), FACTS)
    assert not any("simulated" in one.lower() for one in printed(browser, tmp_path, real, "A4"))


def test_the_head_of_a_table_comes_again_on_the_next_sheet(
    browser: Browser, tmp_path: Path, roads: RoadTable, gaps: PastGaps
) -> None:
    weeks = 80
    long = replace(
        gaps,
        week=tuple(gaps.week[0] + timedelta(weeks=i) for i in range(weeks)),
        by_week=np.full((weeks, 2), 0.3),
        by_week_low=np.full((weeks, 2), 0.2),
        by_week_high=np.full((weeks, 2), 0.4),
    )
    sheets = printed(browser, tmp_path, gaps_report(roads, long, FACTS), "A4")
    assert sum("Week from" in sheet for sheet in sheets) > 1


def test_a_name_is_text(browser: Browser, tmp_path: Path, gaps: PastGaps) -> None:
    named = replace(gaps, street=tuple(NASTY for _ in gaps.street))
    facts = replace(FACTS, agencies=(NASTY,), notes=(NASTY,), version=NASTY)
    html = gaps_report(make_roads(), named, facts)
    assert "<script" not in html
    assert sum(NASTY in sheet for sheet in printed(browser, tmp_path, html, "A4")) > 1


def test_the_same_figures_give_the_same_bytes(html: str, roads: RoadTable) -> None:
    assert gaps_report(roads, make_gaps(), FACTS) == html


def test_what_is_not_known_is_not_said(roads: RoadTable, gaps: PastGaps) -> None:
    one_day = replace(
        gaps,
        stops=0,
        where_stops=None,
        where_stops_low=None,
        where_stops_high=None,
        stops_a_week=np.zeros_like(gaps.stops_a_week),
        week=gaps.week[:1],
        by_week=gaps.by_week[:1],
        by_week_low=gaps.by_week_low[:1],
        by_week_high=gaps.by_week_high[:1],
        trend=tuple(replace(one, a_week=None, p=None, days=1) for one in gaps.trend),
        changes=(),
    )
    html = gaps_report(roads, one_day, ReportFacts())
    said = text_of(html)
    assert "so nothing is said of stops" in said
    assert "a single day shows no trend" in said
    assert "Before and after" not in said
    assert "Agenc" not in said
    assert 'class="chart"' not in html


def test_a_browser_may_show_it_and_do_nothing_else(
    browser: Browser, tmp_path: Path, html: str
) -> None:
    policy = f'<meta http-equiv="Content-Security-Policy" content="{report_policy(html)}">'
    policy = policy.replace("; sandbox", "")  # a header's alone
    (tmp_path / "kept.html").write_text(html.replace("<head>", f"<head>{policy}"), "utf-8")
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.goto((tmp_path / "kept.html").as_uri())
    width = page.locator("main").evaluate("one => getComputedStyle(one).maxWidth")
    page.close()
    assert width != "none"
    assert complaints == []


@pytest.mark.parametrize(("scheme", "paper"), [("light", "255"), ("dark", "21")])
def test_the_screen_may_be_dark_and_paper_is_light(
    browser: Browser, tmp_path: Path, html: str, scheme: str, paper: str
) -> None:
    (tmp_path / "dark.html").write_text(html, "utf-8")
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    page.goto((tmp_path / "dark.html").as_uri())
    colour = "getComputedStyle(document.querySelector('main')).backgroundColor"
    assert page.evaluate(colour).startswith(f"rgb({paper},")
    page.emulate_media(media="print")
    assert page.evaluate(colour).startswith("rgb(255,")
    page.close()


def test_a_phone_shows_the_second_car_without_being_moved(
    browser: Browser, tmp_path: Path, html: str
) -> None:
    (tmp_path / "small.html").write_text(html, "utf-8")
    page = browser.new_page(viewport={"width": 400, "height": 850})
    page.goto((tmp_path / "small.html").as_uri())
    box = page.locator("th.figure", has_text="Second car").first.bounding_box()
    page.close()
    assert box
    assert box["x"] + box["width"] <= 400

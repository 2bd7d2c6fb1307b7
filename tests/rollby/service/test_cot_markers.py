"""Who should roll by, as markers: for whom, and what agencies do not show."""

from __future__ import annotations

from typing import Any

import pytest

from data.cot_settings import CotOut
from data.settings import Agencies
from rollby.service.cot_markers import markers_of

AGENCY_OF = {"C1": "City", "C2": "City", "S1": "Sheriff", "S2": "Sheriff"}
NASTY = '<script>&"'


def out(**more: Any) -> CotOut:
    return CotOut.model_validate({"server": "tak.example:8089", **more})


def asked(unit_id: str) -> dict[str, Any]:
    return {"suggestion_id": f"T/{unit_id}", "unit_id": unit_id, "drive_time_s": 99.2}


def stop(unit_id: str, **more: Any) -> dict[str, Any]:
    place = {"lon": -105.0, "lat": 39.7, "street": "Main Street", "short": 1}
    free: dict[str, Any] = {"asked": None, "promised": [], "there": [], "backup": [], "nearest": []}
    return {"stop_id": "T", "unit_id": unit_id, **place, **free, "alarm": False, **more}


def told(
    one: CotOut, *stops: dict[str, Any], shows: dict[str, Any] | None = None, **more: Any
) -> list[tuple[str, str, tuple[str, ...]]]:
    agencies = Agencies(shows=shows or {})
    found = markers_of("tak", one, stops, agencies, AGENCY_OF, **more)
    assert all(uid == marker.uid for uid, marker in found.items())
    return [(marker.uid, marker.label, marker.to) for marker in found.values()]


def test_who_is_asked_is_told_and_nobody_else_is() -> None:
    stops = [stop("C1", asked=asked("C2"), alarm=True), stop("S1")]
    assert told(out(), *stops) == [("rollby.tak.ask.T/C2", "C2: roll by C1?", ("C2",))]
    (marker,) = markers_of("tak", out(), stops, Agencies(), AGENCY_OF).values()
    assert marker.text == (
        "C2 is asked to roll by C1 at stop T, Main Street; 1:40 by road. "
        "A suggestion, never an order; the dispatcher overrides."
    )
    assert (marker.lon_deg, marker.lat_deg, marker.argb) == (-105.0, 39.7, 0xFFFFFF00)


def test_a_stop_without_a_street_has_none() -> None:
    stops = [stop("C1", asked=asked("C2"), street="")]
    (marker,) = markers_of("tak", out(), stops, Agencies(), AGENCY_OF).values()
    assert "at stop T; 1:40 by road" in marker.text


def test_who_comes_is_told_to_both_under_the_name_by_which_it_was_asked() -> None:
    stops = [stop("C1", promised=[asked("C2")])]
    assert told(out(), *stops) == [("rollby.tak.ask.T/C2", "C2 on its way to C1", ("C2", "C1"))]


def test_watchers_and_callsigns() -> None:
    one = out(watchers=["WATCH"], callsigns={"C2": "CAR 2"}, tell=["suggestions", "flags"])
    stops = [stop("C1", asked=asked("C2"), alarm=True)]
    assert told(one, *stops) == [
        ("rollby.tak.ask.T/C2", "C2: roll by C1?", ("CAR 2", "WATCH")),
        ("rollby.tak.alone.T", "C1 alone", ("WATCH",)),
    ]


def test_all_are_told_where_that_is_wanted() -> None:
    one = out(audience="all", tell=["flags"], watchers=["WATCH"])
    stops = [stop("C1", asked=asked("C2"), alarm=True)]
    assert told(one, *stops) == [("rollby.tak.alone.T", "C1 alone", ())]
    (marker,) = markers_of("tak", one, stops, Agencies(), AGENCY_OF).values()
    assert marker.text == "C1 is alone at stop T, Main Street: short of 1 officer."


@pytest.mark.parametrize(("units", "labels"), [(["C1"], 2), (["C2"], 1), (["S*"], 0)])
def test_only_what_concerns_its_units(units: list[str], labels: int) -> None:
    one = out(units=units, tell=["suggestions", "flags"], audience="all")
    assert len(told(one, stop("C1", asked=asked("C2"), alarm=True))) == labels
    assert len(told(one, stop("C1", promised=[asked("C2")]))) == min(labels, 1)


@pytest.mark.parametrize(
    ("shows", "agency", "seen"),
    [
        ({}, "City", 1),
        ({"Sheriff": "all"}, "City", 1),
        ({"Sheriff": "status"}, "City", 0),
        ({"Sheriff": "helping"}, "City", 0),
        ({"Sheriff": "none"}, "City", 0),
        ({"Sheriff": "none"}, "Sheriff", 1),
        ({"Sheriff": "none"}, "*", 1),
    ],
)
def test_what_an_agency_does_not_show_is_not_told(
    shows: dict[str, Any], agency: str, seen: int
) -> None:
    one = out(agency=agency, tell=["flags"], audience="all")
    assert len(told(one, stop("S1", alarm=True), shows=shows)) == seen


@pytest.mark.parametrize("shows", ["status", "helping", "none"])
def test_who_is_sent_to_a_neighbours_stop_finds_it(shows: str) -> None:
    stops = [stop("S1", asked=asked("C2"))]
    assert told(out(agency="City"), *stops, shows={"Sheriff": shows}) == [
        ("rollby.tak.ask.T/C2", "C2: roll by S1?", ("C2",))
    ]


def test_a_stop_whose_place_is_unknown_is_not_drawn() -> None:
    assert told(out(), stop("C1", asked=asked("C2"), lon=None, lat=None)) == []


def test_what_is_simulated_says_so() -> None:
    stops = [stop("C1", asked=asked("C2"))]
    assert told(out(), *stops, simulated=True)[0][1] == "SIMULATED C2: roll by C1?"


def test_names_are_told_as_they_are() -> None:
    stops = [stop(NASTY, asked=asked("C2"))]
    assert told(out(), *stops)[0][1] == f"C2: roll by {NASTY}?"

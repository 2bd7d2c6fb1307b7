"""What agencies see of each other."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from data.settings import Agencies
from rollby.service.sharing import shared_picture, view_of

AGENCY_OF = {"C1": "City", "C2": "City", "S1": "Sheriff", "S2": "Sheriff", "X": ""}


def unit(unit_id: str) -> dict[str, Any]:
    place = {"lon": -105.0, "lat": 39.7, "heading_deg": 1.0, "speed_mps": 2.0, "accuracy_m": 3.0}
    return {"unit_id": unit_id, "agency": AGENCY_OF[unit_id], "status": "available", **place}


def stop(unit_id: str, **bound: Any) -> dict[str, Any]:
    near = [{"unit_id": one, "drive_time_s": 60.0} for one in AGENCY_OF if one != unit_id]
    place = {"lon": -105.0, "lat": 39.7, "street": "Main Street", "nearest": near}
    free: dict[str, Any] = {"asked": None, "promised": [], "there": [], "backup": []}
    return {"stop_id": f"T-{unit_id}", "unit_id": unit_id, **place, **free, **bound}


def picture(*stops: dict[str, Any]) -> dict[str, Any]:
    return {"at": "now", "units": [unit(one) for one in AGENCY_OF], "stops": list(stops)}


def shared_with(viewer: str, whole: dict[str, Any], shows: dict[str, Any]) -> dict[str, Any]:
    return shared_picture(
        whole,
        viewer,
        Agencies(shows=shows),
        agency_of=AGENCY_OF,
        stops=whole.get("stops", []),
    )


def seen(shared: dict[str, Any]) -> dict[str, bool]:
    """Which units are shown, and whether with their place."""
    return {one["unit_id"]: one["lon"] is not None for one in shared["units"]}


@pytest.mark.parametrize(
    ("shows", "helping", "view"),
    [
        ({}, False, "all"),
        ({"Sheriff": "all"}, False, "all"),
        ({"Sheriff": "status"}, True, "status"),
        ({"Sheriff": "helping"}, True, "all"),
        ({"Sheriff": "helping"}, False, "none"),
        ({"Sheriff": "none"}, True, "none"),
        ({"City": "none"}, False, "all"),
    ],
)
def test_an_agency_says_what_its_units_show(
    shows: dict[str, Any], view: str, *, helping: bool
) -> None:
    agencies = Agencies(shows=shows)
    assert view_of("Sheriff", "City", agencies, helping=helping) == view
    for owner, viewer in (("Sheriff", "Sheriff"), ("", "City"), ("Sheriff", "")):
        assert view_of(owner, viewer, agencies, helping=False) == "all"


def test_without_a_word_all_is_shared() -> None:
    whole = picture(stop("S1"))
    assert shared_with("City", whole, {}) == whole


def test_who_is_of_no_agency_sees_all() -> None:
    whole = picture(stop("S1"))
    assert shared_with("", whole, {"Sheriff": "none"}) == whole


def test_status_is_without_a_place() -> None:
    whole = picture(stop("S1"), stop("C1"))
    before = deepcopy(whole)
    shared = shared_with("City", whole, {"Sheriff": "status"})
    assert whole == before
    assert seen(shared) == {"C1": True, "C2": True, "S1": False, "S2": False, "X": True}
    theirs, ours = shared["stops"]
    assert (theirs["lon"], theirs["lat"], theirs["street"]) == (None, None, "")
    assert ours == whole["stops"][1]
    hidden = shared["units"][2]
    assert {name for name, value in hidden.items() if value is None} == {
        "lon",
        "lat",
        "heading_deg",
        "speed_mps",
        "accuracy_m",
    }


def test_none_is_nothing_in_any_list() -> None:
    shared = shared_with("City", picture(stop("S1"), stop("C1")), {"Sheriff": "none"})
    assert set(seen(shared)) == {"C1", "C2", "X"}
    [ours] = shared["stops"]
    assert [one["unit_id"] for one in ours["nearest"]] == ["C2", "X"]


@pytest.mark.parametrize(
    "bound",
    [
        {"asked": {"unit_id": "S1"}},
        {"promised": [{"unit_id": "S1"}]},
        {"there": ["S1"]},
        {"backup": ["S1"]},
    ],
)
def test_who_helps_is_seen_while_helping(bound: dict[str, Any]) -> None:
    shows = {"Sheriff": "helping"}
    helped = picture(stop("C1", **bound))
    assert seen(shared_with("City", helped, shows)) == {
        "C1": True,
        "C2": True,
        "S1": True,
        "X": True,
    }
    alone = shared_with("City", picture(stop("C1")), shows)
    assert set(seen(alone)) == {"C1", "C2", "X"}
    # News of units alone: the stops are known from before.
    news = {"units": [unit("S1"), unit("S2")]}
    agencies, stops = Agencies(shows=shows), helped["stops"]
    told = shared_picture(news, "City", agencies, agency_of=AGENCY_OF, stops=stops)
    assert seen(told) == {"S1": True}


def test_who_is_sent_to_a_stop_can_find_it() -> None:
    whole = picture(stop("S1", asked={"unit_id": "C1"}))
    [theirs] = shared_with("City", whole, {"Sheriff": "none"})["stops"]
    assert theirs["street"] == "Main Street"


def test_units_or_stops_alone() -> None:
    shows = {"Sheriff": "none"}
    assert shared_with("City", {"units": [unit("S1")]}, shows) == {"units": []}
    assert shared_with("City", {"stops": [stop("S1")]}, shows) == {"stops": []}

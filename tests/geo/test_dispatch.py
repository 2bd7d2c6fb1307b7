"""Who should go: rules that hold on any town, and each sentence that is said."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from data.beats import Beat
from data.records import Ask, Flag, Unit, UnitStatus
from data.settings import Policy, Settings
from geo.dispatch import advise, assign, give_and_take, suggest
from geo.roster import muster
from tests.geo.towns import NOW, TEN_MPS, at, stop, town, unit

if TYPE_CHECKING:
    from data.answers import StopAdvice
    from geo.network import RoadNetwork

STREET = {"W": (0.0, 0.0), "M": (3000.0, 0.0), "E": (6000.0, 0.0)}


@pytest.fixture(scope="module")
def street() -> RoadNetwork:
    """Six kilometres of Main Street, driven at 10 m/s."""
    return town(STREET, [{"ends": ["W", "M", "E"], "name": "Main Street", "maxspeed": TEN_MPS}])


def one_stop(net: RoadNetwork, units: list[Unit], **more: Any) -> StopAdvice:
    """Advice on stop S1 of 1A1 at 3 km."""
    stops = more.pop("stops", [stop("S1", "1A1")])
    settings = Settings.model_validate(more.pop("settings", {}))
    first = unit("1A1", at(3000, 0), status="on_stop", agency=more.pop("agency", ""))
    advice = advise(net, [first, *units], stops, now=NOW, settings=settings, **more)
    return next(one for one in advice.stops if one.stop_id == "S1")


def test_reasons_can_be_checked(street: RoadNetwork) -> None:
    asked = [Ask(stop_id="S0", unit_id="1A2", asked_at=NOW - timedelta(hours=2))]
    one = one_stop(
        street, [unit("1A2", at(2000, 0), age_s=12), unit("1A3", at(500, 0))], asked=asked
    )
    assert one.suggestion
    lost = "15\N{NO-BREAK SPACE}%"
    assert one.suggestion.reasons == (
        "1:40 by road, 0.6 mi",
        "fix 12 s old; allowing for it, 1:49",
        f"its beat keeps 1 other car within 3:00; {lost} of road loses its cover meanwhile",
        "not asked in the last hour",
    )
    assert one.suggestion.runner_up
    assert one.suggestion.runner_up.unit_id == "1A3"
    assert one.suggestion.arrival_at == NOW + timedelta(seconds=109)


def test_without_a_record_of_asks_no_reason_speaks_of_them(street: RoadNetwork) -> None:
    units = [unit("1A2", at(2000, 0))]
    unknown, never = one_stop(street, units), one_stop(street, units, asked=[])
    assert unknown.suggestion
    assert never.suggestion
    assert "not asked in the last hour" not in unknown.suggestion.reasons
    assert "not asked in the last hour" in never.suggestion.reasons


def test_two_officers_in_the_car_are_told(street: RoadNetwork) -> None:
    one = one_stop(
        street, [unit("1A2", at(2400, 0), officers=2)], stops=[stop("S1", "1A1", needs=3)]
    )
    assert one.suggestion
    assert "2 officers in the car" in one.suggestion.reasons
    assert one.suggestion.score > one_stop(street, [unit("1A2", at(2400, 0))]).suggestion.score  # type: ignore[union-attr]


def test_a_silent_car_says_so(street: RoadNetwork) -> None:
    one = one_stop(street, [unit("1A2", at(2400, 0), age_s=150, speed_mps=8)])
    assert one.suggestion
    assert one.suggestion.reasons[1] == "fix 2:30 min old, silent since; allowing for it, 2:53"
    parked = one_stop(street, [unit("1A2", at(2400, 0), age_s=100)])
    assert parked.suggestion
    assert parked.suggestion.reasons[1] == "fix 100 s old, parked; allowing for it, 1:45"


def test_who_is_asked_too_often_is_left_in_peace(street: RoadNetwork) -> None:
    asked = [
        Ask(stop_id=f"S{i}", unit_id="1A2", asked_at=NOW - timedelta(minutes=i))
        for i in range(1, 7)
    ]
    units = [unit("1A2", at(2400, 0))]
    assert one_stop(street, units, asked=asked).suggestion is None
    one = one_stop(street, units, asked=asked)
    assert one.why_none == (
        "no unit could be asked: 1 asked too often this hour; "
        "nearest is 1A2, 1:00 by road (available)"
    )
    five = one_stop(street, units, asked=asked[:5])
    assert five.suggestion
    assert "asked 5 times in the last hour" in five.suggestion.reasons


def test_equals_take_turns(street: RoadNetwork) -> None:
    units = [unit("1A2", at(2400, 0)), unit("1A3", at(3600, 0))]
    first = one_stop(street, units)
    assert first.suggestion
    asked = [Ask(stop_id="S0", unit_id=first.suggestion.unit_id, asked_at=NOW - timedelta(hours=3))]
    then = one_stop(street, units, asked=asked)
    assert then.suggestion
    assert then.suggestion.unit_id != first.suggestion.unit_id


def test_a_car_clearly_better_does_not_take_turns(street: RoadNetwork) -> None:
    units = [unit("1A2", at(2800, 0)), unit("1A3", at(4800, 0))]
    asked = [Ask(stop_id="S0", unit_id="1A2", asked_at=NOW - timedelta(hours=3))]
    one = one_stop(street, units, asked=asked)
    assert one.suggestion
    assert one.suggestion.unit_id == "1A2"


@pytest.mark.parametrize(
    ("car", "why"),
    [
        (unit("1A2", at(2400, 0), status="busy"), "1 busy"),
        (unit("1A2", at(2400, 0), status="en_route"), "1 en route"),
        (unit("1A2", at(2400, 0), age_s=1000), "1 with too old a fix"),
        (unit("1A2", at(2400, 0), age_s=400, speed_mps=9), "1 with too old a fix"),
        (unit("1A2", at(2400, 900)), "1 off the road network"),
    ],
)
def test_who_cannot_be_asked_is_counted(street: RoadNetwork, car: Unit, why: str) -> None:
    one = one_stop(street, [car])
    assert one.suggestion is None
    assert one.backup_probability == 0
    assert one.why_none
    assert one.why_none.startswith(f"no unit could be asked: {why}")


def test_out_of_service_is_not_even_named(street: RoadNetwork) -> None:
    one = one_stop(street, [unit("1A2", at(2400, 0), status="out_of_service")])
    assert one.nearest == ()
    assert one.why_none == "no unit could be asked: 1 out of service"


def test_alone_in_the_world(street: RoadNetwork) -> None:
    assert one_stop(street, []).why_none == "no other unit is known"


def test_nearest_are_five_soonest_first_whatever_their_status(street: RoadNetwork) -> None:
    places = [5900, 3100, 5000, 2000, 1000, 3300]
    states = ["busy", "available", "busy", "dispatched", "available", "on_scene"]
    units = [
        unit(f"1B{i}", at(east, 0), status=status)
        for i, (east, status) in enumerate(zip(places, states, strict=True))
    ]
    one = one_stop(street, units)
    assert [near.unit_id for near in one.nearest] == ["1B1", "1B5", "1B3", "1B2", "1B4"]


def test_sharing_rules_hold(street: RoadNetwork) -> None:
    units = [unit("4S1", at(2400, 0), agency="Sheriff")]
    shared = one_stop(street, units, agency="City")
    assert shared.suggestion
    own = one_stop(street, units, agency="City", settings={"agencies": {"share": "own"}})
    assert own.suggestion is None
    assert own.flag is Flag.ALONE
    assert own.nearest[0].unit_id == "4S1"
    assert own.why_none
    assert own.why_none.startswith("the sharing rules allow none of the idle units")
    listed = {"agencies": {"share": "listed", "helps": {"Sheriff": ["City"]}}}
    assert one_stop(street, units, agency="City", settings=listed).suggestion


def test_backup_that_is_there_counts_and_an_old_fix_of_it_does_not(street: RoadNetwork) -> None:
    stops = [stop("S1", "1A1", backup=("1A2", "GHOST"))]
    there = one_stop(street, [unit("1A2", at(3040, 0), status="on_scene")], stops=stops)
    assert (there.officers_present, there.flag) == (2, Flag.COVERED)
    assert there.notes == ("backup GHOST has no position: not counted",)
    old = one_stop(street, [unit("1A2", at(3040, 0), status="on_scene", age_s=1200)], stops=stops)
    assert (old.officers_present, old.flag) == (1, Flag.ALONE)
    assert "backup 1A2 was last seen here 20 min ago: not counted" in old.notes


def test_backup_on_its_way_is_shown_with_its_time(street: RoadNetwork) -> None:
    stops = [stop("S1", "1A1", backup=("1A2",))]
    one = one_stop(street, [unit("1A2", at(1000, 0), status="en_route")], stops=stops)
    assert one.officers_present == 1
    assert one.nearest[0].assigned
    assert one.nearest[0].drive_time_s == pytest.approx(200, abs=0.1)
    assert one.why_none == (
        "1A2 is on its way, 3:20 by road; nobody else would be there enough sooner"
    )


def test_backup_on_a_stop_of_its_own_far_away_makes_that_stop(street: RoadNetwork) -> None:
    units = [unit("1A1", at(3000, 0), status="on_stop"), unit("1A2", at(500, 0), status="on_stop")]
    stops = [stop("S1", "1A1", backup=("1A2",))]
    advice = advise(street, units, stops, now=NOW)
    assert {one.stop_id for one in advice.stops} == {"S1", "status:1A2"}
    beside = [units[0], unit("1A2", at(3010, 0), status="on_stop")]
    advice = advise(street, beside, stops, now=NOW)
    assert [one.stop_id for one in advice.stops] == ["S1"]


@pytest.mark.parametrize(
    ("units", "the_stop", "note"),
    [
        (
            [unit("1A1", at(3000, 0), status="on_stop", age_s=1200)],
            stop("S1", "1A1"),
            "1A1 has been silent for 20 min",
        ),
        (
            [unit("1A1", at(400, 0), status="on_stop")],
            stop("S1", "1A1", at(3000, 0)),
            "1A1 was last seen 1.6 mi from this place",
        ),
        (
            [unit("1A1", at(3000, 0))],
            stop("S1", "1A1"),
            "1A1 shows available: the stop counts until it is cleared",
        ),
        ([], stop("S1", "1A1"), "place unknown: neither the stop nor its unit has a position"),
        (
            [unit("1A1", at(3000, 0), status="on_stop")],
            stop("S1", "1A1", at(3000, 600)),
            "no road within 250 m: drive times are unknown",
        ),
        (
            [unit("1A1", at(3000, 0), status="on_stop")],
            stop("S1", "1A1", at(3000, 80)),
            "the nearest road is 260 ft away: check the place",
        ),
    ],
)
def test_notes_tell_what_is_doubtful(
    street: RoadNetwork, units: list[Unit], the_stop: Any, note: str
) -> None:
    (one,) = advise(street, units, [the_stop], now=NOW).stops
    assert note in one.notes
    assert one.flag is Flag.ALONE


def test_a_stop_off_the_road_stays_and_says_why(street: RoadNetwork) -> None:
    units = [unit("1A1", at(3000, 0), status="on_stop"), unit("1A2", at(2900, 0))]
    (one,) = advise(street, units, [stop("S1", "1A1", at(3000, 600))], now=NOW).stops
    assert one.why_none == "nobody knows how far anybody is: the stop has no place on the road"


def test_no_way_there_is_said() -> None:
    island = STREET | {"I": (0.0, 5000.0), "J": (1000.0, 5000.0)}
    net = town(island, [{"ends": ["W", "M", "E"]}, {"ends": ["I", "J"]}])
    one = one_stop(net, [unit("1A2", at(500, 5000))])
    assert one.why_none == "none of the 1 idle units has a way there by road"
    assert one.nearest == ()


def test_ended_and_cleared_stops_are_over(street: RoadNetwork) -> None:
    units = [unit("1A1", at(3000, 0))]
    over = replace(stop("S1", "1A1"), ended_at=NOW)
    assert advise(street, units, [over, stop("S2", "1A1", phase="cleared")], now=NOW).stops == ()
    later = replace(stop("S1", "1A1"), ended_at=NOW + timedelta(seconds=1))
    assert len(advise(street, units, [later], now=NOW).stops) == 1


def test_nothing_at_all(street: RoadNetwork) -> None:
    advice = advise(street, [], [], now=NOW)
    assert (advice.stops, advice.units) == ((), ())


def test_order_of_rows_changes_nothing(street: RoadNetwork) -> None:
    rng = random.Random(5)  # noqa: S311 - a shuffle, no secret
    units = [unit(f"1A{i}", at(rng.uniform(0, 6000), 0)) for i in range(2, 9)]
    units += [unit(f"1S{i}", at(i * 900, 0), status="on_stop") for i in range(1, 6)]
    stops = [stop(f"S{i}", f"1S{i}") for i in range(1, 6)]
    expected = advise(street, units, stops, now=NOW)
    for _ in range(5):
        rng.shuffle(units)
        rng.shuffle(stops)
        assert advise(street, units, stops, now=NOW) == expected


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.data())
def test_rules_that_always_hold(street: RoadNetwork, data: st.DataObject) -> None:
    east = st.floats(0, 6000)
    ages = st.floats(0, 400)
    states = st.sampled_from(["available", "available", "available", "busy"])
    units = [
        unit(f"U{i}", at(data.draw(east), 0), status=data.draw(states), age_s=data.draw(ages))
        for i in range(data.draw(st.integers(0, 7)))
    ]
    count = data.draw(st.integers(1, 4))
    units += [unit(f"S{i}", at(data.draw(east), 0), status="on_stop") for i in range(count)]
    phases = st.sampled_from(["contact", "secured", "custody", "awaiting_tow"])
    stops = [stop(f"T{i}", f"S{i}", phase=data.draw(phases)) for i in range(count)]
    advice = advise(street, units, stops, now=NOW)
    assert {one.stop_id for one in advice.stops} == {one.stop_id for one in stops}
    asked = [one.suggestion.unit_id for one in advice.stops if one.suggestion]
    assert len(asked) == len(set(asked))
    askable = {state.unit.unit_id for state in advice.units if state.askable}
    assert set(asked) <= askable
    priorities = [one.priority for one in advice.stops]
    assert priorities == sorted(priorities, reverse=True)
    for one in advice.stops:
        assert (one.suggestion is None) != (one.why_none is None)
        times = [near.drive_time_s for near in one.nearest]
        assert times == sorted(times)
        assert all(near.t_lo_s <= near.drive_time_s <= near.t_hi_s for near in one.nearest)


@hypothesis_settings(max_examples=40, deadline=None)
@given(st.floats(0, 6000), st.floats(0, 6000), st.floats(0, 290), st.floats(0, 290))
def test_an_older_fix_is_never_the_better_one(
    street: RoadNetwork, here: float, there: float, age_s: float, more_s: float
) -> None:
    other = unit("1A3", at(there, 0))
    young = one_stop(street, [unit("1A2", at(here, 0), age_s=age_s, speed_mps=5), other])
    old = one_stop(
        street, [unit("1A2", at(here, 0), age_s=min(age_s + more_s, 299), speed_mps=5), other]
    )
    assert old.backup_probability <= young.backup_probability + 1e-12


def test_taking_turns_never_asks_for_less_than_it_is_worth() -> None:
    asked_s = np.array([NOW.timestamp(), -np.inf])
    pairs = give_and_take([(0, 0)], _score([[0.51], [0.49]]), asked_s, ["1A2", "1A3"], Policy())
    assert pairs == [(0, 0)]


def test_reasons_name_the_t_of_the_beat(street: RoadNetwork) -> None:
    beat = Beat(name="all", within_s=300, area=shapely.box(-106, 39, -104, 41))
    one = one_stop(street, [unit("1A2", at(2000, 0)), unit("1A3", at(500, 0))], beats=[beat])
    assert one.suggestion
    assert one.within_s == 300
    assert one.suggestion.reasons[2].startswith("its beat keeps 1 other car within 5:00; ")


def _score(rows: list[list[float]]) -> np.ndarray:
    return np.array(rows, np.float64)


def test_assignment_has_the_greatest_sum() -> None:
    score = _score([[5, 4], [4.5, 0.6]])
    assert sorted(assign(score, np.array([True, True]), Policy())) == [(0, 1), (1, 0)]


def test_assignment_leaves_out_what_is_not_worth_it() -> None:
    score = _score([[0.4, -np.inf], [-3, -np.inf]])
    assert assign(score, np.array([True, True]), Policy()) == []


def test_reserve_is_kept_from_four_on_and_never_against_an_alone_stop() -> None:
    score = np.full((4, 4), -np.inf)
    np.fill_diagonal(score, [4, 3, 2, 1])
    thin = np.zeros(4, np.bool_)
    assert sorted(assign(score, thin, Policy())) == [(0, 0), (1, 1), (2, 2)]
    last_alone = np.array([False, False, False, True])
    assert len(assign(score, last_alone, Policy())) == 4
    assert len(assign(score, ~thin, Policy())) == 4
    assert len(assign(score[:3], thin, Policy())) == 3


def test_reserve_does_not_spoil_the_rest() -> None:
    """The car held back is the one whose stop is worth least, not the one the sum left over."""
    score = _score([[9, 8, 0, 0], [8.5, 8, 0, 0], [0, 0, 2, 1], [0, 0, 1, 0.6]])
    pairs = assign(score, np.zeros(4, np.bool_), Policy())
    assert sum(score[pair] for pair in pairs) == 9 + 8 + 2


def test_suggest_gives_the_contracts_json(street: RoadNetwork) -> None:
    units = [unit("1A1", at(3000, 0), status="on_stop"), unit("1A2", at(2400, 0))]
    answer = suggest(street, units, [stop("S1", "1A1")], now=NOW)
    assert answer["schema"] == "rollby.suggest/1"
    assert answer["at"] == "2026-03-14T03:40:00Z"
    assert set(answer) == {"schema", "at", "roads", "settings", "stops", "skipped"}
    (one,) = answer["stops"]
    assert one["suggestion"]["unit_id"] == "1A2"
    assert one["suggestion"]["route"]["type"] == "LineString"
    assert one["nearest"][0]["status"] == UnitStatus.AVAILABLE.value
    wanted = {"stop_id", "unit_id", "lon", "lat", "street", "phase", "age_s", "officers_present"}
    wanted |= {"needs", "backup_probability", "flag", "priority", "notes", "nearest"}
    assert wanted | {"suggestion", "why_none"} <= set(one)

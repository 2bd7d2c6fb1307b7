"""The simulated shift: one for a seed, possible on the roads, the same for every policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from data.history import read_history, write_history
from data.records import Flag, UnitStatus
from data.said import Escalated, Flagged
from data.settings import Settings
from geo.board import Board
from geo.compare import CLAIRVOYANT, difference, measure, run
from geo.compare import watched as watched_shift
from geo.network import RoadNetwork
from geo.policies import by_road, ours
from geo.replay import replay
from geo.shift.incidents import arrivals
from geo.shift.plan import ShiftPlan
from geo.shift.rates import RATE_BY_HOUR_OF_WEEK
from geo.shift.truth import StopTruth
from geo.shift.world import World, simulate
from tests.geo.towns import at, town

if TYPE_CHECKING:
    from pathlib import Path

    from geo.shift.world import ShiftRecord

PLAN = ShiftPlan(hours=0.5, units=12, stops_per_unit_hour=1.5)
SETTINGS = Settings()


@pytest.fixture(scope="module")
def net(sample_dir: Path) -> RoadNetwork:
    """Downtown Denver."""
    return RoadNetwork.load(sample_dir / "denver.roads")


@pytest.fixture(scope="module")
def watched(net: RoadNetwork) -> ShiftRecord:
    """Half an hour with our board."""
    return simulate(net, PLAN, seed=4, dispatcher=Board(net, SETTINGS))


def test_the_same_seed_gives_the_same_shift(net: RoadNetwork, watched: ShiftRecord) -> None:
    again = simulate(net, PLAN, seed=4, dispatcher=Board(net, SETTINGS))
    assert again.said == watched.said
    assert again.history.statuses == watched.history.statuses
    assert again.history.stops == watched.history.stops
    np.testing.assert_array_equal(again.history.fixes.lon_deg, watched.history.fixes.lon_deg)


def test_another_seed_gives_another(net: RoadNetwork, watched: ShiftRecord) -> None:
    assert simulate(net, PLAN, seed=5).history.stops != watched.history.stops


def test_a_replay_says_what_was_said(net: RoadNetwork, watched: ShiftRecord) -> None:
    said = replay(net, watched.history, settings=SETTINGS)
    assert len(watched.said) > 10
    assert tuple(said[: len(watched.said)]) == watched.said


def test_a_written_shift_replays_the_same(
    net: RoadNetwork, watched: ShiftRecord, tmp_path: Path
) -> None:
    write_history(tmp_path / "shift", watched.history)
    read = read_history(tmp_path / "shift")
    assert read.simulated
    said = replay(net, read, settings=SETTINGS)
    assert tuple(said[: len(watched.said)]) == watched.said


def test_policies_meet_the_same_stops(net: RoadNetwork) -> None:
    calm = ShiftPlan(hours=0.5, units=12, stops_per_unit_hour=1.0, calls_per_unit_hour=0)
    shifts = [simulate(net, calm, seed=2)]
    shifts += [
        simulate(net, calm, seed=2, dispatcher=Board(net, SETTINGS, choose=choose))
        for choose in (by_road, ours)
    ]
    ends = [
        {name: (stop.began_s, stop.ended_s, stop.phases) for name, stop in one.truth.stops.items()}
        for one in shifts
    ]
    both = ends[0].keys() & ends[1].keys() & ends[2].keys()
    assert len(both) >= 3
    assert all(ends[0][name] == ends[1][name] == ends[2][name] for name in both)


def test_cars_keep_to_the_roads_and_never_jump(net: RoadNetwork) -> None:
    seen: dict[str, list[tuple[float, float, float]]] = {}

    def look(world: World, at_s: float) -> None:
        for car in world.cars:
            for i in range(len(car.trip.edges) - 1):
                ahead, after = car.trip.edges[i : i + 2]
                assert net.table.head[ahead] == net.table.tail[after]
            here, _ = world.fleet.ground.place(*car.trip.at(at_s))
            seen.setdefault(car.unit_id, []).append((at_s, here.lon_deg, here.lat_deg))

    simulate(net, PLAN, seed=1, look=look)
    assert len(seen) == 12
    for places in seen.values():
        at_s, lon, lat = np.array(places).T
        metres = np.hypot(np.diff(lon) * np.cos(np.radians(39.7)), np.diff(lat)) * 111_195
        assert metres.max() < 40 * np.diff(at_s).max()


def test_fixes_of_a_dead_zone_arrive_late_and_keep_their_instant(net: RoadNetwork) -> None:
    dead = ShiftPlan(hours=0.5, units=12, dead_zones=3, dead_share=0.2)
    fixes = simulate(net, dead, seed=1).history.fixes
    late_s = fixes.received_at_s - fixes.fixed_at_s
    assert late_s.max() > 30
    assert np.median(late_s) < 3
    assert np.all(np.diff(fixes.received_at_s) >= 0)


def test_parked_cars_send_heartbeats_only(watched: ShiftRecord) -> None:
    fixes = watched.history.fixes
    for row in range(12):
        own = fixes.unit_row == row
        gaps_s = np.diff(np.sort(fixes.fixed_at_s[own]))
        assert gaps_s.min() > 14
        assert (fixes.speed_mps[own] == 0).sum() < own.sum()


def test_stops_come_at_the_rate_of_the_hour() -> None:
    assert len(RATE_BY_HOUR_OF_WEEK) == 168
    assert np.mean(RATE_BY_HOUR_OF_WEEK) == pytest.approx(1.0, abs=0.001)
    counts = [len(arrivals(PLAN, seed, "stops", 1.5, weekly=True)) for seed in range(40)]
    friday_18 = RATE_BY_HOUR_OF_WEEK[4 * 24 + 18]
    assert sum(counts) == pytest.approx(40 * 18 * friday_18 / 2, rel=0.15)


def test_stops_may_come_alike_at_whatever_hour(net: RoadNetwork) -> None:
    plan = replace(PLAN, start=datetime(2026, 3, 9, 5, tzinfo=UTC), weekly=False)  # a Monday
    shifts = [simulate(net, plan, seed=seed) for seed in range(4)]
    began = sum(len(one.truth.stops) + one.truth.stops_lost for one in shifts)
    assert began > 4 * 9 / 2  # the hour's own rate is a ninth of the week's


def test_statuses_tell_what_cars_do(watched: ShiftRecord) -> None:
    shown = {one.status for one in watched.history.statuses}
    assert {UnitStatus.AVAILABLE, UnitStatus.ON_STOP, UnitStatus.EN_ROUTE} <= shown
    assert all(
        one.answered_at is None or one.answered_at > one.asked_at for one in watched.history.answers
    )


def test_officers_there_are_counted_by_the_truth() -> None:
    stop = StopTruth("S1", "1A1", 0.0, 100.0, 1, 2, [], helped=[(20.0, 60.0, 1)])
    assert [stop.present(at_s) for at_s in (10.0, 20.0, 59.0, 60.0)] == [1, 2, 2, 1]


def test_an_alarm_that_clears_is_no_alert(net: RoadNetwork) -> None:
    record = watched_shift(net, PLAN, SETTINGS, "ours", 4)
    flags = [one for one in record.said if isinstance(one, Flagged)]
    raised = sum(one.flag is Flag.ALONE for one in flags)
    told = sum(isinstance(one, Escalated) for one in record.said)
    assert 0 < raised < len(flags)
    found = measure(record)
    assert found.alerts_per_hour == (raised + told) / PLAN.hours
    assert found.sounds_per_hour <= SETTINGS.policy.sounds_per_hour_max / PLAN.hours


def test_a_flood_is_more_than_ten_alerts_in_ten_minutes(net: RoadNetwork) -> None:
    record = watched_shift(net, PLAN, SETTINGS, "nobody", 4)
    began_s = PLAN.start.timestamp()
    (first,) = [one for one in record.said if isinstance(one, Escalated)][:1]

    def told(*at_s: float) -> float:
        said = tuple(replace(first, at_s=began_s + one) for one in at_s)
        return measure(replace(record, said=said)).flood_share

    assert told(*range(600, 610)) == 0
    assert told(*range(600, 611)) == pytest.approx(1 / 3)
    assert told(*range(595, 606)) == 0  # five before the ten minutes, six after
    assert told() == 0


@pytest.mark.parametrize(
    ("agencies", "crossing"),
    [
        ({}, {("city", "county"), ("county", "city")}),
        ({"share": "own"}, set()),
        ({"share": "listed", "helps": {"county": ["city"]}}, {("county", "city")}),
    ],
)
def test_agencies_are_asked_as_they_share(
    net: RoadNetwork, agencies: dict[str, object], crossing: set[tuple[str, str]]
) -> None:
    plan = replace(PLAN, hours=1.5, stops_per_unit_hour=3.0, second_agency_share=0.5)
    rules = Settings.model_validate({"agencies": agencies})
    record = simulate(net, plan, seed=4, dispatcher=Board(net, rules))
    whose = {one.unit_id: one.agency for one in record.history.statuses}
    owner = {stop_id: whose[stop.unit_id] for stop_id, stop in record.truth.stops.items()}
    asked = {(whose[one.unit_id], owner[one.stop_id]) for one in record.history.answers}
    assert asked - crossing == {("city", "city"), ("county", "county")}
    assert asked >= crossing


def test_nobody_leaves_every_minute_exposed_and_ours_does_not(net: RoadNetwork) -> None:
    alone, helped, knowing = (
        run(net, PLAN, SETTINGS, name, 4) for name in ("nobody", "ours", CLAIRVOYANT)
    )
    assert alone.asks_per_unit_hour == 0
    assert 0 < helped.exposure_min < alone.exposure_min
    assert helped.asks_per_unit_hour > 0
    assert 0 < knowing.exposure_min < alone.exposure_min
    assert 0 < helped.covered_share <= 1


def test_exposure_is_what_the_truth_says(net: RoadNetwork) -> None:
    record = simulate(net, PLAN, seed=4)
    record.truth.covered.append((0.0, 1.0))
    one_officer = [stop for stop in record.truth.stops.values() if stop.officers == 1]
    minutes = sum(stop.ended_s - stop.began_s for stop in one_officer) / 60
    assert measure(record).exposure_min == pytest.approx(minutes, abs=len(one_officer) / 6)


def test_a_paired_difference_has_an_interval() -> None:
    gap = difference([1.0, 2.0, 3.5, 4.0], [2.0, 2.5, 5.0, 5.5])
    assert gap.mean == pytest.approx(-1.125)
    assert gap.low < gap.mean < gap.high < 0
    assert np.isnan(difference([1.0], [2.0]).low)
    same = difference([1.0] * 4, [2.0] * 4)
    assert (same.low, same.high) == (-1.0, -1.0)


def test_nobody_drives_to_where_no_way_leads_back() -> None:
    nodes = {"A": (0.0, 0.0), "B": (1000.0, 0.0), "C": (500.0, 800.0), "Out": (4000.0, 0.0)}
    streets = [{"ends": ends} for ends in ("AB", "BC", "CA")]
    ring = town(nodes, [*streets, {"ends": ["B", "Out"], "oneway": True}])
    plan = ShiftPlan(hours=1, units=6, stops_per_unit_hour=0.5, calls_per_unit_hour=4, noise_m=0)
    fixes = simulate(ring, plan, seed=1).history.fixes
    assert len(fixes) > 500
    assert fixes.lon_deg.max() <= at(1001, 0)[0]

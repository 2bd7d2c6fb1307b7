"""Months of coverage equal one snapshot after the other, and their intervals hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data.beats import Beat
from data.errors import InputError
from data.events import Fixes, History, StatusChange, StopChange
from data.records import Stop, StopPhase, Unit, UnitFix, UnitStatus
from data.settings import Settings
from geo.cells import cells_of_edges
from geo.coverage import cover, edge_within_s
from geo.demand import expected_stops
from geo.gap_days import by_week, change, trend
from geo.gap_figures import (
    by_cell,
    by_hour_of_week,
    exposed_per_week,
    interval,
    percentile_interval_s,
    percentile_s,
    stops_per_hour,
)
from geo.gaps import PastCover, past_cover
from geo.past_gaps import gap_cells, gaps_of
from geo.snapshots import with_places
from tests.geo.towns import NOW, TEN_MPS, at, town
from tests.prove import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

STREET = {f"N{i}": (i * 500.0, 0.0) for i in range(9)}
NET = town(STREET, [{"ends": list(STREET), "name": "Main Street", "maxspeed": TEN_MPS}])
BEATS = [Beat(name="west", within_s=60, area=shapely.box(-106, 39, at(1000, 0)[0], 41))]
FixRow = tuple[str, float, float, float, float]
UNITS = ("1A1", "1A2", "1A3")


def moment(second: float) -> datetime:
    return NOW + timedelta(seconds=second)


def history(
    rows: Sequence[FixRow],
    statuses: Sequence[StatusChange] = (),
    stops: Sequence[StopChange] = (),
) -> History:
    """Of fixes (unit, seconds fixed and received after NOW, metres east, speed)."""
    rows = sorted(rows, key=lambda row: row[2])
    ids = tuple(sorted({row[0] for row in rows}))
    blank = np.full(len(rows), np.nan)
    places = [at(row[3], 0) for row in rows]
    fixes = Fixes(
        unit_ids=ids,
        unit_row=np.array([ids.index(row[0]) for row in rows], np.int32),
        fixed_at_s=np.array([moment(row[1]).timestamp() for row in rows]),
        received_at_s=np.array([moment(row[2]).timestamp() for row in rows]),
        lon_deg=np.array([place[0] for place in places]),
        lat_deg=np.array([place[1] for place in places]),
        heading_deg=blank,
        speed_mps=np.array([row[4] for row in rows]),
        accuracy_m=blank,
    )
    return History(fixes=fixes, statuses=tuple(statuses), stops=tuple(stops))


def units_then(past: History, now_s: float) -> list[Unit]:
    """What was known of each unit at an instant, looked up the plain way."""
    units = []
    fixes = past.fixes
    for row, unit_id in enumerate(fixes.unit_ids):
        known = [
            (fixes.fixed_at_s[i], i)
            for i in range(len(fixes))
            if fixes.unit_row[i] == row and fixes.received_at_s[i] <= now_s
        ]
        shown = [
            one for one in past.statuses if one.unit_id == unit_id and one.at.timestamp() <= now_s
        ]
        if known and shown:
            fixed_s, i = max(known)
            fix = UnitFix(
                fixed_at=datetime.fromtimestamp(fixed_s, UTC),
                lon_deg=float(fixes.lon_deg[i]),
                lat_deg=float(fixes.lat_deg[i]),
                speed_mps=float(fixes.speed_mps[i]),
            )
            units.append(Unit(unit_id=unit_id, fix=fix, status=shown[-1].status))
    return units


def stops_then(past: History, now_s: float) -> list[Stop]:
    """Stops as last told by an instant."""
    told = [one for one in past.stops if one.at.timestamp() <= now_s]
    return list({one.stop.stop_id: one.stop for one in told}.values())


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Three units that come, go silent, turn busy and make stops."""
    instants = st.integers(0, 2400)
    rows = [
        (unit, when, when + delay, float(east), speed)
        for unit, when, delay, east, speed in draw(
            st.lists(
                st.tuples(
                    st.sampled_from(UNITS),
                    instants,
                    st.sampled_from([0, 5, 400]),
                    st.integers(0, 4000),
                    st.sampled_from([0.0, 12.0]),
                ),
                min_size=1,
                max_size=12,
                unique_by=lambda row: row[:2],
            )
        )
    ]
    words = st.sampled_from([UnitStatus.AVAILABLE, UnitStatus.AVAILABLE, UnitStatus.BUSY])
    statuses = [StatusChange(unit_id=unit, at=moment(-9), status=draw(words)) for unit in UNITS]
    for when in sorted(draw(st.lists(instants, max_size=4, unique=True))):
        unit = draw(st.sampled_from(UNITS))
        statuses.append(StatusChange(unit_id=unit, at=moment(when), status=draw(words)))
    stops = []
    for number, when in enumerate(sorted(draw(st.lists(instants, max_size=3)))):
        who, helper = draw(st.permutations(UNITS))[:2]
        stop_id = f"S{draw(st.integers(0, 1))}"
        phase = draw(st.sampled_from([StopPhase.CONTACT, StopPhase.CLEARED]))
        ended = draw(st.sampled_from([None, 300]))
        stop = Stop(
            stop_id=stop_id,
            unit_id=who,
            started_at=moment(when),
            phase=phase,
            ended_at=None if ended is None else moment(when + ended),
            backup=(helper,) if number else (),
        )
        stops.append(StopChange(stop=stop, at=moment(when)))
    return history(rows, statuses, stops)


@settings(max_examples=examples(60), deadline=None)
@given(histories())
def test_equals_one_snapshot_after_the_other(past: History) -> None:
    arrived_s = past.fixes.received_at_s
    whole = np.arange(np.ceil(arrived_s[0] / 60), arrived_s[-1] // 60 + 1) * 60
    at_s = np.array([one for one in whole if (one - arrived_s[arrived_s <= one] < 3600).any()])
    if not len(at_s):
        return
    found = past_cover(NET, past, beats=BEATS)
    cells, row = cells_of_edges(NET)
    limit_s = edge_within_s(NET, BEATS, 180)
    beyond = np.zeros((len(found.hour), len(cells), 2))
    hour = np.searchsorted(found.hour, at_s // 3600)
    for now_s, h in zip(at_s.tolist(), hour, strict=True):
        now = datetime.fromtimestamp(now_s, UTC)
        then = cover(NET, units_then(past, now_s), stops_then(past, now_s), now=now, beats=BEATS)
        for car, time_s in enumerate((then.first_s, then.second_s)):
            late_m = np.where(time_s <= limit_s, 0.0, NET.table.road_m)
            beyond[h, :, car] += np.bincount(row, late_m) / np.bincount(row, NET.table.road_m)
    beyond /= found.snapshots[:, None, None]
    week = np.zeros_like(found.hours_beyond)
    np.add.at(week, found.hour_of_week, beyond)
    np.testing.assert_allclose(found.hours_beyond, week, atol=2e-6)


def always(status: UnitStatus = UnitStatus.AVAILABLE) -> list[StatusChange]:
    return [StatusChange(unit_id=unit, at=moment(-9), status=status) for unit in UNITS]


def test_a_silent_unit_covers_nothing_and_a_silent_agency_is_not_looked_at() -> None:
    rows = [("1A1", 0, 0, 2000.0, 9.0), ("1A1", 19_980, 19_980, 2000.0, 9.0)]
    past = past_cover(NET, history(rows, always()))
    assert past.snapshots.sum() == 61  # an hour, and the last instant
    first, second = past.hours_beyond[past.hour_of_week[:2], :, 0]
    assert first.min() < second.max() == 1


def test_percentiles_are_those_of_road_and_time() -> None:
    rows = [("1A1", second, second, 2000.0, 0.0) for second in range(0, 3000, 60)]
    past = past_cover(NET, history(rows, always()))
    cells, row = cells_of_edges(NET)
    times = np.abs(np.arange(8) * 500 + 250 - 2000) / 10
    worst = [max(times[i // 2] for i in np.flatnonzero(row == cell)) for cell in range(len(cells))]
    assert (percentile_s(past, 1.0)[:, 0] >= worst).all()
    assert (percentile_s(past, 1.0)[:, 0] <= np.array(worst) + 11).all()
    assert np.isinf(percentile_s(past, 0.5)[:, 1]).all()


def test_an_interval_of_a_percentile_is_open_where_days_are_few() -> None:
    for days, bounded in ((3, False), (12, True), (400, True)):
        past = made(np.full(days * 24, 0.3))
        low_s, high_s = percentile_interval_s(past, 0.5)
        middle_s = percentile_s(past, 0.5)
        assert (low_s < middle_s).all()
        assert (high_s > middle_s).all()
        assert bool(np.isfinite(high_s).all()) is bounded
        assert bool((low_s > 0).all()) is bounded
    # Wilson's interval of the share reached by either end just holds a half.
    ends = [(one[0, 1] / 1810, 400) for one in (low_s, high_s)]
    found = [interval(np.array(share), np.array(n)) for share, n in ends]
    assert float(found[0].high) == pytest.approx(0.5, abs=0.006)
    assert float(found[1].low) == pytest.approx(0.5, abs=0.006)


def test_stops_are_counted_once_where_they_began() -> None:
    rows = [("1A1", second, second, 2000.0, 0.0) for second in range(0, 3000, 60)]
    lon, lat = at(250, 0)
    begun = Stop(stop_id="S", unit_id="1A1", started_at=moment(60), lon_deg=lon, lat_deg=lat)
    told = [StopChange(stop=begun, at=moment(60)), StopChange(stop=begun, at=moment(90))]
    past = past_cover(NET, history(rows, always(), told))
    assert past.stops.sum() == 1
    assert past.street[int(past.stops.sum(axis=0).argmax())] == "Main Street"
    # One stop in 50 minutes of one or two hours of the week: shrunk over road, not lost.
    assert stops_per_hour(past).sum() == pytest.approx(1)
    assert (stops_per_hour(past).sum(axis=0) > 0).all()
    assert exposed_per_week(past)[:, :, 1].sum() == pytest.approx(1)
    assert past.stops_begun.tolist() == [1, 0]


def test_a_stop_without_a_place_began_where_its_unit_was() -> None:
    rows = [
        ("1A1", 0, 0, 0.0, 0.0),
        ("1A1", 600, 600, 250.0, 0.0),  # the newest when the stop is made
        ("1A1", 660, 660, 1500.0, 0.0),
        ("1A2", 0, 0, 500.0, 0.0),  # too old by then
        ("1A3", 900, 640, 750.0, 0.0),  # by a clock that is ahead
    ]
    stops = [
        Stop(stop_id=unit_id, unit_id=unit_id, started_at=moment(650))
        for unit_id in ("1A1", "1A2", "1A3", "1A4")
    ]
    stops[1] = replace(stops[1], started_at=moment(901))
    lon, lat = at(1000, 0)
    later = replace(stops[3], lon_deg=lon, lat_deg=lat)
    told = [StopChange(stop=one, at=moment(1000)) for one in [*stops, later]]
    found = with_places(history(rows, always(), told))
    lon_deg = [one.stop.lon_deg for one in found.stops]
    assert lon_deg == [at(250, 0)[0], None, None, lon, lon]
    assert [one.at for one in found.stops] == [one.at for one in told]
    blind = replace(found.fixes, accuracy_m=np.full(len(rows), 251.0))
    whole = replace(history(rows, always(), told), fixes=blind)
    assert with_places(whole).stops[0].stop.lon_deg is None
    counted = past_cover(NET, history(rows, always(), told))
    assert counted.stops.sum() == 2


@pytest.mark.parametrize("every_s", [60, 900, 3600])
def test_a_stop_after_the_last_look_of_its_day_began_where_its_unit_was(every_s: float) -> None:
    tomorrow = datetime(NOW.year, NOW.month, NOW.day, tzinfo=UTC) + timedelta(days=1)
    midnight = (tomorrow - NOW).seconds
    seconds = range(midnight - 7200, midnight + 7200, 60)
    rows = [("1A1", one, one, 250.0 if one < midnight - 300 else 3500.0, 0.0) for one in seconds]
    bare = Stop(stop_id="S", unit_id="1A1", started_at=moment(midnight - 5))
    lon, lat = at(3500.0, 0.0)
    bare_past, past = (
        past_cover(
            NET,
            history(rows, always(), [StopChange(stop=stop, at=moment(midnight + 60))]),
            every_s=every_s,
        )
        for stop in (bare, replace(bare, lon_deg=lon, lat_deg=lat))
    )
    assert past.stops.sum() == 1
    np.testing.assert_array_equal(bare_past.stops, past.stops)


def test_a_unit_posted_elsewhere_made_its_stops_where_it_was() -> None:
    rows = [("1A1", second, second, 250.0, 0.0) for second in range(0, 3000, 60)]
    told = [StopChange(stop=Stop(stop_id="S", unit_id="1A1", started_at=moment(90)), at=moment(90))]
    alone = past_cover(NET, history(rows, always(), told))
    posted = past_cover(NET, history(rows, always(), told), posts=[("1A1", *at(2000, 0))])
    np.testing.assert_array_equal(posted.stops, alone.stops)
    assert alone.stops.sum() == 1


def test_a_post_is_no_longer_recorded_than_the_others_and_every_day_is_told() -> None:
    rows = [("1A1", second, second, 2000.0, 0.0) for second in range(0, 2 * 86_400, 600)]
    recorded, shares = history(rows, always()), list[float]()
    lon, lat = at(250, 0)
    alone = past_cover(NET, recorded, every_s=600)
    posted = past_cover(
        NET, recorded, every_s=600, posts=[("9X1", lon, lat)], progress=shares.append
    )
    np.testing.assert_array_equal(posted.hour, alone.hour)
    np.testing.assert_array_equal(posted.snapshots, alone.snapshots)
    assert (alone.all_road[:, 1] == 1).all()
    assert (posted.all_road[:, 1] < 1).all()
    assert shares == sorted(set(shares))
    assert 0 < shares[0] < shares[-1] <= 1


def test_stops_are_expected_where_and_when_they_were() -> None:
    # Two hours of a Friday evening and one of a Saturday were recorded; NOW is in the first.
    seconds = [*range(0, 7200, 60), *range(86_400, 90_000, 60)]
    rows = [("1A1", second, second, 2000.0, 0.0) for second in seconds]
    (lon, lat), hour = at(250, 0), NOW.replace(minute=0, second=0)
    begun = [
        Stop(stop_id=f"S{i}", unit_id="1A1", started_at=hour, lon_deg=lon, lat_deg=lat)
        for i in range(20)
    ]
    told = [StopChange(stop=one, at=hour) for one in begun]
    past = history(rows, always(), told)
    hours = len(np.unique(past.fixes.received_at_s // 3600))
    stops, recorded = expected_stops(NET, past, at=NOW, zone=ZoneInfo("UTC"))
    assert recorded == 20
    # Of 20 stops and 20 of the even spread, those of one hour: 20 and 20 / hours, twice shared.
    assert stops.sum() == pytest.approx(20 * (20 + 20 / hours) / 40)
    there = np.argmax(stops)
    assert abs(NET.middle_deg[0][there] - lon) < 0.001
    road = NET.table.road_m / NET.table.road_m.sum()
    assert stops[there] / stops.sum() == pytest.approx((20 + 20 * road[there]) / 40)
    lost = Stop(stop_id="X", unit_id="1A1", started_at=NOW - timedelta(days=9))
    lost = replace(lost, lon_deg=lon, lat_deg=lat)
    more = replace(past, stops=(StopChange(stop=lost, at=NOW - timedelta(days=9)), *past.stops))
    same, counted = expected_stops(NET, more, at=NOW, zone=ZoneInfo("UTC"))
    assert counted == recorded  # of an hour whose fixes are gone nobody knows how long it was
    np.testing.assert_array_equal(same, stops)
    never, _ = expected_stops(NET, past, at=NOW + timedelta(days=3), zone=ZoneInfo("UTC"))
    assert never.sum() == pytest.approx(20 / hours)
    other, _ = expected_stops(NET, past, at=NOW + timedelta(hours=1), zone=ZoneInfo("UTC"))
    assert other.sum() == pytest.approx(20 * 20 / hours / 40)


def test_nobody_known_is_a_fault() -> None:
    with pytest.raises(InputError, match="statuses: a history must hold some"):
        past_cover(NET, history([("1A1", 0, 0, 0.0, 0.0)]))


def made(beyond: np.ndarray) -> PastCover:
    """A cell's hours with shares given."""
    hour = 96 + np.arange(len(beyond))
    both = np.stack([beyond, beyond], axis=1).astype(np.float64)
    week, stops = np.zeros((168, 1, 2)), np.zeros((168, 1), np.int64)
    np.add.at(week, (hour - 96) % 168, both[:, None])
    np.add.at(stops, (hour - 96) % 168, 1)
    return PastCover(
        cell=np.array(["89268cda883ffff"]),
        road_km=np.ones(1),
        street=("Main Street",),
        hour=hour,
        snapshots=np.full(len(hour), 60),
        all_road=both,
        hours_beyond=week,
        drive_time_km=np.ones((1, 2, 181)),
        stops=stops,
        stops_begun=np.ones(len(hour), np.int64),
        stops_beyond=both,
    )


def shares(rng: np.random.Generator, weeks: int, p: float, stays: float) -> np.ndarray:
    """Hours of a cell that is out of reach or not, minute by minute, and stays as it is."""
    state, hours = rng.random() < p, []
    for _ in range(weeks * 168):
        redrawn = rng.random(60) >= stays
        fresh = rng.random(60) < p
        minutes = []
        for again, new in zip(redrawn.tolist(), fresh.tolist(), strict=True):
            state = new if again else state
            minutes.append(state)
        hours.append(np.mean(minutes))
    return np.array(hours)


@pytest.mark.parametrize("p", [0.05, 0.5])
def test_intervals_hold_though_snapshots_follow_from_each_other(p: float) -> None:
    rng = np.random.default_rng(5)
    hits, tries = np.zeros(2), np.zeros(2)
    for _ in range(12):
        past = made(shares(rng, 4, p, 0.98))  # as it is for 50 minutes on average
        for i, found in enumerate((by_hour_of_week(past), by_cell(past))):
            hits[i] += ((found.low <= p) & (p <= found.high)).sum()
            tries[i] += found.low.size
    assert (hits / tries >= 0.95).all()


def test_an_interval_of_nothing_says_nothing() -> None:
    found = interval(np.array([0.0, 0.0, 0.0]), np.array([0, 1, 400]))
    assert np.isnan(found.mean[0])
    assert (found.low == 0).all()
    assert found.high.tolist() == pytest.approx([1, 0.793, 0.0095], abs=0.001)


def test_a_change_is_found_and_none_is_not_made_up() -> None:
    rng = np.random.default_rng(8)
    false_alarms = 0
    for seed in range(40):
        past = made(np.repeat(rng.random(28), 24))
        after = past.day >= 18
        p = change(past, after, past.all_road[:, 1], seed=seed).p
        false_alarms += p is not None and p < 0.05
    assert false_alarms <= 6
    better = made(np.repeat(rng.random(28) * 0.3 + 0.5 * (np.arange(28) < 14), 24))
    found = change(better, better.day >= 18, better.all_road[:, 1])
    assert found.p is not None
    assert found.p < 0.001
    assert found.before > found.after
    assert (found.days_before, found.days_after) == (14, 14)


def test_weekends_against_working_days_are_no_change() -> None:
    day = np.arange(12)
    past = made(np.repeat(np.where(day % 7 >= 5, 0.9, 0.1), 24))
    found = change(past, past.day >= 9, past.all_road[:, 1])
    assert found.p is not None
    assert found.p > 0.5


def test_too_few_days_tell_nothing() -> None:
    past = made(np.repeat([0.9, 0.9, 0.1, 0.1], 24))
    assert change(past, past.day >= 6, past.all_road[:, 1]).p is None
    with pytest.raises(InputError, match="nothing was recorded after"):
        change(past, past.day >= 60, past.all_road[:, 1])


def test_weeks_are_those_of_the_calendar_a_day_as_one_observation() -> None:
    past = made(np.repeat(np.arange(10) / 10, 24))  # from a Monday on, the fifth day of 1970
    monday, found = by_week(past, past.all_road)
    assert monday.tolist() == [4, 11]
    assert found.mean[:, 1].tolist() == pytest.approx([0.3, 0.8], abs=1e-6)
    assert found.times[:, 1].tolist() == [7, 3]
    assert found.low[1, 1] < 0.8 < found.high[1, 1]


def test_a_trend_is_found_and_none_is_not_made_up() -> None:
    rng = np.random.default_rng(11)
    false_alarms = 0
    for seed in range(40):
        past = made(np.repeat(rng.random(28), 24))
        false_alarms += trend(past, past.all_road[:, 1], seed=seed)[1] < 0.05
    assert false_alarms <= 6
    rising = made(np.repeat(0.2 + 0.02 * np.arange(28) + 0.05 * rng.random(28), 24))
    slope, p, days = trend(rising, rising.all_road[:, 1])
    assert slope == pytest.approx(0.02, abs=0.004)
    assert p < 0.001
    assert days == 28


def test_a_weekend_at_the_end_is_no_trend() -> None:
    day = np.arange(14)
    past = made(np.repeat(np.where(day % 7 >= 5, 0.9, 0.1), 24))
    slope, p, _ = trend(past, past.all_road[:, 1])
    assert slope == pytest.approx(0, abs=1e-9)
    assert p > 0.5


def test_few_days_have_no_trend() -> None:
    few = made(np.repeat([0.1, 0.2, 0.3], 24))
    slope, p, days = trend(few, few.all_road[:, 1])
    assert slope == pytest.approx(0.1, abs=1e-6)
    assert np.isnan(p)
    assert days == 3
    one = made(np.full(24, 0.5))
    assert np.isnan(trend(one, one.all_road[:, 1])[:2]).all()


def test_what_is_said_is_that_of_the_hours() -> None:
    past = made(np.repeat(np.arange(10) / 10, 24))
    chosen = Settings()
    said = gaps_of(past, settings=chosen, simulated=True, split=datetime(1970, 1, 10, tzinfo=UTC))
    assert (said.began, said.ended) == (
        datetime(1970, 1, 5, tzinfo=UTC),
        datetime(1970, 1, 15, tzinfo=UTC),
    )
    assert said.all_road.tolist() == pytest.approx([0.45, 0.45])
    assert (said.days, int(said.hours.sum()), said.stops) == (10, 240, 240)
    np.testing.assert_allclose(said.all_by_hour, said.by_hour[:, 0, :], atol=1e-6)
    assert [round(one.after - one.before, 6) for one in said.changes] == [0.5, 0.5]
    assert said.changes[1].days_before == 5
    assert said.trend[1].a_week == pytest.approx(0.7, abs=0.2)
    assert gap_cells(said).loc[0, "second_beyond"] == pytest.approx(0.45)
    quiet = replace(past, stops=past.stops * 0, stops_begun=past.stops_begun * 0)
    assert gaps_of(quiet, settings=chosen, simulated=False).where_stops is None


def test_days_that_go_by_those_before_widen_every_interval() -> None:
    past = made(np.repeat(np.tile([1.0] * 5 + [0.0] * 5, 4), 24))
    said = gaps_of(past, settings=Settings(), simulated=False)
    assert (said.days_alike > 2).all()
    pairs = [
        (said.all_road_low, said.all_road_high, interval(said.all_road, np.full(2, 40))),
        (said.low, said.high, by_cell(past)),
        (said.by_week_low[0], said.by_week_high[0], interval(said.by_week[0], np.full(2, 7))),
        (said.where_stops_low, said.where_stops_high, interval(said.all_road, np.full(2, 40))),
    ]
    for low, high, independent in pairs:
        assert low is not None
        assert high is not None
        assert (high - low > 1.1 * (independent.high - independent.low)).all()
    assert said.p50_low_s is not None
    assert said.p50_high_s is not None
    low_s, high_s = percentile_interval_s(past, 0.5)
    assert (said.p50_low_s < low_s).all()
    assert (said.p50_high_s > high_s).all()
    alone = made(np.repeat(np.tile([1.0, 0.0], 20), 24))
    assert (gaps_of(alone, settings=Settings(), simulated=False).days_alike == 1).all()


def test_days_with_most_stops_weigh_most_and_the_interval_says_so() -> None:
    past = made(np.full(12 * 24, 0.3))
    begun = past.stops_begun * np.where(past.day == 4, 1000, 1)
    one_day = replace(
        past, stops_begun=begun, stops_beyond=np.stack([begun, begun], axis=1) * np.float64(0.3)
    )
    for stops, days in ((past, 12), (one_day, 1)):
        said = gaps_of(stops, settings=Settings(), simulated=False)
        assert said.where_stops is not None
        assert said.where_stops_low is not None
        assert said.where_stops_high is not None
        even = interval(said.where_stops, np.full(2, days))
        assert said.where_stops_low == pytest.approx(even.low)
        assert said.where_stops_high == pytest.approx(even.high)


def test_worst_cells_are_those_with_most_stops_then_most_road() -> None:
    past = made(np.full(24, 0.5))
    two = replace(
        past,
        cell=np.array(["89268cda883ffff", "89268cda897ffff"]),
        road_km=np.array([1.0, 2.0]),
        street=("A", "B"),
        hours_beyond=np.repeat(past.hours_beyond, 2, axis=1),
        drive_time_km=np.ones((2, 2, 181)),
        stops=np.zeros((168, 2), np.int64),
    )
    said = gaps_of(two, settings=Settings(), simulated=False)
    assert said.worst.tolist() == [1, 0]
    busy = gaps_of(
        replace(two, stops=np.tile([5, 0], (168, 1))), settings=Settings(), simulated=False
    )
    assert busy.worst.tolist() == [0, 1]


def test_weeks_and_hours_of_a_long_steady_period_are_known_well() -> None:
    past, rng = made(np.full(13 * 7 * 24, 0.7)), np.random.default_rng(7)
    steady = np.clip(0.7 + 0.02 * rng.normal(0, 1, (len(past.hour), 2)), 0, 1)
    begun = rng.poisson(1, len(past.hour))
    shares = np.clip(0.4 + 0.1 * rng.normal(0, 1, (len(past.hour), 2)), 0, 1)
    beyond = begun[:, None].astype(np.float64) * shares
    past = replace(past, all_road=steady, stops_begun=begun, stops_beyond=beyond)
    found = gaps_of(past, settings=Settings(), simulated=True)
    assert found.where_stops is not None
    rows: tuple[tuple[Any, Any, Any, float], ...] = (
        (found.all_road, found.all_road_low, found.all_road_high, 0.06),
        (found.where_stops, found.where_stops_low, found.where_stops_high, 0.06),
        (found.by_week, found.by_week_low, found.by_week_high, 0.16),
        (found.all_by_hour, found.all_by_hour_low, found.all_by_hour_high, 0.16),
    )
    for mean, low, high, most in rows:
        for ends in zip(low.ravel(), mean.ravel(), high.ravel(), strict=True):
            assert ends[2] - most < ends[0] < ends[1] < ends[2]
    assert (found.high - found.low > 0.15).all()  # of cells, hour by hour, no more is known

"""A history in parts says of each instant what the whole says, and days add up in any order."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from data.events import Fixes, History, StatusChange, StopChange
from data.records import Stop, StopPhase, UnitStatus
from data.settings import Policy, Settings
from geo.gaps import PastSum, past_cover
from geo.hierarchy import Hierarchy
from geo.hours import local_hours
from geo.past_day import Ground, past_day
from geo.past_parts import NO_FIXES, Posted, Recorded, latest, load, parts_of
from geo.snapshots import idle_fixes
from geo.what_if import with_post
from tests.geo.towns import TEN_MPS, at, town
from tests.prove import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo.past_parts import Part

DAY_S = 86_400
BEGAN_S = 20_500 * DAY_S  # a Monday
UNITS = ("1A1", "1A2", "1A3")
POLICY = Policy(stale_parked_s=7200)
STREET = {f"N{i}": (i * 500.0, 0.0) for i in range(9)}
NET = town(STREET, [{"ends": list(STREET), "name": "Main Street", "maxspeed": TEN_MPS}])


def moment(second: float) -> datetime:
    return datetime.fromtimestamp(BEGAN_S + second, UTC)


def fixes_of(rows: Sequence[tuple[str, float, float, float]]) -> Fixes:
    """Of (unit, seconds taken and received, metres east)."""
    rows = sorted(rows, key=lambda row: row[2])
    ids = tuple(sorted({row[0] for row in rows}))
    return Fixes(
        unit_ids=ids,
        unit_row=np.array([ids.index(row[0]) for row in rows], np.int32),
        fixed_at_s=np.array([BEGAN_S + row[1] for row in rows]),
        received_at_s=np.array([BEGAN_S + row[2] for row in rows]),
        lon_deg=np.array([at(row[3], 0)[0] for row in rows]),
        lat_deg=np.array([at(row[3], 0)[1] for row in rows]),
        heading_deg=np.full(len(rows), np.nan),
        speed_mps=np.array([row[3] % 2 * 9 for row in rows]),
        accuracy_m=np.full(len(rows), np.nan),
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    """The hours about three midnights: late and wrongly dated fixes, stops through the night."""
    some = st.sampled_from
    offset_s = draw(some([0, 25_200, -19_800, -46_800])) + 2 * DAY_S
    instants = st.tuples(some([0, DAY_S, 3 * DAY_S]), st.integers(-36, 36)).map(
        lambda drawn: offset_s + drawn[0] + drawn[1] * 300
    )
    row = st.tuples(some(UNITS), instants, some([0, 5, 4000, -50, -9000, -90_000]), instants)
    rows = [
        (unit, taken, max(0, taken + delay), float(east % 4001))
        for unit, taken, delay, east in draw(st.lists(row, min_size=1, max_size=40))
    ]
    words = some([UnitStatus.AVAILABLE, UnitStatus.AVAILABLE, UnitStatus.BUSY])
    statuses = [StatusChange(unit_id=UNITS[0], at=moment(-90_000), status=UnitStatus.AVAILABLE)]
    for when in sorted(draw(st.lists(instants, max_size=8))):
        one = StatusChange(unit_id=draw(some(UNITS)), at=moment(when), status=draw(words))
        statuses.append(one)
    stops = []
    for when in sorted(draw(st.lists(instants, max_size=6))):
        ended = draw(some([None, 300, 100_000]))
        stop = Stop(
            stop_id=draw(some(["S1", "S2"])),
            unit_id=draw(some(UNITS)),
            started_at=draw(some([None, moment(when)])),
            phase=draw(some([StopPhase.CONTACT, StopPhase.CLEARED])),
            ended_at=None if ended is None else moment(when + ended),
        )
        stops.append(StopChange(stop=stop, at=moment(when)))
    return History(fixes=fixes_of(rows), statuses=tuple(statuses), stops=tuple(stops))


def parted(history: History, zone: str, *, whole_days: bool = True) -> list[Part]:
    recorded = Recorded(history)
    return list(
        parts_of(
            recorded.days,
            recorded.fix_days,
            recorded.told if whole_days else lambda day: latest(recorded.told(day)),
            zone=ZoneInfo(zone),
            policy=POLICY,
            every_s=900,
            last_s=recorded.last_s,
        )
    )


def idle_then(history: History, at_s: np.ndarray) -> list[tuple[float, str, float, float]]:
    """Who was idle when, and by which fix."""
    fix = idle_fixes(history, at_s, POLICY)
    found = []
    for i, unit in zip(*np.nonzero(fix >= 0), strict=True):
        one, seen = int(fix[i, unit]), history.fixes
        where = float(seen.fixed_at_s[one]), float(seen.lon_deg[one])
        found.append((float(at_s[i]), seen.unit_ids[unit], *where))
    return sorted(found)


@settings(max_examples=examples(80), deadline=None)
@given(
    histories(),
    st.sampled_from(["UTC", "America/Denver", "Asia/Kolkata", "Pacific/Auckland"]),
    st.booleans(),
)
def test_parts_say_of_each_instant_what_the_whole_says(
    history: History,
    zone: str,
    whole_days: bool,  # noqa: FBT001 - drawn
) -> None:
    arrived_s = history.fixes.received_at_s
    instants = np.arange(np.ceil(arrived_s[0] / 900), arrived_s[-1] // 900 + 1) * 900
    known = [one for one in instants if (one - arrived_s[arrived_s <= one] < 3600).any()]
    recorded, seen, found = Recorded(history), [], []
    for part in parted(history, zone, whole_days=whole_days):
        at_s, own = load(part, recorded.read, POLICY)
        assert (local_hours(at_s, ZoneInfo(zone)) // 24 == part.day).all()
        seen += at_s.tolist()
        found += idle_then(own, at_s)
    assert seen == known
    assert sorted(found) == idle_then(history, np.array(known))


@settings(max_examples=examples(30), deadline=None)
@given(histories(), st.sampled_from(["1A2", "1A3", "9X1"]))
def test_a_post_holds_in_parts_as_in_the_whole(history: History, unit_id: str) -> None:
    lon, lat = at(2000, 0)
    known = any(one.unit_id == unit_id for one in history.statuses)
    post = Posted(unit_id=unit_id, lon_deg=lon, lat_deg=lat, known=known)
    span_s = BEGAN_S - 9e4, BEGAN_S + 9e5
    whole, recorded = with_post(history, unit_id, lon, lat, span_s=span_s), Recorded(history)
    for part in parted(history, "UTC"):
        at_s, own = load(part, recorded.read, POLICY, [post])
        posted, expected = (
            {(when, unit) for when, unit, *_ in idle_then(one, at_s)} for one in (own, whole)
        )
        assert posted == expected


def test_hours_that_come_twice_or_never_are_of_one_day() -> None:
    zone = ZoneInfo("America/Denver")
    began = int(datetime(2026, 10, 31, 18, tzinfo=UTC).timestamp()) - BEGAN_S  # ends on 1 November
    rows = [("1A1", second, second, 0.0) for second in range(began, began + 2 * DAY_S, 600)]
    on_duty = StatusChange(unit_id="1A1", at=moment(began), status=UnitStatus.AVAILABLE)
    found = parted(History(fixes=fixes_of(rows), statuses=(on_duty,)), "America/Denver")
    long = next(part for part in found if len(part.at_s) == 25 * 4)
    assert datetime.fromtimestamp(long.at_s[0], zone).strftime("%m-%d %H:%M") == "11-01 00:00"
    assert len({float(one) for part in found for one in part.at_s}) == sum(
        len(part.at_s) for part in found
    )


def test_a_part_reads_no_more_than_it_needs() -> None:
    rows = [("1A1", second, second, 0.0) for second in range(0, 6 * DAY_S, 600)]
    on_duty = StatusChange(unit_id="1A1", at=moment(0), status=UnitStatus.AVAILABLE)
    history = History(fixes=fixes_of(rows), statuses=(on_duty,))
    for part in parted(history, "UTC")[1:]:
        _, own = load(part, Recorded(history).read, POLICY)
        assert part.days[0] == part.day - 1
        assert part.days[-1] <= part.day + 1
        assert own.fixes.received_at_s[0] >= part.at_s[0] - 7260


def test_nobody_known_is_a_fault_of_parts_too() -> None:
    rows = [("1A1", second, second, 0.0) for second in range(0, DAY_S, 600)]
    parts = parts_of(
        [20_500],
        [20_500],
        lambda _: History(fixes=NO_FIXES),
        zone=ZoneInfo("UTC"),
        policy=POLICY,
        every_s=900,
        last_s=BEGAN_S + rows[-1][2],
    )
    assert next(parts).day == 20_500
    with pytest.raises(InputError, match="statuses: a history must hold some"):
        next(parts)


def test_days_add_up_in_any_order_bit_for_bit() -> None:
    rng = np.random.default_rng(4)
    rows = [
        (unit, float(second), float(second), float(rng.integers(0, 4001)))
        for second in range(0, 3 * DAY_S, 1200)
        for unit in UNITS
    ]
    on_duty = tuple(
        StatusChange(unit_id=unit, at=moment(0), status=UnitStatus.AVAILABLE) for unit in UNITS
    )
    lon, lat = at(800, 0)
    stop = Stop(stop_id="S", unit_id="1A1", started_at=moment(90_000), lon_deg=lon, lat_deg=lat)
    stops = (StopChange(stop=stop, at=moment(90_010)),)
    history = History(fixes=fixes_of(rows), statuses=on_duty, stops=stops)
    chosen, recorded = Settings(), Recorded(history)
    ground, hierarchy = Ground.of(NET, chosen, ()), Hierarchy.of(NET.forward)
    days = []
    for part in parted(history, chosen.units.time_zone):
        at_s, own = load(part, recorded.read, POLICY)
        days.append(past_day(NET, hierarchy, ground, own, at_s))
    expected = past_cover(NET, history, every_s=900)
    assert len(days) >= 3
    assert expected.stops.sum() == 1
    for order in ([2, 0, 1], [1, 2, 0]):
        total = PastSum(ground)
        for i in [*order, *range(3, len(days))]:
            total.add(days[i])
        found = total.past(NET)
        for one in fields(found):
            np.testing.assert_array_equal(getattr(found, one.name), getattr(expected, one.name))


def test_a_stop_of_days_ago_that_goes_on_keeps_its_unit() -> None:
    rows = [("1A1", second, second, 0.0) for second in range(0, 5 * DAY_S, 600)]
    on_duty = StatusChange(unit_id="1A1", at=moment(0), status=UnitStatus.AVAILABLE)
    begun = Stop(stop_id="S", unit_id="1A1", started_at=moment(3600))
    cleared = replace(begun, phase=StopPhase.CLEARED)
    changes = ((begun, 3600), (cleared, 4 * DAY_S + 3600))
    stops = tuple(StopChange(stop=stop, at=moment(second)) for stop, second in changes)
    history = History(fixes=fixes_of(rows), statuses=(on_duty,), stops=stops)
    found = []
    for part in parted(history, "UTC"):
        at_s, own = load(part, Recorded(history).read, POLICY)
        found += [when - BEGAN_S for when, *_ in idle_then(own, at_s)]
    assert [one for one in found if one < 3600] == [0, 900, 1800, 2700]
    assert min(one for one in found if one >= 3600) == 4 * DAY_S + 3600

"""Sample values made by hand: a town of 9 by 7 streets, its units and stops."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import h3
import numpy as np
import pytest

from data.answers import (
    Advice,
    Coverage,
    Gap,
    NearUnit,
    Route,
    RunnerUp,
    StopAdvice,
    Suggestion,
    UnitState,
)
from data.past_gaps import PastGaps, PeriodChange, Trend
from data.records import Flag, Freshness, StopPhase, Unit, UnitFix, UnitStatus
from data.road_table import RoadSource, RoadTable, TextPool
from tests.maps.visits import visiting
from tests.servers import chromium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.maps.visits import Visit

COLUMNS, ROWS = 9, 7
WEST, SOUTH, STEP_LON, STEP_LAT = -105.0, 39.74, 0.0025, 0.002
AT = datetime(2026, 2, 14, 9, 15, 7, tzinfo=UTC)
CLASSES = ("motorway", "primary", "residential", "secondary", "tertiary", "residential", "trunk")


def node(column: int, row: int) -> int:
    return row * COLUMNS + column


def place(column: float, row: float) -> tuple[float, float]:
    return WEST + column * STEP_LON, SOUTH + row * STEP_LAT


def _street_edges() -> Iterable[tuple[int, int, str, str, bool]]:
    """Tail, head, class, name, one-way: avenues run east, streets north; the motorway one way."""
    for row in range(ROWS):
        name = f"{row + 1}th Avenue" if row else "Motorway 25"
        for column in range(COLUMNS - 1):
            yield node(column, row), node(column + 1, row), CLASSES[row], name, row == 0
    for column in range(COLUMNS):
        name = f"{'ABCDEFGHI'[column]} Street" if column != 4 else ""
        for row in range(ROWS - 1):
            yield node(column, row), node(column, row + 1), "residential", name, False


def make_roads(source: RoadSource | None = None) -> RoadTable:
    """The town; every two-way street is two edges, the second one `reversed`."""
    texts = TextPool()
    rows = []
    for number, (start, end, kind, street, single) in enumerate(_street_edges()):
        rows.append((start, end, number, kind, street, single, False))
        if not single:
            rows.append((end, start, number, kind, street, single, True))
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True))
    tail, head, way, highway, name, oneway, backwards = columns
    at = np.array([place(n % COLUMNS, n // COLUMNS) for n in range(COLUMNS * ROWS)])
    ends = np.column_stack([tail, head])
    middle = at[ends].mean(axis=1) + np.array([0.0, 0.0001])
    shape = np.stack([at[ends[:, 0]], middle, at[ends[:, 1]]], axis=1).reshape(-1, 2)
    m, n = len(tail), len(at)
    blank = np.zeros(m, np.int32)
    return RoadTable(
        node_id=np.arange(n, dtype=np.int64),
        lon_deg=at[:, 0],
        lat_deg=at[:, 1],
        node_highway=np.zeros(n, np.int32),
        node_direction=np.zeros(n, np.int8),
        tail=np.array(tail, np.int32),
        head=np.array(head, np.int32),
        way_id=np.array(way, np.int64),
        length_m=np.full(m, 220.0),
        oneway=np.array(oneway),
        reversed=np.array(backwards),
        highway=texts.rows(highway),
        name=texts.rows(name),
        ref=blank,
        maxspeed=blank,
        lanes=blank,
        junction=blank,
        surface=blank,
        service=blank,
        shape_start=np.arange(m + 1, dtype=np.int64) * 3,
        shape_lon_deg=shape[:, 0].copy(),
        shape_lat_deg=shape[:, 1].copy(),
        ban_start=np.zeros(1, np.int64),
        ban_edge=np.zeros(0, np.int32),
        texts=texts.texts(),
        source=source or RoadSource(name="a town made by hand", date="2026-02-01"),
    )


def make_unit(
    unit_id: str,
    column: float,
    row: float,
    status: UnitStatus = UnitStatus.AVAILABLE,
    freshness: Freshness = Freshness.FRESH,
    age_s: float = 8.0,
    heading_deg: float | None = 90.0,
) -> UnitState:
    lon, lat = place(column, row)
    idle = status is UnitStatus.AVAILABLE and freshness is not Freshness.STALE
    fix = UnitFix(
        fixed_at=AT - timedelta(seconds=age_s),
        lon_deg=lon,
        lat_deg=lat,
        heading_deg=heading_deg,
        speed_mps=9.0,
    )
    return UnitState(
        unit=Unit(unit_id=unit_id, fix=fix, status=status, agency="Denver PD"),
        fix_age_s=age_s,
        freshness=freshness,
        askable=idle,
        why_not=""
        if idle
        else "its fix is too old"
        if status is UnitStatus.AVAILABLE
        else status.value,
    )


def make_near(unit_id: str, drive_time_s: float, probability: float) -> NearUnit:
    return NearUnit(
        unit_id=unit_id,
        agency="Denver PD",
        status=UnitStatus.AVAILABLE,
        officers=1,
        drive_time_s=drive_time_s,
        t_lo_s=max(0.0, drive_time_s - 8),
        t_hi_s=drive_time_s + 12,
        probability=probability,
        fix_age_s=8.0,
        freshness=Freshness.FRESH,
    )


def make_route(places: Iterable[tuple[float, float]], drive_time_s: float) -> Route:
    lon, lat = zip(*(place(*p) for p in places), strict=True)
    return Route(
        drive_time_s=drive_time_s,
        distance_m=1250.0,
        lon_deg=lon,
        lat_deg=lat,
        streets=(("2th Avenue", 650.0), ("", 150.0), ("C Street", 450.0)),
    )


def make_suggestion(unit_id: str, route: Route) -> Suggestion:
    return Suggestion(
        unit_id=unit_id,
        drive_time_s=route.drive_time_s,
        distance_m=route.distance_m,
        arrival_at=AT + timedelta(seconds=route.drive_time_s + 6),
        score=4.2,
        coverage_loss=0.04,
        reasons=(
            f"{unit_id} is the nearest idle unit: 1:40 by road",
            "while it is away, 4 % of the road loses its cover",
        ),
        route=route,
        runner_up=RunnerUp(unit_id="4A15", score=3.1, drive_time_s=171.0),
    )


def make_stop(
    stop_id: str,
    unit_id: str,
    at: tuple[float, float] | None,
    flag: Flag,
    suggestion: Suggestion | None = None,
    phase: StopPhase = StopPhase.CONTACT,
) -> StopAdvice:
    lon, lat = place(*at) if at else (None, None)
    covered = flag is Flag.COVERED
    return StopAdvice(
        stop_id=stop_id,
        unit_id=unit_id,
        lon_deg=lon,
        lat_deg=lat,
        street="East Colfax Avenue" if at else "",
        phase=phase,
        age_s=214.0,
        officers_present=2 if covered else 1,
        needs=2,
        backup_probability={Flag.ALONE: 0.42, Flag.THIN: 0.71, Flag.COVERED: 0.93}[flag],
        flag=flag,
        within_s=180.0,
        priority=4.6,
        notes=() if at else ("the unit on it has no fix",),
        nearest=(make_near("4A12", 100.0, 0.86), make_near("4A15", 171.0, 0.44)) if at else (),
        suggestion=suggestion,
        why_none=None if suggestion or covered else "every idle unit is further than 10:00",
    )


def make_advice() -> Advice:
    """Six stops of every flag, one of unknown place, and fourteen units of every kind."""
    near = make_route([(1, 5), (2, 5), (2, 3)], 100.0)
    far = make_route([(7, 1), (5, 1), (5, 2)], 143.0)
    stops = (
        make_stop("S-101", "4A10", (2, 3), Flag.ALONE, make_suggestion("4A12", near)),
        make_stop(
            "S-102", "4A21", (5, 2), Flag.THIN, make_suggestion("4A15", far), StopPhase.CUSTODY
        ),
        make_stop("S-103", "4A30", (7, 4), Flag.ALONE),
        make_stop("S-104", "4A31", (4, 5), Flag.COVERED, phase=StopPhase.SECURED),
        make_stop("status:4A33", "4A33", (4.02, 5.02), Flag.COVERED, phase=StopPhase.AWAITING_TOW),
        make_stop("S-106", "4A40", None, Flag.ALONE),
    )
    status, fix = UnitStatus, Freshness
    units = (
        make_unit("4A10", 2, 3, status.ON_STOP),
        make_unit("4A12", 1, 5),
        make_unit("4A15", 7, 1, heading_deg=270.0),
        make_unit("4A16", 0.4, 1, freshness=fix.PARKED, age_s=412.0, heading_deg=None),
        make_unit("4A17", 6, 6, freshness=fix.SILENT, age_s=171.0),
        make_unit("4A18", 8, 5, freshness=fix.STALE, age_s=1260.0, heading_deg=None),
        make_unit("4A21", 5, 2, status.ON_STOP),
        make_unit("4A22", 3, 1, status.DISPATCHED, heading_deg=0.0),
        make_unit("4A23", 3, 4, status.EN_ROUTE, heading_deg=180.0),
        make_unit("4A30", 7, 4, status.ON_STOP),
        make_unit("4A31", 4, 5, status.ON_STOP),
        make_unit("4A32", 4, 5, status.ON_SCENE),
        make_unit("4A50", 6, 3, status.BUSY),
        make_unit("4A51", 1, 2, status.OUT_OF_SERVICE, heading_deg=None),
    )
    return Advice(at=AT, stops=stops, units=units, within_s=180.0, simulated=True)


def make_coverage(roads: RoadTable) -> Coverage:
    """Drive times that grow to the east; the last column cannot be reached."""
    middle = roads.shape_start[:-1] + 1
    columns = (roads.shape_lon_deg[middle] - WEST) / STEP_LON
    first = 40.0 * columns + roads.reversed * 4.0
    second = 75.0 * columns + 30.0
    second[columns > COLUMNS - 1.5] = np.inf
    gap = second > 180.0
    lon, lat = place(6, 3)
    return Coverage(
        at=AT,
        within_s=180.0,
        nearest_s=np.stack([first, second], axis=1),
        stops_an_hour=np.full(len(first), 0.01),
        probability=np.where(gap, 0.4, 0.9),
        gap=gap,
        gaps=(
            Gap(km=11.4, lon_deg=lon, lat_deg=lat, street="3th Avenue"),
            Gap(km=0.8, lon_deg=place(8, 6)[0], lat_deg=place(8, 6)[1], street=""),
        ),
        units=make_advice().units,
    )


@pytest.fixture(scope="session")
def roads() -> RoadTable:
    return make_roads()


@pytest.fixture(scope="session")
def advice() -> Advice:
    return make_advice()


@pytest.fixture(scope="session")
def empty_advice() -> Advice:
    return replace(make_advice(), stops=(), units=(), simulated=False)


@pytest.fixture(scope="session")
def coverage(roads: RoadTable) -> Coverage:
    return make_coverage(roads)


@pytest.fixture(scope="session")
def route() -> Route:
    return make_route([(1, 5), (2, 5), (2, 3)], 100.0)


# No longer than a file: while Playwright waits, no other test of the process may run a loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Callable[..., AbstractContextManager[Visit]]:
    """Open a document in a browser without network; leaving it checks that all was quiet."""
    return partial(visiting, browser, tmp_path / "map.html")


def make_gaps() -> PastGaps:
    """Cells over the town, worse to the east and by night; Sundays were not looked at."""
    cell = np.unique([h3.latlng_to_cell(*place(c, r)[::-1], 9) for c in range(9) for r in range(7)])
    lon = np.array([h3.cell_to_latlng(one)[1] for one in cell.tolist()])
    east = np.clip((lon - WEST) / (8 * STEP_LON), 0, 1)
    night = np.where(np.arange(168) % 24 < 6, 1.0, 0.4)[:, None, None]
    by_hour = (night * np.stack([east / 2, east], axis=1)).astype(np.float32)
    by_hour[144:] = np.nan
    hours = np.where(np.arange(168) < 144, 4, 0)
    beyond = np.nanmean(by_hour.astype(float)[:144], axis=0)
    everywhere = beyond.mean(axis=0)
    count = len(cell)
    mondays = tuple(AT.replace(hour=7) + timedelta(weeks=i) for i in range(4))
    return PastGaps(
        simulated=True,
        began=AT,
        ended=AT + timedelta(days=28),
        time_zone="America/Denver",
        within_s=180.0,
        snapshots=34_560,
        stops=120,
        hours=hours,
        days=24,
        days_alike=np.ones(2),
        cell=cell,
        street=tuple(f"{i + 1}th Avenue" if i else "" for i in range(count)),
        road_km=np.ones(count),
        beyond=beyond,
        low=beyond * 0.5,
        high=np.minimum(1, beyond * 1.5 + 0.1),
        by_hour=by_hour,
        p50_s=np.full((count, 2), 120.0),
        p90_s=np.column_stack([np.full(count, 240.0), np.full(count, np.inf)]),
        p50_low_s=np.full((count, 2), 80.0),
        p50_high_s=np.full((count, 2), 170.0),
        p90_low_s=np.full((count, 2), 200.0),
        p90_high_s=np.full((count, 2), np.inf),
        stops_a_week=np.column_stack([east, 2 * east]),
        stops_a_week_low=np.column_stack([east, 2 * east]) / 2,
        stops_a_week_high=np.column_stack([east, 2 * east]) * 2,
        stops_by_hour=(np.nan_to_num(by_hour) / 100).astype(np.float32),
        all_road=everywhere,
        all_road_low=everywhere * 0.5,
        all_road_high=everywhere * 1.5,
        all_by_hour=by_hour.mean(axis=1).astype(float),
        all_by_hour_low=np.nan_to_num(by_hour.mean(axis=1) * 0.5).astype(float),
        all_by_hour_high=np.nan_to_num(by_hour.mean(axis=1) * 1.5, nan=1.0).astype(float),
        two_car_preparedness=np.linspace(0.5, 2.5, count),
        where_stops=everywhere * 1.1,
        where_stops_low=everywhere * 0.8,
        where_stops_high=everywhere * 1.4,
        week=mondays,
        by_week=np.array([everywhere * share for share in (0.9, 1.0, 1.1, 1.0)]),
        by_week_low=np.array([everywhere * share for share in (0.6, 0.7, 0.8, 0.7)]),
        by_week_high=np.array([everywhere * share for share in (1.2, 1.3, 1.4, 1.3)]),
        trend=(Trend(a_week=0.01, p=0.04, days=24), Trend(a_week=-0.02, p=0.0312, days=24)),
        changes=(
            PeriodChange(before=0.3, after=0.2, p=0.01, days_before=12, days_after=12),
            PeriodChange(before=0.5, after=0.4, p=None, days_before=12, days_after=3),
        ),
    )


@pytest.fixture(scope="session")
def gaps() -> PastGaps:
    return make_gaps()

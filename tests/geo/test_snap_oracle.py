"""Fixes land where a brute force over shapely puts them, on any network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from data.road_table import METRES_PER_DEG
from geo.kernels import snap as law
from geo.network import RoadNetwork
from geo.snap import FAR_M, Snapped, snap, snap_batch
from geo.starts import starts_of
from tests.geo.test_router import towns
from tests.geo.towns import at, town
from tests.prove import examples

if TYPE_CHECKING:
    from collections.abc import Callable

NAN = float("nan")
NEAR = 1e-4  # metres, and metres of a score: as exact as shapely is at these distances


@dataclass(frozen=True)
class Fix:
    lon: float
    lat: float
    heading: float = NAN
    accuracy: float = NAN
    speed: float = NAN


@dataclass
class Slow:
    """The obvious way: every edge, one line at a time; scores may have several right answers."""

    net: RoadNetwork
    fix: Fix
    arriving: bool = False

    def __post_init__(self) -> None:
        net, fix = self.net, self.fix
        scale = np.array([METRES_PER_DEG * max(np.cos(np.radians(fix.lat)), 1e-6), METRES_PER_DEG])
        self.metres = np.full(len(net.edge_ms), np.inf)
        self.agrees: list[set[float]] = []
        for edge in range(len(net.edge_ms)):
            line = (np.stack(net.table.shape(edge), axis=1) - [fix.lon, fix.lat]) * [1, 1]
            line[:, 0] -= 360 * np.rint(line[0, 0] / 360)
            line[:, 0] = np.unwrap(line[:, 0], period=360)
            steps = [
                step
                for step in np.stack([line[:-1], line[1:]], axis=1) * scale
                if (step[0] != step[1]).any()
            ] or [np.stack([line[0], line[0] + [0, 1e-15]]) * scale]
            far = [shapely.LineString(step).distance(shapely.Point(0, 0)) for step in steps]
            self.metres[edge] = min(far)
            nearest = [s for s, m in zip(steps, far, strict=True) if m <= min(far) + 1e-5]
            bearings = [np.arctan2(*(step[1] - step[0])) for step in nearest]
            self.agrees.append({float(np.cos(np.radians(fix.heading) - b)) for b in bearings})
        self.error_m = 10.0 if np.isnan(fix.accuracy) else min(max(fix.accuracy, 0), FAR_M)

    def score(self, edge: int, main_m: float = 100.0) -> float:
        """Metres away, and metres for what speaks against it."""
        if self.metres[edge] > FAR_M + NEAR:
            return np.inf
        score = float(self.metres[edge])
        if not np.isnan(self.fix.heading):
            score += max(25.0, self.error_m) * (1 - max(self.agrees[edge]))
        score += self.error_m * self.too_fast(edge)
        joined = self.net.from_main if self.arriving else self.net.to_main
        against = not np.isnan(self.fix.heading) and max(self.agrees[edge]) < -law.RIGHT_ANGLE
        return score + main_m * (against or not joined[edge])

    def too_fast(self, edge: int) -> float:
        ratio = self.fix.speed / self.net.grid.road_mps[edge]
        return 0.0 if np.isnan(ratio) else float(np.clip((ratio - 1.25) / 0.5, 0, 1))

    def log(self, edge: int, sd_m: float) -> float:
        """How likely the fix is for a car there."""
        log = -0.5 * (float(self.metres[edge]) / sd_m) ** 2 - 2 * self.too_fast(edge)
        return log if np.isnan(self.fix.heading) else log - 4 * (1 - max(self.agrees[edge]))


def check(net: RoadNetwork, fix: Fix, snapped: Snapped, i: int, *, arriving: bool = False) -> None:
    """Hold one answer to the slow way's."""
    slow = Slow(net, fix, arriving)
    scores = [slow.score(edge) for edge in range(len(net.edge_ms))]
    edge = int(snapped.edge[i])
    if edge < 0:
        assert slow.metres.min() > FAR_M - NEAR
        assert np.isnan(snapped.fraction[i])
        assert snapped.position(i) is None
        return
    assert snapped.offset_m[i] == pytest.approx(slow.metres[edge], abs=NEAR)
    assert slow.score(edge) == pytest.approx(min(scores), abs=NEAR)
    same_line = [e for e in range(edge) if scores[e] < min(scores) + 1e-9]
    if same_line and np.isnan(fix.heading):
        lines = [np.stack(net.table.shape(e)) for e in (*same_line, edge)]
        assert not any(np.array_equal(line, lines[-1]) for line in lines[:-1])
    bare = [slow.score(e, 0) for e in range(len(net.edge_ms))]
    joined = net.from_main if arriving else net.to_main
    passed = int(snapped.passed_over[i])
    if passed >= 0:
        assert joined[edge]
        assert not joined[passed]
        assert bare[passed] == pytest.approx(min(bare), abs=NEAR)
    elif joined[edge]:
        assert min(np.array(bare)[joined]) < min(bare) + NEAR
    check_rival(net, slow, snapped, i)


def check_rival(net: RoadNetwork, slow: Slow, snapped: Snapped, i: int) -> None:
    """Hold runner-up and confidence to the slow way's, but for roads that only go on."""
    edge, rival = int(snapped.edge[i]), int(snapped.runner_up[i])
    sd_m = max(np.hypot(slow.error_m / 1.5, 5), slow.metres[edge])
    own = slow.log(edge, sd_m)
    if rival < 0:
        assert snapped.confidence[i] == 1
    else:
        assert rival not in {edge, int(net.twin[edge])}
        expected = 1 / (1 + np.exp(slow.log(rival, sd_m) - own))
        # A road that touches this one may be no rival where it touches, and one further along.
        touches = _meets(net, edge, rival) and snapped.confidence[i] > expected
        assert touches or snapped.confidence[i] == pytest.approx(expected, abs=1e-4)
    named = slow.log(rival, sd_m) if rival >= 0 else own - law.RIVAL_LOG
    for other in np.flatnonzero(slow.metres < FAR_M - NEAR).tolist():
        if other not in {edge, int(net.twin[edge])} and not _meets(net, edge, other):
            assert slow.log(other, sd_m) <= named + 1e-4


def _meets(net: RoadNetwork, edge: int, other: int) -> bool:
    ends = ({int(net.table.tail[e]), int(net.table.head[e])} for e in (edge, other))
    return bool(set.intersection(*ends))


def batch(net: RoadNetwork, fixes: list[Fix], *, arriving: bool = False) -> Snapped:
    columns = np.array(
        [[f.lon, f.lat, f.heading, f.accuracy, f.speed] for f in fixes], np.float64
    ).reshape(-1, 5)
    return snap_batch(net, *columns.T, arriving=arriving)


def check_all(net: RoadNetwork, fixes: list[Fix], *, arriving: bool = False) -> None:
    snapped = batch(net, fixes, arriving=arriving)
    for i, fix in enumerate(fixes):
        check(net, fix, snapped, i, arriving=arriving)


headings = st.just(NAN) | st.sampled_from([0.0, 45.0, 90.0, 180.0, 270.0]) | st.floats(0, 360)
accuracies = st.just(NAN) | st.sampled_from([0.0, 5.0, 30.0, 100.0, float("inf")])
speeds = st.just(NAN) | st.sampled_from([0.0, 8.0, 15.0, 30.0])


@st.composite
def fixes(draw: st.DrawFn) -> Fix:
    """Fixes on nodes, on roads, between them and beyond."""
    part = st.sampled_from([0.0, 100.0, 200.0, 400.0, -249.9, 650.1]) | st.floats(-300, 700)
    place = at(draw(part), draw(part))
    return Fix(*place, draw(headings), draw(accuracies), draw(speeds))


@settings(max_examples=examples(150), deadline=None)
@given(towns(), st.lists(fixes(), max_size=4), st.booleans())
def test_fixes_on_generated_towns(net: RoadNetwork, some: list[Fix], arriving: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    check_all(net, some, arriving=arriving)


bends = st.lists(
    st.tuples(
        st.sampled_from([0.0, 50.0, 120.0, 400.0]), st.sampled_from([0.0, 50.0, 130.0, -60.0])
    ),
    max_size=4,
)


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.tuples(bends, st.booleans()), min_size=1, max_size=5), fixes())
def test_fixes_among_winding_roads_and_repeated_points(
    roads: list[tuple[list[tuple[float, float]], bool]], fix: Fix
) -> None:
    nodes = {"A": (0.0, 0.0), "B": (400.0, 0.0)}
    ways = [{"ends": ["A", "B"], "via": via, "oneway": oneway} for via, oneway in roads]
    check_all(town(nodes, ways), [fix])


@settings(max_examples=examples(60), deadline=None)
@given(
    st.sampled_from([(10.0, 0.0), (25.0, 62.0), (-179.9999, 10.0), (180.0, -45.0), (0.0, 89.9)]),
    st.lists(st.tuples(st.integers(-30, 30), st.integers(-30, 30)), min_size=2, max_size=8),
    st.tuples(st.integers(-50, 50), st.integers(-50, 50)),
    headings,
    st.booleans(),
)
def test_fixes_anywhere_on_earth(
    middle: tuple[float, float],
    nodes: list[tuple[int, int]],
    place: tuple[int, int],
    heading: float,
    world: bool,  # noqa: FBT001 - hypothesis gives it by name
) -> None:
    lon, lat = (np.array(nodes).T * 1e-4) + np.array(middle)[:, None]
    lat = np.clip(lat, -90, 90)
    tail = np.arange(len(nodes))
    if world:  # nodes all round the earth
        lon, lat = np.append(lon, [0.0, 90.0]), np.append(lat, [0.0, 0.0])
    lon = (lon + 180) % 360 - 180
    net = RoadNetwork.from_arrays(
        lon_deg=lon,
        lat_deg=lat,
        tail=tail,
        head=np.roll(tail, 1),
        time_s=np.ones(len(tail)),
    )
    at_lon = (middle[0] + place[0] * 1e-4 + 180) % 360 - 180
    check_all(net, [Fix(at_lon, min(middle[1] + place[1] * 1e-4, 90.0), heading)])


def round_about(net: RoadNetwork, count: int, seed: int) -> list[Fix]:
    """Fixes near roads, and some far."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, len(net.table.shape_lon_deg), count)
    error = rng.normal(0, 1, (2, count)) * rng.choice([0, 3e-5, 1e-3, 3e-3], count)
    heading = np.where(rng.random(count) < 0.4, NAN, rng.uniform(0, 360, count))
    accuracy = rng.choice([NAN, 0, 8, 60], count)
    speed = rng.choice([NAN, 0, 14, 31], count)
    lon, lat = net.table.shape_lon_deg[rows] + error[0], net.table.shape_lat_deg[rows] + error[1]
    columns = np.stack([lon, lat, heading, accuracy, speed], axis=1)
    return [Fix(*row) for row in columns.tolist()]


def test_fixes_in_denver(denver: RoadNetwork) -> None:
    check_all(denver, round_about(denver, 25 * examples(1), 7))
    check_all(denver, round_about(denver, 10 * examples(1), 8), arriving=True)


@pytest.mark.parametrize(
    "name", ["Helsinki", "monaco", "harrisburg_pa", "columbus_oh"][: 3 + (examples(1) > 1)]
)
def test_fixes_in_other_cities(name: str, real_roads: Callable[[str], RoadNetwork]) -> None:
    net = real_roads(name)
    check_all(net, round_about(net, 4 * examples(1), 9))


def test_batch_equals_single_with_all_that_is_known(denver: RoadNetwork) -> None:
    some = round_about(denver, 2500, 5)  # so many are sorted by cell
    snapped = batch(denver, some)
    for i in range(0, 2500, 10):
        fix = some[i]
        alone = snap(
            denver, fix.lon, fix.lat, fix.heading, accuracy_m=fix.accuracy, speed_mps=fix.speed
        )
        assert alone == snapped.position(i)
    assert (snapped.edge < 0).any()


def test_unknown_and_impossible_places_are_on_no_road(denver: RoadNetwork) -> None:
    some = [Fix(NAN, 39.75), Fix(-104.99, NAN), Fix(float("inf"), 39.75), Fix(-104.99, 90.0)]
    snapped = batch(denver, some)
    assert (snapped.edge == -1).all()
    assert (snapped.turn_round_ms == -1).all()
    assert (snapped.confidence == 0).all()
    assert batch(denver, []).edge.shape == (0,)


def test_starts_are_those_of_the_positions(denver: RoadNetwork) -> None:
    snapped = batch(denver, round_about(denver, 100, 1))
    on_road = np.flatnonzero(snapped.edge >= 0)
    positions = [snapped.position(i) for i in on_road.tolist()]
    starts, expected = snapped.starts(denver), starts_of(denver, [p for p in positions if p])
    for name in ("edge", "done_ms", "price_ms"):
        assert np.array_equal(getattr(starts, name)[on_road], getattr(expected, name))
    assert (starts.edge[snapped.edge < 0] == -1).all()


def test_columns_of_different_lengths_are_refused(denver: RoadNetwork) -> None:
    two, three = np.zeros(2), np.zeros(3)
    with pytest.raises(InputError, match=r"^lon_deg, .* speed_mps: must be flat and of one length"):
        snap_batch(denver, two, two, three)


def test_all_nodes_at_one_place_and_a_single_edge() -> None:
    count = 600  # more candidates than there is room for at first
    one_place = RoadNetwork.from_arrays(
        lon_deg=np.full(3, 10.0),
        lat_deg=np.full(3, 50.0),
        tail=np.zeros(count),
        head=np.ones(count),
        time_s=np.ones(count),
    )
    position = snap(one_place, 10.0, 50.0005)
    assert position
    assert position.edge == 0
    assert position.offset_m == pytest.approx(55.6, abs=0.1)
    single = RoadNetwork.from_arrays(
        lon_deg=[10, 10.01], lat_deg=[50, 50], tail=[0], head=[1], time_s=[30]
    )
    position = snap(single, 10.005, 50.0001, 270)
    assert position
    assert (position.edge, position.runner_up, position.confidence) == (0, None, 1.0)
    assert position.fraction == pytest.approx(0.5)


def test_a_patched_network_keeps_its_grid(denver: RoadNetwork) -> None:
    assert denver.grid is denver.patched(closed=[3]).grid

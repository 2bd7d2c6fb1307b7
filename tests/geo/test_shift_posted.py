"""Units that stand at posts in a simulated shift, and drive back to them."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pytest

from data.errors import InputError
from data.records import UnitStatus
from data.settings import Settings
from geo.board import Board
from geo.router import search_back
from geo.shift.car import Doing
from geo.shift.plan import ShiftPlan
from geo.shift.posted import Orders, Reached, give_posts
from geo.shift.world import World, simulate
from geo.snap import middle_of, position_on
from tests.geo.towns import at, town

if TYPE_CHECKING:
    from geo.network import RoadNetwork
    from geo.shift.world import ShiftRecord
    from geo.snap import Position

PLAN = ShiftPlan(hours=1.5, units=6, stops_per_unit_hour=1.5)
EDGES = (10, 300, 600, 1000)


@pytest.fixture(scope="module")
def posts(denver: RoadNetwork) -> tuple[Position, ...]:
    """Four, for six units."""
    return tuple(middle_of(denver, edge) for edge in EDGES)


@pytest.fixture(scope="module")
def patrol(denver: RoadNetwork) -> ShiftRecord:
    """The shift with nobody at a post."""
    return simulate(denver, PLAN, seed=4, dispatcher=Board(denver, Settings()))


def test_with_the_same_places_and_no_posts_it_is_the_same_shift(
    denver: RoadNetwork, patrol: ShiftRecord
) -> None:
    orders = Orders(places=patrol.truth.places)
    calm = Board(denver, Settings())
    again = simulate(denver, PLAN, seed=4, dispatcher=calm, orders=orders)
    began = [[one.began_s for one in record.truth.stops.values()] for record in (patrol, again)]
    assert began[0] == began[1]
    assert again.said == patrol.said
    np.testing.assert_array_equal(again.history.fixes.lon_deg, patrol.history.fixes.lon_deg)


def test_free_units_stand_at_their_posts_and_drive_back_along_the_roads(
    denver: RoadNetwork, patrol: ShiftRecord, posts: tuple[Position, ...]
) -> None:
    seen: dict[str, list[tuple[float, float, float]]] = {}
    stood: set[str] = set()
    driving: set[str] = set()

    def look(world: World, at_s: float) -> None:
        for car in world.cars:
            for before, after in zip(car.trip.edges, car.trip.edges[1:], strict=False):
                assert denver.table.head[before] == denver.table.tail[after]
            here, _ = world.fleet.ground.place(*car.trip.at(at_s))
            seen.setdefault(car.unit_id, []).append((at_s, here.lon_deg, here.lat_deg))
            if car.doing is not Doing.PATROL or car.post is None:
                continue
            assert car.to_post
            begin = position_on(denver, car.trip.edges[0], car.trip.begin, 0, 0)
            drive_s = search_back(denver, car.post).drive_time_s(begin)
            standing = len(car.trip.edges) == 1 and car.trip.begin == car.trip.end
            (stood if standing else driving).add(car.unit_id)
            took_s = 0.0 if standing else car.trip.end_s - car.trip.enter_s[0]
            assert took_s == pytest.approx(drive_s, abs=0.01)  # who stands is there

    orders = Orders(places=patrol.truth.places, posts=posts)
    record = simulate(denver, PLAN, seed=4, look=look, orders=orders)
    assert len(stood) == len(posts)  # each post is one unit's
    assert driving
    for places in seen.values():
        at_s, lon, lat = np.array(places).T
        metres = np.hypot(np.diff(lon) * np.cos(np.radians(39.7)), np.diff(lat)) * 111_195
        assert metres.max() < 40 * np.diff(at_s).max()
    parked = record.history.fixes.speed_mps == 0
    assert parked.mean() > 0.2


def test_posts_are_given_out_so_that_the_ways_are_shortest_in_all(
    denver: RoadNetwork, posts: tuple[Position, ...]
) -> None:
    cars = World(denver, PLAN, 4).cars
    begins = [position_on(denver, *car.trip.at(car.trip.enter_s[0]), 0, 0) for car in cars]
    drive_s = np.array(
        [[search_back(denver, post).drive_time_s(b) for post in posts] for b in begins]
    )
    best = min(
        sum(drive_s[car, post] for post, car in enumerate(chosen))
        for chosen in permutations(range(len(cars)), len(posts))
    )
    give_posts(denver, cars, posts)
    given = [(row, posts.index(car.post)) for row, car in enumerate(cars) if car.post]
    assert len(given) == len(posts)
    assert sum(drive_s[row, post] for row, post in given) == pytest.approx(best)


def test_stops_begin_where_the_shift_before_had_them(
    denver: RoadNetwork, patrol: ShiftRecord, posts: tuple[Position, ...]
) -> None:
    orders = Orders(places=patrol.truth.places, posts=posts)
    record = simulate(denver, PLAN, seed=4, orders=orders)
    assert record.truth.stops_lost + len(record.truth.stops) >= len(patrol.truth.stops)
    later = 0
    for number, place in record.truth.places.items():
        before = patrol.truth.places[number]
        there = {(place.edge, round(place.fraction, 3)), (before.edge, round(before.fraction, 3))}
        same = np.hypot(place.lon_deg - before.lon_deg, place.lat_deg - before.lat_deg) < 1e-5
        assert same or len(there) == 1
        stop, then = (one.truth.stops[f"S{number + 1:04d}"] for one in (record, patrol))
        assert stop.began_s >= then.began_s  # the nearest free unit had to come
        later += stop.began_s > then.began_s
        lasted = stop.ended_s - stop.began_s, then.ended_s - then.began_s
        if max(stop.ended_s, then.ended_s) < patrol.plan.start.timestamp() + 3600 * PLAN.hours:
            assert lasted[0] == pytest.approx(lasted[1], abs=0.01)
    assert later > 3
    shown = {one.status for one in record.history.statuses}
    assert UnitStatus.BUSY in shown  # on the way to a stop nobody counts as idle


def test_the_nearest_free_units_are_seen_as_each_stop_begins() -> None:
    street = town(
        {f"N{i}": (i * 500.0, 0.0) for i in range(9)},
        [{"ends": [f"N{i}" for i in range(9)], "maxspeed": "36"}],
    )
    places = {0: middle_of(street, 0)}
    posts = (middle_of(street, 0), middle_of(street, 6), middle_of(street, 12))
    plan = ShiftPlan(hours=1, units=3, stops_per_unit_hour=3, calls_per_unit_hour=0)
    look = Reached()
    record = simulate(street, plan, seed=1, look=look, orders=Orders(places=places, posts=posts))
    assert list(record.truth.places) == [0]
    assert record.truth.stops_lost > 0  # those without a place
    own = search_back(street, places[0])
    first, second = look.nearest_s[0]
    assert (first, second) == tuple(own.drive_time_s(post) for post in posts[1:])


def test_who_has_no_way_to_its_post_patrols() -> None:
    nodes = {"A": (0.0, 0.0), "B": (1000.0, 0.0), "C": (500.0, 800.0), "Out": (4000.0, 0.0)}
    streets = [{"ends": ends} for ends in ("AB", "BC", "CA")]
    ring = town(nodes, [*streets, {"ends": ["Out", "B"], "oneway": True}])
    edge = int(np.argmax(ring.middle_deg[0] > at(1500, 0)[0]))
    plan = ShiftPlan(hours=1, units=2, stops_per_unit_hour=0, calls_per_unit_hour=6, noise_m=0)
    orders = Orders(places={}, posts=(middle_of(ring, edge),))
    fixes = simulate(ring, plan, seed=1, orders=orders).history.fixes
    own = fixes.unit_row == fixes.unit_row[np.argmax(fixes.lon_deg)]
    assert fixes.lon_deg[own].max() > at(1500, 0)[0]  # it began at its post
    assert fixes.lon_deg[own][-40:].max() < at(1001, 0)[0]
    assert (fixes.speed_mps[own][-40:] > 0).any()


def test_more_posts_than_units_are_refused(
    denver: RoadNetwork, posts: tuple[Position, ...]
) -> None:
    plan = ShiftPlan(hours=0.1, units=3)
    with pytest.raises(InputError, match="4 posts for 3 units; give no more posts than units"):
        simulate(denver, plan, seed=1, orders=Orders(places={}, posts=posts))

"""Tracks are put on the edges that were driven."""

from __future__ import annotations

from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np
import pytest

from geo.matching import BETA_M, LEVEL_MPS, SLIP_M, Matcher, Track, _place
from geo.router import search_back
from tests.geo.drives import drive_along, some_way
from tests.geo.towns import degrees, town

if TYPE_CHECKING:
    from geo.network import RoadNetwork


def track(
    *places_m: tuple[float, float], every_s: float = 15, heading_deg: float = np.nan
) -> Track:
    east, north = np.array(places_m, np.float64).reshape(-1, 2).T
    lon, lat = degrees(east, north)
    return Track(
        at_s=1.7e9 + every_s * np.arange(len(east), dtype=np.float64),
        lon_deg=lon,
        lat_deg=lat,
        heading_deg=np.full(len(east), heading_deg),
        speed_mps=np.full(len(east), 10.0),
    )


def named(net: RoadNetwork, edges: list[int]) -> list[str]:
    """Write edges as the crossings they lead between."""
    ends = zip(net.table.tail[edges], net.table.head[edges], strict=True)
    return [f"{chr(65 + tail)}{chr(65 + head)}" for tail, head in ends]


LADDER = town(
    {name: (200.0 * (i % 4), 40.0 * (i // 4)) for i, name in enumerate("ABCDEFGH")},
    [
        {"ends": "ABCD", "oneway": True},
        {"ends": "HGFE", "oneway": True},
        {"ends": "AE"},
        {"ends": "DH"},
    ],
)


def test_noise_to_the_next_street_leaves_a_drive_on_its_own() -> None:
    drives = Matcher(LADDER).match(track((20, 5), (150, 12), (300, 22), (450, -5), (580, 8)))
    assert [named(LADDER, drive.edges) for drive in drives] == [["AB", "BC", "CD"]]


def test_one_way_streets_are_driven_one_way() -> None:
    drives = Matcher(LADDER).match(track((580, 18), (450, 19), (300, 18), (150, 19), (20, 19)))
    assert [named(LADDER, drive.edges) for drive in drives] == [["HG", "GF", "FE"]]


def test_a_heading_chooses_the_carriageway_of_a_short_track() -> None:
    for heading_deg, edges in ((90, ["AB", "BC"]), (270, ["GF"])):
        between = track((180, 20), (220, 20), heading_deg=heading_deg)
        if heading_deg == 270:
            between = track((380, 20), (220, 20), heading_deg=heading_deg)
        assert [named(LADDER, d.edges) for d in Matcher(LADDER).match(between)] == [edges]


def test_a_car_that_seems_to_roll_back_has_not_driven_round_the_block() -> None:
    drives = Matcher(LADDER).match(track((20, 0), (120, 0), (95, 0), (180, 0)))
    assert [named(LADDER, drive.edges) for drive in drives] == [["AB"]]


def test_a_street_that_ends_is_driven_back_the_other_way() -> None:
    alley = town({"A": (0, 0), "B": (300, 0)}, [{"ends": "AB"}])
    drives = Matcher(alley).match(track((20, 0), (150, 0), (280, 0), (150, 0), (20, 0)))
    assert [named(alley, drive.edges) for drive in drives] == [["AB", "BA"]]


def test_a_track_breaks_where_no_way_leads_on_or_nothing_was_heard() -> None:
    apart = town(
        {"A": (0, 0), "B": (400, 0), "C": (500, 0), "D": (900, 0)}, [{"ends": "AB"}, {"ends": "CD"}]
    )
    there = (20, 0), (200, 0), (380, 0), (520, 0), (700, 0)
    drives = Matcher(apart).match(track(*there))
    assert [named(apart, drive.edges) for drive in drives] == [["AB"], ["CD"]]
    assert [len(drive.at_s) for drive in drives] == [3, 2]
    assert Matcher(apart).match(track(*there, every_s=121)) == []


def test_tracks_of_nothing_match_nothing() -> None:
    matcher = Matcher(LADDER)
    for nothing in (track(), track((20, 5)), track((20, 5), (25, 5)), track((0, 900), (500, 900))):
        assert matcher.match(nothing) == []


def log_odds_of(net: RoadNetwork, seen: Track, matcher: Matcher, rows: tuple[int, ...]) -> float:
    """Reckon a sequence of candidates by the book, with a search for each step."""
    near = matcher.candidates(seen)
    east, north = (
        (seen.lon_deg + 105) * 111_195 * np.cos(np.radians(40)),
        seen.lat_deg * 111_195,
    )
    odds = float(near.log_odds[list(rows)].sum())
    for step, (first, last) in enumerate(pairwise(rows)):
        crow_m = float(np.hypot(np.diff(east)[step], np.diff(north)[step]))
        starts = matcher._starts(near, slice(first, first + 1))
        place = _place(int(near.edge[last]), float(near.fraction[last]))
        way_m = LEVEL_MPS * search_back(matcher._level, place).drive_times_s(starts)[0]
        back = near.fraction[first] - near.fraction[last]
        slip_m = back * net.table.length_m[near.edge[first]]
        if near.edge[first] == near.edge[last] and 0 <= slip_m <= SLIP_M:
            way_m = min(way_m, slip_m)
        odds -= abs(way_m - crow_m) / BETA_M if way_m <= 2 * crow_m + 500 else np.inf
    return odds


@pytest.mark.parametrize("seed", range(8))
def test_the_likeliest_of_all_sequences_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = np.array([(60, 20), (220, 20), (400, 20), (560, 20)]) + rng.normal(0, 15, (4, 2))
    seen, matcher = track(*map(tuple, places)), Matcher(LADDER)
    near = matcher.candidates(seen)
    every = product(*(range(near.start[i], near.start[i + 1]) for i in range(len(seen))))
    best = max(every, key=lambda rows: log_odds_of(LADDER, seen, matcher, rows))
    (drive,) = matcher.match(seen)
    assert drive.edge.tolist() == near.edge[list(best)].tolist()


@pytest.mark.parametrize(("every_s", "noise_m", "share"), [(5, 5, 0.99), (15, 7, 0.98)])
def test_known_drives_through_denver_are_found(
    denver: RoadNetwork, every_s: int, noise_m: int, share: float
) -> None:
    net, matcher, rng = denver, Matcher(denver), np.random.default_rng(1)
    driven_m = found_m = 0.0
    for _ in range(30):
        way = some_way(net, rng)
        seen = drive_along(net, way, rng, every_s=every_s, noise_m=noise_m)
        matched = {edge for drive in matcher.match(seen) for edge in drive.edges}
        within = way[1:-1]  # of the first and the last there may be no fix
        driven_m += net.table.length_m[within].sum()
        found_m += net.table.length_m[[edge for edge in within if edge in matched]].sum()
    assert found_m / driven_m >= share

"""Coverage equals what one drive time at a time gives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely

from data.bands import bands
from data.beats import Beat
from data.road_table import METRES_PER_DEG
from data.settings import Policy, Settings
from geo.as_json import coverage_json
from geo.bands import band_areas
from geo.cells import coverage_cells
from geo.coverage import cover, edge_within_s, lost_shares, road_quantile, share_within
from geo.dispatch import advise
from geo.preparedness import preparedness
from geo.readiness import readiness
from geo.router import search_back
from geo.snap import Position, snap
from tests.geo.towns import NOW, TEN_MPS, at, stop, town, unit

if TYPE_CHECKING:
    from geo.network import RoadNetwork

STREET = {f"N{i}": (i * 500.0, 0.0) for i in range(13)}


NOBODY = {
    "share_within": 0.0,
    "road_min_within": 0.0,
    "stops_within": 0.0,
    "p50_s": None,
    "p90_s": None,
}


@pytest.fixture(scope="module")
def street() -> RoadNetwork:
    """Six kilometres of Main Street, driven at 10 m/s, in pieces of 500 m."""
    return town(STREET, [{"ends": list(STREET), "name": "Main Street", "maxspeed": TEN_MPS}])


def middle_of(net: RoadNetwork, edge: int) -> Position:
    """The middle of an edge, reached from both sides."""
    half = (int(net.edge_ms[edge]) // 2) / int(net.edge_ms[edge])
    twin = 0.0 if net.twin[edge] >= 0 else None
    return Position(
        lon_deg=0,
        lat_deg=0,
        snapped_lon_deg=0,
        snapped_lat_deg=0,
        offset_m=0,
        edge=edge,
        fraction=half,
        turn_round_s=twin,
    )


def test_first_and_second_equal_one_search_per_edge(denver: RoadNetwork) -> None:
    places = [(-104.990, 39.750), (-104.980, 39.755), (-104.976, 39.745), (-104.975, 39.762)]
    units = [unit(f"U{i}", place) for i, place in enumerate(places)]
    coverage = cover(denver, units, now=NOW, cars=4)
    positions = [snap(denver, *place) for place in places]
    for edge in range(0, len(denver.edge_ms), 61):
        times = search_back(denver, middle_of(denver, edge))
        expected = sorted(times.drive_time_s(position) for position in positions if position)
        assert coverage.first_s[edge] == pytest.approx(expected[0], abs=0.0011)
        assert coverage.second_s[edge] == pytest.approx(expected[1], abs=0.0011)
        assert coverage.nearest_s[edge] == pytest.approx(expected, abs=0.0011)


def test_only_idle_units_count(street: RoadNetwork) -> None:
    units = [
        unit("1A1", at(250, 0)),
        unit("1A2", at(3000, 0), status="busy"),
        unit("1A3", at(3000, 0), age_s=2000),
        unit("1A4", at(5750, 0)),
    ]
    coverage = cover(street, units, [stop("S1", "1A4")], now=NOW)
    assert np.isfinite(coverage.first_s).all()
    assert np.isinf(coverage.second_s).all()
    assert [state.unit.unit_id for state in coverage.units if state.askable] == ["1A1"]


def test_probability_allows_for_age(street: RoadNetwork) -> None:
    fresh = cover(street, [unit("1A1", at(3000, 0), age_s=0, speed_mps=9)], now=NOW)
    old = cover(street, [unit("1A1", at(3000, 0), age_s=200, speed_mps=9)], now=NOW)
    np.testing.assert_array_equal(fresh.first_s, old.first_s)
    assert (old.probability < fresh.probability).all()


def test_gaps_are_stretches_past_t(street: RoadNetwork) -> None:
    settings = Settings.model_validate({"policy": {"within_s": 110}})
    units = [unit("1A1", at(3250, 0)), unit("1A2", at(3250, 0))]
    coverage = cover(street, units, now=NOW, settings=settings)
    # Middles lie at 250, 750 ... m; 110 s reach 1.1 km to each side of 3.25 km.
    assert [round(gap.km, 2) for gap in coverage.gaps] == [2.0, 1.5]
    assert {gap.street for gap in coverage.gaps} == {"Main Street"}
    assert coverage.gap.sum() == 14


def test_json_has_the_contracts_figures(street: RoadNetwork) -> None:
    settings = Settings.model_validate({"policy": {"within_s": 110}})
    west = Beat(name="west", within_s=300, area=shapely.box(-106, 39, at(1000, 0)[0], 41))
    coverage = cover(street, [unit("1A1", at(3250, 0))], now=NOW, settings=settings, beats=[west])
    answer = coverage_json(coverage, street, [west])
    assert answer["schema"] == "rollby.coverage/1"
    assert answer["road_km"] == pytest.approx(6, abs=0.01)
    assert answer["first"]["share_within"] == pytest.approx(7 / 12, abs=0.001)  # 5 near, 2 west
    assert answer["first"]["p50_s"] == pytest.approx(150, abs=1)
    assert answer["second"] == NOBODY
    assert answer["third"] == NOBODY
    # Twelve pieces of 500 m at 10 m/s are driven in ten minutes; half a stop an hour of one unit.
    assert answer["road_min"] == pytest.approx(10, abs=0.05)
    assert answer["first"]["road_min_within"] == pytest.approx(10 * 7 / 12, abs=0.05)
    assert answer["stops_an_hour"] == pytest.approx(0.5)
    assert answer["stops_recorded"] is None
    assert answer["first"]["stops_within"] == answer["first"]["share_within"]
    assert answer["beats"][0]["beat"] == "west"
    assert answer["beats"][0]["first"]["share_within"] == 1


def test_nobody_at_all_is_an_answer(street: RoadNetwork) -> None:
    answer = coverage_json(cover(street, [], now=NOW), street)
    assert answer["first"] == NOBODY | {"stops_within": None}
    assert (answer["probability"], answer["stops_an_hour"]) == (0, 0)
    assert answer["gaps"][0]["km"] == pytest.approx(6, abs=0.01)


def test_beats_set_t_of_their_edges(street: RoadNetwork) -> None:
    first = Beat(name="a", within_s=60, area=shapely.box(-106, 39, at(1000, 0)[0], 41))
    second = Beat(name="b", within_s=90, area=shapely.box(-106, 39, at(2000, 0)[0], 41))
    limit_s = edge_within_s(street, [first, second], 180)
    assert np.unique(limit_s, return_counts=True)[1].tolist() == [4, 4, 16]


def test_beats_reach_the_gaps_and_the_score(street: RoadNetwork) -> None:
    units = [unit("1A1", at(3250, 0)), unit("1A2", at(3300, 0))]
    everywhere = Beat(name="a", within_s=900, area=shapely.box(-106, 39, -104, 41))
    assert cover(street, units, now=NOW).gap.any()
    assert not cover(street, units, now=NOW, beats=[everywhere]).gap.any()
    on = unit("1B1", at(2000, 0), status="on_stop")
    plain, wide = (
        advise(street, [on, *units], [], now=NOW, beats=beats).stops[0].suggestion
        for beats in ([], [everywhere])
    )
    assert plain
    assert wide
    assert wide.coverage_loss < plain.coverage_loss


def test_lost_share_is_the_marginal() -> None:
    chance = np.array([[0.8, 0.0, 0.5], [0.8, 0.6, 0.0]], np.float32)
    demand = np.array([1.0, 1.0, 2.0])
    expected = [(0.8 * 0.2 + 0.5 * 2) / 4, (0.8 * 0.2 + 0.6) / 4]
    assert lost_shares(chance, demand) == pytest.approx(expected)


def test_a_certain_unit_loses_all_it_covers_alone() -> None:
    assert lost_shares(np.array([[1.0, 0.0]], np.float32), np.array([1.0, 3.0])) == pytest.approx(
        [0.25]
    )


def test_quantiles_go_by_road_length() -> None:
    times, road = np.array([10.0, 20.0, np.inf]), np.array([1.0, 2.0, 1.0])
    assert road_quantile(times, road, 0.2) == 10
    assert road_quantile(times, road, 0.5) == 20
    assert road_quantile(times, road, 0.9) == np.inf
    assert share_within(times, np.full(3, 15.0), road) == 0.25
    assert math.isnan(share_within(np.array([]), np.array([]), np.array([])))


def test_cells_hold_all_road(denver: RoadNetwork) -> None:
    coverage = cover(denver, [unit("U1", (-104.987, 39.753))], now=NOW)
    cells = coverage_cells(denver, coverage)
    assert list(cells.columns) == [
        *("cell", "road_km", "first_s", "second_s", "third_s", "first_band", "second_band"),
        *("probability", "stops_an_hour", "preparedness", "geometry"),
    ]
    assert (cells["second_band"] == 4).all()
    assert (cells["first_band"] == bands(cells["first_s"].fillna(np.inf), 180)).all()
    assert cells["stops_an_hour"].sum() == pytest.approx(0.5)
    alone = 60 / np.maximum(cells["first_s"], 30) / np.maximum(cells["stops_an_hour"], 0.01)
    assert cells["preparedness"].tolist() == pytest.approx(alone.fillna(0).tolist())
    assert cells["road_km"].sum() == pytest.approx(denver.table.road_m.sum() / 1000)
    assert cells["second_s"].isna().all()
    assert cells.crs.to_epsg() == 4326
    assert cells["cell"].is_unique
    inside = cells.geometry.contains(shapely.Point(-104.987, 39.753))
    assert cells.loc[inside, "first_s"].item() < 60


def test_preparedness_is_worked_by_hand() -> None:
    # Cars 2, 4 and 8 minutes away, a stop every two hours: (1/2 + 0.5/4 + 0.25/8) / 0.5.
    time_s = np.array([[120.0, 240.0, 480.0]] * 2)
    assert preparedness(time_s, np.array([0.5, 1.0]), Policy()).tolist() == [1.3125, 0.65625]
    # A car at the spot counts as half a minute away, a zone without stops as having a few, a car
    # without a way as none, and a fourth car not at all.
    near = preparedness(np.array([0.0, np.inf, np.inf, 1.0]), np.array(0.0), Policy())
    assert near == pytest.approx(2 / 0.01)
    own = Policy(
        preparedness_second=0.25,
        preparedness_third=0.0,
        preparedness_nearest_s=240,
        preparedness_stops_min=2,
    )
    assert preparedness(time_s, np.array([0.5, 4]), own).tolist() == [0.15625, 0.078125]


def test_a_third_car_counts_for_no_more_than_a_second() -> None:
    with pytest.raises(ValueError, match=r"policy\.preparedness_third: must be at most"):
        Policy(preparedness_third=0.6)


def test_a_beat_is_as_ready_as_its_cars_are_near(street: RoadNetwork) -> None:
    west = Beat(name="west", within_s=300, area=shapely.box(-106, 39, at(1000, 0)[0], 41))
    empty = Beat(name="sea", within_s=300, area=shapely.box(0, 0, 1, 1))
    units = [unit("1A1", at(1500, 0)), unit("1A2", at(2500, 0)), unit("1A3", at(5500, 0))]
    coverage = cover(street, units, now=NOW, beats=[west, empty])
    first, second = coverage_json(coverage, street, [west, empty])["beats"]
    # Middles at 250 and 750 m; the half of the road is reached from 1500 m within 75 s.
    hours = 1.5 * 1000 / 6000
    expected = (60 / 75 + 0.5 * 60 / 175 + 0.25 * 60 / 475) / hours
    assert first["preparedness"] == pytest.approx(expected, rel=0.01)
    assert first["stops_an_hour"] == pytest.approx(hours, abs=0.001)
    assert 0.9 < first["probability"] < 1
    assert second["preparedness"] is None
    assert second["probability"] is None
    (zone,) = readiness(street, coverage, [west, empty])
    assert zone.name == "west"
    assert zone.preparedness == pytest.approx(first["preparedness"], abs=1e-6)
    assert west.area.contains(shapely.Point(zone.lon_deg, zone.lat_deg))


def test_cells_are_listed_by_how_ready_they_are(denver: RoadNetwork) -> None:
    units = [unit("U1", (-104.987, 39.753)), unit("U2", (-104.985, 39.751))]
    coverage = cover(denver, units, now=NOW)
    cells = coverage_cells(denver, coverage).sort_values("preparedness", kind="stable")
    zones = readiness(denver, coverage)
    assert [one.preparedness for one in zones] == pytest.approx(cells["preparedness"].tolist())
    least, outline = zones[0], cells.geometry.iloc[0]
    assert outline.contains(shapely.Point(least.lon_deg, least.lat_deg))
    assert least.second_s == pytest.approx(cells["second_s"].iloc[0])
    assert least.name


def test_stops_expected_weigh_what_is_within_t(street: RoadNetwork) -> None:
    stops = np.where(street.middle_deg[0] < at(1000, 0)[0], 1.0, 0.0)
    coverage = cover(street, [unit("1A1", at(250, 0))], now=NOW, stops_an_hour=stops)
    answer = coverage_json(coverage, street)
    assert answer["stops_an_hour"] == stops.sum() == 4
    assert answer["first"]["stops_within"] == 1
    assert answer["first"]["share_within"] < 0.5


def test_areas_hold_the_roads_of_their_band_and_none_of_a_slower_one(denver: RoadNetwork) -> None:
    units = [unit(f"U{i}", place) for i, place in enumerate([(-104.99, 39.75), (-104.98, 39.76)])]
    settings = Settings.model_validate({"policy": {"within_s": 90}})
    coverage = cover(denver, units, now=NOW, settings=settings)
    areas = band_areas(denver, coverage)
    assert areas.crs.to_epsg() == 4326
    middles = shapely.points(np.stack(denver.middle_deg, axis=1))
    for car, times_s in (("first", coverage.first_s), ("second", coverage.second_s)):
        mine = areas[areas["car"] == car]
        band = bands(times_s, 90)
        assert mine["band"].tolist() == sorted(set(band.tolist()))
        assert len(mine) >= 3
        assert mine["road_km"].sum() == pytest.approx(denver.table.road_m.sum() / 1000)
        whole = shapely.union_all(mine.geometry.array)
        assert shapely.area(mine.geometry.array).sum() == pytest.approx(
            whole.area
        )  # they do not overlap
        for one, area in zip(mine["band"], mine.geometry, strict=True):
            inside = shapely.contains(area, middles)
            assert band[inside].max() <= one  # nobody is shown a sooner car than there is
            assert inside[band == one].mean() > (0.4 if one < 2 else 0.9)
    assert areas["from_s"].tolist()[:3] == [0, 45, 90]
    assert areas["to_s"].tolist()[:3] == [45, 90, 180]
    wide = shapely.area(shapely.union_all(areas.geometry.array)) * METRES_PER_DEG**2
    assert 2e6 < wide * math.cos(math.radians(39.75)) < 2e7

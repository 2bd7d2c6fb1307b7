"""The order of every table, and the columns of bans."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import RoadSourceError
from data.roads.bans import pack_bans
from data.roads.draft import RoadDraft
from data.roads.hilbert import hilbert_key

if TYPE_CHECKING:
    from data.road_table import RoadTable

LON, LAT = st.floats(-180, 180), st.floats(-90, 90)


def test_the_curve_steps_from_cell_to_cell() -> None:
    side = 32
    east, north = (axis.ravel() for axis in np.meshgrid(np.arange(side), np.arange(side)))
    lon, lat = (east + 0.5) / side * 360 - 180, (north + 0.5) / side * 180 - 90
    order = np.argsort(hilbert_key(lon, lat))
    steps = np.abs(np.diff(east[order])) + np.abs(np.diff(north[order]))
    assert (steps == 1).all()


def test_the_curve_is_fine_enough_for_a_kerb() -> None:
    at = np.array([-104.99, -104.99 + 3e-7])  # 3 cm, and osm stores 1
    assert len(set(hilbert_key(at, np.full(2, 39.7)).tolist())) == 2


@settings(deadline=None)
@given(st.lists(st.tuples(LON, LAT), min_size=1, max_size=9))
def test_keys_are_of_the_place_alone(places: list[tuple[float, float]]) -> None:
    lon, lat = np.array(places).T
    keys = hilbert_key(lon, lat)
    assert keys.dtype == np.int64
    assert ((keys >= 0) & (keys < 2**62)).all()
    alone = [hilbert_key(lon[row : row + 1], lat[row : row + 1])[0] for row in range(len(lon))]
    assert keys.tolist() == alone


def street(ids: tuple[int, ...], places: tuple[float, ...]) -> RoadTable:
    draft = RoadDraft(service_roads=False)
    for number, ends in enumerate(itertools.pairwise(ids)):
        row = draft.add_way(number, {"highway": "road"})
        assert row is not None
        draft.add_path(row, ends)
    for node, lon_deg in zip(ids, places, strict=True):
        draft.add_node(node, lon_deg, 50.0)
    return draft.table(name="a street")


def test_nodes_at_one_place_come_by_id() -> None:
    table = street((2**62, -5, 3), (10.0, 10.0, 10.0))
    assert table.node_id.tolist() == [-5, 3, 2**62]


def test_bans_are_unique_and_rise() -> None:
    start, edge = pack_bans([(3, 1), (2, 5, 4), (3, 1), (2, 5)])
    assert (start.tolist(), edge.tolist()) == ([0, 2, 5, 7], [2, 5, 2, 5, 4, 3, 1])
    assert start.dtype == np.int64
    assert edge.dtype == np.int32
    assert [column.tolist() for column in pack_bans([])] == [[0], []]


def test_a_table_without_bans_has_none() -> None:
    table = street((1, 2), (10.0, 10.1))
    assert table.ban_count == 0
    assert (table.ban_start.tolist(), table.ban_edge.tolist()) == ([0], [])


def test_bans_that_do_not_fit_together_are_refused() -> None:
    table = street((1, 2), (10.0, 10.1))
    with pytest.raises(RoadSourceError, match=r"^ban_edge: must have 2 rows, has 0$"):
        replace(table, ban_start=np.array([0, 2]))

"""A road closed or slowed now is a patch: the times are those of a network built so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from geo.network import RoadNetwork
from geo.router import nearest, search_back, times_from, times_to
from geo.starts import starts_of
from tests.geo import oracle
from tests.geo.test_router import somewhere, towns
from tests.geo.towns import TEN_MPS, town
from tests.prove import examples

if TYPE_CHECKING:
    from pathlib import Path

    from geo.snap import Position


@settings(max_examples=examples(80), deadline=None)
@given(towns(), st.data())
def test_closed_roads_are_driven_through_by_nobody(net: RoadNetwork, data: st.DataObject) -> None:
    edges = st.integers(0, len(net.edge_ms) - 1)
    closed = data.draw(st.lists(edges, max_size=4, unique=True))
    start, end = (
        somewhere(net, data.draw(edges), data.draw(st.floats(0.1, 0.9)), heading_known=True)
        for _ in range(2)
    )
    patched = net.patched(closed=closed)
    got = search_back(patched, end).drive_time_s(start)
    best = np.inf
    for first in {start.edge, int(net.twin[start.edge])} - {-1}:
        for last in {end.edge, int(net.twin[end.edge])} - {-1}:
            best = min(best, _drive(net, closed, start, first, end, last))
    assert got == best
    route = search_back(patched, end).route(start)
    assert (route is None) == np.isinf(best)


def _drive(
    net: RoadNetwork, closed: list[int], start: Position, first: int, end: Position, last: int
) -> float:
    """Set out on one edge, end on one edge; between them no closed road."""
    own, reached = (
        round((p.fraction if e == p.edge else 1 - p.fraction) * int(net.edge_ms[e]))
        for p, e in ((start, first), (end, last))
    )
    price = 0 if first == start.edge else round((start.turn_round_s or 0) * 1000)
    best = np.inf
    if first == last and reached >= own:
        best = price + reached - own
    # Dijkstra over edges by hand: the time at the end of each edge driven.
    ahead = {first: price + int(net.edge_ms[first]) - own}
    settled: set[int] = set()
    while ahead:
        edge = min(ahead, key=lambda e: (ahead[e], e))
        ms = ahead.pop(edge)
        if edge in settled:
            continue
        settled.add(edge)
        for after, turn_ms in net.forward.arcs_of(edge).tolist():
            if after == last:
                best = min(best, ms + turn_ms + reached)
            if after in closed or after in settled:
                continue
            there = ms + turn_ms + int(net.edge_ms[after])
            if there < ahead.get(after, np.inf):
                ahead[after] = there
    return best / 1000


def test_a_closed_road_never_shortens_a_trip_and_a_patch_can_be_taken_back(
    denver: RoadNetwork,
) -> None:
    closed = denver.patched(closed=[10, 400, 900])
    for node in (5, 77, 240):
        assert (times_from(closed, node) >= times_from(denver, node)).all()
        np.testing.assert_array_equal(times_from(closed.patched(), node), times_from(denver, node))


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_slowed_roads_equal_a_network_of_such_times(denver: RoadNetwork, factor: float) -> None:
    slowed = denver.patched(slowed={7: factor, 55: factor})
    edge_ms = denver.edge_ms.copy()
    edge_ms[[7, 55]] = np.rint(edge_ms[[7, 55]] * factor)
    state_ms = denver.by_state(edge_ms)
    built = replace(
        denver,
        edge_ms=edge_ms,
        forward=replace(denver.forward, state_ms=state_ms),
        backward=replace(denver.backward, state_ms=state_ms),
    )
    for node in range(0, 480, 60):
        np.testing.assert_array_equal(times_from(slowed, node), oracle.node_times_s(built, node))


def test_plain_networks_can_be_patched_too() -> None:
    net = RoadNetwork.from_arrays(
        lon_deg=[0, 1, 2], lat_deg=[0, 0, 0], tail=[0, 1, 0], head=[1, 2, 2], time_s=[1, 1, 5]
    )
    assert times_from(net, 0).tolist() == [0, 1, 2]
    assert times_from(net.patched(closed=[1]), 0).tolist() == [0, 1, 5]
    assert times_from(net.patched(slowed={0: 2.5}), 0).tolist() == [0, 2.5, 3.5]


def test_a_search_that_a_closed_road_cannot_change_is_known(denver: RoadNetwork) -> None:
    place = somewhere(denver, 100, 0.5, heading_known=True)
    near = search_back(denver, place, within_s=60)
    times = {edge: near.touches(edge) for edge in range(len(denver.edge_ms))}
    assert times[100]
    assert any(times.values())
    assert not all(times.values())
    untouched = [edge for edge, touched in times.items() if not touched]
    patched = search_back(denver.patched(closed=untouched), place, within_s=60)
    for edge in range(len(denver.edge_ms)):
        unit = somewhere(denver, edge, 0.3, heading_known=True)
        assert patched.drive_time_s(unit) == near.drive_time_s(unit)


def test_no_such_edge_or_factor_is_said(denver: RoadNetwork) -> None:
    with pytest.raises(InputError, match="edge: must be an edge row from 0 to 1341"):
        denver.patched(closed=[1342])
    with pytest.raises(InputError, match=r"slowed\[3\]=-1: must be above 0"):
        denver.patched(slowed={3: -1})


BYPASS = {"A": (0.0, 0.0), "B": (100.0, 0.0), "C": (200.0, 0.0), "D": (100.0, 300.0)}
BYPASS_WAYS = [
    {"ends": ends, "maxspeed": TEN_MPS} for ends in (("A", "B"), ("B", "C"), ("B", "D"), ("D", "C"))
]


def test_nobody_arrives_at_a_crossing_by_a_closed_road() -> None:
    net = town(BYPASS, BYPASS_WAYS)
    closed = net.patched(closed=[2, 3])  # between B and C
    assert times_from(net, 0)[2] < 21
    assert times_from(closed, 0)[2] > 70
    assert nearest(closed, [0], k=1)[1][2, 0] == times_from(closed, 0)[2]
    assert times_to(closed, 2)[0] == times_from(closed, 0)[2]
    start = somewhere(closed, 0, 0.5, heading_known=True)
    before, at_node = (
        search_back(closed, somewhere(closed, 6, share, heading_known=True)).drive_time_s(start)
        for share in (0.999, 1.0)
    )
    assert at_node == pytest.approx(before, abs=0.1)


def test_a_place_whose_only_road_is_closed_cannot_be_reached() -> None:
    line = RoadNetwork.from_arrays(
        lon_deg=[0, 1, 2], lat_deg=[0, 0, 0], tail=[0, 1], head=[1, 2], time_s=[1, 1]
    )
    streets = town(
        {"A": (0.0, 0.0), "B": (100.0, 0.0), "C": (200.0, 0.0)},
        [{"ends": ["A", "B", "C"], "oneway": True}],
    )
    for net in (line, streets):
        closed = net.patched(closed=[1])
        times = search_back(closed, somewhere(closed, 1, 1.0, heading_known=True))
        assert times.drive_time_s(somewhere(closed, 0, 0.0, heading_known=True)) == np.inf


def test_a_patch_takes_the_place_of_the_one_before_and_is_not_saved(
    denver: RoadNetwork, tmp_path: Path
) -> None:
    twice = denver.patched(slowed={7: 3.0}).patched(slowed={7: 3.0})
    assert twice.edge_ms[7] == round(denver.edge_ms[7] * 3)
    with pytest.raises(InputError, match="must be of an ordinary day; save the unpatched network"):
        twice.save(tmp_path / "now.roads")
    with pytest.raises(InputError, match="closed: must hold edge rows, whole numbers"):
        denver.patched(closed=np.ones(3, np.bool_))


@settings(max_examples=examples(30), deadline=None)
@given(towns(), st.data())
def test_a_network_retimed_drives_as_one_slowed(net: RoadNetwork, data: st.DataObject) -> None:
    edges = st.integers(0, len(net.edge_ms) - 1)
    slowed = data.draw(st.dictionaries(edges, st.floats(0.2, 5)))
    start, end = (somewhere(net, data.draw(edges), 0.3, heading_known=True) for _ in range(2))
    patched = net.patched(slowed=slowed)
    retimed = net.retimed(patched.edge_ms / 1000)
    there = search_back(retimed, end)
    assert there.drive_time_s(start) == search_back(patched, end).drive_time_s(start)
    assert bool(there.edges(starts_of(retimed, [start]))) == np.isfinite(there.drive_time_s(start))


def test_learnt_times_are_kept_in_the_file(tmp_path: Path) -> None:
    net = town({"A": (0, 0), "B": (100, 0), "C": (200, 0)}, [{"ends": "ABC", "maxspeed": TEN_MPS}])
    other = net.retimed(np.full(4, 25.0), learnt="3 drives")
    other.save(tmp_path / "learnt.roads")
    again = RoadNetwork.load(tmp_path / "learnt.roads")
    assert again.learnt == again.facts()["learnt"] == "3 drives"
    assert times_from(again, 0)[2] == 50
    assert times_from(net, 0)[2] == 20
    assert net.learnt == ""


def test_a_network_of_nodes_is_retimed() -> None:
    net = RoadNetwork.from_arrays(
        lon_deg=[0, 0.001, 0.002], lat_deg=[0, 0, 0], tail=[0, 1], head=[1, 2], time_s=[1, 2]
    )
    assert times_from(net.retimed([3, 4]), 0).tolist() == [0, 3, 7]


@pytest.mark.parametrize("times", [[1.0], [1, 2, 3, -1], [1, 2, 3, np.nan]])
def test_times_that_are_none_are_refused(times: list[float]) -> None:
    net = town({"A": (0, 0), "B": (100, 0), "C": (200, 0)}, [{"ends": "ABC"}])
    with pytest.raises(InputError, match="time_s: must be 4 figures, one an edge"):
        net.retimed(times)
    with pytest.raises(InputError, match="retime the unpatched network"):
        net.patched(closed=[0]).retimed(np.ones(4))

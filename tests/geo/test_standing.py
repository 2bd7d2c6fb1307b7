"""All units against all stops at once equal one search per stop."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.router import many_to_many
from geo.searching import seconds
from geo.standing import CALL, MOST_NEW, StandingStops
from geo.starts import starts_of
from tests.geo.test_nearest import units_in_towns
from tests.geo.test_router import somewhere
from tests.prove import examples

if TYPE_CHECKING:
    from geo.network import RoadNetwork
    from geo.snap import Position


@settings(max_examples=examples(80), deadline=None)
@given(
    units_in_towns(),
    st.data(),
    st.sampled_from([np.inf, 30.0, 0.0]),
    st.sampled_from([0, 1, MOST_NEW]),
    st.sampled_from([0, CALL, 10**9]),
)
def test_all_times_equal_one_search_per_stop(
    case: tuple[RoadNetwork, list[Position]],
    data: st.DataObject,
    within_s: float,
    most_new: int,
    call: int,
) -> None:
    with patch("geo.standing.MOST_NEW", most_new), patch("geo.standing.CALL", call):
        _put_and_clear(*case, data, within_s)


def _put_and_clear(
    net: RoadNetwork, units: list[Position], data: st.DataObject, within_s: float
) -> None:
    """Put stops up and take them down, and compare after each."""
    standing = StandingStops(net, within_s=within_s)
    places: dict[str, Position] = {}
    for _ in range(data.draw(st.integers(0, 8))):
        name = data.draw(st.sampled_from("abcd"))
        if data.draw(st.booleans()):
            edge = data.draw(st.integers(0, len(net.edge_ms) - 1))
            fraction = data.draw(st.sampled_from([0.0, 1.0]) | st.floats(0, 1))
            places[name] = somewhere(net, edge, fraction, heading_known=True)
            standing.put(name, places[name])
        else:
            standing.clear(name)
            places.pop(name, None)
        if data.draw(st.booleans()):
            continue  # several changes between two looks
        starts = starts_of(net, units)
        expected = many_to_many(net, starts, list(places.values()), within_s=within_s)
        np.testing.assert_array_equal(standing.drive_times_s(starts), expected)
        some = [name for name in data.draw(st.permutations(list(places))) if name != "a"]
        columns = [list(places).index(name) for name in some]
        found_s = seconds(standing.drive_times_ms(starts, some))
        np.testing.assert_array_equal(found_s, expected[:, columns])
    assert standing.stop_ids == tuple(places)


def test_no_stops_and_no_units_are_an_empty_table(denver: RoadNetwork) -> None:
    standing = StandingStops(denver, within_s=600)
    assert standing.drive_times_s(starts_of(denver, [])).shape == (0, 0)
    standing.put("s", somewhere(denver, 3, 0.5, heading_known=True))
    assert standing.drive_times_s(starts_of(denver, [])).shape == (0, 1)

"""All units against all stops at once equal one search per stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.router import many_to_many
from geo.standing import StandingStops
from geo.starts import starts_of
from tests.geo.test_nearest import units_in_towns
from tests.geo.test_router import somewhere
from tests.prove import examples

if TYPE_CHECKING:
    from geo.network import RoadNetwork
    from geo.snap import Position


@settings(max_examples=examples(80), deadline=None)
@given(units_in_towns(), st.data(), st.sampled_from([np.inf, 30.0, 0.0]))
def test_all_times_equal_one_search_per_stop(
    case: tuple[RoadNetwork, list[Position]], data: st.DataObject, within_s: float
) -> None:
    net, units = case
    standing = StandingStops(net, within_s=within_s)
    places: dict[str, Position] = {}
    for _ in range(data.draw(st.integers(0, 6))):
        name = data.draw(st.sampled_from("abcd"))
        if data.draw(st.booleans()):
            edge = data.draw(st.integers(0, len(net.edge_ms) - 1))
            fraction = data.draw(st.sampled_from([0.0, 1.0]) | st.floats(0, 1))
            places[name] = somewhere(net, edge, fraction, heading_known=True)
            standing.put(name, places[name])
        else:
            standing.clear(name)
            places.pop(name, None)
        starts = starts_of(net, units)
        expected = many_to_many(net, starts, list(places.values()), within_s=within_s)
        np.testing.assert_array_equal(standing.drive_times_s(starts), expected)
    assert standing.stop_ids == tuple(places)


def test_no_stops_and_no_units_are_an_empty_table(denver: RoadNetwork) -> None:
    standing = StandingStops(denver, within_s=600)
    assert standing.drive_times_s(starts_of(denver, [])).shape == (0, 0)
    standing.put("s", somewhere(denver, 3, 0.5, heading_known=True))
    assert standing.drive_times_s(starts_of(denver, [])).shape == (0, 1)

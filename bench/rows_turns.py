"""What turn costs and restrictions cost the search, on a real city."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import ours
from bench.figure import Aim, Figure, raced, unmeasured
from bench.setup import HORIZON_S, MissingError
from bench.timing import race

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.setup import Setup

AIM = Aim(target=2.2, stretch=1.6, more=False)
CITY = "porto_pt"


def turns(setup: Setup) -> Iterator[Figure]:
    """Race the search with turns against the same roads and seconds without."""
    facts = {"row": "turns", "work": "the same with turn costs and restrictions", "graph": CITY}
    facts["peer"] = "ours without"
    try:
        net = setup.real_network(CITY)
    except MissingError as missing:
        yield unmeasured(str(missing), **facts)
        return
    with_turns, without, stops = ours.turn_searches(net, units=1000, stops=20, within_s=HORIZON_S)
    for stop in stops:
        dearer, bare = with_turns(stop), without(stop)
        assert (dearer >= bare - 1e-6).all(), "a turn's price cannot shorten a trip"
    found = race(without, with_turns, stops, seconds=setup.seconds(4))
    note = "its price: time with turns over time without, same roads, same places"
    yield raced(found, **facts, aim=AIM, note=note)

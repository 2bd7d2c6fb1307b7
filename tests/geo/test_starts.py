"""Where drives begin: the kernel gives what one position alone gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.network import RoadNetwork
from geo.starts import starts_at
from tests.geo import plain

if TYPE_CHECKING:
    from pathlib import Path


def test_many_positions_are_those_of_each_alone(sample_dir: Path) -> None:
    net, rng = RoadNetwork.load(sample_dir / "denver.roads"), np.random.default_rng(4)
    edge = rng.integers(-1, len(net.edge_ms), 500).astype(np.int32)
    fraction = rng.choice([0.0, 0.5, 1.0, *rng.random(5)], 500)
    round_ms = rng.choice([-1, 0, 20_000], 500).astype(np.int32)
    starts = starts_at(net, edge, fraction, round_ms)
    assert (starts.edge[:, 1] >= 0).any()
    found = np.stack([starts.edge, starts.done_ms, starts.price_ms], axis=2).tolist()
    for i, (one, share, cost) in enumerate(zip(edge, fraction, round_ms, strict=True)):
        assert [tuple(leg) for leg in found[i]] == plain.start(net, int(one), share, int(cost))

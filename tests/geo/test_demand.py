"""The points that stand for the demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from data.settings import Policy
from geo.coverage import chances_everywhere, lost_shares
from geo.demand import Zones, demand_points
from geo.network import RoadNetwork
from geo.snap import snap_all
from geo.starts import starts_of

if TYPE_CHECKING:
    from pathlib import Path


def test_few_edges_are_all_taken_with_their_weights() -> None:
    demand = demand_points(np.array([2.0, 0.0, 6.0]))
    assert demand.edge.tolist() == [0, 2]
    assert demand.share.tolist() == [0.25, 0.75]


def test_many_are_sampled_by_weight() -> None:
    weight = np.concatenate([np.full(500, 1.0), np.full(500, 3.0)])
    demand = demand_points(weight, most=400)
    assert demand.share == pytest.approx(1 / 400)
    assert (demand.edge < 500).sum() == 100
    assert np.all(np.diff(demand.edge) >= 0)


def test_held_points_give_what_searching_from_each_unit_gives(sample_dir: Path) -> None:
    net, policy = RoadNetwork.load(sample_dir / "denver.roads"), Policy(within_s=60)
    rng = np.random.default_rng(5)
    node = rng.integers(0, net.table.node_count, 6)
    positions = [
        one
        for one in snap_all(
            net,
            net.table.lon_deg[node] + rng.normal(0, 2e-4, 6),
            net.table.lat_deg[node] + rng.normal(0, 2e-4, 6),
            rng.choice([np.nan, 90.0], 6),
        )
        if one is not None
    ]
    age_s = rng.uniform(0, 60, len(positions))
    lost = Zones(net, policy, ()).lost_shares(starts_of(net, positions), age_s)
    demand = demand_points(net.table.road_m)
    within_s = np.full(len(net.edge_ms), policy.within_s)
    chance = chances_everywhere(net, positions, age_s.tolist(), within_s=within_s, policy=policy)
    assert lost == pytest.approx(lost_shares(chance[:, demand.edge], demand.share), abs=1e-6)
    # The points stand for all roads: a few hundredths at most.
    assert lost == pytest.approx(lost_shares(chance, net.table.road_m), abs=0.03)

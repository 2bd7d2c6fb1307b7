"""Fixes snapped to the right directed edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from bench import ours
from bench.figure import Aim, Curve, Figure, raced, unmeasured
from bench.setup import MissingError
from bench.timing import race, watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.graphs import FloatArray
    from bench.setup import Setup
    from geo.network import RoadNetwork

FIXES = 5000
NOISE_M = 8.0
METRES_PER_DEG = 111_195.0
AIM = Aim(target=40, stretch=100)
CITY = "porto_pt"


def snap(setup: Setup) -> Iterator[Figure | Curve]:
    """Race the batch against the nearest line of shapely's tree, in a plane where both measure."""
    facts = {"row": "snap", "work": f"{FIXES:,} fixes snapped to the right directed edge"}
    facts |= {"peer": "shapely `STRtree.nearest`"}
    try:
        net, name = setup.real_network(CITY), CITY
    except MissingError as missing:
        yield unmeasured(str(missing), **facts, graph=CITY)
        graph = setup.main_graph()
        net, name = setup.network(graph), graph.name
    lon, lat = fixes_near_roads(net, FIXES)
    heading = np.full(FIXES, np.nan)
    own = ours.snapper(net)
    scale = float(np.cos(np.radians(np.mean(lat)))) * METRES_PER_DEG
    points = np.stack(
        [net.table.shape_lon_deg * scale, net.table.shape_lat_deg * METRES_PER_DEG], 1
    )
    owner = np.repeat(np.arange(net.table.edge_count), np.diff(net.table.shape_start))
    lines = shapely.linestrings(points, indices=owner)
    tree = shapely.STRtree(lines)
    places = shapely.points(lon * scale, lat * METRES_PER_DEG)
    nearest = tree.nearest(places)
    off_m, found = shapely.distance(places, lines[nearest]), own(lon, lat, heading)
    equal = np.abs(found.offset_m - off_m) <= 0.05 + 0.002 * off_m
    # The rest lies by scraps cut off from the main part, which ours passes over.
    assert equal.mean() > 0.98, f"only {equal.mean():.1%} lie as near as the nearest line"
    fast = race(
        lambda _: own(lon, lat, heading),
        lambda _: tree.nearest(places),
        [0],
        seconds=setup.seconds(4),
    )
    note = (
        f"{FIXES / fast.ours_s.median / 1e6:.2f} M fixes/s; {equal.mean():.2%} on a line as near "
        "as the nearest, the rest by a cut-off scrap; the tree gives a line, ours also which "
        "way, how far along, and the runner-up"
    )
    yield raced(fast, **facts, graph=name, aim=AIM, note=note)
    bare = ours.snap_kernel(net, lon, lat, heading)
    fast = race(bare, lambda _: tree.nearest(places), [0], seconds=setup.seconds(3))
    note = f"{FIXES / fast.ours_s.median / 1e6:.2f} M fixes/s; the compiled loop, arrays made"
    facts["work"] += ": the kernel alone"
    yield raced(fast, **facts, graph=name, note=note)
    if not setup.quick:
        line = []
        for count in (1, 10, 100, 1000, 5000):
            some = (lon[:count], lat[:count], heading[:count])
            line.append((count, watch(lambda case: own(*case), [some] * 5, seconds=0.5)))
        title = f"Fixes snapped at once, {name}"
        yield Curve(
            name="snap_by_fixes", title=title, x="fixes", y="seconds", lines={"rollby": line}
        )


def fixes_near_roads(net: RoadNetwork, count: int) -> tuple[FloatArray, FloatArray]:
    """Draw fixes as receivers give them: some metres off a road of the main part."""
    rng = np.random.default_rng(5)
    table = net.table
    likely = table.length_m * (net.from_main & net.to_main)
    edge = rng.choice(table.edge_count, count, p=likely / likely.sum())
    first = table.shape_start[edge] + rng.integers(0, np.diff(table.shape_start)[edge] - 1)
    share = rng.random(count)
    lon = table.shape_lon_deg[first] * (1 - share) + table.shape_lon_deg[first + 1] * share
    lat = table.shape_lat_deg[first] * (1 - share) + table.shape_lat_deg[first + 1] * share
    noise_deg = rng.normal(0, NOISE_M, (2, count)) / METRES_PER_DEG
    return lon + noise_deg[0] / np.cos(np.radians(lat)), lat + noise_deg[1]

"""
Drive times beside OSRM's and Valhalla's on real OSM files: ``python -m bench.accuracy FILE ...``.

The yardstick is the geometric mean of the two, on random trips of 1 to 10 minutes. What the peers
answered is kept, so that a second run with the same seed asks only us. See docs/accuracy.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bench.accuracy_figures import HEAD, agreement, line
from bench.accuracy_map import Odd, draw_odd, most_different, odd_line, odd_trip
from bench.accuracy_times import osmnx_times, our_route, our_times, place
from bench.accuracy_trips import ask_trips, ask_ways
from bench.setup import MissingError, add_cache
from data.osm import build_roads
from geo.network import RoadNetwork

if TYPE_CHECKING:
    from bench.accuracy_times import Placed
    from bench.accuracy_trips import Trips

ODD = 10
TRIPS = 10_000


def main() -> None:
    """Measure each file and print the table."""
    options = _options()
    figures: dict[str, dict[str, object]] = {}
    print(HEAD)
    for osm in options.files:
        name = osm.name.split(".")[0]
        table = build_roads(osm=osm)
        net = RoadNetwork.from_table(table)
        trips = ask_trips(options.cache, osm, table, count=options.trips, seed=options.seed)
        placed = place(net, trips)
        ours_s = our_times(net, trips, placed)
        times = {"rollby": ours_s, "OSRM": trips.osrm_s, "Valhalla": trips.valhalla_s}
        if options.osmnx:
            times["OSMnx"] = osmnx_times(net, trips, placed)
        rows = {who: agreement(time_s, trips.mean_s, trips.judged) for who, time_s in times.items()}
        for who, row in rows.items():
            print(line(f"{name} {who}", row), flush=True)
        figures[name] = {who: asdict(row) for who, row in rows.items()}
        if options.odd or options.map:
            picked = most_different(ours_s, trips, options.odd or ODD)
            found = _odd_trips(options, osm, net, trips, placed, picked)
            print(*map(odd_line, found), sep="\n", flush=True)
            if options.map:
                options.map.mkdir(parents=True, exist_ok=True)
                draw_odd(name, found, table, options.map / f"{name}.html")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def _odd_trips(
    options: argparse.Namespace,
    osm: Path,
    net: RoadNetwork,
    trips: Trips,
    placed: Placed,
    picked: list[tuple[int, int, float]],
) -> list[Odd]:
    """Ask for the ways of the trips that differ most, and put ours beside them."""
    pairs = [
        (int(trips.origin[row, column]), int(trips.destination[row])) for row, column, _ in picked
    ]

    def degrees(place: int) -> list[float]:
        return [float(trips.lon_deg[place]), float(trips.lat_deg[place])]

    ends = [(degrees(origin), degrees(destination)) for origin, destination in pairs]
    ways = ask_ways(options.cache, osm, ends)
    return [
        odd_trip(ratio, origin, end, our_route(net, placed, *pair), way)
        for (_, _, ratio), (origin, end), pair, way in zip(picked, ends, pairs, ways, strict=True)
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help=".osm.pbf")
    add_cache(parser)
    parser.add_argument("--trips", type=int, default=TRIPS, help="a file (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--osmnx", action="store_true", help="OSMnx's own travel times too")
    parser.add_argument("--odd", type=int, default=0, help="print so many trips that differ most")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--map", type=Path, metavar="DIR", help="draw the trips that differ most")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except MissingError as error:
        sys.exit(str(error))

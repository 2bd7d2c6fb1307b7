"""
Learn seconds per edge from half of the taxi trips in Porto, and try them on the other half.

    python scripts/try_learnt_times.py porto_taxi_traces.csv porto_pt.roads [--splits 20]

Prints the error of whole drives before, with one factor for all roads, and after, over many random
halvings.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from geo.hours import hours_of_week
from geo.learnt_times import expected_s, learn, passes_of
from geo.matching import Drive, Matcher, Track
from geo.network import RoadNetwork

ZONE = ZoneInfo("Europe/Lisbon")
INTERVAL_S = 15.0
SHORT_S = 60.0  # of shorter drives a light says more than the road
KEYS = ("taken over reckoned, median", "error, median", "error, mean", "log-spread")


def trips_of(path: Path) -> list[Track]:
    """Read the trips: a place every 15 s."""
    tracks = []
    with path.open(encoding="utf-8") as text:
        for row in csv.DictReader(text):
            places = np.array(json.loads(row["POLYLINE"]), np.float64).reshape(-1, 2)
            unknown = np.full(len(places), np.nan)
            tracks.append(
                Track(
                    at_s=float(row["TIMESTAMP"]) + INTERVAL_S * np.arange(len(places)),
                    lon_deg=places[:, 0],
                    lat_deg=places[:, 1],
                    heading_deg=unknown,
                    speed_mps=unknown,
                )
            )
    return tracks


def error_of(net: RoadNetwork, drives: list[Drive]) -> np.ndarray:
    """Compare drives with a network: `KEYS`."""
    taken_s = np.array([drive.at_s[-1] - drive.at_s[0] for drive in drives])
    log = np.log(taken_s / np.array([max(expected_s(net, drive), 1.0) for drive in drives]))
    off = np.abs(np.expm1(-log))
    return np.array([np.exp(np.median(log)), np.median(off), off.mean(), log.std()])


def main() -> None:
    """Match once, halve often."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traces", type=Path)
    parser.add_argument("roads", type=Path)
    parser.add_argument("--splits", type=int, default=20)
    options = parser.parse_args()
    net = RoadNetwork.load(options.roads)
    matcher = Matcher(net)
    trips = [matcher.match(track) for track in trips_of(options.traces)]
    trips = [drives for drives in trips if drives]
    long = [[d for d in drives if d.at_s[-1] - d.at_s[0] >= SHORT_S] for drives in trips]
    print(f"{len(trips)} trips matched, {sum(map(len, long))} drives of {SHORT_S:.0f} s or more")
    sides: dict[str, list[np.ndarray]] = {"before": [], "one factor": [], "after": []}
    for split in range(options.splits):
        order = np.random.default_rng(split).permutation(len(trips))
        half = len(order) // 2
        known = [drive for row in order[:half] for drive in trips[row]]
        held = [drive for row in order[half:] for drive in long[row]]
        learnt = learn(net, passes_of(net, known, [hours_of_week(d.at_s, ZONE) for d in known]))
        factors = (1.0, learnt.overall, learnt.edge_factor)
        for errors, factor in zip(sides.values(), factors, strict=True):
            timed = net.retimed(net.edge_ms / 1000 * factor, learnt="half of the trips")
            errors.append(error_of(timed, held))
    for row, key in enumerate(KEYS):
        found = {side: np.array(errors)[:, row] for side, errors in sides.items()}
        means = ", ".join(f"{side} {one.mean():.3f}" for side, one in found.items())
        low, high = np.quantile(found["after"] - found["one factor"], [0.05, 0.95])
        print(f"{key:29s}{means}; the last two differ by {low:+.3f} to {high:+.3f}")


if __name__ == "__main__":
    main()

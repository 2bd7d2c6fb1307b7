"""
Sweep the constants of the policy over simulated shifts, one result a line.

    python scripts/sweep.py all sweep.jsonl harrisburg_pa.roads:8,16,24 \
        columbus_oh.roads:20,40,60 --hours 1 --seeds 8 --processes 1

Every arm meets the same shifts: each city with each fleet, by day and by night, seed after seed.
A run that the file already holds is not made again, so that a sweep goes on where it was ended.
`scripts/sweep_front.py` draws the front and prints the table.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from itertools import product, zip_longest
from multiprocessing import Pool
from pathlib import Path
from typing import Any

from data.settings import Policy, Settings
from geo.compare import run
from geo.network import RoadNetwork
from geo.shift.plan import ShiftPlan

TIMES = {
    "day": datetime(2026, 3, 10, 10, tzinfo=UTC),
    "night": datetime(2026, 3, 13, 22, tzinfo=UTC),
}
STOP_MIN = {"contact": 15, "secured": 28, "custody": 33, "awaiting_tow": 20}
HALF_MIN = {"contact": 4, "secured": 8, "custody": 12, "awaiting_tow": 10}

# One at a time around the defaults, then some together. The cost of cover is a product, so that
# another rate of stops (Lambda) is another lambda.
ALONE: dict[str, tuple[Any, ...]] = {
    "within_s": (120, 300),
    "coverage_weight": (0, 3),
    "cover_spare_share": (0,),
    "tie_share": (0.05,),
    "duration_min": (HALF_MIN, STOP_MIN),
    "reserve_from_units": (10_000,),
    "comes_when_asked": (0.6,),
    "drive_time_spread": (0.5,),
    "alone_until": (0.8,),
    "switch_saves_s": (0, 120),
    "stale_moving_s": (120,),
    "stale_parked_s": (300,),
    "score_min": (3,),
    "drive_max_s": (900,),
}
BEFORE = {"cover_spare_share": 0, "tie_share": 0.05}  # what the defaults were, decision 19
NO_COVER = {"coverage_weight": 0, "tie_share": 0}  # the nearest in worth, and nothing else
ARMS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ours", {}),
    ("nobody", {}),
    ("road", {}),
    ("ours", BEFORE),
    ("ours", NO_COVER),
    *(("ours", {name: value}) for name, values in ALONE.items() for value in values),
)

# All ask about as often as each other, but for nobody.
EQUAL: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ours", {}),
    ("ours", BEFORE),
    ("ours", NO_COVER),
    ("nobody", {}),
    ("road", {}),
)

# The nearest by road, one by one and all together, against ours with and without cover.
NEAREST: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ours", {}),
    ("road", {}),
    ("jointly", {}),
    ("ours", NO_COVER),
)
SETS = {"all": ARMS, "equal": EQUAL, "nearest": NEAREST}

Job = tuple[str, int, str, float, int, str, dict[str, Any]]


@cache
def network(path: str) -> RoadNetwork:
    """Load a network once a process."""
    return RoadNetwork.load(Path(path))


def named(job: Job) -> dict[str, Any]:
    """Write what makes a run the run it is."""
    path, units, time, hours, seed, policy, changed = job
    return {
        "city": Path(path).stem,
        "units": units,
        "time": time,
        "hours": hours,
        "seed": seed,
        "policy": policy,
        "settings": changed,
    }


def made(job: Job) -> dict[str, Any]:
    """Make a run; all are judged by the default T."""
    path, units, time, hours, seed, policy, changed = job
    plan = ShiftPlan(start=TIMES[time], hours=hours, units=units)
    settings = Settings.model_validate({"policy": changed})
    measures = run(network(path), plan, settings, policy, seed, judge=Policy())
    return {**named(job), **asdict(measures)}


def jobs(
    cities: list[str], hours: float, seeds: range, arms: tuple[tuple[str, dict[str, Any]], ...]
) -> list[Job]:
    """
    List all runs, whole seeds first: whenever it is ended, every arm has met the same shifts.

    No two scenes have a seed in common, so that all shifts are independent of each other.
    """
    scenes = [
        (path, int(units), time)
        for path, _, fleets in (city.rpartition(":") for city in cities)
        for units, time in product(fleets.split(","), TIMES)
    ]
    by_city = [
        [(number, scene) for number, scene in enumerate(scenes) if scene[0] == path]
        for path in dict.fromkeys(path for path, _, _ in scenes)
    ]
    # City by city in turn, so that each has met about as much whenever it is ended.
    in_turn = [one for together in zip_longest(*by_city) for one in together if one]
    return [
        (*scene, hours, seed * len(scenes) + number, policy, changed)
        for seed, (number, scene), (policy, changed) in product(seeds, in_turn, arms)
    ]


def held(results: Path) -> set[str]:
    """Name the runs that a file holds."""
    if not results.exists():
        return set()
    rows = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    names = ("city", "units", "time", "hours", "seed", "policy", "settings")
    return {json.dumps({name: row[name] for name in names}) for row in rows}


def main() -> None:
    """Make the runs that are missing."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("arms", choices=SETS, help="equal: at about equal requests")
    parser.add_argument("results", type=Path)
    parser.add_argument("cities", nargs="+", help="FILE.roads:UNITS,UNITS")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    there = held(given.results)
    seeds = range(given.seed, given.seed + given.seeds)
    made_of = jobs(given.cities, given.hours, seeds, SETS[given.arms])
    missing = [job for job in made_of if json.dumps(named(job)) not in there]
    with Pool(given.processes) as pool, given.results.open("a", encoding="utf-8") as out:
        for row in pool.imap_unordered(made, missing):
            out.write(json.dumps(row) + "\n")
            out.flush()


if __name__ == "__main__":
    main()

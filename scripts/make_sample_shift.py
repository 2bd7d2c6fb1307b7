"""
Make the simulated evening of the embedded city: data/sample/simulated_*.csv.

    python scripts/make_sample_shift.py

Hand-placed at real corners; nobody was there. The fixes' errors come from a fixed seed.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from geo.network import RoadNetwork

SAMPLE = Path(__file__).parent.parent / "data" / "sample"
NOW = datetime(2026, 3, 14, 3, 40, tzinfo=UTC)  # 21:40 in Denver, a Friday
NOISE_DEG = 4e-5  # about 4 m

UNIT_COLUMNS = (
    *("unit_id", "lon", "lat", "fixed_at", "status"),
    *("officers", "agency", "heading_deg", "speed_mps", "accuracy_m"),
)
STOP_COLUMNS = ("stop_id", "unit_id", "started_at", "ended_at", "phase", "needs", "backup")
# unit, agency, officers, status, corner, age of fix in s, speed in m/s, heading
UNITS = (
    ("2A11", "City", 1, "on_stop", ("17th Street", "Stout Street"), 9, 0.0, ""),
    ("2A12", "City", 1, "on_stop", ("22nd Street", "Champa Street"), 22, 0.0, ""),
    ("2A14", "City", 1, "busy", ("18th Street", "Arapahoe Street"), 6, 0.0, ""),
    ("2A15", "City", 1, "available", ("15th Street", "Champa Street"), 31, 0.0, ""),
    ("2A16", "City", 1, "busy", ("15th Street", "Blake Street"), 48, 0.0, ""),
    ("2B21", "City", 2, "on_stop", ("East 20th Avenue", "Clarkson Street"), 14, 0.0, ""),
    ("2B22", "City", 1, "available", ("Broadway", "Park Avenue West"), 12, 6.7, 180),
    ("2B24", "City", 1, "available", ("East 24th Avenue", "Emerson Street"), 1320, 0.0, ""),
    ("2C31", "City", 1, "on_stop", ("33rd Street", "Walnut Street"), 17, 0.0, ""),
    ("2C33", "City", 1, "dispatched", ("26th Street", "Blake Street"), 5, 11.0, 225),
    ("2C34", "City", 1, "available", ("29th Street", "Champa Street"), 8, 7.6, 225),
    ("2C35", "City", 1, "on_stop", ("Downing Street", "Blake Street"), 11, 0.0, ""),
    ("4S1", "Sheriff", 1, "on_stop", ("East 17th Avenue", "Washington Street"), 26, 0.0, ""),
    ("4S2", "Sheriff", 1, "available", ("27th Street", "Curtis Street"), 340, 9.4, 225),
    ("4S3", "Sheriff", 1, "available", ("East 18th Avenue", "Grant Street"), 150, 7.1, 90),
)
# stop, unit, minutes ago, phase, needs, backup
STOPS = (
    ("T-101", "2A11", 4, "contact", "", ""),
    ("T-102", "2A12", 19, "custody", "", ""),
    ("T-103", "2B21", 7, "contact", "", ""),
    ("T-104", "2C31", 26, "secured", "", ""),
    ("T-105", "4S1", 33, "awaiting_tow", "", ""),
    ("T-106", "2C35", 2, "contact", "", ""),
    ("T-099", "2B22", 48, "cleared", "", ""),
)


def main() -> None:
    """Write both files."""
    net = RoadNetwork.load(SAMPLE / "denver.roads")
    noise = np.random.default_rng(7)
    with (SAMPLE / "simulated_units.csv").open("w", newline="", encoding="utf-8") as out:
        write = csv.writer(out, lineterminator="\n").writerow
        write(UNIT_COLUMNS)
        for unit_id, agency, officers, status, corner, age_s, speed_mps, heading in UNITS:
            lon, lat = place(net, *corner) + noise.normal(0, NOISE_DEG, 2)
            fixed_at = (NOW - timedelta(seconds=age_s)).isoformat().replace("+00:00", "Z")
            where = [f"{lon:.6f}", f"{lat:.6f}"]
            write([unit_id, *where, fixed_at, status, officers, agency, heading, speed_mps, 5])
    with (SAMPLE / "simulated_stops.csv").open("w", newline="", encoding="utf-8") as out:
        write = csv.writer(out, lineterminator="\n").writerow
        write(STOP_COLUMNS)
        for stop_id, unit_id, minutes, phase, needs, backup in STOPS:
            started = NOW - timedelta(minutes=minutes)
            ended = started + timedelta(minutes=20) if phase == "cleared" else None
            instants = [t.isoformat().replace("+00:00", "Z") if t else "" for t in (started, ended)]
            write([stop_id, unit_id, *instants, phase, needs, backup])


def place(net: RoadNetwork, first: str, second: str) -> np.ndarray:
    """Find a corner: the northernmost node where both streets meet."""
    table = net.table
    ends = [
        {
            int(node)
            for edge in range(table.edge_count)
            if name in table.street(edge).split(";")
            for node in (table.tail[edge], table.head[edge])
        }
        for name in (first, second)
    ]
    node = max(ends[0] & ends[1], key=lambda row: table.lat_deg[row])
    return np.array([table.lon_deg[node], table.lat_deg[node]])


if __name__ == "__main__":
    main()

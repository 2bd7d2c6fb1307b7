"""
Seconds and peak memory of `data.extract.read_pbf`, on an extract and on copies of it side by side.

    python -m bench.import_scale EXTRACT.osm.pbf --copies 1 8 --json import_scale.json

Copies have their own ids and lie apart, so the bigger file is as much work as a bigger city. Each
reading is a process of its own; its memory is the most it ever held, less that of one which only
imports.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import osmium
from osmium.osm import Node, RelationMember, Way

from bench.peak import peak_mb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ID_STEP, LON_STEP_DEG = 1 << 33, 3.0


def replicate(source: Path, target: Path, copies: int) -> None:
    with osmium.SimpleWriter(target, overwrite=True) as writer:
        for kind in (osmium.osm.NODE, osmium.osm.WAY, osmium.osm.RELATION):
            for copy in range(copies):
                for one in osmium.FileProcessor(source, kind):
                    write(writer, one, copy * ID_STEP, copy * LON_STEP_DEG)


def write(writer: osmium.SimpleWriter, one: Any, id_step: int, lon_step_deg: float) -> None:
    if isinstance(one, Node):
        place = one.location.lon + lon_step_deg, one.location.lat
        writer.add_node(one.replace(id=one.id + id_step, location=place))
    elif isinstance(one, Way):
        nodes = [node.ref + id_step for node in one.nodes]
        writer.add_way(one.replace(id=one.id + id_step, nodes=nodes))
    else:
        members = [RelationMember(m.ref + id_step, m.type, m.role) for m in one.members]
        writer.add_relation(one.replace(id=one.id + id_step, members=members))


def measure(path: Path | None) -> dict[str, float]:
    """Read a file in a process of its own; only import if there is none."""
    command = [sys.executable, "-m", "bench.import_scale", "--measure", str(path or "")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - us
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def measure_here(path: str) -> dict[str, float]:
    from data.extract import read_pbf  # noqa: PLC0415 - what is measured

    start_s, start_cpu_s = time.perf_counter(), time.process_time()
    table = read_pbf(path) if path else None
    seconds = time.perf_counter() - start_s
    cpu_s = time.process_time() - start_cpu_s
    edges, bans = (table.edge_count, table.ban_count) if table else (0, 0)
    return {"seconds": seconds, "cpu_s": cpu_s, "peak_mb": peak_mb(), "edges": edges, "bans": bans}


def count_nodes(path: Path) -> int:
    return sum(1 for _ in osmium.FileProcessor(path, osmium.osm.NODE))


def measured(extract: Path, copies: Iterable[int]) -> Iterator[dict[str, float]]:
    """Read so many copies side by side: seconds and megabytes a million nodes, beyond importing."""
    bare_mb = measure(None)["peak_mb"]
    with tempfile.TemporaryDirectory() as folder:
        for count in copies:
            path = Path(folder, f"{count}.osm.pbf")
            replicate(extract, path, count)
            nodes = count_nodes(path)
            row = {"copies": count, "nodes": nodes, "bare_mb": bare_mb} | measure(path)
            row["own_mb"] = row["peak_mb"] - bare_mb
            for unit in ("s", "cpu_s", "mb"):
                whole = row[{"s": "seconds", "cpu_s": "cpu_s", "mb": "own_mb"}[unit]]
                row[f"{unit}_per_million_nodes"] = whole / nodes * 1e6
            yield row


def shown(row: dict[str, float]) -> str:
    """Give a reading as a line."""
    return (
        f"{row['nodes']:,} nodes, {row['edges']:,} edges, {row['bans']:,} bans: "
        f"{row['seconds']:.1f} s ({row['s_per_million_nodes']:.1f} s per million nodes; of "
        f"processors {row['cpu_s_per_million_nodes']:.1f}), {row['own_mb']:.0f} MB beyond the "
        f"{row['bare_mb']:.0f} MB of importing ({row['mb_per_million_nodes']:.0f} MB per million)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("extract", type=Path, nargs="?")
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure is not None:
        print(json.dumps(measure_here(asked.measure)))
        return
    rows = []
    for row in measured(asked.extract, asked.copies):
        rows.append(row)
        print(f"{asked.extract.name} x {row['copies']}: {shown(row)}", flush=True)
    if asked.json:
        about = {"machine": platform.machine(), "python": platform.python_version()}
        asked.json.write_text(json.dumps(about | {"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()

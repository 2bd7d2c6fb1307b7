"""Memory of a loaded network, the time to load it, and a whole command from a cold start."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import import_scale, ours
from bench.figure import Aim, Curve, Figure, unmeasured
from bench.setup import ROOT, MissingError
from bench.timing import spread, watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.setup import Setup

BYTES_AIM = Aim(target=64, more=False)
LOAD_AIM = Aim(target=0.3, more=False)
IMPORTED = "columbus_oh"
COLD_AIM = Aim(target=2, stretch=1, more=False)


def memory(setup: Setup) -> Iterator[Figure | Curve]:
    """Count the bytes of a loaded network and time its loading."""
    graph = setup.main_graph()
    nets = {graph.name: setup.network(graph)}
    try:
        nets["porto_pt"] = setup.real_network("porto_pt")
    except MissingError as missing:
        facts = {"row": "memory", "work": "memory of a loaded network", "peer": ""}
        yield unmeasured(str(missing), **facts, graph="porto_pt")
    for name, used in nets.items():
        net = ours.searched_copy(used)  # other rows leave with it what they alone need
        count = net.table.edge_count
        for work, parts in ours.memory_parts(net).items():
            value = spread([sum(parts.values()) / count])
            shown = sorted(parts.items(), key=lambda part: -part[1])[:6]
            note = ", ".join(f"{part} {size / count:.1f}" for part, size in shown)
            aim = None if work == ours.GEOMETRY else BYTES_AIM
            facts = {"row": "memory", "work": work, "graph": name, "peer": ""}
            yield Figure(**facts, value=value, unit="B/edge", aim=aim, note=note)
    yield from _loading(setup)


def _loading(setup: Setup) -> Iterator[Figure | Curve]:
    """Save and map networks of several sizes."""
    line = []
    for name in ("grid",) if setup.quick else ("grid", "ny120", "ny", "ny4"):
        try:
            graph = setup.graph(name)
        except MissingError as missing:
            facts = {"row": "load", "work": "a saved network mapped", "peer": ""}
            yield unmeasured(str(missing), **facts, graph=name)
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "city.roads"
            setup.network(graph).save(path)
            taken = watch(ours.load, [path], seconds=setup.seconds(2))
            size_mb = path.stat().st_size / 1e6
        line.append((graph.edge_count, taken))
        yield Figure(
            row="load",
            work=f"a saved network of {graph.edge_count // 1000}k edges mapped into memory",
            graph=graph.name,
            peer="",
            value=taken,
            unit="s",
            aim=LOAD_AIM if name == "ny" else None,
            note=f"{size_mb:.0f} MB, its checksum read and compared",
        )
    if len(line) > 1:
        curve = {"x": "directed edges", "y": "seconds", "lines": {"rollby": line}}
        yield Curve(name="load_by_edges", title="A saved network mapped into memory", **curve)


def importing(setup: Setup) -> Iterator[Figure]:
    """Read an extract and copies of it side by side, each in a process of its own."""
    facts: dict[str, Any] = {"row": "import", "graph": IMPORTED, "peer": ""}
    if setup.quick:
        yield unmeasured("not in the quick run", **facts, work="an extract read")
        return
    try:
        extract = setup.source(f"{IMPORTED}.osm.pbf")
    except MissingError as missing:
        yield unmeasured(str(missing), **facts, work="an extract read")
        return
    for row in import_scale.measured(extract, (1, 4)):
        work = f"an extract read, x {row['copies']:.0f}, a million nodes"
        seconds, size_mb = (row[f"{unit}_per_million_nodes"] for unit in ("s", "mb"))
        note = import_scale.shown(row)
        yield Figure(**facts, work=work, value=spread([seconds]), unit="s", note=note)
        yield Figure(**facts, work=f"{work}: memory", value=spread([size_mb]), unit="MB")


def cold(setup: Setup) -> Iterator[Figure]:
    """Run a whole command, again and again, files in the page cache."""
    sample = ROOT / "data" / "sample"
    command = [sys.executable, "-m", "rollby", "suggest", "--json"]
    command += ["--roads", str(sample / "denver.roads")]
    command += ["--units", str(sample / "simulated_units.csv")]
    command += ["--stops", str(sample / "simulated_stops.csv")]
    command += ["--settings", str(sample / "simulated_settings.toml")]
    facts = {"row": "cold", "work": "`rollby suggest` as a whole process, warm", "peer": ""}
    taken = []
    for _ in range(3 if setup.quick else 9):
        begun = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - our own command
        taken.append(time.perf_counter() - begun)
    value = spread(taken[1:])
    yield Figure(**facts, graph="the embedded town", value=value, unit="s", aim=COLD_AIM)

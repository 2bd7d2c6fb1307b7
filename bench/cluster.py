"""
A long history: what a day costs, what two workers gain over one, and the memory of a year.

    python -m bench.cluster day [--graph ny2] [--units 500]
    python -m bench.cluster scaling [--roads CITY.roads] [--days 16] [--rounds 3]
    python -m bench.cluster year [--weeks 1 4 13 52]

`day` is on a graph whose turns are free, with units at random nodes, a fix a minute each, busy a
third of their time. `scaling` is on roads with turns, the same days for one and for two workers,
each a process of one thread, in turn. `year` repeats a week of the embedded city under later
dates, and runs `rollby gaps` and analysts' studies on more and more of it. All of it is made up.
"""

from __future__ import annotations

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
import time
from dataclasses import astuple, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from bench.peak import peak_mb
from bench.setup import ROOT, Setup, add_cache
from data.events import Fixes, History, StatusChange, StopChange
from data.history import day_name, table_files, write_history
from data.history_days import history_days
from data.records import Stop, StopPhase, UnitStatus
from data.roadfile import roads_checksum
from data.settings import Settings
from geo.network import RoadNetwork
from geo.past_parts import parts_of
from rollby.cluster import joined
from rollby.commands.posts import PostsWish
from rollby.past import past_of_folder
from rollby.past_work import Job, contracted, covered, files_of, ground_of, told, versions
from rollby.service.study_work import Work
from tests.rollby.wheel import cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

DAY_S, BEGAN = 86_400, 20_500  # a Monday, UTC
STUDIES = ("history", "gaps", "posts")
EMBEDDED = ROOT / "data" / "sample" / "denver.roads"
YEAR_SNAPSHOTS = 365 * 1440


def main() -> int:
    """Run a part."""
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__)
    parser.add_argument("part", choices=("day", "scaling", "year"))
    parser.add_argument("--data", type=Path, default=os.environ.get("ROLLBY_BENCH_DATA"))
    parser.add_argument("--graph", default="ny2")
    parser.add_argument("--units", type=int, default=500)
    parser.add_argument("--every", type=float, default=60.0)
    parser.add_argument("--roads", type=Path, default=EMBEDDED)
    parser.add_argument("--days", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--weeks", type=int, nargs="+", default=[1, 4, 13, 52])
    add_cache(parser)
    options = parser.parse_args()
    setup = Setup(data=options.data, cache=options.cache, quick=False)
    with tempfile.TemporaryDirectory(prefix="rollby-bench-") as name:
        folder = Path(name)
        if options.part == "day":
            one_day(setup, folder, options.graph, options.units, options.every)
        elif options.part == "scaling":
            scaling(folder, options)
        else:
            year(folder, options.weeks)
    return 0


def one_day(setup: Setup, folder: Path, name: str, units: int, every_s: float) -> None:
    """Work a day out, step by step."""
    graph = setup.graph(name)
    net = setup.network(graph)
    roads = folder / "city.roads"
    net.save(roads)
    history = folder / "history"
    make_days(history, net, units, days=2)
    job = job_of(roads, history)
    found = history_days(history)
    assert found is not None
    print(f"{graph.name}: {graph.node_count:,} nodes, {len(graph.tail):,} edges; {units} units")
    _, ground = timed("the ground (cells, limits), once a process", lambda: ground_of(job))
    hierarchy = timed("the contraction, once in all", lambda: contracted(job))
    size = sum(part.nbytes for part in astuple(hierarchy) if isinstance(part, np.ndarray))
    print(f"  {size / 2**20:,.0f} MiB sent to each worker; {len(ground.cell):,} cells")
    zone = ground.zone
    parts = list(
        parts_of(
            found.days,
            found.fix_days,
            lambda day: told(job, day, files_of(history, (day,))),
            zone=zone,
            policy=job.settings.policy,
            every_s=every_s,
            last_s=found.last_s,
        )
    )
    part = max(parts, key=lambda one: len(one.at_s))
    given = files_of(history, part.days)
    begun = time.process_time()
    day = timed("a day", lambda: covered(job, hierarchy, part, given))
    taken_s = time.process_time() - begun
    snapshots = int(day.snapshots.sum())
    own = files_of(history, (BEGAN,))
    size = sum(count for _, count in own)
    print(f"  {snapshots:,} snapshots, {1000 * taken_s / snapshots:.1f} ms of a core each")
    print(f"  its result: {len(pickle.dumps(day)) / 2**20:.1f} MiB; its files: {size / 1e6:.1f} MB")
    hours = taken_s / snapshots * YEAR_SNAPSHOTS / 3600
    print(f"a year of minutes: {hours:.1f} core-hours, {size * 365 / 1e9:.1f} GB of history")
    print(f"peak memory of this process: {peak_mb():,.0f} MiB")


def scaling(folder: Path, options: argparse.Namespace) -> None:
    """Work the same days out with one worker and with two, in turn, and here."""
    roads, history, rounds = options.roads, folder / "history", options.rounds
    make_days(history, RoadNetwork.load(roads), options.units, days=options.days)
    asked: dict[str, Any] = {"settings": Settings(), "beats": (), "every_s": options.every}
    alone = past_of_folder(roads, history, **asked)[0]
    wall: dict[int, list[float]] = {1: [], 2: []}
    cpu: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(rounds):
        for count in (1, 2):
            own = folder / f"{turn}-{count}"
            own.mkdir()
            with cluster(Path(sys.executable), own, count) as found, joined(found.address) as one:
                one.wait_for(count)
                before = processor_s(found.workers)
                begun = time.perf_counter()
                past = past_of_folder(roads, history, cluster=one, **asked)[0]
                wall[count].append(time.perf_counter() - begun)
                cpu[count].append(processor_s(found.workers) - before)
            for field in fields(past):
                np.testing.assert_array_equal(getattr(past, field.name), getattr(alone, field.name))
    work = f"{options.days} days, {options.units} units, every {options.every:g} s"
    print(f"{roads.stem}: {work}; equal to one process, bit for bit")
    for count in (1, 2):
        walls = ", ".join(f"{one:.1f}" for one in wall[count])
        cores = ", ".join(f"{one:.1f}" for one in cpu[count])
        print(f"  workers {count}: {walls} s; of processors {cores} s")
    ratios = [one / two for one, two in zip(wall[1], wall[2], strict=True)]
    least, most = min(ratios), max(ratios)
    print(f"  two workers: {np.median(ratios):.2f} times as fast ({least:.2f} to {most:.2f})")
    print(f"  load: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def year(folder: Path, weeks: Sequence[int]) -> None:
    """
    Run `rollby gaps` and analysts' studies over a week again and again, each in its own process.

    Thirty units, looked at each hour.
    """
    week = folder / "week"
    make_days(week, RoadNetwork.load(EMBEDDED), 30, days=7)
    for count in weeks:
        history = folder / f"weeks-{count}"
        for again in range(count):
            repeat(week, history, again * 7)
        words = ["gaps", "--roads", EMBEDDED, "--history", history, "--every", "3600", "--json"]
        size = sum(path.stat().st_size for path in history.rglob("*.parquet")) / 1e6
        peaks = [rollby(*words), *(studied(kind, history, folder) for kind in STUDIES)]
        named = zip(("rollby gaps", *(f"study: {kind}" for kind in STUDIES)), peaks, strict=True)
        said = ", ".join(f"{name} {peak:.0f} MiB" for name, peak in named)
        print(f"{count:3} weeks, {size:7.1f} MB: peak {said}", flush=True)


def make_days(folder: Path, net: RoadNetwork, units: int, days: int) -> None:
    """Write days of units at random nodes, a fix a minute each, on stops a third of their time."""
    ids = tuple(f"U{i:03}" for i in range(units))
    for day in range(days):
        rng = np.random.default_rng(day)
        minutes = (BEGAN + day) * DAY_S + np.repeat(np.arange(1440.0) * 60, units)
        at_s = np.sort(minutes + rng.uniform(0, 59, len(minutes)))
        node = rng.integers(0, len(net.table.lon_deg), len(at_s))
        nothing = np.full(len(at_s), np.nan)
        fixes = Fixes(
            unit_ids=ids,
            unit_row=np.tile(np.arange(units, dtype=np.int32), 1440),
            fixed_at_s=at_s,
            received_at_s=at_s,
            lon_deg=np.asarray(net.table.lon_deg)[node],
            lat_deg=np.asarray(net.table.lat_deg)[node],
            heading_deg=nothing,
            speed_mps=rng.uniform(0, 12, len(at_s)),
            accuracy_m=nothing,
        )
        begun = datetime.fromtimestamp((BEGAN + day) * DAY_S, UTC)
        statuses = tuple(
            StatusChange(unit_id=one, at=begun, status=UnitStatus.AVAILABLE) for one in ids
        )
        stops = sorted(stops_of(ids, day, rng), key=lambda one: one.at)
        history = History(
            fixes=fixes, statuses=statuses, stops=tuple(stops), facts={"simulated": True}
        )
        own = folder.parent / "one-day"
        write_history(own, history)
        merge(own, folder)


def stops_of(ids: Sequence[str], day: int, rng: np.random.Generator) -> list[StopChange]:
    """Give each unit twelve stops of forty minutes a day, told of when they begin and end."""
    found = []
    for unit in ids:
        for i in range(12):
            begun_s = (BEGAN + day) * DAY_S + i * 7200 + rng.integers(0, 4000)
            begun, ended = (
                datetime.fromtimestamp(int(one), UTC) for one in (begun_s, begun_s + 2400)
            )
            stop_id = f"{day}-{unit}-{i}"
            stop = Stop(stop_id=stop_id, unit_id=unit, started_at=begun)
            done = Stop(
                stop_id=stop_id,
                unit_id=unit,
                started_at=begun,
                ended_at=ended,
                phase=StopPhase.CLEARED,
            )
            found += [StopChange(stop=stop, at=begun), StopChange(stop=done, at=ended)]
    return found


def merge(day: Path, folder: Path) -> None:
    """Move a history's files into another's folder."""
    for path in [one for one in day.rglob("*") if one.is_file()]:
        there = folder / path.relative_to(day)
        there.parent.mkdir(parents=True, exist_ok=True)
        if there.exists() and there.suffix == ".parquet":
            there = there.with_name(f"{there.stem}-more.parquet")
        path.rename(there)
    for left in sorted(day.rglob("*"), reverse=True):
        left.rmdir()
    day.rmdir()


def repeat(week: Path, folder: Path, days: int) -> None:
    """Copy a week under later dates: every instant so many days later, every stop another."""
    for table in ("fixes", "statuses", "stops"):
        for path in table_files(week, table):
            rows = parquet.ParquetFile(path).read()
            for i, column in enumerate(rows.schema):
                if pa.types.is_timestamp(column.type):
                    later = rows[i].cast(pa.int64()).to_numpy(zero_copy_only=False)
                    moved = pa.array(later + days * DAY_S * 1000, from_pandas=True)
                    rows = rows.set_column(i, column, moved.cast(pa.int64()).cast(column.type))
                elif column.name == "stop_id":
                    named = [f"{days}-{one}" for one in rows[i].to_pylist()]
                    rows = rows.set_column(i, column, pa.array(named))
            began = datetime.fromisoformat(path.parent.name.removeprefix("day="))
            day = int(began.replace(tzinfo=UTC).timestamp()) // DAY_S + days
            there = folder / table / day_name(day)
            there.mkdir(parents=True, exist_ok=True)
            name = path.name if not (there / path.name).exists() else f"later-{path.name}"
            parquet.write_table(rows, there / name, compression="zstd")


def job_of(roads: Path, history: Path) -> Job:
    """Ask for a folder's days."""
    return Job(
        roads=roads,
        checksum=roads_checksum(roads),
        folder=history,
        settings=Settings(),
        beats=(),
        posts=(),
        versions=versions(),
    )


def timed(what: str, run: Callable[[], Any]) -> Any:
    """Run something once; print what it took."""
    begun, cpu = time.perf_counter(), time.process_time()
    found = run()
    taken, used = time.perf_counter() - begun, time.process_time() - cpu
    print(f"  {what}: {used:.1f} s of a core ({taken:.1f} s by the clock)", flush=True)
    return found


def processor_s(processes: Sequence[subprocess.Popen[bytes]]) -> float:
    """Add up what processes have used of processors."""
    ticks = 0
    for one in processes:
        words = Path(f"/proc/{one.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def rollby(*words: object) -> float:
    """Run `rollby`, and give the most memory it had, MiB."""
    return peak_of("from rollby.cli import main", map(str, words))


def studied(kind: str, history: Path, folder: Path) -> float:
    """Work a study out as the service does, and give the most memory it had, MiB."""
    work = Work(
        kind=kind,
        history=history,
        out=folder / "out",
        roads=EMBEDDED,
        settings=Settings(),
        every_s=3600.0,
        wish=PostsWish(count=8, model="expected"),
    )
    return peak_of("from rollby.service.study_work import main", (), pickle.dumps(work))


def peak_of(load: str, words: Iterable[str], given: bytes | None = None) -> float:
    """Run a program's `main` in a process of its own, and give the most memory it had, MiB."""
    code = (
        f"import sys; from bench.peak import peak_mb; {load}; code = main(); "
        "print(peak_mb(), file=sys.stderr); sys.exit(code)"
    )
    run = [sys.executable, "-c", code, *words]
    with subprocess.Popen(  # noqa: S603 - our own program
        run, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        if given is not None:  # a study ends when stdin does: it stays open until it is done
            process.stdin.write(given)
            process.stdin.flush()
        said, errors = process.stdout.read(), process.stderr.read()
    assert process.returncode == 0, errors
    assert b'"fault"' not in said, said
    return float(errors.split()[-1])


if __name__ == "__main__":
    raise SystemExit(main())

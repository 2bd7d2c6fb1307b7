"""OSRM's `table` and Valhalla's matrix: 1,000 units to one stop, on the same real map."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from bench import ours
from bench.figure import Aim, Figure, raced, unmeasured
from bench.peers import programs
from bench.rows_snap import fixes_near_roads
from bench.setup import MissingError
from bench.timing import race

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from bench.graphs import FloatArray
    from bench.setup import Setup
    from bench.timing import Race

CITIES = ("columbus_oh", "porto_pt")
UNITS, STOPS = 1000, 4
OSRM, VALHALLA = "OSRM 26.10", "Valhalla 3.9"
# Valhalla takes its first for a car unless told otherwise: a search from every unit, half a minute
# for all of them. Its second searches once, backward from the stop.
ALGORITHMS = {OSRM: ("CH", "MLD"), VALHALLA: ("costmatrix", "timedistancematrix")}
SLOW = f"{VALHALLA} costmatrix"
COMPARED = 200  # of the units, and asked first
AIM = Aim(target=20, stretch=100)
ALIKE = 0.9  # rank correlation of two routers' answers below which they do not do the same work
INSIDE = Path(__file__).parent / "peers" / "inside.py"


def matrix(setup: Setup) -> Iterator[Figure]:
    """Ask all of them the same tables, over HTTP and within a process."""
    for city in CITIES:
        facts = {"row": "matrix", "graph": city, "work": f"{UNITS:,} units to 1 stop"}
        if setup.quick:
            yield unmeasured("not in the quick run", **facts, peer="OSRM and Valhalla")
            continue
        try:
            source, roads = setup.source(f"{city}.osm.pbf"), setup.real_path(city)
            net = setup.real_network(city)
        except MissingError as missing:
            yield unmeasured(str(missing), **facts, peer="OSRM and Valhalla")
            continue
        lon, lat = fixes_near_roads(net, STOPS * (UNITS + 1))
        tables = np.stack([lon, lat], axis=1).round(6).reshape(STOPS, UNITS + 1, 2)
        yield from _over_http(setup, city, source, roads, tables)
        yield from _in_process(setup, city, source, net, tables)


@dataclass(frozen=True, kw_only=True)
class _Peer:
    """A router: how it is served, how a table is asked for and how its answer is read."""

    server: Callable[[Path, Path], AbstractContextManager[int]]
    request: Callable[[FloatArray], tuple[str, str, bytes | None]]
    read: Callable[[bytes], FloatArray]


def _peers() -> dict[str, _Peer]:
    """List them."""
    asked = {
        OSRM: (programs.osrm_server, _osrm_request, _osrm_durations),
        VALHALLA: (programs.valhalla_server, _valhalla_request, _valhalla_durations),
    }
    return {
        f"{router} {algorithm}": _Peer(
            server=partial(server, algorithm=algorithm), request=request, read=read
        )
        for router, (server, request, read) in asked.items()
        for algorithm in ALGORITHMS[router]
    }


def _over_http(
    setup: Setup, city: str, source: Path, roads: Path, tables: FloatArray
) -> Iterator[Figure]:
    """Race servers of one thread, connections kept, requests made beforehand."""
    work = f"{UNITS:,} units to 1 stop, HTTP to HTTP"
    facts: dict[str, Any] = {"row": "matrix", "graph": city, "work": work}
    peers = _peers()
    found = []
    with _own_client(roads, np.inf) as own:
        for peer, told in peers.items():
            with _client(told.server(setup.cache, source)) as other:
                few = tables[: 1 if peer == SLOW else None]
                taken, alike = _asked(setup, own, other, told, few)
            note = f"ours by bench/server.py, of the standard library, no product; {alike}"
            found.append(raced(taken, **facts, peer=peer, aim=AIM, note=note))
            yield found[-1]
    best = min(found, key=lambda one: one.peer_s.median if one.peer_s else np.inf).peer
    facts["work"] += ", ours within 10 min"
    with (
        _own_client(roads, 600.0) as own,
        _client(peers[best].server(setup.cache, source)) as other,
    ):
        taken, _ = _asked(setup, own, other, peers[best], tables)
    note = "which is what a stop needs; theirs has no horizon"
    yield raced(taken, **facts, peer=best, note=note)


@contextlib.contextmanager
def _client(server: AbstractContextManager[int]) -> Iterator[programs.Client]:
    """Serve, and keep a connection to it."""
    with server as port, contextlib.closing(programs.Client(port)) as client:
        yield client


@contextlib.contextmanager
def _own_client(roads: Path, within_s: float) -> Iterator[programs.Client]:
    """Serve ours, and keep a connection to it."""
    port = programs.free_port()
    command = [sys.executable, "-m", "bench.server", str(roads), str(port), str(within_s)]
    with programs.serving(command, port), contextlib.closing(programs.Client(port)) as client:
        yield client


def _asked(
    setup: Setup, own: programs.Client, other: programs.Client, told: _Peer, tables: FloatArray
) -> tuple[Race, str]:
    """Compare the answers of a small table, which warms both; then race the large ones."""
    small = tables[0][-COMPARED - 1 :]
    alike = _alike(own.ask(_our_request(small)), told.read(other.ask(told.request(small))))
    pairs = [(_our_request(one), told.request(one)) for one in tables]
    taken = race(
        lambda pair: own.ask(pair[0]),
        lambda pair: other.ask(pair[1]),
        pairs,
        seconds=setup.seconds(6),
        rounds=(1, 1) if len(pairs) == 1 else (3, 200),
    )
    return taken, alike


def _in_process(
    setup: Setup, city: str, source: Path, net: Any, tables: FloatArray
) -> Iterator[Figure]:
    """Race ours within this process against theirs within a Python of theirs."""
    facts: dict[str, Any] = {"row": "matrix", "graph": city}
    facts["work"] = f"{UNITS:,} units to 1 stop, in process"
    python = _other_python()
    table = ours.table_to(net, np.inf)
    for router, algorithm in [(name, one) for name, both in ALGORITHMS.items() for one in both]:
        peer, job = f"{router} {algorithm}", {"algorithm": algorithm}
        if python is None:
            reason = f"their wheels want Python {programs.WHEEL_PYTHON} or newer; none is here"
            yield unmeasured(reason, **facts, peer=peer)
            continue
        if router == VALHALLA:
            job["config"] = str(programs.valhalla_config(setup.cache, source, algorithm))
        else:
            job["base"] = str(programs.osrm_ready(setup.cache, source))
        wheel = "pyvalhalla" if router == VALHALLA else "osrm-bindings"
        job["wheel"] = str(programs.unpacked(setup.cache, wheel))
        # Half a minute a table: a small one warms it, and one is measured.
        slow = peer == SLOW
        asked = [tables[0][-COMPARED - 1 :], tables[0]] if slow else list(tables)
        work = {"warm": 1 if slow else len(asked), "tables": [one.tolist() for one in asked]}
        with _inside(python, job | work) as answer:
            taken = race(
                lambda row: table(asked[row][:-1], asked[row][-1]),  # noqa: B023 - used at once
                answer,
                [1] if slow else range(STOPS),
                seconds=setup.seconds(4),
                rounds=(1, 1) if slow else (2, 200),
            )
        yield raced(
            taken, **facts, peer=peer, aim=AIM, note="theirs with what its binding gives back"
        )


@contextlib.contextmanager
def _inside(python: str, job: dict[str, Any]) -> Iterator[Callable[[int], float]]:
    """
    Keep a process that answers tables by their number.

    Raises
    ------
    MissingError
        If it breaks.
    """
    with subprocess.Popen(  # noqa: S603 - our own script
        [python, str(INSIDE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout

        def say(text: object) -> str:
            process.stdin.write(f"{text}\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
            return process.stdout.readline()  # type: ignore[union-attr]

        if say(json.dumps(job)).strip() != "ready":
            raise MissingError(f"{Path(job['wheel']).name} within {python} does not answer")
        try:
            yield lambda row: float(say(row))
        finally:
            process.kill()


def _other_python() -> str | None:
    """Find a Python that the wheels are built for."""
    names = [f"python{programs.WHEEL_PYTHON}", "python3.13", "python3.14"]
    kept = sorted(Path.home().glob(".pyenv/versions/3.1[2-4].*/bin/python"))
    found = [path for name in names if (path := shutil.which(name))] + [str(path) for path in kept]
    checked = (path for path in found if not _run_quietly(path))
    return next(checked, None)


def _run_quietly(python: str) -> int:
    """Give the exit code of a Python that is asked for nothing."""
    run = [python, "-c", ""]
    return subprocess.run(run, check=False, capture_output=True).returncode  # noqa: S603 - a Python


def _osrm_request(table: FloatArray) -> tuple[str, str, None]:
    """Ask for durations and nothing else."""
    places = ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in table.tolist())
    sources = ";".join(str(row) for row in range(len(table) - 1))
    wanted = "annotations=duration&generate_hints=false&skip_waypoints=true"
    path = f"/table/v1/driving/{places}?sources={sources}&destinations={len(table) - 1}&{wanted}"
    return "GET", path, None


def _valhalla_request(table: FloatArray) -> tuple[str, str, bytes]:
    """Ask for the short form of an answer."""
    places = [{"lon": lon, "lat": lat} for lon, lat in table.tolist()]
    asked = {"sources": places[:-1], "targets": places[-1:], "costing": "auto", "verbose": False}
    return "POST", "/sources_to_targets", json.dumps(asked).encode()


def _our_request(table: FloatArray) -> tuple[str, str, bytes]:
    """Ask our bench server."""
    asked = {"sources": table[:-1].tolist(), "target": table[-1].tolist()}
    return "POST", "/table", json.dumps(asked).encode()


def _osrm_durations(text: bytes) -> FloatArray:
    return np.array([row[0] for row in json.loads(text)["durations"]], np.float64)


def _valhalla_durations(text: bytes) -> FloatArray:
    rows = json.loads(text)["sources_to_targets"]["durations"]
    return np.array([row[0] for row in rows], np.float64)


def _alike(own: bytes, theirs: FloatArray) -> str:
    """
    Say how far the answers agree: two routers' seconds are not equal, their order nearly is.

    Raises
    ------
    AssertionError
        If they rank the units otherwise.
    """
    mine = np.array(json.loads(own)["durations"], np.float64)
    both = np.isfinite(mine) & np.isfinite(theirs)
    rank = float(stats.spearmanr(mine[both], theirs[both]).statistic)
    assert rank >= ALIKE, f"rank correlation {rank:.3f}: not the same work"
    ratio = float(np.median(mine[both] / np.maximum(theirs[both], 1)))
    return (
        f"answers for {len(mine)}: {both.mean():.1%} in both, rank correlation {rank:.3f}, "
        f"median ratio {ratio:.2f}"
    )

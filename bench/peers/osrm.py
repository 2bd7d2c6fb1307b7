"""OSRM's car: its data built of an OSM file, and its server."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from bench.peers.server import free_port, programs, run, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Algorithm = Literal["CH", "MLD"]


def build_osrm(peers: Path, osm: Path, folder: Path, *, algorithm: Algorithm = "CH") -> Path:
    """
    Build OSRM's car data of an OSM file, unless the folder has them already.

    Parameters
    ----------
    peers : Path
        Virtual environment with ``osrm-bindings``.
    osm : Path
        ``.osm.pbf``.
    folder : Path
        Made if missing; one for each file and algorithm.
    algorithm : "CH" or "MLD"
        Contraction hierarchies, or multi-level Dijkstra.

    Returns
    -------
    data : Path
        What ``osrm-routed`` is started with.

    Raises
    ------
    PeerError
        If a program is missing or fails.
    """
    binaries = programs(peers, "osrm/bin")
    folder.mkdir(parents=True, exist_ok=True)
    data, done = folder / "roads.osrm", folder / f"built_{algorithm}"
    if done.exists():
        return data
    link = folder / "roads.osm.pbf"
    link.unlink(missing_ok=True)
    link.symlink_to(osm.resolve())
    profile = binaries.parent / "share" / "profiles" / "car.lua"
    run([binaries / "osrm-extract", "-p", profile, link])
    if algorithm == "CH":
        run([binaries / "osrm-contract", data])
    else:
        run([binaries / "osrm-partition", data])
        run([binaries / "osrm-customize", data])
    done.touch()
    return data


@contextmanager
def osrm_server(
    peers: Path, osm: Path, folder: Path, *, algorithm: Algorithm = "CH", threads: int = 1
) -> Iterator[str]:
    """
    Serve OSRM's car over an OSM file for as long as the block lasts.

    Parameters
    ----------
    peers, osm, folder, algorithm
        As in `build_osrm`.
    threads : int
        Requests served at once.

    Yields
    ------
    url : str
        Base URL; ``/table/v1/driving/...`` and ``/route/v1/driving/...`` follow it.

    Raises
    ------
    PeerError
        If a program is missing or fails, or the server does not start.
    """
    data = build_osrm(peers, osm, folder, algorithm=algorithm)
    port = free_port()
    command: list[str | Path] = [
        programs(peers, "osrm/bin") / "osrm-routed",
        *("--algorithm", algorithm, "--ip", "127.0.0.1", "--port", str(port)),
        *("--threads", str(threads), "--max-table-size", "100000", "--verbosity", "ERROR"),
        data,
    ]
    with serving(command, port, "/nearest/v1/driving/0,0", folder / "server.log") as url:
        yield url

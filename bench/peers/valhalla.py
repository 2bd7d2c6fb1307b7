"""Valhalla's auto: its tiles built of an OSM file, and its server."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.peers.server import PeerError, free_port, programs, run, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

# Far above what a benchmark asks; the defaults are those of a public server.
LIMITS = {"max_distance": 1e7, "max_locations": 100_000, "max_matrix_distance": 1e7}
MATRIX_PAIRS = 10_000_000


def build_valhalla(peers: Path, osm: Path, folder: Path) -> Path:
    """
    Build Valhalla's tiles of an OSM file, unless the folder has them already.

    Parameters
    ----------
    peers : Path
        Virtual environment with ``pyvalhalla``.
    osm : Path
        ``.osm.pbf``, in any order: it is sorted first, for Valhalla wants it so.
    folder : Path
        Made if missing; one for each file.

    Returns
    -------
    config : Path
        What ``valhalla_service`` is started with, JSON.

    Raises
    ------
    PeerError
        If a program is missing or fails.
    """
    binaries = programs(peers, "valhalla/bin")
    tiles = folder / "tiles"
    tiles.mkdir(parents=True, exist_ok=True)
    path, done = folder / "valhalla.json", folder / "built"
    if done.exists():
        return path
    ordered = folder / "sorted.osm.pbf"
    run(["osmium", "sort", "--overwrite", "-o", ordered, osm])
    path.write_text(json.dumps(_config(peers, tiles)))
    run([binaries / "valhalla_build_tiles", "-c", path, "-j", "1", ordered])
    done.touch()
    return path


def _config(peers: Path, tiles: Path) -> dict[str, Any]:
    """
    Give Valhalla's own default settings, with room for large matrices.

    Raises
    ------
    PeerError
        If its program for that fails.
    """
    command: list[str | Path] = [
        peers / "bin" / "valhalla_build_config",
        "--mjolnir-tile-dir",
        tiles,
    ]
    made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the peer's program
    if made.returncode:
        raise PeerError(f"valhalla_build_config failed:\n{made.stderr[-1000:]}")
    config: dict[str, Any] = json.loads(made.stdout)
    # The archive would be read before the folder, and there is none.
    config["mjolnir"].pop("tile_extract", None)
    config["mjolnir"].pop("traffic_extract", None)
    config["service_limits"]["auto"] |= LIMITS | {"max_matrix_location_pairs": MATRIX_PAIRS}
    return config


@contextmanager
def valhalla_server(peers: Path, osm: Path, folder: Path, *, threads: int = 1) -> Iterator[str]:
    """
    Serve Valhalla's auto over an OSM file for as long as the block lasts.

    Parameters
    ----------
    peers, osm, folder
        As in `build_valhalla`.
    threads : int
        Requests served at once.

    Yields
    ------
    url : str
        Base URL; ``/route`` and ``/sources_to_targets`` follow it.

    Raises
    ------
    PeerError
        If a program is missing or fails, or the server does not start.
    """
    path = build_valhalla(peers, osm, folder)
    port = free_port()
    config = json.loads(path.read_text())
    config["httpd"]["service"]["listen"] = f"tcp://127.0.0.1:{port}"
    served = folder / f"server_{port}.json"
    served.write_text(json.dumps(config))
    command: list[str | Path] = [
        programs(peers, "valhalla/bin") / "valhalla_service",
        served,
        str(threads),
    ]
    try:
        with serving(command, port, "/status", folder / "server.log") as url:
            yield url
    finally:
        served.unlink(missing_ok=True)

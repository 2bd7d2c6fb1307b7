"""OSRM and Valhalla: programs out of wheels, a real map made ready once, servers on loopback."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import osmium

from bench.setup import MissingError

if TYPE_CHECKING:
    from collections.abc import Iterator

WHEELS = {"osrm-bindings": "26.10.0", "pyvalhalla": "3.9.1"}
WHEEL_PYTHON = "3.12"  # the oldest they are built for; the programs inside need no Python
TABLE_SIZE = 20_000
_START_S = 60.0


def unpacked(cache: Path, package: str) -> Path:
    """
    Download a wheel with pip and unpack it, once.

    Raises
    ------
    MissingError
        If pip does not get it; with what pip says.
    """
    folder = cache / f"{package}-{WHEELS[package]}"
    if folder.is_dir():
        return folder
    download = cache / "wheels"
    words = ["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(download)]
    words += ["--python-version", WHEEL_PYTHON, f"{package}=={WHEELS[package]}"]
    run(sys.executable, "-m", "pip", *words)
    wheel = next(download.glob(f"{package.replace('-', '_')}-{WHEELS[package]}-*.whl"))
    part = folder.with_suffix(".part")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(part)
    for program in part.glob("*/bin/*"):
        program.chmod(0o755)
    part.rename(folder)
    return folder


def folder_of(cache: Path, kind: str, source: Path) -> Path:
    """Name the folder of what is kept of a map: another file of the same name has another."""
    mark = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    return cache / f"{kind}-{source.name.removesuffix('.osm.pbf')}-{mark}"


def sorted_map(source: Path, target: Path) -> Path:
    """Write an extract in the order of its ids, which Valhalla insists on."""
    target.parent.mkdir(parents=True, exist_ok=True)
    reader = osmium.MergeInputReader()
    reader.add_file(str(source))
    with osmium.SimpleWriter(str(target), overwrite=True) as writer:
        reader.apply(writer)
    return target


def osrm_ready(cache: Path, source: Path) -> Path:
    """
    Extract, partition, customize and contract a map, once.

    Returns
    -------
    base : Path
        What `osrm-routed` is given, for CH and for MLD.
    """
    name = source.name.removesuffix(".osm.pbf")
    folder = folder_of(cache, "osrm", source)
    base = folder / f"{name}.osrm"
    if (folder / "ready").is_file():
        return base
    shutil.rmtree(folder, ignore_errors=True)
    pbf = sorted_map(source, folder / source.name)
    inside = unpacked(cache, "osrm-bindings") / "osrm"
    run(inside / "bin" / "osrm-extract", "-p", inside / "share" / "profiles" / "car.lua", pbf)
    # Contracting comes last: to partition renumbers the nodes.
    for step in ("partition", "customize", "contract"):
        run(inside / "bin" / f"osrm-{step}", base)
    (folder / "ready").touch()
    return base


def valhalla_ready(cache: Path, source: Path) -> Path:
    """
    Build the tiles of a map, once.

    Returns
    -------
    config : Path
        What `valhalla_service` is given, but for its port.
    """
    folder = folder_of(cache, "valhalla", source)
    config = folder / "valhalla.json"
    if (folder / "ready").is_file():
        return config
    shutil.rmtree(folder, ignore_errors=True)
    pbf = sorted_map(source, folder / source.name)
    inside = unpacked(cache, "pyvalhalla") / "valhalla"
    tiles = ["--mjolnir-tile-dir", str(folder / "tiles")]
    text = run(sys.executable, inside / "valhalla_build_config.py", *tiles)
    values = json.loads(text)
    values["mjolnir"]["concurrency"] = 1
    limits = values["service_limits"]["auto"]
    limits["max_matrix_location_pairs"] = limits["max_locations"] = TABLE_SIZE
    config.write_text(json.dumps(values), encoding="utf-8")
    run(inside / "bin" / "valhalla_build_tiles", "-c", config, pbf)
    (folder / "ready").touch()
    return config


def valhalla_config(cache: Path, source: Path, algorithm: str) -> Path:
    """
    Build the tiles of a map, once, and have matrices answered by an algorithm.

    Returns
    -------
    config : Path
        As `valhalla_ready` gives it.
    """
    config = valhalla_ready(cache, source)
    values = json.loads(config.read_text(encoding="utf-8"))
    values["thor"]["source_to_target_algorithm"] = algorithm
    own = config.with_name(f"valhalla-{algorithm}.json")
    own.write_text(json.dumps(values), encoding="utf-8")
    return own


@contextlib.contextmanager
def osrm_server(cache: Path, source: Path, algorithm: str) -> Iterator[int]:
    """Serve a map with CH or MLD on one thread; gives the port."""
    base, port = osrm_ready(cache, source), free_port()
    program = unpacked(cache, "osrm-bindings") / "osrm" / "bin" / "osrm-routed"
    words = ["-a", algorithm, "-t", "1", "-i", "127.0.0.1", "-p", str(port)]
    words += ["--max-table-size", str(TABLE_SIZE), "-l", "ERROR", "-k", "600", str(base)]
    with serving([str(program), *words], port):
        yield port


@contextlib.contextmanager
def valhalla_server(cache: Path, source: Path, algorithm: str = "select_optimal") -> Iterator[int]:
    """Serve a map with one worker; gives the port."""
    config, port = valhalla_config(cache, source, algorithm), free_port()
    values = json.loads(config.read_text(encoding="utf-8"))
    values["httpd"]["service"]["listen"] = f"tcp://127.0.0.1:{port}"
    # A handful of digits: names of sockets must be short.
    for name in ("loopback", "interrupt"):
        values["httpd"]["service"][name] = f"ipc:///tmp/{name}-{port}"
    own = config.with_name(f"valhalla-{port}.json")
    own.write_text(json.dumps(values), encoding="utf-8")
    program = unpacked(cache, "pyvalhalla") / "valhalla" / "bin" / "valhalla_service"
    try:
        with serving([str(program), str(own), "1"], port):
            yield port
    finally:
        own.unlink()


@contextlib.contextmanager
def serving(words: list[str], port: int) -> Iterator[None]:
    """
    Keep a server running until it is no longer wanted.

    Raises
    ------
    MissingError
        If it does not begin to listen.
    """
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    with subprocess.Popen(  # noqa: S603 - the programs of this file, and our own server
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env
    ) as process:
        try:
            _await(port, process)
            yield
        finally:
            process.kill()


class Client:
    """A connection that is kept: sends requests of (method, path, body), reads answers whole."""

    def __init__(self, port: int) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(self, request: tuple[str, str, bytes | None]) -> bytes:
        """
        Ask for what must be answered.

        Raises
        ------
        ValueError
            If the answer is not 200.
        """
        status, text = self.answer(request)
        if status != http.client.OK:
            raise ValueError(f"{status} {text[:300]!r}")
        return text

    def answer(self, request: tuple[str, str, bytes | None]) -> tuple[int, bytes]:
        """Give status and text, whatever they are."""
        try:
            return self._answer(*request)
        except http.client.RemoteDisconnected:  # OSRM hangs up after 512 answers
            self._line.close()
            return self._answer(*request)

    def _answer(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        if self._line.sock is None:
            self._line.connect()
            self._line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # type: ignore[attr-defined]
        head = {"Content-Type": "application/json"} if body else {}
        self._line.request(method, path, body, head)
        answer = self._line.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Hang up."""
        self._line.close()


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server listens."""
    begun = time.monotonic()
    while time.monotonic() - begun < _START_S and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise MissingError(f"{Path(str(process.args[0])).name} does not begin to listen")  # type: ignore[index]


def run(*words: object) -> str:
    """
    Run a program to its end.

    Returns
    -------
    printed : str
        What it says.

    Raises
    ------
    MissingError
        If it fails; with the last lines of what it says.
    """
    command = [str(word) for word in words]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - as above
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
        raise MissingError(f"{Path(str(words[0])).name} fails with {done.returncode}:\n{said}")
    return done.stdout

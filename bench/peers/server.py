"""What the peers' servers share: a folder of programs, a free port, a start that is waited for."""

from __future__ import annotations

import http.client
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PACKAGES = ("osrm-bindings==26.10.0", "pyvalhalla==3.9.1")
START_S = 60.0


class PeerError(Exception):
    """A peer's program is missing, or failed."""


def programs(peers: Path, folder: str) -> Path:
    """
    Find a peer's command-line programs in a virtual environment.

    Parameters
    ----------
    peers : Path
        A virtual environment of Python 3.12 or newer with `PACKAGES` installed.
    folder : str
        Where the package keeps them, such as ``osrm/bin``.

    Returns
    -------
    programs : Path
        The folder.

    Raises
    ------
    PeerError
        If they are not there; the message says how to install them.
    """
    found = sorted(peers.glob(f"lib/python3.*/site-packages/{folder}"))
    if not found:
        raise PeerError(
            f"{peers}: must be a virtual environment with {' and '.join(PACKAGES)}; make it with "
            f"`python3.12 -m venv {peers}` and `{peers}/bin/pip install {' '.join(PACKAGES)}`"
        )
    return found[-1].resolve()


def run(command: Sequence[str | Path]) -> None:
    """
    Run a program to its end, quietly.

    Raises
    ------
    PeerError
        If it failed; with the last lines it printed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the peers' programs
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
        raise PeerError(f"{Path(command[0]).name} failed with {done.returncode}:\n{said}")


def free_port() -> int:
    """Give a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(command: Sequence[str | Path], port: int, path: str, log: Path) -> Iterator[str]:
    """
    Keep a server running for as long as the block lasts.

    Parameters
    ----------
    command : sequence of str or Path
        Starts it in the foreground.
    port : int
        Of the loopback, that it listens on.
    path : str
        Asked until it answers, whatever the status.
    log : Path
        What it prints goes here.

    Yields
    ------
    url : str
        ``http://127.0.0.1:PORT``.

    Raises
    ------
    PeerError
        If it ends, or does not answer within a minute.
    """
    with (
        log.open("wb") as sink,
        subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT) as server,  # noqa: S603 - as above
    ):
        try:
            _wait(server, port, path, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait(server: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    """
    Ask until the server answers.

    Raises
    ------
    PeerError
        If it ends, or does not answer within a minute.
    """
    until = time.monotonic() + START_S
    while server.poll() is None and time.monotonic() < until:
        try:
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            asked.request("GET", path)
            asked.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise PeerError(f"the server on port {port} did not start; see {log}")

"""Real servers for tests: started in a folder of their own, and gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


def missing(what: str) -> None:
    """Skip a test for want of a server; where servers are required, fail it."""
    if os.environ.get("ROLLBY_REQUIRE_SERVERS") == "1":
        pytest.fail(what)
    pytest.skip(what)


def postgres_programs() -> Path | None:
    found = shutil.which("pg_ctl")
    places = [Path(found).parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists()), None)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def postgres() -> Iterator[str]:
    """Start a PostgreSQL of its own; give the address of its first database."""
    programs = postgres_programs()
    if programs is None:
        missing("no PostgreSQL on this machine (Debian, Ubuntu: apt install postgresql)")
    assert programs is not None
    with tempfile.TemporaryDirectory(prefix="rollby-postgres-") as name:
        yield from _postgres(programs, Path(name))


def _postgres(programs: Path, folder: Path) -> Iterator[str]:
    user = None
    if os.geteuid() == 0:  # initdb refuses root
        try:
            user = pwd.getpwnam("postgres").pw_name
        except KeyError:
            user = "nobody"
        shutil.chown(folder, user)
    data, port = folder / "cluster", free_port()

    def run(*words: str) -> None:
        subprocess.run(words, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    run(str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "rollby", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    control = str(programs / "pg_ctl"), "-D", str(data)
    run(*control, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql://rollby@127.0.0.1:{port}/postgres"
    finally:
        run(*control, "-m", "immediate", "stop")

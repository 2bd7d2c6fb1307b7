"""Real servers for tests: started in a folder of their own, and gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser


_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
]


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


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL in a folder of its own."""

    address: str
    control: Callable[..., None]

    def start(self) -> None:
        """Start it, again too; when this returns it takes calls."""
        self.control("-w", "start")

    def stop(self) -> None:
        """End it as a crash would."""
        self.control("-m", "immediate", "stop")


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Start a PostgreSQL of its own; its address is that of its first database."""
    programs = postgres_programs()
    if programs is None:
        missing("no PostgreSQL on this machine (Debian, Ubuntu: apt install postgresql)")
    assert programs is not None
    with tempfile.TemporaryDirectory(prefix="rollby-postgres-") as name:
        server = _postgres(programs, Path(name))
        server.start()
        try:
            yield server
        finally:
            with suppress(subprocess.CalledProcessError):  # a test that failed had ended it
                server.stop()


def _postgres(programs: Path, folder: Path) -> Postgres:
    user = None
    if os.geteuid() == 0:  # initdb refuses root
        try:
            user = pwd.getpwnam("postgres").pw_name
        except KeyError:
            user = "nobody"
        shutil.chown(folder, user)
    data, port = folder / "cluster", free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"

    def run(*words: str) -> None:
        subprocess.run(words, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    def control(*words: str) -> None:
        settled = "-D", str(data), "-l", str(folder / "log"), "-o", options
        run(str(programs / "pg_ctl"), *settled, *words)

    run(str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "rollby", "--no-sync")
    return Postgres(f"postgresql://rollby@127.0.0.1:{port}/postgres", control)


@dataclass
class Mosquitto:
    """A broker in a folder of its own, with password, ACL and, where asked for, TLS."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again too; when this returns it takes calls."""
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [program, "-c", str(self.folder / "mosquitto.conf")], stderr=log, stdout=log
            )
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, "mosquitto takes no calls"
                time.sleep(0.02)
            else:
                return

    def end(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """End it as it likes, or by SIGKILL."""
        if self.process is not None:
            self.process.send_signal(sign)
            self.process.wait(20)


@contextmanager
def mosquitto(
    users: dict[str, str],
    acl: str,
    tls: dict[str, Path] | None = None,
    *,
    at_every_change: bool = True,
) -> Iterator[Mosquitto]:
    """Start a mosquitto of its own, with the settings that docs/feeds/mqtt.md tells."""
    if not shutil.which("mosquitto") and not Path("/usr/sbin/mosquitto").exists():
        missing("no mosquitto on this machine (Debian, Ubuntu: apt install mosquitto)")
    with tempfile.TemporaryDirectory(prefix="rollby-mosquitto-") as name:
        folder, port = Path(name), free_port()
        words = "".join(f"{user}:{password}\n" for user, password in users.items())
        (folder / "passwords").write_text(words)
        (folder / "passwords").chmod(0o600)
        program = shutil.which("mosquitto_passwd") or "/usr/bin/mosquitto_passwd"
        subprocess.run([program, "-U", str(folder / "passwords")], check=True)
        (folder / "acl").write_text(acl)
        lines = [
            *([f"user {pwd.getpwuid(os.geteuid()).pw_name}"]),
            "per_listener_settings false",
            f"listener {port} 127.0.0.1",
            "allow_anonymous false",
            f"password_file {folder}/passwords",
            f"acl_file {folder}/acl",
            "persistence true",
            f"persistence_location {folder}/",
            *(["autosave_on_changes true"] if at_every_change else []),
            "autosave_interval 1",
            "max_queued_messages 0",
            "max_inflight_messages 1000",
            *(f"{key} {path}" for key, path in (tls or {}).items()),
            *(["require_certificate true"] if tls else []),
        ]
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        broker = Mosquitto(folder, port)
        broker.start()
        try:
            yield broker
        finally:
            broker.end(signal.SIGKILL)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium; while it is open, no other test of the process may run a loop."""
    program = shutil.which("chromium")
    if program is None:
        missing("no Chromium on this machine (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield browser
        browser.close()

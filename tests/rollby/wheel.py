"""A cluster as an agency has it: scheduler and workers over TCP, which have rollby as a wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[2]
KERNELS = Path("geo", "kernels")


def install_wheel(folder: Path) -> Path:
    """Build the sdist, of that a wheel; install it apart from the checkout; give that Python."""
    sdist = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder)]
    subprocess.run(sdist, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    (packed,) = folder.glob("rollby-*.tar.gz")
    run = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    build = [*run, "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "-w", str(folder), str(packed)], check=True)
    apart = folder / "apart"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(apart)], check=True)
    python = apart / "bin" / "python"
    install = ["--python", str(python), "install", "--no-deps", "--no-index"]
    (wheel,) = folder.glob("rollby-*.whl")
    subprocess.run([*run, *install, str(wheel)], check=True)
    (packages,) = apart.glob("lib/python*/site-packages")
    # The other libraries are those of this Python; its rollby, being editable, is not among them.
    (packages / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    _take_compiled(packages)
    return python


def apart() -> dict[str, str]:
    """Give an environment that leads to no source tree."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _take_compiled(packages: Path) -> None:
    """Take the machine code of kernels along: it is told by the age and size of their source."""
    for source in (ROOT / KERNELS).glob("*.py"):
        shutil.copystat(source, packages / KERNELS / source.name)
    for compiled in (ROOT / KERNELS / "__pycache__").glob("*.nb?"):
        (packages / KERNELS / "__pycache__").mkdir(exist_ok=True)
        shutil.copy2(compiled, packages / KERNELS / "__pycache__")


@dataclass
class Processes:
    """A scheduler and its workers."""

    python: Path
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    address: str = ""
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start_scheduler(self, host: str) -> None:
        """Start it, on a port of its own choice."""
        told = self.folder / "scheduler.json"
        words = ["dask_scheduler", "--host", host, "--port", "0"]
        self.scheduler = self._start(*words, "--no-show", "--scheduler-file", str(told))
        deadline = time.monotonic() + 60
        while not (told.exists() and '"address"' in told.read_text()):
            assert self.scheduler.poll() is None, self.log()
            assert time.monotonic() < deadline, "no scheduler"
            time.sleep(0.05)
        self.address = told.read_text().split('"address": "')[1].split('"')[0]

    def start_workers(self, count: int, threads: int = 1) -> None:
        """Start some, without anyone to start them again."""
        for _ in range(count):
            words = [
                "--nthreads",
                str(threads),
                "--no-nanny",
                "--local-directory",
                str(self.folder),
            ]
            self.workers.append(self._start("dask_worker", self.address, *words))
        deadline = time.monotonic() + 120
        while self.log().count("Registered to:") < len(self.workers):
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def _start(self, module: str, *words: str) -> subprocess.Popen[bytes]:
        """Start one of Dask's own programs."""
        with (self.folder / "log").open("ab") as log:
            program = [str(self.python), "-m", f"distributed.cli.{module}"]
            return subprocess.Popen(
                [*program, *words, "--no-dashboard"],
                cwd=self.folder,
                env=os.environ | self.settings,
                stdout=log,
                stderr=log,
            )

    def log(self) -> str:
        """Give what they wrote."""
        return (self.folder / "log").read_text("utf-8")

    def end(self) -> None:
        """End all."""
        for one in [*self.workers, *([self.scheduler] if self.scheduler else [])]:
            one.kill()
            one.wait(20)


@contextmanager
def cluster(
    python: Path,
    folder: Path,
    workers: int,
    *,
    host: str = "tcp://127.0.0.1",
    settings: dict[str, str] | None = None,
) -> Iterator[Processes]:
    """Run a scheduler and some workers, with Dask's own settings in their environment."""
    found = Processes(python, folder, settings or {})
    try:
        found.start_scheduler(host)
        found.start_workers(workers)
        yield found
    finally:
        found.end()


def run_rollby(
    words: Sequence[str], program: str = "", settings: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``rollby`` as outsiders do: in a process of its own, into pipes; or a program of ours."""
    code = program or "import sys; from rollby.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | (settings or {}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

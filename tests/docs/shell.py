"""How console examples are run, and how what they print is compared."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

import httpx

from tests.docs.pages import run_here, text_of
from tests.rollby.service.served import wait_until
from tests.servers import free_port, missing

if TYPE_CHECKING:
    from types import TracebackType

LISTENS = "127.0.0.1:8340"  # as the documents have it; tests run beside each other
BEGINS_S = 60


class Shell:
    """
    Runs commands one after the other, and keeps a service going meanwhile.

    Parameters
    ----------
    folder : Path
        Where they run; its name is cut from what they print.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._listens = folder, f"127.0.0.1:{free_port()}"
        self._service: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._service:
            self._service.terminate()
            self._service.wait(BEGINS_S)

    def write(self, name: str, text: str) -> None:
        """Write a file that a document shows."""
        (self._folder / name).write_text(text.replace(LISTENS, self._listens), encoding="utf-8")

    def run(self, command: str) -> str:
        """Run what a console block shows, and give what it prints on both streams."""
        printed = self._printed(command.replace(LISTENS, self._listens))
        return printed.replace(f"{self._folder}/", "").replace(self._listens, LISTENS)

    def _printed(self, command: str) -> str:
        words = shlex.split(command)
        plain = not re.search(r"[|<>&;*$]", command)
        if words[:2] == ["make", "demo"]:
            return run_here(["demo"])
        if words[:2] == ["rollby", "serve"]:
            return self._begin(words[1:])
        if words[0] == "rollby" and plain:
            return run_here(words[1:])
        if words[0] == "cat" and plain:
            return "".join(text_of(Path(name)) for name in words[1:])
        if words[0] == "curl" and not shutil.which("curl"):
            missing("no curl on this machine")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            env=os.environ | {"PATH": path, "COLUMNS": "120"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def _begin(self, words: list[str]) -> str:
        """Begin a service, which goes on until the next; give what it has said when it answers."""
        self._end()
        log = self._folder / "service.log"
        with log.open("w", encoding="utf-8") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "rollby", *words, "--listen", self._listens],
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self._service = process

        def answers() -> bool:
            assert process.poll() is None, text_of(log)
            try:
                return httpx.get(f"http://{self._listens}/healthz").is_success
            except httpx.TransportError:
                return False

        wait_until(answers, BEGINS_S)
        return text_of(log)


def steps(text: str) -> list[tuple[str, str]]:
    """Split a console block into commands and what is printed after each."""
    found: list[tuple[str, str]] = []
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, printed = re.sub(r"\\\n *", "", part).partition("\n")
        found.append((command, printed))
    return found


def tidy(text: str) -> list[str]:
    """Drop what an editor drops, and empty lines at the ends."""
    return [line.rstrip() for line in text.strip("\n").splitlines()]


def agrees(shown: str, printed: str) -> bool:
    """Compare; a line of dots stands for any lines, dots at a line's end for the rest of it."""
    return bool(
        re.fullmatch(
            "".join(map(pattern, tidy(shown))), "".join(f"{line}\n" for line in tidy(printed))
        )
    )


def pattern(line: str) -> str:
    """Write what a line shown stands for."""
    if line.strip() in {"...", "…"}:
        return r"(?:.*\n)*?"
    return f"{re.escape(line[:-3])}.*\n" if line.endswith("...") else f"{re.escape(line)}\n"

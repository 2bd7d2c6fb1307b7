"""The Makefile says what to install where something is missing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
STUB = """#!/bin/sh
case "$2" in
  *sys.version_info*) exit {old};;
  *ensurepip*) exit {no_venv};;
esac
exit 0
"""


@pytest.mark.parametrize(
    ("old", "no_venv", "message"),
    [
        (1, 0, "rollby needs Python 3.11 or newer"),
        (
            0,
            1,
            "Python's venv module is missing. On Debian and Ubuntu: sudo apt install python3-venv",
        ),
    ],
    ids=["old python", "no venv"],
)
def test_setup_says_what_is_missing(tmp_path: Path, old: int, no_venv: int, message: str) -> None:
    if not shutil.which("make"):
        pytest.skip("no make on this machine")
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    stub = tmp_path / "python"
    stub.write_text(STUB.format(old=old, no_venv=no_venv))
    stub.chmod(0o755)
    run = subprocess.run(
        ["make", "setup", f"PYTHON={stub}"],  # noqa: S607 - the user's make
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert message in run.stdout
    assert not (tmp_path / ".venv").exists()


def test_the_lock_names_no_index_and_hashes_everything() -> None:
    lock = (ROOT / "requirements.txt").read_text()
    assert "://" not in lock
    assert "--index" not in lock
    pinned = [line for line in lock.splitlines() if line[:1].isalnum()]
    assert pinned
    assert all("==" in line and line.endswith("\\") for line in pinned)

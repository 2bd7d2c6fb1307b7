"""What tests of commands share."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from rollby.cli import main
from tests.rollby.wheel import install_wheel
from tests.servers import missing

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def roads(sample_dir: Path) -> str:
    """The embedded city."""
    return str(sample_dir / "denver.roads")


@pytest.fixture(scope="module")
def shift(roads: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A simulated hour."""
    folder = str(tmp_path_factory.mktemp("history") / "shift")
    arguments = ["simulate", "--roads", roads, "-o", folder, "--hours", "1", "--on-duty", "14"]
    assert main([*arguments, "--stops-per-unit-hour", "3", "--seed", "4"]) == 0
    return folder


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has rollby from its wheel."""
    try:
        return install_wheel(tmp_path_factory.mktemp("wheel"))
    except subprocess.CalledProcessError as error:
        missing(f"the wheel cannot be built or installed here: {error}")
        raise

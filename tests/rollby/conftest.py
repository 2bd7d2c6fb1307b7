"""What tests of commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rollby.cli import main

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

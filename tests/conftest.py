"""Fixtures for all tests: the embedded city, and real data where they are at hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from data.extract import read_pbf
from geo.network import RoadNetwork

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "data" / "sample"
EXTRACTS = ROOT / "tests" / "extracts"
SHARED = ROOT.parent / "shared" / "data"

# No test is timed: a busy machine is no fault of the code.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
# `make prove`: thousands of examples, and no haste.
settings.register_profile(
    "prove", max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="session")
def sample_dir() -> Path:
    """The embedded city and its simulated evening."""
    return SAMPLE


@pytest.fixture(scope="session")
def denver() -> RoadNetwork:
    """The embedded city's roads."""
    return RoadNetwork.load(SAMPLE / "denver.roads")


@pytest.fixture(scope="session")
def extract() -> Callable[[str], Path]:
    """Real extracts by name: those in the repository, and larger ones beside the checkout."""
    return _extract


@pytest.fixture(scope="session")
def real_roads() -> Callable[[str], RoadNetwork]:
    """Networks of real extracts by name, each read once."""
    return cache(lambda name: RoadNetwork.from_table(read_pbf(_extract(name))))


def _extract(name: str) -> Path:
    for folder in (EXTRACTS, SHARED):
        if (path := folder / f"{name}.osm.pbf").is_file():
            return path
    pytest.skip(f"no {name}.osm.pbf in ../shared/data beside the checkout")

"""Fixtures for all tests: the embedded city, and real data where they are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from geo.network import RoadNetwork

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "data" / "sample"

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
def shared_data() -> Path:
    """Real extracts beside the checkout; tests that want them are skipped where they are absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the checkout: real extracts are not at hand")
    return folder

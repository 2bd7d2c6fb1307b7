"""A fresh store on either database, those who may use it, and the service on a real socket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher

from data.settings import AccessRules, Settings
from data.store.opening import prepared
from rollby.service.access import Access
from rollby.service.callers import Caller
from rollby.service.passwords import Passwords
from rollby.service.rights import Role
from tests.data.store.conftest import address, cluster
from tests.rollby.service.served import Service, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from geo.network import RoadNetwork

__all__ = ["address", "cluster"]

CHIEF = Caller(name="chief", role=Role.ADMINISTRATOR, how="command")
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # in tests nobody guesses


@dataclass
class Hands:
    """A clock that is set by hand, in milliseconds."""

    ms: int = 1_800_000_000_000

    def __call__(self) -> int:
        return self.ms

    def pass_min(self, minutes: float) -> None:
        self.ms += round(minutes * 60_000)


@pytest.fixture
def engine(address: str) -> Iterator[Engine]:
    made = prepared(address)
    yield made
    made.dispose()


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def access(engine: Engine, clock: Hands) -> Access:
    return Access(engine, AccessRules(), clock, Passwords(QUICK))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate({"service": {"studies": str(tmp_path / "studies")}})


@pytest.fixture
def service(tmp_path: Path, denver: RoadNetwork, settings: Settings) -> Iterator[Service]:
    with serving(f"sqlite:///{tmp_path}/live.db", denver, settings) as one:
        yield one

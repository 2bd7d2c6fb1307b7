"""What is there while a day lasts: a service on PostgreSQL, its keys, its doors."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from data.settings import AccessRules
from data.store.accounts import Account
from data.store.opening import prepared
from rollby.service.access import Access
from rollby.service.administration import add_account, add_key
from rollby.service.rights import Role
from tests.day.radios import DOORS
from tests.rollby.service.served import wait_until
from tests.rollby.service.test_serve_command import CHIEF, answers, bearer

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "correct horse battery"  # noqa: S105 - of accounts that live for minutes
COUNTED = {"traccar": "osmand", "owntracks": "phones"}  # as the service calls them


@dataclass
class Day:
    """What is there while the day lasts."""

    roads: Path
    address: str
    settings: Path
    base: str
    keys: dict[str, str]
    ports: dict[str, int]
    heard: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    def look(self, what: str, role: str = "supervisor") -> Any:
        """Ask the service."""
        answer = httpx.get(f"{self.base}{what}", headers=bearer(self.keys[role]), timeout=30)
        return answer.raise_for_status().json()

    def refused(self) -> list[tuple[str, str]]:
        """Tell by which door what was refused, and why."""
        letters = self.look("/api/dead-letters?most=1000", "administrator")
        return [(one["door"], one["reason"]) for one in letters]

    def counts(self) -> dict[str, dict[str, int]]:
        """Tell what became of what came, by door."""
        found: dict[str, dict[str, int]] = self.look("/api/health")["doors"]
        return found

    def became(self, door: str) -> int:
        """Tell how many messages of a door have found their end."""
        return ended(self.counts(), door)


def ended(counts: dict[str, dict[str, int]], door: str) -> int:
    """Tell how many messages of a door were stored, or refused with their reason."""
    found = counts.get(COUNTED.get(door, door), {})
    return found.get("accepted", 0) + found.get("refused", 0)


class Serve:
    """`rollby serve`, to be killed and begun again."""

    def __init__(self, day: Day) -> None:
        self._day = day
        words = ["serve", "--roads", str(day.roads), "--settings", str(day.settings)]
        words += ["--store", day.address, "--listen", day.base.removeprefix("http://")]
        self._command = [sys.executable, "-m", "rollby", *words]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; when this returns, all doors are open."""
        with (self._day.settings.parent / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stderr=log)
        wait_until(lambda: answers(self._day.base), 60)
        wait_until(self._open, 30)

    def _open(self) -> bool:
        doors = self._day.look("/api/health")["listening"].values()
        return len(doors) == len(DOORS) - 1 and all(one["up"] for one in doors)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it in order, or kill it."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None


def accounts(address: str) -> dict[str, str]:
    """Make a supervisor's account, and keys."""
    engine = prepared(address)
    access = Access(engine, AccessRules(totp_for=[]), lambda: int(time.time() * 1000))
    add_account(access, CHIEF, Account(name="desk", role=Role.SUPERVISOR, created_ms=0), PASSWORD)
    keys = {
        role.value: add_key(access, CHIEF, name=role, role=role, unit_ids=("*",), agency="").text
        for role in (Role.FEED, Role.OFFICER, Role.SUPERVISOR, Role.ADMINISTRATOR)
    }
    engine.dispose()
    return keys

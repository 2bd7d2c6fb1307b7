"""A service that has a past, and analysts who study it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from data.settings import Settings
from rollby.cli import main
from rollby.service.callers import Caller
from rollby.service.guard import caller
from rollby.service.rights import Role
from tests.conftest import SAMPLE
from tests.rollby.service.served import wait_until

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import httpx

    from tests.rollby.service.served import Service

ROADS = str(SAMPLE / "denver.roads")
ANALYST = Caller(name="ana", role=Role.ANALYST, how="key")
BEFORE_YESTERDAY = (datetime.now(UTC) - timedelta(days=2)).replace(
    hour=10, minute=0, second=0, microsecond=0
)


def simulated(folder: Path, *, begins: datetime = BEFORE_YESTERDAY) -> Path:
    """Make up an hour of the day before yesterday."""
    command = ["simulate", "--roads", ROADS, "-o", str(folder), "--hours", "1", "--on-duty", "9"]
    more = ["--stops-per-unit-hour", "3", "--seed", "4", "--start", begins.isoformat()]
    assert main([*command, *more]) == 0
    return folder


def settings_for(folder: Path, **service: Any) -> Settings:
    """Settings of a service whose past and whose studies lie in a folder."""
    return Settings.model_validate(
        {
            "policy": {"within_s": 90},
            "service": {
                "history": str(folder / "past"),
                "studies": str(folder / "studies"),
                "access": {"totp_for": []},
                **service,
            },
        }
    )


def become(service: Service, who: Caller = ANALYST) -> None:
    """Have the service take whoever speaks for somebody."""
    service.app.dependency_overrides[caller] = lambda: who


def ended(http: httpx.Client, study_id: str) -> dict[str, Any]:
    """Wait until a study is done or cannot be."""

    def over() -> dict[str, Any] | None:
        found: dict[str, Any] = http.get(f"/api/studies/{study_id}").raise_for_status().json()
        return found if found["state"] not in {"waiting", "running"} else None

    found: dict[str, Any] = wait_until(over, 90)
    return found


def asked(http: httpx.Client, kind: str = "gaps", **wish: Any) -> str:
    """Ask for a study; give its address."""
    few = {"gaps": {"every_s": 600}, "posts": {"count": 2, "candidates": 20}}[kind]
    answer = http.post(f"/api/studies/{kind}", json={**few, **wish})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["study_id"])


def uploaded(http: httpx.Client, files: dict[str, bytes], title: str = "mine") -> str:
    """Upload a history and have it checked; give its address."""
    begun = http.post("/api/histories", json={"title": title}).raise_for_status()
    history = str(begun.json()["study_id"])
    for name, content in files.items():
        sent = http.put(f"/api/histories/{history}/files/{name}", content=content)
        assert sent.status_code == 204, sent.text
    http.post(f"/api/histories/{history}/check").raise_for_status()
    return history


def day_of(at: datetime) -> date:
    return at.astimezone(UTC).date()

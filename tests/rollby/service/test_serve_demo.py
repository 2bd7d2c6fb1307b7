"""The demonstration, from the outside and without a source tree: one command, and screens live."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.rollby.service.served import wait_until
from tests.rollby.wheel import apart
from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOLD = re.compile(r"(http://\S+?)(/\w+)  sign in as (\w+), (\S+)")


@pytest.fixture(scope="module")
def demo(
    installed: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[tuple[str, str, str, str]]]:
    """Start it; give what it says: address, path, name and password of each screen."""
    command = [str(installed.parent / "rollby"), "serve", "--demo"]
    command += ["--listen", f"127.0.0.1:{free_port()}"]
    with subprocess.Popen(
        command,
        cwd=tmp_path_factory.mktemp("empty"),
        env=apart(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = []
        for line in process.stdout:
            told += TOLD.findall(line)
            if "Ctrl-C" in line:
                break
        yield told
        process.terminate()
        assert process.wait(20) is not None


@contextmanager
def signed_in(told: tuple[str, str, str, str]) -> Iterator[httpx.Client]:
    base, _, name, password = told
    with httpx.Client(base_url=base, timeout=10) as http:
        wait_until(lambda: _answers(http), 30)
        http.post("/api/sign-in", json={"name": name, "password": password}).raise_for_status()
        yield http


def _answers(http: httpx.Client) -> bool:
    try:
        return http.get("/healthz").is_success
    except httpx.TransportError:
        return False


def test_units_move_and_stops_begin(demo: list[Any]) -> None:
    with signed_in(demo[0]) as http:

        def picture() -> dict[str, Any]:
            found: dict[str, Any] = http.get("/api/live").json()
            return found

        def places() -> dict[str, Any]:
            return {one["unit_id"]: (one["lon"], one["lat"]) for one in picture()["units"]}

        wait_until(places, 60)
        before = places()
        wait_until(lambda: any(places()[name] != before[name] for name in before), 60)
        wait_until(lambda: picture()["stops"], 120)


def test_every_screen_says_that_it_is_simulated(demo: list[Any]) -> None:
    assert {path for _, path, _, _ in demo} == {
        *("/supervisor", "/wallboard", "/officer", "/analyst")
    }
    for told in demo:
        with signed_in(told) as http:
            assert "SIMULATED" in http.get(told[1]).text
            assert http.get("/api/me").json()["role"] == told[2]


def test_the_officer_is_one_of_those_on_duty(demo: list[Any]) -> None:
    by_role = {told[2]: told for told in demo}
    with signed_in(by_role["officer"]) as http:
        (unit,) = http.get("/api/me").json()["unit_ids"]
    with signed_in(by_role["supervisor"]) as http:

        def seen() -> set[str]:
            return {one["unit_id"] for one in http.get("/api/live").json()["units"]}

        wait_until(lambda: unit in seen(), 60)


def test_the_analyst_has_days_to_look_at(demo: list[Any]) -> None:
    (told,) = (one for one in demo if one[2] == "analyst")
    with signed_in(told) as http:
        wait_until(lambda: "Recorded here" in http.get("/analyst").text, 240)
        assert http.get("/api/live").status_code == 403

"""``rollby serve --demo``: the live service with a simulated shift, for whoever has a minute."""

from __future__ import annotations

import secrets
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from data.settings import settings_of
from data.store.accounts import Account
from data.store.store import Store
from geo.board import Board
from geo.shift.plan import ShiftPlan
from geo.shift.world import World
from rollby.commands.store import now_ms, operator
from rollby.files import say
from rollby.inputs import load_roads, load_settings
from rollby.service.administration import add_account
from rollby.service.binding import check_bind
from rollby.service.clock import SteadyClock
from rollby.service.rights import Role
from rollby.service.server import begin, log_as_json, make_server, serve
from rollby.service.simulation import Simulation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.settings import Settings
    from geo.network import RoadNetwork
    from rollby.service.access import Access

RATE = 10.0
SEED = 1
PLAN = partial(
    ShiftPlan,
    hours=24.0,
    units=30,
    stops_per_unit_hour=1.5,
    weekly=False,  # there is something to see at whatever hour
    calls_per_unit_hour=1.0,
)
SCREENS = (
    ("supervisor", "/supervisor"),
    ("wallboard", "/wallboard"),
    ("officer", "/officer"),
    ("analyst", "/analyst"),
)
PAST_DAYS, PAST_ON_DUTY = 3, 14


def run_service_demo(listen: str | None) -> None:
    """
    Do ``rollby serve --demo``.

    Parameters
    ----------
    listen : str or None
        In place of the default address.
    """
    with (
        as_file(files("data") / "sample") as sample,
        tempfile.TemporaryDirectory(prefix="rollby-demo-") as folder,
    ):
        net = load_roads(sample / "denver.roads")
        chosen = _settings(sample / "simulated_settings.toml", Path(folder), listen)
        check_bind(chosen.service.listen.rpartition(":")[0].strip("[]"), tls=False, word=False)
        log_as_json()
        store = Store(chosen.service.store)
        try:
            with _making_past(sample, Path(folder), chosen):
                _run(store, net, chosen)
        finally:
            store.close()


@contextmanager
def _making_past(sample: Path, folder: Path, chosen: Settings) -> Iterator[None]:
    """Make up days for the analyst, in a process of its own; they are there when they are whole."""
    zone = ZoneInfo(chosen.units.time_zone)
    today = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    past, begins = folder / "past", today - timedelta(days=PAST_DAYS)
    process = subprocess.Popen(  # noqa: S603 - this program itself
        [
            *(sys.executable, "-m", "rollby", "simulate", "-o", str(past)),
            *("--roads", str(sample / "denver.roads")),
            *("--settings", str(sample / "simulated_settings.toml")),
            *("--start", begins.isoformat(), "--hours", str(24 * PAST_DAYS)),
            *("--on-duty", str(PAST_ON_DUTY), "--seed", str(SEED)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def move() -> None:
        if process.wait() == 0:
            for path in sorted(past.rglob("*.*")):
                place = Path(chosen.service.history) / path.relative_to(past)
                if path.is_file():
                    place.parent.mkdir(parents=True, exist_ok=True)
                    path.replace(place)

    thread = threading.Thread(target=move, name="past", daemon=True)
    thread.start()
    try:
        yield
    finally:
        process.terminate()
        thread.join()


def _run(store: Store, net: RoadNetwork, chosen: Settings) -> None:
    """Serve until told to end."""
    start = datetime.now(UTC).replace(microsecond=0)
    clock = _fast_clock(start)
    simulation = Simulation(clock)
    running = begin(store, Board(net, chosen), chosen, clock, simulation.hear)
    password = secrets.token_urlsafe(9)
    world = World(net, PLAN(start=start), SEED, simulation)
    for role, _ in SCREENS:
        units = (world.cars[0].unit_id,) if role == Role.OFFICER else ()
        _let_in(running.access, role, units, password)
    address = f"http://{chosen.service.listen}"
    say(
        [
            "SIMULATED: nobody is there, and nothing is kept. A shift runs at ten times its speed.",
            *(f"  {address}{path}  sign in as {role}, {password}" for role, path in SCREENS),
            "Three days past, for the analyst, are there in about a minute.",
            "Ctrl-C ends it.",
        ]
    )
    thread = simulation.start(running.core, world)
    try:
        serve(running, make_server(running))
    finally:
        simulation.stop()
        thread.join()


def _settings(path: Path, folder: Path, listen: str | None) -> Settings:
    """Give those of the simulated evening, with a store that goes with the process."""
    raw = load_settings(path)[0].model_dump(by_alias=True)
    service = {
        **raw["service"],
        "store": f"sqlite:///{folder / 'demo.db'}",
        "history": str(folder / "history"),
        "studies": str(folder / "studies"),
        "access": {**raw["service"]["access"], "totp_for": []},
        **({"listen": listen} if listen else {}),
    }
    return settings_of({**raw, "service": service}, "rollby serve --demo")


def _fast_clock(start: datetime) -> SteadyClock:
    """Make a clock that begins at an instant, and runs ten times as fast as the machine's."""
    began_s = time.monotonic()

    def steady_s() -> float:
        return RATE * (time.monotonic() - began_s)

    def wall_s() -> float:
        return start.timestamp() + steady_s()

    return SteadyClock(0, wall_s, steady_s, RATE)


def _let_in(access: Access, role: str, units: tuple[str, ...], password: str) -> None:
    """Make the account of a role."""
    wanted = Account(
        name=role, role=role, unit_ids=units, agency="", terminal=False, created_ms=now_ms()
    )
    add_account(access, operator(), wanted, password)

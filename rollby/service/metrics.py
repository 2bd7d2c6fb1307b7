"""The service's own figures, for people and for Prometheus."""

from __future__ import annotations

import asyncio
from datetime import datetime  # noqa: TC003 - pydantic reads the annotation
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from pydantic import BaseModel

from data.records import Freshness
from geo.staleness import age_of
from rollby.service.intake import DoorHealth  # noqa: TC001 - pydantic reads the annotation
from rollby.service.stream import message

if TYPE_CHECKING:
    from geo.board import Board
    from rollby.service.running import Running

HOUR_S = 3600.0
TELL_EVERY_S = 5.0
HEALTH = "health"
SOUNDS_TARGET = 6
"""An hour, on average, to one person: ANSI/ISA-18.2-2016, table 5 ("very likely acceptable")."""


class Health(BaseModel):
    """How the service is."""

    at: datetime
    clock_fast_by_s: float
    waiting: int
    readers: int
    readers_dropped: int
    doors: dict[str, dict[str, int]]
    refusals: dict[str, int]
    heard_at: dict[str, datetime]
    listening: dict[str, DoorHealth]
    telling: dict[str, DoorHealth]
    fixes: dict[str, int]
    units: dict[str, int]
    stops: int
    stops_alone: int
    sounds_last_hour: int
    sounds_per_hour_target: int
    sounds_per_hour_max: int


def _board_figures(board: Board, now: datetime) -> dict[str, object]:
    """Count what the board knows."""
    units = {one.value: 0 for one in Freshness}
    for unit in board.units():
        units[age_of(unit.fix, now=now, policy=board.policy).freshness.value] += 1
    made_s = board.sounds.made_s
    return {
        "fixes": dict(board.seen.counts),
        "units": units,
        "stops": len(board.open),
        "stops_alone": sum(one.alarm.raised for one in board.open.values()),
        "sounds_last_hour": sum(at_s > board.now_s - HOUR_S for at_s in made_s),
        "sounds_per_hour_target": SOUNDS_TARGET,
        "sounds_per_hour_max": board.policy.sounds_per_hour_max,
    }


async def health_of(service: Running) -> Health:
    """
    Say how the service is.

    Returns
    -------
    health : Health
        Counts only.
    """
    now = service.now()
    figures = await service.look(lambda board: _board_figures(board, now))
    return Health.model_validate(
        {
            "at": now,
            "clock_fast_by_s": service.clock.fast_by_s(),
            "waiting": service.core.waiting,
            "readers": service.stream.readers,
            "readers_dropped": service.stream.dropped,
            "doors": await asyncio.to_thread(service.store.counters),
            "refusals": dict(service.refusals),
            "heard_at": {door: ms / 1000 for door, ms in list(service.core.heard_ms.items())},
            "listening": dict(service.doors),
            "telling": dict(service.telling),
            **figures,
        }
    )


async def metrics_of(service: Running) -> bytes:
    """
    Write the figures as Prometheus reads them.

    Returns
    -------
    text : bytes
        Made anew each time: what is counted is counted in the store and on the board.
    """
    health, registry = await health_of(service), CollectorRegistry()
    reports = Counter("rollby_reports", "by door", ["door", "outcome"], registry=registry)
    for door, outcomes in health.doors.items():
        for outcome, count in outcomes.items():
            reports.labels(door, outcome).inc(count)
    refused = Counter("rollby_refusals", "of requests", ["status"], registry=registry)
    for status, count in health.refusals.items():
        refused.labels(status).inc(count)
    fixes = Counter("rollby_fixes", "by what became of them", ["outcome"], registry=registry)
    for outcome, count in health.fixes.items():
        fixes.labels(outcome).inc(count)
    units = Gauge("rollby_units", "by freshness of their fix", ["freshness"], registry=registry)
    for freshness, count in health.units.items():
        units.labels(freshness).set(count)
    up = Gauge("rollby_door_up", "1 where it listens", ["door"], registry=registry)
    for door, state in health.listening.items():
        up.labels(door).set(state.up)
    told = Gauge("rollby_cot_up", "1 where a TAK network is reached", ["name"], registry=registry)
    for name, state in health.telling.items():
        told.labels(name).set(state.up)
    for name, text, value in (
        ("rollby_stops", "stops that go on", health.stops),
        ("rollby_stops_alone", "stops with their alarm up", health.stops_alone),
        ("rollby_waiting", "requests that wait for the core", health.waiting),
        ("rollby_readers", "listeners of the stream", health.readers),
        ("rollby_sounds_last_hour", "sounds made to supervisors", health.sounds_last_hour),
        ("rollby_clock_fast_by_seconds", "against the machine's", health.clock_fast_by_s),
    ):
        Gauge(name, text, registry=registry).set(value)
    return generate_latest(registry)


async def tell_health(service: Running) -> None:
    """Tell whoever may know how the service is, every few seconds."""
    while True:
        await asyncio.sleep(TELL_EVERY_S)
        if HEALTH in service.stream.topics:
            body = (await health_of(service)).model_dump(mode="json")
            service.stream.publish(message("health", body, topic=HEALTH))

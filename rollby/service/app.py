"""The service as a web application."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI

from data.errors import InputError
from data.status_codes import codes_of
from rollby import __version__
from rollby.service import sign_in, sign_in_vouched
from rollby.service.cot_out import TakTeller, line_of
from rollby.service.covering import cover_often
from rollby.service.doors import door_of
from rollby.service.guard import Guard
from rollby.service.hardening import Hardening
from rollby.service.intake import Intake, keep_open
from rollby.service.keeping import keep_going
from rollby.service.metrics import tell_health
from rollby.service.oidc import provider_for
from rollby.service.problems import REFUSALS, answer_problems
from rollby.service.recording import keep_recording
from rollby.service.routes import (
    admin,
    analyst,
    cad,
    coverage,
    desk,
    histories,
    live,
    officer,
    positions,
    screens,
    studies,
    way,
    why,
)
from rollby.service.studying import Studying
from rollby.service.watching import mind_clock, watch
from rollby.service.webhooks import tell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from data.settings import Settings
    from rollby.service.running import Running

SECRET_LEAST = 16
ROUTERS = tuple(
    one.router
    for one in (
        *(positions, cad, sign_in, sign_in_vouched, officer, way, why, desk, coverage, live, admin),
        *(screens, studies, histories, analyst),
    )
)
"""All requests that are answered."""
ABOUT = (
    "Keeps a lone officer from staying alone on a traffic stop. A suggestion is never an order; "
    "the dispatcher overrides."
)


def make_app(running: Running) -> FastAPI:
    """
    Make the application.

    Parameters
    ----------
    running : Running
        Its core started.

    Returns
    -------
    app : FastAPI
        With its own reference at ``/api/openapi.json``.

    Raises
    ------
    InputError
        If the webhooks' secret cannot be read, or a certificate of a feed's.
    """
    secret, codes = _secret(running.settings), codes_of(running.settings)
    doors = [
        (door_of(name, feed, running.now, codes=codes), Intake(running, feed))
        for name, feed in running.settings.feeds.items()
    ]
    tellers = [
        TakTeller(running, name, line_of(name, out, running.now))
        for name, out in running.settings.cot.items()
    ]

    studying = Studying(running)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        running.stream.loop = asyncio.get_running_loop()
        await asyncio.to_thread(studying.studies.interrupted)
        works = [
            keep_going("studies", studying.work),
            keep_going("old studies", studying.tidy),
            keep_going("picture", partial(watch, running)),
            keep_going("clock", partial(mind_clock, running)),
            keep_going("coverage", partial(cover_often, running)),
            keep_going("health", partial(tell_health, running)),
            keep_going("recording", partial(keep_recording, running)),
        ]
        for name, address in running.settings.service.webhooks.items():
            told = partial(tell, running, name, address, secret)
            works.append(keep_going(f"webhook {name}", told))
        works += [keep_open(door, intake) for door, intake in doors]
        works += [teller.keep_telling() for teller in tellers]
        tasks = [asyncio.create_task(work) for work in works]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    app = FastAPI(
        title="rollby",
        version=__version__,
        description=ABOUT,
        openapi_url="/api/openapi.json",
        docs_url=None,  # its pages fetch from elsewhere
        redoc_url=None,
        responses=REFUSALS,
        lifespan=lifespan,
    )
    app.state.running, app.state.studying = running, studying
    secure = bool(running.settings.service.tls_certificate) or running.settings.service.behind_proxy
    provider = provider_for(
        running.settings.service.oidc,
        running.access.now_ms,
        running.access.rules.reauthenticate_h,
    )
    Guard(running.access, secure=secure, provider=provider).install(app)
    for router in ROUTERS:
        app.include_router(router)
    answer_problems(app, lambda status: running.refusals.update([status]))
    app.add_middleware(Hardening, secure=secure)
    return app


def _secret(settings: Settings) -> bytes:
    """
    Read what webhooks are signed with.

    Raises
    ------
    InputError
        If it is to be had and is not.
    """
    name = settings.service.webhook_secret
    if not settings.service.webhooks:
        return b""
    try:
        secret = Path(name).read_bytes().strip()
    except OSError as error:
        rule = f"cannot be read ({error.strerror}); name a file with at least 16 characters"
        raise InputError(f"service.webhook_secret={name}: {rule}") from error
    if len(secret) < SECRET_LEAST:
        raise InputError(f"service.webhook_secret={name}: must hold at least 16 characters")
    return secret

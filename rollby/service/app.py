"""The service as a web application."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import FastAPI

from rollby import __version__
from rollby.service import sign_in, sign_in_vouched
from rollby.service.guard import Guard
from rollby.service.hardening import Hardening
from rollby.service.oidc import provider_for
from rollby.service.problems import answer_problems
from rollby.service.recording import keep_recording
from rollby.service.routes import admin, cad, live, officer, positions
from rollby.service.watching import watch
from rollby.service.webhooks import tell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from rollby.service.running import Running

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
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        running.stream.loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(work) for work in _tasks(running)]
        for task in tasks:
            task.add_done_callback(_note_end)
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
        lifespan=lifespan,
    )
    app.state.running = running
    secure = bool(running.settings.service.tls_certificate) or running.settings.service.behind_proxy
    provider = provider_for(
        running.settings.service.oidc,
        running.access.now_ms,
        running.access.rules.reauthenticate_h,
    )
    Guard(running.access, secure=secure, provider=provider).install(app)
    for one in (sign_in, sign_in_vouched, positions, cad, officer, live, admin):
        app.include_router(one.router)
    answer_problems(app)
    app.add_middleware(Hardening, secure=secure)
    return app


def _note_end(task: asyncio.Task[None]) -> None:
    """Let nothing end unseen that should have gone on."""
    if not task.cancelled() and task.exception() is not None:
        structlog.get_logger().error("a task has ended", exc_info=task.exception())


def _tasks(running: Running) -> list[Coroutine[Any, Any, None]]:
    """List what goes on beside the answering of requests."""
    return [watch(running), keep_recording(running), *_webhooks(running)]


def _webhooks(running: Running) -> list[Coroutine[Any, Any, None]]:
    """Tell every system that is to be told."""
    service = running.settings.service
    secret = Path(service.webhook_secret).read_bytes().strip() if service.webhooks else b""
    return [tell(running, name, address, secret) for name, address in service.webhooks.items()]

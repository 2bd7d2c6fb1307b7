"""The service as a web application."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from data.errors import FieldError
from rollby import __version__
from rollby.service.routes import admin, cad, live, officer, positions
from rollby.service.watching import watch
from rollby.service.webhooks import tell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from rollby.service.running import Running

PROBLEM = "application/problem+json"
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
        tasks = [asyncio.create_task(work) for work in (watch(running), *_webhooks(running))]
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
    for one in (positions, cad, officer, live, admin):
        app.include_router(one.router)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(FieldError, _bad_field)
    return app


def _note_end(task: asyncio.Task[None]) -> None:
    """Let nothing end unseen that should have gone on."""
    if not task.cancelled() and task.exception() is not None:
        structlog.get_logger().error("a task has ended", exc_info=task.exception())


def _webhooks(running: Running) -> list[Coroutine[Any, Any, None]]:
    """Tell every system that is to be told."""
    service = running.settings.service
    secret = Path(service.webhook_secret).read_bytes().strip() if service.webhooks else b""
    return [tell(running, name, address, secret) for name, address in service.webhooks.items()]


def problem(status: int, detail: str, **more: Any) -> JSONResponse:
    """
    Write what went wrong, as RFC 9457 has it.

    Returns
    -------
    response : JSONResponse
        With a sentence.
    """
    return JSONResponse(
        {"status": status, "detail": detail, **more}, status_code=status, media_type=PROBLEM
    )


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    """Write what a route refused."""
    assert isinstance(error, HTTPException)  # noqa: S101 - as it is registered
    response = problem(error.status_code, error.detail)
    response.headers.update(error.headers or {})
    return response


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """Write every field of a request that cannot be."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as it is registered
    faults = [
        f"{'.'.join(str(part) for part in fault['loc'][1:])}={str(fault.get('input'))[:80]}: "
        f"{fault['msg']}"
        for fault in error.errors()
    ]
    return problem(422, "; ".join(faults), faults=faults)


async def _bad_field(_request: Request, error: Exception) -> JSONResponse:
    """Write a value that a record does not allow."""
    return problem(422, str(error), faults=[str(error)])

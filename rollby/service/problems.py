"""Refusals as RFC 9457 problem JSON, each with a sentence that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import structlog
from fastapi import Request  # noqa: TC002 - starlette reads the annotation
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from data.errors import InputError, RollbyError
from data.words import whole_characters
from rollby.service.access import SignInError
from rollby.service.core import BusyError
from rollby.service.oidc import ProviderError
from rollby.service.screens import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fastapi import FastAPI

LOGGED = {401, 403, 429}
LONGEST = 200
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="rollby"'}
TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Not allowed here",
    409: "Conflict",
    413: "Too large",
    422: "Not valid",
    429: "Too many",
    503: "Not available",
}


REFUSALS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Refused, with a sentence that says what to do (RFC 9457)",
        "content": {
            "application/problem+json": {
                "schema": {
                    "type": "object",
                    "required": ["type", "title", "status", "detail"],
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "detail": {"type": "string"},
                    },
                }
            }
        },
    }
}
"""What the application's reference says of every refusal."""


class ProblemError(RollbyError):
    """
    A request that is refused.

    Parameters
    ----------
    status : int
        Of HTTP.
    detail : str
        A sentence: what is wrong and what to do.
    headers : mapping of str to str or None
        To send along.
    **more : Any
        Members of the problem beside the standard ones.
    """

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        self.status, self.detail, self.headers, self.more = status, detail, headers, more
        super().__init__(detail)


def problem(error: ProblemError) -> JSONResponse:
    """
    Write a refusal.

    Parameters
    ----------
    error : ProblemError
        What is refused.

    Returns
    -------
    response : JSONResponse
        ``application/problem+json``.
    """
    content = {
        "type": "about:blank",
        "title": TITLES.get(error.status, "Refused"),
        "status": error.status,
        "detail": whole_characters(error.detail),
        **error.more,
    }
    return JSONResponse(
        content,
        status_code=error.status,
        headers={**(error.headers or {}), "Cache-Control": "no-store"},
        media_type="application/problem+json",
    )


def answer_problems(app: FastAPI, count: Callable[[str], object] = lambda _status: None) -> None:
    """
    Have an application answer whatever it refuses so.

    Parameters
    ----------
    app : FastAPI
        Whose routes raise `ProblemError`, `SignInError` (401, 429) and `InputError` (422).
    count : callable
        Told the status of each.
    """

    async def answer(request: Request, error: Exception) -> Response:
        refusal = _problem_of(error)
        _log(request, refusal)
        count(str(refusal.status))
        return _page(request, refusal) if _of_a_person(request) else problem(refusal)

    for kind in (
        ProblemError,
        SignInError,
        InputError,
        ProviderError,
        BusyError,
        RequestValidationError,
        HTTPException,
    ):
        app.add_exception_handler(kind, answer)


def _log(request: Request, refusal: ProblemError) -> None:
    """Write down who was refused; that the sign-in page asks who it is means nothing."""
    if refusal.status in LOGGED and request.url.path != "/api/me":
        structlog.get_logger().warning(
            "refused",
            status=refusal.status,
            method=request.method,
            path=request.url.path[:LONGEST],
            why=refusal.detail[:LONGEST],
            place=request.client.host if request.client else "",
        )


def _of_a_person(request: Request) -> bool:
    """Tell whether a browser was to show a page."""
    wanted = request.headers.get("accept", "").partition(",")[0]
    page = not request.url.path.startswith(("/api/", "/feeds/"))
    return page and request.method == "GET" and wanted == "text/html"


def _page(request: Request, error: ProblemError) -> Response:
    """Say a refusal to a person; who is not signed in is led there, and back."""
    kept = {**(error.headers or {}), "Cache-Control": "no-store"}
    if error.status == 401:  # noqa: PLR2004 - of HTTP
        where = f"/sign-in?next={quote(request.url.path)}"
        return Response(status_code=303, headers={"Location": where, "Cache-Control": "no-store"})
    html = TEMPLATES.get_template("refused.html").render(
        title=TITLES.get(error.status, "Refused"), detail=whole_characters(error.detail)
    )
    return Response(html, error.status, kept, media_type="text/html")


def _problem_of(error: Exception) -> ProblemError:
    """Put an error as a refusal."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, SignInError) and error.retry_after_s:
        return ProblemError(429, str(error), {"Retry-After": str(error.retry_after_s)})
    if isinstance(error, RequestValidationError):
        # What was sent is not sent back: it may hold a password.
        faults = [
            {"field": ".".join(map(str, one["loc"])), "rule": one["msg"]} for one in error.errors()
        ]
        named = "; ".join(f"{one['field']}: {one['rule']}" for one in faults)
        return ProblemError(422, named, faults=faults)
    if isinstance(error, HTTPException):
        return ProblemError(error.status_code, str(error.detail), error.headers)
    if isinstance(error, SignInError):
        return ProblemError(401, str(error), CHALLENGE)
    busy = isinstance(error, BusyError)
    status = 503 if busy or isinstance(error, ProviderError) else 422
    return ProblemError(status, str(error), {"Retry-After": "1"} if busy else None)

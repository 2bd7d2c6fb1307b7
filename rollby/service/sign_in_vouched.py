"""Routes: a sign-in by the agency's provider, there and back."""

from __future__ import annotations

import secrets
from hmac import compare_digest
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from rollby.service.guard import Guard, guard_of
from rollby.service.oidc import BEGUN_MS, Provider
from rollby.service.problems import ProblemError

router = APIRouter(prefix="/api/oidc", tags=["access"])
Brought = Annotated[str, Query(max_length=4000)]
# A browser sends a strict cookie with no step of a way that began elsewhere: begin anew from here.
HOME = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>rollby</title>'
    '<meta http-equiv="refresh" content="0;url=/"><p><a href="/">Go on to rollby</a></p></html>'
)


def provider_of(request: Request) -> tuple[Guard, Provider]:
    """
    Find the provider.

    Returns
    -------
    guard, provider : Guard, Provider
        Of the application.

    Raises
    ------
    ProblemError
        404 if the agency has none.
    """
    guard = guard_of(request)
    if guard.provider is None:
        raise ProblemError(404, "no provider is set up here; sign in with name and password")
    return guard, guard.provider


@router.get("/start", summary="Sign in at the agency's provider", status_code=303)
def start(request: Request) -> Response:
    """
    Send the browser to the provider.

    Returns
    -------
    response : RedirectResponse
        With a cookie by which the browser is known again.
    """
    guard, provider = provider_of(request)
    address, state = provider.begin()
    response = RedirectResponse(address, status_code=303)
    response.set_cookie(
        _cookie(guard),
        state,
        max_age=BEGUN_MS // 1000,
        secure=guard.secure,
        httponly=True,
        samesite="lax",  # it comes back by a link of the provider's
    )
    return response


@router.get("/back", summary="Back from the provider", response_class=HTMLResponse)
def back(
    request: Request, state: Brought = "", code: Brought = "", error: Brought = ""
) -> Response:
    """
    Take what the provider sent along, and begin a session.

    Returns
    -------
    response : HTMLResponse
        Leads home, with the session's cookie.

    Raises
    ------
    ProblemError
        401 if the provider refused, or another browser began this.
    """
    guard, provider = provider_of(request)
    begun = request.cookies.get(_cookie(guard), secrets.token_hex())
    if not compare_digest(begun.encode(), state.encode()):
        raise ProblemError(401, "this browser did not begin this sign-in; sign in again")
    if error or not code:
        raise ProblemError(401, "the provider did not let you in; sign in again")
    place = request.client.host if request.client else ""
    token = guard.access.sign_in_vouched(provider.finish(code, state), place)
    response = HTMLResponse(HOME)
    response.delete_cookie(_cookie(guard), secure=guard.secure, httponly=True, samesite="lax")
    guard.give_cookie(response, token)
    return response


def _cookie(guard: Guard) -> str:
    """Name the cookie by which a browser that was sent away is known again."""
    return f"{guard.cookie}-begun"

"""
At the door of the web application: who calls, and whether they may.

A caller is known by an API key (``Authorization: Bearer`` or ``X-API-Key``), else by the session's
cookie, else, where the settings say so, by calling from this machine itself.
"""

from __future__ import annotations

import base64
import ipaddress
from functools import partial
from hmac import compare_digest
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from rollby.service.access import SignInError, csrf_token
from rollby.service.callers import Caller
from rollby.service.problems import ProblemError
from rollby.service.rights import Right, Role

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI, Response

    from rollby.service.access import Access
    from rollby.service.oidc import Provider

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "X-Rollby-CSRF"
WAITING_HEADER = "X-Rollby-Waiting"
"""Sent by a page that asks by itself: that keeps no session from being idle."""
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class Guard:
    """
    What the routes ask.

    Parameters
    ----------
    access : Access
        Knows accounts, sessions and keys.
    secure : bool
        Whether callers come by TLS, of this server or of a proxy before it.
    provider : Provider or None
        Vouches for people; None where the agency has none.
    """

    def __init__(self, access: Access, *, secure: bool, provider: Provider | None = None) -> None:
        self.access, self.secure, self.provider = access, secure, provider
        # A browser takes a name that begins with __Host- by TLS alone, from this very host.
        self.cookie = "__Host-rollby" if secure else "rollby"

    def install(self, app: FastAPI) -> None:
        """Have an application's routes find it."""
        app.state.guard = self

    def caller(self, request: Request, *, using: bool = True) -> Caller:
        """
        Tell who calls.

        Parameters
        ----------
        request : Request
            With a key, a cookie, or neither.
        using : bool
            False where a page merely stays open: that keeps no session from being idle.

        Returns
        -------
        caller : Caller
            Known, not yet allowed anything.

        Raises
        ------
        SignInError
            If it is nobody whom we know; a `ProblemError` if another site made a browser ask.
        """
        key = _key_of(request)
        if key:
            return self.access.caller_of_key(key)
        token = request.cookies.get(self.cookie)
        if token:
            caller = self.access.caller_of_session(token, using=using)
            self._check_csrf(request, token)
            return caller
        role = self.access.rules.loopback_role
        if role and _from_this_machine(request):
            check_origin(request)
            return Caller(name="loopback", role=Role(role), unit_ids=("*",), how="loopback")
        raise SignInError("sign in, or send an API key")

    def still(self, request: Request, who: Caller) -> bool:
        """
        Tell whether an answer that goes on for hours may go on.

        Parameters
        ----------
        request : Request
            That it answers.
        who : Caller
            Who that was.

        Returns
        -------
        still : bool
            False once the session has ended or the key was revoked, or the role is another.
        """
        try:
            return self.caller(request, using=False) == who
        except SignInError:
            return False

    def _check_csrf(self, request: Request, token: str) -> None:
        """
        Hold what changes something to having been sent by our own page.

        Raises
        ------
        ProblemError
            403 if it was not.
        """
        if request.method in SAFE:
            return
        check_origin(request)
        sent = request.headers.get(CSRF_HEADER, "").encode()
        if not compare_digest(sent, csrf_token(token).encode()):
            raise ProblemError(403, f"send the token of GET /api/me as {CSRF_HEADER}")

    def give_cookie(self, response: Response, token: str) -> None:
        """
        Have the browser keep a session's token, and show it to no script and no other site.

        Parameters
        ----------
        response : Response
            To the sign-in.
        token : str
            Of the session.
        """
        hours = max(self.access.rules.reauthenticate_h, self.access.rules.wallboard_h)
        response.set_cookie(
            self.cookie,
            token,
            max_age=round(hours * 3600),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="strict",
        )

    def take_cookie(self, response: Response) -> None:
        """Have the browser forget it."""
        response.delete_cookie(
            self.cookie, path="/", secure=self.secure, httponly=True, samesite="strict"
        )


def guard_of(request: Request) -> Guard:
    """
    Find the application's guard.

    Returns
    -------
    guard : Guard
        That was installed.
    """
    guard: Guard = request.app.state.guard
    return guard


async def caller(request: Request) -> Caller:
    """
    Tell who calls; a dependency of routes that anybody known may use.

    Returns
    -------
    caller : Caller
        See `Guard.caller`. A key that sends all the time costs no thread and no query.
    """
    guard = guard_of(request)
    known = guard.access.caller_of_known_key(_key_of(request))
    if known is not None:
        return known
    using = WAITING_HEADER not in request.headers
    return await run_in_threadpool(partial(guard.caller, request, using=using))


def needs(*rights: Right) -> Callable[[Caller], Awaitable[Caller]]:
    """
    Make a dependency that lets pass whoever has one of some rights.

    Parameters
    ----------
    *rights : Right
        Any of them is enough.

    Returns
    -------
    dependency : callable
        Gives the `Caller`; answers 401 or 403 else.
    """

    async def allowed(who: Caller = Depends(caller)) -> Caller:  # noqa: B008 - how FastAPI is told
        if not any(who.may(right) for right in rights):
            named = " or ".join(rights)
            raise ProblemError(403, f"needs the right {named}; the role {who.role} lacks it")
        return who

    return allowed


def check_unit(who: Caller, unit_id: str) -> None:
    """
    Hold a caller to its own units.

    Parameters
    ----------
    who : Caller
        Who speaks.
    unit_id : str
        For whom.

    Raises
    ------
    ProblemError
        403 if it is not one of theirs; who may override speaks for all.
    """
    if not (who.may(Right.OVERRIDE) or who.speaks_for(unit_id)):
        named = ", ".join(who.unit_ids) or "no unit"
        raise ProblemError(403, f"unit {unit_id} is not yours; you speak for {named}")


def check_reason(reason: str) -> str:
    """
    Hold whoever decides for others to saying why.

    Parameters
    ----------
    reason : str
        As it was given.

    Returns
    -------
    reason : str
        For the audit log.

    Raises
    ------
    ProblemError
        422 if there is none.
    """
    if not reason.strip():
        raise ProblemError(422, "reason: is missing; say why you decide for others, it is kept")
    return reason.strip()


def check_origin(request: Request) -> None:
    """
    Refuse what another site made a browser send.

    Parameters
    ----------
    request : Request
        That is to change something.

    Raises
    ------
    ProblemError
        403 if it is not of our own page; programs that are no browser name no origin, and pass.
    """
    if request.method in SAFE:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    foreign = site is not None and site not in {"same-origin", "none"}
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        foreign = True
    if foreign:
        raise ProblemError(403, "another site asked for this; use rollby's own page")


def _key_of(request: Request) -> str:
    """
    Find an API key; "" where there is none.

    Phones' apps can send a password (OwnTracks) or nothing but an address (OsmAnd, Traccar Client):
    for positions only, and as part of neither the log nor what is kept of a refusal.
    """
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if key := request.headers.get("x-api-key", "").strip():
        return key
    if not request.url.path.startswith("/feeds/"):
        return ""
    if kind.lower() == "basic":
        return _password_of(value)
    return request.query_params.get("key", "")


def _password_of(credentials: str) -> str:
    """Read the password of HTTP's basic scheme; "" where there is none."""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _from_this_machine(request: Request) -> bool:
    """Tell whether nobody else can have sent it: no proxy, no name that leads here by a trick."""
    client: Any = request.client
    if client is None or any(name in request.headers for name in FORWARDED):
        return False
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    return is_loopback(client.host) and is_loopback(host)


def is_loopback(host: str) -> bool:
    """
    Tell whether a host is this machine and can be nobody else.

    Parameters
    ----------
    host : str
        A name or an address.

    Returns
    -------
    loopback : bool
        True for ``localhost``, ``127.0.0.0/8`` and ``::1``; other names may lead anywhere.
    """
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback

"""Routes: who signs in and out, and what administrators do by HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from data.store.accounts import Account
from data.store.audit import Action
from rollby.service.access import csrf_token
from rollby.service.administration import (
    NewKey,
    add_account,
    add_key,
    disable_account,
    new_totp,
    revoke_key,
    rotate_key,
    set_password,
)
from rollby.service.callers import Caller
from rollby.service.guard import caller, check_origin, guard_of, needs
from rollby.service.passwords import LONGEST, totp_uri
from rollby.service.rights import RIGHTS, Right, Role
from rollby.service.shown import account_shown, key_shown

Anybody = Annotated[Caller, Depends(caller)]
Administrator = Annotated[Caller, Depends(needs(Right.ADMINISTER))]
Auditor = Annotated[Caller, Depends(needs(Right.SEE_AUDIT))]
Text = Annotated[str, Field(max_length=LONGEST)]
Units = Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=1000)]
KeyId = Annotated[str, Path(pattern="^[0-9a-f]{8}$")]

router = APIRouter(prefix="/api", tags=["access"])


class _Body(BaseModel):
    """What is sent: unknown members are faults."""

    model_config = ConfigDict(extra="forbid")


class SignIn(_Body):
    """Name, password and one-time code."""

    name: Text
    password: Text
    code: Text = ""


class NewPassword(_Body):
    """The old one and the new one."""

    old: Text
    new: Text


class Scope(_Body):
    """Who somebody is to be."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    role: Role
    unit_ids: Units = []
    agency: Annotated[str, Field(max_length=100)] = ""


class NewAccount(Scope):
    """An account with its first password."""

    password: Text
    terminal: bool = False


class AccountChange(_Body):
    """What an administrator may change."""

    disabled: bool | None = None
    password: Text | None = None


@router.post("/sign-in", summary="Sign in; the session's token comes as a cookie")
def sign_in(body: SignIn, request: Request, response: Response) -> dict[str, Any]:
    """
    Sign in.

    Returns
    -------
    me : dict
        As `me`.
    """
    check_origin(request)
    guard = guard_of(request)
    token = guard.access.sign_in(body.name, body.password, body.code, _place(request))
    who = guard.access.caller_of_session(token)
    guard.give_cookie(response, token)
    return _shown(who) | {"csrf": csrf_token(token)}


@router.post("/sign-out", status_code=204, summary="End the session")
def sign_out(_who: Anybody, request: Request) -> Response:
    """
    End the session, if the caller has one.

    Returns
    -------
    response : Response
        The cookie is taken back.
    """
    guard, response = guard_of(request), Response(status_code=204)
    guard.access.sign_out(request.cookies.get(guard.cookie, ""))
    guard.take_cookie(response)
    return response


@router.get("/me", summary="Who am I, and what may I do")
def me(who: Anybody, request: Request) -> dict[str, Any]:
    """
    Tell the caller who they are.

    Returns
    -------
    me : dict
        Name, role, rights, units; `csrf` for what changes something, where there is a session.
    """
    token = request.cookies.get(guard_of(request).cookie)
    csrf = {"csrf": csrf_token(token)} if token and who.how == "session" else {}
    return _shown(who) | csrf


@router.post("/password", status_code=204, summary="Change one's own password")
def password(body: NewPassword, who: Anybody, request: Request) -> Response:
    """
    Change the caller's password; they sign in again.

    Returns
    -------
    response : Response
        The cookie is taken back.
    """
    guard, response = guard_of(request), Response(status_code=204)
    guard.access.change_password(who, body.old, body.new)
    guard.take_cookie(response)
    return response


@router.get("/accounts", summary="All accounts")
def accounts(_who: Administrator, request: Request) -> list[dict[str, Any]]:
    """
    List accounts, without their secrets.

    Returns
    -------
    accounts : list of dict
        By name.
    """
    return [account_shown(one) for one in guard_of(request).access.accounts.accounts()]


@router.post("/accounts", status_code=201, summary="Make an account")
def account_added(body: NewAccount, who: Administrator, request: Request) -> dict[str, Any]:
    """
    Make an account.

    Returns
    -------
    account : dict
        With `totp` and `totp_uri` this once, where the role needs one-time codes.
    """
    access = guard_of(request).access
    wanted = Account(
        name=body.name,
        role=body.role,
        unit_ids=tuple(body.unit_ids),
        agency=body.agency,
        terminal=body.terminal,
        created_ms=access.now_ms(),
    )
    made = add_account(access, who, wanted, body.password)
    return account_shown(made) | _secret(made.name, made.totp)


@router.patch("/accounts/{name:path}", status_code=204, summary="Disable, enable, new password")
def account_changed(name: str, body: AccountChange, who: Administrator, request: Request) -> None:
    """Change an account."""
    access = guard_of(request).access
    if body.password is not None:
        set_password(access, who, name, body.password)
    if body.disabled is not None:
        disable_account(access, who, name, disabled=body.disabled)


@router.post("/accounts/{name:path}/totp", summary="A new secret for one-time codes")
def account_totp(name: str, who: Administrator, request: Request) -> dict[str, str]:
    """
    Give an account a new secret.

    Returns
    -------
    secret : dict
        `totp` and `totp_uri`, this once.
    """
    return _secret(name, new_totp(guard_of(request).access, who, name))


@router.get("/keys", summary="All API keys")
def keys(_who: Administrator, request: Request) -> list[dict[str, Any]]:
    """
    List keys, without their texts.

    Returns
    -------
    keys : list of dict
        By `key_id`.
    """
    return [key_shown(one) for one in guard_of(request).access.accounts.api_keys()]


@router.post("/keys", status_code=201, summary="Make an API key")
def key_added(body: Scope, who: Administrator, request: Request) -> dict[str, Any]:
    """
    Make a key.

    Returns
    -------
    key : dict
        With `key` this once.
    """
    scope = {**body.model_dump(), "role": body.role, "unit_ids": tuple(body.unit_ids)}
    return _new_key(add_key(guard_of(request).access, who, **scope))


@router.post("/keys/{key_id}/rotate", status_code=201, summary="Another key in its place")
def key_rotated(key_id: KeyId, who: Administrator, request: Request) -> dict[str, Any]:
    """
    Rotate a key.

    Returns
    -------
    key : dict
        With `key` this once.
    """
    return _new_key(rotate_key(guard_of(request).access, who, key_id))


@router.delete("/keys/{key_id}", status_code=204, summary="Revoke a key")
def key_revoked(key_id: KeyId, who: Administrator, request: Request) -> None:
    """Revoke a key."""
    revoke_key(guard_of(request).access, who, key_id)


@router.get("/audit", summary="The audit log; to read it is written down too")
def audit(
    who: Auditor,
    request: Request,
    after: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0,
    most: Annotated[int, Field(ge=1, le=1000)] = 200,
) -> list[dict[str, Any]]:
    """
    Read the audit log.

    Returns
    -------
    notes : list of dict
        By `seq`.
    """
    access = guard_of(request).access
    access.note(who, Action.READ_AUDIT, after=after, most=most)
    return [asdict(note) for note in access.audit.notes(after, most)]


def _shown(who: Caller) -> dict[str, Any]:
    """Show a caller."""
    return {
        "name": who.name,
        "role": who.role,
        "rights": sorted(RIGHTS[who.role]),
        "unit_ids": list(who.unit_ids),
        "agency": who.agency,
        "how": who.how,
    }


def _secret(name: str, totp: str) -> dict[str, str]:
    """Show a secret for one-time codes, where there is one."""
    return {"totp": totp, "totp_uri": totp_uri(name, totp)} if totp else {}


def _new_key(new: NewKey) -> dict[str, Any]:
    """Show a new key with its text."""
    return key_shown(new.key) | {"key": new.text}


def _place(request: Request) -> str:
    """Tell from where a request comes."""
    return request.client.host if request.client else ""

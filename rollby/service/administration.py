"""What administrators do: accounts and keys are made, changed and ended, and it is written down."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pyotp

from data.errors import FieldError, InputError
from data.settings import Settings
from data.store.accounts import Account, ApiKey
from data.store.audit import Action
from rollby.service.access import HOUR_MS, NAME_LENGTH, account_name, digest_of
from rollby.service.passwords import check_password
from rollby.service.rights import Role

if TYPE_CHECKING:
    from rollby.service.access import Access
    from rollby.service.callers import Caller

KEY_PREFIX = "rollby"


class NewKey(NamedTuple):
    """A key and its text, which is shown this once."""

    key: ApiKey
    text: str


def add_account(access: Access, by: Caller, account: Account, password: str) -> Account:
    """
    Make an account.

    Parameters
    ----------
    access : Access
        Of the store.
    by : Caller
        Who makes it.
    account : Account
        As it is to be; a role that needs one-time codes is given a secret for them.
    password : str
        "" where none is to be right, as for accounts that a provider vouches for.

    Returns
    -------
    account : Account
        As it was made.

    Raises
    ------
    FieldError
        If the name can be none, or the password is too weak.
    """
    name = account_name(account.name)
    if name.startswith("?"):
        rule = "must be 1 to 100 letters, digits or signs, without spaces; choose another"
        raise FieldError("name", ascii(account.name), rule)
    _check_scope(Role(account.role), account.unit_ids, account.agency)
    secret = account.totp
    if password:
        check_password(name, password, access.rules)
        secret = secret or (pyotp.random_base32() if account.role in access.rules.totp_for else "")
    kept = access.passwords.hashed(password) if password else ""
    made = replace(account, name=name, password=kept, totp=secret)
    access.accounts.add_account(made)
    access.note(by, Action.ACCOUNT, name, done="added", role=made.role, units=list(made.unit_ids))
    return made


def disable_account(access: Access, by: Caller, name: str, *, disabled: bool = True) -> None:
    """
    Keep somebody out, or let them in again.

    Parameters
    ----------
    access : Access
        Of the store.
    by : Caller
        Who does it.
    name : str
        Whom; all their sessions end.
    disabled : bool
        False lets them in again.

    Raises
    ------
    InputError
        If nobody would be left to administer.
    """
    name = account_name(name)
    others = [
        one
        for one in access.accounts.accounts()
        if one.role == Role.ADMINISTRATOR and not one.disabled and one.name != name
    ]
    mine = access.accounts.account(name)
    if disabled and mine and mine.role == Role.ADMINISTRATOR and not others:
        raise InputError(f"name={name}: is the last administrator; add another first")
    access.accounts.change_account(name, disabled=disabled)
    access.note(by, Action.ACCOUNT, name, done="disabled" if disabled else "enabled")


def set_password(access: Access, by: Caller, name: str, password: str) -> None:
    """
    Give somebody another password; all their sessions end, and a lock for failures too.

    Parameters
    ----------
    access : Access
        Of the store.
    by : Caller
        Who does it.
    name, password : str
        Whose, and which.

    Raises
    ------
    InputError
        If a provider vouches for them.
    """
    name = account_name(name)
    mine = access.accounts.account(name)
    if mine and mine.issuer:
        raise InputError(f"name={name}: a provider vouches for it; it has no password here")
    check_password(name, password, access.rules)
    access.accounts.change_account(name, password=access.passwords.hashed(password))
    access.accounts.forget_attempts(name)
    access.note(by, Action.ACCOUNT, name, done="password")


def new_totp(access: Access, by: Caller, name: str) -> str:
    """
    Give somebody a new secret for one-time codes; all their sessions end.

    Parameters
    ----------
    access : Access
        Of the store.
    by : Caller
        Who does it.
    name : str
        Whose.

    Returns
    -------
    secret : str
        In base 32: for an authenticator app, this once.
    """
    name, secret = account_name(name), pyotp.random_base32()
    access.accounts.change_account(name, totp=secret, totp_step=0)
    access.note(by, Action.ACCOUNT, name, done="one-time codes")
    return secret


def add_key(
    access: Access, by: Caller, *, name: str, role: Role, unit_ids: tuple[str, ...], agency: str
) -> NewKey:
    """
    Make an API key.

    Parameters
    ----------
    access : Access
        Of the store.
    by : Caller
        Who makes it.
    name : str
        Of the machine.
    role : Role
        What it may do.
    unit_ids : tuple of str
        The units it speaks for.
    agency : str
        Whose; "" for all.

    Returns
    -------
    new : NewKey
        With its text, which is kept nowhere.

    Raises
    ------
    FieldError
        If the name can be none, or the role needs units and none is named.
    """
    if not 0 < len(name) <= NAME_LENGTH or not name.isprintable():
        rule = f"must be 1 to {NAME_LENGTH} characters that can be printed"
        raise FieldError("name", ascii(name), rule)
    _check_scope(role, unit_ids, agency)
    key_id, text = _fresh_key()
    key = ApiKey(
        key_id=key_id,
        digest=digest_of(text),
        name=name,
        role=role,
        unit_ids=unit_ids,
        agency=agency,
        created_ms=access.now_ms(),
    )
    access.accounts.add_key(key)
    access.note(by, Action.KEY, key_id, done="added", name=name, role=role, units=list(unit_ids))
    return NewKey(key, text)


def _fresh_key() -> tuple[str, str]:
    """Draw a key's name and its text."""
    key_id = secrets.token_hex(4)
    return key_id, f"{KEY_PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"


def rotate_key(access: Access, by: Caller, key_id: str) -> NewKey:
    """
    Have another key take the place of one, which works on for a while.

    Parameters
    ----------
    access : Access
        Of the store; its rules say for how long.
    by : Caller
        Who does it.
    key_id : str
        Of the one in use.

    Returns
    -------
    new : NewKey
        With the same name, role, units and agency.

    Raises
    ------
    InputError
        If there is no such key.
    """
    now_ms = access.now_ms()
    old = next((one for one in access.accounts.api_keys() if one.key_id == key_id), None)
    if old is None:
        raise InputError(f"key={key_id}: there is no such key in use; see `rollby keys list`")
    fresh_id, text = _fresh_key()
    new = replace(
        old,
        key_id=fresh_id,
        digest=digest_of(text),
        created_ms=now_ms,
        until_ms=None,
        used_ms=None,
    )
    until_ms = now_ms + round(access.rules.key_grace_h * HOUR_MS)
    access.accounts.replace_key(key_id, now_ms, until_ms, new)
    access.note(by, Action.KEY, key_id, done="rotated", new=fresh_id, until_ms=until_ms)
    return NewKey(new, text)


def revoke_key(access: Access, by: Caller, key_id: str) -> None:
    """
    Have a key be refused, within a second.

    Parameters
    ----------
    access : Access
        Of the store.
    by : Caller
        Who does it.
    key_id : str
        Of the one in use.
    """
    now_ms = access.now_ms()
    access.accounts.replace_key(key_id, now_ms, now_ms, None)
    access.note(by, Action.KEY, key_id, done="revoked")


def note_settings(access: Access, by: Caller, settings: Settings) -> None:
    """
    Write down the settings that a service starts with, where they are not those of the last start.

    Parameters
    ----------
    access : Access
        Of the store.
    by : Caller
        Who starts it.
    settings : Settings
        Those in force; only what is not the default is written, and no address that may hold a
        password.
    """
    chosen = settings.model_dump(mode="json", exclude={"service": {"store", "webhooks"}})
    default = Settings().model_dump(mode="json")
    differing = _differing(chosen, default)
    last = access.audit.newest(Action.SETTINGS)
    if last is None or last.facts != {"set": differing}:
        access.note(by, Action.SETTINGS, set=differing)


def _differing(chosen: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    """List by their dotted names the values that are not the default."""
    found: dict[str, Any] = {}
    for name, value in chosen.items():
        if isinstance(value, dict) and isinstance(default.get(name), dict):
            below = _differing(value, default[name])
            found |= {f"{name}.{key}": one for key, one in below.items()}
        elif name not in default or value != default[name]:
            found[name] = value
    return found


def _check_scope(role: Role, unit_ids: tuple[str, ...], agency: str) -> None:
    """
    Hold a scope to its role, and its texts to what can be kept.

    Raises
    ------
    FieldError
        If it would be able to do nothing, or a text holds what cannot be printed.
    """
    if role in {Role.FEED, Role.OFFICER} and not unit_ids:
        rule = f"must name the units that this {role} speaks for; * is all of them"
        raise FieldError("unit_ids", None, rule)
    for field, text in (("agency", agency), *(("unit_ids", one) for one in unit_ids)):
        if not len(text) <= NAME_LENGTH or not text.isprintable():
            rule = f"must be at most {NAME_LENGTH} characters that can be printed"
            raise FieldError(field, ascii(text), rule)

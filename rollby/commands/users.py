"""``rollby users``: the accounts of people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
import segno
from rich.table import Table

from data.store.accounts import Account
from rollby.commands.store import now_ms, opened, operator
from rollby.files import say
from rollby.output import console, json_text
from rollby.service.administration import add_account, disable_account, new_totp, set_password
from rollby.service.passwords import totp_uri
from rollby.service.shown import account_shown

if TYPE_CHECKING:
    from pathlib import Path


def add_user(
    name: str,
    *,
    role: str,
    unit_ids: tuple[str, ...],
    agency: str,
    terminal: bool,
    password_stdin: bool,
    qr: Path | None,
    **place: Any,
) -> None:
    """
    Do ``rollby users add``.

    Parameters
    ----------
    name, role, unit_ids, agency, terminal : str, str, tuple of str, str, bool
        As in `Account`.
    password_stdin : bool
        Read the password from stdin.
    qr : Path or None
        Where to write the QR code of the one-time codes.
    **place : Any
        Settings and store.
    """
    with opened(**place, make=True) as (_, access, _):
        wanted = Account(
            name=name,
            role=role,
            unit_ids=unit_ids,
            agency=agency,
            terminal=terminal,
            created_ms=now_ms(),
        )
        made = add_account(access, operator(), wanted, _password(from_stdin=password_stdin))
    click.echo(f"{made.name}: {made.role}, added")
    if made.totp:
        _show_totp(made.name, made.totp, qr)


def list_users(*, as_json: bool, **place: Any) -> None:
    """
    Do ``rollby users list``.

    Parameters
    ----------
    as_json : bool
        Print JSON.
    **place : Any
        Settings and store.
    """
    with opened(**place) as (_, access, _):
        accounts = [account_shown(one) for one in access.accounts.accounts()]
    if as_json:
        click.echo(json_text({"schema": "rollby.users/1", "users": accounts}))
        return
    table = Table("Name", "Role", "Units", "Agency", "Notes", box=None, pad_edge=False)
    for one in accounts:
        notes = [
            note
            for note, said in (
                ("disabled", one["disabled"]),
                ("one-time codes", one["one_time_codes"]),
                ("in-car terminal", one["terminal"]),
                (f"by {one['issuer']}", one["issuer"]),
            )
            if said
        ]
        units = ", ".join(one["unit_ids"])
        table.add_row(one["name"], one["role"], units, one["agency"], ", ".join(notes))
    console().print(table)


def disable_user(name: str, *, disabled: bool, **place: Any) -> None:
    """
    Do ``rollby users disable`` and ``rollby users enable``.

    Parameters
    ----------
    name : str
        Whom.
    disabled : bool
        Keep out, or let in.
    **place : Any
        Settings and store.
    """
    with opened(**place) as (_, access, _):
        disable_account(access, operator(), name, disabled=disabled)
    click.echo(f"{name}: {'disabled' if disabled else 'enabled'}")


def change_password(name: str, *, password_stdin: bool, **place: Any) -> None:
    """
    Do ``rollby users password``.

    Parameters
    ----------
    name : str
        Whose.
    password_stdin : bool
        Read the password from stdin.
    **place : Any
        Settings and store.
    """
    with opened(**place) as (_, access, _):
        set_password(access, operator(), name, _password(from_stdin=password_stdin))
    click.echo(f"{name}: has another password")


def change_totp(name: str, *, qr: Path | None, **place: Any) -> None:
    """
    Do ``rollby users totp``.

    Parameters
    ----------
    name : str
        Whose.
    qr : Path or None
        Where to write the QR code.
    **place : Any
        Settings and store.
    """
    with opened(**place) as (_, access, _):
        secret = new_totp(access, operator(), name)
    click.echo(f"{name}: has other one-time codes")
    _show_totp(name, secret, qr)


def _password(*, from_stdin: bool) -> str:
    """Ask for a password, twice and unseen, or read it."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    given: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return given


def _show_totp(name: str, secret: str, qr: Path | None) -> None:
    """Show a secret as authenticator apps read it."""
    code = segno.make(totp_uri(name, secret), error="m")
    say(["one-time codes, shown this once: read this with an authenticator app"])
    if qr:
        code.save(str(qr), kind="svg", scale=6)
        qr.chmod(0o600)
        say([f"{qr}: delete it when it was read"])
    elif sys.stdout.isatty():
        code.terminal(compact=True)
    click.echo(f"secret: {secret}")

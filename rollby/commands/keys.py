"""``rollby keys``: the API keys of machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from rollby.commands.store import local_time, now_ms, opened, operator
from rollby.files import say
from rollby.output import console, json_text
from rollby.service.administration import add_key, revoke_key, rotate_key
from rollby.service.rights import Role
from rollby.service.shown import key_shown

if TYPE_CHECKING:
    from data.settings import Settings
    from data.store.accounts import ApiKey


def make_key(name: str, *, role: str, unit_ids: tuple[str, ...], agency: str, **place: Any) -> None:
    """
    Do ``rollby keys add``.

    Parameters
    ----------
    name, role, unit_ids, agency : str, str, tuple of str, str
        As in `ApiKey`.
    **place : Any
        Settings and store.
    """
    with opened(**place, make=True) as (_, access, _):
        scope = {"name": name, "unit_ids": unit_ids, "agency": agency}
        new = add_key(access, operator(), role=Role(role), **scope)  # type: ignore[arg-type]
    say([f"key {new.key.key_id}, shown this once"])
    click.echo(new.text)


def list_keys(*, as_json: bool, **place: Any) -> None:
    """
    Do ``rollby keys list``.

    Parameters
    ----------
    as_json : bool
        Print JSON.
    **place : Any
        Settings and store.
    """
    with opened(**place) as (_, access, settings):
        keys = access.accounts.api_keys()
    if as_json:
        shown = [key_shown(one) for one in keys]
        click.echo(json_text({"schema": "rollby.keys/1", "keys": shown}))
        return
    table = Table(
        "Key", "Name", "Role", "Units", "Agency", "Used", "Ends", box=None, pad_edge=False
    )
    for one in keys:
        used = local_time(one.used_ms, settings) if one.used_ms else "never"
        units = ", ".join(one.unit_ids)
        table.add_row(one.key_id, one.name, one.role, units, one.agency, used, _end(one, settings))
    console().print(table)


def change_key(key_id: str, **place: Any) -> None:
    """
    Do ``rollby keys rotate``.

    Parameters
    ----------
    key_id : str
        Which.
    **place : Any
        Settings and store.
    """
    with opened(**place) as (_, access, _):
        new = rotate_key(access, operator(), key_id)
        grace_h = access.rules.key_grace_h
    say([f"key {new.key.key_id}, shown this once; {key_id} works for {grace_h:g} h more"])
    click.echo(new.text)


def end_key(key_id: str, **place: Any) -> None:
    """
    Do ``rollby keys revoke``.

    Parameters
    ----------
    key_id : str
        Which.
    **place : Any
        Settings and store.
    """
    with opened(**place) as (_, access, _):
        revoke_key(access, operator(), key_id)
    click.echo(f"{key_id}: revoked")


def _end(key: ApiKey, settings: Settings) -> str:
    """Say when a key ends."""
    if key.until_ms is None:
        return ""
    return "ended" if key.until_ms <= now_ms() else local_time(key.until_ms, settings)

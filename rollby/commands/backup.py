"""``rollby backup`` and ``rollby restore``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from data.store.audit import Action
from data.store.backup import back_up, restore
from data.words import count
from rollby.commands.store import chosen, now_ms, opened, operator

if TYPE_CHECKING:
    from pathlib import Path

    from data.store.backup import Backup


def write_backup(out: Path, **place: Any) -> None:
    """
    Do ``rollby backup``.

    Parameters
    ----------
    out : Path
        The file.
    **place : Any
        Settings and store.
    """
    with opened(**place) as (engine, access, _):
        access.note(operator(), Action.BACKUP, out.name)
        made = back_up(engine, out, now_ms())
    click.echo(f"{out}: {_held(made)}")


def read_back(file: Path, **place: Any) -> None:
    """
    Do ``rollby restore``.

    Parameters
    ----------
    file : Path
        A backup.
    **place : Any
        Settings and store.
    """
    address = chosen(**place)[1]
    made = restore(file, address)
    with opened(**place) as (_, access, _):
        access.note(operator(), Action.RESTORE, file.name, sha256=made.sha256)
    click.echo(f"restored: {_held(made)}")


def _held(made: Backup) -> str:
    """Say what a backup holds."""
    rows = count(sum(made.rows.values()), "row")
    return f"{rows} of {count(len(made.rows), 'table')}, SHA-256 {made.sha256}"

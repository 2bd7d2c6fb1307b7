"""``rollby audit``: what was done, and whether that is still what was written down."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from data.errors import FieldError, InputError
from data.store.audit import Action, Head
from data.words import count
from rollby.commands.store import local_time, opened, operator
from rollby.files import write_text
from rollby.output import console, csv_text, json_text, no_formulas

if TYPE_CHECKING:
    from pathlib import Path

    from data.store.audit import Note

COLUMNS = ("seq", "at_ms", "who", "how", "action", "about", "facts", "previous", "hash")


def verify_audit(*, head: str | None, **place: Any) -> None:
    """
    Do ``rollby audit verify``.

    Parameters
    ----------
    head : str or None
        A row noted earlier, ``SEQ:HASH``.
    **place : Any
        Settings and store.

    Raises
    ------
    InputError
        If rows were changed, removed or reordered: all of them are named.
    """
    noted = _head(head) if head else None
    with opened(**place) as (_, access, _):
        faults, newest = access.audit.faults(noted), access.audit.head()
    if faults:
        raise InputError("\n".join(f"audit {fault}" for fault in faults))
    click.echo(f"{count(newest.seq, 'row')}, all as they were written")
    click.echo(f"head {newest.seq}:{newest.hash}")


def show_audit(*, last: int, as_json: bool, **place: Any) -> None:
    """
    Do ``rollby audit show``.

    Parameters
    ----------
    last : int
        How many rows.
    as_json : bool
        Print JSON.
    **place : Any
        Settings and store.
    """
    with opened(**place) as (_, access, settings):
        access.note(operator(), Action.READ_AUDIT, "show", last=last)
        notes = list(access.audit.notes(max(0, access.audit.head().seq - last)))
    if as_json:
        shown = [asdict(note) for note in notes]
        click.echo(json_text({"schema": "rollby.audit/1", "notes": shown}))
        return
    table = Table("Row", "When", "Who", "How", "What", box=None, pad_edge=False)
    for note in notes:
        when = local_time(note.at_ms, settings)
        table.add_row(str(note.seq), when, note.who, note.how, _what(note))
    console().print(table)


def export_audit(out: Path, **place: Any) -> None:
    """
    Do ``rollby audit export``.

    Parameters
    ----------
    out : Path
        A ``.csv`` or ``.jsonl`` file.
    **place : Any
        Settings and store.
    """
    with opened(**place) as (_, access, _):
        access.note(operator(), Action.READ_AUDIT, "export")
        rows = [asdict(note) for note in access.audit.notes()]
    if out.suffix == ".csv":
        plain = [row | {"facts": json.dumps(row["facts"])} for row in rows]
        write_text(out, csv_text(COLUMNS, map(no_formulas, plain)))
    else:
        write_text(out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    click.echo(f"{count(len(rows), 'row')}: {out}")


def _head(text: str) -> Head:
    """
    Read a row noted earlier.

    Raises
    ------
    FieldError
        If it is none.
    """
    seq, _, digest = text.partition(":")
    if not seq.isdecimal() or not digest:
        raise FieldError("--head", text, "must be SEQ:HASH, as `rollby audit verify` prints it")
    return Head(int(seq), digest)


def _what(note: Note) -> str:
    """Say what was done."""
    facts = [
        f"{name} {value}" for name, value in note.facts.items() if value not in ("", [], False)
    ]
    return ", ".join([" ".join(filter(None, (note.action, note.about))), *facts])

"""Options of the commands that administer a service: users, keys, audit, backup, restore, feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rollby.options import FILE, file_in, json_option, settings_option, several

if TYPE_CHECKING:
    from pathlib import Path

ROLES = ("officer", "supervisor", "analyst", "administrator", "feed", "wallboard")


store_options = several(
    settings_option,
    click.option("--store", help="sqlite:///FILE or postgresql://...; default: the settings'."),
)
scope_options = several(
    click.option("--role", type=click.Choice(ROLES), required=True, help="See docs/access.md."),
    click.option(
        "--unit", "unit_ids", multiple=True, help="A unit spoken for; * and ? stand for any."
    ),
    click.option("--agency", default="", help="Whose; default: all."),
)
password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password's line from stdin; else it is asked."
)
qr_option = click.option("--qr", type=FILE, help="Write the one-time codes' QR code here (SVG).")


@click.group()
def users() -> None:
    """Make, list and change the accounts of people."""


@users.command("add")
@click.argument("name")
@scope_options
@click.option("--terminal", is_flag=True, help="An in-car terminal: never locked for being idle.")
@password_option
@qr_option
@store_options
def users_add(**options: Any) -> None:
    """Make an account; where its role needs one-time codes, show their QR code this once."""
    from rollby.commands.users import add_user

    add_user(**options)


@users.command("list")
@json_option
@store_options
def users_list(**options: Any) -> None:
    """List the accounts."""
    from rollby.commands.users import list_users

    list_users(**options)


@users.command("disable")
@click.argument("name")
@store_options
def users_disable(**options: Any) -> None:
    """Keep somebody out; all their sessions end."""
    from rollby.commands.users import disable_user

    disable_user(**options, disabled=True)


@users.command("enable")
@click.argument("name")
@store_options
def users_enable(**options: Any) -> None:
    """Let somebody in again."""
    from rollby.commands.users import disable_user

    disable_user(**options, disabled=False)


@users.command("password")
@click.argument("name")
@password_option
@store_options
def users_password(**options: Any) -> None:
    """Give somebody another password; a lock for failed sign-ins ends too."""
    from rollby.commands.users import change_password

    change_password(**options)


@users.command("totp")
@click.argument("name")
@qr_option
@store_options
def users_totp(**options: Any) -> None:
    """Give somebody new one-time codes, and show their QR code this once."""
    from rollby.commands.users import change_totp

    change_totp(**options)


@click.group()
def keys() -> None:
    """Make, list and end the API keys of machines."""


@keys.command("add")
@click.argument("name")
@scope_options
@store_options
def keys_add(**options: Any) -> None:
    """Make an API key and print it, this once."""
    from rollby.commands.keys import make_key

    make_key(**options)


@keys.command("list")
@json_option
@store_options
def keys_list(**options: Any) -> None:
    """List the API keys; what they are is kept nowhere."""
    from rollby.commands.keys import list_keys

    list_keys(**options)


@keys.command("rotate")
@click.argument("key_id")
@store_options
def keys_rotate(**options: Any) -> None:
    """Print another key in the place of one, which works on for a while."""
    from rollby.commands.keys import change_key

    change_key(**options)


@keys.command("revoke")
@click.argument("key_id")
@store_options
def keys_revoke(**options: Any) -> None:
    """Have a key be refused."""
    from rollby.commands.keys import end_key

    end_key(**options)


@click.group()
def audit() -> None:
    """Verify, show and export the audit log."""


@audit.command("verify")
@click.option("--head", help="A row noted earlier, SEQ:HASH: finds what was removed at the end.")
@store_options
def audit_verify(**options: Any) -> None:
    """Find rows that were changed, removed or reordered; exit code 3 if there are any."""
    from rollby.commands.audit import verify_audit

    verify_audit(**options)


@audit.command("show")
@click.option("--last", type=click.IntRange(min=1), default=20, show_default=True, help="Rows.")
@json_option
@store_options
def audit_show(**options: Any) -> None:
    """Show the last rows; that is written down too."""
    from rollby.commands.audit import show_audit

    show_audit(**options)


@audit.command("export")
@click.argument("out", type=file_in(".csv", ".jsonl"))
@store_options
def audit_export(out: Path, **options: Any) -> None:
    """Write all rows into a .csv or .jsonl file; that is written down too."""
    from rollby.commands.audit import export_audit

    export_audit(out, **options)


@click.command()
@click.argument("out", type=FILE)
@store_options
def backup(**options: Any) -> None:
    """Write the whole store into one file, while the service runs."""
    from rollby.commands.backup import write_backup

    write_backup(**options)


@click.command()
@click.argument("file", type=FILE)
@store_options
def restore(**options: Any) -> None:
    """Make a store of a backup, in an empty place."""
    from rollby.commands.backup import read_back

    read_back(**options)


@click.group()
def feeds() -> None:
    """Look at what the senders send."""


@feeds.command("check")
@click.option(
    "--settings", type=FILE, required=True, help="Settings, TOML, with tables feeds.NAME."
)
@click.option("--roads", type=FILE, help="A .roads file, to say how far from a road fixes lie.")
@click.option(
    "--listen",
    "listen_s",
    type=click.FloatRange(min=0, max=86400, min_open=True),
    default=60,
    show_default=True,
    help="Listen for so many seconds.",
)
@json_option
def feeds_check(**options: Any) -> None:
    """Listen for a while: what came by each feed, how often, how old, and what to change."""
    from rollby.commands.feeds import check_feeds

    check_feeds(**options)


COMMANDS = (users, keys, audit, backup, restore, feeds)

"""Accounts and keys as JSON, without their secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data.store.accounts import Account, ApiKey


def account_shown(account: Account) -> dict[str, Any]:
    """
    Show an account without its secrets.

    Returns
    -------
    shown : dict
        As JSON holds it.
    """
    return {
        "name": account.name,
        "role": account.role,
        "unit_ids": list(account.unit_ids),
        "agency": account.agency,
        "terminal": account.terminal,
        "one_time_codes": bool(account.totp),
        "issuer": account.issuer,
        "disabled": account.disabled,
        "created_ms": account.created_ms,
    }


def key_shown(key: ApiKey) -> dict[str, Any]:
    """
    Show a key without its text, which nobody has kept.

    Returns
    -------
    shown : dict
        As JSON holds it.
    """
    return {
        "key_id": key.key_id,
        "name": key.name,
        "role": key.role,
        "unit_ids": list(key.unit_ids),
        "agency": key.agency,
        "created_ms": key.created_ms,
        "until_ms": key.until_ms,
        "used_ms": key.used_ms,
    }

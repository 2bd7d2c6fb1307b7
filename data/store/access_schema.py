"""The tables of who may do what, beside those of `schema`: the same on SQLite and PostgreSQL."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from data.store.schema import metadata

ACCOUNTS = Table(
    "accounts",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("unit_ids", Text, nullable=False),
    Column("agency", String(100), nullable=False),
    Column("terminal", Integer, nullable=False),
    Column("password", Text, nullable=False),
    Column("totp", String(64), nullable=False),
    Column("totp_step", BigInteger, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("disabled", Integer, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)
"""People. `password` is Argon2's text; `unit_ids` a JSON list; `totp_step` the last code used."""

API_KEYS = Table(
    "api_keys",
    metadata,
    Column("key_id", String(20), primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("role", String(20), nullable=False),
    Column("unit_ids", Text, nullable=False),
    Column("agency", String(100), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger),
    Column("used_ms", BigInteger),
)
"""Machines. `digest` is SHA-256 of the key; it is refused from `until_ms` on."""

SESSIONS = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("name", String(100), nullable=False, index=True),
    Column("began_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
)
"""`digest` is SHA-256 of the token that the browser holds."""

FAILED_SIGN_INS = Table(
    "failed_sign_ins",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("made", Integer, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
)
"""By name, whether there is such an account or not."""

AUDIT = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", String(100), nullable=False),
    Column("how", String(20), nullable=False),
    Column("action", String(40), nullable=False),
    Column("about", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
"""Append-only, each row hashed with the one before: `data.store.audit`."""

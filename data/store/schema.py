"""The tables of the store, the same on SQLite and PostgreSQL; `migrations/` makes them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData()

EVENTS = Table(
    "events",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("door", String(40), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("subject", String(240), nullable=False),
    Column("body", Text, nullable=False),
    # Fixes are too many for an index that only the others need.
    Index(
        "events_subject",
        "kind",
        "subject",
        "seq",
        sqlite_where=text("kind <> 'fix'"),
        postgresql_where=text("kind <> 'fix'"),
    ),
)
"""Append-only: `seq` rises by one with every event accepted, `received_ms` never falls."""

KEYS_TAKEN = Table(
    "keys_taken",
    metadata,
    Column("sender", String(100), primary_key=True),
    Column("key", String(240), primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
)
"""Idempotency keys of events accepted: what each was sent with (SHA-256), and its last `seq`."""

SAID = Table(
    "said",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(10), nullable=False),
    Column("subject", String(240), nullable=False),
    Column("body", Text, nullable=False),
    Index("said_subject", "subject", "number"),
)
"""What the board said; `number` rises by one."""

DEAD_LETTERS = Table(
    "dead_letters",
    metadata,
    Column(
        "letter_id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("received_ms", BigInteger, nullable=False),
    Column("door", String(40), nullable=False),
    Column("sender", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
)
"""What was refused, as it came."""

COUNTERS = Table(
    "counters",
    metadata,
    Column("door", String(40), primary_key=True),
    Column("outcome", String(10), primary_key=True),
    Column("count", BigInteger, nullable=False),
)
"""By door: accepted, late, duplicate, refused, unkept."""

MEMORIES = Table(
    "memories",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""The board after event `seq`, when saying `number` was the last: what a start begins from."""

READERS = Table(
    "readers",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("number", BigInteger, nullable=False),
)
"""By name: the last saying that was delivered."""

"""The first layout."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    large, text = sa.BigInteger(), sa.Text()
    name, subject = sa.String(100), sa.String(240)
    counted = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "events",
        sa.Column("seq", large, primary_key=True, autoincrement=False),
        sa.Column("received_ms", large, nullable=False),
        sa.Column("door", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("subject", subject, nullable=False),
        sa.Column("body", text, nullable=False),
    )
    few = sa.text("kind <> 'fix'")
    op.create_index(
        "events_subject",
        "events",
        ["kind", "subject", "seq"],
        sqlite_where=few,
        postgresql_where=few,
    )
    op.create_table(
        "keys_taken",
        sa.Column("sender", name, primary_key=True),
        sa.Column("key", subject, primary_key=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("seq", large, nullable=False),
        sa.Column("received_ms", large, nullable=False),
    )
    op.create_table(
        "said",
        sa.Column("number", large, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("subject", subject, nullable=False),
        sa.Column("body", text, nullable=False),
    )
    op.create_index("said_subject", "said", ["subject", "number"])
    op.create_table(
        "dead_letters",
        sa.Column("letter_id", counted, primary_key=True, autoincrement=True),
        sa.Column("received_ms", large, nullable=False),
        sa.Column("door", sa.String(40), nullable=False),
        sa.Column("sender", name, nullable=False),
        sa.Column("reason", text, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "counters",
        sa.Column("door", sa.String(40), primary_key=True),
        sa.Column("outcome", sa.String(10), primary_key=True),
        sa.Column("count", large, nullable=False),
    )

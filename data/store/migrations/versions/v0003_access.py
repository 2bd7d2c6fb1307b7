"""Accounts, API keys, sessions, and the audit log, which nobody alters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER audit_no_{word.lower()} BEFORE {word} ON audit "
        "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
        for word in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        """CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$""",
        """CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()""",
    ],
}


def upgrade() -> None:
    """Make the tables."""
    large, small, text, name = sa.BigInteger(), sa.Integer(), sa.Text(), sa.String(100)
    op.create_table(
        "accounts",
        sa.Column("name", name, primary_key=True),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("unit_ids", text, nullable=False),
        sa.Column("agency", name, nullable=False),
        sa.Column("terminal", small, nullable=False),
        sa.Column("password", text, nullable=False),
        sa.Column("totp", sa.String(64), nullable=False),
        sa.Column("totp_step", large, nullable=False),
        sa.Column("issuer", text, nullable=False),
        sa.Column("disabled", small, nullable=False),
        sa.Column("created_ms", large, nullable=False),
    )
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(20), primary_key=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("name", name, nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("unit_ids", text, nullable=False),
        sa.Column("agency", name, nullable=False),
        sa.Column("created_ms", large, nullable=False),
        sa.Column("until_ms", large),
        sa.Column("used_ms", large),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary(), primary_key=True),
        sa.Column("name", name, nullable=False, index=True),
        sa.Column("began_ms", large, nullable=False),
        sa.Column("seen_ms", large, nullable=False),
    )
    op.create_table(
        "failed_sign_ins",
        sa.Column("name", name, primary_key=True),
        sa.Column("made", small, nullable=False),
        sa.Column("last_ms", large, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("seq", large, primary_key=True, autoincrement=False),
        sa.Column("at_ms", large, nullable=False),
        sa.Column("who", name, nullable=False),
        sa.Column("how", sa.String(20), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("about", text, nullable=False),
        sa.Column("facts", text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    for statement in APPEND_ONLY[op.get_context().dialect.name]:
        op.execute(statement)

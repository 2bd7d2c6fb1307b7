"""What the board remembered, and how far others have read what was said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    large = sa.BigInteger()
    op.create_table(
        "memories",
        sa.Column("seq", large, primary_key=True, autoincrement=False),
        sa.Column("number", large, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "readers",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("number", large, nullable=False),
    )

"""What was refused may have come from a topic or a subject of any length."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the column."""
    with op.batch_alter_table("dead_letters") as table:
        table.alter_column("sender", type_=sa.Text(), existing_type=sa.String(100))

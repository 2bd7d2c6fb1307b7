"""How alembic reaches the store: on the connection that `data.store.store` hands it."""

from __future__ import annotations

from alembic import context

from data.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

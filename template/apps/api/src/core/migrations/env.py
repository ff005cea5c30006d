"""Runs migrations on the connection that `migrate.py` opened."""

from alembic import context

from apps.api.src.core.tables import all_tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=all_tables(),
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()

"""Runs Alembic on the connection that `storage.schema` hands over."""

from alembic import context

from apps.langgraph.src.core.storage.schema import VERSION_TABLE
from apps.langgraph.src.core.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # SQLite alters a table by copying it.
    render_as_batch=True,
    transactional_ddl=True,
    include_name=lambda name, kind, _: kind != "table" or name in metadata.tables,
)
with context.begin_transaction():
    context.run_migrations()

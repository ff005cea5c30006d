"""Brings the agents service's database up to date: `python -m apps.langgraph.src.core.migrate`.

One job runs this before the service starts; replicas only check.
"""

import asyncio
import sys

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from apps.langgraph.src.core.storage import schema
from apps.langgraph.src.core.storage.checkpoints import open_checkpointer, setup_checkpointer
from shared.database import create_threads_engine
from shared.settings import Settings, SettingsError, get_settings


async def migrate(settings: Settings) -> None:
    """Apply the service's migrations and those of LangGraph's checkpointer."""
    engine = create_threads_engine(settings.database_url("agents"))
    try:
        schema.upgrade(engine)
    finally:
        engine.dispose()
    async with open_checkpointer(settings.database_url("checkpoints")) as checkpointer:
        await setup_checkpointer(checkpointer)


def main() -> int:
    """Exit codes: 0 up to date, 1 a setting is wrong or the database refuses."""
    try:
        asyncio.run(migrate(get_settings()))
    except (SettingsError, schema.SchemaOutdatedError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except (SQLAlchemyError, psycopg.Error) as error:
        print(f"The database refuses: {getattr(error, 'orig', None) or error}", file=sys.stderr)
        return 1
    print("The agents service's database is up to date.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Apply the agents service's migrations: `uv run python -m apps.langgraph.src.core.migrate`.

One job runs this before the service starts; replicas only check.
"""

import sys

from apps.langgraph.src.core.storage.checkpoints import open_checkpointer, setup_checkpointer
from apps.langgraph.src.core.storage.migrations import HISTORY
from shared.migrations import Upgrade, run_job
from shared.settings import Settings


async def migrate(settings: Settings) -> Upgrade:
    """Bring the service's tables and those of LangGraph's checkpointer to this release.

    Raises `SchemaError`.
    """
    revisions = await HISTORY.upgrade(settings.database_url("agents"))
    async with open_checkpointer(settings.database_url("checkpoints")) as checkpointer:
        await setup_checkpointer(checkpointer)
    return revisions


if __name__ == "__main__":
    sys.exit(run_job(migrate))

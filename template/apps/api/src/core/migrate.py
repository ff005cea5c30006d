"""Apply the API's migrations: `uv run python -m apps.api.src.core.migrate`.

One job runs this before the services start; services only check.
"""

import sys

from apps.api.src.core.migrations import HISTORY
from shared.migrations import Upgrade, run_job
from shared.settings import Settings


async def migrate(settings: Settings) -> Upgrade:
    """Bring the API's tables to this release. Raises `SchemaError`."""
    return await HISTORY.upgrade(settings.database_url("platform"))


if __name__ == "__main__":
    sys.exit(run_job(migrate))

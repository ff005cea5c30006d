"""The features of the API, in the order in which the OpenAPI document lists their routes.

To add a feature, add its package and its line here. A router's `lifespan` starts and stops what the
feature needs while the service runs; those of earlier features are started first.
"""

from apps.api.src.core.accounts.routes import router as accounts
from apps.api.src.core.agents.routes import router as agents
from apps.api.src.core.conversations.routes import router as conversations
from apps.api.src.core.platform.health import router as health

ROUTERS = (
    health,
    accounts,
    agents,
    conversations,
)

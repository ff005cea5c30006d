"""The agents service with the agents of the tests, for `uvicorn`."""

import os
from pathlib import Path

from apps.langgraph.src.core.agents.registry import AgentRegistry
from apps.langgraph.src.core.app import create_app
from shared.logging import configure_logging
from shared.settings import get_settings

configure_logging("warning", json=False)
app = create_app(get_settings(), AgentRegistry(Path(os.environ["TEST_AGENTS"])))

"""Serves the agents in a folder: `python -m apps.api.tests.support.serve_agents FOLDER PORT`."""

import asyncio
import sys
from pathlib import Path

import uvicorn

from apps.langgraph.src.core.agents.registry import AgentRegistry
from apps.langgraph.src.core.app import create_app
from apps.langgraph.src.core.migrate import migrate
from shared.settings import get_settings

if __name__ == "__main__":
    settings = get_settings()
    asyncio.run(migrate(settings))
    app = create_app(settings, AgentRegistry(Path(sys.argv[1])))
    uvicorn.run(app, port=int(sys.argv[2]), log_level="warning")

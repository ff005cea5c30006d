"""Settings of every service: `platform.toml`, overridden by `.env`, overridden by the environment.

A value `key` in the table `[section]` of `platform.toml` is overridden by the variable
`SECTION__KEY`, so that a developer can move a port and a server can set an address without
changing a tracked file. Secrets have no place in `platform.toml`; they come from `.env` only.
"""

from shared.settings.agents import Agents
from shared.settings.customer import Customer
from shared.settings.database import Database
from shared.settings.mcp import Mcp, McpServer
from shared.settings.model import Model, ModelChoice, Price, Provider
from shared.settings.ports import HOST, Ports
from shared.settings.reading import SettingsError, get_settings, read_settings
from shared.settings.services import Services
from shared.settings.settings import PROJECT_ROOT, Settings

__all__ = [
    "HOST",
    "PROJECT_ROOT",
    "Agents",
    "Customer",
    "Database",
    "Mcp",
    "McpServer",
    "Model",
    "ModelChoice",
    "Ports",
    "Price",
    "Provider",
    "Services",
    "Settings",
    "SettingsError",
    "get_settings",
    "read_settings",
]

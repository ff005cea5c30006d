"""Settings of every service: `platform.toml`, overridden by `.env`, overridden by the environment.

A value `key` in the table `[section]` of `platform.toml` is overridden by the variable
`SECTION__KEY`, so that a developer can move a port and a server can set an address without
changing a tracked file. Secrets have no place in `platform.toml`; they come from `.env` only.
"""

from shared.settings.agents import Agents as Agents
from shared.settings.api import Api as Api
from shared.settings.customer import Customer as Customer
from shared.settings.database import Database as Database
from shared.settings.mcp import Mcp as Mcp
from shared.settings.mcp import McpServer as McpServer
from shared.settings.model import Model as Model
from shared.settings.model import ModelChoice as ModelChoice
from shared.settings.model import Price as Price
from shared.settings.model import Provider as Provider
from shared.settings.ports import Ports as Ports
from shared.settings.reading import SettingsError as SettingsError
from shared.settings.reading import get_settings as get_settings
from shared.settings.reading import read_settings as read_settings
from shared.settings.services import Services as Services
from shared.settings.settings import PROJECT_ROOT as PROJECT_ROOT
from shared.settings.settings import Settings as Settings

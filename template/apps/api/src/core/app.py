"""The API service, as uvicorn starts it: `uvicorn apps.api.src.core.app:app`."""

import logging
import sys

from apps.api.src.core.factory import create_app
from shared.logging import configure_logging
from shared.settings import SettingsError, get_settings

try:
    settings = get_settings()
    configure_logging(settings.log_level, json=settings.environment == "production")
    # AccessLogMiddleware logs each request; Alembic logs every check of the schema.
    for name in ("uvicorn.access", "httpx", "alembic"):
        logging.getLogger(name).setLevel("WARNING")
    app = create_app(settings)
except SettingsError as error:
    sys.exit(str(error))

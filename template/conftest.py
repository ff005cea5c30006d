"""Settings for all tests: no service, no key, and nothing of this project's settings and data."""

import os
import secrets
import tempfile

# Set before anything reads the settings; overrides those of this machine.
ROOT = tempfile.TemporaryDirectory(prefix="platform-tests-")
os.environ |= {
    "PLATFORM_ROOT": ROOT.name,
    "CUSTOMER__NAME": "Test company",
    "CUSTOMER__SLUG": "test-company",
    "CUSTOMER__ADMIN_EMAIL": "admin@test.example",
    "DATABASE__KIND": "sqlite",
    "ENVIRONMENT": "development",
    "LANGGRAPH_STRICT_MSGPACK": "true",
    "LANGSMITH_TRACING": "false",
    "MODEL__OFFLINE_ONLY": "true",
    "SECRET_KEY": secrets.token_hex(32),
    "SERVICE_TOKEN": secrets.token_hex(32),
}

"""A small template, as it is rendered: one or two files of each kind that a platform has."""

COMPOSE = """\
services:
  postgres:
    image: postgres:17
    environment:
      - POSTGRES_USER=platform
      - POSTGRES_DB=platform
    ports:
      - "127.0.0.1:5432:5432"
    deploy:
      resources:
        limits:
          memory: 512m
    restart: unless-stopped
    init: true
    read_only: true

  api:
    image: platform/api:1.0
    environment:
      - DATABASE=postgres
      - LOG_LEVEL=info
    ports:
      - "127.0.0.1:9000:9000"
    depends_on:
      - postgres
    deploy:
      resources:
        limits:
          memory: 512m
    restart: unless-stopped
    init: true
    read_only: true

  langgraph:
    image: platform/langgraph:1.0
    environment:
      - DATABASE=postgres
      - LOG_LEVEL=info
    ports:
      - "127.0.0.1:6200:6200"
    depends_on:
      - postgres
    deploy:
      resources:
        limits:
          memory: 512m
    restart: unless-stopped
    init: true
    read_only: true

  web:
    image: platform/web:1.0
    ports:
      - "127.0.0.1:9001:9001"
    depends_on:
      - api
    deploy:
      resources:
        limits:
          memory: 512m
    restart: unless-stopped
    init: true
    read_only: true

volumes:
  postgres: {}
"""

APP = '''\
"""The API."""

from fastapi import FastAPI

from apps.api.src.core.auth import check_token
from shared.logging import configure


def create_app() -> FastAPI:
    """Build the application."""
    configure()
    app = FastAPI(title='Platform')
    app.middleware('http')(check_token)

    @app.get('/health')
    def health() -> dict[str, str]:
        return {'status': 'alive'}

    @app.get('/ready')
    def ready() -> dict[str, str]:
        return {'status': 'ready'}

    return app


def describe() -> str:
    """What this service is called in logs."""
    name = 'api'
    version = '1.0'
    return f'{name} {version}'
'''

AUTH = '''\
"""Tokens."""

import hmac

HEADER = 'authorization'
LIFETIME = 3600
ALGORITHM = 'HS256'


def valid(token: str, secret: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(token, secret)


def expired(age: int) -> bool:
    """Whether a token of this age (seconds) is too old."""
    return age > LIFETIME


async def check_token(request, call_next):
    """Refuse what has no token."""
    if not valid(request.headers.get(HEADER, ''), request.app.secret):
        raise PermissionError('no token')
    return await call_next(request)
'''

SETTINGS = '''\
"""Settings of all services."""

import os

HOST = os.environ.get('HOST', '127.0.0.1')
PORT = int(os.environ.get('PORT', '9000'))
TIMEOUT = 30
RETRIES = 3
PAGE_SIZE = 50
DATABASE = os.environ.get('DATABASE', 'sqlite')
LOG_LEVEL = os.environ.get('LOG_LEVEL', 'info')
'''

LOGGING = '''\
"""Logs of all services."""

import logging
import sys

FORMAT = '%(asctime)s %(levelname)s %(message)s'
LEVEL = logging.INFO


def configure() -> None:
    """Write logs to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(FORMAT))
    root = logging.getLogger()
    root.setLevel(LEVEL)
    root.addHandler(handler)


def quiet(*names: str) -> None:
    """Silence chatty libraries."""
    for name in names:
        logging.getLogger(name).setLevel(logging.WARNING)
'''

RUNS = '''\
"""Runs of agents."""

import asyncio

LIMIT = 10
POLL = 0.5


async def run(graph, state):
    """Run a graph to its end."""
    async with asyncio.timeout(60):
        return await graph.ainvoke(state)


def queue_length(queue) -> int:
    """How many runs wait."""
    return len(queue)


async def cancel(task) -> None:
    """Stop a run."""
    task.cancel()
    await asyncio.sleep(0)
'''

PYPROJECT = """\
[project]
name = "platform"
version = "1.0"
dependencies = [
    "fastapi>=0.115",
    "httpx>=0.27",
    "langgraph>=0.2",
    "pydantic>=2.9",
]

[dependency-groups]
dev = [
    "mypy>=1.12",
    "pytest>=8.3",
    "ruff>=0.7",
]

[tool.ruff]
line-length = 100

[tool.ruff.lint]
select = ["E", "F", "I"]

[tool.mypy]
strict = true
"""

PACKAGE = """\
{
  "name": "web",
  "private": true,
  "scripts": {
    "build": "vite build",
    "dev": "vite"
  },
  "dependencies": {
    "@nuxt/ui": "^4.0.0",
    "vue": "^3.5.0"
  },
  "devDependencies": {
    "typescript": "^5.6.0",
    "vite": "^8.0.0"
  }
}
"""

WORKFLOW = """\
name: CI
on:
  push:
    branches: [main]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
      - name: Install
        run: make setup
      - name: Test
        run: make test
"""

PRE_COMMIT = """\
repos:
  - repo: https://github.com/pre-commit/pre-commit-hooks
    rev: v4.6.0
    hooks:
      - id: end-of-file-fixer
      - id: trailing-whitespace
  - repo: https://github.com/astral-sh/ruff-pre-commit
    rev: v0.7.0
    hooks:
      - id: ruff
      - id: ruff-format
"""

ALERTS = """\
groups:
  - name: platform
    rules:
      - alert: ApiDown
        expr: up{job="api"} == 0
        for: 1m
        labels:
          severity: page
      - alert: DiskFull
        expr: disk_free < 10
        for: 5m
        labels:
          severity: page
      - alert: SlowAnswers
        expr: latency > 2
        for: 5m
        labels:
          severity: mail
"""

ENV = """\
# Copy to .env and fill in.

# Model
MODEL_PROVIDER=offline
MODEL_TIMEOUT=30

# Ports
PORTS__API=9000
PORTS__WEB=9001
PORTS__LANGGRAPH=6200

# Logs
LOG_LEVEL=info
"""

README = """\
# Platform

An AI-agent platform.

## Start

    make setup
    make dev

## Folders

- apps: the services
- shared: what they share
- docs: documentation

## Update

    platform update
"""

MAKEFILE = """\
setup:
\tpython scripts/setup.py

dev:
\tplatform dev

test:
\tpytest

lint:
\truff check .
"""

MKDOCS = """\
site_name: Platform
nav:
  - Home: index.md
  - Updates: docs/customer/updates.md
theme:
  name: material
"""

CADDYFILE = """\
platform.acme.example {
\tencode gzip
\thandle_path /api/* {
\t\treverse_proxy 127.0.0.1:9000
\t}
\thandle {
\t\treverse_proxy 127.0.0.1:9001
\t}
}
"""

UPDATES = (
    "# Updates\n\nRun `platform update`.\n\nIt shows what changes.\n\nAsk for help if stuck.\n"
)
BACKUP = "#!/bin/sh\nset -eu\npg_dump platform > backup.sql\ngzip backup.sql\n"
LOGO = bytes(range(256)) * 4

FILES: dict[str, bytes] = {
    name: content if isinstance(content, bytes) else content.encode()
    for name, content in {
        "platform.toml": '[customer]\nname = "Acme"\n\n[ports]\napi = 9000\nweb = 9001\n',
        "pyproject.toml": PYPROJECT,
        "docker-compose.dev.yml": COMPOSE,
        "docker-compose.prod.yml": COMPOSE.replace("platform/", "registry.example/platform/"),
        ".env.template": ENV,
        ".gitignore": ".env\n/data/\n__pycache__/\n*.log\n",
        "README.md": README,
        "Makefile": MAKEFILE,
        "mkdocs.yml": MKDOCS,
        ".github/workflows/ci.yml": WORKFLOW,
        ".pre-commit-config.yaml": PRE_COMMIT,
        "apps/api/src/core/app.py": APP,
        "apps/api/src/core/auth.py": AUTH,
        "apps/api/src/routes/hello.py": "def hello():\n    return 'hello'\n",
        "apps/langgraph/src/core/runs.py": RUNS,
        "apps/langgraph/src/agents/demo/graph.py": "graph = None\nMODEL = 'offline'\n",
        "apps/web/package.json": PACKAGE,
        "apps/web/src/core/logo.png": LOGO,
        "apps/web/src/theme.css": ":root {\n  --primary: blue;\n}\n",
        "shared/settings.py": SETTINGS,
        "shared/logging.py": LOGGING,
        "scripts/backup.sh": BACKUP,
        "deployment/caddy/Caddyfile": CADDYFILE,
        "deployment/monitoring/alerts.yml": ALERTS,
        "docs/customer/updates.md": UPDATES,
        "docs/customer/legacy.txt": "Gr\u00fc\u00dfe\nzweite Zeile\ndritte Zeile\n".encode(
            "latin-1"
        ),
    }.items()
}
EXECUTABLE = {"scripts/backup.sh"}

"""What the template's releases change, one kind each."""

import json
import re

from tests.bench.updates.changes import (
    ALERTS,
    APP,
    AUTH,
    CADDY,
    CI,
    DEV,
    LEGACY,
    LOGGING,
    LOGO,
    PACKAGE,
    PROD,
    RUNS,
    SETTINGS,
    Change,
    Tree,
    service,
)

REDIS_ALERT = """\
      - alert: RedisDown
        expr: up{job="redis"} == 0
        for: 1m
        labels:
          severity: page
"""
DISK_ALERT = """\
      - alert: DiskFull
        expr: disk_free < 10
        for: 5m
        labels:
          severity: page
"""
DOCS_JOB = """\
  docs:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: make docs
"""
CODESPELL = """\
  - repo: https://github.com/codespell-project/codespell
    rev: v2.3.0
    hooks:
      - id: codespell
"""
DESCRIBE = '''

def describe() -> str:
    """What this service is called in logs."""
    name = 'api'
    version = '1.0'
    return f'{name} {version}'
'''
SETTINGS_CLASS = '''\
"""Settings of all services."""

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    host: str = "127.0.0.1"
    port: int = 9000
    timeout: int = 30
    retries: int = 3
    page_size: int = 50
'''
COMMON = """\
x-common: &common
  deploy:
    resources:
      limits:
        memory: 512m
  logging:
    driver: local

"""
NEW_README = """\
# The agent platform

Read docs/customer first.

## Start

    make demo

## Update

    platform update --preview
"""


def bug_fixes(tree: Tree) -> None:
    tree.edit(APP, ("return {'status': 'ready'}", "return {'status': 'ready', 'database': 'up'}"))
    tree.edit(APP, ("    version = '1.0'\n", "    version = '1.1'\n"))
    tree.edit(AUTH, ("LIFETIME = 3600", "LIFETIME = 1800"), ("age > LIFETIME", "age >= LIFETIME"))
    tree.edit(RUNS, ("timeout(60)", "timeout(120)"), ("sleep(0)\n", "sleep(0)\n    await task\n"))
    tree.edit(LOGGING, ("root.addHandler(handler)", "root.handlers[:] = [handler]"))
    tree.edit(SETTINGS, ("RETRIES = 3", "RETRIES = 5"))
    tree.edit(ALERTS, ("expr: latency > 2", "expr: latency > 3"))
    tree.edit("scripts/backup.sh", ("gzip backup.sql", "gzip --force backup.sql"))


def new_service(tree: Tree) -> None:
    for path in (DEV, PROD):
        tree.edit(path, ("  api:\n", service("redis", "redis:8", 6379) + "  api:\n"))
        tree.edit(path, ("  postgres: {}\n", "  postgres: {}\n  redis: {}\n"))
    tree.edit(
        DEV,
        (
            "platform/api:1.0\n    environment:\n",
            "platform/api:1.0\n    environment:\n      - REDIS=redis\n",
        ),
    )
    tree.edit(
        ".env.template", ("PORTS__LANGGRAPH=6200\n", "PORTS__LANGGRAPH=6200\nPORTS__REDIS=6379\n")
    )
    tree.edit(
        "pyproject.toml", ('    "pydantic>=2.9",\n', '    "pydantic>=2.9",\n    "redis>=6",\n')
    )
    tree.edit("platform.toml", ("web = 9001\n", "web = 9001\nredis = 6379\n"))
    tree.edit(
        ALERTS,
        (
            "      - alert: DiskFull",
            f"{REDIS_ALERT}      - alert: DiskFull",
        ),
    )
    tree.edit(SETTINGS, ("PAGE_SIZE = 50\n", "PAGE_SIZE = 50\nREDIS = 'redis://127.0.0.1'\n"))
    tree.edit("README.md", ("- shared: what", "- redis: the cache\n- shared: what"))


def dependency_bumps(tree: Tree) -> None:
    tree.edit(
        "pyproject.toml",
        ("fastapi>=0.115", "fastapi>=0.116"),
        ("langgraph>=0.2", "langgraph>=1.0"),
        ("ruff>=0.7", "ruff>=0.9"),
    )
    tree.edit(
        PACKAGE, ('"vue": "^3.5.0"', '"vue": "^3.6.0"'), ('"vite": "^8.0.0"', '"vite": "^8.1.0"')
    )
    tree.edit(
        ".pre-commit-config.yaml", ("rev: v4.6.0", "rev: v5.0.0"), ("rev: v0.7.0", "rev: v0.9.0")
    )
    tree.edit(CI, ("checkout@v4", "checkout@v5"), ("setup-python@v5", "setup-python@v6"))
    for path in (DEV, PROD):
        tree.edit(
            path, ("postgres:17", "postgres:18"), ("api:1.0", "api:1.1"), ("web:1.0", "web:1.1")
        )


def renamed_modules(tree: Tree) -> None:
    tree.move(LOGGING, "shared/logs.py")
    tree.edit("shared/logs.py", ('"""Silence chatty libraries."""', '"""Silence libraries."""'))
    tree.move(AUTH, "apps/api/src/core/security/tokens.py")
    tree.edit(
        APP, ("core.auth import", "core.security.tokens import"), ("shared.logging", "shared.logs")
    )
    tree.move("docs/customer/updates.md", "docs/customer/update.md")
    tree.edit("mkdocs.yml", ("customer/updates.md", "customer/update.md"))
    tree.move(LOGO, "apps/web/src/core/assets/logo.png")
    tree.move(CADDY, "deployment/proxy/Caddyfile")


def removals(tree: Tree) -> None:
    for path in ("scripts/backup.sh", LEGACY, CADDY, "mkdocs.yml"):
        del tree.files[path]
    tree.executable.discard("scripts/backup.sh")
    tree.edit(
        PROD,
        (
            '      - LOG_LEVEL=info\n    ports:\n      - "127.0.0.1:6200',
            '    ports:\n      - "127.0.0.1:6200',
        ),
    )
    tree.edit(".env.template", ("MODEL_TIMEOUT=30\n", ""), ("\n# Logs\nLOG_LEVEL=info\n", ""))
    tree.edit(
        APP,
        (
            DESCRIBE,
            "",
        ),
    )
    tree.edit("pyproject.toml", ('    "httpx>=0.27",\n', ""))
    tree.edit(
        ALERTS,
        (
            DISK_ALERT,
            "",
        ),
    )
    tree.edit("Makefile", ("lint:\n\truff check .\n", ""))


def tooling(tree: Tree) -> None:
    tree.edit(
        "pyproject.toml",
        ('"F", "I"]', '"F", "I", "UP"]\nignore = ["E501"]'),
        ('    "ruff>=0.7",\n', '    "pytest-cov>=6",\n    "ruff>=0.7",\n'),
    )
    tree.append("pyproject.toml", '\n[tool.pytest.ini_options]\ntestpaths = ["apps"]\n')
    tree.edit(
        "Makefile",
        ("test:\n\tpytest\n", "test:\n\tpytest --cov\n"),
        ("lint:\n\truff check .\n", "lint:\n\truff check .\n\nformat:\n\truff format .\n"),
    )
    tree.edit(
        CI,
        (
            "      - name: Test\n",
            "      - name: Lint\n        run: make lint\n      - name: Test\n",
        ),
    )
    tree.append(
        CI,
        DOCS_JOB,
    )
    tree.edit(
        ".pre-commit-config.yaml",
        (
            "      - id: end-of-file-fixer\n",
            "      - id: check-toml\n      - id: end-of-file-fixer\n",
        ),
        (
            "      - id: ruff-format\n",
            f"      - id: ruff-format\n{CODESPELL}",
        ),
    )
    tree.append(".gitignore", ".coverage\nhtmlcov/\n")
    tree.edit("mkdocs.yml", ("updates.md\n", "updates.md\n  - Help: docs/customer/help.md\n"))
    tree.edit(
        PACKAGE, ('"build": "vite build",\n', '"build": "vite build",\n    "check": "vue-tsc",\n')
    )


def reformatted(tree: Tree) -> None:
    """A formatter's new version: quotes, indentation, arrays on several lines."""
    for path in (APP, AUTH, SETTINGS, RUNS, LOGGING):
        tree.files[path] = (
            tree.files[path]
            .replace(b"'", b'"')
            .replace(b'f"{name} {version}"', b"f'{name} {version}'")
        )
    for path in (DEV, PROD):
        text = tree.files[path].decode()
        tree.add(path, re.sub(r"(?m)^( +)", lambda match: match[1] * 2, text))
    tree.add(PACKAGE, json.dumps(json.loads(tree.files[PACKAGE]), indent=4) + "\n")
    tree.edit(
        "pyproject.toml",
        ('select = ["E", "F", "I"]', 'select = [\n    "E",\n    "F",\n    "I",\n]'),
    )


def new_files(tree: Tree) -> None:
    tree.add("docs/customer/troubleshooting.md", "# Troubleshooting\n\nRun `platform doctor`.\n")
    tree.add("scripts/restore.sh", "#!/bin/sh\nset -eu\ngunzip < backup.sql.gz | psql platform\n")
    tree.executable.add("scripts/restore.sh")
    tree.add("apps/api/src/core/limits.py", "LIMIT = 100\n")
    tree.add("NOTES.md", "# Notes of the release\n\nNew limits.\n")
    tree.add(".env.production.template", "LOG_LEVEL=warning\n")
    tree.add("local/defaults.toml", "[local]\nverbose = false\n")
    tree.edit(
        APP,
        (
            "import check_token\n",
            "import check_token\nfrom apps.api.src.core.limits import LIMIT\n",
        ),
        ("title='Platform'", "title='Platform', limit=LIMIT"),
    )


def binaries_and_modes(tree: Tree) -> None:
    tree.add(LOGO, bytes(reversed(range(256))) * 4)
    tree.add("apps/web/src/core/icon.png", b"\x89PNG\0\1\2")
    tree.edit("scripts/backup.sh", ("set -eu", "set -euo pipefail"), ("#!/bin/sh", "#!/bin/bash"))
    tree.executable.add("Makefile")
    tree.edit(LEGACY, ("dritte Zeile", "dritte Zeile, neu"))
    tree.edit(CADDY, ("encode gzip", "encode zstd gzip"))


def large_rewrite(tree: Tree) -> None:
    """Settings become a class, services share a block, the README is written anew."""
    tree.add(
        SETTINGS,
        SETTINGS_CLASS,
    )
    limits = "    deploy:\n      resources:\n        limits:\n          memory: 512m\n"
    text = tree.files[DEV].decode().replace(limits, "    <<: *common\n")
    tree.add(
        DEV,
        COMMON + text,
    )
    tree.add(
        "README.md",
        NEW_README,
    )
    tree.edit("platform.toml", ('name = "Acme"\n', 'name = "Acme"\nlanguage = "en"\n'))
    tree.edit(
        RUNS,
        ("LIMIT = 10\nPOLL = 0.5\n", "LIMIT = 20\nPOLL = 0.25\nLEASE = 30\n"),
        ("return len(queue)", "return queue.qsize()"),
    )


EVOLUTIONS: dict[str, Change] = {
    change.__name__: change
    for change in (
        bug_fixes,
        new_service,
        dependency_bumps,
        renamed_modules,
        removals,
        tooling,
        reformatted,
        new_files,
        binaries_and_modes,
        large_rewrite,
    )
}

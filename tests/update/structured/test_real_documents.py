"""Files as projects have them. Each side is a list of replacements, many next to each other or in
repeated blocks, and the merge must equal the base with the replacements of both."""

import pytest

from extensions.update.merging.structured import merge_structured

COMPOSE = """\
# Development. See docs/customer/development.md.

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

  api:
    image: api
    depends_on:
      postgres:
        condition: service_healthy
    deploy:
      resources:
        limits:
          memory: 512m  # enough for 50 users

  web:
    image: web
    deploy:
      resources:
        limits:
          memory: 512m

volumes:
  postgres: {}
"""

PYPROJECT = """\
[project]
name = "agent-platform"
dependencies = [
    # The web framework.
    "fastapi>=0.115",
    "httpx>=0.28",  # also used by the tests
    "pydantic[email]>=2.10",
]

[dependency-groups]
dev = ["mypy>=1.13", "pytest>=8", "ruff>=0.8"]

[tool.ruff]
line-length = 100

[tool.ruff.lint]
select = ["E", "F", "I"]

[[tool.mypy.overrides]]
module = "copier.*"
ignore_missing_imports = true
"""

PACKAGE = """\
{
  "name": "web",
  "scripts": {
    "build": "vite build",
    "dev": "vite"
  },
  "dependencies": {
    "@nuxt/ui": "^4.0.0",
    "vue": "^3.5.0"
  },
  "files": ["dist"]
}
"""

WORKFLOW = """\
name: CI
on:
  push:
    branches: [main]
  pull_request:

jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python: ["3.11", "3.12"]
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: ${{ matrix.python }}
      - name: Install
        run: |
          pip install uv
          uv sync
      - name: Test
        run: uv run pytest
  lint:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Test
        run: uv run ruff check
"""

PRE_COMMIT = """\
repos:
  - repo: https://github.com/pre-commit/pre-commit-hooks
    rev: v4.6.0
    hooks:
      - id: end-of-file-fixer
      - id: trailing-whitespace
        exclude: \\.md$
  - repo: https://github.com/astral-sh/ruff-pre-commit
    rev: v0.8.0
    hooks:
      - id: ruff
        args: [--fix]
      - id: ruff-format
"""

MKDOCS = """\
site_name: Platform
theme:
  name: material
  features: [navigation.tabs, search.suggest]
nav:
  - Home: index.md
  - Guides:
      - Quick start: guides/quick-start.md
      - Updates: guides/updates.md
  - changelog.md
markdown_extensions:
  - admonition
  - toc:
      permalink: true
"""

ENV = """\
# Copy to .env and fill in.

# Model
MODEL_PROVIDER=offline
# OPENAI_API_KEY=

# Ports
PORTS__API=9000
PORTS__WEB=9001
export LOG_LEVEL="info"
"""

CASES = {
    "compose: memory of one service, another service in front of it": (
        "docker-compose.dev.yml",
        COMPOSE,
        [("  web:\n    image: web\n", "  web:\n    image: web\n    mem_swappiness: 0\n")],
        [
            (
                "  web:\n",
                "  worker:\n    image: web\n    deploy:\n      resources:\n        limits:\n"
                "          memory: 512m\n\n  web:\n",
            )
        ],
    ),
    "compose: a service, a port and a variable each": (
        "docker-compose.prod.yml",
        COMPOSE,
        [
            ("volumes:\n", "  crm:  # ours\n    image: crm\n\nvolumes:\n"),
            ("      - POSTGRES_DB=platform\n", "      - POSTGRES_DB=acme\n"),
            ("  postgres: {}\n", "  postgres: {}\n  crm: {}\n"),
            ("512m  # enough for 50 users", "2g  # enough for 500 users"),
        ],
        [
            ("postgres:17", "postgres:18"),
            ('5432"\n', '5432"\n    restart: always\n'),
            (
                "      - POSTGRES_USER=platform\n",
                "      - POSTGRES_USER=platform\n      - TZ=UTC\n",
            ),
            ("condition: service_healthy\n", "condition: service_healthy\n        restart: true\n"),
        ],
    ),
    "pyproject: requirements, lint rules, an override": (
        "pyproject.toml",
        PYPROJECT,
        [
            ('    "pydantic', '    "pandas>=2",\n    "pydantic'),
            ('"fastapi>=0.115"', '"fastapi>=0.116"'),
            ("line-length = 100", "line-length = 120"),
            ('"F", "I"]', '"F", "I", "UP"]'),
        ],
        [
            ("httpx>=0.28", "httpx>=1.0"),
            ("# The web framework.", "# The web framework, pinned by the constraints."),
            ('pydantic[email]>=2.10",\n', 'pydantic[email]>=2.12",\n    "redis>=6",\n'),
            ('"ruff>=0.8"', '"ruff>=0.9", "ty"'),
            ('["E", ', '["B", "E", '),
            ("[tool.ruff.lint]\n", "[tool.ruff.lint]\npreview = true\n"),
            (
                '[[tool.mypy.overrides]]\nmodule = "copier.*"',
                '[[tool.mypy.overrides]]\nmodule = "n8n.*"\nignore_missing_imports = true\n\n'
                '[[tool.mypy.overrides]]\nmodule = "copier.*"',
            ),
        ],
    ),
    "package.json: scripts and dependencies": (
        "apps/web/package.json",
        PACKAGE,
        [
            ('"dev": "vite"', '"dev": "vite --host"'),
            ('"vue": "^3.5.0"', '"vue": "^3.5.0",\n    "vue-echarts": "^8.0.0"'),
        ],
        [
            (
                '"build": "vite build",\n',
                '"build": "vue-tsc && vite build",\n    "check": "vue-tsc",\n',
            ),
            ('"@nuxt/ui": "^4.0.0"', '"@nuxt/ui": "^4.1.0"'),
            ('["dist"]', '["dist", "src"]'),
        ],
    ),
    "workflow: a step each, a script, a matrix": (
        ".github/workflows/ci.yml",
        WORKFLOW,
        [
            (
                "      - name: Test\n        run: uv run pytest\n",
                "      - name: Test\n        shell: bash\n        run: uv run pytest\n",
            ),
            (
                "          pip install uv\n",
                "          pip install --proxy $PROXY uv\n",
            ),
            ("branches: [main]", "branches: [main, acme]"),
        ],
        [
            ("setup-python@v5", "setup-python@v6"),
            ("          uv sync\n", "          uv sync\n          uv pip check\n"),
            ('["3.11", "3.12"]', '["3.11", "3.12", "3.13"]'),
            ("  lint:\n    runs-on: ubuntu-latest\n", "  lint:\n    runs-on: ubuntu-24.04\n"),
        ],
    ),
    "pre-commit: a revision, an exclusion, hooks": (
        ".pre-commit-config.yaml",
        PRE_COMMIT,
        [
            ("exclude: \\.md$", "exclude: \\.(md|csv)$"),
            (
                "      - id: ruff-format\n",
                "      - id: ruff-format\n  - repo: local\n    hooks:\n      - id: acme\n",
            ),
        ],
        [
            ("rev: v4.6.0", "rev: v5.0.0"),
            ("rev: v0.8.0", "rev: v0.9.1"),
            (
                "      - id: end-of-file-fixer\n",
                "      - id: check-toml\n      - id: end-of-file-fixer\n",
            ),
            ("args: [--fix]", "args: [--fix, --exit-non-zero-on-fix]"),
        ],
    ),
    "mkdocs: pages and extensions": (
        "mkdocs.yml",
        MKDOCS,
        [
            ("  - changelog.md\n", "  - Acme: acme.md\n  - changelog.md\n"),
            ("site_name: Platform", "site_name: Acme"),
        ],
        [
            ("guides/updates.md\n", "guides/updates.md\n      - Backup: guides/backup.md\n"),
            ("permalink: true", "permalink: true\n      toc_depth: 3"),
            ("navigation.tabs, ", "navigation.tabs, navigation.top, "),
        ],
    ),
    "env: values, settings and comments": (
        ".env.template",
        ENV,
        [
            ("# OPENAI_API_KEY=\n", "OPENAI_API_KEY=\nCRM_URL=http://crm.acme.local\n"),
            ("PORTS__API=9000", "PORTS__API=9100"),
        ],
        [
            ("MODEL_PROVIDER", "MODEL_TIMEOUT=60\nMODEL_PROVIDER"),
            ("PORTS__WEB=9001", "PORTS__WEB=9001\nPORTS__N8N=5678"),
            ('"info"', '"info"  # debug, info, warning'),
        ],
    ),
}


def edit(text, replacements):
    for old, new in replacements:
        assert text.count(old) == 1, f"not once: {old}"
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("case", CASES)
def test_both_sides_changes_and_nothing_else(case):
    path, base, ours, theirs = CASES[case]
    sides = (base, edit(base, ours), edit(base, theirs))
    result = merge_structured(path, *(text.encode() for text in sides))
    assert result is not None
    assert result.conflicts == ()
    assert result.merged.decode() == edit(edit(base, theirs), ours)

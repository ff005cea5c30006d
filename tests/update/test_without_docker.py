"""An update that brings compose files to a project that cannot check them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.template import ROOT as REPOSITORY
from tests.support.updates import FILES, Customer, Vendor

TEMPLATE = REPOSITORY / "template"
# What the real one leaves: a `platform` command, here of this repository's tools.
SETUP = f"""
from pathlib import Path
platform = Path(".venv/bin/platform")
platform.parent.mkdir(parents=True, exist_ok=True)
platform.write_text('''#!{TEMPLATE}/.venv/bin/python
import sys
from pathlib import Path
from platform_tools.check import verify
sys.exit(verify.show(Path.cwd(), everything=True))
''')
platform.chmod(0o755)
Path("uv.lock").touch()
"""
PYPROJECT = """
[tool.ruff]
include = ["shared/*.py"]
[tool.mypy]
files = ["shared"]
[tool.pytest.ini_options]
testpaths = ["shared"]
"""
COMPOSE = {
    "docker-compose.dev.yml": "services: {api: {image: api}}\n",
    "docker-compose.prod.yml": (
        "include: [{path: deployment/prod.yml, env_file: .env.production}]\n"
    ),
    "deployment/prod.yml": "services: {api: {image: api}}\n",
}


@pytest.fixture
def customer(vendor: Vendor, copy: Callable[..., Customer]) -> Customer:
    """A project whose `platform verify` passes, with an update to come that has compose files."""
    ignored = str(FILES[".gitignore.jinja"]) + "/.venv/\n.*_cache/\n/uv.lock\n"
    vendor.release(
        "v1.1.0",
        {
            "scripts/customer-tools/setup.py": SETUP,
            ".gitignore.jinja": ignored,
            "pyproject.toml": PYPROJECT,
            "shared/logging.py": "LEVEL = 1\n",
            "shared/test_logging.py": "def test_level() -> None:\n    assert True\n",
            "apps/web/index.html": None,
        },
    )
    project = copy(tag="v1.1.0")
    vendor.release("v1.2.0", COMPOSE)
    return project


def path_without_docker(folder: Path) -> Path:
    """A folder with every program of the PATH except Docker."""
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).glob("*"):
            link = folder / program.name
            if not program.name.startswith("docker") and not link.is_symlink():
                link.symlink_to(program)
    return folder


@pytest.mark.parametrize("docker", ["", "#!/bin/sh\n"], ids=["no Docker", "no .env.production"])
def test_an_update_with_compose_files_lands_where_they_cannot_be_checked(
    customer: Customer, door: str, docker: str, tmp_path: Path
) -> None:
    path = path_without_docker(tmp_path / "bin")
    if docker:
        (path / "docker").write_text(docker)
        (path / "docker").chmod(0o755)

    # `update` of the tests leaves `platform verify` out.
    arguments = ("update",) if door == "platform" else ("update", "--trust", "--defaults")
    result = getattr(customer, door)(*arguments, PATH=str(path))

    assert result.code == 0, result.output
    assert all(customer.read(name) == text for name, text in COMPOSE.items())
    assert "_commit: v1.2.0" in customer.read(".copier-answers.yml")
    if door == "platform":
        reason = ".env.production is missing" if docker else "Docker Compose is not installed"
        assert f"Skipped: docker-compose.prod.yml ({reason})" in result.output
        assert ("Skipped: docker-compose.dev.yml" in result.output) == (not docker)

"""Generated projects in containers."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.containers.production import Production, start
from tests.support.browser import chromium
from tests.support.engine import Stack, docker

NewProduction = Callable[..., AbstractContextManager[Production]]


@pytest.fixture(scope="session")
def new_production(
    generate: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> NewProduction:
    """Runs a project in production during a context; answers as keywords.

    `small` names a volume that has only 100 MB.
    """

    @contextmanager
    def run(name: str, small: str = "", **answers: object) -> Iterator[Production]:
        root = generate(tmp_path_factory.mktemp("production") / name, **answers)
        project = f"test-{name}-{os.getpid()}"
        environment = {"COMPOSE_PROJECT_NAME": project}
        stack = Stack(root, "docker-compose.prod.yml", project, environment)
        try:
            if small:
                make_small(f"{project}_{small}")
            yield start(stack)
        finally:
            stack.down()
            images = [f"{project}-{part}" for part in ("api", "caddy", "langgraph", "web")]
            # Their layers stay in the build cache, for the next run.
            docker("image", "rm", "--force", *images)

    return run


@pytest.fixture(
    scope="session", params=["postgresql", pytest.param("sqlite", marks=pytest.mark.long)]
)
def production(
    request: pytest.FixtureRequest, new_production: NewProduction
) -> Iterator[Production]:
    """A project in production, by its guide; tests leave it as they found it."""
    with new_production(request.param, database=request.param) as one:
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one module, as Playwright's event loop stops other tests."""
    with chromium() as one:
        yield one


def make_small(volume: str) -> None:
    """Create a volume in memory, of 100 MB, for any user."""
    options = [f"--opt={one}" for one in ("type=tmpfs", "device=tmpfs", "o=size=100m,mode=1777")]
    docker("volume", "create", *options, volume)

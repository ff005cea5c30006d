"""A migrated database in a temporary folder, its administrator, and a browser."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import select, update

from apps.api.src.core.accounts.administration import ensure_admin
from apps.api.src.core.accounts.models import User
from apps.api.src.core.conversations.models import Conversation, Message, Run
from apps.api.src.core.database import Database
from apps.api.src.core.factory import create_app
from apps.api.src.core.migrate import migrate
from apps.api.src.core.migrations import HISTORY
from apps.api.src.core.platform import customization
from apps.api.tests.support.agents_service import AgentsService, run_agents_service
from shared.settings import Agents, Api, Customer, Mcp, Model, Ports, Services, Settings
from shared.settings import Database as DatabaseSettings

# Nothing listens on this port: the agents service is down.
CLOSED_PORT = 1


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a project without data, and without your routes and tables."""
    monkeypatch.setattr(customization, "FOLDER", tmp_path / "custom")
    monkeypatch.setattr(HISTORY, "custom", tmp_path / "custom/migrations")
    # Do not wait for a service that the test has not started.
    monkeypatch.setattr("apps.api.src.core.agents.service.CONNECT_RETRIES", 0)
    return Settings(
        environment="development",
        data_dir=tmp_path / "data",
        customer=Customer(
            name="Test company",
            slug="test-company",
            admin_email="admin@test.example",
        ),
        services=Services(),
        ports=Ports(langgraph=CLOSED_PORT),
        database=DatabaseSettings(),
        api=Api(),
        model=Model(),
        mcp=Mcp(),
        agents=Agents(),
        langgraph_url="",
        secret_key=secrets.token_hex(32),
        service_token=secrets.token_hex(32),
    )


@pytest.fixture
def password(settings: Settings) -> str:
    """The administrator's password, after migrating the database and creating the account."""

    async def prepare() -> str:
        await migrate(settings)
        database = Database(settings)
        try:
            created = await ensure_admin(database, settings)
        finally:
            await database.engine.dispose()
        assert created["password"]
        return created["password"]

    return asyncio.run(prepare())


@pytest.fixture
def app(settings: Settings, password: str) -> FastAPI:
    """The service on a prepared database."""
    return create_app(settings)


@pytest.fixture
def browser(app: FastAPI) -> Iterator[TestClient]:
    """A browser that is not signed in; the service runs."""
    with TestClient(app) as client:
        yield client


@pytest.fixture
def admin(browser: TestClient, password: str) -> TestClient:
    """The browser, signed in as the administrator."""
    credentials = {"email": "admin@test.example", "password": password}
    browser.post("/auth/login", json=credentials).raise_for_status()
    return browser


@pytest.fixture
def set_roles(settings: Settings) -> Callable[[list[str]], None]:
    """Changes the administrator's roles."""

    async def change(roles: list[str]) -> None:
        database = Database(settings)
        async with database.session.begin() as session:
            await session.execute(update(User).values(roles=roles))
        await database.engine.dispose()

    return lambda roles: asyncio.run(change(roles))


@pytest.fixture
def add_conversation(settings: Settings) -> Callable[..., str]:
    """Stores a conversation, of the administrator or another user, without an agents service."""

    async def add(owner: str, title: str, messages: int) -> str:
        database = Database(settings)
        async with database.session.begin() as session:
            user = await session.scalar(select(User).where(User.email == owner))
            if user is None:
                user = User(email=owner, password_hash="none", roles=[])
                session.add(user)
                await session.flush()
            conversation = Conversation(user_id=user.id, agent="test-agent", title=title)
            session.add(conversation)
            await session.flush()
            for number in range(messages):
                run = Run(conversation_id=conversation.id, status="success", input={})
                session.add(run)
                await session.flush()
                session.add(
                    Message(
                        conversation_id=conversation.id,
                        run_id=run.id,
                        role="user",
                        content=f"message {number}",
                    )
                )
        await database.engine.dispose()
        return str(conversation.id)

    def make(owner: str = "admin@test.example", title: str = "", messages: int = 0) -> str:
        return asyncio.run(add(owner, title, messages))

    return make


@pytest.fixture(scope="session")
def agents_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentsService]:
    """The real agents service, with a copy of the agents in `support/agents`."""
    with run_agents_service(tmp_path_factory.mktemp("agents-service")) as service:
        yield service


@pytest.fixture
def agents_service(settings: Settings, agents_process: AgentsService) -> AgentsService:
    """The real agents service, and settings with which the API finds it."""
    settings.ports.langgraph = agents_process.port
    settings.service_token = SecretStr(agents_process.token)
    return agents_process

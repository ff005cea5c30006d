"""The migration job does all or nothing, and reports why it fails."""

import asyncio
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.agents.service import PYTHON, TEMPLATE, Service

# Ends the process in the middle of the first migration.
KILLED = """
import os
from alembic import op
from apps.langgraph.src.core.migrate import migrate
from shared.migrations import run_job

def killed(*arguments, **options):
    os._exit(9)
op.create_index = killed
run_job(migrate)
"""
UNREACHABLE = {
    "DATABASE__KIND": "postgresql",
    "DATABASE__URL": "postgresql+psycopg://platform:hunter2@127.0.0.1:1/platform",
}


def run(service: Service, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [PYTHON, *arguments]
    return subprocess.run(command, cwd=TEMPLATE, env=service.env, capture_output=True, text=True)


def test_a_migration_that_was_killed_is_begun_again(tmp_path: Path) -> None:
    service = Service(tmp_path)
    assert run(service, "-c", KILLED).returncode == 9
    service.migrate()


def test_a_database_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.migrate()
    with closing(sqlite3.connect(tmp_path / "data/agents.db")) as database:
        database.execute("UPDATE agent_alembic_version SET version_num = '9999'")
        database.commit()
    refused = run(service, "-m", "apps.langgraph.src.core.migrate")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "newer release" in refused.stderr


def test_a_database_that_is_away_is_named(tmp_path: Path) -> None:
    refused = run(Service(tmp_path, **UNREACHABLE), "-m", "apps.langgraph.src.core.migrate")
    assert refused.returncode == 1
    assert "Connection refused" in refused.stderr
    assert "Traceback" not in refused.stderr + refused.stdout
    assert "hunter2" not in refused.stderr + refused.stdout


def test_a_table_that_a_migration_replaces_keeps_what_refers_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic import command
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from apps.langgraph.src.core.storage.migrations import HISTORY
    from shared.database import create_threads_engine

    def replace(config, revision: str) -> None:
        context = MigrationContext.configure(config.attributes["connection"])
        with Operations(context).batch_alter_table("agent_threads", recreate="always"):
            pass

    url = f"sqlite+aiosqlite:///{tmp_path}/agents.db"
    engine = create_threads_engine(url)
    asyncio.run(HISTORY.upgrade(url))
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO agent_threads VALUES ('t', 'anna', '', 'idle', '{}', 0, '', '')"
        )
        connection.exec_driver_sql(
            "INSERT INTO agent_runs (run_id, thread_id, agent, user_id, status, request, metadata,"
            " created_at, updated_at, attempt, losses, cancelled, webhook_tries)"
            " VALUES ('r', 't', '', 'anna', 'success', '{}', '{}', '', '', 1, 0, 0, 0)"
        )
    monkeypatch.setattr(command, "upgrade", replace)
    asyncio.run(HISTORY.upgrade(url))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM agent_runs").scalar() == 1
    engine.dispose()

"""Migrations on both databases: atomic, and one job at a time."""

import subprocess

import pytest

from tests.api.services import PYTHON, TEMPLATE, NewServices, Services, python

UNREACHABLE = "postgresql+psycopg://platform:hunter2@127.0.0.1:1/platform"
# Ends the process in the middle of the last migration, after its first statement.
KILLED = """
import os
from alembic import op
from apps.api.src.core.migrate import migrate
from shared.migrations import run_job

create = op.create_index
def killed(*arguments, **options):
    os._exit(9)
op.create_index = killed
run_job(migrate)
"""
COMPARE = """
import asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from apps.api.src.core.tables import all_tables
from shared.database import create_engine
from shared.settings import get_settings

TABLES = all_tables()

def differences(connection):
    known = lambda name, kind, _: kind != "table" or name in TABLES.tables
    context = MigrationContext.configure(connection, opts={"include_name": known})
    return compare_metadata(context, TABLES)

async def main():
    engine = create_engine(get_settings().database_url("platform"))
    async with engine.connect() as connection:
        print(await connection.run_sync(differences))

asyncio.run(main())
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def project(request: pytest.FixtureRequest, new_services: NewServices) -> Services:
    """A project on each database, before its first migration."""
    services = new_services(request.param)
    services.write_settings()
    return services


def test_migrations_make_the_tables_of_the_models(project: Services) -> None:
    project.run("apps.api.src.core.migrate")

    assert python(project, COMPARE).stdout == "[]\n"


def test_a_killed_migration_leaves_the_database_as_it_was(project: Services) -> None:
    assert python(project, KILLED).returncode == 9

    assert "from revision none" in project.run("apps.api.src.core.migrate")


def test_jobs_that_start_together_migrate_once(project: Services) -> None:
    command = [PYTHON, "-m", "apps.api.src.core.migrate"]
    jobs = [
        subprocess.Popen(
            command, cwd=TEMPLATE, env=project.environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    said = [job.communicate()[0] for job in jobs]

    assert [job.returncode for job in jobs] == [0, 0, 0]
    assert sum("from revision none" in text for text in said) == 1


def test_an_unreachable_database_is_explained_without_a_traceback(project: Services) -> None:
    settings = {"DATABASE__KIND": "postgresql", "DATABASE__URL": UNREACHABLE}
    done = subprocess.run(
        [PYTHON, "-m", "apps.api.src.core.migrate"],
        cwd=TEMPLATE,
        env=project.environment | settings,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert "not changed" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr

"""The customer's own migrations: after the framework's, with a history of their own."""

import shutil
from pathlib import Path

import pytest

from tests.api.services import TEMPLATE, NewServices, Services, python

MIGRATIONS = TEMPLATE / "apps/api/src/core/migrations"
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "{name}"
down_revision = {down!r}
{more}

def upgrade() -> None:
    op.create_table("{name}", sa.Column("id", sa.Integer, primary_key=True))
"""
# Applies the migrations, or only says what is wrong; then prints the tables.
JOB = """
import sys
from pathlib import Path
from sqlalchemy import inspect
from shared.database import create_threads_engine
from shared.migrations import History, run_job
from shared.settings import get_settings

history = History(Path("{core}"), "alembic_version", "the.job", custom=Path("{custom}"))
url = get_settings().database_url("platform")
async def migrate(settings):
    return await history.upgrade(url)
code = run_job(migrate) if {run} else 0
print("problem:", history.problem_at(url))
print("tables:", *inspect(create_threads_engine(url)).get_table_names())
sys.exit(code)
"""


class Project:
    """Both folders of migrations, and the database."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.core = services.root / "core"
        self.custom = services.root / "custom"
        shutil.copytree(MIGRATIONS, self.core, ignore=shutil.ignore_patterns("__pycache__"))

    @property
    def latest(self) -> str:
        """The framework's last revision."""
        return max(path.name[:4] for path in (MIGRATIONS / "versions").glob("0*.py"))

    def add(self, folder: Path, name: str, down: str | None, more: str = "") -> Path:
        """Write a migration that creates a table of its name."""
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}.py"
        path.write_text(MIGRATION.format(name=name, down=down, more=more))
        return path

    def release(self, name: str, down: str) -> None:
        """Write a migration of the framework's next release."""
        self.add(self.core / "versions", name, down)

    def ask(self, *, run: bool, code: int = 0) -> str:
        """What the job says and does; without `run`, only the problem and the tables."""
        job = JOB.format(core=self.core, custom=self.custom, run=run)
        done = python(self.services, job)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr


@pytest.fixture(params=["sqlite", "postgresql"])
def project(request: pytest.FixtureRequest, new_services: NewServices) -> Project:
    """A project on each database, with the framework's migrations applied."""
    services = new_services(request.param)
    services.write_settings()
    project = Project(services)
    project.ask(run=True)
    return project


def test_own_tables_take_the_next_migration_of_the_framework(project: Project) -> None:
    project.add(project.custom, "stock", None)
    assert f"problem: Migrations in {project.custom} are not applied" in project.ask(run=False)

    said = project.ask(run=True)
    assert f"from revision {project.latest} to {project.latest} and stock" in said
    assert "problem: None" in said

    project.release("next", project.latest)
    assert "of an older release" in project.ask(run=False)
    said = project.ask(run=True)
    assert "problem: None" in said
    assert {"stock", "next", "users"} <= {*said.split()}


def test_a_failing_own_migration_changes_nothing(project: Project) -> None:
    project.release("next", project.latest)
    project.add(project.custom, "users", None)

    said = project.ask(run=True, code=1)
    assert "The database was not changed" in said
    assert "next" not in said.rpartition("tables:")[2].split()


def test_an_own_migration_that_is_gone_is_named(project: Project) -> None:
    path = project.add(project.custom, "stock", None)
    project.ask(run=True)
    path.rename(project.core / "stock.py")

    said = project.ask(run=True, code=1)
    assert f"its revision stock is not in {project.custom}" in said
    assert "backup" not in said


def test_two_own_migrations_on_one_are_explained(project: Project) -> None:
    project.add(project.custom, "stock", None)
    project.add(project.custom, "prices", None)

    said = project.ask(run=True, code=1)
    assert "more than one last migration (prices, stock)" in said
    assert "down_revision" in said


def test_own_migrations_in_the_framework_s_history_can_move_out(project: Project) -> None:
    versions = project.core / "versions"
    first = project.add(versions, "stock", project.latest)
    second = project.add(versions, "prices", "stock")
    project.ask(run=True)
    project.release("next", project.latest)
    for run in (False, True):
        said = project.ask(run=run, code=int(run))
        assert "more than one last migration (next, prices)" in said
        assert f"Move your own to {project.custom}" in said
        assert "restore" not in said

    first.unlink()
    project.add(project.custom, "stock", None)
    second.rename(project.custom / second.name)
    assert "needs a line `follows" in project.ask(run=True, code=1)

    project.add(project.custom, "stock", None, more=f"follows = {project.latest!r}")
    assert "of an older release" in project.ask(run=False)
    said = project.ask(run=True)
    assert "to next and prices" in said
    assert "problem: None" in said
    assert {"stock", "prices", "next"} <= {*said.split()}
    assert "is already at revision next and prices" in project.ask(run=True)

"""A project customised by the guides passes `verify`, and takes a release with a migration."""

import re
import resource
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.ports import free_ports
from tests.support.postgresql import postgresql
from tests.support.template import COPIER, clone_template
from tests.support.template import ROOT as REPOSITORY
from tests.support.updates import Customer, Vendor, run
from tests.tools.dev import Dev, run_dev

GUIDE = REPOSITORY / "template/docs/customer/development.md"
MIGRATIONS = "apps/api/src/core/migrations/versions"
TABLE = "apps/api/src/custom/migrations/orders.py"
WEBHOOK = '''"""Orders from the shop, which cannot sign in."""

from fastapi import APIRouter
from sqlalchemy import func, select

from apps.api.src.core.database import DbSession
from apps.api.src.custom.orders import Order

router = APIRouter()


@router.post("/webhook/{article}")
async def receive(article: str, session: DbSession) -> None:
    """Store an order."""
    session.add(Order(article=article))
    await session.commit()


@router.get("/webhook/count")
async def count(session: DbSession) -> int:
    """How many orders there are."""
    return await session.scalar(select(func.count()).select_from(Order)) or 0
'''
AGENT = '''"""Counts orders."""

from typing import Any

from langgraph.graph import START, MessagesState, StateGraph


def answer(state: MessagesState) -> dict[str, Any]:
    """Say how many there are."""
    return {"messages": [("ai", "2 orders")]}


graph = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")
'''
NEXT = '''"""The next release's."""

import sqlalchemy as sa
from alembic import op

revision: str = "next"
down_revision: str | None = "{down}"


def upgrade() -> None:
    op.add_column("users", sa.Column("next", sa.Text(), nullable=True))
'''
# `platform` of a project that is not set up, with this repository's packages.
PLATFORM = """#!/bin/sh
export PYTHONPATH='{root}/scripts/customer-tools'
exec '{template}/.venv/bin/python' -P -m platform_tools.cli "$@"
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database on a server; empty for SQLite."""
    with ExitStack() as stack:
        server = request.param == "postgresql"
        yield stack.enter_context(postgresql()) if server else ""


@pytest.fixture
def customer(tmp_path: Path, database: str) -> Customer:
    """A project of this tree, customised and committed."""
    vendor = clone_template(tmp_path / "template", "v8.0.0")
    kind = "postgresql" if database else "sqlite"
    options = ["--trust", "--defaults", "--quiet", "--vcs-ref=v8.0.0", f"--data=database={kind}"]
    done = run([COPIER, "copy", *options, vendor, tmp_path / "acme"], tmp_path)
    assert done.code == 0, done.output
    customer = Customer(tmp_path / "acme")
    ports = dict(zip(("API", "WEB", "LANGGRAPH"), free_ports(3), strict=True))
    with (customer.root / ".env").open("a") as env:
        env.writelines(f"PORTS__{name}={port}\n" for name, port in ports.items())
        env.write(f"DATABASE__URL={database}\n" if database else "")
    # The files of the guide, without the commands between them.
    for file in re.finditer(r"^cat > (\S+) <<'(\w+)'\n(.*?)^\2$", GUIDE.read_text(), re.M | re.S):
        customer.write({file[1]: file[3]})
    assert {"apps/web/src/pages/stock.vue", TABLE} <= customer.files().keys()
    customer.write({"apps/api/src/custom/shop.py": WEBHOOK})
    customer.write({"apps/langgraph/src/agents/order-desk/graph.py": AGENT})
    customer.commit()
    return customer


def release(customer: Customer) -> None:
    """Release a version with another migration of the framework."""
    vendor = Vendor(customer.root.parent / "template")
    last = max(path.stem[:4] for path in (vendor.root / "template" / MIGRATIONS).glob("0*.py"))
    vendor.release("v9.0.0", {f"{MIGRATIONS}/next.py": NEXT.format(down=last)})


def count(dev: Dev) -> int:
    """The orders that the ready platform has."""
    assert dev.get("api", "/ready")[0] == 200, dev.get("api", "/ready")
    status, body = dev.get("api", "/custom/webhook/count")
    assert status == 200, body
    return int(body)


def order(dev: Dev) -> None:
    command = ["curl", "--fail", "-s", "-X", "POST"]
    subprocess.run([*command, f"{dev.addresses['api']}/custom/webhook/cup"], check=True)


def test_it_takes_an_update_with_a_migration(customer: Customer, door: str, tmp_path: Path) -> None:
    platform = PLATFORM.format(root=customer.root, template=REPOSITORY / "template")
    customer.write({".venv/bin/platform": platform})
    (customer.root / ".venv/bin/platform").chmod(0o755)
    with run_dev(customer.root, tmp_path / "log", "--no-web") as dev:
        order(dev.ready())
        assert count(dev) == 1
    release(customer)

    customer.updated(door)

    assert (customer.root / MIGRATIONS / "next.py").exists()
    with run_dev(customer.root, tmp_path / "log", "--no-web") as dev:
        assert count(dev.ready()) == 1


def cpu_seconds() -> float:
    """Of all children: on an idle machine a check takes no longer."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_it_passes_its_checks_within_two_minutes_before_and_after(
    customer: Customer, door: str, tmp_path: Path
) -> None:
    def in_project(*command: str) -> str:
        done = run(list(command), customer.root)
        assert done.code == 0, done.output
        return done.output

    in_project("make", "setup")
    describe = "uv run python -m apps.api.src.core.openapi > apps/api/openapi.json"
    in_project("sh", "-c", describe)
    customer.commit()
    with run_dev(customer.root, tmp_path / "log") as dev:
        order(dev.ready())
    started = cpu_seconds()
    said = in_project(".venv/bin/platform", "verify")
    assert cpu_seconds() - started < 120
    assert "Left out:" in said
    # Its own code does not fail the framework's tests either.
    assert "Left out:" not in in_project(".venv/bin/platform", "verify", "--all")
    release(customer)

    if door == "platform":
        result = customer.platform("update")
        assert result.code == 0, result.output
    else:
        customer.updated(door)
        in_project("make", "setup")
        in_project(".venv/bin/platform", "verify")

    with run_dev(customer.root, tmp_path / "log") as dev:
        assert count(dev.ready()) == 1

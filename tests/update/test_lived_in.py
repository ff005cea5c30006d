"""A customer's project that has been lived in, of the real template, through both doors."""

import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from extensions.update.inputs.ownership import Ownership
from tests.support.releases import releases
from tests.support.template import COPIER, clone_template
from tests.support.template import ROOT as REPOSITORY
from tests.support.updates import Customer, Vendor, git, run

RELEASED = [one for one in releases(REPOSITORY) if one.get("commit")]
OWNERSHIP = Ownership.load()
MARK = "acme was here"
AGENT = f'''"""{MARK}"""

from typing import Any

from langgraph.graph import START, MessagesState, StateGraph


def answer(state: MessagesState) -> dict[str, Any]:
    """Count what was said."""
    return {{"messages": [("ai", f"{{len(state['messages'])}} orders")]}}


graph = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")
'''
AGENTS_TEST = """from .. import graph as desk


async def test_it_counts() -> None:
    state = await desk.graph.compile().ainvoke({"messages": [("human", "two cups")]})
    assert state["messages"][-1].text == "1 orders"
"""


def change(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text()
    assert old in text, f"{old!r} is not in {path}"
    (root / path).write_text(text.replace(old, new, 1))


def live_in(customer: Customer) -> dict[str, str]:
    """Customise every zone; return what must be found afterwards: path → text."""
    root = customer.root
    head = f'"""{MARK}"""\n'
    own = {
        "apps/api/src/custom/orders.py": head,
        "apps/langgraph/src/agents/order-desk/graph.py": AGENT,
        "apps/langgraph/src/agents/order-desk/tests/test_order_desk.py": AGENTS_TEST,
        "apps/langgraph/templates/own/graph.py": head,
        "apps/web/src/pages/orders.vue": f"<template>{MARK}</template>\n",
        "docs/handbook.md": f"# {MARK}\n",
        "docs/größe und maß.md": f"# {MARK}\n",
        "scripts/nightly.sh": f"#!/bin/sh\n# {MARK}\n",
        ".github/workflows/acme.yml": f"# {MARK}\n",
    }
    customer.write(own)
    (root / "scripts/nightly.sh").chmod(0o755)
    (root / "latest.md").symlink_to("docs/handbook.md")
    (root / "acme.conf").write_bytes(f"# {MARK}\r\n".encode())
    (root / "logo.png").write_bytes(b"\x89PNG\0" + MARK.encode())
    change(root, "shared/logging.py", "\n", f"\n# {MARK}\n")
    change(
        root, "shared/database.py", "SQLITE_BUSY_TIMEOUT = 10_000", "SQLITE_BUSY_TIMEOUT = 20_000"
    )
    change(root, "apps/api/src/core/app.py", "\n", f"\n# {MARK}\n")
    change(root, "platform.toml", "api = 9000", "api = 9100")
    change(root, "pyproject.toml", "dependencies = [", 'dependencies = ["humanize>=4", ')
    change(root, ".env.template", "LOG_LEVEL=info", "LOG_LEVEL=debug\nACME_KEY=")
    change(root, ".gitignore", "/data/\n", "/data/\n/exports/\n")
    change(root, "README.md", "\n", f"\n{MARK}\n")
    customer.git("config", "core.autocrlf", "false")
    customer.git("mv", "docs/customer/troubleshooting.md", "docs/customer/help.md")
    customer.git("rm", "--quiet", "-r", "apps/langgraph/src/agents/marketing-swarm")
    customer.git("rm", "--quiet", "langgraph.json")
    customer.commit()
    customer.write({"data/platform.db": "rows\n", "notes.rej": f"{MARK}\n"})
    change(root, ".env", "SECRET_KEY=", f"ACME={MARK}\nSECRET_KEY=")
    return own | {
        "shared/logging.py": MARK,
        "shared/database.py": "SQLITE_BUSY_TIMEOUT = 20_000",
        "apps/api/src/core/app.py": MARK,
        "platform.toml": "api = 9100",
        "pyproject.toml": '"humanize>=4"',
        ".env.template": "LOG_LEVEL=debug\nACME_KEY=",
        ".gitignore": "/exports/",
        "README.md": MARK,
        ".env": MARK,
        "data/platform.db": "rows\n",
        "notes.rej": MARK,
        "latest.md": MARK,
    }


def develop(vendor: Vendor) -> None:
    """A release that changes a tenth of the files, adds, and touches what customers change."""
    template = vendor.root / "template"
    listed = git(vendor.root, "ls-files", "-z", "template").split("\0")
    for name in [one for one in listed if one.endswith((".py", ".md"))][::10]:
        with (vendor.root / name).open("a") as file:
            file.write("\n# framework 2\n" if name.endswith(".py") else "\nframework 2\n")
    change(template, "docs/customer/troubleshooting.md", "\n", "\nframework 2\n")
    change(template, "shared/logging.py", '"""\n\n', '"""\n\n# framework 2\n\n')
    change(template, "platform.toml.jinja", "langgraph = 6200", "langgraph = 6200\nn8n = 5678")
    change(template, ".env.template", "LOG_LEVEL=info", "LOG_LEVEL=info\nN8N_KEY=")
    change(template, "langgraph.json", "{", "{ ")
    (template / "apps/api/src/core/orders.py").write_text('"""framework 2"""\n')
    (template / "apps/api/src/custom/orders.py").write_text('"""an example"""\n')
    vendor.release("v9.0.0")


def copy(vendor: Vendor, tag: str, root: Path) -> Customer:
    options = ["--trust", "--defaults", "--quiet", "--vcs-ref", tag]
    done = run([COPIER, "copy", *options, vendor.root, root], vendor.root)
    assert done.code == 0, done.output
    return Customer(root)


def test_a_busy_release(door: str, tmp_path: Path) -> None:
    vendor = Vendor(clone_template(tmp_path / "template", "v8.0.0"))
    customer = copy(vendor, "v8.0.0", tmp_path / "acme")
    expected = live_in(customer)
    develop(vendor)
    preview = customer.platform("update", "--preview", "--json")
    before = customer.files()

    conflicts = update(customer, door)

    agrees(json.loads(preview.output)["files"], before, customer.files(), conflicts)
    assert "framework 2" in customer.read("docs/customer/help.md")
    assert "framework 2" in customer.read("shared/logging.py")
    settings = tomllib.loads(customer.read("platform.toml"))
    assert (settings["ports"]["api"], settings["ports"]["n8n"]) == (9100, 5678)
    assert "N8N_KEY=" in customer.read(".env.template")
    check(customer, vendor, "v9.0.0", expected)


@pytest.mark.parametrize("old", RELEASED, ids=lambda one: one["version"])
def test_from_every_release_to_this_tree(old: dict[str, Any], tmp_path: Path) -> None:
    """Through one door and, from the same start, the other: the set-up is made once."""
    vendor = Vendor(clone_template(tmp_path / "template", "v9.0.0"))
    git(vendor.root, "fetch", "--quiet", REPOSITORY, old["commit"])
    git(vendor.root, "tag", f"v{old['version']}", old["commit"])
    customer = copy(vendor, f"v{old['version']}", tmp_path / "acme")
    expected = live_in(customer)
    in_project(customer, "make", "setup")
    start = customer.commit()

    for door in ("platform", "copier"):
        update(customer, door)

        check(customer, vendor, "v9.0.0", expected)
        # Those of what was customised; `platform verify` runs them all.
        tests = ("shared", "apps/langgraph/src")
        in_project(customer, ".venv/bin/python", "-m", "pytest", "-q", *tests)
        customer.git("reset", "--quiet", "--hard", start)
        customer.git("clean", "--quiet", "-d", "--force")


def in_project(customer: Customer, *command: str) -> None:
    done = subprocess.run(command, cwd=customer.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def agrees(
    planned: list[dict[str, str]], before: dict[str, bytes], after: dict[str, bytes], said: str
) -> None:
    """Each path of the preview is what became of it, and no other path has changed."""
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    for one in planned:
        path, status = one["path"], one["status"]
        if status == "conflict":
            assert path in said
        elif status == "removed":
            assert path in before and path not in after, path
        elif status in ("added", "renamed"):
            assert path not in before and path in after, path
        else:
            assert path in before and path in after and path in changed, path
        if status == "renamed":
            changed.discard(one["detail"].removeprefix("from "))
    left = changed - {one["path"] for one in planned}
    assert [path for path in left if not path.startswith("docs/updates/")] == []


def update(customer: Customer, door: str) -> str:
    """Update; return what was in conflict and is resolved now."""
    result = customer.update(door)
    if result.code:
        # An edit of the same lines is for the customer to decide.
        left = customer.platform("resolve", "--use", "yours")
        assert left.code == 0, result.output
        done = customer.platform("update", "--continue", "--no-verify")
        assert done.code == 0, done.output
    return result.output


def check(customer: Customer, vendor: Vendor, tag: str, expected: dict[str, str]) -> None:
    """Everything of the customer's is there, and everything else is as in a fresh copy."""
    root = customer.root
    for path, text in expected.items():
        assert text in customer.read(path), path
    assert (root / "logo.png").read_bytes().endswith(MARK.encode())
    assert (root / "acme.conf").read_bytes().endswith(b"\r\n")
    assert not (root / "apps/langgraph/src/agents/marketing-swarm").exists()
    assert not (root / "langgraph.json").exists()
    assert yaml.safe_load(customer.read(".copier-answers.yml"))["_commit"] == tag
    fresh = root.parent / "fresh" / "acme"
    if not fresh.exists():
        copy(vendor, tag, fresh)
    theirs, ours = Customer(fresh).files(), customer.files()
    for path in set(theirs) - set(expected) - {".env"}:
        if OWNERSHIP.zone(path) == "customer":
            continue
        if path in ours:
            assert ours[path] == theirs[path], path
        else:
            assert path in ("langgraph.json", "docs/customer/troubleshooting.md"), path

"""The OpenAPI document is correct and committed."""

import json
import subprocess
import sys
from pathlib import Path

import httpx2

from tests.api.services import TEMPLATE, Conversation, Services

CONFIG = """
seed = 1
[auth.openapi.APIKeyCookie]
api_key = "{session}"
[parameters]
conversation_id = "{conversation}"
[generation]
max-examples = 30
database = "none"
"""


def test_schemathesis_finds_no_failure(
    services: Services, browser: httpx2.Client, tmp_path: Path
) -> None:
    conversation = Conversation(browser)
    with conversation.ask("ask Which one?") as stream:
        assert list(stream)[-1]["status"] == "interrupted"
    (tmp_path / "schemathesis.toml").write_text(
        CONFIG.format(
            session=browser.cookies["session"],
            conversation=conversation.url.removeprefix("/conversations/"),
        )
    )
    command = [
        Path(sys.executable).with_name("schemathesis"),
        "run",
        f"{services.address}/openapi.json",
        # Of the document; all else needs the session.
        f"--header=Authorization: Bearer {services.token}",
        # These end the session or the conversation, or are limited in number.
        "--exclude-operation-id=login",
        "--exclude-operation-id=change_password",
        "--exclude-operation-id=logout",
        "--exclude-operation-id=delete_conversation",
        # FastAPI lists only the methods of the first route with a path.
        "--exclude-checks=allow_header_conformance",
        "--no-color",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    log = (services.root / "api.log").read_text()
    assert "request failed" not in log and "reply failed" not in log


def test_the_committed_document_is_that_of_the_service(services: Services) -> None:
    document = json.loads(services.run("apps.api.src.core.openapi"))

    assert json.loads((TEMPLATE / "apps/api/openapi.json").read_text()) == document

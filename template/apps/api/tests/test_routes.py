"""Rules that all routes keep, and routes of the customer."""

from collections import Counter
from pathlib import Path
from threading import Thread

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from apps.api.src.core.factory import create_app
from apps.api.src.core.platform import customization
from shared.settings import Settings


def test_only_login_and_health_work_without_a_session(app: FastAPI) -> None:
    public = {"/health", "/ready", "/auth/login", "/auth/logout"}
    with TestClient(app) as client:
        for path, operations in app.openapi()["paths"].items():
            for method in set(operations) - {"parameters"}:
                url = path.format(conversation_id="00000000-0000-0000-0000-000000000000")
                if path not in public:
                    assert client.request(method, url).status_code == 401, (method, path)


def test_operation_ids_are_short_and_unique(app: FastAPI) -> None:
    names = Counter(
        operation["operationId"]
        for operations in app.openapi()["paths"].values()
        for operation in operations.values()
    )

    assert set(names.values()) == {1}
    assert all(name.isidentifier() and len(name) < 30 for name in names)


def test_routes_of_the_customer_are_served_under_custom(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "custom_of_a_test"
    folder.mkdir()
    (folder / "hello.py").write_text(
        "from fastapi import APIRouter\n"
        "router = APIRouter()\n"
        "@router.get('/hello')\n"
        "def hello() -> str:\n"
        "    return 'from the customer'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(customization, "FOLDER", folder)
    monkeypatch.setattr(customization, "PACKAGE", folder.name)

    with TestClient(create_app(settings)) as client:
        assert client.get("/custom/hello").json() == "from the customer"


def test_a_service_that_is_stopped_while_it_starts_ends(app: FastAPI) -> None:
    def start_and_stop() -> None:
        for _ in range(20):
            with TestClient(app):
                pass

    thread = Thread(target=start_and_stop, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()

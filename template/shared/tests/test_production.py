"""The check before production starts names every value that it refuses."""

import os
import secrets
from collections.abc import Iterator

import pytest

from shared.settings import get_settings, production


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment of the check, with good values."""
    good = {
        "ENVIRONMENT": "production",
        "CUSTOMER__NAME": "Acme",
        "CUSTOMER__SLUG": "acme",
        "CUSTOMER__ADMIN_EMAIL": "admin@acme.example",
        "MODEL__PROVIDER": "offline",
        "DATABASE__KIND": "sqlite",
        "DOMAIN": "platform.acme.example",
        "TLS": "internal",
        "SECRET_KEY": secrets.token_hex(),
        "SERVICE_TOKEN": secrets.token_hex(),
        "AGENTS__WEBHOOK_SECRET": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD+XXXtoDoU0c=",
    }
    for name, value in good.items():
        monkeypatch.setenv(name, value)
    yield monkeypatch
    get_settings.cache_clear()


def found(capsys: pytest.CaptureFixture[str]) -> str:
    """What the check prints."""
    code = production.main()
    shown = capsys.readouterr().err
    assert code == (1 if shown else 0)
    return shown


@pytest.mark.usefixtures("environment")
def test_good_values_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert found(capsys) == ""


def test_every_missing_value_is_named_at_once(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("DOMAIN", "SECRET_KEY", "SERVICE_TOKEN", "AGENTS__WEBHOOK_SECRET", "POSTGRES_PASSWORD")
    for name in names:
        environment.setenv(name, "")
    environment.setenv("COMPOSE__POSTGRES_PASSWORD", "")
    shown = found(capsys)
    for name in names:
        assert f"{name}: " in shown
    assert "platform secrets --production" in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "change-me-" * 4),
        ("AGENTS__WEBHOOK_SECRET", "whsec_changeMechangeMechangeMechangeMe0="),
        ("POSTGRES_PASSWORD", "0" * 64),
        ("POSTGRES_PASSWORD", "/".join([secrets.token_hex()] * 2)),
        ("DOMAIN", "https://platform.acme.example"),
        ("TLS", "certificate.pem"),
    ],
)
def test_unusable_values_are_named_and_not_shown(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    environment.setenv("POSTGRES_PASSWORD", secrets.token_hex())
    environment.setenv(name, value)
    environment.setenv("COMPOSE__POSTGRES_PASSWORD", os.environ["POSTGRES_PASSWORD"])
    shown = found(capsys)
    assert shown.startswith(f"{name}: ")
    assert value not in shown


@pytest.mark.parametrize("password", ["", "password", "change-me"])
def test_the_password_of_an_own_server_is_checked(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], password: str
) -> None:
    environment.setenv("DATABASE__KIND", "postgresql")
    url = f"postgresql+psycopg://platform:{password}@database.acme.example:5432/platform"
    environment.setenv("DATABASE__URL", url)
    assert found(capsys).startswith("DATABASE__URL: its password is missing or a placeholder")
    environment.setenv("DATABASE__URL", url.replace(f":{password}@", ":gR7hQ2mZ@"))
    assert found(capsys) == ""


def test_a_value_that_another_file_overrides_is_named(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("COMPOSE__DOMAIN", "development.acme.example")
    environment.setenv("COMPOSE__TLS", "internal")
    shown = found(capsys)
    assert "DOMAIN: the file .env or the shell has another value" in shown
    assert "TLS: " not in shown


def test_a_model_that_cannot_be_used_is_named(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("MODEL__PROVIDER", "openai")
    environment.setenv("MODEL__BASE_URL", "http://127.0.0.1:8000/v1")
    shown = found(capsys)
    assert "OPENAI_API_KEY: " in shown
    assert "MODEL__BASE_URL: " in shown

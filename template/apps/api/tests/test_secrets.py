"""Secrets that a production service refuses."""

import secrets

import pytest
from pydantic import SecretStr

from shared.secrets_check import check_secrets
from shared.settings import Settings, SettingsError


@pytest.mark.parametrize("secret", ["change-me-" * 4, "0" * 64, "your-secret-key-with-32-letters!"])
def test_production_refuses_placeholders(settings: Settings, secret: str) -> None:
    settings = settings.model_copy(
        update={"environment": "production", "service_token": SecretStr(secret)}
    )
    with pytest.raises(SettingsError, match="SERVICE_TOKEN"):
        check_secrets(settings)


def test_production_accepts_generated_secrets(settings: Settings) -> None:
    check_secrets(settings.model_copy(update={"environment": "production"}))


def test_production_refuses_one_secret_for_two_purposes(settings: Settings) -> None:
    same = SecretStr(secrets.token_hex(32))
    settings = settings.model_copy(
        update={"environment": "production", "secret_key": same, "service_token": same}
    )
    with pytest.raises(SettingsError, match="same"):
        check_secrets(settings)

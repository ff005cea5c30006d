"""Settings: which source wins, and what a wrong value is answered with."""

import secrets
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
TOML = """\
[customer]
name = "Müller & Söhne"
slug = "mueller"
admin_email = "admin@mueller.example"

[ports]
api = 9100
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder with valid settings."""
    (tmp_path / "platform.toml").write_text(TOML, encoding="utf-8")
    lines = [f"{name}={secrets.token_hex(32)}\n" for name in ("SECRET_KEY", "SERVICE_TOKEN")]
    (tmp_path / ".env").write_text("".join(lines), encoding="utf-8")
    return tmp_path


def read(project: Path, expression: str, **environment: str) -> str:
    """Evaluate an expression of `settings` in a process of its own; its output or its error."""
    code = (
        "from shared.settings import SettingsError, get_settings\n"
        "try:\n"
        "    settings = get_settings()\n"
        f"    print({expression})\n"
        "except SettingsError as error:\n"
        "    print(error)\n"
    )
    return subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        cwd=HERE,
        env={"PLATFORM_ROOT": str(project), **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    ).stdout.strip()


def test_platform_toml_is_read(project: Path) -> None:
    assert read(project, "settings.customer.name, settings.ports.api") == "Müller & Söhne 9100"


def test_claims_of_the_updates_are_no_settings(project: Path) -> None:
    with (project / "platform.toml").open("a", encoding="utf-8") as file:
        file.write('\n[ownership]\ncustomer = ["/shared/logging.py"]\n')
    assert read(project, "settings.ports.api") == "9100"


def test_env_file_wins_over_platform_toml(project: Path) -> None:
    with (project / ".env").open("a", encoding="utf-8") as file:
        file.write("PORTS__API=9200\nLANGGRAPH_URL=http://agents:6200\n")

    expected = "9200 9001 http://agents:6200"
    assert (
        read(project, "settings.ports.api, settings.ports.web, settings.langgraph_url") == expected
    )


def test_the_environment_wins_over_the_env_file(project: Path) -> None:
    with (project / ".env").open("a", encoding="utf-8") as file:
        file.write("PORTS__API=9200\n")

    assert read(project, "settings.ports.api", PORTS__API="9300") == "9300"


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"PORTS__API": "70000"}, "PORTS__API"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SERVICE_TOKEN": ""}, "SERVICE_TOKEN"),
        ({"DATABASE__KIND": "postgresql"}, "DATABASE__URL"),
        ({"DATABASE__KIND": "oracle"}, "DATABASE__KIND"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL"),
        ({"LANGGRAPH_URL": "agents:6200"}, "LANGGRAPH_URL"),
    ],
)
def test_an_error_names_the_value_to_mend(
    project: Path, environment: dict[str, str], named: str
) -> None:
    assert named in read(project, "'accepted'", **environment)


def test_a_missing_secret_is_an_error(project: Path) -> None:
    (project / ".env").unlink()

    assert "SECRET_KEY" in read(project, "'accepted'")


@pytest.mark.parametrize("secret", ["change-me-" * 4, "0" * 64, "your-secret-key-with-32-letters!"])
def test_production_refuses_placeholders(project: Path, secret: str) -> None:
    message = read(project, "'accepted'", ENVIRONMENT="production", SERVICE_TOKEN=secret)

    assert "SERVICE_TOKEN: is a placeholder" in message
    assert secret not in message


def test_production_accepts_generated_secrets(project: Path) -> None:
    assert read(project, "'accepted'", ENVIRONMENT="production") == "accepted"


def test_production_refuses_one_secret_for_two_purposes(project: Path) -> None:
    same = secrets.token_hex(32)
    both = {"SECRET_KEY": same, "SERVICE_TOKEN": same}

    assert "are the same" in read(project, "'accepted'", ENVIRONMENT="production", **both)


def test_an_error_does_not_show_a_secret(project: Path) -> None:
    assert "hunter2" not in read(project, "'accepted'", SECRET_KEY="hunter2")


def test_a_file_that_is_not_toml_is_named(project: Path) -> None:
    (project / "platform.toml").write_text("[customer", encoding="utf-8")

    message = read(project, "'accepted'")

    assert "platform.toml" in message
    assert ".env" not in message


@pytest.mark.parametrize("line", ["PORTS API=9200", "LOG_LEVEL='debug"])
def test_a_line_that_cannot_be_read_is_named(project: Path, line: str) -> None:
    with (project / ".env").open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")

    message = read(project, "'accepted'")

    assert ".env, line 4" in message
    assert "platform.toml" not in message


def test_printing_settings_shows_no_secret(project: Path) -> None:
    assert read(project, "settings.secret_key.get_secret_value() in repr(settings)") == "False"


def test_a_file_can_hold_a_secret(project: Path, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql+psycopg://a:b@c/d\n", encoding="utf-8")
    url = "settings.database.url.get_secret_value()"
    assert read(project, url, DATABASE__URL_FILE=str(tmp_path / "url")).endswith("@c/d")


def test_a_secret_file_that_cannot_be_used_is_named(project: Path, tmp_path: Path) -> None:
    secret = {"SECRET_KEY_FILE": str(tmp_path / "absent")}
    assert "SECRET_KEY_FILE cannot be read" in read(project, "settings.secret_key", **secret)
    twice = read(project, "settings.secret_key", **secret, SECRET_KEY="a" * 64)
    assert "SECRET_KEY and SECRET_KEY_FILE are both set" in twice


def test_files_of_other_programs_are_not_read(project: Path) -> None:
    assert read(project, "settings.ports.api", SSL_CERT_FILE="/absent") == "9100"


def test_the_data_folder_can_be_elsewhere(project: Path, tmp_path: Path) -> None:
    url = read(project, "settings.database_url('agents')", DATA_DIR=str(tmp_path / "elsewhere"))
    assert url == f"sqlite+aiosqlite:///{tmp_path}/elsewhere/agents.db"
    assert read(project, "settings.data_dir", DATA_DIR="elsewhere") == str(project / "elsewhere")


def test_services_that_listen_everywhere_are_called_on_loopback(project: Path) -> None:
    address = read(project, "settings.ports.address('api')", PORTS__BIND="0.0.0.0")
    assert address == "http://127.0.0.1:9100"

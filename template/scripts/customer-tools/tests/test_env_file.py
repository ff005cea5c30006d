"""`.env` is created once, filled in once, and never changed where it has a value."""

import base64
import re
import subprocess
import sys
from pathlib import Path

import pytest
from platform_tools.create import env_file

TEMPLATE = "# Secrets\nSECRET_KEY=\nSERVICE_TOKEN=\nAGENTS__WEBHOOK_SECRET=\nLOG_LEVEL=info\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".env.template").write_text(TEMPLATE)
    return tmp_path


def test_creates_a_private_file_with_two_different_secrets(root: Path) -> None:
    env_file.ensure(root)
    env = root / ".env"
    found = re.findall(r"^(?:SECRET_KEY|SERVICE_TOKEN)=([0-9a-f]{64})$", env.read_text(), re.M)
    assert len(set(found)) == 2
    assert env.stat().st_mode & 0o777 == 0o600
    assert "LOG_LEVEL=info" in env.read_text()


def test_the_secret_of_webhooks_has_their_standard_s_form(root: Path) -> None:
    env_file.ensure(root)
    [key] = re.findall(r"^AGENTS__WEBHOOK_SECRET=whsec_(\S+)$", (root / ".env").read_text(), re.M)
    assert len(base64.b64decode(key, validate=True)) == 32


def test_second_run_changes_nothing(root: Path) -> None:
    env_file.ensure(root)
    before = (root / ".env").read_bytes()
    assert env_file.ensure(root) == []
    assert (root / ".env").read_bytes() == before


def test_keeps_values_bytes_and_line_ends_of_the_customer(root: Path) -> None:
    mine = b"SECRET_KEY='mine'\r\nSERVICE_TOKEN=\r\nAGENTS__WEBHOOK_SECRET=x\r\nNAME=M\xfcller\r\n"
    (root / ".env").write_bytes(mine)
    assert env_file.ensure(root) == ["generated SERVICE_TOKEN"]
    written = (root / ".env").read_bytes()
    assert re.sub(rb"[0-9a-f]{64}", b"", written) == mine


def test_adds_a_secret_that_the_file_does_not_name(root: Path) -> None:
    (root / ".env").write_text("SECRET_KEY=mine\nAGENTS__WEBHOOK_SECRET=mine")
    env_file.ensure(root)
    expected = r"SECRET_KEY=mine\nAGENTS__WEBHOOK_SECRET=mine\nSERVICE_TOKEN=\w{64}\n"
    assert re.fullmatch(expected, (root / ".env").read_text())


def test_takes_the_file_away_from_other_users(root: Path) -> None:
    (root / ".env").write_text("SECRET_KEY=a\nSERVICE_TOKEN=b\nAGENTS__WEBHOOK_SECRET=c\n")
    (root / ".env").chmod(0o644)
    env_file.ensure(root)
    assert (root / ".env").stat().st_mode & 0o777 == 0o600


def test_a_link_to_a_file_elsewhere_stays_a_link(root: Path) -> None:
    target = root / "elsewhere"
    target.write_text("SECRET_KEY=\n")
    (root / ".env").symlink_to(target)
    env_file.ensure(root)
    assert (root / ".env").is_symlink()
    assert re.search(r"SECRET_KEY=\w{64}", target.read_text())


def test_runs_as_a_script_and_prints_no_value(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, env_file.__file__], cwd=root, capture_output=True, text=True, check=True
    )
    assert "generated SECRET_KEY" in done.stdout
    assert not re.search(r"[0-9a-f]{64}|whsec_", done.stdout + done.stderr)


def test_script_says_what_to_do_in_a_wrong_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, env_file.__file__], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "project's folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_production_has_a_file_of_its_own_with_the_database_s_password(root: Path) -> None:
    (root / ".env.production.template").write_text(f"DOMAIN=\nPOSTGRES_PASSWORD=\n{TEMPLATE}")
    done = env_file.ensure(root, ".env.production")
    text = (root / ".env.production").read_text()
    assert re.search(r"^POSTGRES_PASSWORD=[0-9a-f]{64}$", text, re.M)
    assert re.search(r"^DOMAIN=$", text, re.M)
    assert (root / ".env.production").stat().st_mode & 0o777 == 0o600
    assert "created .env.production" in done
    assert not (root / ".env").exists()
    assert env_file.ensure(root, ".env.production") == []

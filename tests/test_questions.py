"""Questions: good answers arrive unharmed, bad ones are refused before anything is written."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from plumbum.cmd import git
from pytest_copier.plugin import CopierFixture

from tests.support.template import run_copier

NAMES = [
    'Müller & Söhne "Nord" GmbH',
    "{{ 7 * 7 }} {% raw %} Inc.",
    "株式会社アクメ",
    "$HOME `id` $(id) #1",
    "O'Neill \\ Partners\\n",
    "---",
    "null",
    "x" * 80,
]

REFUSED = {
    "customer_name": ["", "  ", " Acme", "x" * 81, "a\nb", "a\tb", "a\u202eb", "a\u2028b"],
    "customer_slug": [
        "",
        "a",
        "Acme",
        "acme_corp",
        "acme--corp",
        "-acme",
        "1acme",
        "a" * 41,
        "../x",
    ],
    "admin_email": [
        "admin",
        "@acme.example",
        "a b@acme.example",
        'a"b@acme.example',
        "a@acme",
        "a@1.1",
    ],
    "created_on": ["yesterday", "2026-13-01", "20260101"],
    "services": ["[mail]"],
    "database": ["oracle"],
    "model_provider": ["skynet"],
}


@pytest.mark.parametrize("name", NAMES)
def test_any_valid_name_reaches_the_settings_and_the_answers_unchanged(
    copier: CopierFixture, tmp_path: Path, name: str
) -> None:
    project = copier.copy(tmp_path / "project", customer_name=name, customer_slug="acme").path
    settings = tomllib.loads((project / "platform.toml").read_text())
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text())
    assert settings["customer"]["name"] == answers["customer_name"] == name


@pytest.mark.parametrize(
    ("question", "answer"), [(q, a) for q, answers in REFUSED.items() for a in answers]
)
def test_bad_answers_are_refused_before_anything_is_written(
    template: Path, tmp_path: Path, question: str, answer: str
) -> None:
    destination = tmp_path / "project"
    printed = run_copier(
        "copy",
        "--trust",
        "--defaults",
        f"--data={question}={answer}",
        template,
        destination,
        code=1,
    )
    assert question in printed.splitlines()[-1]
    assert "Traceback" not in printed
    assert not destination.exists()


@pytest.mark.parametrize(
    ("question", "answer"), [("customer_slug", "A_B"), ("database", "oracle"), ("services", "[x]")]
)
def test_an_update_refuses_bad_answers_before_anything_is_written(
    generate: Callable[..., Path], tmp_path: Path, question: str, answer: str
) -> None:
    project = generate(tmp_path / "project")
    data = f"--data={question}={answer}"

    printed = run_copier("update", "--trust", "--defaults", data, project, code=1)

    assert f"'{question}'" in printed
    assert "Traceback" not in printed
    assert git("-C", project, "status", "--porcelain") == ""
    assert not (project / ".git/platform-update").exists()


@pytest.mark.parametrize(
    "address",
    [
        "models.acme.example",
        "ftp://a.example",
        "http://user:pw@a.example/v1",
        "http://a:99999",
        "http://[1]/",
    ],
)
def test_addresses_of_model_servers_are_checked(
    template: Path, tmp_path: Path, address: str
) -> None:
    data = ["--data=model_provider=openai-compatible", f"--data=model_base_url={address}"]
    printed = run_copier(
        "copy", "--trust", "--defaults", *data, template, tmp_path / "project", code=1
    )
    assert "model_base_url" in printed


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Müllers Bäckerei", "muellers-baeckerei"),
        ("Mu\u0308ller & SÖHNE", "mueller-soehne"),
        ("Straßenbau Łódź", "strassenbau-lodz"),
        ("Café Crème", "cafe-creme"),
        ("3M Company", "m-company"),
        ("株式会社アクメ", "customer"),
        ("A", "customer"),
        ("O'Neill Partners", "oneill-partners"),
    ],
)
def test_the_slug_is_derived_from_the_name(
    copier: CopierFixture, tmp_path: Path, name: str, slug: str
) -> None:
    project = copier.copy(tmp_path / "project", customer_name=name).path
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text())
    assert answers["customer_slug"] == slug
    assert answers["admin_email"] == f"admin@{slug}.example"


def test_answers_come_from_a_file(template: Path, tmp_path: Path) -> None:
    answers = tmp_path / "answers.yml"
    answers.write_text("customer_name: Widgets\nservices: []\n")
    run_copier("copy", "--trust", "--defaults", f"--data-file={answers}", template, tmp_path / "p")
    assert (
        tomllib.loads((tmp_path / "p/platform.toml").read_text())["customer"]["name"] == "Widgets"
    )
    assert not (tmp_path / "p/apps/web").exists()


def test_the_date_of_creation_is_an_answer(copier: CopierFixture, tmp_path: Path) -> None:
    project = copier.copy(tmp_path / "project", created_on="2020-02-29").path
    assert "created_on: '2020-02-29'" in (project / ".copier-answers.yml").read_text()
    assert "created on 2020-02-29" in (project / "platform.toml").read_text()


def test_no_answer_is_a_secret(copier: CopierFixture, tmp_path: Path) -> None:
    project = copier.copy(tmp_path / "project").path
    secrets = [
        line.partition("=")[2]
        for line in (project / ".env").read_text().splitlines()
        if line.startswith(("SECRET_KEY=", "SERVICE_TOKEN="))
    ]
    assert len(secrets) == 2 and all(len(secret) == 64 for secret in secrets)
    for path in project.rglob("*"):
        if path.is_file() and path.name != ".env":
            assert not any(secret.encode() in path.read_bytes() for secret in secrets), path

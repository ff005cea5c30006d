"""Rendering: a function of the answers and the tag, and a result that needs no mending."""

import ast
import filecmp
import itertools
import json
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from plumbum import local
from plumbum.cmd import git
from pytest_copier.plugin import CopierFixture

from tests.support.template import ROOT, VERSION, run_copier

SERVICES = ("web",)
CHOICES = [
    dict(zip(("services", "database", "model_provider", "git_host"), values, strict=True))
    for values in itertools.product(
        [list(c) for n in range(len(SERVICES) + 1) for c in itertools.combinations(SERVICES, n)],
        ["sqlite", "postgresql"],
        ["offline", "openai-compatible"],
        ["github", "gitlab", "forgejo", "none"],
    )
]


def tracked(project: Path) -> list[Path]:
    """Files of a project that git tracks."""
    names = git("-C", project, "ls-files", "-z").split("\0")
    return [project / name for name in names if name]


def parse(path: Path) -> None:
    """Raise when a file of a known format cannot be parsed."""
    text = path.read_text()
    match path.suffix:
        case ".py":
            ast.parse(text)
        case ".toml":
            tomllib.loads(text)
        case ".yml" | ".yaml":
            list(yaml.safe_load_all(text))
        case ".json" if not path.name.startswith("tsconfig"):
            json.loads(text)


@pytest.mark.parametrize("choice", CHOICES, ids=lambda c: "-".join(map(str, c.values())))
def test_every_combination_parses_and_leaves_no_jinja(
    copier: CopierFixture, tmp_path: Path, choice: dict[str, object]
) -> None:
    project = copier.copy(tmp_path / "project", **choice).path
    names = [path.relative_to(project).as_posix() for path in tracked(project)]
    assert not [n for n in names if "{" in n or n.endswith(".jinja")]
    assert any(n.startswith("apps/web/") for n in names) == ("web" in choice["services"])
    for path in tracked(project):
        parse(path)
    # Only these are rendered; what else holds braces (Vue, workflows, docs) never met Jinja.
    for name in ("platform.toml", ".gitignore", ".copier-answers.yml"):
        assert "{{" not in (project / name).read_text()


def test_rendered_twice_is_the_same_byte_for_byte(copier: CopierFixture, tmp_path: Path) -> None:
    one, two = copier.copy(tmp_path / "one").path, copier.copy(tmp_path / "two").path
    names = [path.relative_to(one) for path in tracked(one)]
    assert names == [path.relative_to(two) for path in tracked(two)]
    assert filecmp.cmpfiles(one, two, names, shallow=False)[1:] == ([], [])


def test_the_project_is_in_git_clean_and_nothing_rendered_is_ignored(
    copier: CopierFixture, tmp_path: Path
) -> None:
    project = copier.copy(tmp_path / "project").path
    with local.cwd(project):
        assert git("status", "--porcelain") == ""
        assert len(git("log", "--oneline").splitlines()) == 1
        ignored = git("ls-files", "--others", "--ignored", "--exclude-standard").split()
    assert ignored == [".env"]
    assert (project / ".env").stat().st_mode & 0o777 == 0o600


def test_a_copy_inside_a_repository_makes_no_second_one(
    copier: CopierFixture, tmp_path: Path
) -> None:
    git("init", "--quiet", tmp_path)
    assert not (copier.copy(tmp_path / "project").path / ".git").exists()


def test_the_formatter_changes_nothing(project: Path) -> None:
    for command in (["format", "--check"], ["check"]):
        done = subprocess.run(
            ["uv", "run", "ruff", *command, "."], cwd=project, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


def test_no_file_names_a_package_registry() -> None:
    # Written in pieces, so that this file does not name them either.
    hosts = "|".join(
        ("py" + "pi.org", "python" + "hosted", "npm" + "js.(org|com)", "deb.deb" + "ian")
    )
    code, found, _ = git["-C", ROOT, "grep", "-lE", hosts].run(retcode=None)
    assert code == 1, found


def test_without_its_extensions_the_error_says_what_is_missing(
    template: Path, tmp_path: Path
) -> None:
    lone = tmp_path / "venv"
    subprocess.run(["uv", "venv", "--quiet", lone], check=True)
    subprocess.run(
        ["uv", "pip", "install", "--quiet", "--python", lone / "bin/python", "copier"], check=True
    )
    done = subprocess.run(
        [lone / "bin/copier", "copy", "--trust", "--defaults", template, tmp_path / "project"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "jinja2_time" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "project").exists()


def test_versions_agree(template: Path, tmp_path: Path) -> None:
    assert f"## {VERSION} " in (ROOT / "CHANGELOG.md").read_text()
    releases = tomllib.loads((ROOT / "releases.toml").read_text())["release"]
    assert releases[-1]["version"] == VERSION
    assert f'__version__ = "{VERSION}"' in (ROOT / "template/shared/__init__.py").read_text()
    run_copier("copy", "--trust", "--defaults", template, tmp_path / "project")
    answers = yaml.safe_load((tmp_path / "project/.copier-answers.yml").read_text())
    assert answers["_commit"] == f"v{VERSION}"

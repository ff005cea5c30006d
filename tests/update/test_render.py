"""The engine's quick render equals Copier's, byte for byte, on the real template."""

from collections.abc import Callable
from pathlib import Path

import pytest

from extensions.update.inputs import template as source
from extensions.update.inputs.project import Project
from extensions.update.inputs.render import Renderer
from extensions.update.objects.repository import Repository
from tests.update.conftest import git

NAMES = {"customer_name": 'Größe "& Söhne" $HOME {{ 7 }} #1', "git_host": "gitlab"}


@pytest.mark.parametrize(
    "answers",
    [{}, {"services": []}, NAMES, {"database": "postgresql", "git_host": "none"}],
    ids=["defaults", "no web", "names", "postgresql"],
)
def test_equals_a_copy(
    template: Path, generate: Callable[..., Path], tmp_path: Path, answers: dict[str, object]
) -> None:
    project = Project(generate(tmp_path / "acme", **answers))
    repository = Repository.create(tmp_path / "scratch", project.root, template)
    release = source.release(template, "HEAD", str(template))
    assert release

    tree = Renderer(".copier-answers.yml", "acme").begin(release, project.answers)(repository)

    assert tree == repository.read(project.head)
    assert git(project.root, "status", "--porcelain") == ""

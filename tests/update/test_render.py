"""The engine's quick render equals Copier's, byte for byte, on the real template."""

from collections.abc import Callable
from pathlib import Path

import pytest

from extensions.update.inputs.project import Project
from tests.support.updates import git
from tests.update.rendering import render

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
    _, tree = render(template, project.answers, tmp_path / "scratch")

    assert tree == project.objects.read(project.head)
    assert git(project.root, "status", "--porcelain") == ""

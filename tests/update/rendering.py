"""A template rendered by the engine alone, without an update."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from extensions.update.inputs.copier_worker import CopierWorker
from extensions.update.inputs.render import Renderer
from extensions.update.inputs.template import Template
from extensions.update.objects.repository import Repository
from extensions.update.objects.store import ObjectStore
from extensions.update.objects.tree import Tree


def render(template: Path, answers: Mapping[str, Any], folder: Path) -> tuple[Repository, Tree]:
    """Render HEAD of a template, for a project in a folder `acme`.

    Returns the tree and its repository, which is made in `folder`.
    """
    opened = Template(template)
    release = opened.release("HEAD")
    assert release
    repository = Repository.create(folder, ObjectStore(template), opened.objects)
    with CopierWorker() as copier:
        renderer = Renderer(copier, ".copier-answers.yml", "acme", str(template))
        return repository, renderer.begin(release, answers)(repository)

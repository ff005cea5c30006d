"""One process, one opened template and one Copier worker serve several projects."""

from collections.abc import Callable
from pathlib import Path

from extensions.update.inputs.copier_worker import CopierWorker
from extensions.update.inputs.template import Template
from extensions.update.planning import checked_project, compute
from extensions.update.request import Request
from tests.support.updates import Customer, Vendor


def test_plans_of_two_projects(
    vendor: Vendor, copy: Callable[..., Customer], tmp_path: Path
) -> None:
    first, second = copy("first"), copy("second")
    first.commit({"shared/logging.py": "mine\n"})
    second.commit({"shared/logging.py": None})
    vendor.release("v1.1.0", {"shared/logging.py": "theirs\n", "shared/new.py": "new\n"})
    release = Template(vendor.root).release("v1.1.0")
    assert release
    statuses = []

    with CopierWorker() as copier:
        for customer in (first, second):
            request = Request("preview", customer.root, vendor.root, "v1.1.0", str(vendor.root))
            project = checked_project(request, release)
            folder = tmp_path / f"{customer.root.name}-computed"
            plan = compute(copier, project, release, request, folder).plan
            statuses.append({file.path: file.status for file in plan.files})

    answers = ".copier-answers.yml"
    assert statuses == [
        {answers: "changed", "shared/logging.py": "conflict", "shared/new.py": "added"},
        {answers: "changed", "shared/new.py": "added"},
    ]

"""`platform update --preview`: prints the plan of an update."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from extensions.update.inputs.copier_worker import CopierWorker
from extensions.update.planning import checked_project, compute, wanted_release
from extensions.update.report import text as report
from extensions.update.request import Request
from extensions.update.terminal import say, show
from extensions.update.typed import to_json


def preview(copier: CopierWorker, request: Request) -> int:
    """Print what an update would do; change nothing. Returns the exit code."""
    release = wanted_release(request)
    project = checked_project(request, release)
    with TemporaryDirectory(prefix="platform-preview-") as temporary:
        plan = compute(copier, project, release, request, Path(temporary, "project")).plan
    if request.json:
        show(json.dumps(to_json(plan), indent=2))
    elif plan.empty:
        say(f"Nothing to do: the project is at {plan.new}.", "good")
    else:
        versions = f"From {plan.old} to {plan.new}" if plan.old != plan.new else f"At {plan.new}"
        parts = [
            f"{versions}; nothing is changed yet.",
            *(f"{version}: {notes}" for version, notes in plan.releases),
            report.preview(plan).encode(errors="backslashreplace").decode(),
            "Every file: uv run platform update --preview --json\nNext: uv run platform update",
        ]
        show("\n\n".join(parts))
    if changed := project.uncommitted():
        say(
            f"The preview leaves out uncommitted changes ({len(changed)} files). Commit them before"
            " the update.",
            "warn",
        )
    return 0

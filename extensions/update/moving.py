"""`platform update --source`: records where the template has moved."""

from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from extensions.update.errors import PlatformError
from extensions.update.inputs.project import Project
from extensions.update.inputs.template import Template
from extensions.update.terminal import say


def move_source(root: Path, answers_file: str, template: Path, address: str) -> int:
    """Write the template's new address to the answers file, and commit that.

    `template` is a clone from that address, and must have the project's version. A relative path
    is stored as an absolute one.
    """
    project = Project(root, answers_file)
    project.check()
    project.check_committed()
    if (local := Path(address).expanduser()).exists():
        address = str(local.resolve())
    old, name = (str(project.answers[key]) for key in ("_src_path", "_commit"))
    if address == old:
        say(f"Nothing to do: the template is at {address}.", "good")
        return 0
    if not Template(template).release(name):
        raise PlatformError(
            f"The template at {address} does not have {name}, the version of this project.",
            "Use the address of the template that this project was created from.",
        )
    file = root / project.answers_file
    before = file.read_bytes()
    try:
        file.write_text(_moved(before.decode(), project.answers, address), encoding="utf-8")
        commit = ("commit", "--quiet", "--no-gpg-sign", "-m", "Follow the template's move")
        project.git.authored(*commit, "--", project.answers_file)
    except BaseException:
        file.write_bytes(before)
        raise
    say(f"The template is now at {address} (was {old}).", "good")
    return 0


def _moved(text: str, answers: Mapping[str, Any], address: str) -> str:
    """The answers file with the new address, as Copier writes it, below its old comment."""
    comment = takewhile(lambda line: line.startswith("#"), text.splitlines(keepends=True))
    moved: str = yaml.safe_dump(
        {**answers, "_src_path": address}, indent=4, allow_unicode=True, sort_keys=False
    )
    return "".join(comment) + moved

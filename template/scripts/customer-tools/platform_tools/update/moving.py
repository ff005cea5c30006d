"""`platform update --source`: records where the template has moved."""

from pathlib import Path
from tempfile import TemporaryDirectory

from platform_tools.errors import PlatformError
from platform_tools.update import source
from platform_tools.update.project import Project
from platform_tools.update.report import say


def move_source(root: Path, address: str) -> None:
    """Write the template's new address to the answers file, in a commit of its own.

    The template there must know the version that the project is of. A relative path is made
    absolute: it would mean something else in another folder.
    """
    project = Project(root)
    project.check()
    if (local := Path(address).expanduser()).exists():
        address = str(local.resolve())
    name = str(project.answers["_commit"])
    with TemporaryDirectory(prefix="platform-source-") as temporary:
        template = source.fetch(address, Path(temporary, "template"), root)
        if not source.release(template, name, address):
            raise PlatformError(
                f"The template at {address} does not know {name}, this project's version.",
                "Give the address of the template that this project was made from.",
            )
    file = root / project.answers_file
    old = str(project.answers["_src_path"])
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(_moved(line, address) for line in lines), encoding="utf-8")
    project.git("commit", "--quiet", "-m", "Follow the template's move", "--", project.answers_file)
    say(f"The template is now at {address} (was {old}).", "good")


def _moved(line: str, address: str) -> str:
    if not line.startswith("_src_path:"):
        return line
    import json

    return f"_src_path: {json.dumps(address, ensure_ascii=False)}\n"

"""The list of the framework's files as they were delivered.

`platform verify` compares the project with it, and leaves out the framework's tests where nothing
differs. `copier copy` and updates write the same list.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from extensions.update.inputs.ownership import TABLE, Ownership

LISTING = "scripts/customer-tools/delivered.txt"
"""The list in a project: a line for each file, with the id of its git blob and its path."""
# Releases without this file do not read the list and do not have it.
_READER = "scripts/customer-tools/platform_tools/check/delivered.py"
# What the framework's tests depend on. In its folders the customer's and shared files do not count.
_FOLDERS = ("apps/", "scripts/", "shared/", "conftest.py", "constraints.txt")
_PACKAGES = ("apps/web/package.json", "apps/web/package-lock.json")


def listing(files: Mapping[str, str]) -> bytes | None:
    """The list for a project with these delivered files (path → blob id); None in old releases."""
    if _READER not in files:
        return None
    ownership = Ownership.load()
    lines = [
        f"{files[path]}  {path}\n"
        for path in sorted(files)
        if path.startswith(_FOLDERS)
        and (ownership.listed_zone(path) == "framework" or path in _PACKAGES)
    ]
    return "".join(lines).encode()


def write(project: Path) -> None:
    """Write the list into a project that `copier copy` has made of the template of this engine."""
    template = TABLE.parents[3]
    files = {}
    for parent in sorted({name.partition("/")[0] for name in _FOLDERS}):
        found = [template / parent, *(template / parent).rglob("*")]
        for path in found:
            name = path.relative_to(template).as_posix()
            if (project / name).is_file():
                files[name] = blob_id(path.read_bytes())
    if contents := listing(files):
        (project / LISTING).write_bytes(contents)


def blob_id(contents: bytes) -> str:
    """The id that git gives a file."""
    head = b"blob %d\0" % len(contents)
    return hashlib.sha1(head + contents, usedforsecurity=False).hexdigest()

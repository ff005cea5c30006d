"""Finds the paths of a project that would stop `copier update` half-way."""

import os
from pathlib import Path

from extensions.update.objects.git import Git
from extensions.update.objects.tree import is_file


def obstacles(root: Path, patterns: list[str]) -> list[str]:
    """Paths that would stop Copier.

    These are folders and links where the template has a file, files where it has a folder, .rej
    files (Copier counts them as its conflicts), and names that are not UTF-8.
    """
    found = set()
    for path in patterns:
        if "*" in path:
            continue
        for parent in list(Path(path).parents)[-2::-1]:
            place = root / parent
            if is_file(place):
                found.add(str(parent))
                break
        else:
            if (root / path).is_dir():
                found.add(path)
    found |= _of_repository(root)
    return sorted(one for one in found if not any(str(up) in found for up in Path(one).parents))


def _of_repository(root: Path) -> set[str]:
    """The .rej files and names that are not UTF-8 in the whole repository, relative to `root`."""
    top = Path(Git(root).line("rev-parse", "--show-toplevel"))
    git = Git(top)
    tracked = git("ls-files", "-z").split(b"\0")[:-1]
    others = git("status", "--porcelain", "-z", "--ignored").split(b"\0")[:-1]
    names = [*tracked, *(line[3:] for line in others if line.startswith((b"?? ", b"!! ")))]
    paths = [top / os.fsdecode(name) for name in names if name.endswith(b".rej") or _not_utf8(name)]
    return {os.path.relpath(path, root) for path in paths if os.path.lexists(path)}


def _not_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return True
    return False

"""Refuses an update that would stop half-way because a place cannot be written."""

import os
from collections.abc import Iterable
from pathlib import Path

from extensions.update.errors import PlatformError


def check_writable(root: Path, paths: Iterable[str], *, in_place: bool = False) -> None:
    """Raises `PlatformError` if a file at one of `paths` cannot be replaced, removed or created.

    `paths` are relative to `root`; a glob stands for its folder. `in_place`: files are overwritten,
    as Copier does, and not replaced by a rename.
    """
    refused = set()
    for path in paths:
        place = root / path.partition("*")[0]
        if in_place and place.is_file() and not os.access(place, os.W_OK):
            refused.add(place)
        folder = place.parent
        # A link to a folder is replaced itself.
        while (folder.is_symlink() or not folder.is_dir()) and folder != root:
            folder = folder.parent
        if not os.access(folder, os.W_OK | os.X_OK):
            refused.add(folder)
    if refused:
        shown = "\n".join(f"  {place}" for place in sorted(refused)[:5])
        raise PlatformError(
            f"The update has to write here, and may not:\n{shown}",
            "Change the owner or the permissions (ls -ld PATH shows them), then try again.",
        )

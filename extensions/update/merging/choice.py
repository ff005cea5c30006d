"""Takes one side of the conflicts in a file; everything that is not in conflict stays."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from extensions.update.merging.structured import merge_structured
from extensions.update.objects.git import Git, GitError
from extensions.update.request import Side

_MARKER = re.compile(rb"^(?:<{7}|>{7}) .*$", re.MULTILINE)


def take_side(
    git: Git, path: str, base: bytes | None, ours: bytes, theirs: bytes, side: Side
) -> bytes | None:
    """The merge of three versions of the file at `path`, with `side` in each conflict.

    None where the rest cannot be merged safely. A binary file is one conflict as a whole.
    """
    if structured := merge_structured(path, base, ours, theirs):
        return structured.yours if side == "yours" else structured.framework
    option = "--ours" if side == "yours" else "--theirs"
    if merged := _merge_file(git, ours, base or b"", theirs, option):
        return merged[0]
    return ours if side == "yours" else theirs


def side_taken(
    git: Git, path: str, base: bytes | None, ours: bytes, theirs: bytes, result: bytes
) -> Side | None:
    """The side that `result` has in each conflict of three versions, or None for an edit."""
    for side in get_args(Side):
        if take_side(git, path, base, ours, theirs, side) == result:
            found: Side = side
            return found
    return None


def keep_edits(git: Git, marked: bytes | None, now: bytes, taken: bytes) -> bytes | None:
    """`taken` with the user's edits, which made `now` of the file `marked` that the merge left.

    None where the edits cannot be told from the conflict: markers are left in edited lines.
    """
    if now in (marked, taken):
        return taken
    if marked is None or not (merged := _merge_file(git, now, marked, taken)):
        return None
    if merged[1]:
        if not _MARKER.search(marked):
            return None
        # The user has resolved some of the conflicts in the file.
        merged = _merge_file(git, now, marked, taken, "--ours") or merged
    return None if markers(merged[0]) - markers(taken) else merged[0]


def markers(text: bytes) -> Counter[bytes]:
    """The lines that begin or end a conflict."""
    return Counter(_MARKER.findall(text))


def _merge_file(
    git: Git, ours: bytes, base: bytes, theirs: bytes, *options: str
) -> tuple[bytes, bool] | None:
    """The merge by lines, and whether it has conflicts; None for binary files."""
    with TemporaryDirectory(prefix="platform-merge-") as folder:
        files = [Path(folder, name) for name in ("ours", "base", "theirs")]
        for file, contents in zip(files, (ours, base, theirs), strict=True):
            file.write_bytes(contents)
        names = [str(file) for file in files]
        try:
            # The exit code is the number of conflicts.
            merged = git("merge-file", "--quiet", "--stdout", *options, *names, ok=range(128))
        except GitError:
            return None
    # git labels the markers with the files' names.
    return merged, f"<<<<<<< {names[0]}\n".encode() in merged

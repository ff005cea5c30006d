"""The structured merges as a merge driver of git: `platform merge-driver %O %A %B %P`."""

import sys
from pathlib import Path

from extensions.update.merging.structured import merge_structured
from extensions.update.objects.git import Git, GitError

_LABELS = ("ours", "base", "theirs")


def merge_driver(base: Path, ours: Path, theirs: Path, path: str) -> int:
    """Merge the three files that git passes for the project's `path` into the file `ours`.

    Returns the exit code that git expects: 0 merged, 1 conflicts, marked in the file. A file
    without a structure is merged by lines, as git does without a driver.
    """
    versions = [file.read_bytes() for file in (base, ours, theirs)]
    result = merge_structured(path, versions[0], versions[1], versions[2], _LABELS)
    if result is not None:
        ours.write_bytes(result.merged)
        for suggestion in result.suggestions:
            named = suggestion.replace("(yours)", "(ours)").replace("(framework)", "(theirs)")
            print(f"{path}: {named}", file=sys.stderr)
        return 1 if result.conflicts else 0
    names = [option for label in _LABELS for option in ("-L", label)]
    files = [str(file) for file in (ours, base, theirs)]
    try:
        Git(Path.cwd())("merge-file", "--quiet", "--diff3", *names, *files)
    except GitError:
        return 1
    return 0

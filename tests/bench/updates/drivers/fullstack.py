"""Runs in the package's own venv: a JSON list [project, base, ours, theirs, renames] a line on
stdin, the error of each on stdout. The steps are those of the package's `run_upgrade`."""

import contextlib
import io
import json
import sys
from pathlib import Path

from fastapi_gen.upgrade.merge import apply_renames, cleanup_store, materialize, merge_trees
from fastapi_gen.upgrade.normalize import normalize_tree


def upgrade(project: Path, base: Path, ours: Path, theirs: Path, renames: str) -> None:
    pairs = [(old, new) for old, new in json.loads(renames)]
    apply_renames(base, pairs)
    apply_renames(ours, pairs)
    for tree in (base, theirs, ours):
        normalize_tree(tree, format_code=True, ruff_config=project / "pyproject.toml")
    result = merge_trees(base, ours, theirs)
    materialize(result, project, branch="upgrade")
    cleanup_store(result.merged_tree)


for line in sys.stdin:
    *paths, renames = json.loads(line)
    error = ""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            upgrade(*map(Path, paths), renames)
    except BaseException as caught:
        error = f"{type(caught).__name__}: {caught}"
    print(json.dumps(error), flush=True)

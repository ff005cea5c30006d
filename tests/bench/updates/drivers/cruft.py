"""Runs in cruft's own venv: a JSON list [project] a line on stdin, the error of each on stdout."""

import contextlib
import io
import json
import sys
from pathlib import Path

sys.path.pop(0)  # this folder, which has a file of the same name

import cruft

for line in sys.stdin:
    (project,) = json.loads(line)
    error = ""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            cruft.update(Path(project), skip_apply_ask=True)
    except BaseException as caught:
        error = f"{type(caught).__name__}: {caught}"
    print(json.dumps(error), flush=True)

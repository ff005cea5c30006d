"""Puts git's index back before `copier update` asks its first question.

The update engine hides the project's own files from the index, because Copier would patch them
(extensions/update/copier_hook.py). Copier reads the index once, right after that, and then loads
this extension for its questions. So a stop there leaves the index as it was. It does not where
Copier was started in another folder: then `platform update --abort` puts the index back.
"""

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from jinja2 import Environment
from jinja2.ext import Extension


class Index(Extension):
    """Puts the index back when Copier's command has passed the engine's first stage."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if "copier._cli" in sys.modules:
            _put_back()


def _put_back() -> None:
    command = ["git", "rev-parse", "--absolute-git-dir", "--show-prefix"]
    located = subprocess.run(command, capture_output=True, check=False).stdout
    git_folder, _, prefix = os.fsdecode(located)[:-1].rpartition("\n")
    for place in (Path(git_folder, "platform-projects", prefix), Path(git_folder)):
        update = place / "platform-update"
        # No such update, or another git command holds the lock: --abort is left.
        with suppress(OSError, ValueError):
            state = json.loads((update / "state.json").read_bytes())
            if (state["phase"], state["copier"]) == ("copier", os.getpid()):
                lock = Path(git_folder, "index.lock")
                with lock.open("xb") as file, (update / "backup/index").open("rb") as saved:
                    shutil.copyfileobj(saved, file)
                lock.replace(lock.with_name("index"))

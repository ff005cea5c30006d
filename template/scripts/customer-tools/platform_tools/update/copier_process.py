"""Copier in a process of its own, which imports it while the update checks and fetches.

What a template's extensions load stays there: two versions of a template have them by one name.
Requests and answers are lines of JSON: the arguments of `copier.run_copy`; null, or why it refused.
An update's `platform` command starts this, and its engine uses it, perhaps a newer one: what is
here may grow and never change.
"""

import json
import os
import sys
import warnings
from contextlib import suppress
from subprocess import PIPE, Popen
from typing import IO, Any, cast


class CopierProcess:
    """Starts when it is made, and ends with the process that made it."""

    def __init__(self) -> None:
        self._process = Popen(  # noqa: S603  # this file
            [sys.executable, "-P", __file__],
            stdin=PIPE,
            stdout=PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is the update's to handle
        )
        self._requests = cast("IO[str]", self._process.stdin)
        self._answers = cast("IO[str]", self._process.stdout)

    def run_copy(self, **arguments: Any) -> str | None:
        """Run `copier.run_copy`; return what it says against its arguments, or None.

        Raises `OSError` when the process has ended.
        """
        with suppress(BrokenPipeError):
            print(json.dumps(arguments), file=self._requests, flush=True)
        if not (line := self._answers.readline()):
            raise OSError(f"Copier ended with exit code {self._process.wait()} (see above)")
        refusal: str | None = json.loads(line)
        return refusal


def serve() -> None:
    """Run what is asked on standard input, until that ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a template prints is no answer
    warnings.simplefilter("ignore")
    from copier import run_copy
    from copier.errors import CopierError

    for line in sys.stdin:
        refusal = None
        try:
            run_copy(**json.loads(line))
        except (CopierError, ValueError) as error:
            refusal = str(error)
        print(json.dumps(refusal), file=answers, flush=True)


if __name__ == "__main__":
    serve()

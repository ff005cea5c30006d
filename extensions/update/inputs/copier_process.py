"""Copier in a process of its own, which imports it while the update checks and fetches.

What a template's extensions load stays there: two versions of a template have them by one name.
Requests and answers are lines of JSON: the arguments of `copier.run_copy`; null, or why it refused.
An update's `platform` command starts this, and its engine uses it, perhaps a newer one: what is
here may grow and never change.
"""

import gc
import json
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from subprocess import PIPE, Popen
from threading import Thread
from typing import IO, Any, cast


class CopierProcess:
    """Starts when it is made, and ends with the process that made it."""

    def __init__(self) -> None:
        self._process = Popen(  # this file
            [sys.executable, "-P", __file__],
            stdin=PIPE,
            stdout=PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is the update's to handle
        )
        self._requests = cast("IO[str]", self._process.stdin)
        self._answers = cast("IO[str]", self._process.stdout)
        self._asked = self._answered = 0

    def kill(self) -> None:
        self._process.kill()
        with suppress(BrokenPipeError), self._process:  # what it has not read goes with it
            pass

    def ask(self, **arguments: Any) -> int:
        """Have `copier.run_copy` run when it is done with the earlier; return the run's number."""
        with suppress(BrokenPipeError):  # `answer` tells
            print(json.dumps(arguments), file=self._requests, flush=True)
        self._asked += 1
        return self._asked

    def answer(self, number: int) -> str | None:
        """Wait for a run; return what Copier says against its arguments, or None.

        Runs are waited for in the order of their numbers. Raises `OSError` when the process has
        ended.
        """
        refusal: str | None = None
        while self._answered < number:
            if not (line := self._answers.readline()):
                raise OSError(f"Copier ended with exit code {self._process.wait()} (see above)")
            self._answered += 1
            refusal = json.loads(line)
        return refusal


_started: list[CopierProcess] = []


def started() -> CopierProcess:
    """This process's own, which the first call starts."""
    if not _started:
        # This file is a program as well, which has no package around it.
        from extensions.update.objects.git import leave_surrounding_git

        leave_surrounding_git()
        use(CopierProcess())
    return _started[0]


def use(copier: CopierProcess) -> None:
    """Take one that was started before for this process's own."""
    _started[:] = [copier]


@contextmanager
def stopping() -> Iterator[None]:
    """End this process's own with the block, whatever it is at, before its folders go."""
    try:
        yield
    finally:
        while _started:
            _started.pop().kill()


def serve() -> None:
    """Run what is asked on standard input, until that ends."""
    asked: SimpleQueue[str] = SimpleQueue()
    Thread(target=_listen, args=(os.fdopen(os.dup(0)), asked), daemon=True).start()
    answers = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # what a template reads is no request,
    os.dup2(2, 1)  # and what it prints no answer
    warnings.simplefilter("ignore")
    gc.disable()  # a tenth of the time that Copier's import takes
    try:
        from copier import run_copy
        from copier.errors import CopierError
        from yaml import YAMLError  # type: ignore[import-untyped]
    except ImportError as error:
        sys.exit(f"Copier cannot be imported: {error}. Install the tools again: make setup")
    while True:
        refusal = None
        try:
            run_copy(**json.loads(asked.get()))
        except (CopierError, ValueError, TypeError, YAMLError) as error:
            refusal = str(error)
        with suppress(BrokenPipeError):  # the update has ended without waiting
            os.write(answers, json.dumps(refusal).encode() + b"\n")


def _listen(requests: IO[str], asked: "SimpleQueue[str]") -> None:
    for line in requests:
        asked.put(line)
    # The update has ended, perhaps killed: so does this, whatever an extension is at.
    os._exit(0)


if __name__ == "__main__":
    serve()

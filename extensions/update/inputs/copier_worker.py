"""Runs Copier in a process of its own, which imports it while the engine does other work.

Two versions of a template have extensions of one name: what they import stays in that process.
Requests and replies are lines of JSON: the arguments of `copier.run_copy`; null, or the reason why
Copier refused them. This file is both sides: the engine imports it, and starts it as a program.
"""

import gc
import json
import os
import sys
import warnings
from contextlib import suppress
from queue import SimpleQueue
from subprocess import PIPE, Popen
from threading import Thread
from types import TracebackType
from typing import IO, Any, Self, cast


class CopierWorker:
    """The process that runs Copier; it ends with the `with` block, or with this process."""

    def __init__(self) -> None:
        self._process: Popen[str] | None = None
        self._asked = self._replied = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process:
            self._process.kill()
            with suppress(BrokenPipeError), self._process:  # requests that it has not read
                self._process = None

    def start(self) -> None:
        """Start the process, unless it runs. The first request does so too."""
        if not self._process:
            self._process = Popen(  # this file
                [sys.executable, "-P", __file__],
                stdin=PIPE,
                stdout=PIPE,
                text=True,
                start_new_session=True,  # the engine handles Ctrl-C
            )

    def ask(self, **arguments: Any) -> int:
        """Have `copier.run_copy` run after the earlier requests; return the request's number."""
        self.start()
        requests = cast("IO[str]", cast("Popen[str]", self._process).stdin)
        with suppress(BrokenPipeError):  # `wait` reports it
            print(json.dumps(arguments), file=requests, flush=True)
        self._asked += 1
        return self._asked

    def wait(self, number: int) -> str | None:
        """Wait for a request; return the reason why Copier refused it, or None.

        Requests must be waited for in the order of their numbers. Raises `OSError` when the process
        has ended.
        """
        process = cast("Popen[str]", self._process)
        replies = cast("IO[str]", process.stdout)
        refusal: str | None = None
        while self._replied < number:
            if not (line := replies.readline()):
                raise OSError(f"Copier ended with exit code {process.wait()} (see above)")
            self._replied += 1
            refusal = json.loads(line)
        return refusal


def serve() -> None:
    """Run the requests on standard input, until that ends."""
    requests: SimpleQueue[str] = SimpleQueue()
    Thread(target=_listen, args=(os.fdopen(os.dup(0)), requests), daemon=True).start()
    replies = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # a template must not read requests,
    os.dup2(2, 1)  # nor print replies
    warnings.simplefilter("ignore")
    gc.disable()  # a tenth of the time of Copier's import
    try:
        from copier import run_copy
        from copier.errors import CopierError
        from yaml import YAMLError  # type: ignore[import-untyped]
    except ImportError as error:
        sys.exit(f"Copier cannot be imported: {error}. Install the tools again: make setup")
    while True:
        refusal = None
        try:
            run_copy(**json.loads(requests.get()))
        except (CopierError, ValueError, TypeError, YAMLError) as error:
            refusal = str(error)
        with suppress(BrokenPipeError):  # the engine has ended without waiting
            os.write(replies, json.dumps(refusal).encode() + b"\n")


def _listen(lines: IO[str], requests: "SimpleQueue[str]") -> None:
    for line in lines:
        requests.put(line)
    # The engine has ended, perhaps by a kill: end at once, also in the middle of a render.
    os._exit(0)


if __name__ == "__main__":
    serve()

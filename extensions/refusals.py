"""Refuses a wrong `--data` answer with Copier's message alone, without its traceback.

Copier raises `ValueError` for such an answer and does not catch it, so Python prints a traceback
and ends with exit code 1. This extension sets `sys.excepthook`, the documented place to print
uncaught exceptions differently: it prints the message of that one error, and leaves all others and
the exit code as they are. Nothing in Copier is changed.
"""

import sys
from traceback import walk_tb
from types import TracebackType

from jinja2 import Environment
from jinja2.ext import Extension

# Copier's command, and the modules that refuse an answer. If Copier renames one of them, its
# traceback is back.
_COMMAND = "copier._cli"
_ANSWERS = ("copier._user_data", "copier._main")


class Refusals(Extension):
    """Sets the hook when Copier loads the template's extensions, before it asks questions."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if sys.excepthook is sys.__excepthook__:
            sys.excepthook = _print


def _print(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    modules = [frame.f_globals.get("__name__") for frame, _ in walk_tb(traceback)]
    if kind is ValueError and _COMMAND in modules and modules[-1] in _ANSWERS:
        print(error, file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)

"""Refuses a wrong answer with a message alone, without Copier's traceback.

Copier raises an error for a wrong answer of `--data` or of the answers file and does not catch it,
so Python prints a traceback and ends with exit code 1. This extension sets `sys.excepthook`, the
documented place to print uncaught exceptions differently: it prints the message of such an error,
and leaves all others and the exit code as they are. Nothing in Copier is changed.
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
_RESTORE = (
    "Restore the answers file from git: git log -- FILE, then git checkout COMMIT -- FILE, and"
    " commit that."
)


class Refusals(Extension):
    """Sets the hook when Copier loads the template's extensions, before it asks questions."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if sys.excepthook is sys.__excepthook__:
            sys.excepthook = _print


def _print(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    frames = [frame for frame, _ in walk_tb(traceback)]
    modules = [frame.f_globals.get("__name__") for frame in frames]
    name = getattr(frames[-1].f_locals.get("self"), "var_name", None) if frames else None
    if _COMMAND not in modules or modules[-1] not in _ANSWERS:
        sys.__excepthook__(kind, error, traceback)
    elif kind is ValueError:
        print(error, file=sys.stderr)
    elif name and kind.__name__ in ("InvalidTypeError", "TypeError"):
        # null, or a text where a list is expected
        print(f"The answer to {name} cannot be used: {error}\n{_RESTORE}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)

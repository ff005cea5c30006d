"""Commands from functions: a docstring is the help, the options are the keyword arguments."""

from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from typing import Any

Commands = Any
"""Subparsers; argparse has no public name for the type."""


def commands_of(parser: ArgumentParser) -> Commands:
    """Add subparsers to `parser`; without a command it shows its help, with exit code 2."""

    def show() -> int:
        parser.print_help()
        return 2

    parser.set_defaults(run=show, parser=parser)
    return parser.add_subparsers(title="commands", metavar="COMMAND")


def execute(parser: ArgumentParser, arguments: Sequence[str] | None = None) -> int:
    """Run a command, by default that of this process; return its exit code.

    A command without a help of its own gets all that follows it as `arguments`.
    """
    found, unknown = parser.parse_known_args(arguments)
    values = vars(found)
    run: Callable[..., int | None] = values.pop("run")
    chosen: ArgumentParser = values.pop("parser")
    if not chosen.add_help:
        values["arguments"] = unknown
    elif unknown:
        chosen.error(f"unrecognized arguments: {' '.join(unknown)}")
    return run(**values) or 0

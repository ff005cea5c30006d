"""Commands from functions: a docstring is the help, the options are the keyword arguments."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from inspect import cleandoc
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


def group(commands: Commands, name: str, description: str) -> Commands:
    """Add a group of commands; return its subparsers."""
    return commands_of(_add(commands, name, description))


def command(
    commands: Commands, name: str, run: Callable[..., int | None], *, passes_on: bool = False
) -> ArgumentParser:
    """Add a command that calls `run`; return its parser, for the arguments.

    With `passes_on`, `run` gets all that follows the command as `arguments`, `--help` included.
    """
    parser = _add(commands, name, run.__doc__ or "", add_help=not passes_on)
    parser.set_defaults(run=run, parser=parser, **({"arguments": []} if passes_on else {}))
    return parser


def execute(parser: ArgumentParser, arguments: Sequence[str] | None = None) -> int:
    """Run a command, by default that of this process; return its exit code."""
    found, unknown = parser.parse_known_args(arguments)
    values = vars(found)
    run: Callable[..., int | None] = values.pop("run")
    chosen: ArgumentParser = values.pop("parser")
    if "arguments" in values:
        values["arguments"] = unknown
    elif unknown:
        chosen.error(f"unrecognized arguments: {' '.join(unknown)}")
    return run(**values) or 0


def _add(commands: Commands, name: str, text: str, *, add_help: bool = True) -> ArgumentParser:
    parser: ArgumentParser = commands.add_parser(
        name,
        help=text.partition("\n")[0].replace("%", "%%"),
        description=cleandoc(text),
        formatter_class=RawDescriptionHelpFormatter,
        add_help=add_help,
        allow_abbrev=False,
    )
    return parser

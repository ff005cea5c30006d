"""Commands from functions: a docstring is the help, the options are the keyword arguments."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from inspect import cleandoc
from typing import Any

Commands = Any
"""What takes commands; argparse has no public name for it."""


def commands_of(parser: ArgumentParser) -> Commands:
    """Let `parser` take a command; without one it shows its help, with exit code 2."""

    def show() -> int:
        parser.print_help()
        return 2

    parser.set_defaults(run=show, parser=parser)
    return parser.add_subparsers(title="commands", metavar="COMMAND")


def group(commands: Commands, name: str, description: str) -> Commands:
    """Add a command that takes commands of its own; return what takes them."""
    return commands_of(_add(commands, name, description))


def command(commands: Commands, name: str, run: Callable[..., int | None]) -> ArgumentParser:
    """Add a command that calls `run`; return its parser, for the arguments."""
    parser = _add(commands, name, run.__doc__ or "")
    parser.set_defaults(run=run, parser=parser)
    return parser


def execute(parser: ArgumentParser, arguments: Sequence[str] | None = None) -> int:
    """Run the command of `arguments`, by default this process's; return its exit code."""
    found, unknown = parser.parse_known_args(arguments)
    values = vars(found)
    run: Callable[..., int | None] = values.pop("run")
    chosen: ArgumentParser = values.pop("parser")
    if unknown:
        chosen.error(f"unrecognized arguments: {' '.join(unknown)}")
    return run(**values) or 0


def _add(commands: Commands, name: str, text: str) -> ArgumentParser:
    parser: ArgumentParser = commands.add_parser(
        name,
        help=text.partition("\n")[0].replace("%", "%%"),
        description=cleandoc(text),
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return parser

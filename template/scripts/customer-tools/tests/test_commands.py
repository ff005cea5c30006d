"""The command line itself: help, and what it says against wrong arguments."""

from argparse import ArgumentParser
from collections.abc import Iterator

import pytest
from platform_tools.arguments import execute
from platform_tools.commands import parser


def commands(of: ArgumentParser) -> Iterator[list[str]]:
    """The words of every command and group."""
    for name, command in of._subparsers._group_actions[0].choices.items():  # type: ignore[union-attr]
        if not command.add_help:
            continue  # another program has the help
        yield [name]
        if command._subparsers:
            yield from ([name, *words] for words in commands(command))


@pytest.mark.parametrize("words", [[], *commands(parser())], ids=" ".join)
def test_every_command_has_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        execute(parser(), [*words, "--help"])

    assert ended.value.code == 0
    assert f"usage: {' '.join(['platform', *words])}" in capsys.readouterr().out


def test_a_group_alone_shows_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(parser(), ["new"]) == 2
    assert "agent" in capsys.readouterr().out


def test_an_unknown_option_shows_the_commands_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        execute(parser(), ["doctor", "--jsn"])

    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "usage: platform doctor" in said and "unrecognized arguments: --jsn" in said

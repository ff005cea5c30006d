"""Messages of the commands: in colour on a terminal."""

import os
import sys
from typing import TextIO

_COLOURS = {"red": 31, "green": 32, "yellow": 33, "magenta": 35, "cyan": 36, "white": 37}
_STYLES = {"good": "green", "warn": "yellow", "bad": "red"}


def coloured(text: str, colour: str, stream: TextIO | None) -> str:
    """`text` in a colour, if `in_colour(stream)`."""
    return f"\033[{_COLOURS[colour]}m{text}\033[0m" if in_colour(stream) else text


def in_colour(stream: TextIO | None) -> bool:
    """Whether `stream` is a terminal and NO_COLOR is not set."""
    return bool(stream and stream.isatty()) and "NO_COLOR" not in os.environ


def show(text: str) -> None:
    """Print the result of a command on standard output; a closed pipe (`… | head`) is no error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str, style: str = "") -> None:
    """Print a message on standard error; `style` is good, warn or bad.

    A closed standard error does not stop the work.
    """
    if sys.stderr is None or not text:  # closed, or nothing to say
        return
    text = text.encode(errors="backslashreplace").decode()
    if style:
        text = coloured(text, _STYLES[style], sys.stderr)
    try:
        print(text, file=sys.stderr, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())

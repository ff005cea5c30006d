"""Byte order mark, line ends and final newline: kept apart, so that the merge sees plain lines."""

from __future__ import annotations

from codecs import BOM_UTF8
from dataclasses import dataclass, fields

from .tree import UnsupportedError


@dataclass(frozen=True)
class Layout:
    bom: bool
    crlf: bool
    final_newline: bool

    def write(self, text: str) -> bytes:
        if not self.final_newline:
            text = text.removesuffix("\n")
        content = text.replace("\n", "\r\n" if self.crlf else "\n").encode()
        return BOM_UTF8 + content if self.bom else content


def read(content: bytes) -> tuple[Layout, str]:
    """The layout, and the text with `\\n` at the end of every line."""
    text = content.removeprefix(BOM_UTF8).decode()
    crlf = "\r\n" in text
    text = text.replace("\r\n", "\n") if text.count("\n") == text.count("\r\n") else text
    if "\r" in text:
        raise UnsupportedError("mixed line ends")
    layout = Layout(content.startswith(BOM_UTF8), crlf, text.endswith("\n") or not text)
    return layout, text if layout.final_newline else text + "\n"


def merge(base: Layout, ours: Layout, theirs: Layout) -> Layout:
    """Each trait as the side has it that changed it."""
    traits = (
        tuple(getattr(side, field.name) for side in (base, ours, theirs))
        for field in fields(Layout)
    )
    return Layout(*(theirs if ours == base else ours for base, ours, theirs in traits))

"""Three-way merges of sequences, and conflict markers."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import TypeVar

from .tree import Side

T = TypeVar("T", bound=Hashable)
Region = tuple[list[T], list[T], list[T]]
LABELS = ("yours", "base", "framework")


def merge_sequences(base: Sequence[T], ours: Sequence[T], theirs: Sequence[T]) -> list[T] | None:
    """diff3: each side's changes, or None where both changed the same or neighbouring places."""
    merged: list[T] = []
    for b, o, t in regions(base, ours, theirs):
        if o == t or t == b:
            merged += o
        elif o == b:
            merged += t
        else:
            return None
    return merged


def regions(base: Sequence[T], ours: Sequence[T], theirs: Sequence[T]) -> Iterator[Region[T]]:
    """The sequences cut, alternately, into what all three share and what at least one changed."""
    in_ours, in_theirs = _matches(base, ours), _matches(base, theirs)
    b = o = t = 0
    shared: list[T] = []
    for index, item in enumerate(base):
        at_ours, at_theirs = in_ours.get(index), in_theirs.get(index)
        if at_ours is None or at_theirs is None:
            continue
        if (index, at_ours, at_theirs) != (b, o, t):
            if shared:
                yield shared, shared, shared
                shared = []
            yield list(base[b:index]), list(ours[o:at_ours]), list(theirs[t:at_theirs])
        shared.append(item)
        b, o, t = index + 1, at_ours + 1, at_theirs + 1
    if shared:
        yield shared, shared, shared
    if (b, o, t) != (len(base), len(ours), len(theirs)):
        yield list(base[b:]), list(ours[o:]), list(theirs[t:])


def merge_text(base: str, ours: str, theirs: str) -> str | None:
    """The same for lines; a missing newline at the end makes no last line different."""
    lines = (split_lines(f"{text}\n") for text in (base, ours, theirs))
    merged = merge_sequences(*lines)
    return None if merged is None else "".join(merged).removesuffix("\n")


def mark_conflicts(base: str, ours: str, theirs: str, labels: tuple[str, str, str] = LABELS) -> str:
    """Three texts that differ in conflicts only, as one text with diff3 markers around those."""
    lines = (split_lines(text) for text in (base, ours, theirs))
    parts: list[str] = []
    for b, o, t in regions(*lines):
        if o == t:
            parts += o
            continue
        for marker, label, side in (
            ("<<<<<<<", labels[0], o),
            ("|||||||", labels[1], b),
            ("=======", "", t),
        ):
            parts += [f"{marker} {label}".rstrip(), "\n", *side]
            if side and not side[-1].endswith("\n"):
                parts.append("\n")
        parts.append(f">>>>>>> {labels[2]}\n")
    return "".join(parts)


def take_text(base: str, ours: str, theirs: str, side: Side) -> str:
    """The merge of the lines, with `side` where both sides changed the same."""
    parts: list[str] = []
    for b, o, t in regions(*(split_lines(text) for text in (base, ours, theirs))):
        parts += o if t == b or (o != b and side == "ours") else t
    return "".join(parts)


def split_lines(text: str) -> list[str]:
    """The lines with their newlines. `str.splitlines` also cuts at U+2028, form feeds and more."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _matches(base: Sequence[T], side: Sequence[T]) -> dict[int, int]:
    blocks = SequenceMatcher(None, base, side, autojunk=False).get_matching_blocks()
    return {a + offset: b + offset for a, b, size in blocks for offset in range(size)}

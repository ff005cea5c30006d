"""Three-way merges of TOML, YAML, JSON, env and ignore files by their structure.

What lines cannot tell apart, keys can: neighbouring additions merge, an edit stays in its block,
and one value changed to two is a conflict. Whatever one side did not touch keeps its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from . import jsondoc, layout, linedoc, tomldoc, yamldoc
from .lines import LABELS, mark_conflicts, merge_text, take_text
from .merge import Merge, Place, Sides
from .model import MismatchError, expected
from .tree import (
    Choice,
    Container,
    Entry,
    Item,
    Side,
    UnsupportedError,
    data,
    whole,
)

Parser = Callable[[str], Entry]


@dataclass(frozen=True)
class StructuredResult:
    """The merged file, and the paths of the values in conflict, such as `services.api.ports[1]`.

    With conflicts, `merged` holds diff3 markers around those values only. `yours` and `framework`
    have one side's values there; None where that would not be the merge of the other values.
    `suggestions` name the versions that both sides raised, of which the later is in the result:
    `version: 1.3 (yours), not 1.2 (framework)`.
    """

    merged: bytes
    conflicts: tuple[str, ...]
    yours: bytes | None
    framework: bytes | None
    suggestions: tuple[str, ...] = ()


def merge_structured(
    path: str,
    base: bytes | None,
    ours: bytes,
    theirs: bytes,
    labels: tuple[str, str, str] = LABELS,
) -> StructuredResult | None:
    """Merge three versions of the file at `path`; `labels` name ours, base and theirs in markers.

    None where structure cannot help, so that the line merge stands: an unknown format, no base,
    a version that does not parse, is not UTF-8, or uses what cannot be kept exactly.
    """
    parser = _parser(path)
    if parser is None or base is None:
        return None
    try:
        read = [layout.read(version) for version in (base, ours, theirs)]
        base_tree, our_tree, their_tree = (_parse(parser, text) for _, text in read)
    except (UnsupportedError, UnicodeDecodeError):
        return None
    sides = (base_tree, our_tree, their_tree)
    if len({type(data(side.value)) for side in sides}) > 1:  # one document became several
        return None
    merge = Merge()
    root = Container("map", ())
    merged = merge.entry(Place((), "", (root, root, root, root)), *sides)
    texts = (_text(merged, "base"), _text(merged, "ours"), _text(merged, "theirs"))
    shown = (*merge.conflicts.values(), *merge.comments)
    taken: list[str | None] = list(texts[1:])
    if not _holds(parser, sides, texts, merge):
        texts, shown = (read[0][1], read[1][1], read[2][1]), ("",)
        by_lines = merge_text(*texts) or ""
        if _holds(parser, sides, (by_lines, by_lines, by_lines), Merge()):
            texts, shown, taken = (by_lines, by_lines, by_lines), (), [by_lines, by_lines]
        else:
            taken = [_by_lines(parser, sides, texts, merge, side) for side in (_OURS, _THEIRS)]
    marked = mark_conflicts(*texts, labels)
    merged_layout = layout.merge(*(traits for traits, _ in read))
    written_sides = [text if text is None else merged_layout.write(text) for text in taken]
    if marked.endswith(f">>>>>>> {labels[2]}\n"):  # a marker is a line of its own
        merged_layout = replace(merged_layout, final_newline=True)
    names = tuple(name or "(whole file)" for name in shown)
    # Conflicts of a whole file leave nothing that was chosen.
    suggestions = () if shown == ("",) else tuple(merge.suggestions)
    return StructuredResult(
        merged_layout.write(marked), names, written_sides[0], written_sides[1], suggestions
    )


def _parser(path: str) -> Parser | None:
    name = PurePosixPath(path).name
    if re.fullmatch(_LOCK_FILE, name):
        return None
    return next((parser for pattern, parser in _FORMATS if re.fullmatch(pattern, name)), None)


# Large, and written by a tool from another file: a merge is neither quick nor what the tool writes.
_LOCK_FILE = r".+[-.]lock\.(json|ya?ml|toml)|npm-shrinkwrap\.json|pylock(\..+)?\.toml"
_FORMATS: tuple[tuple[str, Parser], ...] = (
    (r".*\.toml", tomldoc.parse),
    (r".*\.ya?ml", yamldoc.parse),
    (r".*\.jsonc?", jsondoc.parse),
    (r"\.env(\..+)?|.*\.env(\.template)?", linedoc.parse_env),
    (r"\.(git|docker)ignore", linedoc.parse_ignore),
)
_OURS: Side = "ours"
_THEIRS: Side = "theirs"
_HEADER = re.compile(r"(?:#[^\n]*\n)+\n+(?=[\s\S]*\S)")


def _parse(parser: Parser, text: str) -> Entry:
    """The document; a comment on top, above a blank line, is not its first key's."""
    match = _HEADER.match(text)
    header = match[0] if match else ""
    entry = parser(text[len(header) :])
    entry = replace(entry, lead=f"{header}{entry.lead}")
    if whole(entry) != text:
        raise UnsupportedError("the text cannot be kept")
    return entry


def _text(item: Item, side: Side) -> str:
    entry = item.pick(side) if isinstance(item, Choice) else item
    return whole(entry, side) if entry else ""


def _by_lines(
    parser: Parser, sides: Sides, texts: tuple[str, str, str], merge: Merge, side: Side
) -> str | None:
    """The merge by lines with one side of the conflicts; None where it says something else."""
    text = take_text(*texts, side)
    return text if _says(parser, sides, text, merge, side) else None


def _holds(parser: Parser, sides: Sides, texts: tuple[str, str, str], merge: Merge) -> bool:
    """Whether the merged texts, read again, say what the merge of the plain values says."""
    both = ((texts[1], _OURS), (texts[2], _THEIRS))
    return all(_says(parser, sides, text, merge, side) for text, side in both)


def _says(parser: Parser, sides: Sides, text: str, merge: Merge, side: Side) -> bool:
    base, ours, theirs = (data(one.value) for one in sides)
    try:
        found = data(_parse(parser, text).value)
        return bool(found == expected((base, ours, theirs), merge.conflicts, side))
    except (UnsupportedError, MismatchError):
        return False

"""What became of a customer's changes in an updated project. Knows nothing of any merge.

A change is a line or, in structured files, a value. It is lost when it is neither in the result nor
in a conflict, and the report does not name its file as one to look at.
"""

import json
import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field

import yaml

from tests.bench.updates.changes import Tree

ABSENT = object()
STRUCTURED = (".toml", ".yml", ".yaml", ".json", ".template")


@dataclass
class Result:
    """An updated project: files on disk (ignored ones too), modes, open conflicts with the texts
    that their index stages or reject files hold, and the files that the report names as ones to
    look at, be it that yours were kept or the template's."""

    files: dict[str, bytes]
    executable: set[str]
    conflicts: dict[str, bytes] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    failed: str = ""


def judge(base: Tree, ours: Tree, theirs: Tree, result: Result) -> tuple[str, list[str]]:
    """The cell's word, and what was lost or broken."""
    if result.failed:
        return "failed", [result.failed]
    lost = list(lost_changes(base, ours, theirs, result))
    if lost:
        return "lost", lost
    broken = [path for path in result.files if _breaks(path, ours, theirs, result)]
    if broken:
        return "broken", broken
    return ("conflict", sorted(result.conflicts)) if result.conflicts else ("clean", [])


def lost_changes(base: Tree, side: Tree, other: Tree, result: Result):
    """Descriptions of the changes of `side` that are gone."""
    for path, content in side.ignored.items():
        if result.files.get(path) != content:
            yield f"{path}: ignored by git, overwritten"
    for path in sorted({*base.files, *side.files}):
        before, after = base.files.get(path), side.files.get(path)
        if path in side.executable ^ base.executable and after is not None:
            yield from _lost_mode(path, side, other, result)
        if before == after:
            continue
        if path in result.named:
            continue
        place = other.renamed.get(path, side.renamed.get(path, path))
        if after is None:
            back = path in result.files and path not in {**side.renamed, **other.renamed}
            if back and path not in result.conflicts:
                yield f"{path}: deleted, and back"
            continue
        origin = next((old for old, new in side.renamed.items() if new == path), path)
        yield from _lost_contents(path, origin, place, base, side, other, result)


def _lost_contents(path, origin, place, base, side, other, result):
    before, after = base.files.get(origin, b""), side.files[path]
    if b"\0" in after:
        if before == after:
            return
        found = result.files.get(place if place in result.files else path)
        if found != after and path not in result.conflicts and place not in result.conflicts:
            yield f"{path}: binary file replaced"
        return
    open_text = b"\n".join(
        text for name, text in result.conflicts.items() if name in (path, place, origin)
    )
    result_file = result.files.get(place, result.files.get(path))
    values = [_values(path, content) for content in (before or b"", after, result_file or b"")]
    if path.endswith(STRUCTURED) and all(value is not None for value in values[:2]):
        yield from _lost_values(path, *values, open_text + (result_file or b""), result)
        wanted = _comments(after) - _comments(before)
    else:
        wanted = _lines(after) - _lines(before)
    pool = _lines(b"\n".join(content for content in result.files.values() if b"\0" not in content))
    pool += _lines(open_text)
    for line in wanted - pool:
        yield f"{path}: {line.decode(errors='replace')}"
    if b"\r\n" in after and result_file and b"\r\n" not in result_file:
        yield f"{path}: line ends"
    if not path.endswith(STRUCTURED) and result_file is not None and not open_text:
        others = _lines(other.files.get(place, b"")) - _lines(before)
        for line in (_lines(before) - _lines(after)) & _lines(result_file):
            if _lines(result_file)[line] > _lines(after)[line] + others[line]:
                yield f"{path}: removed line is back: {line.decode(errors='replace')}"


def _lost_values(path, before, after, found, text, result):
    if found is None:  # does not parse: conflict markers, or broken, which is judged apart
        found = {}
    for key in {*before, *after}:
        old, new = before.get(key, ABSENT), after.get(key, ABSENT)
        if old == new or found.get(key, ABSENT) == new:
            continue
        shown = ".".join(map(str, key))
        if b"<<<<<<<" in text or result.conflicts.get(path) is not None:
            value = new if new is not ABSENT else old
            needle = value if isinstance(value, str) else str(key[-1])
            if needle.encode().lower() in text.lower() or new is ABSENT:
                continue
        yield f"{path}: {shown} = {'(removed)' if new is ABSENT else new}"


def _lost_mode(path, side, other, result):
    place = other.renamed.get(path, path)
    if place not in result.files or path in result.conflicts or path in result.named:
        return
    if (path in side.executable) != (place in result.executable):
        yield f"{path}: mode"


def _breaks(path: str, ours: Tree, theirs: Tree, result: Result) -> bool:
    content = result.files[path]
    if path in result.conflicts or b"\0" in content:
        return False
    if not any(_parses(path, tree.files[path]) for tree in (ours, theirs) if path in tree.files):
        return False
    return b"\n<<<<<<< " in content or not _parses(path, content)


def _parses(path: str, content: bytes) -> bool:
    try:
        if path.endswith(".py"):
            compile(content, path, "exec")
        elif path.endswith(".toml"):
            tomllib.loads(content.decode())
        elif path.endswith((".yml", ".yaml")):
            yaml.load(content, _UniqueKeys)
        elif path.endswith(".json"):
            json.loads(content)
    except (SyntaxError, ValueError, yaml.YAMLError):
        return False
    return True


class _UniqueKeys(yaml.SafeLoader):
    """A key that occurs twice is an error, as it is for Docker Compose."""

    def construct_mapping(self, node, deep=False):
        keys = [
            self.construct_object(key)
            for key, _ in node.value
            if key.tag != "tag:yaml.org,2002:merge"
        ]
        if len(set(keys)) < len(keys):
            raise yaml.YAMLError("a key occurs twice")
        return super().construct_mapping(node, deep)


def _values(path: str, content: bytes):
    """Path → value of a structured file; list items by their name, or as members."""
    if not content:
        return {}
    try:
        if path.endswith(".toml"):
            return _flat(tomllib.loads(content.decode()))
        if path.endswith((".yml", ".yaml")):
            return _flat(yaml.load(content, _UniqueKeys))
        if path.endswith(".json"):
            return _flat(json.loads(content))
        if path.endswith(".template"):
            return dict(_settings(content.decode()))
    except (ValueError, yaml.YAMLError):
        return None
    return None


def _settings(text: str):
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            key, equals, value = line.partition("=")
            if not equals:
                raise ValueError(line)
            yield (key,), value


def _flat(node, path=()):
    if isinstance(node, dict):
        return {k: v for key, item in node.items() for k, v in _flat(item, (*path, key)).items()}
    if isinstance(node, list):
        return {k: v for item in node for k, v in _flat(item, (*path, _name(item))).items()}
    return {path: str(node)}


def _name(item) -> str:
    """What a list's item is called: its natural key, or the text itself up to what may change."""
    if isinstance(item, dict):
        for key in ("name", "id", "alert", "repo", "uses", "run"):
            if key in item:
                return f"{key}={str(item[key]).split('@')[0]}"
        return f"key={next(iter(item))}"
    return re.split(r"[<>=~]", str(item))[0]


def _lines(content: bytes) -> Counter[bytes]:
    # Quotes as a formatter sets them: Python's two kinds mean the same.
    plain = content.replace(b"'", b'"')
    return Counter(line.strip() for line in plain.splitlines() if line.strip())


def _comments(content: bytes) -> Counter[bytes]:
    return Counter(line.strip() for line in content.splitlines() if line.strip().startswith(b"#"))
